"""Nobody who is away is waited for: notices go to deputies and upwards, cases back to the queue, within their scope."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from accounts.refusals import Invalid, NotNow
from accounts.roles import Role
from approvals import notices, returning, workflow
from approvals.clocks import Step
from approvals.models import Assignment, TravelRequest
from approvals.states import State
from audit.models import Entry
from authorities.models import Absence, Office, Posting
from notifications.models import OutboxEvent
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, in_state, posted, with_role
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEKS = timedelta(days=14)


def away(user: User | None, office: Office, *, days: int = 14, role: str = "", deputy: User | None = None) -> Absence:
    assert user is not None
    return Absence.objects.create(
        user=user, office=office, role=role, deputy=deputy, starts_at=NOW - DAY, ends_at=NOW + (days - 1) * DAY
    )


def late(cast: Cast, *, step: Step = Step.ESCALATE) -> OutboxEvent:
    """The lateness of the case, as the clock escalates it."""
    data = {"clock": "decision", "step": step.value, "state": "authority_review"}
    return OutboxEvent(event="request.escalate", subject=cast.request.pk, at=NOW + timedelta(hours=1), data=data)


def told(event: OutboxEvent, recipients: Any = notices.escalated_to) -> set[int]:
    return set(recipients(event))


def fresh(cast: Cast) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=cast.request.pk)


# ── who is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lateness_reaches_the_seniors_then_a_deputy_then_the_head_then_administrators() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office, ada, event = cast.request.office, with_role(Role.ADMINISTRATOR), late(cast)

    assert told(event) == {cast.senior.pk, cast.second_senior.pk}
    absence = away(cast.senior, office)
    assert told(event) == {cast.second_senior.pk}
    Posting.objects.filter(user=cast.second_senior).update(ends_at=NOW - DAY)
    assert told(event) == set()
    assert told(event, notices.administrators_if_nobody) == {ada.pk}
    head = posted(office, Role.HEAD, "9001", "Hua Head")
    assert told(event) == {head.pk}
    assert told(event, notices.administrators_if_nobody) == set()
    deputy = posted(office, Role.SENIOR, "9002", "Dong Deputy")
    assert told(event) == {deputy.pk}
    Posting.objects.filter(user=deputy).update(ends_at=NOW - DAY)
    absence.deputy = deputy
    absence.save()
    assert told(event) == {head.pk}, "who is no senior of the office any more stands in for nobody"
    away(head, office)
    assert told(event, notices.administrators_if_nobody) == {ada.pk}


def test_a_deputy_stands_in_and_the_deputy_of_a_deputy_too() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office, event = cast.request.office, late(cast)
    third = posted(office, Role.SENIOR, "9003")
    Posting.objects.filter(user=third).update(role=Role.HEAD)

    away(cast.senior, office, deputy=cast.second_senior)
    assert told(event) == {cast.second_senior.pk}
    Posting.objects.filter(user=third).update(role=Role.SENIOR)
    away(cast.second_senior, office, deputy=third)
    assert told(event) == {third.pk}
    away(third, office, deputy=cast.senior)
    assert told(event) == set(), "a ring of deputies who are all away tells nobody, and ends"


def test_an_absence_in_one_role_leaves_the_others() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    away(cast.senior, cast.request.office, role=Role.REVIEWER)
    assert told(late(cast)) == {cast.senior.pk, cast.second_senior.pk}


def test_a_senior_stands_in_for_the_head_and_without_a_head_all_of_them_do() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office, event = cast.request.office, late(cast, step=Step.ESCALATE_TO_HEAD)

    assert told(event) == {cast.senior.pk, cast.second_senior.pk}
    head = posted(office, Role.HEAD, "9001")
    assert told(event) == {head.pk}
    away(head, office, deputy=cast.senior)
    assert told(event) == {cast.senior.pk}


def test_a_reminder_of_a_case_whose_reviewer_is_away_reaches_the_deputy_else_the_seniors() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    colleague = posted(cast.request.office, Role.REVIEWER, "4009")
    event = OutboxEvent(event="request.remind", subject=cast.request.pk, at=NOW + timedelta(hours=1), data={})

    assert told(event, notices.reviewers) == {cast.reviewer.pk}
    absence = away(cast.reviewer, cast.request.office, days=3)
    assert told(event, notices.reviewers) == {cast.senior.pk, cast.second_senior.pk}
    absence.deputy = colleague
    absence.save()
    assert told(event, notices.reviewers) == {colleague.pk}
    absence.delete()
    Posting.objects.filter(user=cast.reviewer).update(ends_at=NOW)
    assert told(event, notices.reviewers) == {cast.senior.pk, cast.second_senior.pk}, "who left is told nothing"


# ── back to the queue ───────────────────────────────────────────────────────────────────────────────────────────────


def leaves(cast: Cast) -> None:
    Posting.objects.filter(user=cast.reviewer).update(ends_at=NOW)


def is_away_for_weeks(cast: Cast) -> None:
    away(cast.reviewer, cast.request.office, deputy=posted(cast.request.office, Role.REVIEWER, "4009"))


def loses_the_account(cast: Cast) -> None:
    User.objects.filter(pk=cast.reviewer.pk).update(is_active=False)


@pytest.mark.parametrize(
    ("happens", "why"), [(leaves, "left"), (is_away_for_weeks, "away"), (loses_the_account, "left")]
)
def test_the_case_of_who_is_gone_goes_back_once_and_its_clock_runs_on(happens: Any, why: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at, due = NOW + timedelta(hours=2), fresh(cast).due_at
    with nothing_moved():
        assert returning.return_cases(at=at) == 0
    happens(cast)

    assert returning.return_cases(at=at) == 1
    now = fresh(cast)
    assert (now.assigned_reviewer_id, now.assigned_number, now.due_at) == (None, "", due)
    entry = Entry.objects.filter(verb="return_to_queue").get()
    assert (entry.actor_id, entry.actor_role, entry.data["why"]) == (None, Role.SYSTEM, why)
    assert Assignment.objects.get(request=now, reviewer=None).by_id is None
    with nothing_moved():
        assert returning.return_cases(at=at) == 0


def test_a_short_absence_leaves_the_case_where_it_is() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    away(cast.reviewer, cast.request.office, days=5)
    with nothing_moved():
        assert returning.return_cases(at=NOW + timedelta(hours=2)) == 0
        with pytest.raises(NotNow):
            workflow.return_to_queue(cast.request.pk, at=NOW + timedelta(hours=2))
    Office.objects.update(return_after_days=4)
    assert returning.return_cases(at=NOW + timedelta(hours=2)) == 1


def test_a_proposed_case_waits_for_its_senior_and_not_for_who_proposed() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    leaves(cast)
    with nothing_moved():
        assert returning.return_cases(at=NOW + timedelta(hours=2)) == 0


def test_who_is_away_is_handed_nothing_and_takes_nothing() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at = cast.request.state_since + timedelta(hours=2)
    gone = posted(cast.request.office, Role.REVIEWER, "4009")
    away(gone, cast.request.office, days=3)
    with nothing_moved(), pytest.raises(Invalid, match="away"):
        workflow.hand_over(
            cast.request.pk, actor=actor(cast.senior, at), at=at, reviewer_id=gone.pk, reason="Too many."
        )
    away_for_long(gone)
    workflow.hand_over(cast.request.pk, actor=actor(cast.senior, at), at=at, reviewer_id=None, reason="Too many.")
    with nothing_moved(), pytest.raises(NotNow, match="away"):
        workflow.take(cast.request.pk, actor=actor(gone, at), at=at, no_conflict=True)
    Absence.objects.all().delete()
    workflow.take(cast.request.pk, actor=actor(gone, at), at=at, no_conflict=True)
    assert fresh(cast).assigned_reviewer_id == gone.pk


def away_for_long(user: User) -> None:
    Absence.objects.filter(user=user).update(ends_at=NOW + WEEKS)


def test_one_case_that_fails_keeps_no_other_from_going_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    leaves(cast)
    taken: list[datetime] = []

    def fails(request_id: Any, *, at: datetime) -> None:
        taken.append(at)
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(workflow, "return_to_queue", fails)
        assert returning.return_cases(at=NOW + timedelta(hours=2)) == 0
    assert len(taken) == 1
    assert returning.return_cases(at=NOW + timedelta(hours=2)) == 1
