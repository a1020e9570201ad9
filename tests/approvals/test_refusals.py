"""Refused although the state would allow it: two roles in one case, an unmet condition, thin grounds.

Alice asks, Olivia is her company's officer, Rui has the case, Shan and Sun are seniors. Who is refused moves nothing.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.utils import DatabaseError
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Refused
from accounts.roles import SYSTEM, Role
from approvals import queries, workflow
from approvals.models import Appeal, Clock, Decision, Proposal, TravelRequest
from approvals.states import State
from audit.models import AppendOnly, Entry
from authorities import grounds
from authorities.models import ReasonCode
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import (
    DENIAL,
    NOW,
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    in_state,
    officer_of,
    posted,
    reason_code,
    submitted,
    with_role,
)
from tests.factories.law import administrator, enacted_code
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

Do = Callable[..., Any]


def as_(user: User | None, verb: str, cast: Cast, at: datetime | None = None, **more: Any) -> Any:
    """`user` does `verb` to the request of the story, five minutes after what happened last or at `at`."""
    assert user is not None
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    at = at or request.state_since + timedelta(minutes=5)
    return call(verb, request.pk, actor(user, at), at, **more)


@contextmanager
def refused(kind: type[Refused], words: str):
    """The block is refused as `kind`, with `words` in the sentence, and nothing moves."""
    with nothing_moved():
        with pytest.raises(kind) as caught:
            with transaction.atomic():
                yield
        assert words in str(caught.value)


def problems_of(act: Callable[[], Any]) -> set[str]:
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        act()
    return {problem.field for problem in caught.value.problems}


def at_appeal(state: State = State.DENIED) -> tuple[Cast, User]:
    """A refusal, and somebody of another office who can hear an appeal against it."""
    cast = in_state(state)
    other = OfficeFactory.create(code="PD", name_en="Pudong office")
    return cast, posted(other, Role.APPEAL_REVIEWER, "0099", "Ping Appeal")


# ── nobody acts in two roles on one request ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", ["return_for_changes", "endorse", "decline"])
def test_an_officer_who_applies_cannot_review_their_own_trip(verb: str) -> None:
    cast = in_state(State.COMPANY_REVIEW)
    officer_of(cast.request.company, user=cast.applicant.user)
    with refused(NotAllowed, "cannot act on their own request"):
        as_(cast.applicant.user, verb, cast)
    assert as_(cast.officer, verb, cast).state != State.COMPANY_REVIEW


@pytest.mark.parametrize("verb", ["take", "recuse", "hand_over"])
def test_people_of_the_office_who_apply_cannot_touch_their_own_case(verb: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast.senior, "hand_over", cast)
    posted(cast.request.office, Role.REVIEWER, "0101", user=cast.applicant.user)
    posted(cast.request.office, Role.SENIOR, "0101", user=cast.applicant.user)
    with refused(NotAllowed, "cannot act on their own request"):
        as_(cast.applicant.user, verb, cast)


def test_the_applicant_is_not_given_the_case_either() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.REVIEWER, "0101", user=cast.applicant.user)
    with refused(Invalid, "cannot take the case"):
        as_(cast.senior, "hand_over", cast, reviewer_id=cast.applicant.user_id)


@pytest.mark.parametrize(
    ("state", "role", "verb"),
    [
        (State.AUTHORITY_REVIEW, Role.REVIEWER, "take"),
        (State.AUTHORITY_REVIEW, Role.SENIOR, "hand_over"),
        (State.AUTHORITY_REVIEW, Role.SENIOR, "extend"),
        (State.DECISION_PROPOSED, Role.SENIOR, "reject_proposal"),
        (State.APPROVED, Role.SENIOR, "propose_revocation"),
    ],
)
def test_an_officer_of_the_company_does_not_act_for_the_office(state: State, role: Role, verb: str) -> None:
    cast = in_state(state)
    if verb == "take":
        as_(cast.senior, "hand_over", cast)
    posted(cast.request.office, role, "0101", user=cast.officer)
    with refused(NotAllowed, "cannot act for the authority"):
        as_(cast.officer, verb, cast)


def test_an_officer_of_the_company_is_not_given_the_case_either() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.REVIEWER, "0101", user=cast.officer)
    with refused(Invalid, "cannot take the case"):
        as_(cast.senior, "hand_over", cast, reviewer_id=cast.officer.pk)


@pytest.mark.parametrize("verb", ["confirm", "reject_proposal"])
def test_who_proposed_cannot_confirm_or_reject(verb: str) -> None:
    cast = in_state(State.DECISION_PROPOSED)
    posted(cast.request.office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    as_(cast.applicant.user, "reply", cast)
    with refused(NotAllowed, "Who proposed a decision cannot confirm or reject it"):
        as_(cast.reviewer, verb, cast)
    assert as_(cast.senior, verb, cast).state in (State.DENIED, State.AUTHORITY_REVIEW)


@pytest.mark.parametrize("verb", ["extend", "agree_information"])
def test_the_assigned_reviewer_cannot_favour_their_own_case_as_a_senior(verb: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    with refused(NotAllowed, "another person must"):
        as_(cast.reviewer, verb, cast)


def test_who_proposed_a_revocation_cannot_confirm_it() -> None:
    cast = in_state(State.APPROVED)
    as_(cast.senior, "propose_revocation", cast)
    with refused(NotAllowed, "another senior reviewer must"):
        as_(cast.senior, "revoke", cast)
    with refused(NotNow, "The applicant is heard first"):
        as_(cast.second_senior, "revoke", cast)
    as_(cast.applicant.user, "reply", cast)
    assert as_(cast.second_senior, "revoke", cast).state == State.REVOKED


def test_a_revocation_is_proposed_first_and_once() -> None:
    cast = in_state(State.APPROVED)
    with refused(NotNow, "must propose the revocation first"):
        as_(cast.senior, "revoke", cast)
    as_(cast.senior, "propose_revocation", cast)
    with refused(NotNow, "is proposed already"):
        as_(cast.second_senior, "propose_revocation", cast)


@pytest.mark.parametrize("decider", ["reviewer", "senior"])
def test_who_decided_cannot_hear_the_appeal(decider: str) -> None:
    cast, ping = at_appeal()
    person: User = getattr(cast, decider)
    posted(OfficeFactory.create(code="PD"), Role.APPEAL_REVIEWER, "0098", user=person)
    as_(cast.applicant.user, "file_appeal", cast)
    with refused(NotAllowed, "Only an appeal reviewer of another office"):
        as_(person, "hear_appeal", cast)
    assert as_(ping, "hear_appeal", cast).heard_by_id == ping.pk


def test_the_applicant_and_the_company_cannot_hear_the_appeal() -> None:
    cast, _ping = at_appeal()
    other = OfficeFactory.create(code="PD")
    as_(cast.applicant.user, "file_appeal", cast)
    for number, person in (("0097", cast.applicant.user), ("0096", cast.officer)):
        posted(other, Role.APPEAL_REVIEWER, number, user=person)
        with refused(NotAllowed, "cannot act"):
            as_(person, "hear_appeal", cast)


def test_only_who_hears_an_appeal_decides_it() -> None:
    cast, ping = at_appeal()
    second = posted(OfficeFactory.create(code="PD"), Role.APPEAL_REVIEWER, "0095")
    own = posted(cast.request.office, Role.APPEAL_REVIEWER, "0094")
    as_(cast.applicant.user, "file_appeal", cast)
    as_(ping, "hear_appeal", cast)
    for verb in ("uphold", "overturn"):
        with refused(NotAllowed, "who hears this appeal"):
            as_(second, verb, cast)
        with refused(NotFound, "not yours to see"):
            as_(own, verb, cast)


def test_roles_end() -> None:
    """Whose posting has ended yesterday does not see the case today; an account that is closed is nobody."""
    cast = in_state(State.AUTHORITY_REVIEW)
    at = cast.request.state_since + timedelta(days=1)
    cast.reviewer.postings.update(ends_at=at - timedelta(hours=1))
    with refused(NotFound, "not yours to see"):
        as_(cast.reviewer, "approve", cast, at=at)
    User.objects.filter(pk=cast.senior.pk).update(is_active=False)
    cast.senior.refresh_from_db()
    with refused(NotFound, "not yours to see"):
        as_(cast.senior, "extend", cast, at=at)


# ── conflicts of interest ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_conflict_of_interest_blocks_access_in_every_role_of_the_staff() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office = cast.request.office
    posted(office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    posted(office, Role.HEAD, cast.request.assigned_number, user=cast.reviewer)
    cast.reviewer.role_assignments.create(role=Role.AUDITOR, starts_at=NOW)
    assert as_(cast.reviewer, "recuse", cast).assigned_reviewer_id is None
    for verb in ("take", "hand_over", "recuse", "extend"):
        with refused(NotFound, "not yours to see"):
            as_(cast.reviewer, verb, cast)
    with refused(Invalid, "cannot take the case"):
        as_(cast.senior, "hand_over", cast, reviewer_id=cast.reviewer.pk)


def test_a_case_is_taken_once_and_with_a_declaration() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast.senior, "hand_over", cast)
    colleague = posted(cast.request.office, Role.REVIEWER, "0011")
    assert problems_of(lambda: as_(colleague, "take", cast, no_conflict=False)) == {"no_conflict"}
    taken = as_(colleague, "take", cast)
    assert (taken.assigned_reviewer_id, taken.assigned_number) == (colleague.pk, "0011")
    with refused(NotNow, "A reviewer has the case already"):
        as_(cast.reviewer, "take", cast)


def test_a_case_is_handed_to_reviewers_of_the_office_only() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    elsewhere = posted(OfficeFactory.create(code="PD"), Role.REVIEWER, "0021")
    for stranger in (elsewhere, cast.officer, cast.second_senior):
        with refused(Invalid, "cannot take the case"):
            as_(cast.senior, "hand_over", cast, reviewer_id=stranger.pk)
    assert problems_of(lambda: as_(cast.senior, "hand_over", cast, reason=" ")) == {"reason"}


# ── the company ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_company_cannot_end_a_personal_trip() -> None:
    cast = in_state(State.COMPANY_REVIEW, purpose="personal")
    with refused(NotNow, "can decline business trips only"):
        as_(cast.officer, "decline", cast)
    assert as_(cast.officer, "object", cast).state == State.AUTHORITY_REVIEW


def test_the_company_does_not_object_to_its_own_business_trip() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    with refused(NotNow, "can object to personal trips only"):
        as_(cast.officer, "object", cast)


@pytest.mark.parametrize("verb", ["return_for_changes", "object", "decline"])
def test_the_company_says_why(verb: str) -> None:
    cast = in_state(State.COMPANY_REVIEW, purpose="personal" if verb == "object" else "business")
    assert problems_of(lambda: as_(cast.officer, verb, cast, comment=" \n")) == {"comment"}


def test_a_declined_trip_is_referred_as_a_personal_one_within_thirty_days() -> None:
    cast = in_state(State.COMPANY_DECLINED)
    over = cast.request.state_since + timedelta(days=31)
    with refused(NotNow, "could be referred to the office is over"):
        as_(cast.applicant.user, "refer", cast, at=over)
    on_last_day = cast.request.state_since + timedelta(days=30)
    referred = as_(cast.applicant.user, "refer", cast, at=on_last_day)
    assert referred.state == State.AUTHORITY_REVIEW
    assert referred.continues_as_personal


# ── clocks do nothing early ─────────────────────────────────────────────────────────────────────────────────────────


def test_no_clock_forwards_or_lapses_before_its_time() -> None:
    at_company = in_state(State.COMPANY_REVIEW)
    with refused(NotNow, "The company still has time"):
        workflow.forward(at_company.request.pk, at=at_company.request.due_at - timedelta(seconds=1))
    drafted = in_state(State.DRAFT, employee=employ("Dora Draft", at_company.request.company))
    with refused(NotNow, "The applicant still has time"):
        workflow.lapse(drafted.request.pk, at=drafted.request.due_at - timedelta(seconds=1))
    assert workflow.forward(at_company.request.pk, at=at_company.request.due_at).state == State.AUTHORITY_REVIEW
    assert workflow.lapse(drafted.request.pk, at=drafted.request.due_at).state == State.LAPSED


def test_nothing_is_deemed_approved_unless_a_clock_says_so() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    with refused(NotNow, "The time for deciding has not run out"):
        call("deem_approved", cast.request.pk, SYSTEM, NOW + timedelta(days=365))


def test_the_system_closes_only_after_the_return() -> None:
    cast = in_state(State.APPROVED)
    with refused(NotAllowed, "the system does so after the return date"):
        workflow.close(cast.request.pk, actor=SYSTEM, at=NOW + timedelta(days=1))


def test_a_lapsed_request_can_be_reopened_for_thirty_days() -> None:
    cast = in_state(State.LAPSED)
    with refused(NotNow, "could be reopened is over"):
        as_(cast.applicant.user, "reopen", cast, at=cast.request.state_since + timedelta(days=32))
    reopened = as_(cast.applicant.user, "reopen", cast, at=cast.request.state_since + timedelta(days=29))
    assert (reopened.state, reopened.lapsed_from) == (State.DRAFT, "")


def test_a_clearance_is_not_taken_back_once_the_trip_has_begun() -> None:
    cast = in_state(State.APPROVED)
    departure = datetime(2026, 4, 22, 0, 0, tzinfo=NOW.tzinfo)
    with refused(NotNow, "before departure only"):
        as_(cast.senior, "propose_revocation", cast, at=departure)
    as_(cast.senior, "propose_revocation", cast, at=departure - timedelta(minutes=1))
    with refused(NotNow, "before departure only"):
        as_(cast.second_senior, "revoke", cast, at=departure)


def test_every_moment_carries_its_zone() -> None:
    cast = in_state(State.DRAFT)
    with pytest.raises(ValueError, match="aware"), nothing_moved():
        workflow.withdraw(cast.request.pk, actor=actor(cast.applicant.user, NOW), at=datetime(2026, 3, 3))  # type: ignore[arg-type]


# ── the office ──────────────────────────────────────────────────────────────────────────────────────────────────────


def tier(cast: Cast, to: str) -> None:
    TravelRequest.unscoped.filter(pk=cast.request.pk).update(tier=to)


@pytest.mark.parametrize("to", ["heightened", "restricted"])
def test_one_reviewer_does_not_decide_what_takes_two(to: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    tier(cast, to)
    TravelRequest.unscoped.filter(pk=cast.request.pk).update(consulted_at=NOW, opinion_at=NOW)
    with refused(NotNow, "needs a proposal that a senior reviewer confirms"):
        as_(cast.reviewer, "approve", cast)
    as_(cast.reviewer, "propose", cast, outcome="approved", grounds=workflow.Grounds())
    assert as_(cast.senior, "confirm", cast).state == State.APPROVED


def test_only_the_reviewer_who_has_the_case_decides_it() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    colleague = posted(cast.request.office, Role.REVIEWER, "0011")
    for verb in ("approve", "propose", "ask_information"):
        with refused(NotAllowed, "to whom the case is assigned"):
            as_(colleague, verb, cast)


def test_information_is_asked_for_once_unless_a_senior_agrees() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    with refused(NotNow, "Nothing has been asked yet"):
        as_(cast.senior, "agree_information", cast)
    cast = in_state(State.INFORMATION_REQUESTED)
    assert problems_of(lambda: as_(cast.applicant.user, "answer", cast, answers=[" "])) == {"answers-0"}
    as_(cast.applicant.user, "answer", cast)
    with refused(NotNow, "a senior reviewer must agree to a second time"):
        as_(cast.reviewer, "ask_information", cast)
    as_(cast.senior, "agree_information", cast)
    with refused(NotNow, "has agreed to a second time already"):
        as_(cast.second_senior, "agree_information", cast)
    assert as_(cast.reviewer, "ask_information", cast).information_rounds == 2
    as_(cast.applicant.user, "answer", cast)
    with refused(NotNow, "a senior reviewer must agree to a second time"):
        as_(cast.reviewer, "ask_information", cast)


def test_an_information_request_has_questions_and_a_reason() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    assert problems_of(lambda: as_(cast.reviewer, "ask_information", cast, items=[" "], reason="")) == {
        "items",
        "reason",
    }


def test_the_due_date_moves_once_by_ten_working_days_at_most() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    for days in (0, -1, 11):
        assert problems_of(lambda days=days: as_(cast.senior, "extend", cast, working_days=days)) == {"working_days"}
    assert problems_of(lambda: as_(cast.senior, "extend", cast, reason=" ")) == {"reason"}
    before = cast.request.due_at
    extended = as_(cast.senior, "extend", cast, working_days=10)
    assert extended.due_at - before == timedelta(days=14)
    with refused(NotNow, "extended once already"):
        as_(cast.second_senior, "extend", cast, working_days=1)


# ── grounds, and being heard ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("missing", "fields"),
    [
        ("text", {"text"}),
        ("reason_codes", {"reason_codes"}),
        ("relied_on", {"facts"}),
        ("measures", {"why_not_condition", "why_not_shorter"}),
    ],
)
@pytest.mark.parametrize("verb", ["propose", "propose_revocation"])
def test_no_refusal_without_all_of_its_grounds(verb: str, missing: str, fields: set[str]) -> None:
    cast = in_state(State.AUTHORITY_REVIEW if verb == "propose" else State.APPROVED)
    person = cast.reviewer if verb == "propose" else cast.senior
    thin = replace(DENIAL, **{missing: " " if missing == "text" else []})
    assert problems_of(lambda: as_(person, verb, cast, grounds=thin)) == fields


def test_reason_codes_are_in_force_and_of_the_competent_office() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    reason_code("ELSEWHERE", OfficeFactory.create(code="PD"))
    enacted_code("ENDED", active_until=NOW.date() - timedelta(days=1))
    for code in ("ELSEWHERE", "ENDED", "NEVER-WAS"):
        grounds = replace(DENIAL, reason_codes=["T1", code])
        with refused(Invalid, f"Not in force for this office today: {code}."):
            as_(cast.reviewer, "propose", cast, grounds=grounds)


def test_a_code_that_ended_since_the_proposal_carries_no_denial() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    as_(cast.applicant.user, "reply", cast)
    ended = grounds.propose_end(
        ReasonCode.objects.get(code="T1"), actor=administrator("Dara"), at=NOW, last_day=NOW.date() + timedelta(days=1)
    )
    grounds.end(ended, actor=administrator("Ezra"), at=NOW)
    with refused(Invalid, "Not in force for this office today: T1."):
        as_(cast.senior, "confirm", cast, at=NOW + timedelta(days=2))


def test_an_outcome_is_one_of_two() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    for outcome in ("revoked", "", "closed"):
        assert problems_of(lambda outcome=outcome: as_(cast.reviewer, "propose", cast, outcome=outcome)) == {"outcome"}


def test_nobody_is_denied_unheard() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    until = cast.request.reply_until
    assert until == datetime(2026, 3, 11, 0, 0, tzinfo=NOW.tzinfo)  # the end of the fifth working day after 3 March
    with refused(NotNow, "The applicant is heard first"):
        as_(cast.senior, "confirm", cast, at=until - timedelta(seconds=1))
    with refused(NotNow, "could reply is over"):
        as_(cast.applicant.user, "reply", cast, at=until)
    assert as_(cast.senior, "confirm", cast, at=until).state == State.DENIED


def test_a_reply_comes_once_and_says_something() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    assert problems_of(lambda: as_(cast.applicant.user, "reply", cast, text=" ")) == {"text"}
    as_(cast.applicant.user, "reply", cast)
    with refused(NotNow, "the reply is there already"):
        as_(cast.applicant.user, "reply", cast)
    assert as_(cast.senior, "confirm", cast).state == State.DENIED


def test_there_is_nothing_to_reply_to_a_proposed_approval() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast.reviewer, "propose", cast, outcome="approved")
    with refused(NotNow, "Nothing is proposed on which the applicant is heard"):
        as_(cast.applicant.user, "reply", cast)


def test_a_rejected_proposal_starts_afresh() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    as_(cast.applicant.user, "reply", cast)
    assert problems_of(lambda: as_(cast.senior, "reject_proposal", cast, note=" ")) == {"note"}
    as_(cast.senior, "reject_proposal", cast)
    again = as_(cast.reviewer, "propose", cast)
    assert again.replied_at is None
    with refused(NotNow, "The applicant is heard first"):
        as_(cast.senior, "confirm", cast)


def test_a_denial_carries_its_grounds_its_two_people_and_the_last_day_to_appeal() -> None:
    cast = in_state(State.DENIED)
    decision = cast.request.decision
    assert decision is not None
    assert (decision.by_id, decision.confirmed_by_id) == (cast.reviewer.pk, cast.senior.pk)
    assert (decision.text, decision.reason_codes) == (DENIAL.text, ["T1"])
    written = DENIAL.values()
    assert {name: getattr(decision, name) for name in written} == written
    assert decision.appeal_until == date(2026, 5, 2)
    assert decision.revision_id == cast.request.revision_id
    assert decision.assessment_id == cast.request.assessment_id


# ── appeals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_appeal_is_filed_until_the_last_day_and_one_at_a_time() -> None:
    cast, _ping = at_appeal()
    assert problems_of(lambda: as_(cast.applicant.user, "file_appeal", cast, text="")) == {"text"}
    after = datetime(2026, 5, 3, 0, 0, tzinfo=NOW.tzinfo)
    with refused(NotNow, "The time for an appeal is over"):
        as_(cast.applicant.user, "file_appeal", cast, at=after)
    as_(cast.applicant.user, "file_appeal", cast, at=after - timedelta(minutes=1))
    with refused(NotNow, "An appeal is open already"):
        as_(cast.applicant.user, "file_appeal", cast)


def test_no_appeal_reaches_the_office_that_decided() -> None:
    cast = in_state(State.DENIED)
    posted(cast.request.office, Role.APPEAL_REVIEWER, "0093")
    with refused(NotNow, "No other office can hear the appeal today"):
        as_(cast.applicant.user, "file_appeal", cast)


@pytest.mark.parametrize("state", [State.DENIED, State.REVOKED])
def test_an_appeal_that_succeeds_replaces_the_decision(state: State) -> None:
    cast, ping = at_appeal(state)
    as_(cast.applicant.user, "file_appeal", cast)
    assert Clock.objects.get(request=cast.request, ended_at=None).kind == "appeal"  # from the day of the filing
    with refused(NotAllowed, "who hears this appeal"):
        as_(ping, "overturn", cast)
    as_(ping, "hear_appeal", cast)
    assert Clock.objects.get(request=cast.request, ended_at=None).kind == "appeal"
    won = as_(ping, "overturn", cast)
    assert won.state == State.APPROVED
    assert (won.decided_by_id, won.confirmed_by_id) == (ping.pk, None)
    appeal = Appeal.objects.get(request=won)
    assert (appeal.state, appeal.heard_by_id, appeal.outcome_text) == ("overturned", ping.pk, "The session is public.")


def test_an_appeal_that_fails_leaves_the_decision_and_ends() -> None:
    cast, ping = at_appeal()
    as_(cast.applicant.user, "file_appeal", cast)
    as_(ping, "hear_appeal", cast)
    assert problems_of(lambda: as_(ping, "uphold", cast, text=" ")) == {"text"}
    as_(ping, "uphold", cast)
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert (request.state, request.due_at) == (State.DENIED, None)
    assert Appeal.objects.get(request=request).state == "upheld"
    assert not Clock.objects.filter(request=request, ended_at=None).exists()
    with refused(NotNow, "no appeal that is waiting"):
        as_(ping, "uphold", cast)


# ── the database refuses it too ─────────────────────────────────────────────────────────────────────────────────────


def sql(statement: str, *values: Any) -> None:
    """Run a statement as the product's role, behind the back of every rule."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("exit_app",)
        cursor.execute(statement, values)


