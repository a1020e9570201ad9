"""A year of an office, made small: what must be true of it is, and when something is broken it is seen."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from accounts.roles import Role
from approvals.clocks import OF_SUBJECTS
from approvals.models import Clock, ClockAction, CompanyReview, Decision, TravelRequest
from approvals.simulation import (
    INVARIANTS,
    Figures,
    Plan,
    SimulationRefused,
    broken,
    compared,
    figures,
    live,
    picture,
    table,
)
from approvals.simulation.plan import DAY, MINUTES_A_DAY, ZONE
from approvals.simulation.town import Worker, present
from approvals.simulation.year import Lived
from approvals.states import State
from audit.models import Entry
from notifications.models import Notification, OutboxEvent
from tests.database import real_commits
from tests.setup.processes import eventually

pytestmark = pytest.mark.xdist_group("simulation")  # the year is lived on one worker only

PLAN = Plan(days=60, requests=150, seed=3, reviewers=2)


# ── before anybody lives in this process's database ─────────────────────────────────────────────────────────────────


def _history() -> list[tuple[Any, ...]]:
    """Everything that the seed decides, without keys and reference numbers."""
    requests = TravelRequest.unscoped.order_by("created_at", "applicant__number").select_related("applicant")
    return [
        (
            request.applicant.number,
            request.state,
            request.due_at,
            *Entry.objects.filter(chain=request.pk).order_by("sequence").values_list("at", "verb", "actor_role"),
        )
        for request in requests
    ]


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_year() -> None:
    def year(seed: int) -> list[tuple[Any, ...]]:
        with transaction.atomic():
            live(Plan(days=20, requests=12, seed=seed, reviewers=1))
            found = _history()
            transaction.set_rollback(True)
        return found

    first = year(1)
    assert len(first) == 12
    assert year(1) == first
    assert year(2) != first


def _databases_of(process: int) -> list[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY 1", [f"exit\\_simulation\\_{process}%"]
        )
        return [row[0] for row in cursor.fetchall()]


def test_who_is_stopped_leaves_no_database_behind(environment: dict[str, str]) -> None:
    """While two offices live in their copies of the template."""
    command = [sys.executable, "manage.py", "simulate", "--requests", "2000", "--processes", "2"]
    environment = environment | {"DJANGO_SETTINGS_MODULE": "config.settings.local"}
    started = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)
    try:
        assert eventually(lambda: len(_databases_of(started.pid)) == 3, seconds=120)
        started.send_signal(signal.SIGTERM)
        assert started.wait(60) == 128 + signal.SIGTERM
        assert _databases_of(started.pid) == []
    finally:
        started.kill()
        started.wait()


# ── one year ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: DjangoDbBlocker, database_name: str) -> Iterator[Lived]:
    """Lived once for all tests that look at it."""
    with real_commits(django_db_blocker, database_name):
        yield live(PLAN)


@pytest.fixture(scope="module")
def counted(lived: Lived) -> Figures:
    return figures.of(lived, name="As it is")


def test_everything_that_must_be_true_is(lived: Lived) -> None:
    assert broken(lived.ended_at) == {}
    assert lived.started == TravelRequest.unscoped.count() == PLAN.requests


def test_the_year_has_what_a_year_has(lived: Lived) -> None:
    """An invariant about what never happened says nothing."""
    verbs = set(Entry.objects.values_list("verb", flat=True))
    assert verbs >= {"submit", "endorse", "return_for_changes", "forward", "take", "ask_information", "answer"}
    assert verbs >= {"approve", "propose", "confirm", "lapse", "remind", "close", "withdraw"}
    assert CompanyReview.objects.filter(outcome="silent").exists()
    assert Decision.objects.filter(outcome="denied").exists()
    assert Notification.objects.exists()
    assert lived.steps == ClockAction.objects.count() > 0
    assert lived.refused.total() > 0  # people try what the gate refuses


def test_it_never_runs_where_there_is_something(lived: Lived) -> None:
    with pytest.raises(SimulationRefused):
        live(PLAN)


def test_requests_that_are_final_are_final(lived: Lived) -> None:
    """But for what was promised with the clearance: conditions outlive the trip."""
    open_clocks = Clock.objects.filter(ended_at=None, request__state__in=[State.CLOSED, State.WITHDRAWN])
    assert not open_clocks.exclude(kind__in=OF_SUBJECTS).exists()
    assert not OutboxEvent.objects.filter(done_at=None).exists()


# ── the figures ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_figures_add_up(lived: Lived, counted: Figures) -> None:
    whole = counted.whole
    assert whole.started == sum(counted.states.values()) == PLAN.requests
    assert whole.decided == len(whole.days_taken)
    assert whole.decided == Decision.objects.values("request").distinct().count()
    assert 0 < whole.load < 1
    assert whole.busy == pytest.approx(sum(sum(worker.busy.values()) for worker in lived.reviewers))


def test_the_picture_shows_the_numbers_of_the_table(counted: Figures) -> None:
    text, drawn = table(counted), picture.draw([counted, counted], title="A < B")
    for month in counted.months:
        assert f"{month.waiting:.1f}" in text
        assert f">{month.waiting:.1f}</text>" in drawn
        assert f">{month.load:.0%}</text>" in drawn
    assert "A &lt; B" in drawn
    assert drawn.count("2026-01 · As it is") == 2 * 3  # three charts by month, of both years


def test_two_years_are_compared_side_by_side(counted: Figures) -> None:
    relieved = replace(counted, name="With +2", months=tuple(replace(month, late=0) for month in counted.months))
    heading, columns, *lines = compared(counted, relieved).splitlines()
    assert heading == "As it is → With +2"
    assert columns.split() == ["late", "%", "9", "of", "10", "d", "waiting", "load", "%"]
    assert [line.split()[0] for line in lines[:-1]] == [f"{month.first:%Y-%m}" for month in counted.months]
    for line, month in zip(lines, counted.months, strict=False):
        assert f"{100 * month.late_share:.1f} → 0.0" in line
        assert f"{month.waiting:.1f} → {month.waiting:.1f}" in line
    assert lines[-1].split()[:2] == ["in", "all"]


# ── broken on purpose ───────────────────────────────────────────────────────────────────────────────────────────────


def _sql(statement: str, *values: Any) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, values)


def _an_audit_entry_is_gone() -> None:
    entry = Entry.objects.filter(verb="endorse").order_by("id").first()
    assert entry is not None
    _sql("DELETE FROM audit_entry WHERE id = %s", entry.pk)


def _an_action_is_doubled() -> None:
    _sql(
        "INSERT INTO approvals_clockaction (id, clock_id, step, scheduled_at, at) SELECT gen_random_uuid(), clock_id,"
        " step, scheduled_at - interval '1 second', at FROM approvals_clockaction ORDER BY id LIMIT 1"
    )


def _an_action_is_early() -> None:
    _sql(
        "UPDATE approvals_clockaction SET scheduled_at = at + interval '1 hour'"
        " WHERE id = (SELECT min(id::text)::uuid FROM approvals_clockaction)"
    )


def _an_action_is_late() -> None:
    _sql(
        "UPDATE approvals_clockaction SET scheduled_at = scheduled_at - interval '3 hours'"
        " WHERE id = (SELECT min(id::text)::uuid FROM approvals_clockaction WHERE step = 'forward')"
    )


def _a_request_loses_its_clock() -> None:
    _sql(
        "UPDATE approvals_clock SET ended_at = now(), next_action_at = NULL WHERE kind = 'company' AND ended_at IS NULL"
    )


def _a_request_is_gone() -> None:
    _sql("DELETE FROM approvals_travelrequest WHERE id = (SELECT min(id::text)::uuid FROM approvals_travelrequest)")


def _a_state_is_set_by_hand() -> None:
    _sql("UPDATE approvals_travelrequest SET state = 'closed' WHERE state = 'withdrawn'")


def _a_step_is_missed() -> None:
    _sql("UPDATE approvals_clock SET next_action_at = started_at WHERE kind = 'return' AND ended_at IS NULL")


def _a_clock_fails() -> None:
    _sql("UPDATE approvals_clock SET failures = 1, last_error = 'no' WHERE kind = 'return' AND ended_at IS NULL")


def _a_clock_stays_open() -> None:
    _sql(
        "UPDATE approvals_clock SET ended_at = NULL WHERE kind = 'return' AND request_id IN"
        " (SELECT id FROM approvals_travelrequest WHERE state IN ('closed', 'withdrawn'))"
    )


def _a_date_is_another() -> None:
    _sql("UPDATE approvals_clock SET due_at = due_at + interval '1 day' WHERE kind = 'return' AND ended_at IS NULL")


def _a_request_shows_another_date() -> None:
    _sql("UPDATE approvals_travelrequest SET due_at = now() WHERE state = 'approved'")


def _one_person_denies() -> None:
    _sql("ALTER TABLE approvals_decision DROP CONSTRAINT approvals_decision_by_people")
    _sql("ALTER TABLE approvals_decision DROP CONSTRAINT approvals_decision_by_two_people")
    _sql("UPDATE approvals_decision SET confirmed_by_id = by_id WHERE outcome = 'denied'")


def _a_denial_is_early() -> None:
    _sql("UPDATE approvals_proposal SET reply_until = reply_until + interval '90 days' WHERE outcome = 'denied'")
    _sql("DELETE FROM approvals_reply")


def _a_clock_denies() -> None:
    _sql("UPDATE audit_entry SET actor_role = %s WHERE verb = 'confirm' AND data->>'to' = 'denied'", Role.SYSTEM.value)


def _silence_is_not_written() -> None:
    _sql("DELETE FROM approvals_companyreview WHERE outcome = 'silent'")


def _an_event_is_not_told() -> None:
    _sql(
        "UPDATE notifications_outboxevent SET done_at = NULL"
        " WHERE id = (SELECT min(id::text)::uuid FROM notifications_outboxevent)"
    )


def _a_notification_comes_twice() -> None:
    _sql("ALTER TABLE notifications_notification DROP CONSTRAINT notifications_once_per_person_and_channel")
    _sql(
        "INSERT INTO notifications_notification SELECT (json_populate_record(n, json_build_object('id',"
        " gen_random_uuid()))).* FROM notifications_notification n ORDER BY n.id LIMIT 1"
    )


def _two_trips_overlap() -> None:
    _sql("ALTER TABLE approvals_travelrequest DROP CONSTRAINT approvals_request_trips_do_not_overlap")
    _sql(
        "UPDATE approvals_travelrequest SET applicant_id = (SELECT min(applicant_id) FROM approvals_travelrequest),"
        " departs_on = '2026-05-01', returns_on = '2026-05-03' WHERE state = 'approved'"
    )


BREAKS: dict[str, Callable[[], None]] = {
    "no_request_lost": _a_request_loses_its_clock,
    "states_add_up": _a_request_is_gone,
    "states_are_reached_by_the_table": _a_state_is_set_by_hand,
    "audit_chains_verify": _an_audit_entry_is_gone,
    "actions_happen_once": _an_action_is_doubled,
    "actions_are_in_time": _an_action_is_early,
    "nothing_due_is_left": _a_step_is_missed,
    "no_clock_failed": _a_clock_fails,
    "final_states_have_no_clock": _a_clock_stays_open,
    "due_dates_are_the_arithmetic": _a_date_is_another,
    "requests_show_their_clocks_date": _a_request_shows_another_date,
    "denials_have_two_people_and_a_reason": _one_person_denies,
    "denials_were_heard": _a_denial_is_early,
    "clocks_deny_nothing": _a_clock_denies,
    "silent_companies_are_forwarded": _silence_is_not_written,
    "everything_is_told": _an_event_is_not_told,
    "notifications_come_once": _a_notification_comes_twice,
    "trips_do_not_overlap": _two_trips_overlap,
}


@pytest.fixture
def as_owner(lived: Lived) -> Iterator[datetime]:
    """Both aliases are the owner's connection, in a transaction that is undone: what was broken is whole afterwards."""
    kept = connections["default"]
    connections["default"] = connections["owner"]
    try:
        with transaction.atomic():
            with connections["owner"].cursor() as cursor:  # no trigger minds
                for name in connections["owner"].introspection.table_names(cursor):
                    cursor.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
            yield lived.ended_at
            transaction.set_rollback(True)
    finally:
        connections["default"] = kept


