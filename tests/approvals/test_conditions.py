"""Conditions as obligations: imposed with a day, reported, sent back, released; or not possible, and answered.

Alice travels from 22 to 28 April, Olivia is her company's officer, Rui has the case, Shan and Sun are seniors.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Refused
from accounts.roles import Role
from approvals import queries, sweeping, workflow
from approvals.models import Attachment, Clock, Condition, ConditionStep, ItemDraft, TravelRequest
from approvals.models.conditions import ConditionState
from approvals.states import State
from approvals.views import standing
from approvals.workflow import Obligation
from approvals.workflow import conditions as verbs
from audit.models import Entry
from authorities.terms import ClockKind
from notifications.models import OutboxEvent
from tests.asserting import nothing_moved
from tests.factories import DENIAL, NOW, actor, in_state, officer_of, posted
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

ZONE = NOW.tzinfo
PDF = b"%PDF-1.4 a report"


def on(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def approved(*conditions: Obligation | str, at: datetime | None = None) -> Cast:
    """Alice's trip, cleared under these conditions on 3 March."""
    cast = in_state(State.AUTHORITY_REVIEW)
    at = at or cast.request.state_since + timedelta(minutes=5)
    workflow.approve(cast.request.pk, actor=actor(cast.reviewer, at), at=at, conditions=list(conditions))
    return cast


def now(cast: Cast) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=cast.request.pk)


def condition(cast: Cast) -> Condition:
    return Condition.objects.get(request=cast.request)


def do(cast: Cast, verb: str, user: User | None, at: datetime, **values: Any) -> TravelRequest:
    assert user is not None
    values.setdefault("condition", condition(cast).pk if "condition" not in values else None)
    done: TravelRequest = getattr(workflow, verb)(cast.request.pk, actor=actor(user, at), at=at, **values)
    return done


def state_of(cast: Cast) -> ConditionState:
    return now(cast).conditions_now[0].state


def clocks(cast: Cast, kind: ClockKind) -> list[Clock]:
    return list(Clock.objects.filter(request=cast.request, kind=kind, ended_at=None).order_by("anchor"))


LATER = NOW + timedelta(days=1)


# ── imposed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("imposed", "day"),
    [
        (Obligation(text="Send the slides.", due="departure"), date(2026, 4, 21)),
        (Obligation(text="Write a report.", due="return", days=10), date(2026, 5, 8)),
        (Obligation(text="Talk to security.", due="day", due_on=date(2026, 4, 1)), date(2026, 4, 1)),
        ("Use the travel laptop only.", date(2026, 5, 3)),
    ],
)
def test_the_day_of_a_condition_is_computed_when_the_clearance_is_given(imposed: Any, day: date) -> None:
    cast = approved(imposed)
    assert condition(cast).due_on == day
    assert (now(cast).open_conditions, now(cast).conditions_wait_since) == (1, None)
    (clock,) = clocks(cast, ClockKind.CONDITION)
    assert (clock.anchor, clock.subject) == (day, condition(cast).pk)
    assert clock.due_at == on(day + timedelta(days=1), 0)


