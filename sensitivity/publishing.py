"""The verbs that move a version: draft, submit for review, send back, publish, renew, discard.

Each does all of it or nothing, with one audit entry in the chain of the list, and refuses with NotFound, NotAllowed
(who), NotNow (state or condition) and Invalid (the input). `at` is aware; days are days of the list's own zone: the
legal time of the People's Republic of China, Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import audit
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem, Refused, Sentence
from accounts.roles import Actor, Role
from accounts.rules import Rule
from accounts.transitions import Row, table
from notifications import outbox
from sensitivity import rules
from sensitivity.models import (
    NAMED_KINDS,
    EntryName,
    ListEntry,
    ListHistory,
    ListVersion,
    Renewal,
    RenewalReminder,
    SensitivityList,
    VersionState,
)

ZONE = ZoneInfo("Asia/Shanghai")
REMINDERS = (60, 30, 7)
"""Days before its end on which the owner of a list is reminded to renew or replace it."""


def today(at: datetime) -> date:
    """The day of `at` by the legal time that lists are kept in."""
    return at.astimezone(ZONE).date()


def last_end(first: date) -> date:
    """The latest day that something which begins on `first` can end before: twelve months on."""
    try:
        return first.replace(year=first.year + 1)
    except ValueError:  # 29 February
        return date(first.year + 1, 3, 1)


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def found(*, actor: Actor, at: datetime, values: Mapping[str, Any]) -> SensitivityList:
    """A new list with `values` of its fields, its owner named. Invalid with what the model's constraints refuse."""
    with transaction.atomic():
        _must_manage(actor)
        row = SensitivityList(history=ListHistory(), **values)
        _check(row, today(at))
        row.history.save()
        row.save()
        record(row, "list.found", actor=actor, at=at, data={"kind": row.kind})
    return row


def settle(list_id: int, *, actor: Actor, at: datetime, values: Mapping[str, Any]) -> SensitivityList:
    """Change what a list says of itself: names, owner, legal basis, confidentiality. Its kind stays."""
    with transaction.atomic():
        row = _locked_list(list_id)
        _must_manage(actor)
        for name, value in values.items():
            if name in ("kind", "history"):
                raise ValueError(f"the {name} of a list does not change")
            setattr(row, name, value)
        _check(row, today(at))
        row.save()
        record(row, "list.settle", actor=actor, at=at, data={"fields": sorted(values)})
    return row


def _check(row: SensitivityList, on: date) -> None:
    for name in ("legal_basis", "confidentiality_basis"):
        basis = getattr(row, name)
        if basis is not None and not basis.is_in_force(on):
            raise Invalid([Problem("", name, _("This instrument is not published, or not in force today."))])
    try:
        row.full_clean(exclude=["history"])
    except ValidationError as error:
        found = error.message_dict.items()
        raise Invalid(
            [
                Problem("", "" if field == "__all__" else field, str(message))
                for field, messages in found
                for message in messages
            ]
        ) from None


def _must_manage(actor: Actor) -> None:
    if sentence := rules.is_list_manager.refusal(None, actor):
        raise NotAllowed(sentence)


def _locked_list(list_id: int) -> SensitivityList:
    row = SensitivityList.objects.select_for_update(of=("self",), no_key=True).filter(pk=list_id).first()
    if row is None:
        raise NotFound(_("There is no such list."))
    return row


def record(row: SensitivityList, verb: str, *, actor: Actor, at: datetime, data: dict[str, Any]) -> None:
    """One entry in the chain of the list. The caller holds the lock on the list or has just made it."""
    history = ListHistory.objects.select_for_update().get(pk=row.history_id)
    role = Role.SYSTEM if actor.holds(Role.SYSTEM) else Role.LIST_MANAGER
    audit.record(history, verb, actor_id=actor.user_id, actor_role=role, at=at, data=data).save()
    history.save()


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def transitions() -> dict[str, dict[str, Row]]:
    """The transition table of a version: verb → source state → row."""
    return table(ListVersion, "state", VersionState)


def draft(list_id: int, *, actor: Actor, at: datetime, note: str = "") -> ListVersion:
    """The next version of a list, by the actor: it begins as a copy of the newest one.

    NotNow while there is a draft already, or one in review: what several people write goes into the same draft.
    """
    with transaction.atomic():
        of = _locked_list(list_id)
        _must_manage(actor)
        assert actor.user_id is not None
        if of.versions.filter(state__in=[VersionState.DRAFT, VersionState.IN_REVIEW]).exists():
            raise NotNow(_("There is a draft of this list already. Go on with it, or discard it first."))
        latest = of.versions.order_by("-number").first()
        made = ListVersion.objects.create(
            list=of,
            number=latest.number + 1 if latest else 1,
            author_id=actor.user_id,
            created_at=at,
            note=note.strip(),
        )
        if latest is not None:
            _copy(latest, made)
        record(of, "list.draft", actor=actor, at=at, data={"version": made.number})
    return made


