"""The applicant answers what the office asked: a list of the items, a page for each, a check, and then all at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import queries, workflow
from approvals.models import InformationRequest, ItemDraft, TravelRequest
from approvals.models.information import ItemKind
from approvals.states import State
from approvals.views import standing
from approvals.views.items import ItemPage, files_of, item_page
from approvals.views.parts import File
from approvals.views.reading import open_request
from approvals.views.sections import Task
from approvals.views.writing import Bounded, takes_files
from approvals.workflow.information import Answer, answer_key, answer_problem, answers_so_far


def _asked(http: ActorRequest, reference: str) -> tuple[TravelRequest, InformationRequest]:
    """The request, and what the office waits for; Http404 for everybody but the applicant."""
    request = open_request(http, reference, page="answer")
    asked = queries.latest_question(request)
    if asked is None or not http.actor.holds(Role.APPLICANT, request.applicant_id):
        raise Http404(_("There is no such request, or it is not yours to see."))
    return request, asked


def _over(http: ActorRequest, request: TravelRequest) -> HttpResponse:
    """The answer when the office does not wait any more."""
    if http.headers.get("HX-Request"):
        return HttpResponse(status=409)
    messages.warning(http, _("The office does not wait for an answer now."))
    return redirect("request", request.reference)


def _item_url(request: TravelRequest, place: int) -> str:
    return reverse("answer_item", args=[request.reference, place + 1])


def _task(request: TravelRequest, asked: InformationRequest, place: int, given: Answer) -> Task:
    item = asked.questions[place]
    label = Truncator(item.question).chars(160)
    url, hint = _item_url(request, place), str(ItemKind(item.kind).label)
    if given.cannot.strip():
        return Task(label, url, hint, _("Cannot be given"), "info")
    if not answer_problem(item, given):
        return Task(label, url, hint, _("Answered"), "good")
    if given.text.strip() or given.documents:
        return Task(label, url, hint, _("Not complete"), "waiting")
    return Task(label, url, hint, _("To do"), "neutral")


@login_required
@require_http_methods(["GET"])
def answer_list(http: ActorRequest, reference: str) -> HttpResponse:
    """Everything that the office asked, what is answered so far, and by when."""
    request, asked = _asked(http, reference)
    if request.state != State.INFORMATION_REQUESTED:
        return _over(http, request)
    so_far = answers_so_far(request, asked)
    tasks = [_task(request, asked, place, given) for place, given in enumerate(so_far)]
    done = sum(not answer_problem(item, given) for item, given in zip(asked.questions, so_far, strict=True))
    context = {
        "trip": request,
        "asked": asked,
        "tasks": tasks,
        "done": done,
        "count": len(tasks),
        "ready": done == len(tasks),
    }
    return render(http, "approvals/applicant/answer.html", context)


@require_http_methods(["GET", "POST"])
@takes_files
def answer_item(http: ActorRequest, bounded: Bounded, reference: str, number: int) -> HttpResponse:
    """One item (from 1). Whatever is typed is saved; documents are added one by one, checked by their content."""
    request, asked = _asked(http, reference)
    if request.state != State.INFORMATION_REQUESTED:
        return _over(http, request)
    place = number - 1
    if not 0 <= place < len(asked.items):
        raise Http404(_("There is no such item."))
    item = asked.questions[place]

    def go_on(kept: ItemDraft) -> HttpResponse | str:
        given = Answer(text=kept.text, cannot=kept.cannot, documents=kept.documents)
        if problem := answer_problem(item, given):
            return problem
        so_far = answers_so_far(request, asked)
        order = [*range(place + 1, len(so_far)), *range(place)]
        missing = (one for one in order if answer_problem(asked.questions[one], so_far[one]))
        after = next(missing, None)
        return redirect("answer_check", request.reference) if after is None else redirect(_item_url(request, after))

    page = ItemPage(
        key=answer_key(asked, place),
        item=item,
        title=_("Item %(number)d of %(count)d") % {"number": number, "count": len(asked.items)},
        later_url=reverse("answer", args=[request.reference]),
        later_label=_("Answer the office"),
        go_on_label=_("Save and go on"),
        finish=go_on,
        template="approvals/applicant/answer_item.html",
        text_label=_("Your answer"),
        with_files=item.kind != ItemKind.CHOICE,
        context={"asked": asked, "item": item},
    )
    return item_page(http, request, page, bounded)


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer on the check page."""

    question: str
    given: str
    cannot: str
    files: list[File]
    url: str
    problem: str


@login_required
@require_http_methods(["GET", "POST"])
def answer_check(http: ActorRequest, reference: str) -> HttpResponse:
    """GET: all answers as the office will read them, and what is missing. POST: send them, all at once."""
    request, asked = _asked(http, reference)
    if request.state != State.INFORMATION_REQUESTED:
        return _over(http, request)
    if http.method == "POST":
        try:
            workflow.answer(request.pk, actor=http.actor, at=timezone.now())
        except Invalid:
            pass  # what is missing is shown below, read anew
        except NotFound as refusal:
            raise Http404(str(refusal)) from refusal
        except (NotNow, NotAllowed) as refusal:
            messages.warning(http, str(refusal))
            return redirect("request", request.reference)
        else:
            messages.success(http, _("Your answers are with the office; its time runs again."))
            return redirect("request", request.reference)
    rows = [
        Checked(
            question=item.question,
            given="" if given.cannot.strip() else given.text,
            cannot=given.cannot.strip(),
            files=[] if given.cannot.strip() else files_of(request, [str(one) for one in given.documents]),
            url=_item_url(request, place),
            problem=answer_problem(item, given),
        )
        for place, (item, given) in enumerate(zip(asked.questions, answers_so_far(request, asked), strict=True))
    ]
    context = {
        "trip": request,
        "asked": asked,
        "rows": rows,
        "problems": [row for row in rows if row.problem],
        "decision_left": _decision_left(request),
    }
    return render(http, "approvals/applicant/answer_check.html", context, status=422 if http.method == "POST" else 200)


def _decision_left(request: TravelRequest) -> int | None:
    """How many working days the office has left when it is answered; None when its clock does not stand still."""
    clock = next((one for one in standing.arithmetic(request, request.now) if one.kind == "decision"), None)
    return clock.remaining if clock and clock.is_stopped else None
