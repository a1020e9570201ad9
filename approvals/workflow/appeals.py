"""Appeals: filed by the applicant, heard by people of another office, upheld or overturned with reasons.

An appeal reopens the facts: either side brings documents, what was said at a hearing is noted and can be commented on,
the appeal reviewer can ask. Nobody who took part in the decision hears it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotAllowed, NotNow, Problem, Refused
from accounts.roles import Actor, Role
from approvals import journal, queries, rules, timekeeping, uploads
from approvals.models import (
    Appeal,
    AppealDocument,
    AppealStatement,
    ConflictDeclaration,
    Decision,
    HearingNote,
    TravelRequest,
)
from approvals.models.appeal import AppealState
from approvals.models.conflicts import Conflict
from approvals.models.decision import Outcome
from approvals.workflow import gate
from approvals.workflow.completeness import days_are_free
from approvals.workflow.conditions import Imposed, add_conditions
from approvals.workflow.conflicts import check_declared
from approvals.workflow.deciding import check_cleared, lies_within
from approvals.workflow.gate import Taking, beside, fetch, move, required, user_id_of
from audit.rows import new

MOST_FILES = 5

_OF_THE_APPLICANT = frozenset({"withdraw_appeal", "answer_in_appeal", "comment_on_hearing"})
_WHILE_HEARD = frozenset({"uphold", "note_hearing", "ask_in_appeal", "answer_in_appeal", "comment_on_hearing"})


# ── when it may be done, and by whom ────────────────────────────────────────────────────────────────────────────────


def _filing_refusal(request: TravelRequest, actor: Actor) -> Refused | None:
    if sentence := rules.is_applicant.refusal(request, actor):
        return NotAllowed(sentence)
    decision = request.decision if rules.refuses_something(request) else None
    if decision is None or decision.appeal_until is None:
        return NotNow(_("There is no refusal to appeal against."))
    against = [appeal.state for appeal in request.appeals.all() if appeal.decision_id == decision.pk]
    if request.open_appeal is not None:
        return NotNow(_("An appeal is open already."))
    if any(state != AppealState.WITHDRAWN for state in against):
        return NotNow(_("An appeal against this decision was decided already."))
    if request.today > decision.appeal_until:
        return NotNow(_("The time for an appeal is over."))
    return None


def _refusal(request: TravelRequest, actor: Actor, *, verb: str) -> Refused | None:
    """Why `actor` may not do `verb`, one about an appeal that is open, whatever the input."""
    appeal, mine = request.open_appeal, actor.holds(Role.APPLICANT, request.applicant_id)
    if appeal is None:
        return NotNow(_("There is no appeal that is waiting for this."))
    if (verb == "hear_appeal" and appeal.state != AppealState.FILED) or (
        verb in _WHILE_HEARD and appeal.state != AppealState.IN_REVIEW
    ):
        return NotNow(_("There is no appeal that is waiting for this."))
    if verb in _OF_THE_APPLICANT or (verb == "add_to_appeal" and mine):
        sentence = rules.is_applicant.refusal(request, actor)
        return NotAllowed(sentence) if sentence else _nothing_to_say(appeal, verb)
    if verb == "hear_appeal":
        if not actor.holds(Role.APPEAL_REVIEWER, appeal.office_id) or appeal.office_id == request.office_id:
            return NotAllowed(rules.is_hearing_the_appeal.sentence)
        if sentence := rules.is_apart.refusal(request, actor):
            return NotAllowed(sentence)
        if actor.user_id in queries.took_part(request):
            return NotAllowed(_("Only an appeal reviewer of another office who took no part in the case can hear it."))
        return None
    if sentence := rules.appeal_reviewer.refusal(request, actor):
        return NotAllowed(sentence)
    waiting = queries.open_question(appeal) if verb in ("uphold", "ask_in_appeal") else None
    until = waiting.answer_until if waiting else None
    if until is not None and (verb == "ask_in_appeal" or request.now < until):
        return NotNow(_("The applicant was asked something and still has time to answer."))
    return None


def _nothing_to_say(appeal: Appeal, verb: str) -> Refused | None:
    if verb == "answer_in_appeal" and queries.open_question(appeal) is None:
        return NotNow(_("There is no question that waits for an answer."))
    if verb == "comment_on_hearing" and not appeal.notes.exists():
        return NotNow(_("No hearing has been noted so far."))
    return None


gate.BESIDE.update(
    {
        "file_appeal": _filing_refusal,
        **{
            verb: partial(_refusal, verb=verb)
            for verb in (
                "hear_appeal",
                "answer_in_appeal",
                "comment_on_hearing",
                "add_to_appeal",
                "note_hearing",
                "ask_in_appeal",
                "withdraw_appeal",
                "uphold",
            )
        },
    }
)


# ── the verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def file_appeal(
    request_id: UUID, *, actor: Actor, at: datetime, text: str, files: Sequence[File[bytes]] = ()
) -> Appeal:
    """Appeal against a refusal, of the trip or of a part of it, until the last day that the decision names.

    The office that hears it: the one that is named for the deciding office, else the first other one with an appeal
    reviewer who took no part. Invalid without a text, or for documents that cannot be kept; NotNow when there is
    nothing to appeal against, the time is over, an appeal is open or was decided, or no other office can hear it.
    """
    why = required(text, "text", _("Say why the decision should change."))
    checked = _checked(files)
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _filing_refusal(request, actor):
            raise refused
        office = queries.hearing_office(request, at=at)
        if office is None:
            raise NotNow(
                _(
                    "No other office can hear the appeal today. The administrator sees that an appeal reviewer is "
                    "missing; your time for the appeal runs until the day that the decision names."
                )
            )
        appeal = Appeal(request=request, decision=request.decision, office=office, text=why, filed_at=at)
        documents = _documents(appeal, checked, actor, at)
        journal.write([], [appeal, *documents])
        data = {"appeal": str(appeal.pk), "office": office.pk} | _digests(documents)
        beside("file_appeal", request, actor=actor, role=Role.APPLICANT, at=at, data=data)
    return appeal


Prepare = Callable[[TravelRequest, Appeal], Sequence[models.Model]]


def _on_the_appeal(
    verb: str, request_id: UUID, *, actor: Actor, at: datetime, prepare: Prepare, data: Mapping[str, Any] | None = None
) -> Appeal:
    """One step of the open appeal: `prepare` changes it or makes the rows that are added."""
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _refusal(request, actor, verb=verb):
            raise refused
        appeal = request.open_appeal
        assert appeal is not None
        was = journal.stored(appeal)
        rows = prepare(request, appeal)
        journal.write([(appeal, was)], rows)
        role = Role.APPLICANT if actor.holds(Role.APPLICANT, request.applicant_id) else Role.APPEAL_REVIEWER
        beside(verb, request, actor=actor, role=role, at=at, data={"appeal": str(appeal.pk)} | dict(data or {}))
    return appeal


def hear_appeal(request_id: UUID, *, actor: Actor, at: datetime, no_conflict: bool) -> Appeal:
    """An appeal reviewer of the other office takes the appeal under review, and declares to have no conflict of
    interest: Invalid without. NotAllowed for whoever took part in the case."""
    check_declared(no_conflict)

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        appeal.state, appeal.heard_by_id = AppealState.IN_REVIEW, actor.user_id
        declared: models.Model = new(
            ConflictDeclaration,
            request=request,
            at=at,
            by_id=actor.user_id,
            occasion="hear_appeal",
            conflict=Conflict.NONE,
        )
        return [declared]

    return _on_the_appeal("hear_appeal", request_id, actor=actor, at=at, prepare=prepare)


def withdraw_appeal(request_id: UUID, *, actor: Actor, at: datetime) -> Appeal:
    """The applicant takes the appeal back: the decision stands. Until the last day another one can be filed."""

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        appeal.state, appeal.ended_at = AppealState.WITHDRAWN, at
        return []

    return _on_the_appeal("withdraw_appeal", request_id, actor=actor, at=at, prepare=prepare)


def note_hearing(request_id: UUID, *, actor: Actor, at: datetime, held_on: date, heard: str, text: str) -> Appeal:
    """Keep what was said at a hearing; the applicant reads it and may comment.

    Invalid for a day to come or before the appeal was filed, and without who was heard and what was said.
    """
    found = []
    if not heard.strip():
        found.append(Problem("", "heard", _("Say who was heard.")))
    if not text.strip():
        found.append(Problem("", "text", _("Write down what was said.")))

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        if not appeal.filed_at.astimezone(request.zone).date() <= held_on <= request.today:
            found.append(Problem("", "held_on", _("Choose a day from the filing of the appeal until today.")))
        if found:
            raise Invalid(found)
        note = _row(HearingNote, appeal, actor, at, held_on=held_on, heard=heard.strip(), text=text.strip())
        return [note]

    return _on_the_appeal("note_hearing", request_id, actor=actor, at=at, prepare=prepare)


def comment_on_hearing(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """The applicant says something to what was noted of a hearing. Invalid without a text."""
    said = required(text, "text", _("Write your comment."))

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        return [_row(AppealStatement, appeal, actor, at, kind=AppealStatement.Kind.COMMENT, text=said)]

    return _on_the_appeal("comment_on_hearing", request_id, actor=actor, at=at, prepare=prepare)


def ask_in_appeal(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """Ask the applicant something. They have the days of the answer's clock; until then the decision cannot be upheld.

    The appeal's own clock runs on. Invalid without a text, NotNow while another question waits.
    """
    asked = required(text, "text", _("Write your question."))

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        until = timekeeping.answer_in_appeal_until(request, at=at)
        kind = AppealStatement.Kind.QUESTION
        return [_row(AppealStatement, appeal, actor, at, kind=kind, text=asked, answer_until=until)]

    return _on_the_appeal("ask_in_appeal", request_id, actor=actor, at=at, prepare=prepare)


def answer_in_appeal(
    request_id: UUID, *, actor: Actor, at: datetime, text: str, files: Sequence[File[bytes]] = ()
) -> Appeal:
    """Answer what the appeal reviewer asked, with documents if there are any. Late is better than never."""
    said = required(text, "text", _("Write your answer, or say why you cannot give one."))
    checked = _checked(files)

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        question = queries.open_question(appeal)
        assert question is not None
        answer = _row(
            AppealStatement, appeal, actor, at, kind=AppealStatement.Kind.ANSWER, text=said, question_id=question.pk
        )
        return [answer, *_documents(appeal, checked, actor, at)]

    return _on_the_appeal("answer_in_appeal", request_id, actor=actor, at=at, prepare=prepare)


def add_to_appeal(request_id: UUID, *, actor: Actor, at: datetime, files: Sequence[File[bytes]]) -> Appeal:
    """Bring documents to an open appeal: the applicant, or who hears it. Both read them. Invalid without one."""
    if not files:
        raise Invalid([Problem("", "files", _("Choose at least one document."))])
    checked = _checked(files)

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        return list(_documents(appeal, checked, actor, at))

    return _on_the_appeal("add_to_appeal", request_id, actor=actor, at=at, prepare=prepare)


def uphold(request_id: UUID, *, actor: Actor, at: datetime, text: str) -> Appeal:
    """The decision stands, with reasons. Invalid without them; NotAllowed for anybody but the one who hears it; NotNow
    while the applicant has time to answer a question."""
    why = required(text, "text", _("Give the reasons; the applicant reads them."))

    def prepare(request: TravelRequest, appeal: Appeal) -> list[models.Model]:
        appeal.state, appeal.outcome_text, appeal.ended_at = AppealState.UPHELD, why, at
        return []

    return _on_the_appeal("uphold", request_id, actor=actor, at=at, prepare=prepare)


def overturn(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    text: str,
    conditions: Sequence[Imposed] = (),
    cleared: Sequence[Mapping[str, Any]] | None = None,
) -> TravelRequest:
    """The appeal reviewer replaces the refusal by a clearance, perhaps with conditions.

    `cleared`: of these places and days only; of the rest the refusal, which two people decided, stays. Invalid without
    reasons, for `cleared` that is no part of the trip or lacks something that is cleared already, and where another
    trip of the applicant holds the days by now.
    """
    why = required(text, "text", _("Give the reasons; the applicant reads them."))

    def prepare(step: Taking) -> Mapping[str, Any]:
        days_are_free(step.request)
        legs = [] if cleared is None else check_cleared(step.request, cleared)
        _takes_nothing_away(step.request, legs)
        assert step.request.open_appeal is not None
        # A copy: the transition still has to find the appeal under review.
        appeal = copy(step.request.open_appeal)
        was = journal.stored(appeal)
        appeal.state, appeal.outcome_text, appeal.ended_at = AppealState.OVERTURNED, why, at
        journal.write([(appeal, was)], [])
        decision = step.add(Decision, outcome=Outcome.APPROVED, text=why, cleared=legs, **step.grounds())
        add_conditions(step, decision, conditions)
        step.data |= {"appeal": str(appeal.pk), "decision": str(decision.pk)} | ({"part": True} if legs else {})
        return {"reviewer_id": user_id_of(actor), "decision_id": decision.pk}

    return move("overturn", request_id, actor=actor, at=at, prepare=prepare)


def _takes_nothing_away(request: TravelRequest, legs: Sequence[Mapping[str, Any]]) -> None:
    """Refuses with Invalid, at `cleared`, a part (`legs`) without all that the decision appealed against cleared."""
    has = request.decision.cleared if legs and request.decision else []
    if not all(any(lies_within(one, leg) for leg in legs) for one in has):
        words = _("An appeal takes nothing away: keep every place and day that the decision has cleared.")
        raise Invalid([Problem("", "cleared", words)])


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _row(model: type[models.Model], appeal: Appeal, actor: Actor, at: datetime, **values: Any) -> models.Model:
    made: models.Model = new(
        model, request_id=appeal.request_id, appeal_id=appeal.pk, at=at, by_id=user_id_of(actor), **values
    )
    return made


def _checked(files: Sequence[File[bytes]]) -> list[tuple[File[bytes], uploads.Upload]]:
    """What the files are by their content. Invalid, at `files`, for one that cannot be kept and for too many."""
    if len(files) > MOST_FILES:
        raise Invalid([Problem("", "files", _("Send at most %(most)d documents.") % {"most": MOST_FILES})])
    checked, found = [], []
    for file in files:
        try:
            checked.append((file, uploads.check(file)))
        except Invalid as wrong:
            name = uploads.clean_name(file.name or "")
            found += [Problem("", "files", f"{name}: {problem.message}") for problem in wrong.problems]
    if found:
        raise Invalid(found)
    return checked


def _documents(
    appeal: Appeal, checked: Sequence[tuple[File[bytes], uploads.Upload]], actor: Actor, at: datetime
) -> list[AppealDocument]:
    made = []
    for file, upload in checked:
        document = AppealDocument(
            request_id=appeal.request_id,
            appeal_id=appeal.pk,
            at=at,
            by_id=user_id_of(actor),
            name=upload.name,
            content_type=upload.content_type,
            size=upload.size,
            sha256=upload.sha256,
        )
        document.file.save(upload.name, file, save=False)
        made.append(document)
    return made


def _digests(documents: Sequence[AppealDocument]) -> dict[str, Any]:
    return {"documents": [one.sha256 for one in documents]} if documents else {}