def test_a_clearance_on_the_eve_asks_for_nothing_by_a_day_that_has_passed() -> None:
    one = Obligation(text="Send the slides.", due="departure")
    last = date(2026, 4, 28)
    assert one.day(today=date(2026, 4, 22), first=date(2026, 4, 22), last=last) == date(2026, 4, 22)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Obligation(text="Report.", due="day"), "due_on"),
        (Obligation(text="Report.", due="day", due_on=date(2026, 3, 1)), "due_on"),
        (Obligation(text="Report.", due="day", due_on=date(2062, 3, 1)), "due_on"),
        (Obligation(text="Report.", due="return", days=91), "days"),
        (Obligation(text="Report.", owner="host"), "owner"),
        (Obligation(text="Report.", due="someday"), "due"),
    ],
)
def test_what_cannot_be_imposed_is_refused_at_its_field(wrong: Obligation, field: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        workflow.approve(cast.request.pk, actor=actor(cast.reviewer, LATER), at=LATER, conditions=["Fine.", wrong])
    assert [problem.field for problem in caught.value.problems] == [f"conditions-1-{field}"]


def test_a_proposal_carries_its_conditions_to_the_decision() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    one = Obligation(text="Brief security.", owner="company", due="day", due_on=date(2026, 4, 1), needs_evidence=True)
    grounds = workflow.Grounds(text="With care.")
    given = {"outcome": "approved", "grounds": grounds, "conditions": [one]}
    workflow.propose(cast.request.pk, actor=actor(cast.reviewer, LATER), at=LATER, **given)
    at = LATER + timedelta(days=2)
    workflow.confirm(cast.request.pk, actor=actor(cast.senior, at), at=at)
    row = condition(cast)
    assert (row.text, row.owner, row.due_on, row.needs_evidence) == (
        "Brief security.",
        "company",
        date(2026, 4, 1),
        True,
    )


def test_a_proposal_of_before_conditions_had_days_is_still_read() -> None:
    assert Obligation.of("No laptop.") == Obligation(text="No laptop.")
    whole = Obligation(text="Report.", due="day", due_on=date(2026, 4, 1))
    assert Obligation.of(whole.as_data()) == whole


def test_a_condition_of_before_conditions_had_days_waits_for_nobody() -> None:
    """What was decided earlier stays as it was decided: no clock, nothing to report."""
    cast = in_state(State.APPROVED)
    decision = cast.request.decision
    assert decision is not None
    Condition.objects.create(request=cast.request, at=NOW, decision=decision, text="No laptop.")
    assert now(cast).conditions_now == []
    with nothing_moved(), pytest.raises(NotNow):
        do(cast, "report_condition", cast.applicant.user, LATER, text="Done.")


# ── met ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_condition_is_reported_sent_back_reported_again_and_released() -> None:
    cast = approved(Obligation(text="Send the slides.", due="departure"))
    do(cast, "report_condition", cast.applicant.user, LATER, text="Sent yesterday.")
    assert state_of(cast) == ConditionState.REPORTED
    assert now(cast).conditions_wait_since == LATER
    assert clocks(cast, ClockKind.CONDITION) == []
    at = LATER + timedelta(hours=1)
    do(cast, "send_back_condition", cast.reviewer, at, text="Slide 12 is missing.")
    assert (state_of(cast), now(cast).conditions_wait_since) == (ConditionState.OPEN, None)
    assert [clock.anchor for clock in clocks(cast, ClockKind.CONDITION)] == [date(2026, 4, 21)]
    do(cast, "report_condition", cast.applicant.user, at + timedelta(hours=1), text="All of them now.")
    do(cast, "release_condition", cast.reviewer, at + timedelta(hours=2))
    assert state_of_released(cast) == ConditionState.RELEASED
    assert (now(cast).open_conditions, now(cast).conditions_wait_since) == (0, None)
    assert clocks(cast, ClockKind.CONDITION) == []
    assert now(cast).state == State.APPROVED
    kinds = list(ConditionStep.objects.order_by("at").values_list("kind", flat=True))
    assert kinds == ["reported", "sent_back", "reported", "released"]
    said = Entry.objects.filter(chain=cast.request.pk).order_by("sequence").values_list("verb", flat=True)
    assert list(said)[-4:] == ["report_condition", "send_back_condition", "report_condition", "release_condition"]


def state_of_released(cast: Cast) -> ConditionState:
    from approvals.models.conditions import conditions_now

    (one,) = conditions_now([condition(cast)], ConditionStep.objects.all())
    return one.state


def test_a_condition_that_needs_a_document_is_not_met_by_words() -> None:
    cast = approved(Obligation(text="Report.", needs_evidence=True))
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        do(cast, "report_condition", cast.applicant.user, LATER, text=" ")
    assert [problem.field for problem in caught.value.problems] == ["text", "documents"]


def test_evidence_is_added_on_the_way_and_kept_with_the_report() -> None:
    cast = approved(Obligation(text="Report.", needs_evidence=True))
    alice, key = cast.applicant.user, verbs.condition_key(condition(cast).pk)
    assert alice is not None
    me = {"actor": actor(alice, LATER), "at": LATER}
    workflow.save_item(cast.request.pk, key=key, text="Written and read by the team.", **me)
    kept = workflow.attach_to_item(cast.request.pk, key=key, file=SimpleUploadedFile("report.pdf", PDF), **me)
    do(cast, "report_condition", alice, LATER)
    step = ConditionStep.objects.get()
    assert step.text == "Written and read by the team."
    assert step.documents == [{"id": str(kept.pk), "name": "report.pdf", "sha256": kept.sha256}]
    assert Attachment.unscoped.get(pk=kept.pk).kind == "proof"
    assert not ItemDraft.objects.exists()
    with nothing_moved(), pytest.raises(NotNow), transaction.atomic():
        workflow.save_item(cast.request.pk, key=key, text="More.", **me)


def test_a_document_of_another_request_shows_nothing() -> None:
    cast = approved(Obligation(text="Report."))
    with nothing_moved(), pytest.raises(Invalid), transaction.atomic():
        do(cast, "report_condition", cast.applicant.user, LATER, text="Done.", documents=[uuid4()])


def test_evidence_is_what_its_content_says() -> None:
    cast = approved(Obligation(text="Report.", needs_evidence=True))
    alice, key = cast.applicant.user, verbs.condition_key(condition(cast).pk)
    assert alice is not None
    file = SimpleUploadedFile("report.pdf", b"MZ not a report")
    with nothing_moved(), pytest.raises(Invalid), transaction.atomic():
        workflow.attach_to_item(cast.request.pk, key=key, file=file, actor=actor(alice, LATER), at=LATER)


# ── cannot be met ───────────────────────────────────────────────────────────────────────────────────────────────────


def unable(*conditions: Obligation) -> Cast:
    cast = approved(*(conditions or (Obligation(text="Send the slides.", due="departure"),)))
    do(cast, "cannot_comply", cast.applicant.user, LATER, text="The host keeps them.")
    return cast


def test_who_cannot_comply_is_owed_an_answer_within_three_working_days() -> None:
    cast = unable()
    assert state_of(cast) == ConditionState.CANNOT_COMPLY
    assert clocks(cast, ClockKind.CONDITION) == []
    (clock,) = clocks(cast, ClockKind.CONDITION_ANSWER)
    assert clock.due_at == on(date(2026, 3, 10), 0)  # Wednesday 4 March, then Thursday, Friday, Monday


@pytest.mark.parametrize(
    ("values", "state", "text", "day"),
    [
        ({"outcome": "upheld"}, ConditionState.OPEN, "Send the slides.", date(2026, 4, 21)),
        (
            {"outcome": "changed", "new_text": "Send an abstract.", "due_on": date(2026, 4, 10)},
            ConditionState.OPEN,
            "Send an abstract.",
            date(2026, 4, 10),
        ),
    ],
)
def test_the_answer_upholds_or_changes_it(values: Any, state: ConditionState, text: str, day: date) -> None:
    cast = unable()
    do(cast, "answer_condition", cast.senior, LATER + timedelta(hours=1), text="Because.", **values)
    (one,) = now(cast).conditions_now
    assert (one.state, one.text, one.due_on) == (state, text, day)
    assert [clock.anchor for clock in clocks(cast, ClockKind.CONDITION)] == [day]
    assert clocks(cast, ClockKind.CONDITION_ANSWER) == []


def test_the_answer_releases_it() -> None:
    cast = unable()
    do(cast, "answer_condition", cast.reviewer, LATER, outcome="released", text="Then without.")
    assert (now(cast).open_conditions, now(cast).state) == (0, State.APPROVED)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"outcome": "upheld", "text": " "}, "text"),
        ({"outcome": "denied", "text": "Because."}, "outcome"),
        ({"outcome": "changed", "text": "Because."}, "new_text"),
        ({"outcome": "upheld", "text": "Because.", "due_on": date(2026, 3, 1)}, "due_on"),
    ],
)
def test_an_answer_says_why_and_what_holds(values: Any, field: str) -> None:
    cast = unable()
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        do(cast, "answer_condition", cast.reviewer, LATER, **values)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_an_answer_that_is_late_goes_up() -> None:
    cast = unable()
    sweeping.sweep(at=on(date(2026, 3, 10), 1))
    sweeping.sweep(at=on(date(2026, 3, 12), 1))
    steps = OutboxEvent.objects.filter(event="request.escalate").order_by("at")
    assert [event.data["step"] for event in steps] == ["escalate", "escalate_to_head"]
    assert {event.data["condition"] for event in steps} == {str(condition(cast).pk)}


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_company_meets_what_the_company_owes() -> None:
    cast = approved(Obligation(text="Brief the team.", owner="company"), "Write a report.")
    owed = Condition.objects.get(owner="company").pk
    with nothing_moved(), pytest.raises(NotAllowed, match="who has to meet this condition"), transaction.atomic():
        do(cast, "report_condition", cast.applicant.user, LATER, condition=owed, text="Done.")
    do(cast, "report_condition", cast.officer, LATER, condition=owed, text="Briefed on Monday.")
    assert Entry.objects.filter(chain=cast.request.pk).latest("sequence").actor_role == "officer"


