"""What clocks do when their moment has come: once, however often and by however many they are swept."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from time import sleep
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Min
from django.test.utils import CaptureQueriesContext

from accounts.refusals import Invalid, NotNow
from accounts.roles import Role
from approvals import journal, queries, sweeping, timekeeping, workflow
from approvals.models import Clock, ClockAction, CompanyReview, Decision, Escalation, TravelRequest
from approvals.models.decision import Outcome
from approvals.states import State
from approvals.sweeping import SweepResult
from audit.models import Entry
from audit.verification import verify
from authorities import policies
from authorities.terms import RULE_BOOK, ClockKind
from notifications import delivery
from notifications.models import Channel, Notification, OutboxEvent
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import NOW, CompanyFactory, OfficeFactory, actor, employ, in_state, posted, submitted
from tests.factories.requests import Cast
from tests.threads import Crowd

ZONE = NOW.tzinfo
LATER = timedelta(minutes=1)


def at(day: int, hour: int = 0, minute: int = 0, month: int = 3) -> datetime:
    """A moment of 2026 in Beijing. 3 March, the day of the factories, is a Tuesday."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


def verbs_of(request: TravelRequest, *, since: int = 0) -> list[tuple[str, str]]:
    """What clocks did to `request`: (verb, step)."""
    entries = Entry.objects.filter(chain=request.pk, actor_role="system", sequence__gt=since).order_by("sequence")
    return [(entry.verb, entry.data["step"]) for entry in entries]


def state_of(request: TravelRequest) -> str:
    return TravelRequest.unscoped.get(pk=request.pk).state


def run_clocks(start: datetime, until: datetime) -> None:
    """Sweep at every moment from `start` to `until` at which something is due, as beat does within a minute."""
    now = start
    while True:
        due = Clock.objects.filter(ended_at=None, next_action_at__lte=until).aggregate(first=Min("next_action_at"))
        if due["first"] is None:
            return
        now = max(now, due["first"])
        assert sweeping.sweep(at=now).taken


def told(cast: Cast, person: Any, moment: datetime) -> list[str]:
    """The subjects of what `person` finds under the bell, oldest first."""
    delivery.deliver(at=moment)
    mine = Notification.objects.filter(recipient=person, channel=Channel.BELL, event__subject=cast.request.pk)
    return [one.subject for one in mine.order_by("event__at", "id")]


# ── each clock of the table ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_silence_of_the_company_forwards() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    assert cast.request.due_at == at(7)  # three working days: the end of Friday
    run_clocks(at(3, 12), at(6, 23))
    assert verbs_of(cast.request) == [("remind", "remind"), ("remind", "remind")]
    with nothing_moved():
        assert sweeping.sweep(at=at(7) - timedelta(microseconds=1)) == SweepResult(taken=0, failed=0)
    assert sweeping.sweep(at=at(7)) == SweepResult(taken=1, failed=0)
    assert state_of(cast.request) == State.AUTHORITY_REVIEW
    review = CompanyReview.objects.get(request=cast.request)
    assert (review.outcome, review.by_id, review.at) == ("silent", None, at(7))


@pytest.mark.django_db
def test_an_overdue_decision_climbs_until_it_is_deemed_given() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.HEAD, "0001", "Hua Head")
    before = cast.request.chain_length
    assert cast.request.due_at == at(7)  # tier fast: three working days, too
    run_clocks(at(3, 14), at(20))
    assert verbs_of(cast.request, since=before) == [
        ("remind", "remind"),
        ("remind", "remind"),
        ("escalate", "escalate"),
        ("escalate", "escalate_to_head"),
        ("deem_approved", "deem_approved"),
    ]
    steps = ClockAction.objects.filter(clock__request=cast.request).order_by("at").values_list("step", "scheduled_at")
    assert list(steps)[2:] == [
        ("escalate", at(7)),
        ("escalate_to_head", at(11)),
        ("deem_approved", at(14)),
    ]
    assert list(Escalation.objects.filter(request=cast.request).values_list("step", flat=True)) == [
        "escalate",
        "escalate_to_head",
    ]
    decision = Decision.objects.get(request=cast.request)
    assert (decision.outcome, decision.deemed, decision.by_id) == (Outcome.APPROVED, True, None)
    assert state_of(cast.request) == State.APPROVED


