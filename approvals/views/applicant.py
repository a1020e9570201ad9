"""The applicant writes a request: begin, fill in section by section, check, submit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor, Role
from approvals import assessment, queries, references, rules, timekeeping, workflow
from approvals.disclosure import HitWords, PossibleWords
from approvals.forms import applicant as forms
from approvals.models import DraftInput, TravelRequest
from approvals.models.travel_request import Device, Purpose
from approvals.states import EDITABLE, State, Tier
from approvals.views import parts, sections, standing
from approvals.views.reading import company_asks
from approvals.views.request_page import own
from approvals.views.sections import LinkedProblem, SectionPage, Task, has_mistakes
from approvals.views.writing import Bounded, far_too_large, take_unsent, takes_files, writer_required, wrong_with
from employees.models import Employee
from sensitivity import picking

SECTIONS = {
    section.name: section
    for section in (
        SectionPage(
            "trip",
            gettext_lazy("The trip"),
            gettext_lazy("What it is for, and what you will do."),
            "approvals/applicant/trip.html",
        ),
        sections.ITINERARY,
        sections.TOPICS,
        SectionPage(
            "documents",
            gettext_lazy("Documents"),
            gettext_lazy("Invitation, programme, slides, if you have them."),
            "approvals/applicant/documents.html",
        ),
        SectionPage(
            "declarations",
            gettext_lazy("Declarations"),
            gettext_lazy("Last: changing anything afterwards asks you to make them again."),
            "approvals/applicant/declarations.html",
        ),
    )
}
FORM_SECTIONS = frozenset(SECTIONS) - {"documents"}


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def own_request(http: ActorRequest, reference: str) -> TravelRequest:
    """The request with this number if it is the reader's own, as of now; else 404, as if there were none."""
    try:
        found = own(http.actor).filter(reference=references.normalised(reference)).first()
    except references.NotAReference:
        found = None
    if found is None:
        raise Http404(_("There is no such request, or it is not yours to see."))
    return found.as_of(timezone.now())


def _submitted_meanwhile(http: ActorRequest, request: TravelRequest) -> HttpResponse:
    """The answer when somebody wants to write in a request that cannot be written in."""
    if http.headers.get("HX-Request"):
        return HttpResponse(status=409)
    messages.warning(http, _("The request is submitted and cannot be changed now."))
    return redirect("request", request.reference)


# ── begin ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET", "POST"])
def request_new(http: ActorRequest) -> HttpResponse:
    """GET explains how it goes, and asks for which company if there are several; POST begins a draft."""
    at = timezone.now()
    employed = [
        employee
        for employee in Employee.objects.visible_to(http.actor)
        .filter(pk__in=http.actor.scopes(Role.APPLICANT))
        .select_related("company__office")
        if employee.is_employed(at.astimezone(employee.company.office.zone).date())
    ]
    choices = [(str(employee.pk), f"{employee.company.name} · {employee.number}") for employee in employed]
    form = None
    if len(employed) > 1:
        form = forms.EmploymentForm(http.POST if http.method == "POST" else None, employments=choices)
    if http.method == "POST" and employed and (form is None or form.is_valid()):
        chosen = int(form.cleaned_data["employment"]) if form else employed[0].pk
        try:
            request = workflow.start(actor=http.actor, at=at, employee_id=chosen)
        except NotAllowed as refusal:
            messages.error(http, str(refusal))
            return redirect("request_new")
        return redirect("request_edit", request.reference)
    context = {"form": form, "employed": employed}
    return render(http, "approvals/applicant/new.html", context)


# ── the task list ───────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET"])
def request_edit(http: ActorRequest, reference: str) -> HttpResponse:
    """The task list: every section with its state, and what is left to do."""
    request = own_request(http, reference)
    if request.state not in EDITABLE:
        return redirect("request", request.reference)
    at = timezone.now()
    problems = workflow.problems(request, at=at)
    tasks = [_task(request, section, problems) for section in SECTIONS.values()]
    clock = request.running_clocks.get("draft") or request.running_clocks.get("change")
    context = {
        "trip": request,
        "tasks": tasks,
        "ready": not problems,
        "comment": company_asks(request),
        "due_day": standing.last_day(clock.due_at, request) if clock and clock.due_at else None,
    }
    return render(http, "approvals/applicant/edit.html", context)


def _task(request: TravelRequest, section: SectionPage, problems: list[Problem]) -> Task:
    mine = [problem for problem in problems if problem.section == section.name]
    kept = any(draft.section == section.name for draft in request.draft_inputs.all())
    status, tone = _status(request, section.name, mine, kept)
    url = reverse("request_section", args=[request.reference, section.name])
    # Somebody who comes back to what is not right sees at once what it is.
    return Task(
        str(section.label), f"{url}?check=1" if tone == "waiting" else url, str(section.hint), str(status), tone
    )


