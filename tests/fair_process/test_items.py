"""Fair process 12, 13 and 21: asked for once, the clock that stops for it, and conditions that can be met and left."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.refusals import Invalid, NotNow
from approvals import queries, sweeping, timekeeping, workflow
from approvals.clocks import RULES
from approvals.models import Clock, Condition, ConditionStep, InformationAnswer, InformationRequest, TravelRequest
from approvals.models.conditions import ConditionState
from approvals.states import State
from approvals.workflow import Answer, Obligation
from authorities.terms import ClockKind
from notifications.models import OutboxEvent
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, in_state
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

ZONE = NOW.tzinfo
MISSING = ["Who pays?", "Which laptop?", "Whom do you meet?"]
LATER = NOW + timedelta(days=1)


def on(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def do(cast: Cast, verb: str, user: Any, at: datetime, **values: Any) -> TravelRequest:
    done: TravelRequest = getattr(workflow, verb)(cast.request.pk, actor=actor(user, at), at=at, **values)
    return done


def now(cast: Cast) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=cast.request.pk)


# ── 12 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_12_everything_that_is_missing_is_asked_in_one_list_and_answered_at_once() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    do(cast, "ask_information", cast.reviewer, LATER, items=MISSING, reason="To see who the host is.")
    assert [item.question for item in InformationRequest.objects.get().questions] == MISSING
    with nothing_moved(), pytest.raises(Invalid), transaction.atomic():
        do(cast, "answer", cast.applicant.user, LATER, answers=["My company.", "None."])
    do(cast, "answer", cast.applicant.user, LATER, answers=["My company.", "None.", Answer(cannot="Not known yet.")])
    assert len(InformationAnswer.objects.get().given) == 3


def test_12_a_second_list_needs_a_senior() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    do(cast, "ask_information", cast.reviewer, LATER, items=MISSING, reason="To see who the host is.")
    do(cast, "answer", cast.applicant.user, LATER, answers=["I."] * 3)
    with nothing_moved(), pytest.raises(NotNow, match="a senior reviewer must agree"), transaction.atomic():
        do(cast, "ask_information", cast.reviewer, LATER, items=["One more?"], reason="To know.")
    do(cast, "agree_information", cast.senior, LATER)
    do(cast, "ask_information", cast.reviewer, LATER, items=["One more?"], reason="To know.")
    assert now(cast).information_rounds == 2


# ── 13 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def used(cast: Cast, at: datetime) -> int:
    request = queries.visible_to(actor(cast.reviewer, at)).get(pk=cast.request.pk).as_of(at)
    return timekeeping.reading(request, request.running_clocks[ClockKind.DECISION], at=at).used


def test_13_the_clock_of_the_office_stops_for_a_question_and_starts_the_moment_it_is_answered() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    asked, answered = on(date(2026, 3, 4)), on(date(2026, 3, 10), 15)
    do(cast, "ask_information", cast.reviewer, asked, items=MISSING, reason="To know.", working_days=15)
    clock = Clock.objects.get(request=cast.request, kind=ClockKind.DECISION, ended_at=None)
    assert (clock.due_at, clock.next_action_at) == (None, None)
    assert used(cast, asked) == used(cast, on(date(2026, 3, 9)))
    do(cast, "answer", cast.applicant.user, answered, answers=["I."] * 3)
    clock = Clock.objects.get(request=cast.request, kind=ClockKind.DECISION, ended_at=None)
    assert [datetime.fromisoformat(clock.intervals[-1][0]), clock.intervals[-1][1]] == [answered, None]
    assert clock.due_at is not None


def test_13_nothing_else_stops_it() -> None:
    """Only what the office asked stops it; what lapsed has what it had left when it is reopened."""
    assert RULES[ClockKind.DECISION].stopped_in == {State.INFORMATION_REQUESTED, State.LAPSED}
    into = {
        verb
        for verb, rows in workflow.transitions().items()
        for source, row in rows.items()
        if State.INFORMATION_REQUESTED in row.targets and source != State.INFORMATION_REQUESTED
    }
    assert into == {"ask_information", "reopen"}


# ── 21 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cleared(**values: Any) -> tuple[Cast, Condition]:
    cast = in_state(State.AUTHORITY_REVIEW)
    one = Obligation(text="Send the slides to the company.", **values)
    do(cast, "approve", cast.reviewer, LATER, conditions=[one])
    return cast, Condition.objects.get()


def test_21_a_condition_has_an_owner_and_a_due_date() -> None:
    cast, condition = cleared(owner="company", due="departure")
    assert (condition.owner, condition.due_on) == ("company", date(2026, 4, 21))
    clock = Clock.objects.get(subject=condition.pk)
    assert clock.due_at == on(date(2026, 4, 22), 0)


def test_21_a_condition_without_words_is_none_and_one_without_a_day_is_refused() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    with nothing_moved(), pytest.raises(Invalid), transaction.atomic():
        do(cast, "approve", cast.reviewer, LATER, conditions=[Obligation(text="Report.", due="day")])
    do(cast, "approve", cast.reviewer, LATER, conditions=[Obligation(text=" ", due="day")])
    assert not Condition.objects.exists()


def test_21_it_is_proved_done_and_released() -> None:
    cast, condition = cleared()
    do(cast, "report_condition", cast.applicant.user, LATER, condition=condition.pk, text="Sent yesterday.")
    assert now(cast).conditions_now[0].state == ConditionState.REPORTED
    do(cast, "release_condition", cast.reviewer, LATER, condition=condition.pk)
    assert now(cast).open_conditions == 0
    assert now(cast).state == State.APPROVED


def test_21_who_cannot_comply_says_so_and_is_owed_an_answer() -> None:
    cast, condition = cleared()
    do(cast, "cannot_comply", cast.applicant.user, LATER, condition=condition.pk, text="The host keeps them.")
    clock = Clock.objects.get(subject=condition.pk, kind=ClockKind.CONDITION_ANSWER)
    sweeping.sweep(at=clock.due_at + timedelta(hours=1) if clock.due_at else LATER)
    assert OutboxEvent.objects.filter(event="request.escalate").exists()
    at = LATER + timedelta(days=8)
    do(cast, "answer_condition", cast.senior, at, condition=condition.pk, outcome="released", text="Then without.")
    assert now(cast).open_conditions == 0


def test_21_an_overdue_condition_takes_nothing_back() -> None:
    """Whatever the clocks do to it, for months: reminders and messages, and the clearance stays."""
    cast, condition = cleared(due="day", due_on=date(2026, 3, 20))
    day = date(2026, 3, 10)
    while day < date(2026, 4, 22):
        sweeping.sweep(at=on(day, 9))
        assert now(cast).state == State.APPROVED
        day += timedelta(days=1)
    assert now(cast).conditions_now[0].state == ConditionState.OPEN


def test_21_the_database_keeps_one_clock_for_each_condition() -> None:
    _cast, condition = cleared()
    with pytest.raises(Exception, match="approvals_clock_one_open_of_a_kind"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO approvals_clock SELECT (jsonb_populate_record(c, jsonb_build_object('id', %s::text))).*"
                " FROM approvals_clock c WHERE subject = %s",
                ["01a20a19-d15c-730e-9f69-bb8d648c92ef", condition.pk],
            )
    assert not ConditionStep.objects.exists()
