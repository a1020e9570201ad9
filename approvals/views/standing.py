"""Where a request stands, in words: one sentence, its time as arithmetic, everything that happened, what was changed.

Pages of applicants, companies and offices show the same parts from here. What each reader gets to see of the exchange
between the applicant and the office is decided here too: the company sees that it happened, not what was said; people
of the office are named by role and officer number.

A request from `queries.in_full` is expected. Its history is read once and kept with it: one query for the log, and one
for each kind of thing that happened, however often it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Max
from django.db.models.functions import TruncDate
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django_countries import countries

from accounts.looking import looked_at
from accounts.models import AccessEntry, User
from accounts.roles import Actor, Role
from approvals import disclosure, queries, rules, timekeeping
from approvals.clocks import RULES, Line, LineKind
from approvals.models import (
    Amendment,
    Appeal,
    AppealStatement,
    Assessment,
    Assignment,
    Attachment,
    Clock,
    CompanyReview,
    Condition,
    ConditionStep,
    Conflict,
    ConflictDeclaration,
    Consultation,
    Decision,
    Extension,
    HearingNote,
    InformationAnswer,
    InformationRequest,
    MatchJudgement,
    Opinion,
    OtherReviewerAnswer,
    OtherReviewerRequest,
    Proposal,
    ProposalRejection,
    Recusal,
    Reply,
    Revision,
    TravelRequest,
)
from approvals.models.appeal import DECIDED_APPEAL, AppealState
from approvals.models.decision import Outcome
from approvals.models.information import Answered
from approvals.models.travel_request import Device, Purpose
from approvals.states import State, Tier
from audit.models import Entry as AuditEntry
from authorities.absences import Gone
from authorities.languages import by_language
from authorities.models import Posting
from authorities.terms import COUNTS_WORKING_DAYS, ClockKind
from interface.tags import zone_place
from sensitivity import picking

OFFICE_ROLES = frozenset({Role.REVIEWER, Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER})

# Whose turn it is in each state: the rule book's table "States of a travel request".
TURN: dict[State, Role | None] = {
    State.DRAFT: Role.APPLICANT,
    State.COMPANY_REVIEW: Role.OFFICER,
    State.RETURNED: Role.APPLICANT,
    State.COMPANY_DECLINED: Role.APPLICANT,
    State.AUTHORITY_REVIEW: Role.REVIEWER,
    State.INFORMATION_REQUESTED: Role.APPLICANT,
    State.DECISION_PROPOSED: Role.SENIOR,
    State.APPROVED: None,
    State.DENIED: None,
    State.REVOKED: None,
    State.CLOSED: None,
    State.WITHDRAWN: None,
    State.LAPSED: None,
}


def last_day(due_at: datetime, request: TravelRequest) -> date:
    """The last day of something due at `due_at` (exclusive: the first instant of the next day) in the office's zone."""
    return (due_at.astimezone(request.zone) - timedelta(microseconds=1)).date()


def _day(value: datetime | date | None, request: TravelRequest) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(request.zone).date()
    return date_format(value, "DATE_FORMAT") if value else ""


def _until(clock: Clock | None, request: TravelRequest) -> str:
    return _day(last_day(clock.due_at, request), request) if clock and clock.due_at else ""


# ── the sentence ────────────────────────────────────────────────────────────────────────────────────────────────────


def sentence(request: TravelRequest, actor: Actor, at: datetime) -> str:
    """Where `request` is, with whom, since when, what happens next and by when, and whether `actor` need do anything.

    No query beyond what `queries.in_full` has read, so a list can show it for every row.
    """
    request.as_of(at)
    mine = actor.holds(Role.APPLICANT, request.applicant_id)
    return _joined([*_WHERE[State(request.state)](request, mine), _turn(request, actor, mine)])


def _joined(parts: Iterable[str]) -> str:
    return pgettext("between sentences", " ").join(part for part in parts if part)


def _turn(request: TravelRequest, actor: Actor, mine: bool) -> str:
    state = State(request.state)
    role = Role.APPLICANT if applicant_is_asked(request) else TURN[state]
    if role is None:
        return ""
    if mine:
        return "" if role is Role.APPLICANT else _("You need do nothing.")
    scope = {Role.APPLICANT: request.applicant_id, Role.OFFICER: request.company_id}.get(role, request.office_id)
    if actor.holds(role, scope) and not (
        role is Role.REVIEWER and request.assigned_reviewer_id not in (None, actor.user_id)
    ):
        return _("It is your turn.")
    return {
        Role.APPLICANT: _("It is the applicant's turn."),
        Role.OFFICER: _("It is the company's turn."),
        Role.REVIEWER: _("It is the turn of the office."),
        Role.SENIOR: _("It is the turn of a senior reviewer."),
    }[role]


def applicant_is_asked(request: TravelRequest) -> bool:
    """Whether a refusal, of the trip or of a part of it, or a revocation is proposed and the applicant can reply."""
    return (
        (request.state == State.DECISION_PROPOSED or _revocation_is_proposed(request))
        and request.replied_at is None
        and request.reply_until is not None
        and request.now < request.reply_until
    )


def _revocation_is_proposed(request: TravelRequest) -> bool:
    """Whether it is proposed to take the clearance back, and the trip has not begun."""
    return (
        request.state == State.APPROVED
        and request.revocation_proposed_by_id is not None
        and request.departs_on is not None
        and request.today < request.departs_on
    )


def is_late(request: TravelRequest) -> bool:
    """Whether what the request waits for was due before now. Lateness is never a refusal."""
    return request.is_open and request.due_at is not None and request.due_at <= request.now


def _draft(request: TravelRequest, mine: bool) -> list[str]:
    return [
        _("Being written since %(since)s.") % {"since": _day(request.created_at, request)},
        _("It lapses after %(until)s if it is not submitted by then.")
        % {"until": _until(request.running_clocks.get(ClockKind.DRAFT), request)},
    ]


def _company_review(request: TravelRequest, mine: bool) -> list[str]:
    words = {
        "company": request.company.name,
        "since": _day(request.state_since, request),
        "until": _until(request.running_clocks.get(ClockKind.COMPANY), request),
        "office": request.office.name,
    }
    return [
        _("With %(company)s since %(since)s.") % words,
        _("The company reviews it by %(until)s; without an answer it goes to %(office)s by itself.") % words,
    ]


