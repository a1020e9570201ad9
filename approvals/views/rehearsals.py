"""The rehearsals of a version of a list: its history, the start of another, and what came of one.

For list managers and auditors, like the lists. A request stands here with its number and nothing else of it; the number
is a link only for somebody who may see that request in another role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotNow
from accounts.roles import Actor
from approvals import batches, queries, rehearsal
from approvals.forms.rehearsals import StartForm
from approvals.rehearsal import Tiers
from approvals.states import Tier
from authorities.models import Office
from interface.charts import Bar
from jobs.models import Job
from jobs.views import progress
from sensitivity.models import ListVersion, Rehearsal, RehearsedChange, VersionState
from sensitivity.views.reading import may_write, must_write, open_version, versions_for

# Requests with another tier, on a page.
PAGE = 50


# ── the history, and the start of another ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Shown:
    """A rehearsal in the history: what came of it in a sentence, and how it stands."""

    rehearsal: Rehearsal
    words: str
    is_current: bool
    is_running: bool
    failed: str


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rehearsals(http: ActorRequest, list_id: int, number: int) -> HttpResponse:
    """Every rehearsal of a version, the newest first; a list manager starts another while it is not published."""
    version = open_version(http, list_id, number)
    form = StartForm(http.POST if http.method == "POST" else None)
    if http.method == "POST":
        must_write(http)
        if form.is_valid():
            try:
                run = rehearsal.start(version.pk, actor=http.actor, at=timezone.now(), days=form.cleaned_data["days"])
            except (Invalid, NotNow, NotAllowed) as refused:
                form.add_error(None, str(refused))
            else:
                return redirect("list_rehearsal", run.pk)
    runs = version.rehearsals.select_related("by", "job", "version")
    shown = [_shown(run, version) for run in runs]
    context = {
        "list": version.list,
        "version": version,
        "form": form,
        "may_start": may_write(http) and version.state in (VersionState.DRAFT, VersionState.IN_REVIEW),
        "runs": shown,
        "is_rehearsed": any(one.is_current for one in shown),
        "is_open": version.state in (VersionState.DRAFT, VersionState.IN_REVIEW),
    }
    return render(http, "approvals/rehearsals.html", context)


def _shown(run: Rehearsal, version: ListVersion) -> Shown:
    return Shown(
        rehearsal=run,
        words=sentence(run) if run.finished_at else "",
        is_current=run.finished_at is not None and run.content == version.content,
        is_running=_is_running(run),
        failed=_failed(run),
    )


def _is_running(run: Rehearsal) -> bool:
    return run.finished_at is None and run.job is not None and not run.job.is_over


def _failed(run: Rehearsal) -> str:
    if run.finished_at is not None or _is_running(run):
        return ""
    return (run.job.sentence if run.job else "") or _("It did not come to an end.")


# ── one rehearsal ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the table of tiers. `url`: those requests; empty where nothing changes."""

    label: str
    number: int
    url: str = ""
    is_current: bool = False
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """What the draft would mean for one office."""

    name: str
    requests: int
    up: int
    down: int
    days_before: str
    days_after: str
    more: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A request with another tier, and the entries that make it so. `url`: empty for who may not see the request."""

    reference: str
    before: Tier
    after: Tier
    entries: Sequence[str]
    url_is_open: bool


@require_GET
@login_required
def rehearsal_page(http: ActorRequest, pk: int) -> HttpResponse:
    """What came of a rehearsal, or how far it has come."""
    run = Rehearsal.objects.select_related("by", "job").filter(pk=pk, version__in=versions_for(http.actor)).first()
    if run is None:
        raise Http404(_("There is no such rehearsal."))
    version = versions_for(http.actor).get(pk=run.version_id)
    context: dict[str, Any] = {
        "list": version.list,
        "version": version,
        "run": run,
        "is_open": version.state in (VersionState.DRAFT, VersionState.IN_REVIEW),
        "may_start": may_write(http),
        "changes_since": version.content - run.content,
        "failed": _failed(run),
    }
    if run.finished_at is None:
        context["progress"] = progress(run.job) if run.job and run.job.state != Job.State.FAILED else None
        return render(http, "approvals/rehearsal.html", context)
    tiers: Tiers = run.result.get("tiers", {})
    chosen = _chosen(http.GET)
    context |= {
        "sentence": f"{sentence(run)} {cost_in_words(run)}" if run.requests else sentence(run),
        "open_matches": run.result.get("open_matches"),
        "rows": _matrix(tiers, chosen),
        "tiers": list(Tier),
        "totals": [sum(row.get(tier, 0) for row in tiers.values()) for tier in Tier],
        "moves": [
            Bar(f"{before.label} → {after.label}", number, "waiting" if batches.is_higher(after, before) else "good")
            for (before, after), number in rehearsal.moves(tiers).items()
        ],
        "offices": _offices(run),
        "weights": [Bar(Tier(tier).label, days) for tier, days in run.result.get("reviewer_days", {}).items()],
        **_changes(run, http, chosen),
    }
    return render(http, "approvals/rehearsal.html", context)


def up_and_down(tiers: Tiers) -> tuple[int, int]:
    """How many requests go to a higher tier, and how many to a lower one."""
    moves = rehearsal.moves(tiers)
    up = sum(number for (before, after), number in moves.items() if batches.is_higher(after, before))
    return up, sum(moves.values()) - up


def sentence(run: Rehearsal) -> str:
    """What came of a finished rehearsal, in a sentence."""
    up, down = up_and_down(run.result.get("tiers", {}))
    values = {
        "requests": number_format(run.requests),
        "days": run.days,
        "changed": number_format(run.changed),
        "up": number_format(up),
        "down": number_format(down),
    }
    if not run.requests:
        return _("No request was submitted in the last %(days)s days, so nothing would have changed.") % values
    if not run.changed:
        words = ngettext(
            "Of %(requests)s request of the last %(days)s days, none would change tier.",
            "Of %(requests)s requests of the last %(days)s days, none would change tier.",
            run.requests,
        )
    else:
        words = ngettext(
            "Of %(requests)s request of the last %(days)s days, %(changed)s would change tier: "
            "%(up)s up, %(down)s down.",
            "Of %(requests)s requests of the last %(days)s days, %(changed)s would change tier: "
            "%(up)s up, %(down)s down.",
            run.requests,
        )
    return words % values


def cost_in_words(run: Rehearsal) -> str:
    """What a finished rehearsal says of the offices' work."""
    more = round(run.result["days_after"] - run.result["days_before"], 2)
    if not more:
        return _("It would cost the offices as many reviewer-days as today.")
    words = (
        ngettext(
            "It would cost the offices %(days)s reviewer-day more.",
            "It would cost the offices %(days)s reviewer-days more.",
            1 if more == 1 else 2,
        )
        if more > 0
        else ngettext(
            "It would save the offices %(days)s reviewer-day.",
            "It would save the offices %(days)s reviewer-days.",
            1 if more == -1 else 2,
        )
    )
    return words % {"days": _days(abs(more))}