REFUSE = "UPDATE approvals_travelrequest SET state=%s, decided_by_id=%s, confirmed_by_id=%s, decision_id=%s WHERE id=%s"


@pytest.mark.parametrize("state", ["denied", "revoked"])
def test_no_statement_denies_without_two_people_and_a_decision_of_theirs(state: str) -> None:
    cast = in_state(State.APPROVED)
    denied = in_state(State.DENIED, employee=employ("Dan Denied", cast.request.company))
    request, rui, shan = cast.request, cast.reviewer.pk, cast.senior.pk
    approval, foreign = request.decision_id, denied.request.decision_id
    for people_and_paper in (
        (None, None, None),
        (rui, None, approval),
        (rui, rui, approval),
        (rui, shan, None),
        (rui, shan, approval),  # a decision that says the opposite
        (denied.reviewer.pk, denied.senior.pk, foreign),  # somebody else's
    ):
        with nothing_moved(), pytest.raises(IntegrityError):
            sql(REFUSE, state, *people_and_paper, request.pk)


def decision_row(cast: Cast, **values: Any) -> Decision:
    sound: dict[str, Any] = {
        "request": cast.request,
        "at": NOW + timedelta(days=20),
        "proposal": cast.request.proposal,
        "by": cast.reviewer,
        "confirmed_by": cast.senior,
        "outcome": "denied",
        "text": "Why.",
        "reason_codes": ["T1"],
        "facts": "Facts.",
        "milder_measures": "None does.",
        "appeal_until": date(2026, 5, 2),
        "revision": cast.request.revision,
        "assessment": cast.request.assessment,
    }
    return Decision(**(sound | values))