def _returned(request: TravelRequest, mine: bool) -> list[str]:
    words = {
        "company": request.company.name,
        "since": _day(request.state_since, request),
        "until": _until(request.running_clocks.get(ClockKind.CHANGE), request),
    }
    first = _("%(company)s asked for changes on %(since)s.") % words
    if mine:
        return [first, _("Make them and submit again by %(until)s.") % words]
    return [first, _("To be submitted again by %(until)s.") % words]


def _company_declined(request: TravelRequest, mine: bool) -> list[str]:
    clock = request.running_clocks.get(ClockKind.REFER)
    words = {
        "company": request.company.name,
        "since": _day(request.state_since, request),
        "until": _until(clock, request),
        "office": request.office.name,
    }
    first = _("%(company)s declined this business trip on %(since)s.") % words
    if not request.is_running(ClockKind.REFER):
        return [first, _("The time in which this could be referred to the office is over.")]
    if mine:
        return [first, _("Until %(until)s you can refer it to %(office)s as a personal trip.") % words]
    return [first, _("Until %(until)s the applicant can refer it to %(office)s as a personal trip.") % words]


def _with_office(request: TravelRequest) -> str:
    words = {
        "office": request.office.name,
        "officer": request.assigned_number,
        "since": _day(request.reached_authority_at or request.state_since, request),
    }
    if request.assigned_number:
        return _("With %(office)s, officer %(officer)s, since %(since)s.") % words
    return _("With %(office)s since %(since)s; a reviewer will take it.") % words


def _decision_due(request: TravelRequest) -> str:
    clock = request.running_clocks.get(ClockKind.DECISION)
    if clock is None or clock.due_at is None:
        return ""
    words = {"until": _until(clock, request)}
    if clock.due_at <= request.now:
        return _("The decision was due by %(until)s and is late. It is being escalated; late is no refusal.") % words
    return _("Decision due by %(until)s.") % words


def _authority_review(request: TravelRequest, mine: bool) -> list[str]:
    return [_with_office(request), _decision_due(request)]


def _information_requested(request: TravelRequest, mine: bool) -> list[str]:
    words = {
        "office": request.office.name,
        "since": _day(request.state_since, request),
        "until": _until(request.running_clocks.get(ClockKind.ANSWER), request),
    }
    stopped = _("The office's clock is stopped until then.")
    if mine:
        return [
            _("%(office)s asked you for information on %(since)s.") % words,
            _("Answer by %(until)s.") % words,
            stopped,
        ]
    return [
        _("%(office)s asked the applicant for information on %(since)s.") % words,
        _("To be answered by %(until)s.") % words,
        stopped,
    ]


def _decision_proposed(request: TravelRequest, mine: bool) -> list[str]:
    first = _with_office(request)
    if request.reply_until is None:
        return [first, _("A decision is proposed; a second person looks at it."), _decision_due(request)]
    if request.proposed_outcome == Outcome.APPROVED:
        return [first, *_part_proposed(request, mine)]
    if applicant_is_asked(request):
        assert request.reply_until is not None
        words = {"until": _day(last_day(request.reply_until, request), request)}
        heard = (
            _("A denial is proposed. Nothing is decided: you can reply until %(until)s.") % words
            if mine
            else _("A denial is proposed. The applicant can reply until %(until)s.") % words
        )
        return [first, heard]
    if request.replied_at is not None:
        words = {"on": _day(request.replied_at, request)}
        heard = (
            _("A denial is proposed. Your reply of %(on)s is with a senior reviewer.") % words
            if mine
            else _("A denial is proposed. The applicant replied on %(on)s.") % words
        )
    else:
        heard = _("A denial is proposed. The time for a reply is over; a senior reviewer looks at it.")
    return [first, heard, _decision_due(request)]


def _part_proposed(request: TravelRequest, mine: bool) -> list[str]:
    proposed = _("It is proposed to clear a part of the trip only.")
    if applicant_is_asked(request):
        assert request.reply_until is not None
        words = {"until": _day(last_day(request.reply_until, request), request)}
        if mine:
            return [proposed, _("Nothing is decided: you can reply until %(until)s.") % words]
        return [proposed, _("The applicant can reply until %(until)s.") % words]
    if request.replied_at is None:
        return [proposed, _("The time for a reply is over; a senior reviewer looks at it."), _decision_due(request)]
    words = {"on": _day(request.replied_at, request)}
    heard = (
        _("Your reply of %(on)s is with a senior reviewer.") % words
        if mine
        else _("The applicant replied on %(on)s.") % words
    )
    return [proposed, heard, _decision_due(request)]


def _approved(request: TravelRequest, mine: bool) -> list[str]:
    part = request.decision if request.decision is not None and request.decision.is_partial else None
    words = {
        "on": _day(request.decided_at, request),
        "from": _day(part.cleared_from if part else request.departs_on, request),
        "to": _day(part.cleared_until if part else request.returns_on, request),
        "cities": _(", ").join(leg["city"] for leg in part.cleared) if part else "",
    }
    parts = [
        _("Cleared on %(on)s for a part of the trip: %(cities)s, from %(from)s to %(to)s.") % words
        if part
        else _("Cleared on %(on)s for the trip from %(from)s to %(to)s.") % words
    ]
    if request.open_amendment_id is not None:
        words |= {"due": _until(request.running_clocks.get(ClockKind.AMENDMENT), request)}
        parts.append(
            _("A change that you asked for is with the office, which answers by %(due)s. The clearance stays as it is.")
            % words
            if mine
            else _("A change waits for the office, which answers by %(due)s. The clearance stays as it is.") % words
        )
    if request.revocation_proposed_by_id is not None:
        parts += _revocation_proposed(request, mine)
    if part and (said := _appealed(request)):
        parts.append(said)
    return [*parts, _conditions_owed(request)]