@pytest.mark.django_db
def test_what_takes_two_people_is_never_deemed_given_but_reported_each_working_day() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    TravelRequest.unscoped.filter(pk=cast.request.pk).update(tier="heightened")
    when = cast.request.state_since + LATER
    call("extend", cast.request.pk, actor(cast.senior, when), when, working_days=1)  # the clock learns of the tier
    run_clocks(when, at(30, month=4))
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert request.due_at == at(2, month=4)  # 20 working days and one
    reports = list(
        ClockAction.objects.filter(clock__request=request, step="report_overdue")
        .order_by("at")
        .values_list("at", flat=True)
    )
    # Five working days after 1 April, without the festival on the 6th; then every working day at nine.
    assert reports[:3] == [at(10, 9, month=4), at(13, 9, month=4), at(14, 9, month=4)]
    assert len(reports) == len({report.date() for report in reports}) == 14
    assert request.state == State.AUTHORITY_REVIEW


@pytest.mark.django_db
def test_an_office_can_have_another_policy() -> None:
    """Where the policy does not deem, a fast request is reported, too."""
    office = OfficeFactory.create(code="QD", name_en="Office with its own policy")
    fast = (ClockKind.DECISION.value, "fast")
    lines = dict(RULE_BOOK) | {fast: RULE_BOOK[fast].__class__(3, last_after=5, extension=2)}
    policy = policies.draft(office.pk, effective_from=at(1, month=1), lines=lines)
    policies.publish(policy.pk, at=at(1, month=2))
    company = CompanyFactory.create(name_en="Qingdao Intelligence", office=office)
    cast = in_state(State.AUTHORITY_REVIEW, employee=employ("Qi Qing", company))
    when = cast.request.state_since + LATER
    with pytest.raises(Invalid, match="Extend by 1 to 2 working days"):
        call("extend", cast.request.pk, actor(cast.senior, when), when, working_days=3)
    run_clocks(when, at(20))
    assert state_of(cast.request) == State.AUTHORITY_REVIEW
    assert ("escalate", "report_overdue") in verbs_of(cast.request)


@pytest.mark.django_db
def test_nothing_is_deemed_while_an_outcome_is_proposed() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    run_clocks(cast.request.state_since, at(31))
    assert state_of(cast.request) == State.DECISION_PROPOSED
    assert "deem_approved" not in dict(verbs_of(cast.request))


LAPSES = {
    State.DRAFT: (at(2, month=6), 1),  # 90 days of the calendar, one reminder
    State.RETURNED: (at(18), 2),  # 10 working days, two
    State.INFORMATION_REQUESTED: (at(18), 2),
}


@pytest.mark.django_db
@pytest.mark.parametrize("state", LAPSES)
def test_who_does_not_react_is_reminded_first_and_can_come_back(state: State) -> None:
    cast = in_state(state)
    over, reminders = LAPSES[state]
    assert cast.request.due_at == over
    run_clocks(cast.request.state_since, over - timedelta(hours=1))
    assert verbs_of(cast.request).count(("remind", "remind")) == reminders
    assert state_of(cast.request) == state
    sweeping.sweep(at=over)
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert (request.state, request.lapsed_from) == (State.LAPSED, state)
    call("reopen", request.pk, actor(cast.applicant.user, over), over)
    assert state_of(request) == state


@pytest.mark.django_db
def test_a_cleared_trip_closes_after_the_return() -> None:
    cast = in_state(State.APPROVED)
    assert sweeping.sweep(at=at(29, month=4) - timedelta(seconds=1)).taken == 0
    assert sweeping.sweep(at=at(29, month=4)).taken == 1
    assert state_of(cast.request) == State.CLOSED


