"""A trip changes after it was submitted. Only what the change touches is looked at again, and nothing is taken away."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import amending, inbox, queries, sweeping, workflow
from approvals.models import Amendment, Assessment, Clock, Condition, Decision, Revision, TravelRequest
from approvals.models.amendment import AmendmentState, Part
from approvals.states import State, Tier
from authorities.terms import ClockKind
from notifications.models import OutboxEvent
from sensitivity.models import ListKind
from tests.approvals.staffing import signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import NOW, OfficeFactory, actor, employ, entry_values, in_state, list_in_force, posted, submitted
from tests.factories.requests import LEGS, Cast

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=2)


def fresh(cast: Cast) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=cast.request.pk)


def alice(cast: Cast, at: datetime) -> Any:
    assert cast.applicant.user is not None
    return actor(cast.applicant.user, at)


def shifted(days: int, *, longer: int = 0) -> list[dict[str, Any]]:
    [leg] = LEGS
    move, more = timedelta(days=days), timedelta(days=longer)
    return [leg | {"arrives_on": leg["arrives_on"] + move, "leaves_on": leg["leaves_on"] + move + more}]


def write(cast: Cast, at: datetime, *, legs: list[dict[str, Any]] | None = None, **values: Any) -> Amendment:
    """Alice begins a change and writes what is given."""
    alices = alice(cast, at)
    draft = workflow.begin_amendment(cast.request.pk, actor=alices, at=at)
    if legs is not None:
        draft = workflow.save_amendment(cast.request.pk, actor=alices, at=at, section="itinerary", legs=legs)
    if values:
        draft = workflow.save_amendment(cast.request.pk, actor=alices, at=at, section="change", values=values)
    return draft


def filed(cast: Cast, at: datetime, reason: str = "The organisers moved the conference.", **changes: Any) -> Amendment:
    draft = write(cast, at, **changes)
    verb = workflow.filing_verb(fresh(cast), alice(cast, at), at=at)
    assert verb is not None
    getattr(workflow, verb)(cast.request.pk, actor=alice(cast, at), at=at, reason=reason)
    return Amendment.objects.get(pk=draft.pk)


def do(cast: Cast, verb: str, user: Any, at: datetime, **more: Any) -> TravelRequest:
    done: TravelRequest = getattr(workflow, verb)(cast.request.pk, actor=actor(user, at), at=at, **more)
    return done


def cleared_by_two() -> Cast:
    """Alice's trip has a hit of level 2: Rui proposed to clear it, Shan confirmed."""
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2, label_en="Retrieval"))
    cast = in_state(State.AUTHORITY_REVIEW)
    assert fresh(cast).tier == Tier.HEIGHTENED
    at = fresh(cast).state_since + timedelta(hours=2)
    do(cast, "propose", cast.reviewer, at, outcome="approved", grounds=workflow.Grounds())
    do(cast, "confirm", cast.senior, at)
    return cast


# ── what a change touches ───────────────────────────────────────────────────────────────────────────────────────────

BASE = {
    "title": "ICLR in Rio",
    "description": "I present our paper.",
    "event_name": "ICLR",
    "event_url": "",
    "topics": ["cs.IR", "cs.CL"],
    "projects": [],
    "materials": "",
    "devices": ["work_phone"],
    "legs": [
        {
            "country": "BR",
            "subdivision": "",
            "city": "Rio de Janeiro",
            "arrives_on": "2026-04-22",
            "leaves_on": "2026-04-28",
            "host": "ICLR Foundation",
        }
    ],
}


def leg(**values: str) -> dict[str, Any]:
    return {"legs": [BASE["legs"][0] | values]}  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "touches"),
    [
        ({}, []),
        (leg(arrives_on="2026-04-23"), [Part.DATES]),
        (leg(city="São Paulo"), [Part.PLACES]),
        (leg(host="PUC-Rio"), [Part.HOSTS]),
        (leg(host="PUC-Rio", leaves_on="2026-04-29"), [Part.DATES, Part.HOSTS]),
        ({"event_name": "ICLR Workshops"}, [Part.EVENT]),
        ({"topics": ["cs.CL", "cs.IR"]}, []),
        ({"topics": ["cs.CL"]}, [Part.SUBJECTS]),
        ({"projects": ["P-1"]}, [Part.PROJECTS]),
        ({"devices": []}, [Part.MATERIALS]),
        ({"description": "I present two papers."}, [Part.WORDS]),
    ],
)
def test_what_a_change_touches(change: Mapping[str, Any], touches: list[Part]) -> None:
    assert amending.touched(BASE, BASE | change) == touches