def _conditions_owed(request: TravelRequest) -> str:
    """What of the conditions waits for whom; empty when nothing does. No query: their clocks are there."""
    if not request.open_conditions:
        return ""
    due = [clock for clock in request.running_clocks.values() if clock.kind == ClockKind.CONDITION and clock.due_at]
    if not due:
        return _("What was said about its conditions is with the office.")
    first = min(due, key=lambda clock: clock.due_at or request.now)
    words = {"count": len(due), "until": _until(first, request)}
    if first.due_at is not None and first.due_at <= request.now:
        return _("A condition was to be met by %(until)s and is overdue; this takes nothing back.") % words
    said = ngettext(
        "%(count)d condition is to be met, by %(until)s.",
        "%(count)d conditions are to be met, the first by %(until)s.",
        len(due),
    )
    return said % words


def _revocation_proposed(request: TravelRequest, mine: bool) -> list[str]:
    if not _revocation_is_proposed(request):
        return [_("It was proposed to take the clearance back; nobody confirmed it before the trip began.")]
    first = _("It is proposed to take the clearance back. Nothing is decided: it is in force.")
    if applicant_is_asked(request):
        assert request.reply_until is not None
        words = {"until": _day(last_day(request.reply_until, request), request)}
        return [
            first,
            _("You can reply until %(until)s.") % words
            if mine
            else _("The applicant can reply until %(until)s.") % words,
        ]
    if request.replied_at is None:
        return [first, _("The time for a reply is over; a senior reviewer looks at it.")]
    words = {"on": _day(request.replied_at, request)}
    heard = (
        _("Your reply of %(on)s is with a senior reviewer.") % words
        if mine
        else _("The applicant replied on %(on)s.") % words
    )
    return [first, heard]


def _appealed(request: TravelRequest) -> str:
    """Where the appeal against the decision in force is; empty when none was filed, or it was withdrawn."""
    against = [appeal for appeal in request.appeals.all() if appeal.decision_id == request.decision_id]
    if not against:
        return ""
    last = against[-1]
    words = {
        "on": _day(last.filed_at, request),
        "ended": _day(last.ended_at, request),
        "office": last.office.name,
        "until": _until(request.running_clocks.get(ClockKind.APPEAL), request),
    }
    if last.state == AppealState.UPHELD:
        return _("The appeal of %(on)s was decided on %(ended)s: the decision stands.") % words
    if last.state == AppealState.WITHDRAWN:
        return _("The appeal of %(on)s was withdrawn on %(ended)s.") % words
    if not words["until"]:
        return _("The appeal of %(on)s is with %(office)s.") % words
    if last.state == AppealState.FILED:
        return (
            _("The appeal of %(on)s is with %(office)s, which decides by %(until)s; a reviewer will take it.") % words
        )
    return _("The appeal of %(on)s is under review by %(office)s, which decides by %(until)s.") % words


def _refused(first: str, request: TravelRequest, mine: bool) -> list[str]:
    said = _appealed(request)
    if request.open_appeal is not None:
        return [first, said, _("You need do nothing.") if mine else ""]
    if said and any(appeal.state in DECIDED_APPEAL for appeal in request.appeals.all()):
        return [first, said]
    first = _joined([first, said])
    until = request.decision.appeal_until if request.decision else None
    words = {"until": _day(until, request)}
    if until is None or request.today > until:
        return [first, _("The time for an appeal is over.")]
    if mine:
        return [first, _("You can appeal until %(until)s.") % words]
    return [first, _("The applicant can appeal until %(until)s.") % words]


def _denied(request: TravelRequest, mine: bool) -> list[str]:
    return _refused(_("Denied on %(on)s.") % {"on": _day(request.decided_at, request)}, request, mine)


def _revoked(request: TravelRequest, mine: bool) -> list[str]:
    first = _("The clearance was taken back on %(on)s.") % {"on": _day(request.decided_at, request)}
    return _refused(first, request, mine)


def _closed(request: TravelRequest, mine: bool) -> list[str]:
    words = {"on": _day(request.state_since, request)}
    if owed := _conditions_owed(request):
        return [_("Closed on %(on)s.") % words, owed]
    return [_("Closed on %(on)s. There is nothing more to do.") % words]


def _withdrawn(request: TravelRequest, mine: bool) -> list[str]:
    words = {"on": _day(request.state_since, request)}
    return [_("You withdrew this request on %(on)s.") % words if mine else _("Withdrawn on %(on)s.") % words]


def _lapsed(request: TravelRequest, mine: bool) -> list[str]:
    words = {
        "on": _day(request.state_since, request),
        "until": _until(request.running_clocks.get(ClockKind.REOPEN), request),
    }
    first = _("Lapsed on %(on)s, because there was no reaction in time.") % words
    if not request.is_running(ClockKind.REOPEN):
        return [first, _("The time in which this could be reopened is over.")]
    if mine:
        return [first, _("Nothing is lost: until %(until)s you can reopen it where it was.") % words]
    return [first, _("Until %(until)s the applicant can reopen it where it was.") % words]


_WHERE: dict[State, Callable[[TravelRequest, bool], list[str]]] = {
    State.DRAFT: _draft,
    State.COMPANY_REVIEW: _company_review,
    State.RETURNED: _returned,
    State.COMPANY_DECLINED: _company_declined,
    State.AUTHORITY_REVIEW: _authority_review,
    State.INFORMATION_REQUESTED: _information_requested,
    State.DECISION_PROPOSED: _decision_proposed,
    State.APPROVED: _approved,
    State.DENIED: _denied,
    State.REVOKED: _revoked,
    State.CLOSED: _closed,
    State.WITHDRAWN: _withdrawn,
    State.LAPSED: _lapsed,
}


# ── the history ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class History:
    """Everything that happened to one request, read once: the log, and the rows that the log speaks of."""

    log: list[AuditEntry]
    company_reviews: list[CompanyReview] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    recusals: list[Recusal] = field(default_factory=list)
    declarations: list[ConflictDeclaration] = field(default_factory=list)
    other_reviewer: list[OtherReviewerRequest] = field(default_factory=list)
    other_reviewer_answers: list[OtherReviewerAnswer] = field(default_factory=list)
    statements: list[AppealStatement] = field(default_factory=list)
    hearing_notes: list[HearingNote] = field(default_factory=list)
    asked: list[InformationRequest] = field(default_factory=list)
    answers: list[InformationAnswer] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    rejections: list[ProposalRejection] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    condition_steps: list[ConditionStep] = field(default_factory=list)
    consultations: list[Consultation] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    appeals: list[Appeal] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    """Empty where there was only the one of the submission."""
    judgements: list[MatchJudgement] = field(default_factory=list)