@pytest.mark.django_db
def test_an_appeal_under_review_reminds_and_escalates() -> None:
    cast = in_state(State.DENIED)
    ping = posted(OfficeFactory.create(code="PD", name_en="Pudong"), Role.APPEAL_REVIEWER, "0099", "Ping")
    when = cast.request.state_since + LATER
    call("file_appeal", cast.request.pk, actor(cast.applicant.user, when), when)
    call("hear_appeal", cast.request.pk, actor(ping, when), when)
    before = TravelRequest.unscoped.get(pk=cast.request.pk).chain_length
    run_clocks(when, at(30, month=4))
    assert verbs_of(cast.request, since=before) == [
        ("remind", "remind"),
        ("remind", "remind"),
        ("escalate", "escalate"),
        ("escalate", "escalate_to_head"),
    ]
    assert state_of(cast.request) == State.DENIED


@pytest.mark.django_db
def test_the_departure_warns_whose_turn_it_is_and_the_applicant_once() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    before = Clock.objects.get(request=cast.request, kind="departure")
    assert (before.next_step, before.next_action_at) == ("warn", at(17, 9, month=4))


@pytest.mark.django_db
def test_the_window_to_reply_closes_by_itself_and_confirmation_becomes_possible() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    until = cast.request.reply_until
    assert until == at(11)
    sweeping.sweep(at=until)
    assert ("remind", "open_confirmation") in verbs_of(cast.request)
    assert call("confirm", cast.request.pk, actor(cast.senior, until), until).state == State.DENIED


# ── once ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_sweeping_again_does_nothing() -> None:
    in_state(State.COMPANY_REVIEW)
    assert sweeping.sweep(at=at(7)).taken == 1
    with nothing_moved():
        assert sweeping.sweep(at=at(7)) == SweepResult(taken=0, failed=0)


@pytest.mark.django_db
def test_after_a_week_without_sweeps_people_are_told_once() -> None:
    """Two reminders and the forwarding were missed: what is told is that it was forwarded."""
    cast = in_state(State.COMPANY_REVIEW)
    assert sweeping.sweep(at=at(6, 23)).taken == 1  # two reminders were due: one is enough
    assert verbs_of(cast.request) == [("remind", "remind")]
    other = in_state(State.COMPANY_REVIEW, employee=employ("Bo Li", cast.request.company))
    back = at(12, 10)
    sweeping.sweep(at=back)
    assert verbs_of(other.request) == [("forward", "forward")]
    assert CompanyReview.objects.get(request=other.request).at == back
    subjects = told(other, other.officer, back)
    assert sum("went to the office without your review" in one for one in subjects) == 1
    assert not any("please act" in one for one in subjects)


@pytest.mark.django_db
def test_after_a_long_outage_the_gravest_step_is_taken_and_the_milder_ones_with_it() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    sweeping.sweep(at=at(13, 10))  # reminders, the senior and the head of office were due meanwhile
    assert verbs_of(cast.request) == [("escalate", "escalate_to_head")]
    sweeping.sweep(at=at(20))
    assert verbs_of(cast.request)[-1] == ("deem_approved", "deem_approved")


def due_requests(count: int) -> list[TravelRequest]:
    company = CompanyFactory.create()
    return [submitted(employ(f"Person {letter}", company)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:count]]


@pytest.mark.usefixtures("committed")
def test_eight_sweepers_at_once_take_each_step_once() -> None:
    requests = due_requests(12)
    before = Entry.objects.count()
    with Crowd(8) as crowd:
        results = crowd.at_once([lambda: sweeping.sweep(at=at(7), batch=5)] * 8)
    assert all(isinstance(result, SweepResult) for result in results), results
    # Whoever finds everything taken by others leaves it to them; what is left after that is found by the next sweep.
    last = sweeping.sweep(at=at(7))
    assert sum(result.taken for result in results) + last.taken == len(requests)
    assert not any(result.failed for result in [*results, last])
    assert Entry.objects.count() == before + len(requests)
    assert ClockAction.objects.count() == CompanyReview.objects.count() == len(requests)
    assert set(TravelRequest.unscoped.values_list("state", flat=True)) == {State.AUTHORITY_REVIEW}


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_takes_as_many_statements_as_one(count: int) -> None:
    requests = due_requests(count)
    with transaction.atomic():
        found = queries.claim_due(at=at(7), limit=500)
    assert {row.pk for _request, row in found} == {one.clocks.get(kind="company").pk for one in requests}
    with CaptureQueriesContext(connection) as taken:
        assert sweeping.sweep(at=at(7)) == SweepResult(taken=count, failed=0)
    # Claim, requests, clocks, offices, one write; and a claim that finds nothing. Each batch in its own savepoint.
    assert len([one for one in taken if "SAVEPOINT" not in one["sql"]]) == 6


