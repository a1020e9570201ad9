"""Who is told what when something happened to a request, and how each verb reads in the history.

Adding a notification is one line in `NOTICES`; adding a verb is one line in `VERBS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import RoleAssignment
from accounts.roles import SYSTEM, Role
from approvals import particulars, queries
from approvals.clocks import Step
from approvals.models import Appeal, Assessment, Consultation, Decision, Proposal, TravelRequest
from approvals.models.conditions import Condition, ConditionNow, conditions_now
from approvals.states import WITH_AUTHORITY, State, Tier
from audit import verbs
from audit.models import Entry
from authorities import absences
from authorities.models import Posting
from authorities.terms import ClockKind
from companies.models import Membership
from notifications.models import OutboxEvent
from notifications.registry import Kind, Notice, register_kind
from notifications.registry import register as register_notice
from sensitivity.models import ListVersion

Recipients = Callable[[OutboxEvent], Iterable[int]]

# What a clock did, step by step: two verbs of the history hold them.
STEPS: Mapping[str, str | Promise] = {
    Step.REMIND: _("Reminder sent"),
    Step.WARN: _("Warning sent: the departure is near"),
    Step.OVERDUE: _("A condition is overdue: who owes it was told"),
    Step.TELL_OFFICE: _("A condition is overdue: the office was told"),
    Step.OPEN_CONFIRMATION: _("The time to reply is over: what is proposed can be confirmed or given back"),
    Step.CLOSE_CONSULTATION: _("The time for the opinion is over: a decision can be proposed without it"),
    Step.CLOSE_APPEAL: _("The time for an appeal is over"),
    Step.ESCALATE: _("Overdue: escalated to a senior reviewer"),
    Step.ESCALATE_TO_HEAD: _("Overdue: escalated to the head of office"),
    Step.REPORT_OVERDUE: _("Overdue: reported to the head of office"),
}


def _by_clock(otherwise: str | Promise) -> verbs.Formatter:
    """How an entry of a clock reads: by its step. `otherwise` is for one that does not say it."""

    def words(entry: Entry) -> str:
        return str(STEPS.get(entry.data.get("step", ""), otherwise))

    return words


# How each verb reads in the history of a request. Who did it and when stands beside it.
VERBS: Mapping[str, str | Promise | verbs.Formatter] = {
    "start": _("Draft begun"),
    "attach": _("Document added"),
    "remove_attachment": _("Document removed"),
    "submit": _("Submitted"),
    "return_for_changes": _("Returned for changes by the company"),
    "endorse": _("Endorsed by the company"),
    "object": _("Sent on by the company with objections"),
    "decline": _("Declined by the company"),
    "refer": _("Referred to the office as a personal trip"),
    "forward": _("Forwarded to the office: the company did not answer in time"),
    "take": _("Case taken by a reviewer"),
    "hand_over": _("Case handed over"),
    "return_to_queue": _("Case back in the office's queue: its reviewer is not there"),
    "recuse": _("A conflict of interest was declared; this person has left the case"),
    "ask_other_reviewer": _("The applicant asked for another reviewer"),
    "keep_reviewer": _("Request for another reviewer refused, with reasons"),
    "agree_information": _("A senior reviewer agreed to a second information request"),
    "ask_information": _("Information requested; the office's clock is stopped"),
    "answer": _("Answered; the office's clock goes on"),
    "judge_match": _("A possible match with a listed organisation was answered"),
    "change_tier": _("The tier was changed by a person"),
    "reassess": _("Assessed anew with the lists of today"),
    "approve": _("Approved"),
    "propose": _("Decision proposed"),
    "reply": _("The applicant replied to what is proposed"),
    "confirm": _("Proposed decision confirmed"),
    "reject_proposal": _("Proposal given back to the reviewer"),
    "consult": _("A specialist office was asked for its opinion"),
    "give_opinion": _("Opinion of the specialist office"),
    "extend": _("Due date extended"),
    "deem_approved": _("Approved because the time for deciding was over"),
    "withdraw": _("Withdrawn by the applicant"),
    "lapse": _("Lapsed: no reaction in time"),
    "reopen": _("Reopened"),
    "amend": _("The trip was changed by the applicant"),
    "file_amendment": _("Change to the cleared trip asked for"),
    "withdraw_amendment": _("Change to the cleared trip taken back"),
    "recommend_amendment": _("Change recommended; a second person looks at it"),
    "accept_amendment": _("Change accepted: the trip is cleared as changed"),
    "return_amendment": _("Not accepted as a change; the clearance stays as it was"),
    "report_change": _("Reported by the applicant: what had to change on the way"),
    "note_report": _("The report was read and noted"),
    "propose_revocation": _("Revocation proposed"),
    "revoke": _("Clearance revoked"),
    "reject_revocation": _("Proposed revocation given back: the clearance stays in force"),
    "file_appeal": _("Appeal filed"),
    "hear_appeal": _("Appeal taken under review"),
    "withdraw_appeal": _("Appeal withdrawn by the applicant"),
    "add_to_appeal": _("Documents added to the appeal"),
    "note_hearing": _("Hearing noted"),
    "comment_on_hearing": _("The applicant commented on the hearing"),
    "ask_in_appeal": _("The appeal reviewer asked the applicant"),
    "answer_in_appeal": _("The applicant answered the appeal reviewer"),
    "uphold": _("Appeal decided: the decision stands"),
    "overturn": _("Appeal decided: the decision is replaced by a clearance"),
    "report_condition": _("A condition was reported as met"),
    "cannot_comply": _("A condition cannot be met, says who owes it"),
    "release_condition": _("A condition was released"),
    "send_back_condition": _("The report on a condition was sent back"),
    "answer_condition": _("Answered about a condition that cannot be met"),
    "close": _("Closed"),
    "remind": _by_clock(_("Reminder sent")),
    "escalate": _by_clock(_("Lateness escalated")),
    "recompute": _("Dates computed anew: working days were published"),
}


def _requests(ids: Collection[UUID]) -> Mapping[UUID, TravelRequest]:
    """These requests with what is said of them, in one query."""
    found = queries.visible_to(SYSTEM).select_related("applicant", "company", "office", "assessment")
    return found.in_bulk(list(ids))


def _request(event: OutboxEvent) -> TravelRequest:
    """What the event is about, read once for all that is said of it; by the delivery, for many events at once."""
    if not isinstance(event.about, TravelRequest):
        found = _requests([event.subject])
        if event.subject not in found:
            raise TravelRequest.DoesNotExist(f"{event.event} is about a request that is not there")
        event.about = found[event.subject]
    return event.about


def applicant(event: OutboxEvent) -> Iterable[int]:
    """The person whose trip it is."""
    user_id = _request(event).applicant.user_id
    return [user_id] if user_id else []


def officers(event: OutboxEvent) -> Iterable[int]:
    """The compliance officers of the company, except the applicant."""
    request = _request(event)
    found = Membership.objects.in_force(event.at).filter(company_id=request.company_id)
    return found.exclude(user=request.applicant.user_id).values_list("user_id", flat=True).distinct()


# From whom a notice goes up while nobody is there.
_LADDER = (Role.REVIEWER, Role.SENIOR, Role.HEAD)


def _there(event: OutboxEvent, role: Role, request: TravelRequest) -> list[int]:
    """Who holds `role` in the office and is there, deputies in the place of who is away; without the applicant and
    those who left the case, and for a senior's part without who proposed what a second person has to look at."""
    posted = Posting.objects.in_force(event.at).filter(office_id=request.office_id, role=role)
    people = posted.order_by("number").values_list("user_id", flat=True)
    there = absences.those_there(people, office_id=request.office_id, role=role, at=event.at)
    apart = {*queries.recused(request), request.applicant.user_id}
    if role is Role.SENIOR:
        apart |= {request.proposed_by_id, request.revocation_proposed_by_id}
    return [user_id for user_id in there if user_id not in apart]


