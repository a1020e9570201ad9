"""The trip is written section by section, in a new request and in a change to one: what both ways do alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from accounts.http import ActorRequest
from approvals import rules
from approvals.forms import applicant as forms
from approvals.models import TravelRequest


@dataclass(frozen=True, slots=True)
class SectionPage:
    """A section of the form as a page."""

    name: str
    label: Any
    hint: Any
    template: str


ITINERARY = SectionPage(
    "itinerary",
    gettext_lazy("Itinerary"),
    gettext_lazy("Where you go, from when to when, and to whom."),
    "approvals/applicant/itinerary.html",
)
TOPICS = SectionPage(
    "topics",
    gettext_lazy("Topics and materials"),
    gettext_lazy("What you speak about, and what you carry."),
    "approvals/applicant/topics.html",
)


@dataclass(frozen=True, slots=True)
class Task:
    """A part of something that is filled in over time, as `components/task_list.html` shows it."""

    label: str
    url: str
    hint: str
    status: str
    tone: str


@dataclass(frozen=True, slots=True)
class LinkedProblem:
    """Something to mend, and the page and field where it is mended."""

    words: str
    url: str


def has_mistakes(form: forms.Section) -> bool:
    """Whether something in the section is not right."""
    if isinstance(form, forms.BaseLegFormSet):
        return bool(form.non_form_errors()) or any(one.errors for one in form.forms)
    return bool(form.errors)


def sent(http: ActorRequest, section: str) -> dict[str, list[str]]:
    """What was sent of a section, without the place that was to be taken out of the itinerary."""
    data, then = forms.typed(http.POST), http.POST.get("then", "")
    if section == "itinerary" and then.startswith("remove-") and then[7:].isascii() and then[7:].isdigit():
        return forms.without_place(data, int(then[7:]))
    return data


def staying(http: ActorRequest, section: str, data: forms.Typed, *, here: str) -> HttpResponseRedirect | None:
    """Back to the section at `here` after its `data` was saved, with a place more or less or with what was searched
    for; None when it was sent to go on."""
    then = http.POST.get("then", "")
    if section == "itinerary" and then == "add":
        count = min(forms.places(data) + 1, rules.MAX_LEGS)
        return redirect(f"{here}?places={count}#id_{forms.LEGS}-{count - 1}-country")
    if section == "itinerary" and then.startswith("remove-"):
        return redirect(f"{here}?places={max(forms.places(data), 1)}")
    if section == "topics" and then == "find":
        check = {"check": "1"} if "check" in http.GET else {}
        return redirect(f"{here}?{urlencode(check | {'find': http.POST.get('find', '')})}#div_id_topics")
    return None


def with_places(http: ActorRequest, section: str, data: forms.Typed) -> forms.Typed:
    """The data of a section to be shown; of the itinerary, with as many places as the address asks for."""
    if section != "itinerary":
        return data
    wanted = http.GET.get("places", "")
    count = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 3 else 0
    return forms.with_places(data, max(count, 1))


def context(http: ActorRequest, request: TravelRequest, page: SectionPage, form: forms.Section) -> dict[str, Any]:
    """What the template of a section shows (`approvals/applicant/section.html` and those that extend it)."""
    # A form and several forms are asked for their mistakes in different ways.
    several = isinstance(form, forms.BaseLegFormSet)
    return {
        "trip": request,
        "section": page,
        "form": None if several else form,
        "places": form if several else None,
        "has_mistakes": form.is_bound and has_mistakes(form),
        "most_places": rules.MAX_LEGS,
        "find": http.GET.get("find", ""),
    }
