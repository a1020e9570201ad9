"""Clock policies: which one is in force for an office, and how one comes into force.

A published policy never changes, so a process keeps each one it has read. Which ones there are it reads again after
`rereading.REREAD_SECONDS`; a policy is published at least `LEAD` before it takes effect, when every process knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from authorities.models import ClockPolicy, ClockPolicyLine, InForce
from authorities.rereading import REREAD_SECONDS, Reread
from authorities.terms import COUNTS_WORKING_DAYS, RULE_BOOK, ClockKind, Policy, Terms
from authorities.working_days import WorkingDays

LEAD = timedelta(seconds=2 * REREAD_SECONDS)


class NoPolicy(LookupError):
    """No clock policy is in force."""


def current(office_id: int | None, at: datetime) -> Policy:
    """The policy that clocks which start at `at` follow: the office's own, else the one of all offices.

    `office_id` None: the one of all offices. NoPolicy when there is none yet.
    """
    for effective_from, policy_id in _published(office_id):
        if effective_from <= at:
            return get(policy_id)
    raise NoPolicy(f"No clock policy is in force at {at} for office {office_id}.")


def get(policy_id: int) -> Policy:
    """A published policy by its id, for clocks that run on it. ClockPolicy.DoesNotExist if there is none."""
    policy = _policies.get(policy_id)
    if policy is None:
        row = ClockPolicy.objects.get(pk=policy_id, published_at__isnull=False)
        policy = Policy(
            id=row.pk,
            version=row.version,
            effective_from=row.effective_from,
            lines={(line.kind, line.tier): line.terms for line in row.lines.all()},
        )
        _policies[policy_id] = policy
    return policy


def forget() -> None:
    """Make this process read the policies again."""
    _published.forget()
    _policies.clear()


_policies: dict[int, Policy] = {}


def _read_published(office_id: int | None, before: object) -> list[tuple[datetime, int]]:
    """(effective from, id): the office's own first, of each the latest first."""
    rows = ClockPolicy.objects.filter(Q(office=None) | Q(office=office_id), published_at__isnull=False)
    newest_first = sorted(
        rows.values_list("office_id", "effective_from", "version", "id"),
        key=lambda row: (row[0] is not None, row[1], row[2]),
        reverse=True,
    )
    return [(effective_from, policy_id) for _office, effective_from, _version, policy_id in newest_first]


_published: Reread[int | None, list[tuple[datetime, int]]] = Reread(_read_published)


def draft(
    office_id: int | None,
    *,
    effective_from: datetime,
    lines: Mapping[tuple[str, str], Terms] = RULE_BOOK,
    note: str = "",
    using: str = "default",
) -> ClockPolicy:
    """A draft of the next version of a policy; without `lines` with those of the rule book."""
    with transaction.atomic(using=using):
        versions = ClockPolicy.objects.using(using).filter(office=office_id)
        row = ClockPolicy.objects.using(using).create(
            office_id=office_id,
            version=(versions.aggregate(last=Max("version"))["last"] or 0) + 1,
            effective_from=effective_from,
            note=note,
        )
        ClockPolicyLine.objects.using(using).bulk_create(
            ClockPolicyLine(
                policy=row,
                kind=kind,
                tier=tier,
                days=terms.days,
                remind_at_percent=list(terms.remind_at_percent),
                remind_before=list(terms.remind_before),
                head_after=terms.head_after,
                last_after=terms.last_after,
                extension=terms.extension,
                deem_approved=terms.deem_approved,
            )
            for (kind, tier), terms in lines.items()
        )
    return row


@dataclass(frozen=True, slots=True)
class Outlook:
    """When something that begins now would be due: a line of a preview. `due` is the last day, in the office's zone."""

    kind: ClockKind
    tier: str
    days: int
    due: date
    is_provisional: bool


def outlook(lines: Mapping[tuple[str, str], Terms], *, calendar: WorkingDays, at: datetime) -> list[Outlook]:
    """What these terms mean for a request that is submitted at `at` (aware), in the order of the rule book.

    The decision is due when the company has used all of its time; every other clock as if it began at `at`. Clocks that
    wait for a day of the journey are left out: there is nothing to count.
    """
    today = at.astimezone(calendar.zone).date()
    company = lines.get((ClockKind.COMPANY.value, ""))
    # What the company leaves to the end of its last day begins for the office with the next.
    reached = calendar.add(today, company.days) + timedelta(days=1) if company else today
    found = []
    for key in RULE_BOOK:
        if key not in lines or key[0] in (ClockKind.DEPARTURE, ClockKind.RETURN):
            continue
        kind, days = ClockKind(key[0]), lines[key].days
        start = reached if kind is ClockKind.DECISION else today
        works = kind in COUNTS_WORKING_DAYS
        due = calendar.add(start, days) if works else start + timedelta(days=days)
        provisional = works and any(map(calendar.is_provisional, {start, due}))
        found.append(Outlook(kind, key[1], days, due, provisional))
    return found


def publish(policy_id: int, *, at: datetime, using: str = "default") -> ClockPolicy:
    """Bring a draft into force from its `effective_from` on.

    InForce when it is published already. ValidationError when it leaves a clock out, or takes effect sooner than `LEAD`
    after `at` or before an earlier version. The first one of an office, or of all, may take effect in the past.
    """
    with transaction.atomic(using=using):
        row = ClockPolicy.objects.using(using).select_for_update(of=("self",)).get(pk=policy_id)
        if not row.is_draft:
            raise InForce(f"{row} is published")
        missing = row.missing()
        if missing:
            raise ValidationError(_("Not in the policy: %(what)s.") % {"what": ", ".join(missing)})
        others = ClockPolicy.objects.using(using).filter(office=row.office_id, published_at__isnull=False)
        latest = others.aggregate(latest=Max("effective_from"))["latest"]
        if latest is not None and row.effective_from <= latest:
            raise ValidationError(_("An earlier version takes effect later than this one."))
        if latest is not None and row.effective_from < at + LEAD:
            raise ValidationError(_("A policy takes effect a minute after it is published at the earliest."))
        row.published_at = at
        row.save(using=using)
        forget()
        transaction.on_commit(forget, using=using)
    return row