def test_every_invariant_can_fail() -> None:
    assert {invariant.__name__ for invariant in INVARIANTS} == set(BREAKS)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: str(invariant.__name__))
def test_what_is_broken_is_seen(as_owner: datetime, invariant: Callable[[datetime], Iterator[str]]) -> None:
    assert list(invariant(as_owner)) == []
    BREAKS[invariant.__name__]()
    assert list(invariant(as_owner)) != []


def test_a_late_step_is_seen(as_owner: datetime) -> None:
    _an_action_is_late()
    assert "actions_are_in_time" in broken(as_owner)


# ── people and plans ────────────────────────────────────────────────────────────────────────────────────────────────


def test_more_reviewers_meet_the_same_requests() -> None:
    more = PLAN.with_more_reviewers(2)
    assert more.reviewers == PLAN.reviewers + 2
    assert more.arrivals() == PLAN.arrivals()
    assert more.random("case 7").random() == PLAN.random("case 7").random()


def test_people_are_away_for_their_share_and_work_in_office_hours() -> None:
    days = [PLAN.first_day + number * DAY for number in range(4000)]
    there = present(days, 0.2, PLAN.random("somebody"))
    assert 0.75 < len(there) / len(days) < 0.85
    assert present(days, 0, PLAN.random("somebody")) == days
    worker = Worker(None, days[2:4])  # type: ignore[arg-type]
    opens = datetime(2026, 1, 3, 9, tzinfo=ZONE)
    assert worker.ready(PLAN.begins) == opens
    assert worker.after(PLAN.begins, 30) == opens + timedelta(minutes=30)
    assert worker.after(opens, MINUTES_A_DAY + 10) == opens + DAY + timedelta(minutes=10)
    assert worker.ready(opens + 2 * DAY).year == 2100


@pytest.mark.parametrize("wrong", [{"days": 0}, {"requests": 0}, {"reviewers": 0}, {"seniors": 1}, {"absence": 0.9}])
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has to be|share"):
        Plan(**wrong)


@pytest.mark.parametrize("wrong", [{"days": 0}, {"requests": 0}, {"reviewers": -99}])
def test_the_command_says_what_is_wrong_in_a_sentence(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("simulate", **wrong)
