"""The working days of an office: which calendar is in force, how one comes into force, where the first ones come from.

A calendar in force never changes: a correction is a new version of its year. Every coming into force raises the
version of all calendars, so (office, version) names the same working days for ever.

A process keeps the calendar it has read and looks after `rereading.REREAD_SECONDS` whether there is a newer one. A
clock that was started in between carries the older version, by which it is found and settled like any other.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Max, Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.refusals import NotAllowed
from authorities.models import CalendarDay, CalendarYear, InForce, Office
from authorities.rereading import Reread
from authorities.working_days import SpecialDay, WorkingDays

Status = CalendarYear.Status

# Sent when what was published is committed, with `at` (aware) and `by` (the account that published, or None).
came_into_force = Signal()


def load(office_id: int | None, *, version: int | None = None) -> WorkingDays:
    """The calendar of an office; None: the national one, in the time zone of the installation.

    Without `version` the newest; with it the one that had this version, for ever the same.
    Office.DoesNotExist when there is no such office. A year that nobody entered is plain weeks, and provisional.
    """
    return _newest(office_id) if version is None else _versioned(office_id, version)


def newest_version() -> int:
    """The version with which a calendar came into force last, anywhere; 0 when none has. Reads the database."""
    return CalendarYear.objects.aggregate(newest=Max("since"))["newest"] or 0


def forget() -> None:
    """Make this process read the calendars again."""
    _newest.forget()
    _versioned.cache_clear()


def _of(office_id: int | None) -> QuerySet[CalendarYear]:
    return CalendarYear.objects.filter(Q(office=None) | Q(office=office_id), since__isnull=False)


def _zone(office_id: int | None) -> ZoneInfo:
    name = settings.TIME_ZONE
    if office_id is not None:
        name = Office.objects.values_list("time_zone", flat=True).get(pk=office_id)
    return ZoneInfo(name)


def _read_newest(office_id: int | None, before: WorkingDays | None) -> WorkingDays:
    # The same number for all offices, whoever's year came into force last: what has looked at it is up to date.
    version = newest_version()
    if before is not None and before.version == version:
        return before
    return _versioned(office_id, version)


_newest: Reread[int | None, WorkingDays] = Reread(_read_newest)


@lru_cache(maxsize=64)
def _versioned(office_id: int | None, version: int) -> WorkingDays:
    in_force: dict[int, CalendarYear] = {}
    # The office's own year before the national one, and of each the newest.
    for row in sorted(
        _of(office_id).filter(since__lte=version), key=lambda row: (row.office_id is not None, row.since)
    ):
        in_force[row.year] = row
    days = CalendarDay.objects.filter(calendar__in=in_force.values()).values_list(
        "day", "is_working", "name_zh", "name_en"
    )
    return WorkingDays(
        version=version,
        zone=_zone(office_id),
        special=(SpecialDay(*day) for day in days),
        published=(row.year for row in in_force.values() if row.status == Status.PUBLISHED),
    )


def publish(
    calendar_id: int,
    *,
    at: datetime,
    status: Status = Status.PUBLISHED,
    by: int | None = None,
    using: str = "default",
) -> CalendarYear:
    """Bring a draft into force, by the account `by` (None: by the installation itself).

    InForce when it is not a draft any more; NotAllowed when `by` worked on the draft: dates that people are told rest
    on two pairs of eyes; ValueError for `status` draft. Clocks that run are settled by the worker (`came_into_force`).
    """
    if status == Status.DRAFT:
        raise ValueError("A calendar comes into force as provisional or as published.")
    with transaction.atomic(using=using):
        row = CalendarYear.objects.using(using).select_for_update(of=("self",)).get(pk=calendar_id)
        if not row.is_draft:
            raise InForce(f"{row} is in force")
        if by is not None and row.authors.using(using).filter(pk=by).exists():
            raise NotAllowed(_("You worked on this draft. Another person must compare it and publish it."))
        row.status, row.published_at, row.since, row.published_by_id = status, at, _next_version(using), by
        row.save(using=using)
        forget()
        transaction.on_commit(forget, using=using)
        if using == DEFAULT_DB_ALIAS:  # a migration begins what no clock can have counted in
            transaction.on_commit(lambda: came_into_force.send(sender=CalendarYear, at=at, by=by))
    return row


def _next_version(using: str) -> int:
    # A sequence, because its numbers are never given twice, not even after a rollback.
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT nextval('authorities_calendar_since')")
        return int(cursor.fetchone()[0])


def draft(
    office_id: int | None,
    year: int,
    *,
    days: Iterable[SpecialDay],
    source: str,
    by: int | None = None,
    using: str = "default",
) -> CalendarYear:
    """A draft of the next version of a year, by the account `by`, who then cannot publish it."""
    with transaction.atomic(using=using):
        versions = CalendarYear.objects.using(using).filter(office=office_id, year=year)
        row = CalendarYear.objects.using(using).create(
            office_id=office_id,
            year=year,
            version=(versions.aggregate(last=Max("version"))["last"] or 0) + 1,
            source=source,
        )
        CalendarDay.objects.using(using).bulk_create(
            CalendarDay(calendar=row, day=day.day, is_working=day.is_working, name_zh=day.name_zh, name_en=day.name_en)
            for day in days
        )
        if by is not None:
            row.authors.add(by)
    return row


def correction(calendar: CalendarYear, *, by: int | None = None) -> CalendarYear:
    """A draft of the next version of a year that begins as a copy of `calendar`, by the account `by`."""
    return draft(calendar.office_id, calendar.year, days=days_of(calendar), source=calendar.source, by=by)


def days_of(calendar: CalendarYear) -> list[SpecialDay]:
    """The special days of one version of a year, in their order."""
    return [SpecialDay(*day) for day in calendar.days.values_list("day", "is_working", "name_zh", "name_en")]


def replace_days(calendar_id: int, *, days: Iterable[SpecialDay], source: str, by: int) -> CalendarYear:
    """Put these days in the place of all days of a draft; `by` becomes one of its authors. InForce when it is none."""
    with transaction.atomic():
        row = CalendarYear.objects.select_for_update(of=("self",)).get(pk=calendar_id)
        if not row.is_draft:
            raise InForce(f"{row} is in force")
        row.days.all().delete()
        CalendarDay.objects.bulk_create(
            CalendarDay(calendar=row, day=day.day, is_working=day.is_working, name_zh=day.name_zh, name_en=day.name_en)
            for day in days
        )
        row.source = source
        row.save(update_fields=["source"])
        row.authors.add(by)
    return row


# The State Council announces the days off of a year in the autumn before it. Of the years after, only what the
# law on public holidays fixes is known: not which weekends are worked to make up for it.
FIRST_SEEDED = 2018


def from_library(year: int) -> list[SpecialDay]:
    """What the library `holidays` knows of a year in China: days off, and weekend days worked to make up for them."""
    import holidays  # only to seed; it is large

    english = holidays.country_holidays("CN", years=year, language="en_US")
    chinese = holidays.country_holidays("CN", years=year, language="zh_CN")
    off = [SpecialDay(day, False, chinese[day], english[day]) for day in sorted(english) if day.year == year]
    worked = [
        SpecialDay(day, True, "调休工作日", "Working day in exchange")
        for day in sorted(english.weekend_workdays)
        if day.year == year
    ]
    return sorted(off + worked, key=lambda day: day.day)


def is_announced(days: Iterable[SpecialDay]) -> bool:
    """Whether the days are those of an announced year: the announcement is what names the weekends to be worked.

    The library is silent about what it does not know; every announcement since 2007 names some.
    """
    return any(day.is_working for day in days)


_SOURCES = {
    Status.PUBLISHED: "国务院办公厅节假日安排的通知 · State Council notice (library: holidays)",
    Status.PROVISIONAL: "全国年节及纪念日放假办法 · Public holidays by law, no notice yet (library: holidays)",
}


def seed(office_id: int | None, years: Iterable[int], *, using: str = "default") -> list[CalendarYear]:
    """Bring China's calendar of `years` into force for an office (None: for all) where nothing is in force yet.

    Years that the library has the announcement of are published, later ones provisional. Returns those that it made.
    """
    present = set(
        CalendarYear.objects.using(using).filter(office=office_id, since__isnull=False).values_list("year", flat=True)
    )
    made = []
    with transaction.atomic(using=using):
        for year in sorted(set(years) - present):
            days = from_library(year)
            status = Status.PUBLISHED if is_announced(days) else Status.PROVISIONAL
            row = draft(office_id, year, days=days, source=_SOURCES[status], using=using)
            made.append(publish(row.pk, at=timezone.now(), status=status, using=using))
    return made
