"""Fair process, 9, 10, 18 and 19: conflicts of interest, nobody looks at their own work, the remedy, the appeal."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.refusals import NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import queries, timekeeping
from approvals.models import Appeal, Conflict, ConflictDeclaration, TravelRequest
from approvals.states import State
from tests.approvals.calls import as_
from tests.approvals.staffing import MORNING, signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import OfficeFactory, actor, in_state, posted
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages ask for the time: it is the morning after."""
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


def at_appeal(state: State = State.DENIED) -> tuple[Cast, User]:
    cast = in_state(state)
    return cast, posted(OfficeFactory.create(code="PD", name_en="Pudong office"), Role.APPEAL_REVIEWER, "0099", "Ping")


# ── 9. Conflicts of interest are declared when taking a case and block access; another reviewer, once ───────────────


def test_09_a_case_is_taken_with_a_declaration_that_is_kept() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    declared = ConflictDeclaration.objects.get(request=cast.request, occasion="take")
    assert (declared.by, declared.conflict) == (cast.reviewer, Conflict.NONE)


def test_09_a_declared_conflict_closes_the_case_on_every_page() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    url = reverse("request_do", args=[cast.request.reference, "recuse"])
    assert signed_in(cast.reviewer).post(url, {"conflict": "relation"}).status_code == 302
    for name in ("case", "request"):
        assert signed_in(cast.reviewer).get(reverse(name, args=[cast.request.reference])).status_code == 404
    with nothing_moved(), pytest.raises(NotFound):
        as_(cast, cast.reviewer, "take", 2)


def test_09_the_applicant_asks_for_another_reviewer_once_and_is_answered() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    url = reverse("request_do", args=[cast.request.reference, "ask_other_reviewer"])
    assert signed_in(cast.applicant.user).post(url, {"reason": "We were rivals."}).status_code == 302
    as_(cast, cast.senior, "keep_reviewer", 2)
    with nothing_moved(), pytest.raises(NotNow, match="asked for once already"):
        as_(cast, cast.applicant.user, "ask_other_reviewer", 3)
    page = text_of(signed_in(cast.applicant.user).get(reverse("request", args=[cast.request.reference])))
    assert "Request for another reviewer refused, with reasons" in page


# ── 10. The decider cannot extend, audit, or hear the appeal of the case ────────────────────────────────────────────


def test_10_who_has_the_case_cannot_extend_and_who_extended_cannot_take_it() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    with nothing_moved(), pytest.raises(NotAllowed):
        as_(cast, cast.reviewer, "extend")
    posted(cast.request.office, Role.REVIEWER, "0044", user=cast.senior)
    as_(cast, cast.senior, "extend")
    as_(cast, cast.second_senior, "hand_over", 2)
    with nothing_moved(), pytest.raises(NotAllowed, match="Who extended the time"):
        as_(cast, cast.senior, "take", 3)


def test_10_who_decided_does_not_audit_it() -> None:
    cast = in_state(State.DENIED)
    cast.senior.postings.all().delete()
    cast.senior.role_assignments.create(role=Role.AUDITOR, starts_at=cast.request.created_at)
    later = cast.request.state_since + timedelta(days=1)
    assert not queries.visible_to(actor(cast.senior, later)).filter(pk=cast.request.pk).exists()


@pytest.mark.parametrize("decider", ["reviewer", "senior"])
def test_10_who_decided_does_not_hear_the_appeal(decider: str) -> None:
    cast, ping = at_appeal()
    person: User = getattr(cast, decider)
    posted(OfficeFactory.create(code="PD"), Role.APPEAL_REVIEWER, "0098", user=person)
    as_(cast, cast.applicant.user, "file_appeal")
    with nothing_moved(), pytest.raises(NotAllowed):
        as_(cast, person, "hear_appeal", 2)
    assert as_(cast, ping, "hear_appeal", 2).heard_by_id == ping.pk


# ── 18. Every denial carries the remedy: where, how, and the computed last day. Appeal is one click away ────────────


