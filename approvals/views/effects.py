"""What the lists of today would change about open cases: for the seniors of an office, who may have a case assessed
anew. Worked out when the page is opened; nothing is kept and nothing moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from accounts.roles import Role
from approvals import effects, queries, workflow
from approvals.batches import Difference
from approvals.effects import Direction, Effect
from approvals.states import Tier
from authorities.languages import by_language

PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An open case as the page shows it. `do_url`: where it is assessed anew; empty for who may not, with `why_not`."""

    reference: str
    url: str
    urgent: bool
    tier: Tier
    would_be: Tier
    by_a_person: bool
    entries: Sequence[str]
    since: date | None
    do_url: str
    why_not: str


@require_GET
@login_required
def effects_page(http: ActorRequest) -> HttpResponse:
    """The open cases of the reader's offices that would be assessed otherwise with the lists in force today."""
    if Role.SENIOR not in http.actor.roles:
        raise PermissionDenied
    at = timezone.now()
    found = effects.on_open_cases(http.actor, at=at)
    by: dict[Direction, list[Effect]] = {direction: [] for direction in Direction}
    for one in found:
        by[one.direction].append(one)
    wanted = http.GET.get("tab", "")
    tab = Direction(wanted) if wanted in set(Direction) else next((one for one in Direction if by[one]), Direction.DOWN)
    begin = _place(http.GET.get("from", ""), by[tab])
    shown = by[tab][begin : begin + PAGE]
    # What the rules look at, for the rows of this page alone.
    cases = {case.reference: case for case in queries.chosen(http.actor, [one.reference for one in shown])}
    refusals = {reference: workflow.refusal(case, "reassess", http.actor, at=at) for reference, case in cases.items()}
    following = by[tab][begin + PAGE : begin + PAGE + 1]
    context: dict[str, Any] = {
        "number": len(found),
        "sentence": _sentence(found, by),
        "tab": tab.value,
        "tabs": [
            {"label": label, "url": f"?tab={one}", "count": len(by[one]), "current": one == tab}
            for one, label in (
                (Direction.DOWN, _("Lower tier")),
                (Direction.UP, _("Higher tier")),
                (Direction.SAME, _("Same tier, other entries")),
            )
        ],
        "rows": [_row(one, str(refusals.get(one.reference) or "")) for one in shown],
        "first_url": f"?tab={tab}" if begin else "",
        "next_url": f"?{urlencode({'tab': tab.value, 'from': following[0].reference})}" if following else "",
    }
    return render(http, "approvals/staff/effects.html", context)


def _place(reference: str, found: Sequence[Effect]) -> int:
    """Where the page that begins with this number begins now; 0 when it is not among them any more."""
    return next((place for place, one in enumerate(found) if one.reference == reference), 0)


def _row(one: Effect, why_not: str) -> Row:
    return Row(
        reference=one.reference,
        url=reverse("case", args=[one.reference]),
        urgent=one.urgent,
        tier=one.tier,
        would_be=one.would_be,
        by_a_person=one.by_a_person,
        entries=[in_words(difference) for difference in one.differences],
        since=one.since,
        do_url="" if why_not else reverse("request_do", args=[one.reference, "reassess"]),
        why_not=why_not,
    )


def _sentence(found: Sequence[Effect], by: dict[Direction, list[Effect]]) -> str:
    if not found:
        return _("The lists of today say of every open case what they said when it was assessed.")
    return ngettext(
        "%(number)d open case would be assessed otherwise today: %(down)d lower, %(up)d higher, "
        "%(same)d in the same tier.",
        "%(number)d open cases would be assessed otherwise today: %(down)d lower, %(up)d higher, "
        "%(same)d in the same tier.",
        len(found),
    ) % {"number": len(found), **{direction.value: len(some) for direction, some in by.items()}}


def in_words(one: Difference) -> str:
    """An entry that counts otherwise today, and how, in a line."""
    words = {
        "entry": f"{one.entry.code} {by_language(one.entry.label_zh, one.entry.label_en)}",
        "list": by_language(one.entry.list_zh, one.entry.list_en),
        "before": one.before.level if one.before else 0,
        "after": one.after.level if one.after else 0,
    }
    if one.before is None:
        return _("%(entry)s (%(list)s): new, level %(after)d") % words
    if one.after is None:
        return _("%(entry)s (%(list)s): does not count any more, was level %(before)d") % words
    return _("%(entry)s (%(list)s): level %(before)d → %(after)d") % words