def _copy(old: ListVersion, new: ListVersion) -> None:
    """All entries, with their lineages and names, in two statements: a list may have a million."""
    columns = [
        str(field.column) for field in ListEntry._meta.concrete_fields if field.name not in ("id", "version", "edit")
    ]
    written = ", ".join(columns)
    entries, kept = ListEntry._meta.db_table, EntryName._meta.db_table
    others = [
        str(field.column) for field in EntryName._meta.concrete_fields if field.name not in ("id", "version", "entry")
    ]
    names_written = ", ".join(others)
    names_read = ", ".join(f"k.{column}" for column in others)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {entries} (version_id, edit, {written}) "  # noqa: S608
            f"SELECT %s, 0, {written} FROM {entries} WHERE version_id = %s",
            [new.pk, old.pk],
        )
        if old.list.kind in NAMED_KINDS:
            cursor.execute(
                f"INSERT INTO {kept} (version_id, entry_id, {names_written}) "  # noqa: S608
                f"SELECT n.version_id, n.id, {names_read} FROM {kept} k JOIN {entries} o ON o.id = k.entry_id "
                f"JOIN {entries} n ON n.version_id = %s AND n.lineage = o.lineage WHERE k.version_id = %s",
                [new.pk, old.pk],
            )


# What is done to a version and leaves it in its state, or takes it away: in which state, by whom, and why not.
_BESIDE: dict[str, tuple[VersionState, Rule, Sentence]] = {
    "renew": (
        VersionState.PUBLISHED,
        rules.another_list_manager,
        gettext_lazy("Only the newest published version can be renewed."),
    ),
    "discard": (VersionState.DRAFT, rules.is_list_manager, gettext_lazy("Only a draft can be discarded.")),
}


def refusal(version: ListVersion, verb: str, actor: Actor) -> Refused | None:
    """Why `actor` may not do `verb` to `version` now, whatever the input; None when they may."""
    if verb in _BESIDE:
        state, rule, not_now = _BESIDE[verb]
        if version.state != state:
            return NotNow(not_now)
        return NotAllowed(why) if (why := rule.refusal(version, actor)) else None
    row = transitions()[verb].get(version.state)
    if row is None:
        return NotNow(
            _("This cannot be done now: the version is in the state “%(state)s”.")
            % {"state": VersionState(version.state).label}
        )
    if sentence := row.permission.refusal(version, actor):
        return NotAllowed(sentence)
    for condition in row.conditions:
        if sentence := condition.refusal(version):
            return NotNow(sentence)
    return None


_OFFERED = ("submit_for_review", "send_back", "publish")  # a version is superseded by the next one, not by a button


def available_actions(actor: Actor, version: ListVersion) -> list[str]:
    """The verbs that `actor` may do to `version` now. Buttons are made from this."""
    return [verb for verb in (*_OFFERED, *_BESIDE) if refusal(version, verb, actor) is None]


def _move(
    verb: str, version_id: int, *, actor: Actor, at: datetime, data: dict[str, Any] | None = None, **values: Any
) -> ListVersion:
    """Lock the list and the version, ask the rules, take the transition, save, write the audit entry."""
    version = _locked(version_id)
    if refused := refusal(version, verb, actor):
        raise refused
    getattr(version, verb)(at=at, **values)
    version.save()
    record(version.list, f"list.{verb}", actor=actor, at=at, data={"version": version.number} | (data or {}))
    told = {"version": version.pk, "by": actor.user_id}
    outbox.emit(f"list.{verb}", subject=version.list.history_id, at=at, data=told).save()
    outbox.hint()
    return version


def _locked(version_id: int) -> ListVersion:
    """The version with its list, both locked: first the list, as everybody does."""
    list_id = ListVersion.objects.filter(pk=version_id).values_list("list_id", flat=True).first()
    if list_id is None:
        raise NotFound(_("There is no such version."))
    _locked_list(list_id)
    version = ListVersion.objects.select_for_update(of=("self",), no_key=True).select_related("list")
    try:
        return version.get(pk=version_id)
    except ListVersion.DoesNotExist:
        raise NotFound(_("There is no such version.")) from None


