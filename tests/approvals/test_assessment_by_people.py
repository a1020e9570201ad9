"""What people do to an assessment: answer a possible match, change the tier, assess anew. Always with a reason."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotNow
from accounts.roles import Role
from approvals import workflow
from approvals.models import Assessment, MatchJudgement, TravelRequest
from approvals.states import Route, State, Tier
from notifications.delivery import deliver
from notifications.models import Notification
from sensitivity import matching
from sensitivity.models import ListKind
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, entry_values, in_state, list_in_force, posted
from tests.factories.requests import LEGS, Cast

pytestmark = pytest.mark.django_db
HOST = "Northwind Computing"
LISTED = entry_values("O-1", 3, label_zh="北风计算", label_en="Northwind Compute")


def taken(**values: Any) -> Cast:
    """A case that a reviewer has taken."""
    return in_state(State.AUTHORITY_REVIEW, **values)


def now(request: TravelRequest) -> TravelRequest:
    return TravelRequest.unscoped.select_related("assessment").get(pk=request.pk)


def soon(request: TravelRequest) -> datetime:
    return request.state_since + timedelta(minutes=30)


@pytest.fixture
def resembling() -> Cast:
    """A case whose host resembles a listed organisation."""
    list_in_force(ListKind.ORGANISATION, LISTED)
    return taken(legs=[{**LEGS[0], "host": HOST}])


def key_of(request: TravelRequest) -> str:
    assessed = now(request).assessment
    assert assessed is not None
    [one] = assessed.possible
    return matching.possible_from(one).key


# ── possible matches ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_that_resembles_a_listed_one_waits_for_a_person_and_counts_for_nothing(resembling: Cast) -> None:
    request = now(resembling.request)
    assert request.assessment is not None
    [one] = map(matching.possible_from, request.assessment.possible)
    assert (one.written, one.hit.code, one.hit.level) == (HOST, "O-1", 3)
    assert 0.5 < one.score <= 1
    assert (request.tier, request.open_matches, request.assessment.hits) == (Tier.FAST, 1, [])


def test_nothing_is_decided_before_every_possible_match_has_an_answer(resembling: Cast) -> None:
    request, at = resembling.request, soon(resembling.request)
    reviewer = actor(resembling.reviewer, at)
    with nothing_moved():
        with pytest.raises(NotNow, match="possible match"):
            workflow.approve(request.pk, actor=reviewer, at=at)
        with pytest.raises(NotNow, match="possible match"):
            workflow.propose(request.pk, actor=reviewer, at=at, outcome="approved", grounds=workflow.Grounds())
    verbs = workflow.available_actions(reviewer, now(request), at=at)
    assert "judge_match" in verbs
    assert not {"approve", "propose"} & set(verbs)


def test_a_confirmed_match_is_a_hit_and_the_tier_rises(resembling: Cast) -> None:
    request, at = resembling.request, soon(resembling.request)
    reviewer = actor(resembling.reviewer, at)
    key = key_of(request)
    workflow.judge_match(request.pk, actor=reviewer, at=at, key=key, confirmed=True, reason="The same address.")

    after = now(request)
    assert (after.tier, after.open_matches) == (Tier.RESTRICTED, 0)
    assert after.assessment is not None
    [hit] = map(matching.hit_from, after.assessment.hits)
    assert (hit.code, hit.confirmed, hit.touched_by) == ("O-1", True, (HOST,))
    assert (after.assessment.cause, after.assessment.reason) == ("match_judged", "The same address.")
    assert after.assessment.route == Route.TWO_PEOPLE_CONSULTED
    said = MatchJudgement.objects.get()
    assert (said.by_id, said.written, said.confirmed, said.reason) == (
        resembling.reviewer.pk,
        HOST,
        True,
        "The same address.",
    )
    assert "approve" not in workflow.available_actions(reviewer, after, at=at)
    with nothing_moved(), pytest.raises(NotNow, match="no possible match"):
        workflow.judge_match(request.pk, actor=reviewer, at=at, key=key, confirmed=False, reason="I was wrong.")


def test_a_dismissed_match_counts_for_nothing_and_is_not_asked_again(resembling: Cast) -> None:
    request, at = resembling.request, soon(resembling.request)
    reviewer = actor(resembling.reviewer, at)
    key = key_of(request)
    workflow.judge_match(request.pk, actor=reviewer, at=at, key=key, confirmed=False, reason="Another country.")
    after = now(request)
    assert (after.tier, after.open_matches) == (Tier.FAST, 0)
    assert after.assessment is not None
    assert (after.assessment.hits, after.assessment.possible) == ([], [])
    # Nothing new in the lists, and the answer holds: there is nothing to assess anew.
    with nothing_moved(), pytest.raises(NotNow, match="say the same"):
        workflow.reassess(request.pk, actor=actor(resembling.senior, at), at=at)
    workflow.approve(request.pk, actor=reviewer, at=at)


def test_an_answer_needs_a_reason_and_a_match_that_waits(resembling: Cast) -> None:
    request, at = resembling.request, soon(resembling.request)
    reviewer = actor(resembling.reviewer, at)
    with nothing_moved():
        with pytest.raises(Invalid, match="how you know"):
            workflow.judge_match(request.pk, actor=reviewer, at=at, key=key_of(request), confirmed=True, reason=" ")
        with pytest.raises(Invalid, match="has an answer already"):
            workflow.judge_match(request.pk, actor=reviewer, at=at, key="other", confirmed=True, reason="Because.")


def test_only_who_has_the_case_answers(resembling: Cast) -> None:
    request, at = resembling.request, soon(resembling.request)
    colleague = posted(request.office, Role.REVIEWER, "0999")
    with nothing_moved():
        for user in (colleague, resembling.senior):
            with pytest.raises(NotAllowed):
                workflow.judge_match(
                    request.pk, actor=actor(user, at), at=at, key=key_of(request), confirmed=True, reason="So."
                )


def test_what_was_said_is_never_changed(resembling: Cast) -> None:
    request, at = resembling.request, soon(resembling.request)
    reviewer = actor(resembling.reviewer, at)
    key = key_of(request)
    workflow.judge_match(request.pk, actor=reviewer, at=at, key=key, confirmed=False, reason="Another country.")
    with nothing_moved(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_matchjudgement SET confirmed = true")


# ── the tier ────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(user: User | None, verb: str) -> str:
    assert user is not None
    return Notification.objects.get(recipient=user, channel="bell", event__event=f"request.{verb}").body


def test_a_reviewer_raises_the_tier_for_a_reason_that_the_applicant_receives() -> None:
    cast = taken()
    request, at = cast.request, soon(cast.request)
    due = now(request).due_at
    workflow.change_tier(
        request.pk, actor=actor(cast.reviewer, at), at=at, tier=Tier.HEIGHTENED, reason="A closed session."
    )
    after = now(request)
    assert after.tier == Tier.HEIGHTENED
    assert after.assessment is not None
    assert (after.assessment.cause, after.assessment.reason, after.assessment.hits) == (
        "tier_changed",
        "A closed session.",
        [],
    )
    assert after.assessment.by_id == cast.reviewer.pk
    assert due is not None
    assert after.due_at is not None
    assert after.due_at > due
    deliver(at=at)
    assert "A closed session." in told(cast.applicant.user, "change_tier")


def test_nobody_lowers_a_case_into_deciding_it_alone() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2))
    cast = taken()
    request, at = cast.request, soon(cast.request)
    lower = {"tier": Tier.STANDARD, "reason": "The talk is public."}
    with nothing_moved(), pytest.raises(NotAllowed, match="decide alone on your own word"):
        workflow.change_tier(request.pk, actor=actor(cast.reviewer, at), at=at, **lower)
    workflow.change_tier(request.pk, actor=actor(cast.senior, at), at=at, **lower)
    assert now(request).tier == Tier.STANDARD
    workflow.approve(request.pk, actor=actor(cast.reviewer, at), at=at)


def test_a_reviewer_lowers_within_what_two_people_decide() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3))
    cast = taken()
    request, at = cast.request, soon(cast.request)
    workflow.change_tier(
        request.pk, actor=actor(cast.reviewer, at), at=at, tier=Tier.HEIGHTENED, reason="Published work only."
    )
    after = now(request)
    assert after.tier == Tier.HEIGHTENED
    assert after.assessment is not None
    assert [hit["level"] for hit in after.assessment.hits] == [3], "what the lists said stays"


def test_the_tier_needs_a_reason_and_a_change() -> None:
    cast = taken()
    request, at = cast.request, soon(cast.request)
    reviewer = actor(cast.reviewer, at)
    with nothing_moved():
        with pytest.raises(Invalid, match="the applicant receives it"):
            workflow.change_tier(request.pk, actor=reviewer, at=at, tier=Tier.HEIGHTENED, reason="")
        with pytest.raises(Invalid, match="this tier already"):
            workflow.change_tier(request.pk, actor=reviewer, at=at, tier=Tier.FAST, reason="Because.")


def test_a_higher_tier_does_not_mend_lateness() -> None:
    cast = taken()
    request = cast.request
    due = now(request).due_at
    assert due is not None
    late = due + timedelta(minutes=1)
    with nothing_moved(), pytest.raises(NotNow, match="overdue"):
        workflow.change_tier(
            request.pk, actor=actor(cast.reviewer, late), at=late, tier=Tier.RESTRICTED, reason="Closer."
        )


# ── the lists of a later day ────────────────────────────────────────────────────────────────────────────────────────


def test_upwards_only_with_a_reason_that_is_sent() -> None:
    cast = taken()
    request, at = cast.request, soon(cast.request)
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2), at=at)
    senior = actor(cast.senior, at)
    with nothing_moved(), pytest.raises(Invalid, match="would rise"):
        workflow.reassess(request.pk, actor=senior, at=at)
    workflow.reassess(request.pk, actor=senior, at=at, reason="The topic was listed yesterday.")
    after = now(request)
    assert after.assessment is not None
    assert (after.tier, after.assessment.cause) == (Tier.HEIGHTENED, "reassessed")
    assert after.revision_number == 1, "nothing was submitted anew"
    deliver(at=at)
    assert "The topic was listed yesterday." in told(cast.applicant.user, "reassess")


def test_downwards_at_once() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2, valid_until=NOW.date()))
    cast = taken()
    request = cast.request
    assert request.tier == Tier.HEIGHTENED
    at = NOW + timedelta(days=2)
    workflow.reassess(request.pk, actor=actor(cast.senior, at), at=at)
    after = now(request)
    assert after.assessment is not None
    assert (after.tier, after.assessment.hits, after.assessment.reason) == (Tier.FAST, [], "")


def test_publishing_changes_no_request_by_itself() -> None:
    cast = taken()
    before = now(cast.request)
    with nothing_moved_of_requests():
        list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3))
    assert now(cast.request).assessment_id == before.assessment_id


def nothing_moved_of_requests() -> Any:
    lists = [*apps.get_app_config("sensitivity").get_models()]
    others = [apps.get_model(name) for name in ("audit.Entry", "notifications.OutboxEvent")]
    return nothing_moved(apart_from=[*lists, *others])


def test_the_database_refuses_a_change_without_a_person_or_a_reason() -> None:
    cast = taken()
    assessed = now(cast.request).assessment
    assert assessed is not None
    for values in (
        {"cause": "tier_changed", "reason": "Because.", "by_id": None},
        {"cause": "tier_changed", "reason": "", "by_id": cast.reviewer.pk},
        {"cause": "reassessed", "reason": "", "by_id": None},
    ):
        with pytest.raises(IntegrityError, match="for_a_reason"), transaction.atomic():
            Assessment.objects.create(
                request=cast.request,
                at=NOW,
                revision_id=assessed.revision_id,
                tier=Tier.RESTRICTED,
                days=3,
                **values,
            )