@given(
    begins=st.integers(-30, 30),
    length=st.integers(0, 30),
)
def test_a_small_shift_moves_both_ends_by_a_week_at_most_and_makes_nothing_longer(begins: int, length: int) -> None:
    first = date(2026, 4, 22) + timedelta(days=begins)
    last = first + timedelta(days=length)
    changed = BASE | leg(arrives_on=first.isoformat(), leaves_on=last.isoformat())
    moved = abs((first - date(2026, 4, 22)).days), abs((last - date(2026, 4, 28)).days)
    expected = moved != (0, 0) and max(moved) <= 7 and length <= 6
    assert amending.is_small_shift(BASE, changed) is expected


def test_other_places_in_other_days_are_no_shift() -> None:
    assert not amending.is_small_shift(BASE, BASE | leg(arrives_on="2026-04-23", city="Niterói"))


# ── before there is a decision ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [State.COMPANY_REVIEW, State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED])
def test_a_change_becomes_part_of_a_request_that_is_not_decided_where_it_is(state: State) -> None:
    cast = in_state(state)
    clocks = {row.kind: (row.started_at, row.due_at) for row in Clock.objects.filter(request=cast.request)}
    change = filed(cast, LATER, legs=shifted(2))
    now = fresh(cast)
    assert (now.state, now.revision_number) == (state, 2)
    assert (now.departs_on, now.returns_on) == (date(2026, 4, 24), date(2026, 4, 30))
    assert [leg.arrives_on for leg in now.itinerary] == [date(2026, 4, 24)]
    assert (change.state, change.touches) == (AmendmentState.TAKEN_OVER, ["dates"])
    assert change.revision_id == now.revision_id
    assert Assessment.objects.get(pk=now.assessment_id).cause == Assessment.Cause.AMENDED
    after = {row.kind: (row.started_at, row.due_at) for row in Clock.objects.filter(request=cast.request)}
    assert {kind: after[kind] for kind in clocks if kind != ClockKind.DEPARTURE} == {
        kind: clocks[kind] for kind in clocks if kind != ClockKind.DEPARTURE
    }
    assert OutboxEvent.objects.filter(event="request.amend", subject=now.pk).count() == 1


def test_what_the_change_touches_is_compared_with_the_lists() -> None:
    list_in_force(ListKind.ORGANISATION, entry_values("ZETA", 2, label_en="Zeta Laboratory"))
    cast = in_state(State.AUTHORITY_REVIEW)
    assert fresh(cast).tier == Tier.FAST
    filed(cast, LATER, legs=[LEGS[0] | {"host": "Zeta Laboratory"}])
    assert fresh(cast).tier == Tier.HEIGHTENED


@pytest.mark.parametrize(
    "state", [State.DRAFT, State.RETURNED, State.DECISION_PROPOSED, State.DENIED, State.REVOKED, State.WITHDRAWN]
)
def test_elsewhere_nothing_can_be_changed(state: State) -> None:
    cast = in_state(state)
    at = fresh(cast).state_since + timedelta(hours=1)
    with nothing_moved(), pytest.raises(NotNow):
        workflow.begin_amendment(cast.request.pk, actor=alice(cast, at), at=at)


# ── a clearance ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clearance_stays_as_it_is_until_the_office_has_answered() -> None:
    cast = in_state(State.APPROVED)
    before = fresh(cast)
    change = filed(cast, LATER, legs=shifted(3))
    now = fresh(cast)
    assert (change.state, change.tier) == (AmendmentState.FILED, Tier.FAST)
    assert (now.state, now.open_amendment_id) == (State.APPROVED, change.pk)
    assert (now.departs_on, now.decision_id, now.revision_id) == (
        before.departs_on,
        before.decision_id,
        before.revision_id,
    )
    clock = Clock.objects.get(request=now, kind=ClockKind.AMENDMENT)
    assert clock.due_at is not None
    assert clock.due_at.astimezone(NOW.tzinfo) == datetime(2026, 3, 13, tzinfo=NOW.tzinfo)
    assert now.due_at == clock.due_at


