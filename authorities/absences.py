"""Who of an office is away, who stands in, and what follows for those who are to be told.

A deputy counts only within the scope of the absence: in its office, and for roles that they could act in themselves.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, TextChoices, Value
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor, Role
from authorities.models import POSTED_ROLES, Absence, Office, Posting

# Who can stand in for whom: people who may do the same by a posting of their own. A head decides nothing, so a senior
# reviewer can stand in; nobody else can do what a senior does.
STANDS_IN: Mapping[Role, frozenset[Role]] = {
    Role.REVIEWER: frozenset({Role.REVIEWER}),
    Role.SENIOR: frozenset({Role.SENIOR}),
    Role.HEAD: frozenset({Role.HEAD, Role.SENIOR}),
    Role.APPEAL_REVIEWER: frozenset({Role.APPEAL_REVIEWER}),
}
# Who may enter that a colleague is away, who perhaps cannot.
MAY_ENTER_FOR_OTHERS = (Role.SENIOR, Role.HEAD)
LONGEST_DAYS = 2 * 366  # longer, a year is mistyped


class Gone(TextChoices):
    """Why a reviewer cannot go on with their cases."""

    LEFT = "left", pgettext_lazy("why a case goes back", "The reviewer has left the office.")
    AWAY = "away", pgettext_lazy("why a case goes back", "The reviewer is away for longer.")


# ── who is there ────────────────────────────────────────────────────────────────────────────────────────────────────


def in_force(office_id: int, role: Role, *, at: datetime) -> dict[int, Absence]:
    """Who of the office is away at `at` as `role`, by account; of several absences of one person the longest."""
    rows = Absence.objects.in_force(at).filter(office_id=office_id, role__in=["", role]).order_by("ends_at")
    return {row.user_id: row for row in rows}


def those_there(people: Iterable[int], *, office_id: int, role: Role, at: datetime) -> list[int]:
    """Of these accounts, which act as `role` in the office, those who are there at `at`; in the place of each who is
    away the deputy, or the deputy's deputy. Each once, in order; may be empty. One query, two when somebody is away.
    """
    asked = list(dict.fromkeys(people))
    away = in_force(office_id, role, at=at) if asked else {}
    if not away.keys() & set(asked):
        return asked
    able = set(
        Posting.objects.in_force(at)
        .filter(office_id=office_id, role__in=STANDS_IN[role], user__is_active=True)
        .values_list("user_id", flat=True)
    )
    found: dict[int, None] = {}
    for person in asked:
        standing_in = _first_there(person, away, able)
        if standing_in is not None:
            found[standing_in] = None
    return list(found)


def is_away(user_id: int, *, office_id: int, role: Role, at: datetime) -> bool:
    """Whether this account is away from the office at `at` as `role`."""
    return Absence.objects.in_force(at).filter(user_id=user_id, office_id=office_id, role__in=["", role]).exists()


def _first_there(person: int, away: Mapping[int, Absence], able: set[int]) -> int | None:
    seen: set[int] = set()
    one: int | None = person
    while one is not None and one in away and one not in seen:
        seen.add(one)
        one = away[one].deputy_id
        if one is not None and one not in able:
            return None
    return None if one in seen else one


def gone(user_id: int, *, office_id: int, at: datetime) -> Gone | None:
    """Why this reviewer of the office cannot go on with their cases at `at`; None while they can.

    They have left when no posting as a reviewer there is in force, or the account is closed. They are away when an
    absence is in force that lasts longer than the office bears (`Office.return_after_days`).
    """
    if not reviewing(at).filter(user_id=user_id, office_id=office_id).exists():
        return Gone.LEFT
    return Gone.AWAY if away_for_longer(at).filter(user_id=user_id, office_id=office_id).exists() else None


def reviewing(at: datetime) -> QuerySet[Posting, Posting]:
    """The postings by which somebody can review at `at`."""
    return Posting.objects.in_force(at).filter(role=Role.REVIEWER, user__is_active=True)


def away_for_longer(at: datetime) -> QuerySet[Absence, Absence]:
    """The absences in force at `at` for which cases go back to the queue."""
    bearable = ExpressionWrapper(F("office__return_after_days") * Value(timedelta(days=1)), DurationField())
    # Half a day, because the days on which clocks are put forward or back have not 24 hours.
    lasts_longer = Q(ends_at__gt=F("starts_at") + bearable + Value(timedelta(hours=12)))
    return Absence.objects.in_force(at).filter(lasts_longer, role__in=["", Role.REVIEWER])


def unmanned(*, at: datetime) -> list[tuple[Office, list[Role]]]:
    """The active offices in which nobody is there at `at` as reviewer, senior or head, nor a deputy; and as which."""
    wanted = (Role.REVIEWER, Role.SENIOR, Role.HEAD)
    posted: dict[tuple[int, str], set[int]] = {}
    for office_id, role, user_id in (
        Posting.objects.in_force(at)
        .filter(user__is_active=True, role__in=wanted)
        .order_by()
        .values_list("office_id", "role", "user_id")
    ):
        posted.setdefault((office_id, role), set()).add(user_id)
    absent = list(Absence.objects.in_force(at).order_by("ends_at"))
    found = []
    for office in Office.objects.filter(is_active=True):
        missing = []
        for role in wanted:
            away = {row.user_id: row for row in absent if row.office_id == office.pk and row.role in ("", role)}
            able = set().union(*(posted.get((office.pk, one), set()) for one in STANDS_IN[role]))
            people = posted.get((office.pk, role), set())
            if all(_first_there(person, away, able) is None for person in people):
                missing.append(role)
        if missing:
            found.append((office, missing))
    return found


# ── entering and ending ─────────────────────────────────────────────────────────────────────────────────────────────


def visible_to(actor: Actor) -> QuerySet[Absence, Absence]:
    """The absences that `actor` may see: their own, and those of the offices that they work in."""
    offices = actor.scopes_of_any(POSTED_ROLES)
    return Absence.objects.filter(Q(user_id=actor.user_id) | Q(office_id__in=offices)).select_related(
        "user", "office", "deputy"
    )


def may_enter_for(actor: Actor, *, user_id: int, office_id: int) -> bool:
    """Whether `actor` may say when this account is away from the office: for themselves, seniors and heads for all."""
    if actor.user_id == user_id:
        return office_id in actor.scopes_of_any(POSTED_ROLES)
    return any(actor.holds(role, office_id) for role in MAY_ENTER_FOR_OTHERS)


def enter(
    *,
    actor: Actor,
    at: datetime,
    office_id: int,
    user_id: int,
    first_day: date,
    last_day: date,
    role: Role | None = None,
    deputy_id: int | None = None,
) -> Absence:
    """Say that somebody is away from an office from `first_day` to `last_day`, days of its zone, both included.

    `role`: in this role only; None: in all. NotAllowed for somebody who may not say so of them; Invalid for days that
    are over or swapped, a time in which they are away already, and a deputy who could not act in their place.
    """
    if not may_enter_for(actor, user_id=user_id, office_id=office_id):
        raise NotAllowed(
            _("You can say when you are away yourself; of others, seniors and the head of the office can.")
        )
    office = Office.objects.get(pk=office_id)
    postings = Posting.objects.in_force(at).filter(user_id=user_id, office_id=office_id)
    held = {Role(name) for name in postings.values_list("role", flat=True)}
    roles = held if role is None else held & {role}
    if not roles:
        raise Invalid([Problem("", "role", _("This person does not hold that role in this office."))])
    today = at.astimezone(office.zone).date()
    if last_day < first_day:
        raise Invalid([Problem("", "last_day", _("The last day is before the first. Swap them or correct one."))])
    if last_day < today:
        raise Invalid([Problem("", "last_day", _("This day has passed. Enter a day from today on."))])
    if (last_day - first_day).days > LONGEST_DAYS:
        raise Invalid([Problem("", "last_day", _("This day is years away. Check the year."))])
    starts_at = datetime.combine(first_day, time.min, office.zone)
    ends_at = datetime.combine(last_day + timedelta(days=1), time.min, office.zone)
    if deputy_id is not None and (deputy_id == user_id or not _can_stand_in(deputy_id, office_id, roles, at=at)):
        sentence = _("This person cannot act in that place: choose somebody who holds the same role in the office.")
        raise Invalid([Problem("", "deputy", sentence)])
    with transaction.atomic():
        # Two who enter at once wait for each other here; the constraint of the table is the net below.
        list(Posting.objects.select_for_update(of=("self",), no_key=True).filter(user_id=user_id, office_id=office_id))
        values: dict[str, Any] = {"office": office, "user_id": user_id, "role": role or ""}
        if Absence.objects.filter(**values, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
            raise Invalid([Problem("", "first_day", _("This person is entered as away at that time already."))])
        return Absence.objects.create(
            **values,
            starts_at=starts_at,
            ends_at=ends_at,
            deputy_id=deputy_id,
            entered_by_id=actor.user_id,
            entered_at=at,
        )


def _can_stand_in(deputy_id: int, office_id: int, roles: Iterable[Role], *, at: datetime) -> bool:
    """Whether this account could act in the office in the place of somebody with one of `roles`."""
    able = frozenset().union(*(STANDS_IN[role] for role in roles))
    return (
        Posting.objects.in_force(at)
        .filter(user_id=deputy_id, office_id=office_id, role__in=able, user__is_active=True)
        .exists()
    )


def end(pk: int, *, actor: Actor, at: datetime) -> None:
    """Somebody is back at `at`; an absence that has not begun is taken out. NotFound for one that the actor may not
    change, NotNow when it is over."""
    with transaction.atomic():
        row = Absence.objects.select_for_update().filter(pk=pk).first()
        if row is None or not may_enter_for(actor, user_id=row.user_id, office_id=row.office_id):
            raise NotFound(_("There is no such absence, or it is not yours to change."))
        if row.ends_at <= at:
            raise NotNow(_("This absence is over."))
        if row.starts_at >= at:
            row.delete()
            return
        row.ends_at = at
        row.save(update_fields=["ends_at"])