def _status(request: TravelRequest, name: str, mine: list[Problem], kept: bool) -> tuple[str, str]:
    if kept:
        return _("To be corrected"), "bad"
    begun = {
        "trip": bool(request.title or request.purpose or request.description),
        "itinerary": bool(request.itinerary),
        "topics": bool(request.topics or request.materials or request.devices),
        "documents": bool(request.documents),
        "declarations": bool(request.declarations),
    }[name]
    if mine:
        return (_("Not complete"), "waiting") if begun else (_("To do"), "neutral")
    if not begun:
        return _("Optional"), "neutral"
    if name == "documents":
        count = len(request.documents)
        return ngettext("%(count)d document", "%(count)d documents", count) % {"count": count}, "good"
    return _("Done"), "good"


# ── a section ───────────────────────────────────────────────────────────────────────────────────────────────────────


@writer_required
@require_http_methods(["GET", "POST"])
def request_section(http: ActorRequest, reference: str, section: str) -> HttpResponse:
    """One section. Whatever is sent is saved: what fits into the request there, anything else as it was typed.

    A POST by htmx is an autosave and answers 204. Any other goes on when all is well, and shows the mistakes when not.
    """
    if section not in FORM_SECTIONS:
        raise Http404
    request = own_request(http, reference)
    if request.state not in EDITABLE:
        return _submitted_meanwhile(http, request)
    if unsent := take_unsent(http):
        _keep(http, request, section, unsent)
        messages.success(http, _("What you had typed when your session ended is saved."))
        request = own_request(http, reference)
    if http.method == "POST":
        return _sent(http, request, section, sections.sent(http, section))
    return _show_section(http, request, section, _opened(http, request, section))


def _sent(http: ActorRequest, request: TravelRequest, section: str, data: dict[str, list[str]]) -> HttpResponse:
    then = http.POST.get("then", "")
    here = reverse("request_section", args=[request.reference, section])
    try:
        form = _keep(http, request, section, data)
    except (NotNow, NotAllowed, NotFound):
        return _submitted_meanwhile(http, request)
    if http.headers.get("HX-Request"):
        return HttpResponse(status=204)
    if back := sections.staying(http, section, data, here=here):
        return back
    if then == "later":
        return redirect("request_edit", request.reference)
    if form.is_storable:
        _point_at_problems(http, request, section, form)
    if has_mistakes(form):
        return _show_section(http, request, section, form)
    return _go_on(http, request, section)


def _keep(http: ActorRequest, request: TravelRequest, section: str, data: Mapping[str, list[str]]) -> forms.Section:
    """Save what was sent, in one way or the other; the form over it, with its mistakes."""
    form = forms.section_form(section, data, trip=request)
    at = timezone.now()
    if not form.is_storable:
        workflow.keep_as_typed(request.pk, actor=http.actor, at=at, section=section, data=data)
    elif isinstance(form, forms.BaseLegFormSet):
        workflow.save_section(request.pk, actor=http.actor, at=at, section=section, legs=form.legs())
    else:
        workflow.save_section(request.pk, actor=http.actor, at=at, section=section, values=form.values())
    return form


def _point_at_problems(http: ActorRequest, request: TravelRequest, section: str, form: forms.Section) -> None:
    """Show on the form of a section what stands between the request, as saved, and its submission."""
    saved = queries.in_full(http.actor).get(pk=request.pk)
    problems = workflow.problems(saved, at=timezone.now())
    forms.point_at(form, [problem for problem in problems if problem.section == section])


def _opened(http: ActorRequest, request: TravelRequest, section: str) -> forms.Section:
    """The section as it was left: as typed and with its mistakes, or as saved; with `?check`, also what is missing."""
    kept = DraftInput.objects.filter(request=request, section=section).first()
    data = sections.with_places(http, section, kept.data if kept else forms.stored(request, section))
    find = http.GET.get("find", "")
    if kept:
        return forms.section_form(section, data, trip=request, find=find)
    if "check" not in http.GET:
        return forms.untouched(section, data, trip=request, find=find)
    form = forms.section_form(section, data, trip=request, find=find)
    _point_at_problems(http, request, section, form)
    return form


def _show_section(http: ActorRequest, request: TravelRequest, section: str, form: forms.Section) -> HttpResponse:
    page = SECTIONS[section]
    context = sections.context(http, request, page, form) | {"check": "check" in http.GET}
    return render(http, page.template, context)