# Which tables hold what a verb adds: only those are read that something was written to.
_TABLES: dict[str, tuple[type[models.Model], frozenset[str]]] = {
    "company_reviews": (
        CompanyReview,
        frozenset({"return_for_changes", "endorse", "object", "decline", "forward"}),
    ),
    "assignments": (Assignment, frozenset({"take", "hand_over"})),
    "recusals": (Recusal, frozenset({"recuse"})),
    "declarations": (ConflictDeclaration, frozenset({"take", "confirm", "revoke", "hear_appeal", "recuse"})),
    "other_reviewer": (OtherReviewerRequest, frozenset({"ask_other_reviewer"})),
    "other_reviewer_answers": (OtherReviewerAnswer, frozenset({"keep_reviewer"})),
    "statements": (AppealStatement, frozenset({"ask_in_appeal", "comment_on_hearing"})),
    "hearing_notes": (HearingNote, frozenset({"note_hearing"})),
    "asked": (InformationRequest, frozenset({"ask_information"})),
    "answers": (InformationAnswer, frozenset({"answer"})),
    "proposals": (Proposal, frozenset({"propose", "propose_revocation"})),
    "rejections": (ProposalRejection, frozenset({"reject_proposal", "reject_revocation"})),
    "replies": (Reply, frozenset({"reply"})),
    "amendments": (Amendment, frozenset({"amend", "file_amendment", "report_change"})),
    "decisions": (
        Decision,
        frozenset({"approve", "confirm", "deem_approved", "revoke", "overturn", "accept_amendment"}),
    ),
    "conditions": (Condition, frozenset({"approve", "confirm", "overturn", "accept_amendment"})),
    "consultations": (Consultation, frozenset({"consult"})),
    "opinions": (Opinion, frozenset({"give_opinion"})),
    "condition_steps": (
        ConditionStep,
        frozenset(
            {"report_condition", "cannot_comply", "release_condition", "send_back_condition", "answer_condition"}
        ),
    ),
    "extensions": (Extension, frozenset({"extend"})),
    "attachments": (Attachment, frozenset({"attach", "remove_attachment"})),
    "assessments": (
        Assessment,
        frozenset({"judge_match", "change_tier", "reassess", "return_for_changes", "amend", "accept_amendment"}),
    ),
    "judgements": (MatchJudgement, frozenset({"judge_match"})),
}


def conditions_in_force(request: TravelRequest) -> list[Condition]:
    """The conditions of the clearance in force, those that were released too. An accepted change leaves them as they
    are, though it writes a decision of its own."""
    found = history(request)
    decided = (entry for entry in reversed(found.log) if entry.verb != "accept_amendment")
    imposing = next((entry.data["decision"] for entry in decided if "decision" in entry.data), "")
    return [one for one in found.conditions if str(one.decision_id) == imposing]