def test_one_reviewer_accepts_a_small_shift_of_a_heightened_trip() -> None:
    cast = cleared_by_two()
    at = fresh(cast).state_since + timedelta(hours=1)
    change = filed(cast, at, legs=shifted(-3))
    do(cast, "accept_amendment", cast.reviewer, at + timedelta(hours=1), text="Have a good trip.")
    now, ended = fresh(cast), Amendment.objects.get(pk=change.pk)
    assert ended.state == AmendmentState.ACCEPTED
    assert (now.departs_on, now.returns_on) == (date(2026, 4, 19), date(2026, 4, 25))
    assert (now.open_amendment_id, now.revision_number) == (None, 2)
    decision = Decision.objects.get(pk=now.decision_id)
    assert (decision.by, decision.confirmed_by, decision.revision.number) == (cast.reviewer, None, 2)
    assert Decision.objects.filter(request=now).count() == 2
    assert not Clock.objects.filter(request=now, kind=ClockKind.AMENDMENT, ended_at=None).exists()
    returns = Clock.objects.get(request=now, kind=ClockKind.RETURN, ended_at=None)
    assert returns.anchor == date(2026, 4, 25)


def test_the_conditions_go_on_when_a_change_is_accepted() -> None:
    cast, at = in_state(State.AUTHORITY_REVIEW), LATER
    slides, phone, report = (
        workflow.Obligation(text="Send the slides to the company.", owner="company", due="departure"),
        workflow.Obligation(text="Leave the phone at home.", due="departure"),
        workflow.Obligation(text="Report on the journey.", due="day", due_on=date(2026, 3, 20)),
    )
    do(cast, "approve", cast.reviewer, at, conditions=[slides, phone, report])
    held = {one.text: one for one in Condition.objects.all()}
    me, rui = cast.applicant.user, cast.reviewer
    told = held["Leave the phone at home."].pk
    do(cast, "cannot_comply", me, at, condition=told, text="I need one.")
    changed = {"outcome": "changed", "text": "Agreed.", "new_text": "Take an empty phone.", "due_on": date(2026, 4, 1)}
    do(cast, "answer_condition", rui, at + timedelta(minutes=1), condition=told, **changed)
    do(cast, "release_condition", rui, at, condition=held["Report on the journey."].pk)
    imposed_by = fresh(cast).decision_id

    filed(cast, at + timedelta(hours=1), legs=shifted(-3))
    do(cast, "accept_amendment", rui, at + timedelta(hours=2))

    now = fresh(cast)
    assert now.decision_id != imposed_by
    still_owed = [("Send the slides to the company.", "open"), ("Take an empty phone.", "open")]
    assert [(one.text, one.state) for one in now.conditions_now if one.state != "released"] == still_owed
    running = Clock.objects.filter(request=now, kind=ClockKind.CONDITION, ended_at=None)
    assert {clock.subject for clock in running} == {held["Send the slides to the company."].pk, told}
    assert cast.officer is not None
    olivia = actor(cast.officer, at)
    company = inbox.Desk(inbox.Kind.COMPANY, now.company_id)
    assert inbox.counts(company, inbox.tabs_of(company, olivia), olivia, at=at)["conditions"] == 1
    shown = text_of(signed_in(me).get(f"/requests/{now.reference}/"))
    assert "Take an empty phone." in shown
    assert "Send the slides to the company." in shown
    do(cast, "report_condition", me, at + timedelta(hours=3), condition=told, text="It is empty.")
    assert ("Take an empty phone.", "reported") in [(one.text, one.state) for one in fresh(cast).conditions_now]


def test_a_hit_of_level_2_that_the_change_brings_takes_two_people() -> None:
    list_in_force(ListKind.ORGANISATION, entry_values("ZETA", 2, label_en="Zeta Laboratory"))
    cast = in_state(State.APPROVED)
    change = filed(cast, LATER, legs=[LEGS[0] | {"host": "Zeta Laboratory"}])
    assert (change.tier, len(change.hits)) == (Tier.HEIGHTENED, 1)
    at = LATER + timedelta(hours=1)
    for nobody in (cast.reviewer, cast.senior):
        with nothing_moved(), pytest.raises(NotAllowed):
            do(cast, "accept_amendment", nobody, at)
    do(cast, "recommend_amendment", cast.reviewer, at, text="The laboratory is the university's own.")
    with nothing_moved(), pytest.raises(NotAllowed):
        do(cast, "accept_amendment", cast.reviewer, at)
    do(cast, "accept_amendment", cast.senior, at + timedelta(hours=1))
    decision = fresh(cast).decision
    assert decision is not None
    assert (decision.by, decision.confirmed_by) == (cast.reviewer, cast.senior)


def test_a_hit_that_the_trip_had_before_does_not_count_again() -> None:
    cast = cleared_by_two()
    at = fresh(cast).state_since + timedelta(hours=1)
    change = filed(cast, at, legs=[LEGS[0] | {"host": "PUC-Rio"}])
    assert (change.touches, change.tier, change.hits) == (["hosts"], Tier.FAST, [])


