"""Which calendar is in force, and how one comes into force."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from authorities import calendars, rereading, seeding
from authorities.models import CalendarDay, CalendarYear, InForce, Office
from authorities.working_days import SpecialDay

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NEW_DAY_OFF = SpecialDay(date(2027, 1, 4), False, "元旦", "New Year's Day")

pytestmark = pytest.mark.django_db


def test_every_installation_begins_with_chinas_calendar() -> None:
    calendar = calendars.load(None)
    assert {2018, 2026} <= calendar.published
    assert 2027 not in calendar.published
    assert calendar.add(date(2026, 2, 10), 20) == date(2026, 3, 16)
    assert CalendarYear.objects.get(year=2027, office=None).status == CalendarYear.Status.PROVISIONAL
    # Of 2027 the days off by law are known.
    assert not calendar.is_working(date(2027, 10, 1))


def test_beginning_twice_changes_nothing() -> None:
    before = list(CalendarYear.objects.values_list("pk", "since"))
    seeding.begin()
    assert calendars.seed(None, range(2018, 2027)) == []
    assert list(CalendarYear.objects.values_list("pk", "since")) == before


def test_names_are_spoken_in_the_readers_language(office: Office) -> None:
    calendar = calendars.load(office.pk)
    with translation.override("zh-hans"):
        assert calendar.name_of(date(2026, 2, 17)) == "春节"
    with translation.override("en"):
        assert calendar.name_of(date(2026, 2, 17)) == "Chinese New Year (Spring Festival)"
    assert calendar.name_of(date(2026, 3, 3)) == ""


def test_a_draft_is_not_in_force(office: Office) -> None:
    before = calendars.load(office.pk)
    calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice")
    calendars.forget()
    assert calendars.load(office.pk).version == before.version
    assert calendars.load(office.pk).is_working(date(2027, 1, 4))


def test_a_published_year_replaces_the_provisional_one_for_everybody(office: Office, other_office: Office) -> None:
    before = {o: calendars.load(o.pk) for o in (office, other_office)}
    draft = calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice")
    assert draft.version == 2
    calendars.publish(draft.pk, at=NOW)
    for each in (office, other_office):
        calendar = calendars.load(each.pk)
        assert calendar.version > before[each].version
        assert not calendar.is_working(date(2027, 1, 4))
        assert not calendar.is_provisional(date(2027, 1, 4))
        assert calendar.is_provisional(date(2028, 1, 4))
    assert calendars.newest_version() == calendars.load(office.pk).version


def test_an_older_version_stays_what_it_was(office: Office) -> None:
    before = calendars.load(office.pk)
    calendars.publish(calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice").pk, at=NOW)
    again = calendars.load(office.pk, version=before.version)
    assert again.is_working(date(2027, 1, 4))
    assert again.is_provisional(date(2027, 1, 4))
    assert not calendars.load(office.pk).is_working(date(2027, 1, 4))


def test_an_office_can_have_a_year_of_its_own_and_keeps_the_national_others(
    office: Office, other_office: Office
) -> None:
    own = SpecialDay(date(2026, 3, 3), False, "三月三", "Sanyuesan")
    days = [*calendars.from_library(2026), own]
    calendars.publish(calendars.draft(office.pk, 2026, days=days, source="regional notice").pk, at=NOW)
    # A later national version of the same year does not take it away.
    national = calendars.draft(None, 2026, days=calendars.from_library(2026), source="again")
    calendars.publish(national.pk, at=NOW)
    assert not calendars.load(office.pk).is_working(date(2026, 3, 3))
    assert not calendars.load(office.pk).is_working(date(2025, 10, 1))
    assert calendars.load(other_office.pk).is_working(date(2026, 3, 3))
    assert calendars.load(None).is_working(date(2026, 3, 3))


def test_what_is_in_force_does_not_change(office: Office) -> None:
    draft = calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice")
    calendars.publish(draft.pk, at=NOW)
    with pytest.raises(InForce):
        calendars.publish(draft.pk, at=NOW)
    day = CalendarDay.objects.get(calendar=draft)
    with pytest.raises(InForce):
        day.save()
    with pytest.raises(InForce):
        day.delete()
    with pytest.raises(InForce):
        CalendarDay(calendar=CalendarYear.objects.get(pk=draft.pk), day=date(2027, 1, 5)).save()
    with pytest.raises(ValueError, match="provisional or as published"):
        calendars.publish(draft.pk, at=NOW, status=CalendarYear.Status.DRAFT)


def test_a_correction_begins_as_a_copy() -> None:
    first = CalendarYear.objects.get(office=None, year=2026)
    second = calendars.correction(first)
    assert (second.version, second.is_draft) == (first.version + 1, True)
    assert list(second.days.values_list("day", "is_working")) == list(first.days.values_list("day", "is_working"))


def test_a_draft_rolled_back_leaves_no_version_behind() -> None:
    draft = calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice")
    with transaction.atomic():
        first = calendars.publish(draft.pk, at=NOW).since
        transaction.set_rollback(True)
    second = calendars.publish(draft.pk, at=NOW).since
    assert first is not None
    assert second is not None
    assert second > first


def test_loading_costs_nothing_after_the_first_time(office: Office, django_assert_num_queries: object) -> None:
    calendars.load(office.pk)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert calendars.load(office.pk) is calendars.load(office.pk)


def test_looking_whether_there_is_a_newer_one_is_one_query(
    office: Office, django_assert_num_queries: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = calendars.load(office.pk)
    monkeypatch.setattr(rereading, "REREAD_SECONDS", 0)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert calendars.load(office.pk) is kept


def test_a_calendar_published_by_another_process_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = calendars.load(None)
    draft = calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE authorities_calendaryear SET status = 'published', published_at = now(),"
            " since = nextval('authorities_calendar_since') WHERE id = %s",
            [draft.pk],
        )
    assert calendars.load(None) is before
    monkeypatch.setattr(rereading, "REREAD_SECONDS", 0)
    assert not calendars.load(None).is_working(date(2027, 1, 4))


def test_an_office_has_its_own_days() -> None:
    office = Office.objects.create(code="UR", name_zh="乌", name_en="Urumqi", city="Urumqi", time_zone="Asia/Urumqi")
    assert str(calendars.load(office.pk).zone) == "Asia/Urumqi"
    assert str(calendars.load(None).zone) == "Asia/Shanghai"


def test_there_is_no_calendar_of_an_office_that_does_not_exist() -> None:
    with pytest.raises(Office.DoesNotExist):
        calendars.load(0)


def test_a_day_is_in_the_year_of_its_calendar_and_there_once() -> None:
    draft = calendars.draft(None, 2027, days=[NEW_DAY_OFF], source="notice")
    with pytest.raises(ValidationError, match="not in the year"):
        CalendarDay(calendar=draft, day=date(2028, 1, 4)).full_clean()
    with pytest.raises(ValidationError, match="already"):
        CalendarDay(calendar=draft, day=NEW_DAY_OFF.day).full_clean()


def test_a_year_in_force_has_a_version_and_a_draft_has_none() -> None:
    draft = calendars.draft(None, 2027, days=[], source="notice")
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarYear.objects.filter(pk=draft.pk).update(status="published")
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarYear.objects.create(year=2027, version=draft.version, source="twice")