def _going_up(event: OutboxEvent, role: Role, request: TravelRequest) -> list[int]:
    """Those of `role` who are there; while nobody is, those of the next one up; empty when nobody of the office is."""
    steps = (_there(event, one, request) for one in _LADDER[_LADDER.index(role) :])
    return next((found for found in steps if found), [])


def _who_has_it(event: OutboxEvent, request: TravelRequest) -> list[int]:
    """The reviewer who has the case, or the deputy while they are away; nobody when they have left the office."""
    has_it, office_id = request.assigned_reviewer_id, request.office_id
    if has_it is None or not absences.reviewing(event.at).filter(user_id=has_it, office_id=office_id).exists():
        return []
    there = absences.those_there([has_it], office_id=office_id, role=Role.REVIEWER, at=event.at)
    apart = {*queries.recused(request), request.applicant.user_id} if there != [has_it] else set()
    return [user_id for user_id in there if user_id not in apart]


def reviewers(event: OutboxEvent) -> Iterable[int]:
    """The reviewer who has the case, or the deputy; seniors, who can hand it over, while neither is there. While
    nobody has it, all reviewers of the office."""
    request = _request(event)
    if request.assigned_reviewer_id is None:
        return _going_up(event, Role.REVIEWER, request)
    return _who_has_it(event, request) or _going_up(event, Role.SENIOR, request)


def assigned_reviewer(event: OutboxEvent) -> Iterable[int]:
    """The reviewer who has the case, if somebody has; a deputy in the place of one who is away."""
    return _who_has_it(event, _request(event))


def seniors(event: OutboxEvent) -> Iterable[int]:
    """The senior reviewers of the office, except who proposed; the head, while none of them is there."""
    return _going_up(event, Role.SENIOR, _request(event))


def head(event: OutboxEvent) -> Iterable[int]:
    """The head of the office, or the deputy; the senior reviewers, while neither is there."""
    request = _request(event)
    return _there(event, Role.HEAD, request) or _there(event, Role.SENIOR, request)


def _hearing(event: OutboxEvent, *roles: Role) -> list[int]:
    """Who holds one of `roles` in the office that hears the appeal and is there, those of the first role that anybody
    holds; without those to whom the case is closed or who took part in the decision."""
    appeal = _appeal(event)
    if appeal is None:
        return []
    request = _request(event)
    apart = {*queries.recused(request), *queries.took_part(request), request.applicant.user_id}
    for role in roles:
        posted = Posting.objects.in_force(event.at).filter(office_id=appeal.office_id, role=role)
        people = posted.order_by("number").values_list("user_id", flat=True)
        there = absences.those_there(people, office_id=appeal.office_id, role=role, at=event.at)
        if found := [user_id for user_id in there if user_id not in apart]:
            return found
    return []


def _appeal(event: OutboxEvent) -> Appeal | None:
    return Appeal.objects.filter(request_id=event.subject).order_by("-filed_at").first()


def appeal_reviewers(event: OutboxEvent) -> Iterable[int]:
    """Who hears the appeal; until somebody does, the appeal reviewers of the office that it went to."""
    appeal = _appeal(event)
    if appeal is not None and appeal.heard_by_id:
        return [appeal.heard_by_id]
    return _hearing(event, Role.APPEAL_REVIEWER)


def appeal_is_late_to(event: OutboxEvent) -> Iterable[int]:
    """Of an appeal that is late: the seniors of the office that hears it, later its head; while there is none of them,
    its appeal reviewers, for another of them can see to it."""
    first, second = (Role.SENIOR, Role.HEAD) if event.data.get("step") == Step.ESCALATE else (Role.HEAD, Role.SENIOR)
    return _hearing(event, first, second, Role.APPEAL_REVIEWER)