@pytest.mark.parametrize(
    "flaw",
    [
        {"by": None},
        {"confirmed_by": None},
        {"by": None, "confirmed_by": None},
        {"deemed": True},
        {"text": ""},
        {"facts": ""},
        {"milder_measures": ""},
        {"reason_codes": []},
        {"appeal_until": None},
        {"outcome": "revoked", "reason_codes": []},
    ],
    ids=str,
)
def test_the_database_takes_no_refusal_with_a_flaw(flaw: dict[str, Any]) -> None:
    cast = in_state(State.DECISION_PROPOSED)
    with nothing_moved(), pytest.raises(IntegrityError), transaction.atomic():
        decision_row(cast, **flaw).save()


def test_the_database_takes_no_refusal_by_one_person_twice() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    with nothing_moved(), pytest.raises(IntegrityError), transaction.atomic():
        decision_row(cast, confirmed_by=cast.reviewer).save()
    decision_row(cast).save()  # without a flaw it is taken: the test above can fail


def test_the_database_takes_no_state_that_is_none() -> None:
    cast = in_state(State.DRAFT)
    with nothing_moved(), pytest.raises(IntegrityError):
        sql("UPDATE approvals_travelrequest SET state='barred' WHERE id=%s", cast.request.pk)


def history_tables() -> list[str]:
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, AppendOnly) and model._meta.app_label in ("approvals", "accounts", "audit")
    )