def test_a_change_that_a_specialist_office_has_to_be_heard_on_takes_a_new_request() -> None:
    list_in_force(ListKind.ORGANISATION, entry_values("ZETA", 3, label_en="Zeta Laboratory"))
    cast = in_state(State.APPROVED)
    write(cast, LATER, legs=[LEGS[0] | {"host": "Zeta Laboratory"}])
    with nothing_moved(), pytest.raises(Invalid, match="level 3"):
        workflow.file_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER, reason="They invited me.")


def test_what_is_not_accepted_takes_nothing_away() -> None:
    cast = in_state(State.APPROVED)
    before = fresh(cast)
    change = filed(cast, LATER, legs=shifted(40))
    with nothing_moved(), pytest.raises(Invalid, match="reasons"):
        do(cast, "return_amendment", cast.reviewer, LATER, text=" ")
    do(cast, "return_amendment", cast.reviewer, LATER, text="The conference is over by then.")
    now, ended = fresh(cast), Amendment.objects.get(pk=change.pk)
    assert (ended.state, ended.answer) == (AmendmentState.RETURNED, "The conference is over by then.")
    assert (now.state, now.decision_id, now.departs_on) == (State.APPROVED, before.decision_id, before.departs_on)
    assert now.open_amendment_id is None


def test_the_applicant_takes_a_change_back_and_can_ask_for_another() -> None:
    cast = in_state(State.APPROVED)
    first = filed(cast, LATER, legs=shifted(2))
    with nothing_moved(), pytest.raises(NotNow, match="with the office already"):
        workflow.begin_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER)
    workflow.withdraw_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER)
    assert Amendment.objects.get(pk=first.pk).state == AmendmentState.WITHDRAWN
    second = filed(cast, LATER, legs=shifted(3))
    assert second.state == AmendmentState.FILED


def test_it_needs_a_reason_something_that_changed_and_free_days() -> None:
    cast = in_state(State.APPROVED)
    other = submitted(
        cast.applicant, legs=[LEGS[0] | {"arrives_on": date(2026, 5, 10), "leaves_on": date(2026, 5, 12)}]
    )
    write(cast, LATER)
    with nothing_moved(), pytest.raises(Invalid) as unchanged:
        workflow.file_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER, reason="")
    assert [problem.field for problem in unchanged.value.problems] == ["", "reason"]
    write(cast, LATER, legs=[LEGS[0] | {"arrives_on": date(2026, 5, 11), "leaves_on": date(2026, 5, 14)}])
    with nothing_moved(), pytest.raises(Invalid, match=other.reference):
        workflow.file_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER, reason="Later.")


def test_days_that_went_to_another_trip_meanwhile_cannot_be_cleared_twice() -> None:
    cast = in_state(State.APPROVED)
    filed(cast, LATER, legs=shifted(7))
    other = submitted(
        cast.applicant, at=LATER, legs=[LEGS[0] | {"arrives_on": date(2026, 5, 3), "leaves_on": date(2026, 5, 6)}]
    )
    with nothing_moved(), pytest.raises(Invalid, match=other.reference):
        do(cast, "accept_amendment", cast.reviewer, LATER)


def test_what_is_typed_is_kept_and_only_the_applicant_writes() -> None:
    cast = in_state(State.APPROVED)
    write(cast, LATER)
    typed = {"legs-0-city": [""]}
    workflow.keep_amendment_as_typed(
        cast.request.pk, actor=alice(cast, LATER), at=LATER, section="itinerary", data=typed
    )
    again = workflow.begin_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER)
    assert again.typed == {"itinerary": typed}
    with nothing_moved(), pytest.raises(Invalid, match="What you typed here is kept"):
        workflow.file_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER, reason="Later.")
    for somebody in (cast.officer, cast.reviewer, cast.senior):
        with nothing_moved(), pytest.raises(NotAllowed):
            workflow.begin_amendment(cast.request.pk, actor=actor(somebody, LATER), at=LATER)
    stranger = employ("Bob Li", cast.applicant.company).user
    with nothing_moved(), pytest.raises(NotFound):
        workflow.begin_amendment(cast.request.pk, actor=actor(stranger, LATER), at=LATER)
    workflow.discard_amendment(cast.request.pk, actor=alice(cast, LATER), at=LATER)
    assert not Amendment.objects.filter(request=cast.request).exists()