def proposer_of_the_revocation(event: OutboxEvent) -> Iterable[int]:
    """Who proposed to take the clearance back."""
    found = Proposal.objects.filter(request_id=event.subject, outcome="revoked").order_by("-at")
    return found.values_list("by_id", flat=True)[:1]


def specialists(event: OutboxEvent) -> Iterable[int]:
    """The reviewers of the specialist office that is asked, or the seniors while none of them is there; nobody who has
    the case or declared a conflict of interest."""
    request = _request(event)
    asked = Consultation.objects.filter(request_id=event.subject).order_by("at").last()
    if asked is None:
        return []
    apart = {*queries.recused(request), request.applicant.user_id, request.assigned_reviewer_id}
    for role in (Role.REVIEWER, Role.SENIOR):
        posted = Posting.objects.in_force(event.at).filter(office_id=asked.office_id, role=role).order_by("number")
        people = posted.values_list("user_id", flat=True)
        there = absences.those_there(people, office_id=asked.office_id, role=role, at=event.at)
        if found := [user_id for user_id in there if user_id not in apart]:
            return found
    return []


def _condition(event: OutboxEvent) -> ConditionNow | None:
    """The condition that the event is about, as it is now; None for other events."""
    if "condition" not in event.data:
        return None
    row = Condition.objects.filter(pk=event.data["condition"]).first()
    return conditions_now([row], row.steps.all())[0] if row else None


def condition_owner(event: OutboxEvent) -> Iterable[int]:
    """Who has to meet the condition: the applicant, or the company's officers."""
    found = _condition(event)
    owed_by_company = found is not None and found.condition.owner == Condition.Owner.COMPANY
    return officers(event) if owed_by_company else applicant(event)


def condition_office(event: OutboxEvent) -> Iterable[int]:
    """Who looks at a condition for the office: the reviewer of the case or the deputy, else the seniors."""
    request = _request(event)
    return _who_has_it(event, request) or _going_up(event, Role.SENIOR, request)


def _after(step: str, recipients: Recipients) -> Recipients:
    """`recipients`, when it was this step of a clock; else nobody."""
    return lambda event: recipients(event) if event.data.get("step") == step else []


def _of_condition(step: str, recipients: Recipients) -> Recipients:
    """`recipients`, when it was this step of the clock of a condition; else nobody."""
    return lambda event: _after(step, recipients)(event) if event.data.get("clock") == ClockKind.CONDITION else []


def _when_it_went_to(state: State, recipients: Recipients) -> Recipients:
    """`recipients`, when the request went to this state; else nobody."""
    return lambda event: recipients(event) if event.data.get("state") == state else []


_TURN: Mapping[str, Recipients] = {
    "company": officers,
    "decision": reviewers,
    "answer": applicant,
    "reply": applicant,
    "consultation": specialists,
    "change": applicant,
    "draft": applicant,
    "condition": condition_owner,
    "condition_answer": condition_office,
    "appeal_filing": applicant,
    "appeal": appeal_reviewers,
}
_TURN_IN: Mapping[str, Recipients] = {
    State.DRAFT: applicant,
    State.RETURNED: applicant,
    State.COMPANY_DECLINED: applicant,
    State.INFORMATION_REQUESTED: applicant,
    State.COMPANY_REVIEW: officers,
    State.AUTHORITY_REVIEW: reviewers,
    State.DECISION_PROPOSED: seniors,
}


def whose_turn(event: OutboxEvent) -> Iterable[int]:
    """Who is reminded: those whose clock it is. Nobody of a condition: that has words of its own."""
    clock = str(event.data.get("clock", ""))
    return _TURN[clock](event) if clock in _TURN and clock != ClockKind.CONDITION else []


def before_departure(event: OutboxEvent) -> Iterable[int]:
    """Who is warned that the departure is near: those whose turn it is, and the applicant."""
    return {*_TURN_IN.get(str(event.data.get("state", "")), applicant)(event), *applicant(event)}


def escalated_to(event: OutboxEvent) -> Iterable[int]:
    """A senior for the first step of lateness, the head of office for the later ones; of an appeal, those of the office
    that hears it."""
    if event.data.get("clock") == "appeal":
        return appeal_is_late_to(event)
    return seniors(event) if event.data.get("step") == Step.ESCALATE else head(event)


def administrators_if_nobody(event: OutboxEvent) -> Iterable[int]:
    """The administrators, when lateness reaches nobody: no one is posted who is there. They can post somebody."""
    if list(escalated_to(event)):
        return []
    found = RoleAssignment.objects.in_force(event.at).filter(role=Role.ADMINISTRATOR, user__is_active=True)
    return found.order_by("user_id").values_list("user_id", flat=True).distinct()


def whose_clocks_moved(event: OutboxEvent) -> Iterable[int]:
    """Besides the applicant, those whose time it is on a clock whose date moved."""
    return {user_id for clock, _was, _now in event.data["moved"] for user_id in _TURN[clock](event)}


def _moved(event: OutboxEvent) -> str:
    """Which dates moved, in words: one line each; empty for other events."""
    return "\n".join(
        _("%(clock)s: by %(now)s (before: %(was)s)")
        % {
            "clock": ClockKind(clock).label,
            "now": date_format(date.fromisoformat(now), "DATE_FORMAT"),
            "was": date_format(date.fromisoformat(was), "DATE_FORMAT"),
        }
        for clock, was, now in event.data.get("moved", [])
    )


def _due_at(event: OutboxEvent, request: TravelRequest) -> tuple[datetime | None, bool]:
    """The due date as it was when it happened, and whether it was provisional; it may be another by now."""
    if "due" not in event.data:
        return request.due_at, request.due_is_provisional
    due = event.data["due"]
    return datetime.fromisoformat(due) if due else None, bool(event.data.get("provisional"))


def _assessment(event: OutboxEvent, request: TravelRequest) -> Assessment | None:
    """The assessment that the event is about; of others, the one in force."""
    made = event.data.get("assessment")
    if made and made != str(request.assessment_id):
        return Assessment.objects.filter(pk=made).first()
    return request.assessment