def _go_on(http: ActorRequest, request: TravelRequest, section: str) -> HttpResponseRedirect:
    """To the page after this one: the next section, or back to the check where somebody came from it."""
    names = list(SECTIONS)
    place = names.index(section) + 1
    if "check" in http.GET or place == len(names):
        return redirect("request_check", request.reference)
    return redirect("request_section", request.reference, names[place])


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
@takes_files
def request_documents(http: ActorRequest, bounded: Bounded, reference: str) -> HttpResponse:
    """The documents: add several at once, see them, remove them. Each is checked by its content."""
    request = own_request(http, reference)
    writable = EDITABLE | {State.INFORMATION_REQUESTED}
    if request.state not in writable and not workflow.is_being_changed(request, http.actor, at=timezone.now()):
        return _submitted_meanwhile(http, request)
    form = forms.DocumentsForm(http.POST or None)
    if http.method == "POST" and form.is_valid():
        added = _add_documents(http, request, form, bounded)
        if added:
            words = ngettext("%(count)d document was added.", "%(count)d documents were added.", added)
            messages.success(http, words % {"count": added})
        if not form.errors:
            return redirect("request_section", request.reference, "documents")
        request = own_request(http, reference)
    context = {
        "trip": request,
        "section": SECTIONS["documents"],
        "form": form,
        "files": parts.files(request, removable=request.state in EDITABLE),
        "most_megabytes": settings.ATTACHMENT_MAX_BYTES // 1024**2,
        "next_url": reverse("request_section", args=[request.reference, "declarations"])
        if request.state in EDITABLE
        else reverse(
            "request" if request.state == State.INFORMATION_REQUESTED else "amendment", args=[request.reference]
        ),
    }
    return render(http, "approvals/applicant/documents.html", context)


def _add_documents(http: ActorRequest, request: TravelRequest, form: forms.DocumentsForm, bounded: Bounded) -> int:
    """Add what was sent, one by one: what is wrong with one does not keep the others out. How many were added."""
    sent, added = http.FILES.getlist("file"), 0
    if not sent and not bounded.too_large:
        form.add_error("file", _("Choose at least one file."))
    for words in far_too_large(bounded):
        form.add_error("file", words)
    for file in sent:
        try:
            workflow.attach(request.pk, actor=http.actor, at=timezone.now(), file=file, kind=form.cleaned_data["kind"])
            added += 1
        except Invalid as refusal:
            for words in wrong_with(file, refusal):
                form.add_error("file", words)
        except (NotNow, NotAllowed, NotFound) as refusal:
            form.add_error(None, str(refusal))
    return added


@login_required
@require_http_methods(["GET", "POST"])
def attachment_remove(http: ActorRequest, reference: str, attachment_id: UUID) -> HttpResponse:
    """GET asks, POST takes the document out of the draft."""
    request = own_request(http, reference)
    document = next((one for one in request.documents if one.pk == attachment_id), None)
    if document is None:
        raise Http404(_("There is no such document, or it is not yours to see."))
    if http.method == "POST":
        try:
            workflow.remove_attachment(attachment_id, actor=http.actor, at=timezone.now())
        except (NotNow, NotAllowed, NotFound) as refusal:
            messages.warning(http, str(refusal))
            return redirect("request", request.reference)
        messages.success(http, _("%(name)s was removed.") % {"name": document.name})
        return redirect("request_section", request.reference, "documents")
    return render(http, "approvals/applicant/remove.html", {"trip": request, "document": document})


# ── check and submit ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will happen to a request if it is submitted now."""

    first: str
    tier: str
    tier_words: str
    route: str
    office: str
    hits: list[HitWords]
    possible: list[PossibleWords]
    took: str
    company_by: date | None
    decision_by: date
    is_provisional: bool
    in_time: bool


@login_required
@require_http_methods(["GET", "POST"])
def request_check(http: ActorRequest, reference: str) -> HttpResponse:
    """GET: everything that was written, what is missing, what will happen. POST: submit."""
    request = own_request(http, reference)
    if request.state not in EDITABLE:
        return _submitted_meanwhile(http, request)
    at = timezone.now()
    if http.method == "POST":
        try:
            workflow.submit(request.pk, actor=http.actor, at=at)
        except Invalid:
            pass  # what is missing is shown below, read anew
        except (NotNow, NotAllowed, NotFound) as refusal:
            # Not complete is a NotNow too; then the page says what is missing. Anything else happened meanwhile.
            if not workflow.problems(request, at=at):
                messages.warning(http, str(refusal))
                return redirect("request", request.reference)
        else:
            return redirect("request_submitted", request.reference)
    problems = workflow.problems(request, at=at)
    context = {
        "trip": request,
        "groups": _groups(request),
        "problems": [_linked(request, problem) for problem in problems],
        "outlook": _outlook(request, http.actor, at) if request.itinerary and request.purpose else None,
        "files": parts.files(request),
    }
    return render(http, "approvals/applicant/check.html", context)


