"""Conflicts of interest: declared before acting, and from then on the case is closed to whoever has one. And the one
request of the applicant for another reviewer.

Rui has Alice's case, Shan and Sun are seniors, Olivia was her company's officer and endorsed the trip.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import inbox, queries
from approvals.models import (
    Appeal,
    Conflict,
    ConflictDeclaration,
    OtherReviewerAnswer,
    OtherReviewerRequest,
    Recusal,
    TravelRequest,
)
from approvals.states import State
from authorities.models import Absence
from companies.models import Membership
from tests.approvals.calls import as_
from tests.approvals.staffing import MORNING, signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import OfficeFactory, actor, in_state, posted, with_role
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages ask for the time: it is the morning after."""
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


def sees(cast: Cast, user: User, hours: int = 2) -> bool:
    at = cast.request.state_since + timedelta(hours=hours)
    return queries.visible_to(actor(user, at)).filter(pk=cast.request.pk).exists()


def queued() -> tuple[Cast, User]:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast, cast.senior, "hand_over", 0)
    return cast, posted(cast.request.office, Role.REVIEWER, "0011", "Ren Reviewer")


# ── declaring ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_taking_a_case_keeps_what_was_declared() -> None:
    cast, ren = queued()
    as_(cast, ren, "take")
    declared = ConflictDeclaration.objects.get(request=cast.request, by=ren)
    assert (declared.occasion, declared.conflict) == ("take", Conflict.NONE)
    page = text_of(signed_in(cast.applicant.user).get(reverse("request", args=[cast.request.reference])))
    assert "Declared to have no conflict of interest." in page


@pytest.mark.parametrize("conflict", [one for one in Conflict if one != Conflict.NONE])
def test_any_conflict_closes_the_case_instead_of_giving_it(conflict: Conflict) -> None:
    cast, ren = queued()
    url = reverse("request_do", args=[cast.request.reference, "take"])
    response = signed_in(ren).post(url, {"conflict": conflict.value, "reason": "We share a flat."})

    assert response["Location"] == reverse("inbox")
    declared = ConflictDeclaration.objects.get(request=cast.request, by=ren)
    assert (declared.conflict, declared.detail) == (conflict, "We share a flat.")
    assert TravelRequest.unscoped.get(pk=cast.request.pk).assigned_reviewer_id is None
    for name in ("case", "request"):
        assert signed_in(ren).get(reverse(name, args=[cast.request.reference])).status_code == 404
    with nothing_moved(), pytest.raises(NotFound):
        as_(cast, ren, "take", 24 * 30)
    with nothing_moved(), pytest.raises(Invalid, match="cannot take the case"):
        as_(cast, cast.senior, "hand_over", 24 * 30, reviewer_id=ren.pk)


@pytest.mark.parametrize("conflict", ["none", "", "of mind"])
def test_leaving_a_case_names_a_conflict(conflict: str) -> None:
    cast, ren = queued()
    with nothing_moved(), pytest.raises(Invalid):
        as_(cast, ren, "recuse", conflict=conflict)


def test_a_senior_declares_before_confirming_and_leaves_with_a_conflict() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    as_(cast, cast.applicant.user, "reply")
    with nothing_moved(), pytest.raises(Invalid, match="no conflict of interest"):
        as_(cast, cast.senior, "confirm", 2, no_conflict=False)
    as_(cast, cast.senior, "recuse", 2)
    assert not sees(cast, cast.senior)
    with nothing_moved(), pytest.raises(NotFound):
        as_(cast, cast.senior, "confirm", 3)
    assert as_(cast, cast.second_senior, "confirm", 3).state == State.DENIED
    declared = ConflictDeclaration.objects.get(request=cast.request, occasion="confirm")
    assert (declared.by, declared.conflict) == (cast.second_senior, Conflict.NONE)


def test_an_appeal_reviewer_with_a_conflict_leaves_the_appeal_to_a_colleague() -> None:
    cast = in_state(State.DENIED)
    office = OfficeFactory.create(code="PD", name_en="Pudong office")
    ping, pei = (posted(office, Role.APPEAL_REVIEWER, number) for number in ("0099", "0098"))
    as_(cast, cast.applicant.user, "file_appeal")
    with nothing_moved(), pytest.raises(Invalid, match="no conflict of interest"):
        as_(cast, ping, "hear_appeal", no_conflict=False)
    as_(cast, ping, "hear_appeal")

    as_(cast, ping, "recuse", 2, conflict="host")

    appeal = Appeal.objects.get(request=cast.request)
    assert (appeal.state, appeal.heard_by_id) == ("filed", None)
    assert not sees(cast, ping, 3)
    assert as_(cast, pei, "hear_appeal", 3).heard_by_id == pei.pk


def test_who_proposed_something_leaves_only_when_it_is_given_back() -> None:
    cast = in_state(State.APPROVED)
    as_(cast, cast.senior, "propose_revocation")
    with nothing_moved(), pytest.raises(NotAllowed):
        as_(cast, cast.senior, "recuse", 2)
    as_(cast, cast.second_senior, "reject_revocation", 2)
    as_(cast, cast.second_senior, "propose_revocation", 3)
    as_(cast, cast.senior, "recuse", 4)
    assert not sees(cast, cast.senior, 5)