def _cleared(event: OutboxEvent) -> str:
    """Of a decision that clears a part: what it clears, a line for each place; empty for other events."""
    if not event.data.get("part") or "decision" not in event.data:
        return ""
    decision = Decision.objects.get(pk=event.data["decision"])
    return "\n".join([str(_("Cleared:")), *particulars.places_in_words(decision.cleared)]) + "\n\n"


def _context(event: OutboxEvent) -> dict[str, Any]:
    request = _request(event)
    due, is_provisional = _due_at(event, request)
    # `due_at` is the end of the last day: the day itself is what people are told.
    last = timezone.localtime(due - timedelta(microseconds=1), request.zone) if due else None
    cleared = _cleared(event)
    tier, assessment = event.data.get("tier") or request.tier, _assessment(event, request)
    return {
        "number": request.reference,
        "title": request.title or _("without a title"),
        "applicant": request.applicant.name,
        "company": request.company.name,
        "office": request.office.name,
        "tier": Tier(tier).label if tier else "",
        "reason": assessment.reason if assessment else "",
        "officer": event.data.get("officer") or request.assigned_number,
        "state": _("Approved in part") if cleared else State(str(event.data.get("state", request.state))).label,
        "cleared": cleared,
        "due": _due(last, is_provisional) if last else _("no date"),
        "departs": date_format(request.departs_on, "DATE_FORMAT") if request.departs_on else _("no date"),
        **_condition_context(event),
        "moved": _moved(event),
    }


def _condition_context(event: OutboxEvent) -> dict[str, Any]:
    found = _condition(event)
    if found is None:  # the words of a reminder are made for everybody who may be told, whatever it is about
        return dict.fromkeys(("condition", "by", "said", "what"), "")
    step = next((one for one in found.steps if str(one.pk) == event.data.get("step")), None)
    return {
        "condition": found.text,
        "by": date_format(found.due_on, "DATE_FORMAT") if found.due_on else _("no date"),
        "said": step.text if step else "",
        "what": step.get_kind_display() if step else "",
    }


def _due(last: date, is_provisional: bool) -> str:
    day = date_format(last, "DATE_FORMAT")
    return _("%(day)s (provisional)") % {"day": day} if is_provisional else day


def _url(event: OutboxEvent) -> str:
    return reverse("request", args=[_request(event).reference])


