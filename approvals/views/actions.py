"""A page for each verb: says what will happen, takes its input, calls exactly that verb, and says what came of it.

Adding a verb is one entry in `PAGES`. What may be done is asked of the workflow, never decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Refused
from accounts.roles import NOBODY, Actor, Role
from approvals import assessment, consistency, disclosure, queries, rules, timekeeping, workflow
from approvals.access import role_towards
from approvals.forms import amending as changes
from approvals.forms import appeals, conflicts, deciding
from approvals.forms import conditions as condition_forms
from approvals.forms import staff as forms
from approvals.forms.information import AskForm
from approvals.models import TravelRequest
from approvals.models.conditions import ConditionState
from approvals.states import Tier
from approvals.views import appealed, parts
from approvals.views.amended import about_amendment
from approvals.views.reading import open_request
from authorities.terms import ClockKind
from sensitivity import matching

# Who works on cases, and so has the case page as the page of a request.
CASE_ROLES = frozenset({Role.REVIEWER, Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER})

Words = str | Promise
About = Callable[[TravelRequest, datetime], Mapping[str, Any]]


def _nothing(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of a verb. `about` gives what `part`, a template, shows between the sentence and the form."""

    verb: str
    label: Words
    """On the button that leads here, on the one that does it, and above the page."""
    happens: Words
    """What will happen, in a sentence or two."""
    done: Words
    """What has happened, when it has."""
    form: type[forms.VerbForm] = forms.VerbForm
    is_main: bool = False
    """What usually comes next; the others stand beside it."""
    is_grave: bool = False
    part: str = ""
    about: About = _nothing
    form_part: str = ""
    """A template for the fields, where they are more than one below the other."""
    elsewhere: str = ""
    """The name of the address of a page of its own, on which it is done instead."""


def _last_day(until: datetime, request: TravelRequest) -> Any:
    """The day at whose end `until` (exclusive) is, in the office's time zone."""
    return timezone.localtime(until - timedelta(microseconds=1), request.zone).date()