def _days(days: float) -> str:
    return str(number_format(days, decimal_pos=1 if round(days, 1) == round(days, 2) else 2))


def _signed(days: float) -> str:
    return _days(0) if not round(days, 2) else f"{'+' if days > 0 else '−'}{_days(abs(days))}"


def _chosen(params: Mapping[str, str]) -> tuple[str, str] | None:
    """The move that the address asks for; None: all of them."""
    before, after = params.get("before", ""), params.get("after", "")
    return (before, after) if {before, after} <= set(Tier) else None


def _matrix(tiers: Tiers, chosen: tuple[str, str] | None) -> list[dict[str, Any]]:
    """A row for each tier that requests have without the draft."""
    return [
        {
            "tier": before,
            "cells": [
                Cell(
                    label=str(after.label),
                    number=(number := tiers.get(before, {}).get(after, 0)),
                    url=f"?{urlencode({'before': before.value, 'after': after.value})}#changes"
                    if number and before != after
                    else "",
                    is_current=chosen == (before, after),
                    is_same=before == after,
                )
                for after in Tier
            ],
            "total": total,
        }
        for before in Tier
        if (total := sum(tiers.get(before, {}).values()))
    ]


def _offices(run: Rehearsal) -> list[OfficeRow]:
    found_in: Mapping[str, Any] = run.result.get("offices", {})
    named = {office.code: office.name for office in Office.objects.filter(code__in=found_in)}
    found = []
    for code, result in found_in.items():
        up, down = up_and_down(result["tiers"])
        found.append(
            OfficeRow(
                name=named.get(code, code),
                requests=sum(sum(row.values()) for row in result["tiers"].values()),
                up=up,
                down=down,
                days_before=_days(result["days_before"]),
                days_after=_days(result["days_after"]),
                more=_signed(result["days_after"] - result["days_before"]),
            )
        )
    return found


def _changes(run: Rehearsal, http: ActorRequest, chosen: tuple[str, str] | None) -> dict[str, Any]:
    changes = run.changes.all()
    query: dict[str, str] = {}
    if chosen:
        changes = changes.filter(tier_before=chosen[0], tier_after=chosen[1])
        query = {"before": chosen[0], "after": chosen[1]}
    begin = http.GET.get("from", "")
    if begin.isascii() and begin.isdigit() and len(begin) < 19:
        changes = changes.filter(pk__gt=int(begin))
    found = list(changes[: PAGE + 1])
    shown = found[:PAGE]
    open_to_me = _open_to(http.actor, shown)
    more = {**query, "from": str(shown[-1].pk)} if len(found) > PAGE else None
    return {
        "changes": [
            ChangeRow(
                reference=one.reference,
                before=Tier(one.tier_before),
                after=Tier(one.tier_after),
                entries=[entry_in_words(entry) for entry in one.codes],
                url_is_open=one.reference in open_to_me,
            )
            for one in shown
        ],
        "chosen": (Tier(chosen[0]).label, Tier(chosen[1]).label) if chosen else None,
        "first_url": f"?{urlencode(query)}#changes" if begin else "",
        "next_url": f"?{urlencode(more)}#changes" if more else "",
    }


def _open_to(actor: Actor, changes: Sequence[RehearsedChange]) -> set[str]:
    """The numbers of those requests that `actor` may see."""
    if not changes:
        return set()
    numbers = [one.reference for one in changes]
    return set(queries.visible_to(actor).filter(reference__in=numbers).values_list("reference", flat=True))


def entry_in_words(kept: Mapping[str, Any]) -> str:
    """A kept difference (`batches.Difference.as_data`) in a line: the entry, and what is other about it."""
    words = {"entry": f"{kept['code']} {batches.label(kept)}", "before": kept["before"], "after": kept["after"]}
    if kept["before"] is None:
        return _("%(entry)s: new, level %(after)s") % words
    if kept["after"] is None:
        return _("%(entry)s: does not count any more, was level %(before)s") % words
    return _("%(entry)s: level %(before)s → %(after)s") % words