# What happened, who is told, in one line and in a few.
NOTICES: list[tuple[str, str, Recipients, Promise | str, Promise | str]] = [
    (
        "submit",
        "applicant",
        applicant,
        _("%(number)s: your request was received"),
        _("We have received your request “%(title)s”. Its number is %(number)s.\n\nYou will be told of every step."),
    ),
    (
        "submit",
        "officers",
        _when_it_went_to(State.COMPANY_REVIEW, officers),
        _("%(number)s: %(applicant)s asks for your review"),
        _("%(applicant)s submitted the trip “%(title)s”.\n\nPlease review it by %(due)s; then the office gets it."),
    ),
    (
        "submit",
        "office",
        _when_it_went_to(State.AUTHORITY_REVIEW, reviewers),
        _("%(number)s: urgent humanitarian request"),
        _("“%(title)s” came straight to the office. Decision due by %(due)s."),
    ),
    (
        "return_for_changes",
        "applicant",
        applicant,
        _("%(number)s: your company asks for changes"),
        _("Please read what should change, and submit again by %(due)s."),
    ),
    (
        "endorse",
        "applicant",
        applicant,
        _("%(number)s: your company endorsed the trip"),
        _("It is with %(office)s now. Decision due by %(due)s. You need do nothing."),
    ),
    (
        "endorse",
        "office",
        reviewers,
        _("%(number)s: new request from %(company)s"),
        _("“%(title)s”, endorsed by the company. Decision due by %(due)s."),
    ),
    (
        "object",
        "applicant",
        applicant,
        _("%(number)s: your company sent the request on with objections"),
        _("It is with %(office)s, which decides. You can read the objections. Decision due by %(due)s."),
    ),
    (
        "object",
        "office",
        reviewers,
        _("%(number)s: new request from %(company)s"),
        _("“%(title)s”, with objections of the company. Decision due by %(due)s."),
    ),
    (
        "decline",
        "applicant",
        applicant,
        _("%(number)s: your company declined the trip"),
        _("You can read the reason. Until %(due)s you can refer the trip to the office as a personal one."),
    ),
    (
        "refer",
        "office",
        reviewers,
        _("%(number)s: referred to the office by the applicant"),
        _("“%(title)s”, declined by %(company)s as business, continues as a personal trip. Decision due by %(due)s."),
    ),
    (
        "forward",
        "applicant",
        applicant,
        _("%(number)s: forwarded to the office"),
        _("Your company did not answer in time, so the request went on. Decision due by %(due)s. You need do nothing."),
    ),
    (
        "forward",
        "officers",
        officers,
        _("%(number)s: went to the office without your review"),
        _("The time for the company's review is over. The request of %(applicant)s is with %(office)s now."),
    ),
    (
        "forward",
        "office",
        reviewers,
        _("%(number)s: new request from %(company)s"),
        _("“%(title)s”, forwarded without an answer of the company. Decision due by %(due)s."),
    ),
    (
        "judge_match",
        "applicant",
        applicant,
        _("%(number)s: a possible match was answered"),
        _(
            "A reviewer said whether an organisation that you named is a listed one. The reason: %(reason)s\n\n"
            "The tier of your request is “%(tier)s”."
        ),
    ),
    (
        "change_tier",
        "applicant",
        applicant,
        _("%(number)s: the tier is “%(tier)s” now"),
        _(
            "A reviewer changed how closely your request is looked at. The reason: %(reason)s\n\n"
            "Decision due by %(due)s."
        ),
    ),
    (
        "reassess",
        "applicant",
        applicant,
        _("%(number)s: assessed anew, the tier is “%(tier)s”"),
        _(
            "A senior reviewer had your request assessed with the lists of today. %(reason)s\n\n"
            "Decision due by %(due)s."
        ),
    ),
    (
        "take",
        "applicant",
        applicant,
        _("%(number)s: a reviewer has your case"),
        _("Officer %(officer)s of %(office)s looks at your request. Decision due by %(due)s."),
    ),
    (
        "hand_over",
        "applicant",
        applicant,
        _("%(number)s: your case changed hands"),
        _("Your request stays with %(office)s. Decision due by %(due)s, as before."),
    ),
    (
        "hand_over",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: this case was handed to you"),
        _("“%(title)s”. Decision due by %(due)s."),
    ),
    (
        "return_to_queue",
        "applicant",
        applicant,
        _("%(number)s: another reviewer will take your case"),
        _("Whoever had it is not there. Your request stays with %(office)s. Decision due by %(due)s, as before."),
    ),
    (
        "return_to_queue",
        "office",
        reviewers,
        _("%(number)s is back in the queue"),
        _("Its reviewer is not there, and nobody has “%(title)s” now. Decision due by %(due)s."),
    ),
    (
        "recuse",
        "seniors",
        seniors,
        _("%(number)s: a reviewer left the case"),
        _("A conflict of interest was declared; the case is in the queue again. Decision due by %(due)s."),
    ),
    (
        "agree_information",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: you may ask a second time"),
        _("A senior reviewer agreed to a second information request."),
    ),
    (
        "ask_information",
        "applicant",
        applicant,
        _("%(number)s: the office asks you for information"),
        _("Please answer by %(due)s. Until you do, the office's clock is stopped."),
    ),
    (
        "answer",
        "office",
        reviewers,
        _("%(number)s: the applicant answered"),
        _("The clock runs again. Decision due by %(due)s."),
    ),
    (
        "approve",
        "applicant",
        applicant,
        _("%(number)s: approved"),
        _("Your trip “%(title)s” is cleared. Please read the decision, and the conditions if there are any."),
    ),
    (
        "approve",
        "officers",
        officers,
        _("%(number)s: approved"),
        _("The trip “%(title)s” of %(applicant)s is cleared."),
    ),
    (
        "propose",
        "seniors",
        seniors,
        _("%(number)s: a proposal waits for a second person"),
        _("Please confirm the proposed decision, or give it back. Decision due by %(due)s."),
    ),
    (
        "propose",
        "applicant",
        applicant,
        _("%(number)s: a decision is proposed"),
        _(
            "Nothing is decided yet. Please open the request. If all of the trip or a part of it is to be refused, you "
            "read the grounds there, and can reply."
        ),
    ),
    (
        "reply",
        "seniors",
        seniors,
        _("%(number)s: the applicant replied"),
        _("Read the reply before you confirm or give back the proposal. Decision due by %(due)s."),
    ),
    (
        "confirm",
        "applicant",
        applicant,
        _("%(number)s: decided — %(state)s"),
        _(
            "%(cleared)sPlease read the decision and its reasons. If all of the trip or a part of it was refused, it "
            "also says how and until when you can appeal."
        ),
    ),
    (
        "confirm",
        "officers",
        officers,
        _("%(number)s: decided — %(state)s"),
        _("The trip “%(title)s” of %(applicant)s."),
    ),
    (
        "consult",
        "specialists",
        specialists,
        _("%(number)s: your opinion is asked for"),
        _("%(office)s asks what you think of “%(title)s”. The case is not yours to decide, and you see no other."),
    ),
    (
        "consult",
        "applicant",
        applicant,
        _("%(number)s: a specialist office is asked for its opinion"),
        _("It advises %(office)s, which decides. The time for the decision runs on: due by %(due)s."),
    ),
    (
        "give_opinion",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: the opinion of the specialist office is there"),
        _("You can propose a decision on “%(title)s” now. Decision due by %(due)s."),
    ),
    (
        "give_opinion",
        "applicant",
        applicant,
        _("%(number)s: the specialist office gave its opinion"),
        _("You can read it with the decision, or as soon as a refusal is proposed. Decision due by %(due)s."),
    ),
    (
        "reject_proposal",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: your proposal was given back"),
        _("Please read the note. Decision due by %(due)s."),
    ),
    (
        "reject_proposal",
        "applicant",
        applicant,
        _("%(number)s: the proposal was given back"),
        _("What was proposed is off the table; the office looks at your request again. Decision due by %(due)s."),
    ),
    (
        "extend",
        "applicant",
        applicant,
        _("%(number)s: the due date moved to %(due)s"),
        _("It can move once only. You can read the reason on the page of the request."),
    ),
    (
        "deem_approved",
        "applicant",
        applicant,
        _("%(number)s: approved"),
        _("The office did not decide in time, so your trip “%(title)s” counts as cleared."),
    ),
    (
        "deem_approved",
        "head",
        head,
        _("%(number)s: approved because the time was over"),
        _("Nobody decided on “%(title)s” in time."),
    ),
    (
        "withdraw",
        "applicant",
        applicant,
        _("%(number)s: withdrawn"),
        _("You withdrew your request “%(title)s”."),
    ),
    (
        "withdraw",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: withdrawn by the applicant"),
        _("There is nothing more to do on “%(title)s”."),
    ),
    (
        "lapse",
        "applicant",
        applicant,
        _("%(number)s: lapsed"),
        _("There was no reaction in time. Nothing is lost: until %(due)s you can reopen the request where it was."),
    ),
    (
        "reopen",
        "applicant",
        applicant,
        _("%(number)s: reopened"),
        _("Your request is where it was. Please react by %(due)s."),
    ),
    (
        "amend",
        "applicant",
        applicant,
        _("%(number)s: changed"),
        _("Your change to “%(title)s” is part of the request. No time starts anew."),
    ),
    (
        "amend",
        "officers",
        officers,
        _("%(number)s: the applicant changed the trip"),
        _("Please look at what changed in “%(title)s” of %(applicant)s. You need do nothing if the company agrees."),
    ),
    (
        "amend",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: the applicant changed the trip"),
        _("Please look at what changed in “%(title)s”."),
    ),
    (
        "file_amendment",
        "applicant",
        applicant,
        _("%(number)s: your change is with the office"),
        _("Your clearance for “%(title)s” stays as it is until the office has answered, by %(due)s."),
    ),
    (
        "file_amendment",
        "reviewers",
        reviewers,
        _("%(number)s: a change to a cleared trip waits"),
        _("Please look at what would change in “%(title)s”, by %(due)s. What does not change was decided."),
    ),
    (
        "withdraw_amendment",
        "applicant",
        applicant,
        _("%(number)s: change taken back"),
        _("Your trip “%(title)s” is cleared as it was."),
    ),
    (
        "withdraw_amendment",
        "reviewer",
        assigned_reviewer,
        _("%(number)s: the change was taken back"),
        _("There is nothing more to do on the change to “%(title)s”."),
    ),
    (
        "recommend_amendment",
        "seniors",
        seniors,
        _("%(number)s: a change waits for a second person"),
        _("Please look at the change to “%(title)s”, by %(due)s."),
    ),
    (
        "accept_amendment",
        "applicant",
        applicant,
        _("%(number)s: your change was accepted"),
        _("Your trip “%(title)s” is cleared as changed."),
    ),
    (
        "accept_amendment",
        "officers",
        officers,
        _("%(number)s: the cleared trip changed"),
        _("The trip “%(title)s” of %(applicant)s is cleared as changed."),
    ),
    (
        "return_amendment",
        "applicant",
        applicant,
        _("%(number)s: not accepted as a change"),
        _("Your clearance for “%(title)s” stays as it was. Please read the reasons, and what else you can do."),
    ),
    (
        "report_change",
        "applicant",
        applicant,
        _("%(number)s: your report is on the file"),
        _("Thank you for telling us what changed on “%(title)s”. You need do nothing else."),
    ),
    (
        "report_change",
        "officers",
        officers,
        _("%(number)s: something changed on the trip"),
        _("%(applicant)s reported what had to change on “%(title)s”. Perhaps your colleague needs help."),
    ),
    (
        "report_change",
        "reviewers",
        reviewers,
        _("%(number)s: reported afterwards"),
        _("Please read what had to change on “%(title)s”, and note it."),
    ),
    (
        "note_report",
        "applicant",
        applicant,
        _("%(number)s: your report was noted"),
        _("The office has read what you reported about “%(title)s”. Nothing follows from it."),
    ),
    (
        "propose_revocation",
        "seniors",
        seniors,
        _("%(number)s: a revocation waits for a second person"),
        _("Please look at the proposal to take back the clearance for “%(title)s”."),
    ),
    (
        "propose_revocation",
        "applicant",
        applicant,
        _("%(number)s: it is proposed to revoke your clearance"),
        _(
            "Nothing is decided yet: your clearance is in force. Please read the proposed grounds. You can reply until "
            "%(due)s; another senior reviewer decides after that."
        ),
    ),
    (
        "reject_revocation",
        "applicant",
        applicant,
        _("%(number)s: your clearance stays in force"),
        _("It was proposed to revoke the clearance for “%(title)s”. That was given back: nothing changes for you."),
    ),
    (
        "reject_revocation",
        "proposer",
        proposer_of_the_revocation,
        _("%(number)s: your proposal to revoke was given back"),
        _("The clearance for “%(title)s” stays in force. Please read the note."),
    ),
    (
        "revoke",
        "applicant",
        applicant,
        _("%(number)s: your clearance was revoked"),
        _("Please read the reasons, and how and until when you can appeal."),
    ),
    (
        "revoke",
        "officers",
        officers,
        _("%(number)s: clearance revoked"),
        _("The trip “%(title)s” of %(applicant)s is not cleared any more."),
    ),
    (
        "file_appeal",
        "applicant",
        applicant,
        _("%(number)s: your appeal was received"),
        _("People of another office hear it. You will be told of every step."),
    ),
    (
        "file_appeal",
        "appeal reviewers",
        appeal_reviewers,
        _("%(number)s: an appeal waits to be heard"),
        _("An appeal against a decision of %(office)s."),
    ),
    (
        "hear_appeal",
        "applicant",
        applicant,
        _("%(number)s: your appeal is under review"),
        _("Somebody of another office looks at it. You need do nothing."),
    ),
    (
        "withdraw_appeal",
        "applicant",
        applicant,
        _("%(number)s: your appeal was withdrawn"),
        _("The decision stands. Until the last day that it names you can file another appeal."),
    ),
    (
        "withdraw_appeal",
        "appeal reviewers",
        appeal_reviewers,
        _("%(number)s: the appeal was withdrawn"),
        _("There is nothing more to decide on “%(title)s”."),
    ),
    (
        "note_hearing",
        "applicant",
        applicant,
        _("%(number)s: a hearing of your appeal was noted"),
        _("Please read what was noted. You can comment on it."),
    ),
    (
        "comment_on_hearing",
        "appeal reviewers",
        appeal_reviewers,
        _("%(number)s: a comment on the hearing"),
        _("The applicant commented on what you noted. Please read it before you decide."),
    ),
    (
        "ask_in_appeal",
        "applicant",
        applicant,
        _("%(number)s: a question about your appeal"),
        _("The appeal reviewer asks you something. Please answer on the page of your request; it says by when."),
    ),
    (
        "answer_in_appeal",
        "appeal reviewers",
        appeal_reviewers,
        _("%(number)s: the applicant answered"),
        _("Your question about the appeal was answered."),
    ),
    (
        "add_to_appeal",
        "applicant",
        applicant,
        _("%(number)s: documents were added to your appeal"),
        _("You can read them on the page of your request."),
    ),
    (
        "add_to_appeal",
        "appeal reviewers",
        appeal_reviewers,
        _("%(number)s: documents were added to the appeal"),
        _("You can read them on the page of the case."),
    ),
    (
        "ask_other_reviewer",
        "seniors",
        seniors,
        _("%(number)s: the applicant asks for another reviewer"),
        _("Please hand the case over, or say why it stays. Decision due by %(due)s, as before."),
    ),
    (
        "keep_reviewer",
        "applicant",
        applicant,
        _("%(number)s: your case stays with its reviewer"),
        _("You asked for another reviewer. Please read the reasons. It is not held against you."),
    ),
    (
        "uphold",
        "applicant",
        applicant,
        _("%(number)s: your appeal was decided"),
        _("The decision stands. Please read the reasons."),
    ),
    (
        "overturn",
        "applicant",
        applicant,
        _("%(number)s: your appeal succeeded"),
        _(
            "%(cleared)sThe decision on your trip “%(title)s” is replaced by a clearance. Please read what is cleared, "
            "and the reasons."
        ),
    ),
    (
        "report_condition",
        "office",
        condition_office,
        _("%(number)s: a condition was reported as met"),
        _("“%(condition)s”\n\nPlease look at the report: release the condition, or say what is missing."),
    ),
    (
        "cannot_comply",
        "office",
        condition_office,
        _("%(number)s: a condition cannot be met"),
        _("“%(condition)s”\n\n%(said)s\n\nAn answer is owed: release it, change it, or uphold it with reasons."),
    ),
    (
        "release_condition",
        "owner",
        condition_owner,
        _("%(number)s: a condition was released"),
        _("“%(condition)s”\n\nNothing more is owed for it. %(said)s"),
    ),
    (
        "send_back_condition",
        "owner",
        condition_owner,
        _("%(number)s: something is missing for a condition"),
        _("“%(condition)s”\n\n%(said)s\n\nPlease report it again by %(by)s."),
    ),
    (
        "answer_condition",
        "owner",
        condition_owner,
        _("%(number)s: an answer about a condition: %(what)s"),
        _("“%(condition)s”\n\n%(said)s\n\nIf it is still owed, it is to be met by %(by)s."),
    ),
    (
        "remind",
        "condition",
        _of_condition(Step.REMIND, condition_owner),
        _("%(number)s: a condition is to be met by %(by)s"),
        _("“%(condition)s”\n\nPlease report it when it is met, or say that it cannot be met."),
    ),
    (
        "remind",
        "condition overdue",
        _of_condition(Step.OVERDUE, condition_owner),
        _("%(number)s: a condition is overdue"),
        _(
            "“%(condition)s” was to be met by %(by)s. Please report it, or say that it cannot be met. The clearance is "
            "not taken back by this."
        ),
    ),
    (
        "remind",
        "office of a condition",
        _of_condition(Step.TELL_OFFICE, condition_office),
        _("%(number)s: a condition is overdue"),
        _("“%(condition)s” was to be met by %(by)s, and nothing was reported. Who owes it was reminded."),
    ),
    (
        "close",
        "applicant",
        applicant,
        _("%(number)s: closed"),
        _("The trip “%(title)s” is over. There is nothing more to do."),
    ),
    (
        "remind",
        "whose turn",
        _after(Step.REMIND, whose_turn),
        _("%(number)s: please act by %(due)s"),
        _("“%(title)s” is in the state “%(state)s”."),
    ),
    (
        "remind",
        "before departure",
        _after(Step.WARN, before_departure),
        _("%(number)s: the trip begins on %(departs)s and is not decided"),
        _("“%(title)s” is in the state “%(state)s”. Please see what is still open; without a clearance nobody leaves."),
    ),
    (
        "remind",
        "seniors",
        _after(Step.OPEN_CONFIRMATION, seniors),
        _("%(number)s: the time to reply is over"),
        _("“%(title)s”: what is proposed can be confirmed or given back now."),
    ),
    (
        "remind",
        "reviewer",
        _after(Step.CLOSE_CONSULTATION, assigned_reviewer),
        _("%(number)s: the time of the specialist office is over"),
        _("You can propose a decision on “%(title)s” without the opinion. It can still come."),
    ),
    (
        "remind",
        "applicant",
        _after(Step.CLOSE_APPEAL, applicant),
        _("%(number)s: the time for an appeal is over"),
        _("No appeal was filed, so the decision on “%(title)s” stands."),
    ),
    (
        "escalate",
        "escalated",
        escalated_to,
        _("%(number)s is late: was due by %(due)s"),
        _("“%(title)s” of %(company)s is in the state “%(state)s” and overdue. Please see that it is decided."),
    ),
    (
        "escalate",
        "administrators",
        administrators_if_nobody,
        _("%(number)s is late, and nobody of %(office)s can be told"),
        _(
            "Nobody is there as a senior reviewer or as head of the office, nor a deputy, so the lateness of this case "
            "reaches no one who can act. Please post somebody, or name a deputy."
        ),
    ),
    (
        "recompute",
        "applicant",
        applicant,
        _("%(number)s: a date changed"),
        _(
            "The working days of a year were published, so dates that were provisional were computed anew. Time of the "
            "company and of the office never became longer by it, and yours never shorter.\n\n%(moved)s"
        ),
    ),
    (
        "recompute",
        "whose clock",
        whose_clocks_moved,
        _("%(number)s: a date changed"),
        _("The working days of a year were published, so dates were computed anew.\n\n%(moved)s"),
    ),
]


