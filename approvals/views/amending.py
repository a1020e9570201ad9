"""A trip changes after it was submitted: the applicant writes the change part by part, sees what it takes, files it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor
from approvals import amending, workflow
from approvals.forms import applicant as forms
from approvals.forms.amending import ReasonForm
from approvals.models import Amendment, TravelRequest
from approvals.models.amendment import AmendmentState, Part
from approvals.views import parts, sections
from approvals.views.amended import compared, who_looks
from approvals.views.applicant import own_request
from approvals.views.sections import LinkedProblem, SectionPage, Task, has_mistakes
from approvals.views.writing import take_unsent, writer_required

SECTIONS = {
    section.name: section
    for section in (
        sections.ITINERARY,
        SectionPage(
            "change",
            gettext_lazy("The trip"),
            gettext_lazy("What you will do there, and the event. The purpose stays: another purpose is another trip."),
            "approvals/applicant/trip.html",
        ),
        sections.TOPICS,
    )
}
# Which parts of a trip a section writes.
_WRITES = {
    "itinerary": {Part.DATES, Part.PLACES, Part.HOSTS},
    "change": {Part.WORDS, Part.EVENT},
    "topics": {Part.SUBJECTS, Part.PROJECTS, Part.MATERIALS},
}


def _open(http: ActorRequest, reference: str) -> tuple[TravelRequest, str | None, Amendment | None]:
    """The reader's own request, the verb that would file a change to it now, and the change that is being written."""
    request = own_request(http, reference)
    verb = workflow.filing_verb(request, http.actor, at=timezone.now())
    draft = Amendment.objects.filter(request=request, state=AmendmentState.DRAFT).first()
    return request, verb, draft


def _closed(http: ActorRequest, request: TravelRequest) -> HttpResponse:
    """The answer when the trip cannot be changed now."""
    if http.headers.get("HX-Request"):
        return HttpResponse(status=409)
    refused = workflow.refusal(request, "file_amendment", http.actor, at=timezone.now())
    messages.warning(http, str(refused) if refused else _("The trip cannot be changed now."))
    return redirect("request", request.reference)


def _there(request: TravelRequest, draft: Amendment, at: datetime) -> TravelRequest:
    """The trip as it would be, seen when it may be written about: of a report, on the day on which the trip began."""
    return amending.as_if(request, draft.content, typed=draft.typed, at=workflow.seen_at(request, draft, at=at))


# ── the change as a whole ───────────────────────────────────────────────────────────────────────────────────────────


@writer_required
@require_http_methods(["GET", "POST"])
def amendment(http: ActorRequest, reference: str) -> HttpResponse:
    """What can be changed now and what that means; the change that is being written, part by part; filing it."""
    request, verb, draft = _open(http, reference)
    if verb is None:
        return _closed(http, request)
    at = timezone.now()
    then = http.POST.get("then", "")
    form = ReasonForm(http.POST if http.method == "POST" and then == "file" else None)
    if http.method == "POST":
        try:
            if then == "begin":
                workflow.begin_amendment(request.pk, actor=http.actor, at=at)
                return redirect("amendment", request.reference)
            if then == "discard":
                workflow.discard_amendment(request.pk, actor=http.actor, at=at)
                messages.success(http, _("The change was dropped. The trip is as it was."))
                return redirect("request", request.reference)
            if draft is not None and form.is_valid():
                getattr(workflow, verb)(request.pk, actor=http.actor, at=at, reason=form.cleaned_data["reason"])
                messages.success(http, str(_DONE[verb]))
                return redirect("request", request.reference)
        except Invalid as refusal:
            for problem in refusal.problems:
                form.add_error(problem.field if problem.field == "reason" else None, str(problem.message))
        except (NotNow, NotAllowed, NotFound) as refusal:
            messages.warning(http, str(refusal))
            return redirect("request", request.reference)
    context: dict[str, Any] = {"trip": request, "verb": verb, "happens": _HAPPENS[verb], "draft": draft, "form": form}
    if draft is not None:
        context |= _written(request, draft, http.actor, at)
    return render(http, "approvals/amendment/change.html", context, status=422 if form.errors else 200)


_HAPPENS = {
    "amend": gettext_lazy(
        "Your request is not decided yet, so the change becomes part of it at once, as a new revision. Only what it "
        "touches is looked at again, and no time starts anew. Your company and the office are told what changed."
    ),
    "file_amendment": gettext_lazy(
        "Your clearance stays as it is until the office has answered. Only what the change touches is looked at again; "
        "a shift of the dates by some days takes one reviewer. If the change is not accepted, nothing is taken away."
    ),
    "report_change": gettext_lazy(
        "Say what had to change on the way: an illness, a cancelled flight, a longer stay. The office notes it. Nobody "
        "decides on it, and it is not held against you."
    ),
}
_DONE = {
    "amend": gettext_lazy("The change is part of your request. Your company and the office were told."),
    "file_amendment": gettext_lazy("The change is with the office. Your clearance stays as it is meanwhile."),
    "report_change": gettext_lazy("Thank you. What changed is on the file, and the office was told."),
}