def submit_for_review(version_id: int, *, actor: Actor, at: datetime) -> ListVersion:
    """Hand a draft over to who publishes it. Nobody can change it until it is published or sent back."""
    with transaction.atomic():
        return _move("submit_for_review", version_id, actor=actor, at=at)


def send_back(version_id: int, *, actor: Actor, at: datetime, why: str) -> ListVersion:
    """Make a draft again of what is in review. Invalid without saying why."""
    if not why.strip():
        raise Invalid([Problem("", "why", _("Say what should change."))])
    with transaction.atomic():
        return _move("send_back", version_id, actor=actor, at=at, why=why.strip())


def publish(version_id: int, *, actor: Actor, at: datetime, on: date, until: date | None = None) -> ListVersion:
    """Bring a version that was reviewed and rehearsed into force from the start of `on` until the start of `until`.

    `until` is at most, and when left out exactly, twelve months after `on`. The version before holds until `on`. What
    was submitted is assessed already and does not change. Invalid for days that do not fit, NotAllowed for the author
    and whoever edited it, NotNow without a rehearsal of this very content.
    """
    latest = last_end(on)
    problems = []
    if on < today(at):
        problems.append(Problem("", "on", _("This day has passed. A version counts from today on at the earliest.")))
    if until is not None and not on < until <= latest:
        problems.append(Problem("", "until", _("A version ends after its first day and at most twelve months later.")))
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        version = _locked(version_id)
        others = version.list.versions.filter(state=VersionState.PUBLISHED)
        if others.filter(published_from__gte=on).exists():
            raise Invalid([Problem("", "on", _("A version that begins on that day or later is published already."))])
        version = _move(
            "publish",
            version_id,
            actor=actor,
            at=at,
            data={"on": on.isoformat(), "content": version.content},
            publisher_id=actor.user_id,
            on=on,
            until=until or latest,
        )
        for other in others.exclude(pk=version.pk):
            other.supersede()
            other.published_until = min(other.published_until or on, on)
            other.save()
    return version


def renew(version_id: int, *, actor: Actor, at: datetime, until: date, reason: str) -> ListVersion:
    """Let a published version count longer, until the start of `until`: at most twelve months from today.

    By a list manager who wrote nothing of it. Invalid without a reason and for a day that is not later than its end.
    """
    with transaction.atomic():
        version = _locked(version_id)
        if refused := refusal(version, "renew", actor):
            raise refused
        assert version.published_until is not None
        assert actor.user_id is not None
        problems = []
        if not reason.strip():
            problems.append(Problem("", "reason", _("Say why the list is still needed as it is.")))
        if not version.published_until < until <= last_end(today(at)):
            problems.append(Problem("", "until", _("Choose a day after its end, at most twelve months from today.")))
        if problems:
            raise Invalid(problems)
        Renewal.objects.create(
            version=version,
            by_id=actor.user_id,
            at=at,
            until_before=version.published_until,
            until=until,
            reason=reason.strip(),
        )
        version.published_until = until
        version.save(update_fields=["published_until"])
        data = {"version": version.number, "until": until.isoformat()}
        record(version.list, "list.renew", actor=actor, at=at, data=data)
    return version


def discard(version_id: int, *, actor: Actor, at: datetime) -> None:
    """Drop a draft with everything in it. That it was there stays in the history of the list."""
    with transaction.atomic():
        version = _locked(version_id)
        if refused := refusal(version, "discard", actor):
            raise refused
        record(version.list, "list.discard", actor=actor, at=at, data={"version": version.number})
        version.delete()


def remind(*, at: datetime) -> int:
    """Tell the owners of lists whose version ends soon, once for each distance of REMINDERS; how many were told.

    What was missed while nobody looked is told once: the nearest distance. Safe to run at any time, and again.
    """
    day, told = today(at), 0
    ending = ListVersion.objects.filter(
        state=VersionState.PUBLISHED,
        published_until__gt=day,
        published_until__lte=day + timedelta(days=max(REMINDERS)),
    )
    for version in ending.select_related("list"):
        assert version.published_until is not None
        left = (version.published_until - day).days
        days = min(distance for distance in REMINDERS if left <= distance)
        with transaction.atomic():
            _made, is_new = RenewalReminder.objects.get_or_create(
                version=version, until=version.published_until, days=days, defaults={"at": at}
            )
            if not is_new:
                continue
            outbox.emit(
                "list.ends_soon",
                subject=version.list.history_id,
                at=at,
                data={"version": version.pk, "until": version.published_until.isoformat()},
            ).save()
            told += 1
    if told:
        outbox.hint()
    return told