@pytest.mark.django_db
def test_looking_for_what_is_due_uses_the_partial_index_and_one_query() -> None:
    due_requests(1)
    with CaptureQueriesContext(connection) as looked:
        assert sweeping.sweep(at=NOW) == SweepResult(taken=0, failed=0)
    [claim] = [one["sql"] for one in looked if "SAVEPOINT" not in one["sql"]]
    with connection.cursor() as cursor:
        # A table as small as this one would be read as a whole.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {claim}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "approvals_clock_due" in plan


# ── a clock that fails ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def broken() -> Iterator[tuple[TravelRequest, TravelRequest]]:
    """Two requests that are due; the clock of the first points at a policy that is none."""
    first, second = due_requests(2)
    policy = policies.draft(None, effective_from=at(1, month=12))
    Clock.objects.filter(request=first, kind="company").update(policy_version=policy.pk)
    policies.forget()
    yield first, second
    policies.forget()


@pytest.mark.django_db
def test_a_clock_that_fails_fails_alone_and_is_seen(broken: tuple[TravelRequest, TravelRequest]) -> None:
    first, second = broken
    assert sweeping.sweep(at=at(7)) == SweepResult(taken=1, failed=1)
    assert (state_of(first), state_of(second)) == (State.COMPANY_REVIEW, State.AUTHORITY_REVIEW)
    clock = Clock.objects.get(request=first, kind="company")
    assert clock.failures == 1
    assert clock.retry_at == at(7, 0, 1)
    assert clock.last_error.startswith("DoesNotExist: ClockPolicy matching query does not exist")
    assert not ClockAction.objects.filter(clock=clock).exists()


