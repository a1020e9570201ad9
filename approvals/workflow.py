"""The verbs. Every change to a travel request is one function here, called by pages, API, tasks and clocks alike.

Each verb promises to do all of it or nothing: the request, its history rows, its clocks, one audit entry and one outbox
row are written in one transaction. Each refuses with NotFound (not in the actor's scope), NotNow (state or condition),
NotAllowed (not this actor), Invalid (the input), and then nothing has moved. `at` is an aware datetime: the clock is
passed in, never read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.core.files.base import File
from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import audit
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem, Refused, Sentence
from accounts.roles import SYSTEM, Actor, Role
from accounts.transitions import Row, table
from approvals import assessment, journal, queries, references, rules, snapshots, timekeeping, uploads
from approvals.clocks import Step
from approvals.models import (
    Appeal,
    Assessment,
    Assignment,
    Attachment,
    Clock,
    ClockAction,
    CompanyReview,
    Condition,
    Decision,
    DraftInput,
    Escalation,
    Extension,
    InformationAnswer,
    InformationRequest,
    Leg,
    MatchJudgement,
    Proposal,
    ProposalRejection,
    Recusal,
    Reply,
    Revision,
    TravelRequest,
)
from approvals.models.appeal import AppealState
from approvals.models.decision import Outcome
from approvals.states import APPEALABLE, EDITABLE, WITH_AUTHORITY, Route, State, Tier
from audit.rows import new
from authorities import absences
from authorities.models import Office, Posting, ReasonCode
from companies.models import Membership
from employees.models import Employee
from notifications import outbox
from sensitivity import matching

# These take days for a trip that it did not hold before. They wait for each other where the applicant is the same, so
# that the later one can name the earlier; the exclusion constraint of the table is the net below.
CLAIMS_DAYS = frozenset({"submit", "reopen", "overturn"})


# ── the gate ────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def transitions() -> dict[str, dict[str, Row]]:
    """The transition table as declared on the model: verb → source state → row."""
    return table(TravelRequest, "state", State)


def _refusal(request: TravelRequest, verb: str, actor: Actor) -> Refused | None:
    transition = transitions()[verb].get(request.state)
    if transition is None:
        since = date_format(timezone.localtime(request.state_since, request.zone), "DATETIME_FORMAT")
        return NotNow(
            _("This cannot be done now: since %(since)s the request has been in the state “%(state)s”.")
            % {"since": since, "state": State(request.state).label}
        )
    if sentence := transition.permission.refusal(request, actor):
        return NotAllowed(sentence)
    for condition in transition.conditions:
        if sentence := condition.refusal(request):
            # What is missing is said at once, in one list.
            return Invalid(problems(request, at=request.now)) if condition is rules.is_complete else NotNow(sentence)
    return None


def _acting_role(request: TravelRequest, verb: str, actor: Actor) -> Role:
    """The role in which `actor` does `verb`: the first of the rule's roles that they hold."""
    scopes = {
        Role.APPLICANT: request.applicant_id,
        Role.OFFICER: request.company_id,
        Role.REVIEWER: request.office_id,
        Role.SENIOR: request.office_id,
        Role.SYSTEM: None,
    }
    for role in transitions()[verb][request.state].permission.roles:
        if role is Role.APPEAL_REVIEWER or actor.holds(role, scopes[role]):
            return role
    raise NotAllowed(_("You hold no role in which this can be done."))


def refusal(request: TravelRequest, verb: str, actor: Actor, *, at: datetime) -> Refused | None:
    """Why `actor` may not do `verb` to `request` at `at`, whatever the input; None when they may."""
    request.as_of(at)
    return _appeal_refusal(request, verb, actor) if verb in APPEAL_VERBS else _refusal(request, verb, actor)


def available_actions(actor: Actor, request: TravelRequest, *, at: datetime) -> list[str]:
    """The verbs that `actor` may do to `request` at `at`, in the order of the rule book; those about an appeal last.
    Buttons are made from this."""
    return [verb for verb in (*transitions(), *APPEAL_VERBS) if refusal(request, verb, actor, at=at) is None]


HistoryRow = TypeVar("HistoryRow", bound=models.Model)


@dataclass(slots=True)
class _Step:
    """One step being taken: what the verb adds to the request's history, and says of itself in the audit log."""

    request: TravelRequest
    actor: Actor
    at: datetime
    rows: list[models.Model] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def add(self, model: type[HistoryRow], **values: Any) -> HistoryRow:
        """A row of the history, by the actor, now."""
        row: HistoryRow = new(model, request=self.request, at=self.at, by_id=self.actor.user_id, **values)
        self.rows.append(row)
        return row

    def grounds(self) -> dict[str, UUID]:
        """What is being decided on: the revision and the assessment in force."""
        assert self.request.revision_id is not None
        assert self.request.assessment_id is not None
        return {"revision_id": self.request.revision_id, "assessment_id": self.request.assessment_id}


Prepare = Callable[[_Step], Mapping[str, Any] | None]


def _nothing(step: _Step) -> None:
    """For verbs that take no input."""


def _move(verb: str, request_id: UUID, *, actor: Actor, at: datetime, prepare: Prepare = _nothing) -> TravelRequest:
    """Take one step: the only place from which a transition is called.

    Transaction, locked fetch in the actor's scope, condition and permission, `prepare` (checks the input, makes the
    history rows, returns the arguments of the transition), transition, clocks, audit entry, outbox row, one write.
    """
    rules.moment_is_aware(at)
    with transaction.atomic():
        request = _fetch(request_id, actor, at, claims_days=verb in CLAIMS_DAYS)
        return _take_step(verb, request, actor=actor, at=at, prepare=prepare)


def _fetch(request_id: UUID, actor: Actor, at: datetime, *, claims_days: bool = False) -> TravelRequest:
    request = queries.claim(actor, request_id, whole=claims_days)
    if request is None:
        raise NotFound(_("There is no such request, or it is not yours to see."))
    return request.as_of(at)


@dataclass(frozen=True, slots=True)
class Made:
    """A step that is taken in memory: the rows it changes, with what was stored of them, and those it adds."""

    changed: list[journal.Changed]
    added: list[models.Model]