def history(request: TravelRequest) -> History:
    """What happened to `request`, for whoever may see it. Read once, kept with the instance."""
    kept: History | None = vars(request).get("_history")
    if kept is not None:
        return kept
    log = list(AuditEntry.objects.filter(chain=request.pk).order_by("sequence"))
    verbs = {entry.verb for entry in log}
    found = History(log=log, appeals=list(request.appeals.all()))
    for name, (model, writers) in _TABLES.items():
        if verbs & writers:
            setattr(found, name, list(model._base_manager.filter(request=request)))
    vars(request)["_history"] = found
    return found


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened, as it is shown (see templates/components/timeline.html)."""

    at: datetime
    verb: str
    words: str
    who: str
    tone: str
    shape: str
    detail: str = ""


# verb → (tone, icon); the others are neutral.
_LOOKS = {
    "submit": ("info", "plane"),
    "return_for_changes": ("waiting", "back"),
    "endorse": ("info", "check"),
    "object": ("waiting", "warning"),
    "decline": ("bad", "cross"),
    "ask_information": ("waiting", "question"),
    "answer": ("info", "check"),
    "approve": ("good", "check"),
    "deem_approved": ("good", "check"),
    "propose": ("info", "most"),
    "propose_revocation": ("waiting", "most"),
    "reject_revocation": ("good", "check"),
    "ask_other_reviewer": ("waiting", "person"),
    "keep_reviewer": ("neutral", "person"),
    "ask_in_appeal": ("waiting", "question"),
    "answer_in_appeal": ("info", "check"),
    "add_to_appeal": ("neutral", "file"),
    "withdraw_appeal": ("neutral", "undo"),
    "amend": ("info", "pencil"),
    "file_amendment": ("info", "pencil"),
    "report_change": ("info", "pencil"),
    "accept_amendment": ("good", "check"),
    "return_amendment": ("waiting", "back"),
    "revoke": ("bad", "undo"),
    "overturn": ("good", "check"),
    "consult": ("info", "question"),
    "give_opinion": ("info", "check"),
    "take": ("info", "person"),
    "hand_over": ("neutral", "person"),
    "return_to_queue": ("waiting", "person"),
    "remind": ("neutral", "clock"),
    "escalate": ("waiting", "clock"),
    "extend": ("waiting", "clock"),
    "withdraw": ("neutral", "undo"),
    "lapse": ("neutral", "clock"),
    "report_condition": ("info", "check"),
    "cannot_comply": ("waiting", "question"),
    "release_condition": ("good", "check"),
    "send_back_condition": ("waiting", "back"),
    "answer_condition": ("info", "check"),
    "attach": ("neutral", "file"),
    "remove_attachment": ("neutral", "file"),
    "start": ("neutral", "pencil"),
    "judge_match": ("info", "search"),
    "change_tier": ("waiting", "bars-3"),
    "reassess": ("info", "bars-2"),
}


def timeline(request: TravelRequest, actor: Actor, at: datetime) -> list[TimelineEntry]:
    """Everything that happened to `request`, the latest first: what, when, who (office people by role and number), what
    was said where `actor` may read it. What happened after `at` is left out."""
    found = history(request)
    log = [entry for entry in found.log if entry.at <= at]
    who = people(request, ((entry.actor_id, entry.actor_role, entry.at) for entry in log), actor)
    reader = _Reader(request, actor, found)
    entries = []
    for entry in reversed(log):
        tone, shape = _LOOKS.get(entry.verb, ("neutral", "dot"))
        if entry.verb == "confirm":
            tone, shape = ("good", "check") if entry.data.get("to") == State.APPROVED else ("bad", "cross")
        entries.append(
            TimelineEntry(
                at=entry.at,
                verb=entry.verb,
                words=entry.in_words(),
                who=who[entry.actor_id, entry.actor_role, entry.at],
                tone=tone,
                shape=shape,
                detail=reader.detail(entry),
            )
        )
    return entries


class _Reader:
    """What `actor` may read of what was said."""

    def __init__(self, request: TravelRequest, actor: Actor, found: History) -> None:
        self.request, self.actor, self.found = request, actor, found
        self.is_applicant = actor.holds(Role.APPLICANT, request.applicant_id)
        self.is_company_only = not self.is_applicant and reads_as_company(request, actor)

    def detail(self, entry: AuditEntry) -> str:
        """What was said with `entry`; empty when nothing was, or it is not for this reader."""
        said: Callable[[AuditEntry], str] = getattr(self, f"_{entry.verb}", self._nothing)
        return said(entry)

    def _nothing(self, entry: AuditEntry) -> str:
        return ""

    def _at(self, rows: Sequence[Any], entry: AuditEntry) -> Any:
        """The row that was written in the step of `entry`."""
        return next((row for row in rows if row.at == entry.at), None)

    def _by_id(self, rows: Sequence[Any], entry: AuditEntry, name: str) -> Any:
        return next((row for row in rows if str(row.pk) == entry.data.get(name)), None)

    def _submit(self, entry: AuditEntry) -> str:
        return _("Revision %(number)d") % {"number": entry.data["revision"]}

    def _company(self, entry: AuditEntry) -> str:
        row = self._at(self.found.company_reviews, entry)
        return row.comment if row else ""

    _return_for_changes = _endorse = _object = _decline = _company

    def _hand_over(self, entry: AuditEntry) -> str:
        row = self._at(self.found.assignments, entry)
        if row is None:
            return ""
        to = _("To officer %(number)s") % {"number": row.number} if row.number else _("Back to the queue of the office")
        # Why a case changes hands may be about a reviewer, not about the applicant.
        inside = not (self.is_applicant or self.is_company_only)
        return f"{to}\n{row.reason}" if inside and row.reason else to

    def _return_to_queue(self, entry: AuditEntry) -> str:
        # Whether somebody is on leave or has left is not the applicant's to know.
        if self.is_applicant or self.is_company_only or entry.data.get("why") not in Gone.values:
            return ""
        return str(Gone(entry.data["why"]).label)

    def _declared(self, entry: AuditEntry) -> str:
        """That whoever acts declared to have no conflict of interest."""
        row = self._at(self.found.declarations, entry)
        return _("Declared to have no conflict of interest.") if row and row.conflict == Conflict.NONE else ""

    _take = _hear_appeal = _declared

    def _ask_other_reviewer(self, entry: AuditEntry) -> str:
        row = self._at(self.found.other_reviewer, entry)
        return "" if row is None or self.is_company_only else row.reason

    def _keep_reviewer(self, entry: AuditEntry) -> str:
        row = self._at(self.found.other_reviewer_answers, entry)
        return "" if row is None or self.is_company_only else row.reason

    def _ask_in_appeal(self, entry: AuditEntry) -> str:
        row = self._at(self.found.statements, entry)
        return "" if row is None or self.is_company_only else row.text

    _answer_in_appeal = _comment_on_hearing = _ask_in_appeal

    def _note_hearing(self, entry: AuditEntry) -> str:
        row = self._at(self.found.hearing_notes, entry)
        return "" if row is None or self.is_company_only else row.text

    def _reject_revocation(self, entry: AuditEntry) -> str:
        row = self._at(self.found.rejections, entry)
        return "" if row is None or self.is_company_only else row.note

    def _recuse(self, entry: AuditEntry) -> str:
        if self.is_applicant or self.is_company_only:
            return ""
        row = self._at(self.found.recusals, entry)
        return row.reason if row else ""

    def _ask_information(self, entry: AuditEntry) -> str:
        row = self._at(self.found.asked, entry)
        if row is None or self.is_company_only:
            return ""
        return "\n".join([row.reason, *(f"{index}. {item.question}" for index, item in enumerate(row.questions, 1))])

    def _answer(self, entry: AuditEntry) -> str:
        row = self._at(self.found.answers, entry)
        if row is None or self.is_company_only:
            return ""
        return "\n".join(f"{index}. {answered_in_words(one)}" for index, one in enumerate(row.given, 1))

    def _judge_match(self, entry: AuditEntry) -> str:
        row: MatchJudgement | None = self._at(self.found.judgements, entry)
        if row is None:
            return ""
        asked = next((one for one in self._assessed(row.assessment_id).possible if _key_of(one) == row.key), None)
        hit = asked["hit"] if asked else {}
        named = {"written": row.written, "list": by_language(hit.get("list_zh", ""), hit.get("list_en", ""))}
        named["label"] = by_language(hit.get("label_zh", ""), hit.get("label_en", "")) or row.name
        if hit.get("confidential") and not disclosure.reads_whole(self.request, self.actor):
            said = (
                _("A name that you wrote is that of an entry of the confidential list “%(list)s”.") % named
                if row.confirmed
                else _("A name that you wrote is not that of an entry of the confidential list “%(list)s”.") % named
            )
        elif row.confirmed:
            said = _("“%(written)s” is the listed organisation “%(label)s”.") % named
        else:
            said = _("“%(written)s” is not the listed organisation “%(label)s”.") % named
        return self._with_tier(entry, said, row.reason)

    def _assessed(self, assessment_id: Any) -> Assessment:
        return next(one for one in self.found.assessments if one.pk == assessment_id)

    def _with_tier(self, entry: AuditEntry, said: str, reason: str) -> str:
        """What was said, the tier that followed, and why; the company is told the tier."""
        before, after = entry.data.get("tier_before"), entry.data["tier"]
        words = {"before": Tier(before).label if before else "", "after": Tier(after).label}
        tier = (
            _("The tier was “%(before)s” and is “%(after)s” now.") % words
            if before and before != after
            else _("The tier is “%(after)s”.") % words
        )
        return tier if self.is_company_only else "\n".join(part for part in (said, tier, reason) if part)

    def _change_tier(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.assessments, entry, "assessment")
        return self._with_tier(entry, "", row.reason if row else "")

    _reassess = _change_tier

    def _propose(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.proposals, entry, "proposal")
        if row is None or self.is_company_only:
            return ""
        if row.is_partial:
            return "\n".join([_("Approval of a part"), *map(place_in_words, row.cleared), row.text])
        if row.outcome == Outcome.APPROVED:
            # Somebody who is told of a clearance that a second person then refuses was told too early.
            return "" if self.is_applicant else row.wanted
        return f"{row.wanted}\n{row.text}"

    _propose_revocation = _propose

    def _reply(self, entry: AuditEntry) -> str:
        row = self._at(self.found.replies, entry)
        return "" if row is None or self.is_company_only else row.text

    def _reject_proposal(self, entry: AuditEntry) -> str:
        row = self._at(self.found.rejections, entry)
        return "" if row is None or self.is_applicant or self.is_company_only else row.note

    def _decide(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.decisions, entry, "decision")
        if row is None:
            return ""
        conditions = [one.text for one in self.found.conditions if one.decision_id == row.pk]
        outcome = [str(row.get_outcome_display())] if entry.verb == "confirm" else []
        if row.is_partial:
            outcome = [_("Approved in part"), *map(place_in_words, row.cleared)]
        return "\n".join([*outcome, *(_("Condition: %(text)s") % {"text": text} for text in conditions)])

    _approve = _confirm = _revoke = _decide

    def _consult(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.consultations, entry, "consultation")
        if row is None:
            return ""
        return f"{row.office.name}\n{row.question}" if self._is_inside() else str(row.office.name)

    def _give_opinion(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.opinions, entry, "opinion")
        return f"{row.get_outcome_display()}\n{row.reasons}" if row is not None and self._is_inside() else ""

    def _is_inside(self) -> bool:
        """Whether the reader is of the authority, or an auditor. Others read an opinion where the decision stands."""
        return not (self.is_applicant or self.is_company_only)

    def _amendment(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.amendments, entry, "amendment")
        return row.reason if row else ""

    _amend = _file_amendment = _report_change = _amendment

    def _amendment_answered(self, entry: AuditEntry) -> str:
        row = self._by_id(self.found.amendments, entry, "amendment")
        return row.answer if row else ""

    _accept_amendment = _return_amendment = _note_report = _amendment_answered

    def _about_condition(self, entry: AuditEntry) -> str:
        row: ConditionStep | None = self._by_id(self.found.condition_steps, entry, "step")
        if row is None:
            return ""
        about = self._by_id(self.found.conditions, entry, "condition")
        said = [f"{row.get_kind_display()}: {about.text if about else ''}", row.text, row.new_text]
        return "\n".join(part for part in said if part)

    _report_condition = _cannot_comply = _release_condition = _about_condition
    _send_back_condition = _answer_condition = _about_condition

    def _extend(self, entry: AuditEntry) -> str:
        row = self._at(self.found.extensions, entry)
        if row is None:
            return ""
        days = ngettext("By %(days)d working day", "By %(days)d working days", row.working_days)
        return f"{days % {'days': row.working_days}}\n{row.reason}"

    def _document(self, entry: AuditEntry) -> str:
        row: Attachment | None = self._by_id(self.found.attachments, entry, "attachment")
        if row is None or (self.is_company_only and row.kind in queries.NOT_FOR_THE_COMPANY):
            return ""
        return row.name

    _attach = _remove_attachment = _document

    def _appeal(self, entry: AuditEntry) -> Appeal | None:
        return None if self.is_company_only else self._by_id(self.found.appeals, entry, "appeal")

    def _file_appeal(self, entry: AuditEntry) -> str:
        row = self._appeal(entry)
        return row.text if row else ""

    def _uphold(self, entry: AuditEntry) -> str:
        row = self._appeal(entry)
        return row.outcome_text if row else ""

    def _overturn(self, entry: AuditEntry) -> str:
        return "\n".join(part for part in (self._decide(entry), self._uphold(entry)) if part)

    def _clock(self, entry: AuditEntry) -> str:
        """Which clock it was; what it did is the headline."""
        kind = entry.data.get("clock")
        return str(ClockKind(kind).label) if kind in ClockKind.values else ""

    _remind = _escalate = _clock


def answered_in_words(given: Answered) -> str:
    """An answer to an item in one text: what was said, the names of the documents; or why it cannot be given."""
    if given.cannot:
        return _("Cannot be given: %(why)s") % {"why": given.cannot}
    return "\n".join([*([given.text] if given.text else []), *(one["name"] for one in given.documents)])


def _key_of(possible: dict[str, Any]) -> str:
    return f"{possible['hit']['lineage']}:{possible['written']}"


def reads_as_company(request: TravelRequest, actor: Actor) -> bool:
    """Whether `actor` sees the request as the company and not also as somebody of the authority or an auditor."""
    return (
        actor.holds(Role.OFFICER, request.company_id)
        and not any(actor.holds(role, request.office_id) for role in OFFICE_ROLES)
        and not actor.roles & {Role.AUDITOR, Role.ADMINISTRATOR}
    )


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

Deed = tuple[int | None, str, datetime]


@dataclass(slots=True)
class _Known:
    """The people of one request who have been looked up: officers' names, postings by account."""

    names: dict[int, str] = field(default_factory=dict)
    posted: dict[int, list[Posting]] = field(default_factory=dict)