def test_an_officer_who_travels_does_not_meet_the_companys_conditions() -> None:
    cast = approved(Obligation(text="Brief the team.", owner="company"))
    officer_of(cast.request.company, user=cast.applicant.user)
    with nothing_moved(), pytest.raises(Refused), transaction.atomic():
        do(cast, "report_condition", cast.applicant.user, LATER, text="Done.")


@pytest.mark.parametrize("verb", ["release_condition", "send_back_condition"])
def test_only_the_reviewer_of_the_case_and_seniors_look_at_a_report(verb: str) -> None:
    cast = approved("Report.")
    do(cast, "report_condition", cast.applicant.user, LATER, text="Done.")
    colleague = posted(cast.request.office, Role.REVIEWER, "0011")
    for user in (cast.applicant.user, cast.officer, colleague):
        with nothing_moved(), pytest.raises(NotAllowed), transaction.atomic():
            do(cast, verb, user, LATER, text="Thanks.")
    do(cast, verb, cast.senior, LATER, text="Thanks.")


def test_a_condition_that_is_not_there_is_not_found() -> None:
    cast = approved("Report.")
    with nothing_moved(), pytest.raises(NotFound), transaction.atomic():
        do(cast, "report_condition", cast.applicant.user, LATER, text="Done.", condition=uuid4())