def _take_step(
    verb: str, request: TravelRequest, *, actor: Actor, at: datetime, prepare: Prepare = _nothing
) -> TravelRequest:
    made = _make_step(verb, request, actor=actor, at=at, prepare=prepare)
    journal.write(made.changed, made.added)
    outbox.hint()
    return request


def _make_step(
    verb: str,
    request: TravelRequest,
    *,
    actor: Actor,
    at: datetime,
    prepare: Prepare = _nothing,
    acted: ClockAction | None = None,
) -> Made:
    if refusal := _refusal(request, verb, actor):
        raise refusal
    role = _acting_role(request, verb, actor)
    before, state = journal.stored(request), request.state
    step = _Step(request, actor, at)
    arguments = prepare(step) or {}
    getattr(request, verb)(**arguments)
    if request.state != state:
        request.state_since = at
        if request.state in WITH_AUTHORITY and request.reached_authority_at is None:
            request.reached_authority_at = at
    clocks = timekeeping.turn(request, at=at, acted=acted)
    entry = audit.record(
        request,
        verb,
        actor_id=actor.user_id,
        actor_role=role,
        at=at,
        data={"from": state, "to": request.state} | step.data,
    )
    told = _as_it_is(request, acted.clock if acted is not None and verb in _ABOUT_THEIR_CLOCK else None)
    event = outbox.emit(f"request.{verb}", subject=request.pk, at=at, data=told | step.data)
    rows = [*step.rows, *clocks.added, entry, event]
    return Made([*clocks.changed, (request, before)], rows if acted is None else [acted, *rows])


# A reminder speaks of the date of its own clock, which need not be the one that the request is known by.
_ABOUT_THEIR_CLOCK = frozenset({"remind", "escalate"})


def _as_it_is(request: TravelRequest, about: Clock | None = None) -> dict[str, Any]:
    """What people are told of a step and may have changed by the time they are told: state, due date, officer."""
    due, is_provisional = request.due_at, request.due_is_provisional
    if about is not None and about.anchor is None:  # else it waits for a day of the journey, by which nothing is due
        due, is_provisional = about.due_at, about.is_provisional
    told: dict[str, Any] = {"state": request.state, "due": due.isoformat() if due else None}
    if due and is_provisional:
        told["provisional"] = True
    if request.assigned_number:
        told["officer"] = request.assigned_number
    if request.urgent:
        told["urgent"] = True
    return told


def _required(value: str, name: str, message: Sentence) -> str:
    """The text without white space around it; Invalid at field `name` when nothing is left."""
    text = value.strip()
    if not text:
        raise Invalid([Problem("", name, message)])
    return text


def _user_id(actor: Actor) -> int:
    """The account of a person who acts. The rules have let only a person come this far."""
    assert actor.user_id is not None
    return actor.user_id


# ── the applicant writes ────────────────────────────────────────────────────────────────────────────────────────────


def start(*, actor: Actor, at: datetime, employee_id: int) -> TravelRequest:
    """A new draft for the employment `employee_id` of the actor. Refuses with NotAllowed a record that is not theirs
    and one whose employment has ended."""
    rules.moment_is_aware(at)
    with transaction.atomic():
        employee = Employee.objects.visible_to(actor).select_related("company__office").filter(pk=employee_id).first()
        if employee is None or not actor.holds(Role.APPLICANT, employee_id):
            raise NotAllowed(_("You can start a request for yourself only."))
        office = employee.company.office
        if not employee.is_employed(at.astimezone(office.zone).date()):
            raise NotAllowed(_("The employment has ended; only an employee can submit a request."))
        if not (employee.company.is_active and office.is_active):
            sentence = _("Your company or its office takes no new requests. Its compliance officer can tell you why.")
            raise NotAllowed(sentence)
        request = TravelRequest(
            reference=references.next_reference(),
            applicant=employee,
            company=employee.company,
            office=office,
            state_since=at,
            created_at=at,
            saved_at=at,
        ).as_of(at)
        clocks = timekeeping.turn(request, at=at)
        entry = audit.record(
            request, "start", actor_id=actor.user_id, actor_role=Role.APPLICANT, at=at, data={"to": request.state}
        )
        journal.write([], [request, *clocks.added, entry])
    return request


def _editable(request_id: UUID, actor: Actor, at: datetime) -> TravelRequest:
    """The request, locked, for its applicant to write in. NotAllowed for anybody else, NotNow once it is submitted."""
    request = _fetch(request_id, actor, at)
    if sentence := rules.is_applicant.refusal(request, actor):
        raise NotAllowed(sentence)
    if request.state not in EDITABLE:
        raise NotNow(_("The request is submitted and cannot be changed now."))
    return request


DRAFT_FIELDS = frozenset(
    {
        "title",
        "purpose",
        "description",
        "event_name",
        "event_url",
        "topics",
        "projects",
        "materials",
        "devices",
        "declarations",
    }
)


def save_section(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    section: str,
    values: Mapping[str, Any] | None = None,
    legs: Sequence[Mapping[str, Any]] | None = None,
) -> TravelRequest:
    """Save a section of the form that is valid: `values` of DRAFT_FIELDS, and `legs` where the section has them.

    What was kept as typed of this section is dropped: the valid values are there now. A change to anything but the
    declarations withdraws the declarations made before: they were made about something else.
    """
    with transaction.atomic():
        request = _editable(request_id, actor, at)
        before = journal.stored(request)
        for name, value in (values or {}).items():
            if name not in DRAFT_FIELDS:
                raise ValueError(f"{name} is not a field that the applicant writes")
            setattr(request, name, value)
        request.urgent = request.purpose == rules.URGENT_PURPOSE
        touched = any(getattr(request, name) != before[name] for name in DRAFT_FIELDS - {"declarations"})
        if legs is not None:
            new = [Leg(request=request, position=index, **leg) for index, leg in enumerate(legs)]
            if [snapshots.leg(leg) for leg in new] != [snapshots.leg(leg) for leg in request.itinerary]:
                touched = True
                request.legs.all().delete()
                request.itinerary = Leg.objects.bulk_create(new)
        if touched and "declarations" not in (values or {}):
            request.declarations = []
        request.saved_at = at
        request.draft_inputs.filter(section=section).delete()
        journal.write([(request, before)], [])
    return request


