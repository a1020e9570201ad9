"""Publishing the figures of a quarter: once, some days after its end, and never differently without a new version."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotNow, Problem
from authorities.models import Office
from figures.counting import Counted, count, first_received
from figures.models import QuarterFigures
from figures.quarters import Quarter
from figures.suppression import THRESHOLD, Cell, suppress

# A percentile is shown where so many cases lie on either side of it: it tells of a group then, and not of a case.
MEDIAN_FROM, NINETIETH_FROM = 2 * THRESHOLD, 10 * THRESHOLD

Data = dict[str, Any]
"""What is public of a quarter, as it is stored: offices and codes in both languages; `cells`, place → column → number
or null; `days`, place → {"median", "ninetieth"}, working days or null. The place "" is all offices together."""


def due(*, at: datetime) -> list[Quarter]:
    """The quarters to be published at `at` that are not: ended everywhere, as many days ago as is configured."""
    first = first_received()
    if first is None:
        return []
    zones = [ZoneInfo(name) for name in Office.objects.order_by().values_list("time_zone", flat=True).distinct()]
    done = set(QuarterFigures.objects.filter(version=1).values_list("quarter", flat=True))
    found, quarter = [], min(Quarter.of(first.astimezone(zone).date()) for zone in zones)
    while all(quarter.ends_at(zone) + _delay() <= at for zone in zones):
        if str(quarter) not in done:
            found.append(quarter)
        quarter = quarter.next
    return found


def publish_due(*, at: datetime) -> list[QuarterFigures]:
    """Publish every quarter that is due, the oldest first; what was published now.

    Safe to run at any time, again and on two machines: the first version of a quarter is one row, whoever makes it.
    """
    made = []
    for quarter in due(at=at):
        row, is_new = QuarterFigures.objects.get_or_create(
            quarter=str(quarter), version=1, defaults={"published_at": at, "data": measure(quarter)}
        )
        if is_new:
            made.append(row)
    return made


def correct(quarter: Quarter, *, at: datetime, reason_zh: str, reason_en: str) -> QuarterFigures:
    """Publish `quarter` anew, as its next version, beside those before, which stay as they are.

    Invalid without reasons in both languages; NotNow when it was never published, or nothing would change.
    """
    missing = [
        Problem("", name, _("Say why the figures are corrected; everybody reads it."))
        for name, text in (("reason_zh", reason_zh), ("reason_en", reason_en))
        if not text.strip()
    ]
    if missing:
        raise Invalid(missing)
    before = list(QuarterFigures.objects.filter(quarter=str(quarter)).order_by("version"))
    if not before:
        raise NotNow(_("This quarter is not published yet: there is nothing to correct."))
    data = measure(quarter, before=[row.data for row in before])
    if data == before[-1].data:
        raise NotNow(_("The figures would be the same as those published."))
    row, is_new = QuarterFigures.objects.get_or_create(
        quarter=str(quarter),
        version=before[-1].version + 1,
        defaults={
            "published_at": at,
            "reason_zh": reason_zh.strip(),
            "reason_en": reason_en.strip(),
            "data": data,
        },
    )
    if not is_new:
        raise NotNow(_("Somebody else has just corrected this quarter."))
    return row


def measure(quarter: Quarter, *, before: Sequence[Data] = ()) -> Data:
    """What may be public of `quarter`, counted now. `before`: what was published of it already.

    What earlier versions suppressed stays suppressed, and a number that changed by less than the threshold is
    suppressed: the difference of two versions is a count of cases, too.
    """
    counted = count(
        quarter,
        also_offices=[one["code"] for data in before for one in data["offices"]],
        also_codes=[one["code"] for data in before for one in data["codes"]],
    )
    hidden = suppress(counted.values, counted.layout, must=_must(counted, before))
    return publishable(counted, hidden)


def publishable(counted: Counted, hidden: frozenset[Cell]) -> Data:
    """`counted` without the cells `hidden`, and without percentiles of groups that are small or hidden."""
    layout, cells = counted.layout, {}
    for row in layout.rows:
        cells[row] = {
            column: None if (row, column) in hidden else counted.values[row, column] for column in layout.columns
        }
    days = {}
    for row in layout.rows:
        used = counted.days.get(row, ()) if cells[row]["decided"] is not None else ()
        days[row] = {
            "median": percentile(used, 50) if len(used) >= MEDIAN_FROM else None,
            "ninetieth": percentile(used, 90) if len(used) >= NINETIETH_FROM else None,
        }
    return {"offices": counted.offices, "codes": counted.codes, "cells": cells, "days": days}


def percentile(days: Sequence[int], percent: int) -> int:
    """The least number of days within which at least so many per cent of `days`, in order, lie. ValueError for none."""
    if not days:
        raise ValueError("nothing has no percentile")
    return days[-(-len(days) * percent // 100) - 1]


def _delay() -> timedelta:
    return timedelta(days=settings.FIGURES_DELAY_DAYS)


def _must(counted: Counted, before: Sequence[Mapping[str, Any]]) -> set[Cell]:
    found = set()
    for data in before:
        for place, column in product(counted.layout.rows, counted.layout.columns):
            # What an earlier version has no row or column for was zero then.
            was = data["cells"].get(place, {}).get(column, 0)
            if was is None or 0 < abs(was - counted.values[place, column]) < THRESHOLD:
                found.add((place, column))
    return found
