"""Who may and when may: one sentence each.

A rule is a test with the sentence that is shown when it says no. Rules are named in the transition table of
`models/travel_request.py`: as `conditions` they look at the request alone, as `permission` also at the actor.
They look at the request as of `request.now`, which the workflow sets. Imports states only.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.refusals import Problem
from accounts.roles import Actor, Role
from accounts.rules import rule
from approvals.states import APPEALABLE, Route, State, Tier

# Limits of the rule book that are not clocks.
FAST_TRIP_DAYS = 14
DAYS_AHEAD = 3 * 366  # farther away, a day is a mistyped year
EXTENSION_WORKING_DAYS = 10
SHIFT_DAYS = 7  # dates that move by so many days stay within the window that was looked at
REPORT_DAYS = 90  # after the return, for what had to change on the way
MORE_ANSWER_DAYS = 10
MAX_LEGS = 20

BUSINESS_PURPOSES = frozenset({"business", "conference", "study"})
URGENT_PURPOSE = "urgent_humanitarian"

# What the applicant declares; all of it, before submitting.
DECLARATIONS = (
    ("complete", _("What I have written is true and complete.")),
    ("materials", _("I carry no other work materials and devices than those I have listed.")),
    ("changes", _("I will report a change of dates, places or hosts before I travel.")),
)

Request = Any  # TravelRequest; the model imports this module, not the other way round


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(_("Only the applicant can do this."), Role.APPLICANT)
def is_applicant(request: Request, actor: Actor) -> bool:
    return actor.holds(Role.APPLICANT, request.applicant_id)


@rule(_("The applicant cannot act on their own request in another role."))
def is_not_applicant(request: Request, actor: Actor) -> bool:
    return actor.user_id is None or actor.user_id != request.applicant_user_id


@rule(_("Who acts for the company cannot act for the authority on its requests."))
def is_not_of_the_company(request: Request, actor: Actor) -> bool:
    return not actor.holds(Role.OFFICER, request.company_id)


@rule(_("An administrator cannot decide a case, in whatever other role."))
def is_not_administrator(request: Request, actor: Actor) -> bool:
    return not actor.holds(Role.ADMINISTRATOR)


@rule(_("Only a compliance officer of the company can do this."), Role.OFFICER)
def is_officer(request: Request, actor: Actor) -> bool:
    return actor.holds(Role.OFFICER, request.company_id)


@rule(_("Only a reviewer of the competent office can do this."), Role.REVIEWER)
def is_reviewer(request: Request, actor: Actor) -> bool:
    return actor.holds(Role.REVIEWER, request.office_id)


@rule(_("Only the reviewer to whom the case is assigned can do this."), Role.REVIEWER)
def is_assigned_reviewer(request: Request, actor: Actor) -> bool:
    return is_reviewer(request, actor) and request.assigned_reviewer_id == actor.user_id


@rule(_("Only a senior reviewer of the competent office can do this."), Role.SENIOR)
def is_senior(request: Request, actor: Actor) -> bool:
    return actor.holds(Role.SENIOR, request.office_id)


@rule(_("The reviewer to whom the case is assigned cannot do this; another person must."))
def is_not_assigned_reviewer(request: Request, actor: Actor) -> bool:
    return request.assigned_reviewer_id != actor.user_id


@rule(_("Who proposed a decision cannot confirm or reject it; another senior reviewer must."))
def is_not_proposer(request: Request, actor: Actor) -> bool:
    return request.proposed_by_id != actor.user_id


@rule(_("Who proposed the revocation cannot confirm it; another senior reviewer must."))
def is_not_revocation_proposer(request: Request, actor: Actor) -> bool:
    return request.revocation_proposed_by_id != actor.user_id


@rule(_("Only an appeal reviewer of another office, who hears this appeal, can do this."), Role.APPEAL_REVIEWER)
def is_hearing_the_appeal(request: Request, actor: Actor) -> bool:
    appeal = request.open_appeal
    return (
        appeal is not None
        and appeal.office_id != request.office_id
        and actor.holds(Role.APPEAL_REVIEWER, appeal.office_id)
        and appeal.heard_by_id == actor.user_id
        and actor.user_id not in (request.proposed_by_id, request.decided_by_id, request.confirmed_by_id)
    )


@rule(
    _("Only somebody who deals with the case for the authority can do this."),
    Role.REVIEWER,
    Role.SENIOR,
    Role.APPEAL_REVIEWER,
)
def works_on_the_case(request: Request, actor: Actor) -> bool:
    """Of the office; once there is a refusal, of the office that hears the appeal against it."""
    if refuses_something(request) and Role.APPEAL_REVIEWER in actor.roles:
        appeal = request.open_appeal
        if appeal is not None and actor.holds(Role.APPEAL_REVIEWER, appeal.office_id):
            return True
    if request.state in APPEALABLE:
        return False
    if request.state == State.AUTHORITY_REVIEW and is_reviewer(request, actor):
        return True
    # Who proposed something leaves when it is given back: a person with a conflict of interest decides nothing.
    proposed = {State.DECISION_PROPOSED: request.proposed_by_id, State.APPROVED: request.revocation_proposed_by_id}
    if request.state in proposed and proposed[request.state] in (None, actor.user_id):
        return False
    return is_senior(request, actor)


@rule(_("Only a clock of the system does this."), Role.SYSTEM)
def is_system(request: Request, actor: Actor) -> bool:
    return actor.holds(Role.SYSTEM)


@rule(
    _("Only the applicant can close the request; the system does so after the return date."),
    Role.APPLICANT,
    Role.SYSTEM,
)
def is_applicant_or_clock_after_return(request: Request, actor: Actor) -> bool:
    return is_applicant(request, actor) or (is_system(request, actor) and trip_is_over(request))


@rule(
    _("Only the reviewer who has the case, or a senior reviewer of the office, can do this."),
    Role.REVIEWER,
    Role.SENIOR,
)
def is_assigned_reviewer_or_senior(request: Request, actor: Actor) -> bool:
    return is_assigned_reviewer(request, actor) or is_senior(request, actor)


@rule(
    _(
        "Only a reviewer of the office can accept this change; one with a hit of level 2 is recommended by a reviewer "
        "first, and accepted by a senior reviewer who is somebody else."
    ),
    Role.REVIEWER,
    Role.SENIOR,
)
def is_who_accepts_the_amendment(request: Request, actor: Actor) -> bool:
    amendment = request.open_amendment
    if amendment is None:
        return False
    if not amendment.needs_two_people:
        return is_reviewer(request, actor) or is_senior(request, actor)
    return is_senior(request, actor) and amendment.recommended_by_id not in (None, actor.user_id)


@rule(_("Only a reviewer or senior reviewer of the competent office can do this."), Role.REVIEWER, Role.SENIOR)
def is_reviewer_or_senior(request: Request, actor: Actor) -> bool:
    return is_reviewer(request, actor) or is_senior(request, actor)


officer_not_applicant = is_officer & is_not_applicant
is_apart = is_not_applicant & is_not_of_the_company & is_not_administrator
reviewer_not_applicant = is_reviewer & is_apart
assigned_reviewer = is_assigned_reviewer & is_apart
assigned_reviewer_or_senior = is_assigned_reviewer_or_senior & is_apart
senior_not_applicant = is_senior & is_apart
reviewer_or_senior_not_applicant = is_reviewer_or_senior & is_apart
accepts_the_amendment = is_who_accepts_the_amendment & is_apart
senior_not_assigned = senior_not_applicant & is_not_assigned_reviewer
senior_not_proposer = senior_not_applicant & is_not_proposer
senior_not_revocation_proposer = senior_not_applicant & is_not_revocation_proposer
appeal_reviewer = is_hearing_the_appeal & is_apart
deals_with_the_case = works_on_the_case & is_apart
# Where somebody who is about to act can declare a conflict of interest and leave.
CAN_BE_RECUSED_IN = APPEALABLE | {State.AUTHORITY_REVIEW, State.DECISION_PROPOSED, State.APPROVED}


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(_("The request is not complete yet."))
def is_complete(request: Request) -> bool:
    return not problems(request)


@rule(_("The company can decline business trips only; on a personal trip it can object, and the office decides."))
def is_business_trip(request: Request) -> bool:
    return request.purpose in BUSINESS_PURPOSES and not request.continues_as_personal


@rule(_("The company can object to personal trips only; a business trip is endorsed, returned or declined."))
def is_personal_trip(request: Request) -> bool:
    return not is_business_trip(request)


@rule(_("The time in which this could be referred to the office is over."))
def can_still_be_referred(request: Request) -> bool:
    return request.is_running("refer")


@rule(_("The time in which this could be reopened is over."))
def can_still_be_reopened(request: Request) -> bool:
    return request.is_running("reopen")


@rule(_("What the office needs has been asked for once; a senior reviewer must agree to a second time."))
def may_ask_again(request: Request) -> bool:
    return request.information_rounds == 0 or request.information_agreed_by_id is not None


@rule(_("Nothing has been asked yet; the first time needs nobody's agreement."))
def has_been_asked(request: Request) -> bool:
    return request.information_rounds > 0


@rule(_("A senior reviewer has agreed to a second time already."))
def nobody_agreed_to_ask_again(request: Request) -> bool:
    return request.information_agreed_by_id is None


@rule(_("This route needs a proposal that a senior reviewer confirms."))
def one_reviewer_decides(request: Request) -> bool:
    return request.tier in (Tier.FAST, Tier.STANDARD)


@rule(_("First say of every possible match whether it is the listed organisation."))
def matches_are_judged(request: Request) -> bool:
    return request.open_matches == 0


@rule(_("There is no possible match that waits for an answer."))
def matches_are_open(request: Request) -> bool:
    return request.open_matches > 0


@rule(_("Nothing is proposed on which the applicant is heard: no denial, nor a clearance of a part."))
def refusal_is_proposed(request: Request) -> bool:
    if request.state == State.APPROVED:
        return request.revocation_proposed_by_id is not None
    return request.reply_until is not None


@rule(_("The time in which the applicant could reply is over, or the reply is there already."))
def reply_window_is_open(request: Request) -> bool:
    return request.replied_at is None and request.reply_until is not None and request.now < request.reply_until


@rule(_("The applicant is heard first: confirm after the reply, or when the time for it is over."))
def applicant_was_heard(request: Request) -> bool:
    if request.reply_until is None:
        return request.proposed_outcome == "approved"  # of all of it: a refusal without a window is never confirmed
    return request.replied_at is not None or request.now >= request.reply_until


@rule(
    _(
        "A restricted case is put before a specialist office first: consult one, and propose when its opinion is there "
        "or its time is over."
    )
)
def specialists_were_heard(request: Request) -> bool:
    if request.tier != Tier.RESTRICTED:
        return True
    if request.consulted_at is None:
        return False
    return request.opinion_at is not None or not request.is_running("consultation")


@rule(_("Only restricted cases are put before a specialist office."))
def is_restricted(request: Request) -> bool:
    return request.tier == Tier.RESTRICTED


@rule(_("A specialist office has been asked already, and has not answered yet."))
def nobody_is_consulted(request: Request) -> bool:
    return request.consulted_at is None or request.opinion_at is not None


@rule(_("No specialist office is being asked."))
def somebody_is_consulted(request: Request) -> bool:
    return not nobody_is_consulted(request)


@rule(_("The case was extended once already."))
def was_not_extended(request: Request) -> bool:
    return request.extension_days == 0


@rule(_("The time for deciding has not run out, or the office's policy does not deem this kind of request approved."))
def is_deemed_approved(request: Request) -> bool:
    return request.clock_step == "deem_approved"


@rule(_("The trip has begun: a clearance can be taken back before departure only."))
def is_before_departure(request: Request) -> bool:
    return request.departs_on is not None and request.today < request.departs_on


@rule(_("The trip has begun: report what changed instead."))
def trip_has_not_begun(request: Request) -> bool:
    return request.departs_on is not None and request.today < request.departs_on


@rule(_("The trip has not begun, or has been over for long: ask for a change instead, or write to the office."))
def can_be_reported(request: Request) -> bool:
    if request.departs_on is None or request.returns_on is None:
        return False
    return bool(request.departs_on <= request.today <= request.returns_on + timedelta(days=REPORT_DAYS))


@rule(_("A change is with the office already. Wait for its answer, or take it back first."))
def no_amendment_is_open(request: Request) -> bool:
    return request.open_amendment_id is None


@rule(_("There is no change that waits for an answer."))
def amendment_is_open(request: Request) -> bool:
    return request.open_amendment_id is not None


@rule(_("The change takes one person, or it is recommended already."))
def amendment_waits_for_a_recommendation(request: Request) -> bool:
    amendment = request.open_amendment
    return amendment is not None and amendment.needs_two_people and amendment.recommended_by_id is None


@rule(_("Nothing was reported that nobody has read."))
def report_is_open(request: Request) -> bool:
    return bool(request.report_is_open)


@rule(_("A senior reviewer must propose the revocation first."))
def revocation_is_proposed(request: Request) -> bool:
    return request.revocation_proposed_by_id is not None


@rule(_("The applicant is heard first: confirm after the reply, or when the time for it is over."))
def heard_about_the_revocation(request: Request) -> bool:
    return request.replied_at is not None or (request.reply_until is not None and request.now >= request.reply_until)


@rule(_("A revocation is proposed already; another senior reviewer confirms it."))
def revocation_is_not_proposed(request: Request) -> bool:
    return request.revocation_proposed_by_id is None


@rule(_("The trip is not over yet."))
def trip_is_over(request: Request) -> bool:
    return request.returns_on is not None and request.today > request.returns_on


@rule(_("There is no refusal to appeal against."))
def refuses_something(request: Request) -> bool:
    return request.state in APPEALABLE or (request.state == State.APPROVED and request.refused_in_part)


@rule(_("There is no appeal under review."))
def appeal_is_under_review(request: Request) -> bool:
    return request.open_appeal is not None and request.open_appeal.state == "in_review"


@rule(_("A reviewer has the case already; a senior reviewer can hand it over."))
def nobody_has_it(request: Request) -> bool:
    return request.assigned_reviewer_id is None


@rule(_("Another reviewer was asked for once already."))
def other_reviewer_was_not_asked_for(request: Request) -> bool:
    return request.other_reviewer_asked_at is None


@rule(_("There is no request for another reviewer that waits for an answer."))
def other_reviewer_waits_for_an_answer(request: Request) -> bool:
    return request.other_reviewer_asked_at is not None and request.other_reviewer_answered_at is None


@rule(_("The applicant asked for another reviewer: a senior reviewer answers that first."))
def other_reviewer_was_answered(request: Request) -> bool:
    return not other_reviewer_waits_for_an_answer(request)


@rule(_("No reviewer has taken the case yet."))
def somebody_has_it(request: Request) -> bool:
    return request.assigned_reviewer_id is not None


@rule(_("The company still has time to answer."))
def company_time_is_over(request: Request) -> bool:
    return not request.is_running("company")


@rule(_("The applicant still has time to react."))
def applicant_time_is_over(request: Request) -> bool:
    return not any(request.is_running(kind) for kind in ("draft", "change", "answer"))


# ── what is missing ─────────────────────────────────────────────────────────────────────────────────────────────────


def leg_problems(
    *, arrives_on: date | None, leaves_on: date | None, today: date, field: str = "", section: str = "itinerary"
) -> list[Problem]:
    """What is wrong with the dates of one leg, seen on `today` (a day in the office's zone)."""
    found = []
    if arrives_on and leaves_on and leaves_on < arrives_on:
        found.append(
            Problem(section, f"{field}leaves_on", _("The last day is before the first. Swap them or correct one."))
        )
    if arrives_on and arrives_on < today:
        found.append(Problem(section, f"{field}arrives_on", _("This day has passed. Enter a day from today on.")))
    found += [
        Problem(section, f"{field}{name}", _("This day is years away. Check the year."))
        for name, day in (("arrives_on", arrives_on), ("leaves_on", leaves_on))
        if day and day > today + timedelta(days=DAYS_AHEAD)
    ]
    return found


def problems(request: Request) -> list[Problem]:
    """Everything that stands between this draft and its submission, in the order of the task list; empty: complete."""
    found: list[Problem] = []
    if not request.title:
        found.append(Problem("trip", "title", _("Say in a few words what the trip is for.")))
    if not request.purpose:
        found.append(Problem("trip", "purpose", _("Choose the purpose of the trip.")))
    if not request.description:
        found.append(Problem("trip", "description", _("Describe what you will do on the trip.")))
    legs = request.itinerary
    if not legs:
        found.append(Problem("itinerary", "", _("Add at least one place that you travel to.")))
    for index, leg in enumerate(legs):
        found += leg_problems(
            arrives_on=leg.arrives_on, leaves_on=leg.leaves_on, today=request.today, field=f"legs-{index}-"
        )
    if request.purpose in BUSINESS_PURPOSES and not request.topics:
        found.append(Problem("topics", "topics", _("Choose at least one subject that you will speak or hear about.")))
    missing = {code for code, _text in DECLARATIONS} - set(request.declarations)
    if missing:
        found.append(Problem("declarations", "declarations", _("Make every declaration.")))
    if not request.applicant.is_employed(request.today):
        found.append(Problem("trip", "", _("The employment has ended; only an employee can submit a request.")))
    return found


def trip_days(departs_on: date, returns_on: date) -> int:
    """Days away, both ends counted."""
    return (returns_on - departs_on).days + 1


def tier_for(levels: list[int], *, days: int) -> Tier:
    """The tier that follows from the levels of the hits and the length of the trip (rule book, "Tiers")."""
    highest = max(levels, default=0)
    if highest >= 3:
        return Tier.RESTRICTED
    if highest == 2:
        return Tier.HEIGHTENED
    if highest == 1 or days > FAST_TRIP_DAYS:
        return Tier.STANDARD
    return Tier.FAST


def route_for(tier: Tier) -> Route:
    """Who decides on a request of this tier (rule book, "Tiers")."""
    return {
        Tier.FAST: Route.ONE_REVIEWER,
        Tier.STANDARD: Route.ONE_REVIEWER,
        Tier.HEIGHTENED: Route.TWO_PEOPLE,
        Tier.RESTRICTED: Route.TWO_PEOPLE_CONSULTED,
    }[tier]


def submit_target(*, urgent: bool) -> State:
    """Urgent humanitarian requests go to the office at once; all others to the company first."""
    return State.AUTHORITY_REVIEW if urgent else State.COMPANY_REVIEW


def moment_is_aware(at: datetime) -> None:
    """Refuses a naive clock with ValueError: every time of the product carries its zone."""
    if at.tzinfo is None:
        raise ValueError("at must be an aware datetime")
