"""Appeals as pages show them: one appeal with all that was said and brought, its documents, and figures of appeals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Actor, Role
from approvals import queries
from approvals.models import Appeal, AppealDocument, AppealStatement, HearingNote, TravelRequest
from approvals.models.appeal import OPEN_APPEAL, AppealState
from approvals.views import standing
from approvals.views.parts import File
from approvals.views.reading import open_request
from authorities.terms import ClockKind
from interface.downloads import to_be_saved

TONES = {
    AppealState.FILED: ("waiting", "clock"),
    AppealState.IN_REVIEW: ("info", "search"),
    AppealState.UPHELD: ("neutral", "dot"),
    AppealState.OVERTURNED: ("good", "check"),
    AppealState.WITHDRAWN: ("neutral", "undo"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said while an appeal was heard: a hearing note, a question, an answer, a comment."""

    kind: str
    at: datetime
    who: str
    text: str
    held_on: date | None = None
    heard: str = ""
    answer_until: date | None = None


@dataclass(frozen=True, slots=True)
class AppealWords:
    """One appeal: where it is, with whom, since when, by when, and everything that belongs to it."""

    state: str
    tone: str
    shape: str
    office: str
    number: str
    filed_at: datetime
    due_on: date | None
    ended_at: datetime | None
    text: str
    outcome: str
    said: tuple[Said, ...]
    files: tuple[File, ...]
    is_open: bool


def appeals_of(request: TravelRequest, actor: Actor) -> list[AppealWords]:
    """The appeals of `request`, the latest first; none for the company, which is told what came of them.

    Without an appeal no query; else one for the notes, the statements, the documents each, and two for the people.
    """
    rows = list(request.appeals.all())
    if not rows or standing.reads_as_company(request, actor):
        return []
    return [_in_words(one, request, actor) for one in reversed(rows)]


def _in_words(appeal: Appeal, request: TravelRequest, actor: Actor) -> AppealWords:
    clock = request.running_clocks.get(ClockKind.APPEAL)
    is_open = appeal.state in OPEN_APPEAL
    tone, shape = TONES[AppealState(appeal.state)]
    return AppealWords(
        state=str(appeal.get_state_display()),
        tone=tone,
        shape=shape,
        office=appeal.office.name,
        number=queries.number_of(appeal.heard_by_id, appeal.office_id) if appeal.heard_by_id else "",
        filed_at=appeal.filed_at,
        due_on=standing.last_day(clock.due_at, request) if is_open and clock and clock.due_at else None,
        ended_at=appeal.ended_at,
        text=appeal.text,
        outcome=appeal.outcome_text,
        said=tuple(_said(appeal, request, actor)),
        files=tuple(_file(one, request) for one in appeal.documents.all()),
        is_open=is_open,
    )


def _said(appeal: Appeal, request: TravelRequest, actor: Actor) -> list[Said]:
    notes, statements = list(appeal.notes.all()), list(appeal.statements.all())
    rows: list[HearingNote | AppealStatement] = [*notes, *statements]
    deeds: dict[UUID, standing.Deed] = {one.pk: (one.by_id, str(_role_of(one)), one.at) for one in rows}
    who = standing.people(request, deeds.values(), actor)
    found = [
        Said(_("Hearing"), one.at, who[deeds[one.pk]], one.text, held_on=one.held_on, heard=one.heard) for one in notes
    ]
    found += [
        Said(
            str(one.get_kind_display()),
            one.at,
            who[deeds[one.pk]],
            one.text,
            answer_until=standing.last_day(one.answer_until, request) if one.answer_until else None,
        )
        for one in statements
    ]
    return sorted(found, key=lambda one: one.at)


def _role_of(row: HearingNote | AppealStatement) -> Role:
    by_reviewer = isinstance(row, HearingNote) or row.kind == AppealStatement.Kind.QUESTION
    return Role.APPEAL_REVIEWER if by_reviewer else Role.APPLICANT


def _file(document: AppealDocument, request: TravelRequest) -> File:
    mine = document.by_id == request.applicant_user_id
    return File(
        name=document.name,
        url=reverse("appeal_document", args=[request.reference, document.pk]),
        size=document.size,
        kind=_("From the applicant") if mine else _("From the appeal reviewer"),
        added=document.at,
    )


@login_required
@require_GET
def appeal_document(http: ActorRequest, reference: str, document_id: UUID) -> HttpResponseBase:
    """A document of an appeal, to be saved and never shown by the browser. 404 for the company, and for everybody who
    does not see the request. Who is not the applicant leaves an entry in the access log."""
    request = open_request(http, reference, page="appeal_document")
    found = AppealDocument.objects.filter(pk=document_id, request=request.pk).first()
    if found is None or standing.reads_as_company(request, http.actor):
        raise Http404(_("There is no such document, or it is not yours to see."))
    return to_be_saved(found.file.open("rb"), name=found.name, content_type=found.content_type)


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SEES_FIGURES = frozenset({Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR})


@login_required
@require_GET
def appeal_figures(http: ActorRequest) -> HttpResponse:
    """Appeals by the office that decided and the quarter of the filing. Seniors, heads and appeal reviewers: of the
    offices whose cases they decide or hear; auditors and administrators: of all. 403 for everybody else."""
    if not http.actor.roles & SEES_FIGURES:
        raise PermissionDenied(_("Only senior reviewers, appeal reviewers and auditors see the figures of appeals."))
    return render(http, "approvals/appeals.html", {"tables": queries.appeal_figures(http.actor, at=timezone.now())})