def people(request: TravelRequest, deeds: Iterable[Deed], reader: Actor) -> dict[Deed, str]:
    """Who did each of `deeds` (account, role, when), in words: the reader as “You”, the applicant and the company's
    officers by name, people of an office by role and officer number. At most two queries, none for people seen before.
    """
    deeds = set(deeds)
    known: _Known = vars(request).setdefault("_known", _Known())
    accounts = [(account, role) for account, role, _at in deeds if account is not None and account != reader.user_id]
    office_people = {account for account, role in accounts if role in OFFICE_ROLES} - known.posted.keys()
    named = {account for account, role in accounts if role == Role.OFFICER} - known.names.keys()
    if office_people:
        known.posted |= {account: [] for account in office_people}
        for posting in Posting.objects.filter(user_id__in=office_people).select_related("office"):
            known.posted[posting.user_id].append(posting)
    if named:
        known.names |= User.objects.filter(pk__in=named).values_list("pk", "name")
    return {deed: _person(request, deed, reader, known) for deed in deeds}


def _person(
    request: TravelRequest,
    deed: Deed,
    reader: Actor,
    known: _Known,
) -> str:
    account, role_name, at = deed
    role = Role(role_name)
    if account is None:
        return str(role.label)
    if account == reader.user_id:
        return _("You")
    if role is Role.APPLICANT:
        return _("%(name)s, applicant") % {"name": request.applicant.name}
    if role is Role.OFFICER:
        return _("%(name)s, compliance officer") % {"name": known.names.get(account, "")}
    held = [posting for posting in known.posted.get(account, ()) if posting.role == role]
    # The number under which they acted then; an earlier or later one is better than none.
    posting = next((one for one in held if one.is_in_force(at)), held[0] if held else None)
    if posting is None:
        return str(role.label)
    words = {"role": role.label, "number": posting.number, "office": posting.office.name}
    if posting.office_id != request.office_id:
        return _("%(role)s, officer %(number)s, %(office)s") % words
    return _("%(role)s, officer %(number)s") % words


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody of the staff looked at one thing of the request on one day, so many times, `last` at this moment."""

    who: str
    day: date
    times: int
    what: str
    last: datetime


LOOKS_SHOWN = 100


def looks(request: TravelRequest, actor: Actor) -> list[Look]:
    """Who looked at what of `request`, by person, thing and day, the latest first; the applicant is not listed."""
    rows = list(
        AccessEntry.objects.filter(subject=request.pk)
        .order_by()
        .annotate(day=TruncDate("at", tzinfo=request.zone))
        .values("user_id", "role", "day", "page")
        .annotate(times=Count("id"), last=Max("at"))
        .order_by("-last")[:LOOKS_SHOWN]
    )
    who = people(request, ((row["user_id"], row["role"], row["last"]) for row in rows), actor)
    return [
        Look(
            who=who[row["user_id"], row["role"], row["last"]],
            day=row["day"],
            times=row["times"],
            what=looked_at(row["page"]),
            last=row["last"],
        )
        for row in rows
    ]


# ── the arithmetic of time ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a clock stood still: who stopped it and why. `last` None: it still does."""

    first: date
    last: date | None
    by: str
    why: str
    is_within_days: bool
    """It took no whole day, so it moved nothing and no line of the arithmetic shows it."""