@pytest.mark.django_db
def test_it_is_tried_again_at_growing_distances_and_starts_anew_when_it_succeeds(
    broken: tuple[TravelRequest, TravelRequest],
) -> None:
    first, _second = broken
    sound = Clock.objects.exclude(request=first).earliest("started_at").policy_version
    now, waits = at(7), []
    for _attempt in range(7):
        assert sweeping.sweep(at=now).failed == 1
        assert sweeping.sweep(at=now + timedelta(seconds=59)) == SweepResult(taken=0, failed=0)
        clock = Clock.objects.get(request=first, kind="company")
        assert clock.retry_at
        waits.append(int((clock.retry_at - now).total_seconds() // 60))
        now = clock.retry_at
    assert waits == [1, 5, 30, 120, 360, 360, 360]
    Clock.objects.filter(pk=clock.pk).update(policy_version=sound)
    assert sweeping.sweep(at=now) == SweepResult(taken=1, failed=0)
    clock.refresh_from_db()
    assert (clock.failures, clock.retry_at, clock.last_error) == (0, None, "")
    assert state_of(first) == State.AUTHORITY_REVIEW


@pytest.mark.usefixtures("committed")
def test_a_request_that_somebody_is_at_is_left_for_the_next_sweep() -> None:
    [request] = due_requests(1)
    clock_id = request.clocks.get(kind="company").pk
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM approvals_travelrequest WHERE id = %s FOR NO KEY UPDATE", [request.pk])
            assert sweeping.act_on_clock(clock_id, at=at(7)) is False
            assert sweeping.sweep(at=at(7)) == SweepResult(taken=0, failed=0)
            cursor.execute("ROLLBACK")
        assert sweeping.sweep(at=at(7)) == SweepResult(taken=1, failed=0)
    finally:
        other.close()


@pytest.mark.django_db
def test_a_step_is_taken_once_says_the_database_too() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    sweeping.sweep(at=at(6, 12))
    done = ClockAction.objects.get(clock__request=cast.request)
    with pytest.raises(IntegrityError, match="approvals_clock_action_once"), transaction.atomic():
        ClockAction.objects.create(clock=done.clock, step=done.step, scheduled_at=done.scheduled_at, at=at(7))


# ── what a clock says ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_the_office_gets_back_what_it_had_left_when_the_applicant_answers() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    clock = Clock.objects.get(request=cast.request, kind="decision")
    assert (clock.due_at, clock.next_action_at) == (None, None)
    answered = at(16, 10)
    request = call("answer", cast.request.pk, actor(cast.applicant.user, answered), answered)
    assert request.due_at == at(19)  # asked on the day of the event: three working days are left
    assert Clock.objects.get(pk=clock.pk).intervals[-1][1] is None


@pytest.mark.django_db
def test_the_arithmetic_can_be_read() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    row = Clock.objects.get(request=cast.request, kind="company")
    reading = timekeeping.reading(cast.request, row, at=at(5, 12))
    assert (reading.days, reading.used, reading.remaining) == (3, 2, 1)
    assert [line.kind for line in timekeeping.explain(cast.request, row, at=at(5, 12))][0] == "event"
    with pytest.raises(LookupError):
        timekeeping.step_due(cast.request, row, at=NOW)


@pytest.mark.django_db
def test_no_clock_outlives_its_state() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    call("withdraw", cast.request.pk, actor(cast.applicant.user, at(4)), at(4))
    assert not Clock.objects.filter(request=cast.request, ended_at=None).exists()
    assert sweeping.sweep(at=at(30, month=6)) == SweepResult(taken=0, failed=0)
    with pytest.raises(NotNow):
        workflow.forward(cast.request.pk, at=at(30, month=6))
    assert OutboxEvent.objects.filter(subject=cast.request.pk).latest("at").event == "request.withdraw"


# ── who is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_reminders_go_to_those_whose_time_it_is() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    run_clocks(NOW, at(6, 23))
    assert [one for one in told(cast, cast.officer, at(6, 23)) if "please act by 6 March 2026" in one]
    assert not [one for one in told(cast, cast.applicant.user, at(6, 23)) if "please act" in one]


@pytest.mark.django_db
def test_lateness_goes_to_a_senior_then_to_the_head_of_office() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    head = posted(cast.request.office, Role.HEAD, "0001", "Hua Head")
    run_clocks(NOW, at(7))
    late = f"{cast.request.reference} is late: was due by 6 March 2026"
    assert told(cast, cast.senior, at(7))[-1] == late
    assert told(cast, head, at(7)) == []
    run_clocks(at(7), at(11))
    assert told(cast, head, at(11)) == [late]


@pytest.mark.django_db
def test_when_a_window_has_closed_nobody_is_asked_to_act_in_it() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    until = cast.request.reply_until
    assert until
    run_clocks(until, until)
    assert told(cast, cast.senior, until)[-1] == f"{cast.request.reference}: the time to reply is over"
    assert not [one for one in told(cast, cast.applicant.user, until) if "please act by" in one]


@pytest.mark.django_db
def test_the_office_hears_of_an_urgent_request_and_the_company_is_not_asked_to_review_it() -> None:
    cast = in_state(State.DRAFT, purpose="urgent_humanitarian")
    request = call("submit", cast.request.pk, actor(cast.applicant.user, NOW), NOW)
    assert (request.state, request.urgent) == (State.AUTHORITY_REVIEW, True)
    assert request.due_at == at(5)  # every clock has one working day
    assert told(cast, cast.reviewer, NOW) == [f"{request.reference}: urgent humanitarian request"]
    assert told(cast, cast.officer, NOW) == []


# ── batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_batch_that_the_database_refuses_is_taken_one_by_one() -> None:
    """The unique row of one of them is there already: it fails alone, and is seen."""
    requests = due_requests(3)
    clock = requests[1].clocks.get(kind="company")
    ClockAction.objects.create(clock=clock, step="forward", scheduled_at=at(7), at=at(7))
    assert sweeping.sweep(at=at(7)) == SweepResult(taken=2, failed=1)
    assert [state_of(one) for one in requests] == [State.AUTHORITY_REVIEW, State.COMPANY_REVIEW, State.AUTHORITY_REVIEW]
    clock.refresh_from_db()
    assert (clock.failures, clock.retry_at) == (1, at(7, 0, 1))
    assert "approvals_clock_action_once" in clock.last_error
    assert CompanyReview.objects.filter(request=requests[1]).count() == 0
    assert verify().first_break is None


@pytest.mark.django_db
def test_what_is_due_longest_is_taken_first() -> None:
    early, late = due_requests(2)
    clocks = {one.pk: one.clocks.get(kind="company").pk for one in (early, late)}
    Clock.objects.filter(pk=clocks[late.pk]).update(next_action_at=at(4))
    sweeping.sweep(at=at(7), batch=1)
    order = ClockAction.objects.filter(step="forward").order_by("id").values_list("clock_id", flat=True)
    assert list(order) == [clocks[late.pk], clocks[early.pk]]


@pytest.mark.django_db
def test_two_clocks_of_one_request_are_taken_one_after_the_other() -> None:
    """The first one ends the second: what was due by then is not due any more."""
    cast = in_state(State.COMPANY_REVIEW)
    kinds = Clock.objects.filter(request=cast.request, ended_at=None)
    assert set(kinds.values_list("kind", flat=True)) == {"company", "departure"}
    sweeping.sweep(at=at(20, month=4))
    assert verbs_of(cast.request)[:2] == [("forward", "forward"), ("remind", "warn")]
    assert verify().first_break is None


@pytest.mark.django_db
def test_a_long_list_calls_for_help_once() -> None:
    due_requests(5)
    called: list[int] = []
    assert sweeping.sweep(at=at(7), batch=2, call_help=lambda: called.append(1)).taken == 5
    assert called == [1]
    sweeping.sweep(at=at(7), batch=2, call_help=lambda: called.append(2))
    assert called == [1]


@pytest.mark.usefixtures("committed")
def test_when_the_database_goes_away_no_clock_is_blamed() -> None:
    [request] = due_requests(1)
    clock = request.clocks.get(kind="company")

    def gone(steps: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with patch.object(journal, "write_many", gone), pytest.raises(DatabaseError):
        sweeping.sweep(at=at(7))
    connection.close()
    clock.refresh_from_db()
    assert (clock.failures, clock.retry_at) == (0, None)
    for _moment in range(100):  # until the server has let go of the lock
        if sweeping.sweep(at=at(7)).taken:
            break
        sleep(0.05)
    assert state_of(request) == State.AUTHORITY_REVIEW


@pytest.mark.django_db
def test_what_is_written_for_many_is_what_is_written_for_one() -> None:
    """Row for row, but for keys: the sweep's one statement, and the one of a single step."""
    first, second = due_requests(2)
    sweeping.sweep(at=at(7), batch=1)
    third = submitted(employ("Person Z", first.company))
    assert sweeping.act_on_clock(third.clocks.get(kind="company").pk, at=at(7))

    def rows(request: TravelRequest) -> list[Any]:
        left_out = {"id", "request", "clock", "chain", "subject", "previous", "hash", "chain_head", "reference"}
        left_out |= {"applicant", "departs_on", "returns_on", "revision", "assessment", "created_at", "saved_at"}
        found: list[Any] = [TravelRequest.unscoped.get(pk=request.pk), *request.clocks.order_by("kind", "started_at")]
        found += ClockAction.objects.filter(clock__request=request).order_by("step")
        found += CompanyReview.objects.filter(request=request)
        found += Entry.objects.filter(chain=request.pk, verb="forward")
        found += OutboxEvent.objects.filter(subject=request.pk, event="request.forward")
        return [{k: v for k, v in model_to_dict_of_all(row).items() if k not in left_out} for row in found]

    assert rows(second) == rows(third)


def model_to_dict_of_all(row: Any) -> dict[str, Any]:
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields}