def test_what_is_released_is_released() -> None:
    cast = approved("Report.", "Use the travel laptop.")
    first = Condition.objects.order_by("id").first()
    assert first is not None
    do(cast, "release_condition", cast.reviewer, LATER, condition=first.pk)
    for verb, user in (("report_condition", cast.applicant.user), ("cannot_comply", cast.applicant.user)):
        with nothing_moved(), pytest.raises(NotNow, match="Released"), transaction.atomic():
            do(cast, verb, user, LATER, condition=first.pk, text="Done.")


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(cast: Cast) -> list[tuple[date, str]]:
    events = OutboxEvent.objects.filter(event="request.remind").order_by("at")
    return [
        (event.at.astimezone(ZONE).date(), str(event.data["step"]))
        for event in events
        if event.data.get("clock") == "condition"
    ]


def test_the_owner_is_reminded_then_told_then_the_office_and_the_clearance_stays() -> None:
    cast = approved(Obligation(text="Report.", due="day", due_on=date(2026, 4, 10)))
    for day in range(1, 25):
        sweeping.sweep(at=on(date(2026, 4, day), 9))
    assert told(cast) == [
        (date(2026, 4, 5), "remind"),
        (date(2026, 4, 8), "remind"),
        (date(2026, 4, 11), "overdue"),
        (date(2026, 4, 14), "tell_office"),
    ]
    assert (now(cast).state, state_of(cast)) == (State.APPROVED, ConditionState.OPEN)
    assert clocks(cast, ClockKind.CONDITION)[0].next_action_at is None