@dataclass(frozen=True, slots=True)
class CountedLine:
    """Days in a row that did the same for a clock, in words; or, on the day `first`, that it was extended.

    `cause` is who stopped the clock, `why` the reason that was given, which the company does not read of a pause.
    """

    kind: str
    first: date
    last: date
    words: str
    numbers: str = ""
    is_provisional: bool = False
    cause: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How a due date comes about. Days are working days of the office, or days of the calendar (`unit`)."""

    kind: str
    label: str
    days: int
    used: int
    remaining: int
    extension: int
    unit: str
    unit_is_working: bool
    started: datetime
    last_day: date | None
    is_overdue: bool
    is_stopped: bool
    is_provisional: bool
    binds_applicant: bool
    zone: str
    """The city whose midnight ends the days."""
    lines: tuple[CountedLine, ...]
    pauses: tuple[Pause, ...]


def arithmetic(request: TravelRequest, at: datetime) -> tuple[Arithmetic, ...]:
    """The arithmetic of the clocks that run or stand still at `at`; first the one that gives the request its due date.

    Clocks that wait for a day of the journey are left out: there is nothing to count.
    """
    request.as_of(at)
    running = request.running_clocks
    order = dict.fromkeys((*timekeeping.FIRST_OF, ClockKind.REPLY, ClockKind.CONSULTATION))
    return tuple(_counted(request, running[kind], at) for kind in order if kind in running)


def _counted(request: TravelRequest, row: Clock, at: datetime) -> Arithmetic:
    read, value = timekeeping.reading(request, row, at=at), timekeeping.value_of(row)
    works = row.kind in COUNTS_WORKING_DAYS
    lines = timekeeping.explain(request, row, at=at)
    pauses = _pauses(request, row, lines)
    # More days to answer are given with the question, from the beginning: they are no extension.
    extension = 0 if row.kind == ClockKind.ANSWER else row.extension_days
    return Arithmetic(
        kind=row.kind,
        label=str(row.get_kind_display()),
        days=read.days,
        used=read.used,
        remaining=read.remaining,
        extension=extension,
        unit=pgettext("unit", "working days") if works else pgettext("unit", "days"),
        unit_is_working=works,
        started=row.started_at,
        last_day=read.last_day,
        is_overdue=read.is_overdue(at),
        is_stopped=value.is_stopped,
        is_provisional=read.is_provisional,
        binds_applicant=RULES[ClockKind(row.kind)].binds_applicant,
        zone=zone_place(request.office.time_zone),
        lines=tuple(_in_lines(request, row, lines, pauses, days=read.days, extension=extension)),
        pauses=pauses,
    )


def _in_lines(
    request: TravelRequest, row: Clock, lines: Iterable[Line], pauses: Sequence[Pause], *, days: int, extension: int
) -> Iterator[CountedLine]:
    """The lines in words. The days that were granted at first end with the line that tells of the extension."""
    granted = days - extension
    for line in lines:
        for part in _split(line, granted) if extension else [line]:
            yield _line(part, pauses, is_more=bool(extension) and part.number > granted)
            if extension and part.last_number == granted and part.number:
                yield from _extension(request)


def _split(line: Line, number: int) -> list[Line]:
    """`line`, in two where its counted day of this number ends. The counted days of a line follow each other."""
    if not line.number or not line.number <= number < line.last_number:
        return [line]
    cut = line.first + timedelta(days=number - line.number)
    return [replace(line, last=cut), replace(line, first=cut + timedelta(days=1), number=number + 1)]


def _extension(request: TravelRequest) -> Iterator[CountedLine]:
    for one in history(request).extensions:
        day = one.at.astimezone(request.zone).date()
        words = ngettext("extended by %(days)d working day", "extended by %(days)d working days", one.working_days)
        yield CountedLine("extension", day, day, words % {"days": one.working_days}, why=one.reason)


def _line(line: Line, pauses: Iterable[Pause], *, is_more: bool) -> CountedLine:
    words, cause, why = str(line.kind.label), "", ""
    if is_more and line.kind is LineKind.COUNTED:
        words = _("counted, of the extension")
    if line.kind is LineKind.STOPPED:
        pause = next((one for one in pauses if one.first <= line.last and line.first <= (one.last or line.first)), None)
        cause, why = (pause.by, pause.why) if pause else ("", "")
    if line.name:
        words = _("%(words)s: %(name)s") % {"words": words, "name": line.name}
    if line.is_cut:
        words = _("%(words)s, for a part of the day") % {"words": words}
    numbers = ""
    if line.number:
        same = line.number == line.last_number
        numbers = str(line.number) if same else f"{line.number}–{line.last_number}"
    return CountedLine(line.kind.value, line.first, line.last, words, numbers, line.is_provisional, cause, why)


def _pauses(request: TravelRequest, row: Clock, lines: Iterable[Line]) -> tuple[Pause, ...]:
    intervals = timekeeping.value_of(row).intervals
    resumed: list[datetime | None] = [interval.start for interval in intervals[1:]]
    stopped = [line for line in lines if line.kind is LineKind.STOPPED]
    pauses = []
    for interval, start in zip(intervals, [*resumed, None], strict=True):
        if interval.end is None or interval.end == start or (start is None and row.ended_at is not None):
            continue
        asked = next((one for one in history(request).asked if one.at == interval.end), None)
        first = interval.end.astimezone(request.zone).date()
        last = start.astimezone(request.zone).date() if start else None
        pauses.append(
            Pause(
                first=first,
                last=last,
                by=request.office.name if asked else "",
                why=asked.reason if asked else "",
                is_within_days=not any(first <= line.last and line.first <= (last or line.first) for line in stopped),
            )
        )
    return tuple(pauses)


# ── the departure ───────────────────────────────────────────────────────────────────────────────────────────────────


def due_after_departure(request: TravelRequest) -> bool:
    """Whether the request is open and what it waits for is due on the day of departure or later."""
    return (
        request.is_open
        and request.submitted_at is not None
        and request.departs_on is not None
        and request.due_at is not None
        and last_day(request.due_at, request) >= request.departs_on
    )


# ── what was changed ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that reads differently in a later revision (see templates/components/changes.html)."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RevisionDiff:
    """What revision `number` changed against the one before."""

    number: int
    at: datetime
    changes: tuple[Change, ...]


def diff(request: TravelRequest) -> list[RevisionDiff]:
    """What each revision after the first changed, the latest first. Empty, and no query, when there is only one."""
    if request.revision_number < 2:
        return []
    revisions = list(Revision.objects.filter(request=request).order_by("number"))
    labels = picking.subject_labels(code for one in revisions for code in one.content["topics"])
    said = [in_words(one.content, company_id=request.company_id, labels=labels) for one in revisions]
    return [
        RevisionDiff(new.number, new.at, tuple(changes(before, after)))
        for new, before, after in reversed(list(zip(revisions[1:], said, said[1:], strict=False)))
    ]


def changes(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    """What differs between two contents of a revision (`in_words`), in the order of the page."""
    return [
        Change(label, before.get(label, ""), text) for label, text in after.items() if before.get(label, "") != text
    ]


def in_words(content: dict[str, Any], *, company_id: int, labels: Mapping[str, str]) -> dict[str, str]:
    """The content of a revision as labels and texts, in the reader's language. `labels`: those of its subjects."""
    devices = dict(Device.choices)
    declared = dict(rules.DECLARATIONS)
    names = dict(Attachment.Kind.choices)
    return {
        _("What the trip is for"): content["title"],
        _("Purpose"): str(Purpose(content["purpose"]).label) if content["purpose"] else "",
        _("What you will do there"): content["description"],
        _("Event"): content["event_name"],
        _("Page of the event"): content["event_url"],
        _("Itinerary"): "\n".join(place_in_words(leg) for leg in content["legs"]),
        _("Subjects"): "\n".join(picking.subjects_in_words(content["topics"], labels)),
        # Revisions from before projects and states were asked for do not say any.
        _("Projects"): "\n".join(picking.project_names(content.get("projects", ()), company_id=company_id)),
        _("Materials carried"): content["materials"],
        _("Devices carried"): "\n".join(str(devices.get(code, code)) for code in content["devices"]),
        _("Documents"): "\n".join(
            f"{file['name']} ({names.get(file['kind'], file['kind'])})" for file in content["attachments"]
        ),
        _("Declarations"): "\n".join(str(declared.get(code, code)) for code in content["declarations"]),
    }


def place_in_words(leg: dict[str, str]) -> str:
    """One place of a revision's itinerary, in one line."""
    part, country = picking.subdivision_name(leg.get("subdivision", "")), str(countries.name(leg["country"]))
    words = {
        "city": leg["city"],
        "country": _("%(part)s, %(country)s") % {"part": part, "country": country} if part else country,
        "from": date_format(date.fromisoformat(leg["arrives_on"]), "DATE_FORMAT"),
        "to": date_format(date.fromisoformat(leg["leaves_on"]), "DATE_FORMAT"),
        "host": leg["host"],
    }
    if leg["host"]:
        return _("%(city)s, %(country)s: %(from)s to %(to)s, host %(host)s") % words
    return _("%(city)s, %(country)s: %(from)s to %(to)s") % words
