"""A quarter is published once, some days after its end, and stays as it is; a correction stands beside it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.refusals import Invalid, NotNow
from approvals.states import State
from authorities.models import Office
from figures import publishing
from figures.counting import COLUMNS
from figures.models import QuarterFigures
from figures.publishing import percentile, publish_due, publishable
from figures.quarters import Quarter
from figures.suppression import THRESHOLD, TOTAL
from tests.asserting import nothing_moved
from tests.factories import NOW, OfficeFactory, in_state
from tests.figures.attack import intervals
from tests.figures.numbers import large, published_by
from tests.threads import Crowd

SPRING = Quarter(2026, 1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
END = datetime(2026, 4, 1, tzinfo=SHANGHAI)


# ── what is public ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_stored_is_what_is_public_and_nothing_else() -> None:
    """No small number is anywhere in it, and whoever reads all of it cannot compute one."""
    counted = large()

    data = published_by(counted)

    hidden = {(row, column) for row, cells in data["cells"].items() for column, value in cells.items() if value is None}
    assert {cell for cell, value in counted.values.items() if 0 < value < THRESHOLD} < hidden
    shown = [value for cells in data["cells"].values() for value in cells.values() if value is not None]
    assert [value for value in shown if 0 < value < THRESHOLD] == []
    for least, greatest in intervals(counted.values, counted.layout, hidden).values():
        assert greatest is None or greatest - least >= THRESHOLD - 1


def test_percentiles_are_of_groups_and_not_of_cases() -> None:
    """The median from 20 decisions on, the 90th percentile from 100 on: so many that 10 lie on either side."""
    counted = large()
    for place, number in (("Q0", 19), ("Q1", 20), ("Q2", 99), ("Q3", 100)):
        counted.days = {**counted.days, place: list(range(number))}

    days = publishable(counted, frozenset())["days"]

    assert days["Q0"] == {"median": None, "ninetieth": None}
    assert days["Q1"] == {"median": 9, "ninetieth": None}
    assert days["Q2"] == {"median": 49, "ninetieth": None}
    assert days["Q3"] == {"median": 49, "ninetieth": 89}
    without = publishable(counted, frozenset({("Q3", "decided")}))["days"]
    assert without["Q3"] == {"median": None, "ninetieth": None}, "they would say that there were 100 at least"


@pytest.mark.parametrize(
    ("days", "median", "ninetieth"), [([4], 4, 4), ([1, 2], 1, 2), ([0, 0, 0, 10, 14], 0, 14), (range(1, 11), 5, 9)]
)
def test_percentiles_by_nearest_rank(days: Any, median: int, ninetieth: int) -> None:
    assert (percentile(list(days), 50), percentile(list(days), 90)) == (median, ninetieth)
    with pytest.raises(ValueError, match="percentile"):
        percentile([], 50)


# ── corrections ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_difference_of_two_versions_gives_no_case_away() -> None:
    """Three denials more, found later: every number that changed by three is kept, else the difference would be them;
    what the first version kept stays so."""
    first, second = large(), large()
    before = published_by(first)
    for place in ("Q0", TOTAL):
        for column in ("decided", "denied", "late", "received", "code:T0"):
            second.values[place, column] += 3

    after = published_by(second, [before])

    changed = {cell for cell, value in second.values.items() if value != first.values[cell]}
    for row, column in changed:
        assert after["cells"][row][column] is None or before["cells"][row][column] is None
        assert after["cells"][row][column] is None
    for row, cells in before["cells"].items():
        for column, value in cells.items():
            assert value is not None or after["cells"][row][column] in (None, 0)
            now = after["cells"][row][column]
            assert None in (value, now) or value == now or abs(value - now) >= THRESHOLD
    hidden = {(row, column) for row, cells in after["cells"].items() for column, one in cells.items() if one is None}
    for least, greatest in intervals(second.values, second.layout, hidden).values():
        assert greatest is None or greatest - least >= THRESHOLD - 1


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_quarter_comes_out_fifteen_days_after_it_ended_everywhere() -> None:
    in_state(State.APPROVED)
    due = END + timedelta(days=15)

    assert publish_due(at=due - timedelta(seconds=1)) == []
    (row,) = publish_due(at=due)
    assert (row.quarter, row.version, row.published_at) == ("2026Q1", 1, due)
    assert row.data["cells"]["HD"]["approved"] is None
    assert row.data["cells"]["HD"]["denied"] == 0
    with nothing_moved():
        assert publish_due(at=due + timedelta(days=1)) == []


@pytest.mark.django_db
def test_it_waits_for_the_office_whose_quarter_ends_last() -> None:
    in_state(State.APPROVED)
    OfficeFactory.create(code="WEST", name_en="Office far west", time_zone="America/Los_Angeles")
    there = datetime(2026, 4, 1, tzinfo=ZoneInfo("America/Los_Angeles")) + timedelta(days=15)

    assert publish_due(at=there - timedelta(seconds=1)) == []
    assert [row.quarter for row in publish_due(at=there)] == ["2026Q1"]


@pytest.mark.django_db
def test_what_was_missed_is_made_up_the_oldest_first(settings: Any) -> None:
    settings.FIGURES_DELAY_DAYS = 3
    in_state(State.APPROVED)

    made = publish_due(at=datetime(2026, 10, 4, tzinfo=SHANGHAI))

    assert [row.quarter for row in made] == ["2026Q1", "2026Q2", "2026Q3"]
    assert {value for column, value in made[2].data["cells"]["HD"].items() if column in COLUMNS} == {0}


@pytest.mark.django_db
def test_without_a_request_there_is_nothing_to_publish() -> None:
    Office.objects.all().delete()
    assert publish_due(at=NOW + timedelta(days=365)) == []


def test_two_workers_at_once_publish_it_once(committed: None) -> None:
    in_state(State.APPROVED)
    at = END + timedelta(days=20)

    with Crowd(2) as crowd:
        made = crowd.at_once([lambda: publish_due(at=at)] * 2)

    assert sorted(len(rows) for rows in made) == [0, 1]
    assert QuarterFigures.objects.count() == 1


@pytest.mark.django_db
def test_what_is_published_cannot_be_changed_or_taken_back() -> None:
    in_state(State.APPROVED)
    (row,) = publish_due(at=END + timedelta(days=20))

    with nothing_moved():
        for change in (
            lambda: QuarterFigures.objects.filter(pk=row.pk).update(data={}),
            lambda: QuarterFigures.objects.filter(pk=row.pk).delete(),
        ):
            with pytest.raises(Exception, match=r"append.only|never changed|permission denied"), transaction.atomic():
                change()
        with pytest.raises(IntegrityError), transaction.atomic():
            QuarterFigures.objects.create(quarter="2026Q1", version=1, published_at=NOW, data={})
        with pytest.raises(IntegrityError), transaction.atomic():
            QuarterFigures.objects.create(quarter="2026Q1", version=2, published_at=NOW, data={})


@pytest.mark.django_db
def test_a_correction_stands_beside_what_was_published() -> None:
    in_state(State.APPROVED)
    at = END + timedelta(days=20)
    (first,) = publish_due(at=at)
    with nothing_moved(), pytest.raises(NotNow, match="the same"):
        publishing.correct(SPRING, at=at, reason_zh="更正。", reason_en="A correction.")

    # Another office came to light, which had nothing: its zeros are news.
    OfficeFactory.create(code="PD", name_en="Pudong office")
    assert publish_due(at=at + timedelta(days=1)) == []
    second = publishing.correct(SPRING, at=at, reason_zh="补充浦东。", reason_en="Pudong was missing.")

    assert (second.version, second.reason_en) == (2, "Pudong was missing.")
    assert [one["code"] for one in second.data["offices"]] == ["HD", "PD"]
    assert QuarterFigures.objects.get(version=1).data == first.data


@pytest.mark.django_db
def test_a_correction_needs_a_published_quarter_and_reasons_in_both_languages() -> None:
    in_state(State.APPROVED)
    with nothing_moved():
        with pytest.raises(NotNow, match="not published"):
            publishing.correct(SPRING, at=NOW, reason_zh="更正。", reason_en="A correction.")
        with pytest.raises(Invalid) as refused:
            publishing.correct(SPRING, at=NOW, reason_zh=" ", reason_en="")
    assert [problem.field for problem in refused.value.problems] == ["reason_zh", "reason_en"]


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_the_command_shows_a_quarter_without_publishing_it(capsys: pytest.CaptureFixture[str]) -> None:
    in_state(State.APPROVED)

    with nothing_moved():
        call_command("figures", "--quarter", "2026Q1", "--dry-run")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "quarter,version,office,office_zh,office_en,measure,reason_code,value,status"
    assert "2026Q1,0,HD,海淀办公室,Haidian office,approved,,,suppressed" in lines
    assert "2026Q1,0,HD,海淀办公室,Haidian office,denied,,0,published" in lines


@pytest.mark.django_db
def test_the_command_publishes_and_corrects(capsys: pytest.CaptureFixture[str]) -> None:
    in_state(State.APPROVED)
    call_command("figures")
    assert "Published 2026Q1." in capsys.readouterr().out
    with pytest.raises(CommandError, match="Say why"):
        call_command("figures", "--quarter", "2026Q1")
    OfficeFactory.create(code="PD", name_en="Pudong office")
    call_command("figures", "--quarter", "2026Q1", "--reason-zh", "补充浦东。", "--reason-en", "Pudong was missing.")
    assert "Published version 2 of 2026Q1." in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("figures", "--quarter", "2026Q7")
