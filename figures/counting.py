"""Counting what happened in a quarter, by office: the true numbers, none of which leaves this app unsuppressed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q

from approvals import clocks, timekeeping
from approvals.models import Appeal, Clock, Decision, Extension, TravelRequest
from approvals.models.appeal import AppealState
from approvals.models.decision import Outcome
from approvals.states import State
from authorities import calendars, policies
from authorities.models import Office, ReasonCode
from authorities.terms import ClockKind
from figures.quarters import Quarter
from figures.suppression import TOTAL, Cell, Layout

OUTCOMES = ("approved", "deemed", "denied")
LATENESS = ("in_time", "late")
APPEALS = ("upheld", "overturned", "appeal_withdrawn")
COLUMNS = ("received", "decided", *OUTCOMES, "revoked", *LATENESS, "open_late", "filed", "appeals_ended", *APPEALS)
CODE = "code:"
"""Before the name of a reason code, where that is the name of a column."""

_APPEAL_COLUMNS = {
    AppealState.UPHELD.value: "upheld",
    AppealState.OVERTURNED.value: "overturned",
    AppealState.WITHDRAWN.value: "appeal_withdrawn",
}


@dataclass(slots=True)
class Counted:
    """A quarter in true numbers. Places are codes of offices; `days` are working days used until each decision."""

    offices: list[dict[str, str]]
    codes: list[dict[str, str]]
    values: dict[Cell, int]
    days: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """What is known of these columns to whoever reads the explanations on the page."""
        codes = [CODE + one["code"] for one in self.codes]
        return Layout(
            places=[one["code"] for one in self.offices],
            columns=(*COLUMNS, *codes),
            parts={"decided": (OUTCOMES, LATENESS), "appeals_ended": (APPEALS,)},
            codes=codes,
            refusals=("denied", "revoked"),
            within=(("deemed", "late"),),
        )


def count(quarter: Quarter, *, also_offices: Sequence[str] = (), also_codes: Sequence[str] = ()) -> Counted:
    """What happened in `quarter`, which begins and ends for each office in its own time zone.

    Offices that are active or have any number, and those of `also_offices`; reason codes that were given, and those of
    `also_codes`. The number of queries depends on the time zones, not on the cases.
    """
    by_zone: dict[str, list[Office]] = defaultdict(list)
    offices = list(Office.objects.order_by("code"))
    for office in offices:
        by_zone[office.time_zone].append(office)
    rows: dict[int, Counter[str]] = {office.pk: Counter() for office in offices}
    days: dict[int, list[int]] = {office.pk: [] for office in offices}
    for name, there in by_zone.items():
        zone = ZoneInfo(name)
        _count(rows, days, [office.pk for office in there], quarter.begins_at(zone), quarter.ends_at(zone))
    shown = [one for one in offices if one.is_active or any(rows[one.pk].values()) or one.code in also_offices]
    given = {column.removeprefix(CODE) for row in rows.values() for column in row if column.startswith(CODE)}
    counted = Counted(
        offices=[{"code": one.code, "zh": one.name_zh, "en": one.name_en} for one in shown],
        codes=_in_words(sorted(given | set(also_codes))),
        values={},
        days={one.code: sorted(days[one.pk]) for one in shown} | {TOTAL: sorted(sum(days.values(), []))},
    )
    codes_of = {one.code: rows[one.pk] for one in shown}
    for place, column in product(counted.layout.places, counted.layout.columns):
        counted.values[place, column] = codes_of[place][column]
    for column in counted.layout.columns:
        counted.values[TOTAL, column] = sum(row[column] for row in rows.values())
    return counted


def first_received() -> datetime | None:
    """When the first request of all reached an office."""
    found: Any = TravelRequest.unscoped.order_by("reached_authority_at").filter(reached_authority_at__isnull=False)
    first: datetime | None = found.values_list("reached_authority_at", flat=True).first()
    return first


def _count(
    rows: Mapping[int, Counter[str]], days: Mapping[int, list[int]], ids: list[int], begins: datetime, ends: datetime
) -> None:
    received = TravelRequest.unscoped.filter(
        office__in=ids, reached_authority_at__gte=begins, reached_authority_at__lt=ends
    )
    for office_id, number in received.order_by().values_list("office_id").annotate(number=Count("pk")):
        rows[office_id]["received"] += number
    _count_decisions(rows, days, ids, begins, ends)
    for office_id in _late_and_open(ids, at=ends):
        rows[office_id]["open_late"] += 1
    # An appeal counts for the office whose decision it is against, not for the one that hears it.
    filed = Appeal.objects.filter(request__office__in=ids, filed_at__gte=begins, filed_at__lt=ends).order_by()
    for office_id, number in filed.values_list("request__office_id").annotate(number=Count("pk")):
        rows[office_id]["filed"] += number
    ended = Appeal.objects.filter(
        request__office__in=ids, ended_at__gte=begins, ended_at__lt=ends, state__in=list(_APPEAL_COLUMNS)
    ).order_by()
    for office_id, state, number in ended.values_list("request__office_id", "state").annotate(number=Count("pk")):
        rows[office_id][_APPEAL_COLUMNS[state]] += number
        rows[office_id]["appeals_ended"] += number


def _count_decisions(
    rows: Mapping[int, Counter[str]], days: Mapping[int, list[int]], ids: list[int], begins: datetime, ends: datetime
) -> None:
    """The first decision of each request, every denial and every revocation. What an appeal puts in the place of a
    decision counts among the appeals."""
    before = Decision.objects.filter(request=OuterRef("request"), at__lt=OuterRef("at"))
    decisions = list(
        Decision.objects.filter(request__office__in=ids, at__gte=begins, at__lt=ends)
        .annotate(is_later=Exists(before))
        .filter(Q(is_later=False) | ~Q(outcome=Outcome.APPROVED))
        .select_related("request")
        .defer("text", "facts", "milder_measures")
        .order_by("at", "id")
    )
    found = Clock.objects.filter(request__in={one.request_id for one in decisions}, kind=ClockKind.DECISION)
    clocks_of: dict[UUID, list[Clock]] = defaultdict(list)
    for clock in found.order_by("started_at"):
        clocks_of[clock.request_id].append(clock)
    for decision in decisions:
        office_id = decision.request.office_id
        row = rows[office_id]
        if decision.outcome != Outcome.APPROVED:
            row.update({CODE + code for code in decision.reason_codes})
        if decision.outcome == Outcome.REVOKED:
            row["revoked"] += 1
            continue
        running = next((one for one in reversed(clocks_of[decision.request_id]) if one.started_at <= decision.at), None)
        reading = _read(running, office_id, at=decision.at) if running else None
        is_late = decision.deemed or (reading is not None and reading.is_overdue(decision.at))
        row["decided"] += 1
        row["late" if is_late else "in_time"] += 1
        row["deemed" if decision.deemed else decision.outcome] += 1
        if reading is not None:
            days[office_id].append(reading.used)


def _late_and_open(ids: list[int], *, at: datetime) -> list[int]:
    """The offices, once for each case that was with them at `at`, undecided and past its due date."""
    running = list(
        Clock.objects.filter(request__office__in=ids, kind=ClockKind.DECISION, started_at__lt=at)
        .filter(Q(ended_at=None) | Q(ended_at__gte=at))
        .select_related("request")
    )
    later = Extension.objects.filter(request__in=[one.request_id for one in running], at__gte=at)
    extended_later = dict(later.values_list("request_id", "working_days"))
    late = []
    for clock in running:
        clock.extension_days -= extended_later.get(clock.request_id, 0)
        if _read(clock, clock.request.office_id, at=at).is_overdue(at):
            late.append(clock.request.office_id)
    return late


def _read(row: Clock, office_id: int, *, at: datetime) -> clocks.ClockReading:
    """What the clock said at `at`: what came later does not count."""
    value = timekeeping.value_of(row)
    past = tuple(
        replace(one, end=None if one.end is None or one.end > at else one.end)
        for one in value.intervals
        if one.start <= at
    )
    value = replace(value, intervals=past, ended_at=None)
    return clocks.evaluate(
        value,
        policy=policies.get(value.policy_version),
        calendar=calendars.load(office_id, version=value.calendar_version),
        state=State.DECISION_PROPOSED,  # in which no clock decides: what it would do next is not asked here
        at=at,
    )


def _in_words(codes: Sequence[str]) -> list[dict[str, str]]:
    """These reason codes in the words of their newest versions."""
    newest = ReasonCode.objects.filter(code__in=codes).order_by("code", "active_from", "pk")
    words = {one.code: (one.label_zh, one.label_en) for one in newest}
    return [
        {"code": code, "zh": words.get(code, (code, code))[0], "en": words.get(code, (code, code))[1]} for code in codes
    ]
