"""Fair process 5, 7, 8, 14, 15, 17, 22, 23 and what is never built: what holds in every part of the product."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.urls import get_resolver

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotNow
from accounts.roles import Role
from approvals import inbox, queries, sweeping, workflow
from approvals.models import Clock, CompanyReview, Decision, Extension, Reply, TravelRequest
from approvals.models.amendment import AmendmentState
from approvals.states import State, Tier
from approvals.views import standing
from authorities.models import ReasonCode
from authorities.terms import ClockKind
from notifications.delivery import deliver
from notifications.models import Channel, Notification
from sensitivity.models import ListKind
from tests.approvals.calls import call
from tests.approvals.staffing import signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, employ, entry_values, in_state, list_in_force, submitted
from tests.factories.requests import LEGS, Cast

HERE = Path(__file__).resolve().parent
HOUR = timedelta(hours=1)


def fresh(cast: Cast) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=cast.request.pk)


def do(cast: Cast, verb: str, user: User | None, at: datetime, **values: Any) -> Any:
    assert user is not None
    return call(verb, cast.request.pk, actor(user, at), at, **values)


def page_of(user: User | None, cast: Cast) -> str:
    assert user is not None
    return text_of(signed_in(user).get(f"/requests/{cast.request.reference}/", follow=True))


# ── 5 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_05_no_ground_can_point_at_anything_but_a_part_of_this_trip() -> None:
    parts = {"destination", "host", "event", "topic", "material", "dates"}
    assert set(ReasonCode.PointsAt.values) == parts


@pytest.mark.django_db
def test_05_an_earlier_denial_is_not_shown_to_who_decides_on_the_next_trip() -> None:
    before = in_state(State.DENIED)
    at = fresh(before).state_since + timedelta(days=3)
    next_trip = [LEGS[0] | {"arrives_on": LEGS[0]["arrives_on"] + timedelta(days=60)}]
    next_trip[0]["leaves_on"] = LEGS[0]["leaves_on"] + timedelta(days=60)
    request = submitted(before.applicant, at=at, legs=next_trip, title="Another trip")
    workflow.endorse(request.pk, actor=actor(before.officer, at), at=at)
    workflow.take(request.pk, actor=actor(before.reviewer, at), at=at, no_conflict=True)
    case = text_of(signed_in(before.reviewer).get(f"/cases/{request.reference}/"))
    assert "Another trip" in case
    assert before.request.reference not in case


# ── 7 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_07_the_applicant_reads_every_hit_with_the_entry_that_caused_it() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2, label_en="Retrieval", reason_en="Dual use."))
    list_in_force(ListKind.DESTINATION, entry_values("BR", 1, label_en="Brazil", reason_en="An agreement of 2024."))
    cast = in_state(State.COMPANY_REVIEW)
    page = page_of(cast.applicant.user, cast)
    for words in ("Retrieval", "Dual use.", "Brazil", "An agreement of 2024."):
        assert words in page


@pytest.mark.django_db
def test_07_of_a_confidential_entry_its_existence_its_basis_and_who_reviewed_that_are_shown() -> None:
    list_in_force(ListKind.ORGANISATION, entry_values("ZETA", 1, label_en="Zeta Laboratory"), confidential=True)
    cast = in_state(State.COMPANY_REVIEW, legs=[LEGS[0] | {"host": "Zeta Laboratory"}])
    page = page_of(cast.applicant.user, cast)
    assert "An entry of a confidential list" in page
    assert "Measures on confidential lists, Article 4" in page
    assert "Reviewed by" in page


# ── 8 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_08_the_company_returns_comments_and_declines_only_what_is_its_business() -> None:
    business = in_state(State.COMPANY_REVIEW)
    at = fresh(business).state_since + HOUR
    do(business, "decline", business.officer, at)
    assert fresh(business).state == State.COMPANY_DECLINED
    personal = in_state(
        State.COMPANY_REVIEW, employee=employ("Bob Li", business.applicant.company), purpose="personal", topics=[]
    )
    at = fresh(personal).state_since + HOUR
    with nothing_moved(), pytest.raises(NotNow, match="business trips only"):
        do(personal, "decline", personal.officer, at)
    do(personal, "object", personal.officer, at)
    assert fresh(personal).state == State.AUTHORITY_REVIEW


@pytest.mark.django_db
def test_08_what_the_company_declines_the_applicant_takes_to_the_office_as_a_personal_trip() -> None:
    cast = in_state(State.COMPANY_DECLINED)
    do(cast, "refer", cast.applicant.user, fresh(cast).state_since + HOUR)
    now = fresh(cast)
    assert (now.state, now.continues_as_personal) == (State.AUTHORITY_REVIEW, True)


@pytest.mark.django_db
def test_08_its_silence_forwards_the_request() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    due = fresh(cast).due_at
    assert due is not None
    sweeping.sweep(at=due)
    assert fresh(cast).state == State.AUTHORITY_REVIEW
    assert CompanyReview.objects.get(request=cast.request).outcome == CompanyReview.Outcome.SILENT


# ── 14 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_14_one_extension_by_somebody_else_bounded_with_a_reason_that_the_applicant_receives() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at = fresh(cast).state_since + HOUR
    with nothing_moved(), pytest.raises(NotAllowed):
        do(cast, "extend", cast.reviewer, at)
    for days, reason in ((11, "The host was asked."), (0, "The host was asked."), (5, "  ")):
        with nothing_moved(), pytest.raises(Invalid):
            do(cast, "extend", cast.senior, at, working_days=days, reason=reason)
    do(cast, "extend", cast.senior, at, working_days=5, reason="The host was asked and has not answered.")
    with nothing_moved(), pytest.raises(NotNow, match="extended once"):
        do(cast, "extend", cast.second_senior, at)
    assert "The host was asked and has not answered." in page_of(cast.applicant.user, cast)
    deliver(at=at, mails=False)
    told = Notification.objects.filter(
        recipient=cast.applicant.user, channel=Channel.BELL, event__event="request.extend"
    )
    assert told.count() == 1


@pytest.mark.django_db
def test_14_the_database_takes_one_extension_of_ten_days_at_most() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    row = {"request": cast.request, "at": NOW, "by": cast.senior, "reason": "Because."}
    with pytest.raises(IntegrityError, match="approvals_extension_bounded"), transaction.atomic():
        Extension.objects.create(working_days=11, **row)
    Extension.objects.create(working_days=3, **row)
    with pytest.raises(IntegrityError, match="approvals_extension_once"), transaction.atomic():
        Extension.objects.create(working_days=3, **row)


# ── 15 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_15_a_year_of_silence_refuses_nobody(level: int) -> None:
    if level:
        list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", level))
    cast = in_state(State.AUTHORITY_REVIEW)
    at = NOW
    for _day in range(60):
        at += timedelta(days=7)
        sweeping.sweep(at=at)
    now = fresh(cast)
    assert now.state in (State.APPROVED, State.CLOSED, State.AUTHORITY_REVIEW)
    assert (now.state == State.AUTHORITY_REVIEW) == (now.tier in (Tier.HEIGHTENED, Tier.RESTRICTED))
    assert not Decision.objects.exclude(outcome="approved").exists()


# ── 17 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_17_urgent_requests_are_first_in_every_queue_of_every_desk() -> None:
    for kind, tabs in inbox.TABS.items():
        for tab in tabs:
            if tab.order.column == "r.due_at":
                assert tab.order.urgent_first, (kind, tab.name)


# ── 22 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def shifted(days: int) -> list[dict[str, Any]]:
    move = timedelta(days=days)
    return [leg | {"arrives_on": leg["arrives_on"] + move, "leaves_on": leg["leaves_on"] + move} for leg in LEGS]


def changed(cast: Cast, at: datetime, legs: list[dict[str, Any]]) -> Any:
    me = actor(cast.applicant.user, at)  # type: ignore[arg-type]
    workflow.begin_amendment(cast.request.pk, actor=me, at=at)
    workflow.save_amendment(cast.request.pk, actor=me, at=at, section="itinerary", legs=legs)
    verb = workflow.filing_verb(fresh(cast), me, at=at)
    assert verb is not None
    getattr(workflow, verb)(cast.request.pk, actor=me, at=at, reason="The organisers moved it.")
    return cast.request.amendments.latest("begun_at")


@pytest.mark.django_db
def test_22_new_days_of_a_cleared_trip_take_one_reviewer_whatever_was_decided_by_two() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2))
    cast = in_state(State.AUTHORITY_REVIEW)
    at = fresh(cast).state_since + HOUR
    do(cast, "propose", cast.reviewer, at, outcome="approved", grounds=workflow.Grounds())
    do(cast, "confirm", cast.senior, at)
    change = changed(cast, at + HOUR, shifted(3))
    assert (change.touches, change.hits, change.needs_two_people) == (["dates"], [], False)
    do(cast, "accept_amendment", cast.reviewer, at + 2 * HOUR)
    assert fresh(cast).departs_on == LEGS[0]["arrives_on"] + timedelta(days=3)


@pytest.mark.django_db
def test_22_new_days_of_a_request_ask_nobody_again_and_start_no_clock_anew() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    before = Clock.objects.get(request=cast.request, kind=ClockKind.DECISION)
    change = changed(cast, fresh(cast).state_since + HOUR, shifted(3))
    after = Clock.objects.get(request=cast.request, kind=ClockKind.DECISION)
    assert change.state == AmendmentState.TAKEN_OVER
    assert (after.pk, after.started_at, after.due_at) == (before.pk, before.started_at, before.due_at)
    assert CompanyReview.objects.filter(request=cast.request).count() == 1


# ── 23 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_23_the_page_says_where_it_is_since_when_with_whom_and_by_when_and_it_is_pushed() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at, number = fresh(cast).state_since, fresh(cast).assigned_number
    me = actor(cast.applicant.user, at)  # type: ignore[arg-type]
    said = standing.sentence(queries.in_full(me).get(pk=cast.request.pk), me, at)
    for words in (
        cast.request.office.name,
        f"officer {number}",
        "since 3 March",
        "Decision due by",
        "You need do nothing",
    ):
        assert words in said, said
    deliver(at=at + 3 * HOUR, mails=False)
    for event in ("request.submit", "request.endorse", "request.take"):
        pushed = Notification.objects.filter(recipient=cast.applicant.user, event__event=event)
        assert {row.channel for row in pushed} == {Channel.BELL, Channel.MAIL}, event


@pytest.mark.django_db
def test_23_a_reply_is_pushed_back_to_who_has_to_read_it() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    at = fresh(cast).state_since + HOUR
    do(cast, "reply", cast.applicant.user, at)
    deliver(at=at, mails=False)
    assert Reply.objects.filter(request=cast.request).exists()
    assert Notification.objects.filter(recipient=cast.senior, event__event="request.reply").exists()


# ── never built ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_never_built_no_list_holds_people_and_no_person_has_a_score() -> None:
    assert set(ListKind.values) == {"technology", "destination", "organisation", "project", "event"}
    people = {"accounts.User", "employees.Employee"}
    for model in apps.get_app_config("sensitivity").get_models():
        for field in model._meta.get_fields():
            if field.is_relation and field.related_model is not None and field.related_model._meta.label in people:
                # Who wrote or published something, never whom it is about.
                assert re.search(r"_by$|^author$|^publisher$|^owner$|^user$|^by$", field.name), (model, field.name)
    forbidden = re.compile(r"score|watch|barred|blacklist|passport_held|risk|belief|ethnic|religion|social_media", re.I)
    for model in apps.get_models():
        for field in model._meta.get_fields():
            assert not forbidden.search(field.name), (model._meta.label, field.name)


def test_never_built_no_address_lists_who_may_not_leave() -> None:
    def patterns(resolver: Any, before: str = "") -> list[str]:
        found = []
        for one in resolver.url_patterns:
            route = before + str(one.pattern)
            found += patterns(one, route) if hasattr(one, "url_patterns") else [route]
        return found

    forbidden = re.compile(r"barred|watch|border|airline|blacklist|deny|denial/bulk", re.I)
    assert not [route for route in patterns(get_resolver()) if forbidden.search(route)]


# ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_number_has_a_test_and_a_line_in_the_page() -> None:
    tested = {
        int(number)
        for file in HERE.glob("test_*.py")
        for number in re.findall(r"^\s*def test_(\d\d)_", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert tested == set(range(1, 29))
    page = (HERE.parent.parent / "docs" / "fair-process.md").read_text(encoding="utf-8")
    lines = {int(number): line for number, line in re.findall(r"^\| (\d+) \| (.*)$", page, re.MULTILINE)}
    assert set(lines) == set(range(1, 29))
    for number, line in lines.items():
        named = re.findall(r"`(test_\w+\.py)`", line)
        assert named, f"{number} names no file of tests"
        for name in named:
            text = (HERE / name).read_text(encoding="utf-8")
            assert f"def test_{number:02d}_" in text, f"{name} has no test of number {number}"


def test_roles_that_decide_nothing() -> None:
    """An administrator, an auditor, a list manager and a clock are named by no verb that refuses somebody."""
    for verb in ("propose", "confirm", "revoke", "propose_revocation", "uphold"):
        rows = workflow.transitions().get(verb, {})
        for row in rows.values():
            assert not {Role.ADMINISTRATOR, Role.AUDITOR, Role.LIST_MANAGER, Role.SYSTEM} & set(row.permission.roles)