@pytest.mark.parametrize("table", history_tables())
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_cannot_be_changed(table: str, statement: str) -> None:
    if table == "audit_checkpoint":
        statement = statement.replace("id = id", "day = day")
    with pytest.raises((ProgrammingError, IntegrityError, DatabaseError), match="permission denied|append_only"):
        sql(statement.format(table))


def test_what_happened_is_found_in_full() -> None:
    """The helper of this module is not blind: a step that is allowed does move things."""
    cast = in_state(State.COMPANY_REVIEW)
    with pytest.raises(AssertionError), nothing_moved():
        as_(cast.officer, "endorse", cast)
    assert Entry.objects.filter(chain=cast.request.pk).latest("sequence").verb == "endorse"
    assert queries.visible_to(SYSTEM).get(pk=cast.request.pk).state == State.AUTHORITY_REVIEW


def test_a_request_that_is_not_there_is_not_found() -> None:
    administrator = with_role(Role.ADMINISTRATOR)
    with refused(NotFound, "There is no such request"):
        workflow.withdraw(uuid7(), actor=actor(administrator, NOW), at=NOW)


def test_nobody_starts_a_request_for_somebody_else() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    olivia = officer_of(alice.company)
    gone = employ("Gus Gone", alice.company, employed_until=date(2026, 3, 2))
    for person, employee, words in (
        (olivia, alice, "for yourself only"),
        (alice.user, gone, "for yourself only"),
        (gone.user, gone, "The employment has ended"),
    ):
        with refused(NotAllowed, words):
            workflow.start(actor=actor(person, NOW), at=NOW, employee_id=employee.pk)


def test_proposals_are_kept_apart_from_decisions() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    assert Proposal.objects.filter(request=cast.request).count() == 1
    assert not Decision.objects.filter(request=cast.request).exists()
    assert submitted(employ("Sam Second", cast.request.company)).decision_id is None