def _denial(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    return {
        "one_decides": rules.one_reviewer_decides.refusal(request) is None,
        "places": len(request.itinerary),
        "reply_until": _last_day(timekeeping.reply_until(request, at=at), request),
    }


def _heard(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    return {"reply_until": _last_day(timekeeping.reply_until(request, at=at), request)}


def _consulted(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    clock = request.running_clocks.get(ClockKind.CONSULTATION)
    due = clock.due_at if clock else None
    return {"asked": queries.open_consultation(request), "due": _last_day(due, request) if due else None}


def about_proposal(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    """What `approvals/do/proposal.html` shows: the proposal, its grounds in words, the applicant's reply, the opinion
    of a specialist office, and what happened since it was proposed."""
    proposal = request.proposal
    if proposal is None:
        return {}
    said = queries.reply_to(proposal)
    return {
        "proposal": proposal,
        "imposed": parts.imposed_in_words(proposal.conditions),
        "is_heard": proposal.reply_until is not None,
        "facts": parts.facts_in_words(proposal, request),
        "measures": parts.measures_in_words(proposal),
        "cleared": parts.cleared_in_words(proposal, request),
        "since_then": parts.since(proposal, request),
        "reasons": queries.reasons(proposal.reason_codes, request=request, at=proposal.at),
        "reply": parts.reply_in_words(said, request) if said else None,
        "reply_until": _last_day(request.reply_until, request) if request.reply_until else None,
    }


def _appeal(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    """What `approvals/do/appeal.html` shows. Who opens these pages is the applicant, or hears the appeal."""
    return {"appeals": appealed.appeals_of(request, NOBODY)[:1]}


def _other_reviewer(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    return {"asked": queries.other_reviewer_asked(request)}


def _conditions_in(state: ConditionState) -> About:
    """What a page shows of the conditions in this state: what was said about each, and the documents that show it."""

    def about(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
        documents = {str(document.pk): document for document in request.documents}
        waiting = []
        for one in request.conditions_now:
            if one.last is not None and one.state == state:
                shown = [documents[file["id"]] for file in one.last.documents if file["id"] in documents]
                waiting.append((one, [parts.file_of(request, document) for document in shown]))
        return {"waiting": waiting}

    return about


def _remedy(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    return {"decision": request.decision}


def _matches(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    """The possible matches side by side. Only who decides opens this page, and reads everything."""
    waiting = request.assessment.possible if request.assessment else []
    return {"possible": disclosure.possible_in_words(waiting, whole=True, with_countries=True)}


@dataclass(frozen=True, slots=True)
class Reassessed:
    """What a new assessment with the lists of today would come to, beside what is in force."""

    tier: str
    tier_words: str
    route: str
    rises: bool
    is_same: bool
    come: list[disclosure.HitWords]
    gone: list[disclosure.HitWords]
    stay: list[disclosure.HitWords]
    possible: list[disclosure.PossibleWords]


def _reassessed(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    """What would change, shown before anything does. Only seniors of the office open this page."""
    before = request.assessment
    if before is None or request.revision is None or request.departs_on is None or request.returns_on is None:
        return {}
    finding = assessment.assess_facts(
        assessment.facts_from(request.revision.content, company_id=request.company_id),
        on=request.as_of(at).today,
        departs_on=request.departs_on,
        returns_on=request.returns_on,
        answers=queries.match_answers(request.pk),
    )
    was = {(hit.list_id, hit.lineage, hit.level): hit for hit in map(matching.hit_from, before.hits)}
    now = {(hit.list_id, hit.lineage, hit.level): hit for hit in finding.hits}

    def words(hits: Iterable[matching.Hit]) -> list[disclosure.HitWords]:
        return disclosure.hits_in_words(hits, whole=True, company_id=request.company_id)

    tiers = list(Tier)
    found = Reassessed(
        tier=finding.tier,
        tier_words=str(finding.tier.label),
        route=str(finding.route.label),
        rises=tiers.index(finding.tier) > tiers.index(Tier(request.tier)),
        is_same=finding.tier == request.tier and [hit.as_data() for hit in finding.hits] == before.hits,
        come=words(hit for key, hit in now.items() if key not in was),
        gone=words(hit for key, hit in was.items() if key not in now),
        stay=words(hit for key, hit in now.items() if key in was),
        possible=disclosure.possible_in_words(finding.possible, whole=True),
    )
    return {"found": found}


PAGES: Mapping[str, Page] = {
    # ── the applicant ──
    "submit": Page(
        verb="submit",
        is_main=True,
        label=gettext_lazy("Submit the request"),
        happens=gettext_lazy(
            "Your company looks at it first, then the office; an urgent humanitarian trip goes to the office at once. "
            "You are told of every step."
        ),
        done=gettext_lazy("Your request was submitted."),
    ),
    "answer": Page(
        verb="answer",
        is_main=True,
        label=gettext_lazy("Answer the office"),
        happens=gettext_lazy("Your answers go to the office, and its time runs on from this moment."),
        done=gettext_lazy("Your answers are with the office; its time runs again."),
        elsewhere="answer",
    ),
    "reply": Page(
        verb="reply",
        is_main=True,
        label=gettext_lazy("Reply to the proposed decision"),
        happens=gettext_lazy(
            "Your reply becomes part of the decision. A senior reviewer reads it before anything is decided. You can "
            "send documents with it, and somebody may help you to write it."
        ),
        done=gettext_lazy("Your reply was received. A senior reviewer reads it before deciding."),
        form=deciding.ReplyForm,
        part="approvals/do/proposal.html",
        about=about_proposal,
    ),
    "refer": Page(
        verb="refer",
        is_main=True,
        label=gettext_lazy("Take it to the office as a personal trip"),
        happens=gettext_lazy(
            "The office looks at the trip as a personal one. What your company wrote stays on the file."
        ),
        done=gettext_lazy("Your request is with the office, as a personal trip."),
    ),
    "reopen": Page(
        verb="reopen",
        is_main=True,
        label=gettext_lazy("Reopen"),
        happens=gettext_lazy("The request is where it was before it lapsed, and the time for it starts anew."),
        done=gettext_lazy("Your request is open again."),
    ),
    "file_appeal": Page(
        verb="file_appeal",
        label=gettext_lazy("Appeal"),
        happens=gettext_lazy(
            "People of another office look at everything anew and can replace the decision. "
            "Nobody who took part in it hears the appeal."
        ),
        done=gettext_lazy("Your appeal was filed. Another office hears it."),
        form=appeals.AppealForm,
        part="approvals/do/remedy.html",
        about=_remedy,
    ),
    "answer_in_appeal": Page(
        verb="answer_in_appeal",
        is_main=True,
        label=gettext_lazy("Answer the appeal reviewer"),
        happens=gettext_lazy(
            "Your answer and your documents go to the appeal reviewer. The company does not see them."
        ),
        done=gettext_lazy("Your answer is with the appeal reviewer."),
        form=appeals.AppealAnswerForm,
        part="approvals/do/appeal.html",
        about=_appeal,
    ),
    "comment_on_hearing": Page(
        verb="comment_on_hearing",
        label=gettext_lazy("Comment on the hearing"),
        happens=gettext_lazy("Your comment is kept beside what was noted, and is read before the appeal is decided."),
        done=gettext_lazy("Your comment was kept with the appeal."),
        form=appeals.HearingCommentForm,
        part="approvals/do/appeal.html",
        about=_appeal,
    ),
    "add_to_appeal": Page(
        verb="add_to_appeal",
        label=gettext_lazy("Add documents to the appeal"),
        happens=gettext_lazy(
            "The applicant and the appeal reviewer both read them, the company does not. They cannot be "
            "taken out again."
        ),
        done=gettext_lazy("The documents were added to the appeal."),
        form=appeals.AppealDocumentsForm,
    ),
    "withdraw_appeal": Page(
        verb="withdraw_appeal",
        label=gettext_lazy("Withdraw the appeal"),
        happens=gettext_lazy("The decision stands. Until the last day for an appeal you can file another one."),
        done=gettext_lazy("Your appeal was withdrawn."),
        is_grave=True,
    ),
    "ask_other_reviewer": Page(
        verb="ask_other_reviewer",
        label=gettext_lazy("Ask for another reviewer"),
        happens=gettext_lazy(
            "You can ask for this once. A senior reviewer hands the case to somebody else, or tells you why not. Until "
            "then nothing is proposed; the office's time runs on. It is never held against you."
        ),
        done=gettext_lazy("You asked for another reviewer. A senior reviewer answers."),
        form=conflicts.OtherReviewerForm,
    ),
    "close": Page(
        verb="close",
        label=pgettext_lazy("request", "Close"),
        happens=gettext_lazy(
            "The trip is over, or you will not travel: the request ends, and so does the clearance. "
            "This cannot be undone."
        ),
        done=gettext_lazy("Your request is closed."),
    ),
    # ── a change to the trip ──
    "amend": Page(
        verb="amend",
        label=gettext_lazy("Change the trip"),
        happens="",
        done="",
        elsewhere="amendment",
    ),
    "file_amendment": Page(
        verb="file_amendment",
        label=gettext_lazy("Ask for a change"),
        happens="",
        done="",
        elsewhere="amendment",
    ),
    "report_change": Page(
        verb="report_change",
        label=gettext_lazy("Report what changed"),
        happens="",
        done="",
        elsewhere="amendment",
    ),
    "withdraw_amendment": Page(
        verb="withdraw_amendment",
        label=gettext_lazy("Take the change back"),
        happens=gettext_lazy("The office does not look at the change any more. The trip stays as it was cleared."),
        done=gettext_lazy("The change was taken back. The trip is cleared as it was."),
    ),
    "recommend_amendment": Page(
        verb="recommend_amendment",
        is_main=True,
        label=gettext_lazy("Recommend the change"),
        happens=gettext_lazy("A senior reviewer, not you, accepts the change or gives it back. Nothing is decided."),
        done=gettext_lazy("Recommended. A senior reviewer looks at it."),
        form=changes.RecommendForm,
        part="approvals/do/amendment.html",
        about=about_amendment,
    ),
    "accept_amendment": Page(
        verb="accept_amendment",
        is_main=True,
        label=gettext_lazy("Accept the change"),
        happens=gettext_lazy(
            "The trip is cleared as changed, with a decision of its own. What did not change was decided before and "
            "stands. The applicant is told at once."
        ),
        done=gettext_lazy("Accepted. The trip is cleared as changed; the applicant was told."),
        form=changes.AcceptForm,
        part="approvals/do/amendment.html",
        about=about_amendment,
    ),
    "return_amendment": Page(
        verb="return_amendment",
        label=gettext_lazy("Give the change back"),
        happens=gettext_lazy(
            "The trip stays cleared as it was; nothing is taken away. The applicant reads your reasons, and can ask "
            "for the other trip with a new request."
        ),
        done=gettext_lazy("Given back. The clearance stays as it was; the applicant was told the reasons."),
        form=changes.ReturnForm,
        part="approvals/do/amendment.html",
        about=about_amendment,
    ),
    "note_report": Page(
        verb="note_report",
        is_main=True,
        label=gettext_lazy("Note the report"),
        happens=gettext_lazy(
            "You have read what had to change on the way. It is noted; nothing follows from it for the applicant."
        ),
        done=gettext_lazy("Noted. The applicant was told."),
        form=changes.NoteForm,
        part="approvals/do/amendment.html",
        about=about_amendment,
    ),
    # ── the company ──
    "endorse": Page(
        verb="endorse",
        is_main=True,
        label=gettext_lazy("Endorse"),
        happens=gettext_lazy("The request goes to the office with the company's support."),
        done=gettext_lazy("Endorsed. The request is with the office."),
        form=forms.EndorseForm,
    ),
    "object": Page(
        verb="object",
        label=gettext_lazy("Send on with objections"),
        happens=gettext_lazy(
            "The request goes to the office with what the company objects to. The trip is a personal one: "
            "the company cannot end it."
        ),
        done=gettext_lazy("The request is with the office, with the company's objections."),
        form=forms.ObjectForm,
    ),
    "return_for_changes": Page(
        verb="return_for_changes",
        label=gettext_lazy("Return for changes"),
        happens=gettext_lazy("The applicant reads your list, changes the request and submits it again."),
        done=gettext_lazy("Returned to the applicant for changes."),
        form=forms.ReturnForm,
    ),
    "decline": Page(
        verb="decline",
        label=gettext_lazy("Decline the business trip"),
        happens=gettext_lazy(
            "The company will not send the employee on this trip. The applicant reads the reason, and can take the "
            "trip to the office as a personal one."
        ),
        done=gettext_lazy("Declined. The applicant was told the reason."),
        form=forms.DeclineForm,
        is_grave=True,
    ),
    # ── the office ──
    "take": Page(
        verb="take",
        is_main=True,
        label=gettext_lazy("Take the case"),
        happens=gettext_lazy("The case is yours. The applicant sees your officer number."),
        done=gettext_lazy("The case is yours."),
        form=appeals.TakeForm,
    ),
    "approve": Page(
        verb="approve",
        is_main=True,
        label=gettext_lazy("Approve"),
        happens=gettext_lazy(
            "The trip is cleared from this moment on, under the conditions that you name. The applicant is told."
        ),
        done=gettext_lazy("Approved. The applicant was told."),
        form=condition_forms.ApproveForm,
        form_part="approvals/do/rows.html",
    ),
    "judge_match": Page(
        verb="judge_match",
        is_main=True,
        label=gettext_lazy("Answer a possible match"),
        happens=gettext_lazy(
            "You say whether the name is that of the listed organisation. If it is, the entry counts from now on, and "
            "the tier can rise; if it is not, it counts for nothing. The applicant is told, with your reason."
        ),
        done=gettext_lazy("Answered. The applicant was told, with your reason."),
        form=forms.JudgeMatchForm,
        part="approvals/do/matches.html",
        about=_matches,
    ),
    "change_tier": Page(
        verb="change_tier",
        label=gettext_lazy("Change the tier"),
        happens=gettext_lazy(
            "The request is looked at more or less closely than the lists say, and its due date becomes that of the "
            "new tier, counted from the same day. What the lists said stays on the file. The applicant receives your "
            "reason."
        ),
        done=gettext_lazy("The tier was changed. The applicant was told the reason."),
        form=forms.ChangeTierForm,
    ),
    "reassess": Page(
        verb="reassess",
        label=gettext_lazy("Assess anew"),
        happens=gettext_lazy(
            "The submitted request is compared with the lists of today, and what they say takes the place of the "
            "assessment in force. Lists never do this by themselves. The applicant is told."
        ),
        done=gettext_lazy("Assessed anew. The applicant was told."),
        form=forms.ReassessForm,
        part="approvals/do/reassessed.html",
        about=_reassessed,
    ),
    "propose": Page(
        verb="propose",
        is_main=True,
        label=gettext_lazy("Propose an approval"),
        happens=gettext_lazy(
            "Nothing is decided yet: a senior reviewer, not you, confirms the proposal or gives it back."
        ),
        done=gettext_lazy("Proposed. A senior reviewer confirms it or gives it back."),
        form=condition_forms.ProposeApprovalForm,
        form_part="approvals/do/rows.html",
    ),
    "propose_part": Page(
        verb="propose",
        label=gettext_lazy("Propose to approve a part: fewer days or places"),
        happens=gettext_lazy(
            "Nothing is decided yet. What you do not clear is refused, so the applicant reads the grounds and can "
            "reply; after that a senior reviewer, not you, decides."
        ),
        done=gettext_lazy("Proposed. The applicant is heard before a senior reviewer decides."),
        form=deciding.ProposePartForm,
        form_part="approvals/do/part_form.html",
        part="approvals/do/part.html",
        about=_heard,
    ),
    "consult": Page(
        verb="consult",
        is_main=True,
        label=gettext_lazy("Ask a specialist office"),
        happens=gettext_lazy(
            "The office is asked for its opinion and sees this case. The time for the decision runs on; a decision can "
            "be proposed when the opinion is there, or its time is over. The applicant is told whom you ask."
        ),
        done=gettext_lazy("Asked. The applicant was told."),
        form=deciding.ConsultForm,
    ),
    "give_opinion": Page(
        verb="give_opinion",
        is_main=True,
        label=gettext_lazy("Give the opinion"),
        happens=gettext_lazy("Your opinion goes to the office that has the case. It advises; it does not decide."),
        done=gettext_lazy("Your opinion is with the office that has the case."),
        form=deciding.OpinionForm,
        part="approvals/do/consulted.html",
        about=_consulted,
    ),
    "confirm": Page(
        verb="confirm",
        is_main=True,
        label=gettext_lazy("Confirm the proposal"),
        happens=gettext_lazy("The proposal becomes the decision, and the applicant is told at once."),
        done=gettext_lazy("Decided. The applicant was told."),
        form=appeals.ConfirmForm,
        part="approvals/do/proposal.html",
        about=about_proposal,
    ),
    "reject_proposal": Page(
        verb="reject_proposal",
        label=gettext_lazy("Give the proposal back"),
        happens=gettext_lazy("The case goes back to the reviewer with your note. Nothing is decided."),
        done=gettext_lazy("Given back to the reviewer."),
        form=forms.RejectProposalForm,
        part="approvals/do/proposal.html",
        about=about_proposal,
    ),
    "ask_information": Page(
        verb="ask_information",
        label=gettext_lazy("Ask the applicant"),
        happens=gettext_lazy(
            "The office's time stops until the applicant has answered, and runs on from that moment. "
            "Ask for everything in one list: a second time needs a senior reviewer."
        ),
        done=gettext_lazy("The applicant was asked. The office's time stands still until the answer."),
        form=AskForm,
        form_part="approvals/do/rows.html",
    ),
    "agree_information": Page(
        verb="agree_information",
        label=gettext_lazy("Agree to a second question"),
        happens=gettext_lazy("The reviewer may ask the applicant for information one more time."),
        done=gettext_lazy("The reviewer may ask one more time."),
    ),
    "extend": Page(
        verb="extend",
        label=gettext_lazy("Extend the time for deciding"),
        happens=gettext_lazy("The due date moves, once, by so many working days. The applicant receives the reason."),
        done=gettext_lazy("Extended. The applicant was told the reason."),
        form=forms.ExtendForm,
    ),
    "hand_over": Page(
        verb="hand_over",
        label=gettext_lazy("Hand over"),
        happens=gettext_lazy("The case goes to the reviewer whom you choose. The office's time runs on."),
        done=gettext_lazy("Handed over."),
        form=forms.HandOverForm,
    ),
    "recuse": Page(
        verb="recuse",
        label=gettext_lazy("Declare a conflict of interest"),
        happens=gettext_lazy(
            "The case goes back to the office's queue, and you will not see it any more. You cannot undo this."
        ),
        done=gettext_lazy("You have left the case; others of the office deal with it."),
        form=conflicts.RecuseForm,
    ),
    "keep_reviewer": Page(
        verb="keep_reviewer",
        label=gettext_lazy("Leave the case with its reviewer"),
        happens=gettext_lazy(
            "The applicant asked for another reviewer, and reads your reasons. To grant it, hand the case over instead."
        ),
        done=gettext_lazy("The case stays with its reviewer. The applicant was told the reasons."),
        form=conflicts.KeepReviewerForm,
        part="approvals/do/other_reviewer.html",
        about=_other_reviewer,
    ),
    "propose_denial": Page(
        verb="propose",
        label=gettext_lazy("Propose a denial"),
        happens=gettext_lazy(
            "Nothing is decided yet: the applicant reads these grounds and can reply; after that a senior reviewer, "
            "not you, decides."
        ),
        done=gettext_lazy("Denial proposed. The applicant is heard before a senior reviewer decides."),
        form=deciding.ProposeDenialForm,
        form_part="approvals/do/grounds_form.html",
        is_grave=True,
        part="approvals/do/denial.html",
        about=_denial,
    ),
    "propose_revocation": Page(
        verb="propose_revocation",
        label=gettext_lazy("Propose a revocation"),
        happens=gettext_lazy(
            "Nothing is decided yet, and the clearance stays in force: the applicant reads these grounds and can "
            "reply; after that another senior reviewer, not you, decides before the departure."
        ),
        done=gettext_lazy("Revocation proposed. The applicant is heard before another senior reviewer decides."),
        form=deciding.GroundsForm,
        form_part="approvals/do/grounds_form.html",
        is_grave=True,
    ),
    "revoke": Page(
        verb="revoke",
        label=gettext_lazy("Confirm the revocation"),
        happens=gettext_lazy("The clearance is taken back, and the applicant is told at once with the remedy."),
        done=gettext_lazy("Revoked. The applicant was told, with the remedy."),
        form=appeals.RevokeForm,
        is_grave=True,
        part="approvals/do/proposal.html",
        about=about_proposal,
    ),
    "reject_revocation": Page(
        verb="reject_revocation",
        label=gettext_lazy("Leave the clearance in force"),
        happens=gettext_lazy(
            "The proposal is given back with your note, and the applicant is told that nothing changes."
        ),
        done=gettext_lazy("The clearance stays in force. The applicant was told."),
        form=appeals.RejectRevocationForm,
        part="approvals/do/proposal.html",
        about=about_proposal,
    ),
    # ── the conditions of a clearance ──
    "report_condition": Page(
        verb="report_condition",
        is_main=True,
        label=gettext_lazy("Report a condition as met"),
        happens=gettext_lazy("The office looks at your report and releases the condition, or says what is missing."),
        done=gettext_lazy("Reported. The office looks at it."),
        elsewhere="conditions",
    ),
    "cannot_comply": Page(
        verb="cannot_comply",
        label=gettext_lazy("Say that a condition cannot be met"),
        happens=gettext_lazy(
            "The office owes you an answer within a few working days: it releases the condition, changes it, or "
            "upholds it with reasons. The clearance stays in force meanwhile."
        ),
        done=gettext_lazy("The office was told, and owes an answer. The clearance stays in force."),
        form=condition_forms.CannotComplyForm,
    ),
    "answer_condition": Page(
        verb="answer_condition",
        is_main=True,
        label=gettext_lazy("Answer about a condition"),
        happens=gettext_lazy("Who owes it reads your answer and the reasons. The clearance stays in force."),
        done=gettext_lazy("Answered. Who owes it was told."),
        form=condition_forms.AnswerConditionForm,
        part="approvals/do/condition.html",
        about=_conditions_in(ConditionState.CANNOT_COMPLY),
    ),
    "release_condition": Page(
        verb="release_condition",
        is_main=True,
        label=gettext_lazy("Release a condition"),
        happens=gettext_lazy("Nothing more is owed for this condition. Who owed it is told."),
        done=gettext_lazy("Released. Who owed it was told."),
        form=condition_forms.ReleaseForm,
        part="approvals/do/condition.html",
        about=_conditions_in(ConditionState.REPORTED),
    ),
    "send_back_condition": Page(
        verb="send_back_condition",
        label=gettext_lazy("Send a report back"),
        happens=gettext_lazy("Who owes the condition reads what is missing, and reports it again by the day you give."),
        done=gettext_lazy("Sent back. Who owes it was told what is missing."),
        form=condition_forms.SendBackForm,
        part="approvals/do/condition.html",
        about=_conditions_in(ConditionState.REPORTED),
    ),
    # ── the appeal ──
    "hear_appeal": Page(
        verb="hear_appeal",
        is_main=True,
        label=gettext_lazy("Take the appeal under review"),
        happens=gettext_lazy(
            "You hear the appeal: you look at everything anew, and decide whether the decision stands."
        ),
        done=gettext_lazy("You hear this appeal."),
        form=appeals.HearAppealForm,
        part="approvals/do/appeal.html",
        about=_appeal,
    ),
    "note_hearing": Page(
        verb="note_hearing",
        label=gettext_lazy("Note a hearing"),
        happens=gettext_lazy("The note is kept with the appeal. The applicant reads it and can comment."),
        done=gettext_lazy("The hearing was noted. The applicant was told."),
        form=appeals.HearingNoteForm,
    ),
    "ask_in_appeal": Page(
        verb="ask_in_appeal",
        label=gettext_lazy("Ask the applicant"),
        happens=gettext_lazy(
            "The applicant has some working days to answer. The time for deciding on the appeal runs on."
        ),
        done=gettext_lazy("The applicant was asked."),
        form=appeals.AppealQuestionForm,
    ),
    "overturn": Page(
        verb="overturn",
        label=gettext_lazy("Replace the decision by a clearance"),
        happens=gettext_lazy(
            "The trip, or the part of it that you leave marked, is cleared from this moment on. What you do not clear "
            "stays refused. The applicant is told, with your reasons."
        ),
        done=gettext_lazy("The decision was replaced by a clearance. The applicant was told."),
        form=appeals.OverturnForm,
        form_part="approvals/do/overturn_form.html",
        part="approvals/do/appeal.html",
        about=_appeal,
    ),
    "uphold": Page(
        verb="uphold",
        label=gettext_lazy("Let the decision stand"),
        happens=gettext_lazy("The appeal ends here; the applicant is told, with your reasons."),
        done=gettext_lazy("The decision stands. The applicant was told, with your reasons."),
        form=appeals.UpholdForm,
        part="approvals/do/appeal.html",
        about=_appeal,
        is_grave=True,
    ),
    # ── last, because it ends everything ──
    "withdraw": Page(
        verb="withdraw",
        label=gettext_lazy("Withdraw"),
        happens=gettext_lazy(
            "The request ends here and nobody looks at it any more. This cannot be undone; "
            "you can make a new request at any time."
        ),
        done=gettext_lazy("Your request was withdrawn."),
        is_grave=True,
    ),
}


# ── buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Action:
    """A button, as `components/actions.html` shows it. Each opens the page of its verb."""

    name: str
    label: Words
    url: str
    danger: bool
    primary: bool
    opens_page: bool = True


def actions_for(actor: Actor, request: TravelRequest, *, at: datetime, place: str = "") -> list[Action]:
    """What `actor` can do to `request` at `at`, as buttons; one of them at most is the main one, and first.

    `place`: where in the inbox the reader came from, carried along.
    """
    open_verbs = frozenset(workflow.available_actions(actor, request, at=at))
    names = [name for name, page in PAGES.items() if page.verb in open_verbs]
    main = next((name for name in names if PAGES[name].is_main and not _is_grave(PAGES[name], request)), "")
    return [
        Action(
            name=name,
            label=PAGES[name].label,
            url=do_url(request, name, place),
            danger=_is_grave(PAGES[name], request),
            primary=name == main,
        )
        for name in sorted(names, key=lambda name: name != main)
    ]


def _is_grave(page: Page, request: TravelRequest) -> bool:
    return page.is_grave or (page.verb == "confirm" and request.reply_until is not None)


def do_url(request: TravelRequest, name: str, place: str = "") -> str:
    """The address of the page `name` of PAGES for `request`."""
    if elsewhere := PAGES[name].elsewhere:
        return with_place(reverse(elsewhere, args=[request.reference]), place)
    return with_place(reverse("request_do", args=[request.reference, name]), place)


def with_place(url: str, place: str) -> str:
    """`url` carrying `place`, the query string of the inbox that the reader came from."""
    return f"{url}?{urlencode({'from': place})}" if place else url


def page_of(request: TravelRequest, actor: Actor, place: str = "") -> str:
    """The address of the page of `request` for `actor`: the case page for those who work on cases."""
    name = "case" if role_towards(request, actor) in CASE_ROLES else "request"
    return with_place(reverse(name, args=[request.reference]), place)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


_CHOSEN = {"key": "match", "condition": "condition"}


@login_required
@require_http_methods(["GET", "POST"])
def request_do(http: ActorRequest, reference: str, verb: str) -> HttpResponse:
    """GET: what will happen, and the form. POST: the verb itself, once.

    409 when it cannot be done now, 403 when not by this person, 422 when the input is not right (what was typed stays),
    404 for what is not there to see; in each case nothing has moved.
    """
    page = PAGES.get(verb)
    if page is None:
        raise Http404
    at, place = timezone.now(), http.GET.get("from", "")
    request = open_request(http, reference, page=f"do/{verb}", at=at)
    if page.elsewhere:
        return redirect(with_place(reverse(page.elsewhere, args=[request.reference]), place))
    refused: Refused | None = workflow.refusal(request, page.verb, http.actor, at=at)
    # A page leads to one possible match or one condition of several.
    chosen = {name: http.GET[given] for name, given in _CHOSEN.items() if given in http.GET}
    sent = (http.POST, http.FILES) if http.method == "POST" else (None, None)
    form = page.form(*sent, request=request, at=at, initial=chosen)
    if refused is None and http.method == "POST" and form.is_valid():
        # Who declares a conflict of interest leaves the case instead.
        page = PAGES[form.instead] if form.instead else page
        try:
            getattr(workflow, page.verb)(request.pk, actor=http.actor, at=at, **form.values())
        except NotFound as error:
            raise Http404(str(error)) from error
        except (NotNow, NotAllowed) as error:
            refused = error
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(http, str(page.done))
            return redirect(_afterwards(request, http.actor, place))
    if isinstance(refused, Invalid):
        # What the request itself lacks, before anything is entered: said at once, on the first look too.
        form = page.form(http.POST, http.FILES, request=request, at=at)
        form.refuse(refused)
    elif refused is not None:
        return _refused(http, request, page, form, refused, place)
    context = {
        "page": page,
        "trip": request,
        "form": form,
        "is_grave": _is_grave(page, request),
        "back_url": page_of(request, http.actor, place),
        "place": place,
        "alike": _alike(page, request, http.actor, at),
        **page.about(request, at),
    }
    return render(http, "approvals/do.html", context, status=422 if form.errors else 200)


def _alike(page: Page, request: TravelRequest, actor: Actor, at: datetime) -> list[consistency.Alike] | None:
    """Before a senior signs: like cases that were decided differently. None on every other page."""
    return consistency.before_signing(request, actor=actor, at=at) if page.about is about_proposal else None


def _afterwards(request: TravelRequest, actor: Actor, place: str) -> str:
    """Where to go when it is done: the page of the request, or the inbox for who does not see it any more."""
    if queries.id_of(request.reference, actor) is None:
        return f"{reverse('inbox')}?{place}" if place else reverse("inbox")
    return page_of(request, actor, place)


def _refused(
    http: ActorRequest,
    request: TravelRequest,
    page: Page,
    form: forms.VerbForm,
    refused: Refused,
    place: str,
) -> HttpResponse:
    """What happened meanwhile, where the request is now, and what was typed, so that it is not lost."""
    now = queries.in_full(http.actor).filter(pk=request.pk).first()
    if now is None:
        raise Http404(_("There is no such request, or it is not yours to see."))
    context = {
        "page": page,
        "trip": now,
        "sentence": refused.sentence,
        "typed": form.typed(),
        "back_url": page_of(now, http.actor, place),
    }
    return render(http, "approvals/refused.html", context, status=409 if isinstance(refused, NotNow) else 403)
