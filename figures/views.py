"""The public figures, which anybody reads without an account, and the consistency view of seniors."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.http import ActorRequest
from accounts.roles import Role
from approvals import consistency
from authorities.models import Office
from figures import tables
from figures.models import QuarterFigures
from figures.publishing import MEDIAN_FROM, NINETIETH_FROM
from figures.suppression import THRESHOLD, TOTAL
from figures.tables import LABELS, Figure, Line

QUARTERS = 12
"""So many quarters stand side by side; older ones are reached by their address."""
SERIES = ("received", "decided", "denied", "revoked", "late", "median", "filed")


@require_safe
def figures(http: HttpRequest) -> HttpResponse:
    """The figures of a quarter (`quarter`, `version`; else the newest), and what became of the quarters before."""
    newest = _newest_versions()
    context: dict[str, Any] = {
        "threshold": THRESHOLD,
        "median_from": MEDIAN_FROM,
        "ninetieth_from": NINETIETH_FROM,
    }
    if newest or "quarter" in http.GET:
        chosen, versions = _chosen(http.GET.get("quarter") or newest[0].quarter, http.GET.get("version"))
        context |= {
            "chosen": chosen,
            "versions": versions,
            "is_newest": chosen == versions[0],
            "tables": tables.tables(chosen.data),
            "outcomes": tables.outcomes(chosen.data),
            "medians": tables.medians(chosen.data),
            "series": [_line(row) for row in newest],
            "series_columns": [LABELS[one] for one in SERIES],
            "decided": [tables.bar(row.quarter, tables.figure(row.data, TOTAL, "decided")) for row in reversed(newest)],
        }
    return render(http, "figures/figures.html", context)


@require_safe
def figures_file(http: HttpRequest, quarter: str) -> HttpResponse:
    """The same numbers as CSV (UTF-8), one a line. `version`: as on the page."""
    chosen, _versions = _chosen(quarter, http.GET.get("version"))
    written = tables.as_csv(chosen.quarter, chosen.version, chosen.data)
    # The mark lets spreadsheets read the Chinese names.
    answer = HttpResponse("\ufeff" + written, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="exit-approvals-{chosen.quarter}-v{chosen.version}.csv"'
    return answer


@require_safe
@login_required
def consistency_page(http: ActorRequest) -> HttpResponse:
    """Refusals of the reader's office beside cases like them that were approved. For its seniors only."""
    offices = list(Office.objects.filter(pk__in=http.actor.scopes(Role.SENIOR)))
    if not offices:
        raise PermissionDenied
    at = timezone.now()
    office = next((one for one in offices if str(one.pk) == http.GET.get("office")), offices[0])
    context = {
        "office": office,
        "offices": offices if len(offices) > 1 else [],
        "contrasts": consistency.contrasts(office.pk, actor=http.actor, at=at),
    }
    return render(http, "figures/consistency.html", context)


def _newest_versions() -> list[QuarterFigures]:
    """The newest version of each quarter, the latest quarter first."""
    rows = QuarterFigures.objects.order_by("quarter", "-version").distinct("quarter")
    return sorted(rows, key=lambda row: row.quarter, reverse=True)[:QUARTERS]


def _chosen(quarter: str, version: str | None) -> tuple[QuarterFigures, list[QuarterFigures]]:
    """The version that was asked for, else the newest, and all of the quarter, the newest first; 404 without."""
    versions = list(QuarterFigures.objects.filter(quarter=quarter).order_by("-version"))
    chosen = next((row for row in versions if version in (None, str(row.version))), None)
    if chosen is None:
        raise Http404
    return chosen, versions


def _line(row: QuarterFigures) -> Line:
    return Line(
        name=row.quarter,
        url=f"{reverse('figures')}?quarter={row.quarter}",
        figures=[Figure(LABELS[one], tables.figure(row.data, TOTAL, one)) for one in SERIES],
    )
