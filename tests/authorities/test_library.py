"""What the libraries know of China's working days."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from authorities.calendars import FIRST_SEEDED, from_library, is_announced
from authorities.working_days import SpecialDay, WorkingDays
from tests.approvals.test_clocks import SHANGHAI


@pytest.mark.parametrize("year", range(FIRST_SEEDED, 2027))
def test_two_libraries_agree_on_every_day(year: int) -> None:
    calendar = WorkingDays(version=1, zone=SHANGHAI, special=from_library(year))
    days = [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    assert [day for day in days if calendar.is_working(day) != chinese_calendar.is_workday(day)] == []


@pytest.mark.parametrize("year", range(FIRST_SEEDED, 2031))
def test_announced_is_what_the_other_library_knows_too(year: int) -> None:
    def known() -> bool:
        try:
            chinese_calendar.is_workday(date(year, 6, 1))
        except NotImplementedError:
            return False
        return True

    assert is_announced(from_library(year)) is known()


def test_nothing_after_2026_is_announced() -> None:
    assert [year for year in range(FIRST_SEEDED, 2040) if is_announced(from_library(year))] == [*range(2018, 2027)]


def test_days_have_names_in_both_languages() -> None:
    days = {day.day: day for day in from_library(2026)}
    assert days[date(2026, 2, 17)] == SpecialDay(date(2026, 2, 17), False, "春节", "Chinese New Year (Spring Festival)")
    assert days[date(2026, 2, 14)] == SpecialDay(date(2026, 2, 14), True, "调休工作日", "Working day in exchange")
    assert all(day.name_zh and day.name_en for day in days.values())


class TestWorkingDays:
    PLAIN = WorkingDays(version=0, zone=SHANGHAI)

    def test_plain_weeks_are_provisional(self) -> None:
        assert self.PLAIN.is_working(date(2030, 1, 4))
        assert not self.PLAIN.is_working(date(2030, 1, 5))
        assert not self.PLAIN.is_working(date(2030, 1, 6))
        assert self.PLAIN.is_provisional(date(2030, 1, 4))

    @pytest.mark.parametrize("day", [date(1999, 12, 31), date(2100, 1, 1)])
    def test_it_says_which_years_it_covers(self, day: date) -> None:
        with pytest.raises(ValueError, match="covers 2000 to 2099"):
            self.PLAIN.is_working(day)

    def test_it_does_not_count_beyond_its_end(self) -> None:
        assert self.PLAIN.add(date(2099, 12, 30), 1) == date(2099, 12, 31)
        with pytest.raises(ValueError, match="2099"):
            self.PLAIN.add(date(2099, 12, 31), 1)

    def test_nothing_lies_between_a_day_and_an_earlier_one(self) -> None:
        assert self.PLAIN.between(date(2026, 3, 6), date(2026, 3, 2)) == 0