def _written(request: TravelRequest, draft: Amendment, actor: Actor, at: datetime) -> dict[str, Any]:
    """The change that is being written: its parts, the trip before and after, what it takes, what is in its way."""
    problems = workflow.amendment_problems(request, draft, at=at)
    mine = {problem.section for problem in problems}
    changed = set(amending.touched(draft.base, draft.content))
    tasks = []
    for name, section in SECTIONS.items():
        if name in draft.typed or name in mine:
            status, tone = _("To be corrected"), "bad"
        elif changed & _WRITES[name]:
            status, tone = _("Changed"), "good"
        else:
            status, tone = _("As it was"), "neutral"
        url = reverse("amendment_section", args=[request.reference, name])
        tasks.append(Task(str(section.label), url, str(section.hint), str(status), tone))
    return {
        "tasks": tasks,
        "problems": [_linked(request, problem) for problem in problems],
        "changes": compared(draft, request),
        "takes": _takes(request, draft, actor, at) if not problems else None,
        "ready": not problems,
        "documents_url": reverse("request_documents", args=[request.reference]),
    }


def _linked(request: TravelRequest, problem: Problem) -> LinkedProblem:
    section = problem.section if problem.section in SECTIONS else "change" if problem.section == "trip" else ""
    url = reverse("amendment_section", args=[request.reference, section]) if section else "#change"
    return LinkedProblem(str(problem.message), url)


@dataclass(frozen=True, slots=True)
class Takes:
    """What a change takes if it is filed now."""

    words: str
    touches: str
    hits: list[Any]


def _takes(request: TravelRequest, draft: Amendment, actor: Actor, at: datetime) -> Takes:
    seen = workflow.outlook(request, draft, at=at)
    return Takes(
        words=who_looks(draft, seen.tier, is_shift=seen.is_shift, is_decided=request.decision_id is not None),
        touches=_(", ").join(str(part.label) for part in seen.touches),
        hits=parts.hits_in_words(seen.new_hits, reader=actor, trip=request),
    )


# ── a part of it ────────────────────────────────────────────────────────────────────────────────────────────────────


@writer_required
@require_http_methods(["GET", "POST"])
def amendment_section(http: ActorRequest, reference: str, section: str) -> HttpResponse:
    """A part of the trip, as it would be. Whatever is sent is kept, valid or as typed, as on the pages of a draft."""
    page = SECTIONS.get(section)
    if page is None:
        raise Http404
    request, verb, draft = _open(http, reference)
    if verb is None:
        return _closed(http, request)
    if draft is None:
        return redirect("amendment", request.reference)
    at = timezone.now()
    if unsent := take_unsent(http):
        _keep(http, request, draft, section, unsent, at)
        messages.success(http, _("What you had typed when your session ended is saved."))
        return redirect("amendment_section", request.reference, section)
    if http.method == "POST":
        return _sent(http, request, draft, page, sections.sent(http, section), at)
    return _show(http, request, page, _opened(http, request, draft, section, at))


def _keep(
    http: ActorRequest,
    request: TravelRequest,
    draft: Amendment,
    section: str,
    data: Mapping[str, list[str]],
    at: datetime,
) -> forms.Section:
    form = forms.section_form(section, data, trip=_there(request, draft, at), find=http.POST.get("find", ""))
    if has_mistakes(form):
        workflow.keep_amendment_as_typed(request.pk, actor=http.actor, at=at, section=section, data=data)
    elif isinstance(form, forms.BaseLegFormSet):
        workflow.save_amendment(request.pk, actor=http.actor, at=at, section=section, legs=form.legs())
    else:
        workflow.save_amendment(request.pk, actor=http.actor, at=at, section=section, values=form.values())
    return form


def _sent(
    http: ActorRequest,
    request: TravelRequest,
    draft: Amendment,
    page: SectionPage,
    data: dict[str, list[str]],
    at: datetime,
) -> HttpResponse:
    then = http.POST.get("then", "")
    here = reverse("amendment_section", args=[request.reference, page.name])
    try:
        form = _keep(http, request, draft, page.name, data, at)
    except (NotNow, NotAllowed, NotFound):
        return _closed(http, request)
    if http.headers.get("HX-Request"):
        return HttpResponse(status=204)
    if back := sections.staying(http, page.name, data, here=here):
        return back
    if then != "later" and has_mistakes(form):
        return _show(http, request, page, form)
    return redirect("amendment", request.reference)


def _opened(http: ActorRequest, request: TravelRequest, draft: Amendment, section: str, at: datetime) -> forms.Section:
    """The section as it was left: as typed and with its mistakes, or as the trip would be."""
    there = _there(request, draft, at)
    kept = draft.typed.get(section)
    data = sections.with_places(http, section, kept or forms.stored(there, section))
    find = http.GET.get("find", "")
    if kept:
        return forms.section_form(section, data, trip=there, find=find)
    return forms.untouched(section, data, trip=there, find=find)


def _show(http: ActorRequest, request: TravelRequest, page: SectionPage, form: forms.Section) -> HttpResponse:
    context = sections.context(http, request, page, form) | {
        "whole_url": reverse("amendment", args=[request.reference]),
        "whole_label": _("Change the trip"),
    }
    return render(http, page.template, context)
