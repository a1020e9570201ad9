"""Conditions on pages: the list with what became of each, and the page on which one is reported as met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid
from accounts.roles import Actor, Role
from approvals import workflow
from approvals.models import ConditionStep, ItemDraft, TravelRequest
from approvals.models.conditions import ConditionNow, ConditionState, conditions_now
from approvals.models.information import Item
from approvals.states import WITH_CONDITIONS
from approvals.views import parts, standing
from approvals.views.items import ItemPage, item_page
from approvals.views.reading import open_request
from approvals.views.writing import Bounded, takes_files
from approvals.workflow.conditions import condition_key, days_left, open_to

# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StepWords:
    """One thing that happened about a condition."""

    at: datetime
    who: str
    words: str
    text: str
    new_text: str
    due_on: date | None
    files: tuple[parts.File, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Something that the reader can do about a condition."""

    label: str
    url: str
    is_main: bool


@dataclass(frozen=True, slots=True)
class ConditionWords:
    """A condition as `approvals/parts/conditions.html` shows it. `left`: days until its day; negative: overdue."""

    id: UUID
    text: str
    owner: str
    due_on: date | None
    left: int | None
    needs_evidence: bool
    state: str
    state_words: str
    tone: str
    shape: str
    ways: tuple[Way, ...]
    steps: tuple[StepWords, ...]


_LOOKS = {
    ConditionState.OPEN: ("waiting", "half"),
    ConditionState.REPORTED: ("info", "half"),
    ConditionState.CANNOT_COMPLY: ("waiting", "question"),
    ConditionState.RELEASED: ("good", "check"),
}


def conditions_in_words(request: TravelRequest, actor: Actor, at: datetime) -> list[ConditionWords]:
    """The conditions in force with everything that became of them, and what `actor` can do.

    No query for a request without conditions. Those of before conditions had days have no state.
    """
    found, rows = standing.history(request), standing.conditions_in_force(request)
    if not rows:
        return []
    request.as_of(at)
    steps = [step for step in found.condition_steps if step.condition_id in {row.pk for row in rows}]
    deeds = {step.pk: (step.by_id, _role_of(found, step), step.at) for step in steps}
    who = standing.people(request, deeds.values(), actor)
    documents = {str(document.pk): document for document in request.documents}
    ways = _ways(request, actor)

    def said(step: ConditionStep) -> StepWords:
        return StepWords(
            at=step.at,
            who=who[deeds[step.pk]],
            words=str(step.get_kind_display()),
            text=step.text,
            new_text=step.new_text,
            due_on=step.due_on if step.kind == ConditionStep.Kind.CHANGED else None,
            files=tuple(
                parts.file_of(request, documents[one["id"]]) for one in step.documents if one["id"] in documents
            ),
        )

    return [
        _words(one, request, ways.get(one.condition.pk, ()), tuple(map(said, one.steps)))
        for one in conditions_now(rows, steps)
    ]


def _words(
    one: ConditionNow, request: TravelRequest, ways: Iterable[Way], steps: tuple[StepWords, ...]
) -> ConditionWords:
    is_followed = one.condition.due_on is not None and request.state in WITH_CONDITIONS
    state = one.state
    tone, shape = _LOOKS[state]
    left = days_left(one, request) if is_followed and state == ConditionState.OPEN else None
    words = str(state.label)
    if left is not None and left < 0:
        tone, shape, words = "bad", "warning", _("Overdue")
    return ConditionWords(
        id=one.condition.pk,
        text=one.text,
        owner=str(one.condition.get_owner_display()),
        due_on=one.due_on,
        left=left,
        needs_evidence=one.condition.needs_evidence,
        state=str(state) if is_followed else "",
        state_words=words if is_followed else "",
        tone=tone,
        shape=shape,
        ways=tuple(ways),
        steps=steps,
    )


def _role_of(found: standing.History, step: ConditionStep) -> str:
    entry = next((entry for entry in found.log if entry.data.get("step") == str(step.pk)), None)
    return entry.actor_role if entry else str(Role.APPLICANT)


def _ways(request: TravelRequest, actor: Actor) -> Mapping[UUID, list[Way]]:
    """What `actor` can do about each condition."""
    labels = {
        "report_condition": _("Report as met"),
        "cannot_comply": _("Cannot be met"),
        "answer_condition": pgettext("condition", "Answer"),
        "release_condition": _("Release"),
        "send_back_condition": _("Send back"),
    }
    ways: dict[UUID, list[Way]] = {}
    for verb, label in labels.items():
        if request.open_conditions == 0:
            break
        for one in open_to(verb, request, actor):
            pk = one.condition.pk
            if verb == "report_condition":
                url = reverse("condition", args=[request.reference, pk])
            else:
                url = f"{reverse('request_do', args=[request.reference, verb])}?{urlencode({'condition': pk})}"
            is_main = verb in ("report_condition", "answer_condition") or (
                verb == "release_condition" and one.state == ConditionState.REPORTED
            )
            ways.setdefault(pk, []).append(Way(label, url, is_main))
    return ways


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_GET
def conditions_page(http: ActorRequest, reference: str) -> HttpResponse:
    """The conditions of a clearance: where each is, what happened, what the reader can do about it."""
    at = timezone.now()
    request = open_request(http, reference, page="conditions", at=at)
    context = {"trip": request, "conditions": conditions_in_words(request, http.actor, at)}
    return render(http, "approvals/conditions.html", context)


@require_http_methods(["GET", "POST"])
@takes_files
def condition_page(http: ActorRequest, bounded: Bounded, reference: str, condition_id: UUID) -> HttpResponse:
    """One condition, for who owes it: what was done, and the documents that show it; kept until it is reported."""
    at = timezone.now()
    request = open_request(http, reference, page="condition", at=at)
    shown = next((one for one in conditions_in_words(request, http.actor, at) if one.id == condition_id), None)
    if shown is None:
        raise Http404(_("There is no such condition."))
    if condition_id not in {one.condition.pk for one in open_to("report_condition", request, http.actor)}:
        if http.headers.get("HX-Request"):
            return HttpResponse(status=409)
        messages.warning(http, _("This condition does not wait for a report from you."))
        return redirect("conditions", request.reference)

    def report(kept: ItemDraft) -> HttpResponse | str:
        try:
            workflow.report_condition(request.pk, actor=http.actor, at=timezone.now(), condition=condition_id)
        except Invalid as refusal:
            return " ".join(str(problem.message) for problem in refusal.problems)
        messages.success(http, _("Reported. The office looks at it."))
        return redirect("conditions", request.reference)

    page = ItemPage(
        key=condition_key(condition_id),
        item=Item(question=shown.text),
        title=_("Report a condition as met"),
        later_url=reverse("conditions", args=[request.reference]),
        later_label=_("Conditions"),
        go_on_label=_("Report it as met"),
        finish=report,
        template="approvals/condition.html",
        text_label=_("What was done"),
        may_refuse=False,
        context={"condition": shown},
    )
    return item_page(http, request, page, bounded)