_STAFF = frozenset({Role.OFFICER, Role.REVIEWER, Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER, Role.ADMINISTRATOR})
# What people can choose. Nobody can be kept from what a right or a date of theirs hangs on (fair process, 14, 16, 18).
KINDS = (
    Kind(
        key="decisions",
        label=_("Decisions on your requests"),
        examples=_("Approved, not approved, revoked, and what became of an appeal."),
        roles=frozenset({Role.APPLICANT}),
        why_always=_("An appeal has a last day, which counts from the decision."),
        waits_for_digest=False,
    ),
    Kind(
        key="before-denial",
        label=_("Notices before a denial or a revocation"),
        examples=_("What is proposed, and on what grounds."),
        roles=frozenset({Role.APPLICANT}),
        why_always=_("You have a few working days to reply."),
        waits_for_digest=False,
    ),
    Kind(
        key="due",
        label=_("What is due of you"),
        examples=_("Questions to you, changes asked for, reminders, dates and tiers that change."),
        why_always=_("A date that passes can end a request or make it late."),
    ),
    Kind(
        key="progress",
        label=_("How your requests go on"),
        examples=_("Received, endorsed, taken by a reviewer, closed."),
        roles=frozenset({Role.APPLICANT}),
    ),
    Kind(
        key="work",
        label=_("New work"),
        examples=_("Requests that came in, answers, proposals to confirm."),
        roles=_STAFF,
    ),
    Kind(
        key="cases",
        label=_("What became of cases"),
        examples=_("Decided by others, withdrawn, sent on without you."),
        roles=_STAFF,
    ),
)
_DECISIONS = frozenset(
    {
        "approve", "confirm", "deem_approved", "revoke", "reject_revocation", "uphold", "overturn",
        "accept_amendment", "return_amendment",
    }
)  # fmt: skip
_BEFORE_DENIAL = frozenset({"propose", "propose_revocation"})
_PROGRESS = frozenset(
    {
        "submit", "endorse", "object", "forward", "judge_match", "take", "hand_over", "return_to_queue",
        "reject_proposal", "consult", "give_opinion", "withdraw", "file_appeal", "hear_appeal",
        "withdraw_appeal", "add_to_appeal", "close", "amend", "file_amendment", "withdraw_amendment",
        "report_change", "note_report",
    }
)  # fmt: skip
_DUE = frozenset({"remind", "escalate", "recompute"})
_CASES = frozenset(
    {
        ("forward", "officers"),
        ("approve", "officers"),
        ("confirm", "officers"),
        ("revoke", "officers"),
        ("deem_approved", "head"),
        ("withdraw", "reviewer"),
        ("amend", "officers"),
        ("accept_amendment", "officers"),
        ("withdraw_amendment", "reviewer"),
        ("report_change", "officers"),
    }
)
# Several of these about one case are as good as the latest.
_REPEATS = frozenset({("remind", "whose turn"), ("escalate", "escalated")})
# With so little time left a mail waits neither for quiet hours nor for the summary of the day.
_SHORT = timedelta(days=2)