def test_it_ends_with_the_clearance_and_what_has_ended_stays() -> None:
    cast = in_state(State.APPROVED)
    change = filed(cast, LATER, legs=shifted(2))
    workflow.close(cast.request.pk, actor=alice(cast, LATER), at=LATER)
    ended = Amendment.objects.get(pk=change.pk)
    assert (ended.state, fresh(cast).open_amendment_id) == (AmendmentState.WITHDRAWN, None)
    with transaction.atomic(), pytest.raises(DatabaseError, match="amendment_stays"):
        Amendment.objects.filter(pk=change.pk).update(reason="Something else")


def test_the_database_accepts_nothing_of_level_2_from_one_person() -> None:
    list_in_force(ListKind.ORGANISATION, entry_values("ZETA", 2, label_en="Zeta Laboratory"))
    cast = in_state(State.APPROVED)
    change = filed(cast, LATER, legs=[LEGS[0] | {"host": "Zeta Laboratory"}])
    ended = {"state": "accepted", "ended_by": cast.reviewer, "ended_at": LATER}
    with transaction.atomic(), pytest.raises(IntegrityError, match="as_many_as_it_takes"):
        Amendment.objects.filter(pk=change.pk).update(**ended)
    with transaction.atomic(), pytest.raises(IntegrityError, match="second_person_is_another"):
        Amendment.objects.filter(pk=change.pk).update(**ended, recommended_by=cast.reviewer)


def test_late_answers_go_up_the_ladder() -> None:
    cast = in_state(State.APPROVED)
    filed(cast, LATER, legs=shifted(2))
    due = fresh(cast).due_at
    assert due is not None
    sweeping.sweep(at=due + timedelta(minutes=1))
    assert OutboxEvent.objects.filter(
        event="request.escalate", subject=cast.request.pk, data__clock="amendment"
    ).exists()
    assert fresh(cast).state == State.APPROVED


# ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_emergency_is_reported_afterwards_and_noted() -> None:
    cast = in_state(State.APPROVED)
    before = fresh(cast)
    at = datetime(2026, 4, 28, 9, tzinfo=NOW.tzinfo)
    report = filed(cast, at, reason="I was in hospital until the 2nd of May.", legs=shifted(0, longer=6))
    now = fresh(cast)
    assert (report.kind, report.state, report.touches) == ("report", AmendmentState.FILED, ["dates"])
    assert (now.state, now.returns_on, now.report_is_open) == (State.APPROVED, date(2026, 5, 4), True)
    assert (now.decision_id, now.tier) == (before.decision_id, before.tier)
    assert now.assessment_id == before.assessment_id
    do(cast, "note_report", cast.reviewer, at + timedelta(hours=2), text="Get well.")
    now, noted = fresh(cast), Amendment.objects.get(pk=report.pk)
    assert (noted.state, noted.answer, now.report_is_open) == (AmendmentState.NOTED, "Get well.", False)


def test_a_report_can_be_made_after_the_return_but_not_before_the_trip_nor_for_ever() -> None:
    cast = in_state(State.CLOSED)
    at = datetime(2026, 5, 20, 9, tzinfo=NOW.tzinfo)
    report = filed(cast, at, reason="My flight was cancelled.", legs=shifted(0, longer=1))
    now = fresh(cast)
    assert (report.kind, now.state, now.returns_on) == ("report", State.CLOSED, date(2026, 4, 29))
    late = datetime(2026, 8, 1, 9, tzinfo=NOW.tzinfo)
    with nothing_moved(), pytest.raises(NotNow):
        workflow.begin_amendment(cast.request.pk, actor=alice(cast, late), at=late)


def test_who_may_see_and_accept_it() -> None:
    cast = in_state(State.APPROVED)
    filed(cast, LATER, legs=shifted(2))
    offered = {
        "applicant": {"withdraw_amendment"},
        "reviewer": {"accept_amendment", "return_amendment"},
        "senior": {"accept_amendment", "return_amendment"},
        "officer": set[str](),
    }
    about_it = {"withdraw_amendment", "accept_amendment", "return_amendment", "recommend_amendment", "note_report"}
    for who, expected in offered.items():
        user = cast.applicant.user if who == "applicant" else getattr(cast, who)
        seen = queries.in_full(actor(user, LATER)).get(pk=cast.request.pk)
        assert set(workflow.available_actions(actor(user, LATER), seen, at=LATER)) & about_it == expected, who
    elsewhere = posted(OfficeFactory.create(code="SZ-NS"), Role.REVIEWER, "0099")
    with nothing_moved(), pytest.raises((NotFound, NotAllowed)):
        do(cast, "accept_amendment", elsewhere, LATER)
    assert Revision.objects.filter(request=cast.request).count() == 1