def test_each_condition_has_its_own_clock() -> None:
    cast = approved(
        Obligation(text="One.", due="day", due_on=date(2026, 4, 10)),
        Obligation(text="Two.", due="day", due_on=date(2026, 4, 11)),
    )
    assert [clock.anchor for clock in clocks(cast, ClockKind.CONDITION)] == [date(2026, 4, 10), date(2026, 4, 11)]
    for day in range(1, 25):
        sweeping.sweep(at=on(date(2026, 4, day), 9))
    assert [step for _day, step in told(cast)].count("overdue") == 2


def test_the_system_closes_the_trip_and_what_is_owed_is_owed_still() -> None:
    cast = approved(Obligation(text="Report.", due="return", days=10))
    for day in (29, 30):
        sweeping.sweep(at=on(date(2026, 4, day), 9))
    assert (now(cast).state, now(cast).open_conditions) == (State.CLOSED, 1)
    assert [clock.anchor for clock in clocks(cast, ClockKind.CONDITION)] == [date(2026, 5, 8)]
    at = on(date(2026, 5, 6))
    alice = actor(cast.applicant.user, at)  # type: ignore[arg-type]
    seen = queries.in_full(alice).get(pk=cast.request.pk)
    assert standing.sentence(seen, alice, at) == "Closed on 29 April 2026. 1 condition is to be met, by 8 May 2026."
    do(cast, "report_condition", cast.applicant.user, at, text="Attached.")
    do(cast, "release_condition", cast.reviewer, at + timedelta(hours=1))
    assert (now(cast).state, now(cast).open_conditions) == (State.CLOSED, 0)


def test_a_revoked_clearance_asks_for_nothing_any_more() -> None:
    cast = unable()
    at = LATER + timedelta(hours=1)
    workflow.propose_revocation(cast.request.pk, actor=actor(cast.senior, at), at=at, grounds=DENIAL)
    alice = cast.applicant.user
    assert alice is not None
    workflow.reply(cast.request.pk, actor=actor(alice, at), at=at, text="Please reconsider.")
    workflow.revoke(cast.request.pk, actor=actor(cast.second_senior, at), at=at)
    assert clocks(cast, ClockKind.CONDITION_ANSWER) == []
    with nothing_moved(), pytest.raises(NotNow), transaction.atomic():
        do(cast, "report_condition", alice, at, text="Done.")


@pytest.mark.parametrize(
    "statement", ["UPDATE approvals_conditionstep SET text = 'x'", "DELETE FROM approvals_conditionstep"]
)
def test_what_happened_to_a_condition_is_never_changed(statement: str) -> None:
    unable()
    with (
        pytest.raises(DatabaseError, match="append_only|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_sweep_reads_the_conditions_of_many_requests_at_once() -> None:
    assert queries.claim_due(at=NOW, limit=10) == []
    for _number in range(3):
        approved(Obligation(text="Report.", due="day", due_on=date(2026, 3, 20)))
    with transaction.atomic():
        claimed = queries.claim_due(at=on(date(2026, 3, 16)), limit=10)
    assert len(claimed) == 3
    assert all("conditions_now" in vars(request) for request, _row in claimed)


# ── programs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_program_sees_conditions_and_reports_one_and_upholds_none() -> None:
    cast = approved(Obligation(text="Send the slides.", due="departure"))
    alice = cast.applicant.user
    assert alice is not None
    client = Client()
    client.force_login(alice)
    (shown,) = client.get(reverse("api_request", args=[cast.request.reference])).json()["conditions"]
    assert (shown["text"], shown["due_on"], shown["state"]) == ("Send the slides.", "2026-04-21", "open")
    action = reverse("api_action", args=[cast.request.reference, "report_condition"])
    given = {"condition": shown["id"], "text": "Sent."}
    done = client.post(action, given, content_type="application/json")
    assert (done.status_code, done.json()["conditions"][0]["state"]) == (200, "reported")
    upheld = reverse("api_action", args=[cast.request.reference, "answer_condition"])
    assert client.post(upheld, given, content_type="application/json").status_code == 404