def keep_as_typed(request_id: UUID, *, actor: Actor, at: datetime, section: str, data: Mapping[str, Any]) -> None:
    """Keep what was typed into a section and is not valid yet, so that it is there again whatever happens."""
    with transaction.atomic():
        request = _editable(request_id, actor, at)
        DraftInput.objects.update_or_create(
            request=request, section=section, defaults={"data": dict(data), "saved_at": at}
        )


def attach(request_id: UUID, *, actor: Actor, at: datetime, file: File[bytes], kind: str) -> Attachment:
    """Add a document to a draft, a returned request or while information is asked for.

    Refuses with Invalid what is not a PDF, image or Office file by its content, is empty or larger than
    `ATTACHMENT_MAX_BYTES`, whatever its name says.
    """
    checked = uploads.check(file)
    with transaction.atomic():
        request = _fetch(request_id, actor, at)
        if sentence := rules.is_applicant.refusal(request, actor):
            raise NotAllowed(sentence)
        if request.state not in EDITABLE | {State.INFORMATION_REQUESTED}:
            raise NotNow(_("The request is submitted; documents cannot be added now."))
        attachment = Attachment(
            request=request,
            kind=kind,
            name=checked.name,
            content_type=checked.content_type,
            size=checked.size,
            sha256=checked.sha256,
            uploaded_by_id=_user_id(actor),
            uploaded_at=at,
        )
        attachment.file.save(checked.name, file, save=False)
        before = journal.stored(request)
        request.saved_at = at
        if request.is_editable:
            request.declarations = []
        entry = audit.record(
            request,
            "attach",
            actor_id=actor.user_id,
            actor_role=Role.APPLICANT,
            at=at,
            data={"attachment": str(attachment.pk), "sha256": checked.sha256},
        )
        journal.write([(request, before)], [attachment, entry])
    return attachment


def remove_attachment(attachment_id: UUID, *, actor: Actor, at: datetime) -> Attachment:
    """Take a document out of a draft or returned request. What was submitted with it stays as it was submitted."""
    with transaction.atomic():
        attachment = queries.attachments_visible_to(actor).filter(pk=attachment_id).first()
        if attachment is None:
            raise NotFound(_("There is no such document, or it is not yours to see."))
        request = _editable(attachment.request_id, actor, at)
        before, was = journal.stored(request), journal.stored(attachment)
        attachment.removed_at = at
        request.saved_at = at
        request.declarations = []
        entry = audit.record(
            request,
            "remove_attachment",
            actor_id=actor.user_id,
            actor_role=Role.APPLICANT,
            at=at,
            data={"attachment": str(attachment.pk)},
        )
        journal.write([(attachment, was), (request, before)], [entry])
    return attachment


def overlapping(request: TravelRequest) -> TravelRequest | None:
    """Another trip of the same person, asked for or cleared, that shares a day with this one; None: there is none."""
    if not request.itinerary:
        return None
    return queries.overlapping(
        request,
        departs_on=min(leg.arrives_on for leg in request.itinerary),
        returns_on=max(leg.leaves_on for leg in request.itinerary),
    )


def _days_are_free(step: _Step) -> None:
    """Refuses with Invalid, naming the other trip, when the days of this one have gone to another meanwhile."""
    request = step.request
    if request.departs_on is None or request.returns_on is None:
        return
    if other := queries.overlapping(request, departs_on=request.departs_on, returns_on=request.returns_on):
        raise Invalid([_overlap_problem(other)])


def _overlap_problem(other: TravelRequest) -> Problem:
    return Problem(
        "itinerary",
        "",
        _("These days overlap your trip %(reference)s “%(title)s” (%(from)s to %(to)s). Change or withdraw one.")
        % {
            "reference": other.reference,
            "title": other.title,
            "from": date_format(other.departs_on, "DATE_FORMAT") if other.departs_on else "",
            "to": date_format(other.returns_on, "DATE_FORMAT") if other.returns_on else "",
        },
    )


def problems(request: TravelRequest, *, at: datetime) -> list[Problem]:
    """Everything that stands between a draft and its submission at `at`.

    What is missing or wrong, what was typed and is not valid yet, a trip that it overlaps.
    """
    request.as_of(at)
    found = rules.problems(request)
    found += [
        Problem(section, "", gettext_lazy("What you typed here is kept, but not all of it can be used yet."))
        for section in request.sections_as_typed
    ]
    found += _missing_subdivisions(request)
    if other := overlapping(request):
        found.append(_overlap_problem(other))
    return found


def _missing_subdivisions(request: TravelRequest) -> list[Problem]:
    """Places in a country of which a list in force names a part, without saying in which part: the list may be younger
    than the itinerary."""
    unsaid = {index: leg for index, leg in enumerate(request.itinerary) if not leg.subdivision}
    asked = matching.subdivided({str(leg.country.code) for leg in unsaid.values()}, on=request.today)
    sentence = gettext_lazy("Choose the state or province: a list names a part of this country, not all of it.")
    return [
        Problem("itinerary", f"legs-{index}-subdivision", sentence)
        for index, leg in unsaid.items()
        if str(leg.country.code) in asked
    ]


