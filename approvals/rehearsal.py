"""Rehearsing a draft: what it would have done to the requests of the last days, before it is published.

The lists in force today are compared with the same lists, the draft in place of the version in force of its own list
(beside them, when it has none). So only what the draft changes shows: neither what other lists have become since the
requests were submitted, nor tiers that people set. What a person said of a possible match of a request counts on both
sides; matches that nobody has answered count for nothing, as in an assessment, and are numbered besides.

The worker does it in batches. What the baseline is, is settled at the beginning; when the draft changes meanwhile the
rehearsal ends, for it is of one content only. Nothing of a request is written, and nobody is told whose it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor, Role
from approvals import batches, journal
from approvals.batches import Judged, Resembling, Said, Trip
from approvals.models import TravelRequest
from approvals.states import Tier
from authorities.models import Office
from jobs import work
from jobs.models import Job
from sensitivity import matching, publishing, rules
from sensitivity.models import ListKind, ListVersion, Rehearsal, RehearsedChange, VersionState

KIND = "list-rehearsal"
MAX_DAYS = 730
"""How far a rehearsal looks back at most, in days."""

BATCH = 2000
# Looking for names that resemble costs more than everything else; each batch stays well under a second.
BATCH_OF_NAMES = 250

Tiers = dict[str, dict[str, int]]
"""Tier before → tier after → number of requests."""


def start(version_id: int, *, actor: Actor, at: datetime, days: int) -> Rehearsal:
    """Have the worker rehearse a version that is a draft or in review over the requests submitted in the `days` before
    `at` (aware). One that runs already for the same content is given back.

    NotFound when there is no such version, NotAllowed for anybody but a list manager, NotNow for one that is published,
    Invalid for days that are not 1 to MAX_DAYS.
    """
    version = ListVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound(_("There is no such version."))
    if sentence := rules.is_list_manager.refusal(version, actor):
        raise NotAllowed(sentence)
    if version.state not in (VersionState.DRAFT, VersionState.IN_REVIEW):
        raise NotNow(_("This version is published already. What comes next is rehearsed as a draft."))
    if not 1 <= days <= MAX_DAYS:
        raise Invalid([Problem("", "days", _("Look back 1 to 730 days."))])
    assert actor.user_id is not None
    with transaction.atomic():
        made = Rehearsal.objects.create(
            version=version, content=version.content, days=days, by_id=actor.user_id, at=at, result={}
        )
        subject = f"{version.pk}.{version.content}"
        job = work.enqueue(KIND, by=actor.user_id, at=at, subject=subject, data={"rehearsal": made.pk})
        if job.data["rehearsal"] != made.pk:
            made.delete()
            return Rehearsal.objects.get(pk=job.data["rehearsal"])
        made.job = job
        made.save(update_fields=["job"])
    return made


def _submitted(rehearsal: Rehearsal) -> QuerySet[TravelRequest, TravelRequest]:
    """The requests that were submitted for the first time in the days that the rehearsal looks back."""
    since = rehearsal.at - timedelta(days=rehearsal.days)
    return TravelRequest.unscoped.filter(submitted_at__gt=since, submitted_at__lte=rehearsal.at).order_by("pk")


class _Sides:
    """The lists without the draft, and with it: what both sides have in common, what the draft replaces, the draft.

    Names that resemble are looked up once; the versions do not change while a rehearsal goes on.
    """

    def __init__(self, rehearsal: Rehearsal, baseline: Iterable[int]) -> None:
        self.on = publishing.today(rehearsal.at)
        self.draft = matching.version(rehearsal.version_id)
        # The draft may have been published since, on the word of another rehearsal.
        others = [matching.version(one) for one in baseline if one != self.draft.id]
        self.common = [version for version in others if version.list_id != self.draft.list_id]
        self.replaced = [version for version in others if version.list_id == self.draft.list_id]
        self._replaced = {version.id for version in self.replaced}
        self.is_of_names = self.draft.kind == ListKind.ORGANISATION
        self._alike = {
            "common": Resembling(self.common, on=self.on),
            "before": Resembling(self.replaced, on=self.on),
            "after": Resembling([self.draft], on=self.on),
        }

    def compare(self, trips: Collection[Trip]) -> Iterator[tuple[Trip, Judged, Judged]]:
        """Each of `trips` with what follows for it without the draft, and with it."""
        said = Said(trips, versions=[*self.common, *self.replaced, self.draft], on=self.on)
        # Where the names of no organisation change, only what a person said of one can make a difference.
        hosts = {
            host
            for trip in trips
            if self.is_of_names or any(trip.answers.values())
            for host in trip.facts.organisations
        }
        for alike in self._alike.values():
            alike.look_up(hosts)
        for trip in trips:
            hits = said.hits(trip.facts)
            common, before, after = (alike.of(trip.facts) for alike in self._alike.values())
            yield (
                trip,
                batches.judge(trip, [hit for hit in hits if hit.version_id != self.draft.id], [*common, *before]),
                batches.judge(trip, [hit for hit in hits if hit.version_id not in self._replaced], [*common, *after]),
            )


# The sides of the one rehearsal that this process is at, so that its next batch need not look names up again. Whoever
# goes on elsewhere looks once more, and finds the same.
_at_work: dict[UUID, _Sides] = {}


def _sides(job: Job, rehearsal: Rehearsal) -> _Sides:
    if job.pk not in _at_work:
        _at_work.clear()
        _at_work[job.pk] = _Sides(rehearsal, job.cursor["versions"])
    return _at_work[job.pk]


def _step(job: Job, at: datetime) -> bool:
    """The next batch of a rehearsal. NotNow when the draft is not what it was, NotFound when it is gone."""
    rehearsal = Rehearsal.objects.select_related("version__list").filter(pk=job.data["rehearsal"]).first()
    if rehearsal is None:
        raise NotFound(_("The draft was discarded."))
    if not job.cursor:
        _begin(rehearsal, job)
    sides, cursor = _sides(job, rehearsal), job.cursor
    with journal.without_collecting():
        _rehearse(rehearsal, job, sides, _next(rehearsal, cursor["ends"], cursor["batch"]))
    # Asked after reading: what was read is of this content, then, whatever is being written at the same time.
    if not ListVersion.objects.filter(pk=rehearsal.version_id, content=rehearsal.content).exists():
        raise NotNow(_("The draft was changed while it was being rehearsed. Start the rehearsal again."))
    cursor["batch"] += 1
    if cursor["batch"] > len(cursor["ends"]):
        _finish(rehearsal, job, at)
        return True
    return False


def _begin(rehearsal: Rehearsal, job: Job) -> None:
    """Settle the baseline and the batches. Where each batch ends is found once: the keys are in the order in which
    requests were begun, so each is a stretch of the primary key then, and every request is read once."""
    is_of_names = rehearsal.version.list.kind == ListKind.ORGANISATION
    size = BATCH_OF_NAMES if is_of_names else BATCH
    requests = _submitted(rehearsal)
    numbered = requests.annotate(over=Window(RowNumber(), order_by=F("pk").asc()) % size)
    job.total = requests.count()
    job.cursor = {
        "versions": [version.id for version in matching.in_force(publishing.today(rehearsal.at))],
        "ends": [str(pk) for pk in numbered.filter(over=0).values_list("pk", flat=True)],
        "batch": 0,
        "offices": {},
        "open": [0, 0],
    }


Row = tuple[UUID, str, int, int, Mapping[str, Any]]
"""Request, its number, office, company, content of its revision."""


def _next(rehearsal: Rehearsal, ends: Sequence[str], batch: int) -> list[Row]:
    requests = _submitted(rehearsal)
    if batch > 0:
        requests = requests.filter(pk__gt=UUID(ends[batch - 1]))
    if batch < len(ends):
        requests = requests.filter(pk__lte=UUID(ends[batch]))
    return list(requests.values_list("pk", "reference", "office_id", "company_id", "revision__content"))


def _rehearse(rehearsal: Rehearsal, job: Job, sides: _Sides, rows: Sequence[Row]) -> None:
    """Count these requests, and keep those whose tier differs."""
    answers = batches.answers_to(pk for pk, *_others in rows)
    trips = [
        Trip.of(pk, content, company_id=company_id, answers=answers.get(pk, {}))
        for pk, _reference, _office, company_id, content in rows
    ]
    of = {pk: (reference, str(office_id)) for pk, reference, office_id, *_others in rows}
    changes = []
    for trip, before, after in sides.compare(trips):
        reference, office = of[trip.request_id]
        tiers = job.cursor["offices"].setdefault(office, {}).setdefault(before.tier.value, {})
        tiers[after.tier.value] = tiers.get(after.tier.value, 0) + 1
        job.cursor["open"][0] += before.open > 0
        job.cursor["open"][1] += after.open > 0
        if before.tier != after.tier:
            changes.append(
                RehearsedChange(
                    rehearsal=rehearsal,
                    request=trip.request_id,
                    reference=reference,
                    tier_before=before.tier,
                    tier_after=after.tier,
                    codes=[one.as_data() for one in batches.decisive(before, after)],
                )
            )
    RehearsedChange.objects.bulk_create(changes, batch_size=1000)
    job.done += len(rows)
    if changes:
        rehearsal.changed += len(changes)
        rehearsal.save(update_fields=["changed"])


def _finish(rehearsal: Rehearsal, job: Job, at: datetime) -> None:
    codes = dict(Office.objects.values_list("pk", "code"))
    offices = {codes[int(key)]: tiers for key, tiers in job.cursor["offices"].items()}
    rehearsal.requests = job.done
    rehearsal.result = {
        **_summed(offices.values()),
        "offices": {code: {"tiers": tiers, **_cost(tiers)} for code, tiers in sorted(offices.items())},
        "reviewer_days": reviewer_days(),
        "versions": job.cursor["versions"],
    }
    if rehearsal.version.list.kind == ListKind.ORGANISATION:
        before, after = job.cursor["open"]
        rehearsal.result["open_matches"] = {"before": before, "after": after}
    rehearsal.finished_at = at
    rehearsal.save(update_fields=["requests", "result", "finished_at"])
    _at_work.pop(job.pk, None)


def _summed(offices: Iterable[Tiers]) -> dict[str, Any]:
    every: Tiers = {}
    for tiers in offices:
        for before, row in tiers.items():
            for after, number in row.items():
                into = every.setdefault(before, {})
                into[after] = into.get(after, 0) + number
    return {"tiers": every, **_cost(every)}


def reviewer_days() -> dict[str, float]:
    """What a request of each tier costs an office, in days of one reviewer: the setting REVIEWER_DAYS."""
    return {tier.value: float(settings.REVIEWER_DAYS[tier.value]) for tier in Tier}


def _cost(tiers: Tiers) -> dict[str, float]:
    each = reviewer_days()
    return {
        "days_before": round(sum(each[before] * sum(row.values()) for before, row in tiers.items()), 2),
        "days_after": round(sum(each[after] * n for row in tiers.values() for after, n in row.items()), 2),
    }


def moves(tiers: Tiers) -> dict[tuple[Tier, Tier], int]:
    """Who goes where: (tier before, tier after) → number, for those that differ; the order is that of the tiers."""
    return {
        (before, after): number
        for before in Tier
        for after in Tier
        if before != after and (number := tiers.get(before, {}).get(after, 0))
    }


def _may_see(job: Job, actor: Actor) -> bool:
    return actor.holds(Role.LIST_MANAGER) or actor.holds(Role.AUDITOR)


def _page_of(job: Job) -> str:
    return reverse("list_rehearsal", args=[cast(int, job.data["rehearsal"])])


def register() -> None:
    """Make rehearsals something that the worker does. Called once, when the app is ready."""
    work.register(WORK)


WORK = work.Work(kind=KIND, label=_("Rehearsing the draft"), step=_step, result_url=_page_of, may_see=_may_see)