@pytest.mark.parametrize("state", [State.DENIED, State.REVOKED])
def test_18_the_remedy_is_on_the_page_and_one_click_from_it(state: State) -> None:
    cast, _ping = at_appeal(state)
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert request.decision is not None
    last = request.decision.appeal_until
    assert last == timekeeping.appeal_until(request, at=request.decision.at)
    page = text_of(signed_in(cast.applicant.user).get(reverse("request", args=[request.reference])))
    appeal = reverse("request_do", args=[request.reference, "file_appeal"])
    assert "An appeal can be filed until 2 May 2026" in page
    assert "1 Example Road, Haidian, Beijing" in page
    assert f'href="{appeal}"' in page

    sent = signed_in(cast.applicant.user).post(
        appeal, {"text": "It was cancelled.", "files": ContentFile(b"%PDF-1.4 off", name="off.pdf")}
    )

    assert sent.status_code == 302
    filed = Appeal.objects.get(request=request)
    assert (filed.text, filed.documents.count()) == ("It was cancelled.", 1)


def test_18_the_page_offers_an_appeal_as_long_as_one_can_be_filed(monkeypatch: pytest.MonkeyPatch) -> None:
    cast, _ping = at_appeal()
    place = reverse("request", args=[cast.request.reference])
    alice = signed_in(cast.applicant.user)
    as_(cast, cast.applicant.user, "file_appeal")
    filed = text_of(alice.get(place))
    assert "If you disagree" not in filed
    assert "heard by Pudong office" in filed
    as_(cast, cast.applicant.user, "withdraw_appeal", 2)
    assert "An appeal can be filed until 2 May 2026" in text_of(alice.get(place))
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 5, 3, 0, 0, 1, tzinfo=MORNING.tzinfo))
    over = text_of(signed_in(cast.applicant.user).get(place))
    assert "An appeal could be filed until 2 May 2026. That time is over." in over
    assert "1 Example Road" not in over
    assert "file_appeal" not in over


# ── 19. An appeal reopens the facts, is heard by people of another office, and can replace the decision ─────────────


def test_19_an_appeal_reopens_the_facts_and_replaces_the_decision() -> None:
    cast, ping = at_appeal()
    as_(cast, cast.applicant.user, "file_appeal")
    assert Appeal.objects.get(request=cast.request).office != cast.request.office
    as_(cast, ping, "hear_appeal", 2)
    as_(cast, cast.applicant.user, "add_to_appeal", 3)
    as_(cast, ping, "note_hearing", 4)
    as_(cast, cast.applicant.user, "comment_on_hearing", 5)
    as_(cast, ping, "ask_in_appeal", 6)
    as_(cast, cast.applicant.user, "answer_in_appeal", 7)
    request = as_(cast, ping, "overturn", 8)
    assert request.state == State.APPROVED
    decision = TravelRequest.unscoped.get(pk=request.pk).decision
    assert decision is not None
    assert (decision.outcome, decision.by) == ("approved", ping)


def test_19_an_appeal_clears_a_part_and_the_applicant_sees_which() -> None:
    cast, ping = at_appeal()
    as_(cast, cast.applicant.user, "file_appeal")
    as_(cast, ping, "hear_appeal", 2)
    url = reverse("request_do", args=[cast.request.reference, "overturn"])
    sent = {"text": "The last days are public.", "keep_0": "on", "from_0": "2026-04-25", "to_0": "2026-04-28"}
    assert signed_in(ping).post(url, sent).status_code == 302
    page = text_of(signed_in(cast.applicant.user).get(reverse("request", args=[cast.request.reference])))
    assert "Cleared for fewer days" in page
    assert "The last days are public." in page


def test_19_no_appeal_is_decided_without_reasons_or_by_the_office_that_decided() -> None:
    cast, ping = at_appeal()
    own = posted(cast.request.office, Role.APPEAL_REVIEWER, "0088")
    as_(cast, cast.applicant.user, "file_appeal")
    with nothing_moved(), pytest.raises(NotFound):
        as_(cast, own, "hear_appeal", 2)
    as_(cast, ping, "hear_appeal", 2)
    url = reverse("request_do", args=[cast.request.reference, "uphold"])
    with nothing_moved(apart_from=_looked_at()):
        assert signed_in(ping).post(url, {"text": " "}).status_code == 422


def _looked_at() -> list[Any]:
    from accounts.models import AccessEntry

    return [AccessEntry]