def submit(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Submit a draft or a returned request: an immutable revision, its assessment, a receipt.

    Refuses with Invalid everything that is missing, each with the section and field to mend.
    """

    def prepare(step: _Step) -> Mapping[str, Any]:
        request = step.request
        if found := problems(request, at=at):
            raise Invalid(found)
        content = snapshots.content(request)
        revision = step.add(
            Revision, number=request.revision_number + 1, content=content, digest=snapshots.digest(content)
        )
        finding = assessment.assess(request, on=request.today)
        assessed = step.add(Assessment, revision=revision, **finding.as_values())
        step.data |= {"revision": revision.number, "digest": revision.digest.hex(), "tier": finding.tier.value}
        return {
            "revision_id": revision.pk,
            "assessment_id": assessed.pk,
            "tier": finding.tier,
            "open_matches": len(finding.possible),
        }

    return _move("submit", request_id, actor=actor, at=at, prepare=prepare)


def withdraw(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """The applicant takes an open request back. It can not be undone; a new request can be made."""
    return _move("withdraw", request_id, actor=actor, at=at)


def refer(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """After the company declined: the applicant takes the trip to the office as a personal one."""
    return _move("refer", request_id, actor=actor, at=at)


def reopen(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Take a lapsed request up again where it was; its clock starts anew."""
    return _move("reopen", request_id, actor=actor, at=at, prepare=_days_are_free)


def answer(request_id: UUID, *, actor: Actor, at: datetime, answers: Sequence[str]) -> TravelRequest:
    """Answer what the office asked, each item in its order. The office's clock goes on from this moment.

    Refuses with Invalid, at `answers-<n>`, each item without an answer.
    """

    def prepare(step: _Step) -> None:
        asked = InformationRequest.objects.filter(request=step.request).latest("at")
        given = [text.strip() for text in answers]
        given += [""] * (len(asked.items) - len(given))
        if missing := [index for index in range(len(asked.items)) if not given[index]]:
            raise Invalid(
                [
                    Problem("", f"answers-{index}", _("Answer this question, or say why you cannot."))
                    for index in missing
                ]
            )
        step.add(InformationAnswer, information_request=asked, answers=given[: len(asked.items)])

    return _move("answer", request_id, actor=actor, at=at, prepare=prepare)


def reply(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> TravelRequest:
    """Say something to a proposed denial before it is decided. It becomes part of the decision."""

    def prepare(step: _Step) -> None:
        step.add(
            Reply,
            proposal_id=step.request.proposal_id,
            text=_required(text, "text", _("Write your reply, or leave the page: the time for it runs on.")),
        )

    return _move("reply", request_id, actor=actor, at=at, prepare=prepare)


# ── the company reviews ─────────────────────────────────────────────────────────────────────────────────────────────


def _company_review(outcome: CompanyReview.Outcome, comment: str = "") -> Prepare:
    def prepare(step: _Step) -> None:
        step.add(CompanyReview, revision_id=step.request.revision_id, outcome=outcome, comment=comment)

    return prepare


def return_for_changes(request_id: UUID, *, actor: Actor, at: datetime, comment: str) -> TravelRequest:
    """Give the request back to the applicant with a list of what to change. Invalid without one."""
    what = _required(comment, "comment", _("Say what the applicant should change."))
    prepare = _company_review(CompanyReview.Outcome.RETURNED, what)
    return _move("return_for_changes", request_id, actor=actor, at=at, prepare=prepare)


def endorse(request_id: UUID, *, actor: Actor, at: datetime, comment: str = "") -> TravelRequest:
    """The company supports the trip; the office looks at it next."""
    prepare = _company_review(CompanyReview.Outcome.ENDORSED, comment.strip())
    return _move("endorse", request_id, actor=actor, at=at, prepare=prepare)


def object(request_id: UUID, *, actor: Actor, at: datetime, comment: str) -> TravelRequest:
    """The company has doubts about a personal trip. It goes to the office with the comment; Invalid without one."""
    why = _required(comment, "comment", _("Say what the company objects to, and why."))
    prepare = _company_review(CompanyReview.Outcome.OBJECTED, why)
    return _move("object", request_id, actor=actor, at=at, prepare=prepare)


def decline(request_id: UUID, *, actor: Actor, at: datetime, comment: str) -> TravelRequest:
    """The company will not send the employee on this business trip. Invalid without a reason."""
    why = _required(comment, "comment", _("Give the reason; the applicant reads it."))
    prepare = _company_review(CompanyReview.Outcome.DECLINED, why)
    return _move("decline", request_id, actor=actor, at=at, prepare=prepare)


# ── the office assesses ─────────────────────────────────────────────────────────────────────────────────────────────


def take(request_id: UUID, *, actor: Actor, at: datetime, no_conflict: bool) -> TravelRequest:
    """A reviewer takes the case and declares to have no conflict of interest. Invalid without the declaration; NotNow
    for somebody who is away for longer: the case would go back at once."""
    if not no_conflict:
        raise Invalid(
            [
                Problem(
                    "", "no_conflict", _("Declare that you have no conflict of interest, or leave the case to others.")
                )
            ]
        )

    def prepare(step: _Step) -> Mapping[str, Any]:
        office_id = step.request.office_id
        if absences.away_for_longer(at).filter(user_id=_user_id(actor), office_id=office_id).exists():
            raise NotNow(_("You are entered as away. Say that you are back, and take the case then."))
        number = actor.number_in(office_id, [Role.REVIEWER])
        step.add(Assignment, reviewer_id=actor.user_id, number=number)
        step.data |= {"number": number}
        return {"reviewer_id": actor.user_id, "number": number}

    return _move("take", request_id, actor=actor, at=at, prepare=prepare)


def hand_over(request_id: UUID, *, actor: Actor, at: datetime, reviewer_id: int | None, reason: str) -> TravelRequest:
    """A senior gives the case to a reviewer of the office (an account's id), or back to the office's queue (None).

    Invalid without a reason, and for somebody who is not a reviewer of the office at `at`, is away, is the applicant or
    an officer of the company, or has declared a conflict of interest in this case.
    """
    why = _required(reason, "reason", _("Say why the case changes hands."))

    def prepare(step: _Step) -> Mapping[str, Any]:
        number = ""
        if reviewer_id is not None:
            posting = (
                Posting.objects.in_force(at)
                .filter(user_id=reviewer_id, office_id=step.request.office_id, role=Role.REVIEWER)
                .first()
            )
            conflicted = (
                Recusal.objects.filter(request=step.request, by_id=reviewer_id).exists()
                or Membership.objects.in_force(at)
                .filter(user_id=reviewer_id, company_id=step.request.company_id)
                .exists()
            )
            if posting is None or conflicted or reviewer_id == step.request.applicant_user_id:
                raise Invalid(
                    [Problem("", "reviewer_id", _("This person cannot take the case. Choose another reviewer."))]
                )
            if absences.is_away(reviewer_id, office_id=step.request.office_id, role=Role.REVIEWER, at=at):
                raise Invalid([Problem("", "reviewer_id", _("This person is away. Choose another reviewer."))])
            number = posting.number
        step.add(Assignment, reviewer_id=reviewer_id, number=number, reason=why)
        step.data |= {"number": number}
        return {"reviewer_id": reviewer_id, "number": number}

    return _move("hand_over", request_id, actor=actor, at=at, prepare=prepare)


def return_to_queue(request_id: UUID, *, at: datetime) -> TravelRequest:
    """The reviewer who has the case has left the office or is away for longer: it goes back to the office's queue.

    NotNow while they are there. Nobody is put in their place: taking a case needs a declaration that only a person
    can make. Its clock runs on.
    """

    def prepare(step: _Step) -> Mapping[str, Any]:
        reviewer_id, office_id = step.request.assigned_reviewer_id, step.request.office_id
        why = absences.gone(reviewer_id, office_id=office_id, at=at) if reviewer_id is not None else None
        if why is None:
            raise NotNow(_("The reviewer who has the case is there."))
        step.add(Assignment, reviewer_id=None)
        step.data |= {"why": why.value}
        return {}

    return _move("return_to_queue", request_id, actor=SYSTEM, at=at, prepare=prepare)


def recuse(request_id: UUID, *, actor: Actor, at: datetime, reason: str = "") -> TravelRequest:
    """A reviewer declares a conflict of interest: the case goes back to the queue and is out of their sight."""

    def prepare(step: _Step) -> Mapping[str, Any]:
        step.add(Recusal, reason=reason.strip())
        return {"reviewer_id": actor.user_id}

    return _move("recuse", request_id, actor=actor, at=at, prepare=prepare)


def agree_information(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """A senior agrees that the applicant may be asked a second time."""
    return _move(
        "agree_information", request_id, actor=actor, at=at, prepare=lambda step: {"senior_id": _user_id(actor)}
    )


def ask_information(
    request_id: UUID, *, actor: Actor, at: datetime, items: Sequence[str], reason: str
) -> TravelRequest:
    """Ask the applicant for everything that is missing, in one list. The office's clock stops until it is answered.

    Invalid without an item and without a reason.
    """
    asked = [item.strip() for item in items if item.strip()]
    found = []
    if not asked:
        found.append(Problem("", "items", _("Ask at least one question.")))
    if not reason.strip():
        found.append(Problem("", "reason", _("Say why the office needs this.")))
    if found:
        raise Invalid(found)

    def prepare(step: _Step) -> None:
        step.add(
            InformationRequest,
            items=asked,
            reason=reason.strip(),
            agreed_by_id=step.request.information_agreed_by_id,
        )
        step.data |= {"items": len(asked)}

    return _move("ask_information", request_id, actor=actor, at=at, prepare=prepare)


def approve(
    request_id: UUID, *, actor: Actor, at: datetime, text: str = "", conditions: Sequence[str] = ()
) -> TravelRequest:
    """Clear the trip, perhaps with conditions. For the tiers that one reviewer decides."""

    def prepare(step: _Step) -> Mapping[str, Any]:
        decision = step.add(Decision, outcome=Outcome.APPROVED, text=text.strip(), **step.grounds())
        _add_conditions(step, decision, conditions)
        step.data |= {"decision": str(decision.pk)}
        return {"reviewer_id": _user_id(actor), "decision_id": decision.pk}

    return _move("approve", request_id, actor=actor, at=at, prepare=prepare)


def _add_conditions(step: _Step, decision: Decision, conditions: Sequence[str]) -> None:
    for condition in conditions:
        if condition.strip():
            step.add(Condition, decision=decision, text=condition.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a proposal or revocation rests on. To refuse takes all four (fair process, 3)."""

    text: str = ""
    reason_codes: Sequence[str] = ()
    facts: str = ""
    milder_measures: str = ""

    def values(self) -> dict[str, Any]:
        return {
            "text": self.text.strip(),
            "reason_codes": list(self.reason_codes),
            "facts": self.facts.strip(),
            "milder_measures": self.milder_measures.strip(),
        }


def _check_refusal(request: TravelRequest, grounds: Grounds) -> None:
    """Refuses with Invalid what does not carry a refusal: codes in force, text, facts, milder measures considered."""
    found = []
    if not grounds.reason_codes:
        found.append(Problem("", "reason_codes", _("Choose at least one reason code in force.")))
    elif unknown := _codes_not_in_force(request, grounds.reason_codes):
        found.append(
            Problem(
                "",
                "reason_codes",
                _("Not in force for this office today: %(codes)s.") % {"codes": ", ".join(sorted(unknown))},
            )
        )
    if not grounds.text.strip():
        found.append(
            Problem("", "text", _("Give the reasons, for this case, in words that the applicant understands."))
        )
    if not grounds.facts.strip():
        found.append(Problem("", "facts", _("Name the facts relied on.")))
    if not grounds.milder_measures.strip():
        found.append(
            Problem(
                "",
                "milder_measures",
                _("Say which milder measure was considered (a condition, a shorter trip) and why it does not do."),
            )
        )
    if found:
        raise Invalid(found)


def _codes_not_in_force(request: TravelRequest, codes: Sequence[str]) -> set[str]:
    in_force = ReasonCode.objects.in_force(request.today, request.office_id).filter(code__in=codes)
    return set(codes) - set(in_force.values_list("code", flat=True))


def propose(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    outcome: str,
    grounds: Grounds,
    conditions: Sequence[str] = (),
) -> TravelRequest:
    """Propose `approved` or `denied` for another person to confirm. A denial is always proposed, and heard first.

    Invalid for another outcome, and for a denial without all of its grounds.
    """
    if outcome not in (Outcome.APPROVED, Outcome.DENIED):
        raise Invalid([Problem("", "outcome", _("Choose an outcome."))])

    def prepare(step: _Step) -> Mapping[str, Any]:
        until = None
        if outcome == Outcome.DENIED:
            _check_refusal(step.request, grounds)
            until = timekeeping.reply_until(step.request, at=at)
        proposal = step.add(
            Proposal,
            outcome=outcome,
            conditions=[text.strip() for text in conditions if text.strip()],
            reply_until=until,
            **step.grounds(),
            **grounds.values(),
        )
        step.data |= {"proposal": str(proposal.pk), "outcome": str(outcome)}
        return {
            "reviewer_id": _user_id(actor),
            "proposal_id": proposal.pk,
            "outcome": str(outcome),
            "reply_until": until,
        }

    return _move("propose", request_id, actor=actor, at=at, prepare=prepare)


def confirm(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Make the proposed outcome the decision. A denial only after the applicant was heard, and with codes in force."""

    def prepare(step: _Step) -> Mapping[str, Any]:
        proposal = _proposal(step)
        appeal_until = None
        if proposal.outcome == Outcome.DENIED:
            _check_refusal(step.request, _grounds_of(proposal))
            appeal_until = timekeeping.appeal_until(step.request, at=at)
        decision = _decide(step, proposal, appeal_until=appeal_until)
        _add_conditions(step, decision, proposal.conditions)
        return {"senior_id": _user_id(actor), "decision_id": decision.pk}

    return _move("confirm", request_id, actor=actor, at=at, prepare=prepare)


def _proposal(step: _Step) -> Proposal:
    """The proposal that is to be confirmed."""
    assert step.request.proposal_id is not None
    return Proposal.objects.get(pk=step.request.proposal_id)


def _grounds_of(proposal: Proposal) -> Grounds:
    return Grounds(
        text=proposal.text,
        reason_codes=proposal.reason_codes,
        facts=proposal.facts,
        milder_measures=proposal.milder_measures,
    )


def _decide(step: _Step, proposal: Proposal, *, appeal_until: date | None) -> Decision:
    """The decision that a confirmed proposal becomes: decided by who proposed it, confirmed by the actor."""
    decision = Decision(
        request=step.request,
        at=step.at,
        by_id=proposal.by_id,
        confirmed_by_id=step.actor.user_id,
        outcome=proposal.outcome,
        appeal_until=appeal_until,
        revision_id=proposal.revision_id,
        assessment_id=proposal.assessment_id,
        **_grounds_of(proposal).values(),
    )
    step.rows.append(decision)
    step.data |= {"decision": str(decision.pk), "outcome": proposal.outcome}
    return decision


def reject_proposal(request_id: UUID, *, actor: Actor, at: datetime, note: str) -> TravelRequest:
    """Give a proposal back to the reviewer. Invalid without a note."""
    why = _required(note, "note", _("Say what the reviewer should look at again."))

    def prepare(step: _Step) -> None:
        step.add(
            ProposalRejection,
            proposal_id=step.request.proposal_id,
            note=why,
        )

    return _move("reject_proposal", request_id, actor=actor, at=at, prepare=prepare)


def extend(request_id: UUID, *, actor: Actor, at: datetime, working_days: int, reason: str) -> TravelRequest:
    """Move the office's due date, once, by 1 to 10 working days, or to as many as the office's policy allows.

    Invalid outside of that and without a reason.
    """

    def prepare(step: _Step) -> Mapping[str, Any]:
        most = min(rules.EXTENSION_WORKING_DAYS, timekeeping.longest_extension(step.request))
        found = []
        if not 1 <= working_days <= most:
            found.append(Problem("", "working_days", _("Extend by 1 to %(days)d working days.") % {"days": most}))
        if not reason.strip():
            found.append(Problem("", "reason", _("Give the reason; the applicant receives it.")))
        if found:
            raise Invalid(found)
        step.add(Extension, working_days=working_days, reason=reason.strip())
        step.data |= {"working_days": working_days}
        return {"working_days": working_days}

    return _move("extend", request_id, actor=actor, at=at, prepare=prepare)


def propose_revocation(request_id: UUID, *, actor: Actor, at: datetime, grounds: Grounds) -> TravelRequest:
    """A senior proposes to take a clearance back before departure. Invalid without all the grounds of a refusal."""

    def prepare(step: _Step) -> Mapping[str, Any]:
        _check_refusal(step.request, grounds)
        proposal = step.add(Proposal, outcome=Outcome.REVOKED, **step.grounds(), **grounds.values())
        step.data |= {"proposal": str(proposal.pk)}
        return {"senior_id": _user_id(actor), "proposal_id": proposal.pk}

    return _move("propose_revocation", request_id, actor=actor, at=at, prepare=prepare)


def revoke(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Another senior confirms a proposed revocation."""

    def prepare(step: _Step) -> Mapping[str, Any]:
        proposal = _proposal(step)
        _check_refusal(step.request, _grounds_of(proposal))
        decision = _decide(step, proposal, appeal_until=timekeeping.appeal_until(step.request, at=at))
        return {"senior_id": _user_id(actor), "decision_id": decision.pk}

    return _move("revoke", request_id, actor=actor, at=at, prepare=prepare)


# ── the assessment is changed by people ─────────────────────────────────────────────────────────────────────────────


def judge_match(
    request_id: UUID, *, actor: Actor, at: datetime, key: str, confirmed: bool, reason: str
) -> TravelRequest:
    """Say of a possible match (`PossibleHit.key`) whether it is the listed organisation. Confirmed, it is a hit from
    now on, and the tier can rise; dismissed, it counts for nothing. The applicant sees both, with the reason.

    Invalid without a reason, and for a match that is not waiting (any more).
    """
    why = _required(reason, "reason", _("Say how you know; the applicant reads it."))

    def prepare(step: _Step) -> Mapping[str, Any]:
        before = _assessment(step)
        waiting = {one.key: one for one in map(matching.possible_from, before.possible)}
        if key not in waiting:
            raise Invalid([Problem("", "key", _("This possible match has an answer already."))])
        one = waiting[key]
        step.add(
            MatchJudgement,
            assessment=before,
            key=key,
            written=one.written,
            name=one.name,
            confirmed=confirmed,
            reason=why,
        )
        finding = assessment.conclude(
            hits=map(matching.hit_from, before.hits),
            possible=waiting.values(),
            answers={key: confirmed},
            departs_on=step.request.departs_on,  # type: ignore[arg-type]
            returns_on=step.request.returns_on,  # type: ignore[arg-type]
        )
        # A match never lowers what a person or the lists have set before.
        tier = max(finding.tier, Tier(step.request.tier), key=list(Tier).index)
        values = finding.as_values() | {
            "tier": tier,
            "route": rules.route_for(tier),
            "versions": before.versions,
            "took_us": None,
        }
        assessed = step.add(
            Assessment, revision_id=before.revision_id, cause=Assessment.Cause.MATCH_JUDGED, reason=why, **values
        )
        step.data |= {"confirmed": confirmed, "tier": tier.value, "assessment": str(assessed.pk)}
        return {"assessment_id": assessed.pk, "tier": tier, "open_matches": len(finding.possible)}

    return _move("judge_match", request_id, actor=actor, at=at, prepare=prepare)


def _assessment(step: _Step) -> Assessment:
    """The assessment in force of the request being moved."""
    assert step.request.assessment_id is not None
    return Assessment.objects.get(pk=step.request.assessment_id)


def change_tier(request_id: UUID, *, actor: Actor, at: datetime, tier: Tier, reason: str) -> TravelRequest:
    """Raise or lower the tier of a request, for a reason that the applicant receives. What the lists said stays.

    The due date becomes that of the new tier, counted from the same day. Invalid without a reason and for the tier that
    it has; NotAllowed for the assigned reviewer who would so become the only one to decide (a senior can do it);
    NotNow for raising a case that is overdue: a higher tier does not mend lateness.
    """
    why = _required(reason, "reason", _("Give the reason; the applicant receives it."))

    def prepare(step: _Step) -> Mapping[str, Any]:
        request, was = step.request, Tier(step.request.tier)
        if tier == was:
            raise Invalid([Problem("", "tier", _("The request has this tier already."))])
        rises = list(Tier).index(tier) > list(Tier).index(was)
        one_person = rules.route_for(tier) is Route.ONE_REVIEWER
        if one_person and rules.route_for(was) is not Route.ONE_REVIEWER and rules.is_assigned_reviewer(request, actor):
            raise NotAllowed(
                _("Lowered to this tier you would decide alone on your own word. A senior reviewer can lower it.")
            )
        if rises and request.due_at is not None and request.due_at <= at:
            raise NotNow(_("The case is overdue. A higher tier would only hide that it is late."))
        before = _assessment(step)
        assessed = step.add(
            Assessment,
            revision_id=before.revision_id,
            cause=Assessment.Cause.TIER_CHANGED,
            reason=why,
            tier=tier,
            route=rules.route_for(tier),
            days=before.days,
            hits=before.hits,
            possible=before.possible,
            versions=before.versions,
        )
        step.data |= {"tier_before": was.value, "tier": tier.value, "assessment": str(assessed.pk)}
        return {"assessment_id": assessed.pk, "tier": tier}

    return _move("change_tier", request_id, actor=actor, at=at, prepare=prepare)


def reassess(request_id: UUID, *, actor: Actor, at: datetime, reason: str = "") -> TravelRequest:
    """Assess a submitted revision anew with the lists in force now: a senior's choice, never the list's (fair
    process, 25). Down at once; up only with a reason, which the applicant receives.

    Invalid without that reason; NotNow when the result is what it is already.
    """

    def prepare(step: _Step) -> Mapping[str, Any]:
        request, before = step.request, _assessment(step)
        assert request.departs_on is not None
        assert request.returns_on is not None
        revision = Revision.objects.get(pk=before.revision_id)
        finding = assessment.assess_facts(
            assessment.facts_from(revision.content, company_id=request.company_id),
            on=request.today,
            departs_on=request.departs_on,
            returns_on=request.returns_on,
            answers=queries.match_answers(request.pk),
        )
        was = Tier(request.tier)
        rises = list(Tier).index(finding.tier) > list(Tier).index(was)
        if finding.tier == was and [hit.as_data() for hit in finding.hits] == before.hits:
            raise NotNow(_("The lists of today say the same as the assessment in force."))
        if rises and not reason.strip():
            raise Invalid(
                [Problem("", "reason", _("The tier would rise. Give the reason; the applicant receives it."))]
            )
        assessed = step.add(
            Assessment,
            revision=revision,
            cause=Assessment.Cause.REASSESSED,
            reason=reason.strip(),
            **finding.as_values(),
        )
        step.data |= {"tier_before": was.value, "tier": finding.tier.value, "assessment": str(assessed.pk)}
        return {"assessment_id": assessed.pk, "tier": finding.tier, "open_matches": len(finding.possible)}

    return _move("reassess", request_id, actor=actor, at=at, prepare=prepare)


# ── appeals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


# What is done to an appeal and leaves the request in its state.
APPEAL_VERBS = ("file_appeal", "hear_appeal", "uphold")
_WAITS_FOR = {"hear_appeal": AppealState.FILED, "uphold": AppealState.IN_REVIEW}


def _appeal_refusal(request: TravelRequest, verb: str, actor: Actor) -> Refused | None:
    appeal = request.open_appeal
    if verb == "file_appeal":
        if sentence := rules.is_applicant.refusal(request, actor):
            return NotAllowed(sentence)
        if request.state not in APPEALABLE or request.decision is None:
            return NotNow(_("There is no denial or revocation to appeal against."))
        if appeal is not None:
            return NotNow(_("An appeal is open already."))
        if request.decision.appeal_until is None or request.today > request.decision.appeal_until:
            return NotNow(_("The time for an appeal is over."))
        return None
    if appeal is None or appeal.state != _WAITS_FOR[verb]:
        return NotNow(_("There is no appeal that is waiting for this."))
    decided = (request.proposed_by_id, request.decided_by_id, request.confirmed_by_id)
    hears = verb == "hear_appeal" or appeal.heard_by_id == actor.user_id
    if not actor.holds(Role.APPEAL_REVIEWER, appeal.office_id) or actor.user_id in decided or not hears:
        return NotAllowed(rules.is_hearing_the_appeal.sentence)
    if sentence := rules.is_apart.refusal(request, actor):
        return NotAllowed(sentence)
    return None


def _beside(verb: str, request: TravelRequest, *, actor: Actor, role: Role, at: datetime, data: dict[str, Any]) -> None:
    """Write what follows from something that happened beside the request's own state, and is written already.

    That is: its clocks, the audit entry, the outbox row.
    """
    before = journal.stored(request)
    del request.open_appeal  # read before it changed
    clocks = timekeeping.turn(request, at=at)
    entry = audit.record(request, verb, actor_id=actor.user_id, actor_role=role, at=at, data=data)
    event = outbox.emit(f"request.{verb}", subject=request.pk, at=at, data=_as_it_is(request) | data)
    journal.write([*clocks.changed, (request, before)], [*clocks.added, entry, event])
    outbox.hint()


def file_appeal(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """Appeal against a denial or revocation, until the last day that the decision names. Another office hears it.

    Invalid without a text; NotNow when there is nothing to appeal against, the time is over, or an appeal is open.
    """
    why = _required(text, "text", _("Say why the decision should change."))
    with transaction.atomic():
        request = _fetch(request_id, actor, at)
        if refused := _appeal_refusal(request, "file_appeal", actor):
            raise refused
        office = (
            Office.objects.filter(
                is_active=True, postings__in=Posting.objects.in_force(at).filter(role=Role.APPEAL_REVIEWER)
            )
            .exclude(pk=request.office_id)
            .order_by("pk")
            .first()
        )
        if office is None:
            raise NotNow(_("No other office can hear the appeal today. An administrator must name one."))
        appeal = Appeal(request=request, decision=request.decision, office=office, text=why, filed_at=at)
        journal.write([], [appeal])
        data = {"appeal": str(appeal.pk), "office": office.pk}
        _beside("file_appeal", request, actor=actor, role=Role.APPLICANT, at=at, data=data)
    return appeal


def _appeal(
    verb: str,
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    change: Callable[[Appeal], None],
) -> Appeal:
    """Move the open appeal of a request, by an appeal reviewer of the office that hears it."""
    with transaction.atomic():
        request = _fetch(request_id, actor, at)
        if refused := _appeal_refusal(request, verb, actor):
            raise refused
        appeal = request.open_appeal
        assert appeal is not None
        was = journal.stored(appeal)
        change(appeal)
        journal.write([(appeal, was)], [])
        data = {"appeal": str(appeal.pk)}
        _beside(verb, request, actor=actor, role=Role.APPEAL_REVIEWER, at=at, data=data)
    return appeal


def hear_appeal(request_id: UUID, *, actor: Actor, at: datetime) -> Appeal:
    """An appeal reviewer of the other office takes the appeal under review."""

    def change(appeal: Appeal) -> None:
        appeal.state, appeal.heard_by_id = AppealState.IN_REVIEW, actor.user_id

    return _appeal("hear_appeal", request_id, actor=actor, at=at, change=change)


def uphold(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """The decision stands, with reasons. Invalid without them; NotAllowed for anybody but the one who hears it."""
    why = _required(text, "text", _("Give the reasons; the applicant reads them."))

    def change(appeal: Appeal) -> None:
        appeal.state, appeal.outcome_text, appeal.ended_at = AppealState.UPHELD, why, at

    return _appeal("uphold", request_id, actor=actor, at=at, change=change)


def overturn(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> TravelRequest:
    """The appeal reviewer replaces the denial or revocation by a clearance. Invalid without reasons."""
    why = _required(text, "text", _("Give the reasons; the applicant reads them."))

    def prepare(step: _Step) -> Mapping[str, Any]:
        _days_are_free(step)
        assert step.request.open_appeal is not None
        # A copy: the transition still has to find the appeal under review.
        appeal = copy(step.request.open_appeal)
        was = journal.stored(appeal)
        appeal.state, appeal.outcome_text, appeal.ended_at = AppealState.OVERTURNED, why, at
        journal.write([(appeal, was)], [])
        decision = step.add(Decision, outcome=Outcome.APPROVED, text=why, **step.grounds())
        step.data |= {"appeal": str(appeal.pk), "decision": str(decision.pk)}
        return {"reviewer_id": _user_id(actor), "decision_id": decision.pk}

    return _move("overturn", request_id, actor=actor, at=at, prepare=prepare)


def close(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """The trip is over, or the applicant will not travel after all."""
    return _move("close", request_id, actor=actor, at=at)


# ── clocks act ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _silent_company(step: _Step) -> None:
    step.add(CompanyReview, revision_id=step.request.revision_id, outcome=CompanyReview.Outcome.SILENT)


def _deemed(step: _Step) -> Mapping[str, Any]:
    decision = step.add(Decision, outcome=Outcome.APPROVED, deemed=True, **step.grounds())
    step.data |= {"decision": str(decision.pk)}
    return {"decision_id": decision.pk}


def forward(request_id: UUID, *, at: datetime) -> TravelRequest:
    """The company did not answer in time: the request goes to the office all the same."""
    return _move("forward", request_id, actor=SYSTEM, at=at, prepare=_silent_company)


def lapse(request_id: UUID, *, at: datetime) -> TravelRequest:
    """The applicant did not react in time, after reminders. It can be reopened for 30 days."""
    return _move("lapse", request_id, actor=SYSTEM, at=at)


_BY_CLOCK: dict[Step, tuple[str, Prepare]] = {
    Step.FORWARD: ("forward", _silent_company),
    Step.LAPSE: ("lapse", _nothing),
    Step.CLOSE: ("close", _nothing),
    Step.DEEM_APPROVED: ("deem_approved", _deemed),
}
_ESCALATIONS = frozenset({Step.ESCALATE, Step.ESCALATE_TO_HEAD, Step.REPORT_OVERDUE})


def clock_step(request: TravelRequest, row: Clock, *, at: datetime) -> Made:
    """The step of the clock in `row`, one of the running ones of `request`, that is due at `at`. Nothing is written.

    It goes through the same gate as a person's. What was due several times over (after an outage) is taken once, the
    gravest step of it. The caller holds the lock on the request, and writes what comes back.
    """
    request.as_of(at)
    step, scheduled = timekeeping.step_due(request, row, at=at)
    request.clock_step = step.value
    verb, prepare = _BY_CLOCK.get(step, ("escalate" if step in _ESCALATIONS else "remind", _nothing))

    def with_clock(taken: _Step) -> Mapping[str, Any] | None:
        taken.data |= {"clock": row.kind, "step": step.value}
        if step in _ESCALATIONS:
            taken.add(Escalation, clock_kind=row.kind, step=step)
        return prepare(taken)

    acted = new(ClockAction, clock=row, step=step.value, scheduled_at=scheduled, at=at)
    return _make_step(verb, request, actor=SYSTEM, at=at, prepare=with_clock, acted=acted)
