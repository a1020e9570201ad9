"""Taking a clearance back takes what a denial takes: grounds, a notice, a reply or the time for it, a second person.

Alice was cleared for a trip from 22 April; Shan proposes to take it back, Sun is the other senior.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotNow
from accounts.roles import SYSTEM
from approvals import sweeping, timekeeping
from approvals.models import ConflictDeclaration, Decision, ProposalRejection, TravelRequest
from approvals.states import State
from audit.models import Entry
from authorities.terms import ClockKind
from notifications import delivery
from notifications.models import OutboxEvent
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, in_state
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

APPROVED_AT = NOW + timedelta(hours=4)


def day(number: int, hour: int = 10, month: int = 4) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=NOW.tzinfo)


def as_(cast: Cast, user: User | None, verb: str, at: datetime, **more: Any) -> Any:
    assert user is not None
    return call(verb, cast.request.pk, actor(user, at), at, **more)


def now_of(cast: Cast) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=cast.request.pk)


def proposed(at: datetime = APPROVED_AT) -> Cast:
    cast = in_state(State.APPROVED)
    as_(cast, cast.senior, "propose_revocation", at)
    return cast


def test_the_applicant_is_told_the_grounds_and_has_as_long_as_before_a_denial() -> None:
    cast = proposed()
    request = now_of(cast)
    assert request.state == State.APPROVED
    assert request.reply_until == day(11, 0, month=3)
    assert request.due_at == request.reply_until
    clock = request.clocks.get(kind=ClockKind.REPLY, ended_at=None)
    assert clock.due_at == request.reply_until

    delivery.deliver(at=APPROVED_AT)
    event = OutboxEvent.objects.get(event="request.propose_revocation")
    assert event.words is not None
    words = event.words["applicant"]["en"]["body"]
    assert "your clearance is in force" in words
    assert "You can reply until 10 March 2026" in words


def test_nobody_confirms_before_the_reply_or_the_end_of_its_time() -> None:
    cast = proposed()
    until = now_of(cast).reply_until
    assert until is not None
    with nothing_moved(), pytest.raises(NotNow, match="The applicant is heard first"):
        as_(cast, cast.second_senior, "revoke", until - timedelta(seconds=1))
    assert as_(cast, cast.second_senior, "revoke", until).state == State.REVOKED


def test_the_reply_is_kept_with_the_proposal_and_opens_the_confirmation() -> None:
    cast = proposed()
    as_(cast, cast.applicant.user, "reply", APPROVED_AT + timedelta(hours=1), text="Please leave it in force.")
    request = now_of(cast)
    assert (request.state, request.replied_at) == (State.APPROVED, APPROVED_AT + timedelta(hours=1))
    assert not request.clocks.filter(kind=ClockKind.REPLY, ended_at=None).exists()
    with nothing_moved(), pytest.raises(NotNow, match="reply is there already"):
        as_(cast, cast.applicant.user, "reply", APPROVED_AT + timedelta(hours=2))

    as_(cast, cast.second_senior, "revoke", APPROVED_AT + timedelta(hours=2))

    decision = Decision.objects.get(request=cast.request, outcome="revoked")
    assert (decision.by, decision.confirmed_by) == (cast.senior, cast.second_senior)
    assert decision.appeal_until is not None
    assert decision.proposal is not None
    assert decision.proposal.reply.text == "Please leave it in force."
    declared = ConflictDeclaration.objects.get(request=cast.request, occasion="revoke")
    assert (declared.by, declared.conflict) == (cast.second_senior, "none")


def test_a_revocation_is_given_back_with_a_note_and_can_be_proposed_anew() -> None:
    cast = proposed()
    at = APPROVED_AT + timedelta(hours=1)
    with nothing_moved(), pytest.raises(NotAllowed, match="another senior reviewer must"):
        as_(cast, cast.senior, "reject_revocation", at)
    with nothing_moved(), pytest.raises(Invalid):
        as_(cast, cast.second_senior, "reject_revocation", at, note=" ")

    request = as_(cast, cast.second_senior, "reject_revocation", at)

    assert (request.state, request.revocation_proposed_by_id, request.reply_until, request.due_at) == (
        State.APPROVED,
        None,
        None,
        None,
    )
    assert ProposalRejection.objects.get(request=cast.request).by == cast.second_senior
    with nothing_moved(), pytest.raises(NotNow, match="must propose the revocation first"):
        as_(cast, cast.second_senior, "revoke", at)
    again = as_(cast, cast.second_senior, "propose_revocation", at + timedelta(hours=1))
    assert again.revocation_proposed_by_id == cast.second_senior.pk


@pytest.mark.parametrize(
    ("proposed_at", "until"),
    [
        (day(8), day(16, 0)),  # five working days, and time is left
        (day(16), day(21, 0)),  # the day before departure is left for deciding
        (day(20), day(22, 0)),  # not a whole working day would be left: until the departure
        (day(21), day(22, 0)),
    ],
)
def test_the_window_leaves_the_day_before_departure_for_deciding(proposed_at: datetime, until: datetime) -> None:
    cast = proposed(proposed_at)
    request = now_of(cast)
    assert request.reply_until == until
    assert request.clocks.get(kind=ClockKind.REPLY, ended_at=None).due_at == until


def test_proposed_too_late_it_is_confirmed_after_a_reply_or_not_at_all() -> None:
    cast = proposed(day(21))
    with nothing_moved(), pytest.raises(NotNow, match="The applicant is heard first"):
        as_(cast, cast.second_senior, "revoke", day(21, 23))
    with nothing_moved(), pytest.raises(NotNow, match="before departure only"):
        as_(cast, cast.second_senior, "revoke", day(22, 0))

    other = proposed_for_another(day(21))
    as_(other, other.applicant.user, "reply", day(21, 11))
    assert as_(other, other.second_senior, "revoke", day(21, 12)).state == State.REVOKED


def proposed_for_another(at: datetime) -> Cast:
    from tests.factories import CompanyFactory, employ

    cast = in_state(State.APPROVED, employee=employ("Bo Li", CompanyFactory.create()))
    as_(cast, cast.senior, "propose_revocation", at)
    return cast


def test_no_clock_revokes_and_the_trip_ends_a_proposal_that_nobody_confirmed() -> None:
    cast = proposed(day(16))
    for at in (day(21, 0), day(22, 0), day(28), day(29, 0)):
        sweeping.sweep(at=at)
    request = now_of(cast)
    assert request.state == State.CLOSED
    verbs = set(Entry.objects.filter(chain=request.pk, actor_id=None).values_list("verb", flat=True))
    assert "revoke" not in verbs
    other = proposed_for_another(day(16))
    with nothing_moved(), pytest.raises(NotAllowed):
        call("revoke", other.request.pk, SYSTEM, day(21))


def test_when_calendars_change_the_cap_of_the_journey_stays() -> None:
    cast = proposed(day(16))
    request = now_of(cast).as_of(day(17))
    turned = timekeeping.turn(request, at=day(17))
    assert turned.changed == []
    assert request.due_at == day(21, 0)