def kind_of(verb: str, audience: str) -> str:
    """What a notice is about, as people choose it. What is new and not named above cannot be switched off."""
    if audience == "applicant":
        kinds = {"decisions": _DECISIONS, "before-denial": _BEFORE_DENIAL, "progress": _PROGRESS}
        return next((kind for kind, verbs in kinds.items() if verb in verbs), "due")
    if verb in _DUE or audience == "owner":
        return "due"
    return "cases" if (verb, audience) in _CASES else "work"


def _is_urgent(event: OutboxEvent, kind: str) -> bool:
    """Whether a mail about it comes at any hour: the trip is urgent humanitarian, the traveller has to be heard before
    a denial, a clearance is gone, or what is due is due within two days."""
    if event.data.get("urgent") or kind == "before-denial" or event.event == "request.revoke":
        return True
    due = event.data.get("due")
    return bool(kind == "due" and due and datetime.fromisoformat(due) - event.at <= _SHORT)


# ── lists, in terms of requests ─────────────────────────────────────────────────────────────────────────────────────


def seniors_with_open_cases(event: OutboxEvent) -> Iterable[int]:
    """The senior reviewers of every office that has open cases, except who published the list."""
    offices = TravelRequest.unscoped.filter(state__in=sorted(WITH_AUTHORITY)).values("office_id")
    found = Posting.objects.in_force(event.at).filter(role=Role.SENIOR, office_id__in=offices)
    return found.exclude(user_id=event.data.get("by")).values_list("user_id", flat=True).distinct()