# ── former officers, and who decided ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.SENIOR, Role.HEAD])
def test_who_endorsed_it_for_the_company_never_acts_on_it_for_the_office(role: Role) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    Membership.objects.filter(user=cast.officer).update(ends_at=cast.request.state_since)
    posted(cast.request.office, role, "0077", user=cast.officer)
    at = cast.request.state_since + timedelta(hours=1)
    who = actor(cast.officer, at)
    assert not who.holds(Role.OFFICER, cast.request.company_id)

    assert not sees(cast, cast.officer)
    for verb in ("take", "hand_over", "extend", "recuse"):
        with nothing_moved(), pytest.raises(NotFound):
            as_(cast, cast.officer, verb)
    with nothing_moved(), pytest.raises(Invalid, match="cannot take the case"):
        as_(cast, cast.senior, "hand_over", reviewer_id=cast.officer.pk)
    desk = inbox.Desk(inbox.Kind.OFFICE, cast.request.office_id)
    [tab] = [tab for tab in inbox.tabs_of(desk, who) if tab.name == "all"]
    assert inbox.read(inbox.Listing(desk, tab, who, at)).rows == []


def test_a_former_officer_does_not_hear_the_appeal_either() -> None:
    cast = in_state(State.DENIED)
    office = OfficeFactory.create(code="PD", name_en="Pudong office")
    posted(office, Role.APPEAL_REVIEWER, "0099")
    Membership.objects.filter(user=cast.officer).update(ends_at=cast.request.state_since)
    posted(office, Role.APPEAL_REVIEWER, "0098", user=cast.officer)
    as_(cast, cast.applicant.user, "file_appeal")
    with nothing_moved(), pytest.raises(NotFound):
        as_(cast, cast.officer, "hear_appeal")


def test_who_decided_does_not_audit_the_case() -> None:
    cast = in_state(State.DENIED)
    auditor = with_role(Role.AUDITOR)
    for person in (cast.reviewer, cast.senior):
        person.postings.all().delete()
        person.role_assignments.create(role=Role.AUDITOR, starts_at=datetime(2020, 1, 1, tzinfo=UTC))
        assert not sees(cast, person)
    assert sees(cast, auditor)


# ── handing over ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_offers_nobody_who_is_absent_recused_or_extended_the_time() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office = cast.request.office
    ren, away, left = (posted(office, Role.REVIEWER, number) for number in ("0011", "0012", "0013"))
    posted(office, Role.REVIEWER, "0014", user=cast.senior)
    posted(office, Role.REVIEWER, "0015", user=cast.officer)
    at = cast.request.state_since + timedelta(hours=2)
    Absence.objects.create(
        user=away, office=office, starts_at=at - timedelta(hours=1), ends_at=at + timedelta(hours=1), entered_by=away
    )
    as_(cast, left, "recuse")
    as_(cast, cast.senior, "extend")
    request = TravelRequest.unscoped.get(pk=cast.request.pk)

    offered = {one.user_id for one in queries.reviewers_for(request, at=at)}

    assert offered == {ren.pk, cast.reviewer.pk}
    with nothing_moved(), pytest.raises(Invalid, match="cannot take the case"):
        as_(cast, cast.second_senior, "hand_over", 2, reviewer_id=cast.senior.pk)
    as_(cast, cast.second_senior, "hand_over", 2)
    with nothing_moved(), pytest.raises(NotAllowed, match="Who extended the time"):
        as_(cast, cast.senior, "take", 3)


# ── another reviewer ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_applicant_asks_once_and_a_senior_hands_the_case_over() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    ren = posted(cast.request.office, Role.REVIEWER, "0011")
    due = cast.request.due_at
    with nothing_moved(), pytest.raises(Invalid):
        as_(cast, cast.applicant.user, "ask_other_reviewer", reason=" ")

    asked = as_(cast, cast.applicant.user, "ask_other_reviewer")

    assert (asked.due_at, asked.assigned_reviewer_id) == (due, cast.reviewer.pk)
    row = OtherReviewerRequest.objects.get(request=cast.request)
    assert (row.by, row.reviewer) == (cast.applicant.user, cast.reviewer)
    with nothing_moved(), pytest.raises(NotNow, match="asked for once already"):
        as_(cast, cast.applicant.user, "ask_other_reviewer", 2)
    with nothing_moved(), pytest.raises(NotNow, match="a senior reviewer answers that first"):
        as_(cast, cast.reviewer, "propose", 2)

    handed = as_(cast, cast.senior, "hand_over", 3, reviewer_id=ren.pk)

    assert handed.assigned_reviewer_id == ren.pk
    assert OtherReviewerAnswer.objects.get(request=cast.request).granted
    with nothing_moved(), pytest.raises(NotNow):
        as_(cast, cast.senior, "keep_reviewer", 4)
    with nothing_moved(), pytest.raises(NotNow):
        as_(cast, cast.applicant.user, "ask_other_reviewer", 4)


def test_a_senior_refuses_with_reasons_that_the_applicant_reads_and_the_company_does_not() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast, cast.applicant.user, "ask_other_reviewer")
    with nothing_moved(), pytest.raises(Invalid):
        as_(cast, cast.senior, "keep_reviewer", 2, reason="")
    as_(cast, cast.senior, "keep_reviewer", 2)

    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert (request.assigned_reviewer_id, request.other_reviewer_answered_at) == (
        cast.reviewer.pk,
        cast.request.state_since + timedelta(hours=2),
    )
    url = reverse("request", args=[cast.request.reference])
    mine, company = (text_of(signed_in(user).get(url)) for user in (cast.applicant.user, cast.officer))
    for words in ("did not part as friends", "none is known"):
        assert words in mine
        assert words not in company
    assert as_(cast, cast.reviewer, "propose", 3).state == State.DECISION_PROPOSED


def test_the_assigned_reviewer_does_not_answer_as_a_senior() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    as_(cast, cast.applicant.user, "ask_other_reviewer")
    with nothing_moved(), pytest.raises(NotAllowed, match="another person must"):
        as_(cast, cast.reviewer, "keep_reviewer", 2)
    assert Recusal.objects.count() == 0