def _linked(request: TravelRequest, problem: Problem) -> LinkedProblem:
    page = reverse("request_section", args=[request.reference, problem.section])
    if not problem.field:
        anchor = "#legs-form-errors" if problem.section == "itinerary" else ""
    elif problem.field in ("purpose", "topics", "declarations"):
        anchor = f"#id_{problem.field}_0"
    else:
        anchor = f"#id_{problem.field}"
    return LinkedProblem(f"{SECTIONS[problem.section].label}: {problem.message}", f"{page}?check=1{anchor}")


@dataclass(frozen=True, slots=True)
class Group:
    """A section of the check page."""

    label: str
    rows: list[parts.Row]


def _groups(request: TravelRequest) -> list[Group]:
    """Everything that was written, section by section, each with the page on which it is changed."""
    devices, declared = dict(Device.choices), dict(rules.DECLARATIONS)

    def lines(codes: list[str], words: Mapping[str, Any]) -> str:
        return "\n".join(str(words.get(code, code)) for code in codes)

    purpose = str(Purpose(request.purpose).label) if request.purpose else ""
    shown: dict[str, list[tuple[Any, str]]] = {
        "trip": [
            (_("What the trip is for"), request.title),
            (_("Purpose"), purpose),
            (_("What you will do there"), request.description),
            (_("Event"), request.event_name),
            (_("Page of the event"), request.event_url),
        ],
        "itinerary": [(_("Places"), "\n".join(parts.places_in_words(request)))],
        "topics": [
            (_("Subjects"), "\n".join(picking.subjects_in_words(request.topics))),
            (_("Projects"), "\n".join(picking.project_names(request.projects, company_id=request.company_id))),
            (_("Materials carried"), request.materials),
            (_("Devices carried"), lines(request.devices, devices)),
        ],
        "documents": [(_("Documents"), "\n".join(document.name for document in request.documents))],
        "declarations": [(_("Declarations"), lines(request.declarations, declared))],
    }
    groups = []
    for section in SECTIONS.values():
        url = f"{reverse('request_section', args=[request.reference, section.name])}?check=1"
        rows = [parts.Row(label, value, url) for label, value in shown[section.name]]
        groups.append(Group(str(section.label), rows))
    return groups


def _outlook(request: TravelRequest, actor: Actor, at: datetime) -> Outlook:
    answers = queries.match_answers(request.pk) if request.revision_number else {}
    finding = assessment.assess(request, on=request.today, answers=answers)
    days = timekeeping.forecast(request, tier=finding.tier, at=at)
    departs_on = min(leg.arrives_on for leg in request.itinerary)
    words = {"company": request.company.name, "office": request.office.name}
    first = (
        _("It is urgent: it goes to %(office)s at once.") % words
        if request.urgent
        else _("A compliance officer of %(company)s looks at it first, then %(office)s.") % words
    )
    return Outlook(
        first=first,
        tier=finding.tier,
        tier_words=str(Tier(finding.tier).label),
        route=parts.route_in_words(finding.tier),
        office=request.office.name,
        hits=parts.hits_in_words(finding.hits, reader=actor, trip=request),
        possible=parts.possible_in_words(finding.possible, reader=actor, trip=request),
        took=parts.took_in_words(finding.took_us),
        company_by=days.company_by,
        decision_by=days.decision_by,
        is_provisional=days.is_provisional,
        in_time=days.decision_by < departs_on,
    )


@login_required
@require_http_methods(["GET"])
def request_submitted(http: ActorRequest, reference: str) -> HttpResponse:
    """The receipt: number, when it was received, what happens next, by when, who."""
    request = own_request(http, reference)
    if request.submitted_at is None:
        return redirect("request_edit", request.reference)
    if request.revision is None or request.assessment is None:
        raise Http404
    received = request.revision.at
    forecast = timekeeping.forecast(request, tier=request.tier, at=received)
    context = {
        "trip": request,
        "received": timezone.localtime(received, request.zone),
        "company_by": forecast.company_by,
        "decision_by": forecast.decision_by,
        "is_provisional": forecast.is_provisional,
        "in_time": request.departs_on is not None and forecast.decision_by < request.departs_on,
        "departs": date_format(request.departs_on, "DATE_FORMAT") if request.departs_on else "",
    }
    return render(http, "approvals/applicant/submitted.html", context)