def _list_context(event: OutboxEvent) -> Mapping[str, object]:
    version = ListVersion.objects.select_related("list").get(pk=event.data["version"])
    assert version.published_from is not None
    return {"list": version.list.name, "version": version.number, "day": date_format(version.published_from)}


_LIST_PUBLISHED = Notice(
    event="list.publish",
    audience="seniors",
    recipients=seniors_with_open_cases,
    context=_list_context,
    url=lambda event: reverse("list_effects"),
    subject=_("%(list)s: version %(version)d is published"),
    body=_(
        "It counts from %(day)s on and changes no request that was submitted. From that day on you can see which open "
        "cases of your office it would have assessed otherwise, and have them assessed anew."
    ),
    kind="work",
)


def register() -> None:
    """Make the verbs recordable and the events tellable. Called once, when the app is ready."""
    for verb, words in VERBS.items():
        verbs.register(verb, words)
    for kind in KINDS:
        register_kind(kind)
    for verb, audience, recipients, subject, body in NOTICES:
        about = kind_of(verb, audience)
        register_notice(
            Notice(
                event=f"request.{verb}",
                audience=audience,
                recipients=recipients,
                context=_context,
                url=_url,
                subject=subject,
                body=body,
                kind=about,
                is_urgent=partial(_is_urgent, kind=about),
                repeats=(verb, audience) in _REPEATS,
                subjects=_requests,
            )
        )
    register_notice(_LIST_PUBLISHED)
