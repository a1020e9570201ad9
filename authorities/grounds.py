"""The grounds of a refusal: legal instruments and reason codes, from the draft into force to the last day.

What was in force on a day stays what it was. A change is the next version: one administrator drafts it, another brings
it into force, from a day on that has begun nowhere; the version before it ends on the day before. An end is proposed
by one and confirmed by another, too. So the words under which somebody was refused can be read for ever: name the
codes and the day of the decision.

Days are those of the office that uses a code; `at` is any aware time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import audit
from accounts.refusals import Invalid, NotAllowed, NotNow, Problem
from accounts.roles import Actor, Role
from audit import verbs
from authorities.models import GroundHistory, LegalInstrument, ReasonCode

VERBS = {
    "ground.draft": gettext_lazy("A version was drafted."),
    "ground.change": gettext_lazy("The draft was changed."),
    "ground.discard": gettext_lazy("The draft was thrown away."),
    "ground.activate": gettext_lazy("The version was brought into force."),
    "ground.supersede": gettext_lazy("The version ends where the next one begins."),
    "ground.propose_end": gettext_lazy("A last day was proposed."),
    "ground.withdraw_end": gettext_lazy("The proposed last day was taken back."),
    "ground.end": gettext_lazy("The last day was confirmed."),
}

G = TypeVar("G", LegalInstrument, ReasonCode)
Ground = LegalInstrument | ReasonCode

_EAST = timedelta(hours=14)


def register() -> None:
    """Make the verbs recordable. Called once, when the app is ready."""
    for verb, words in VERBS.items():
        verbs.register(verb, words)


def latest_day(at: datetime) -> date:
    """The latest day that it is anywhere on earth at `at`: what begins after it changes no day of any office."""
    return (at + _EAST).astimezone(UTC).date()


# ── which there are ─────────────────────────────────────────────────────────────────────────────────────────────────


def in_force(office_id: int, on: date) -> QuerySet[ReasonCode]:
    """The codes that the office `office_id` may use on `on`, in the version of that day, with their instruments."""
    return ReasonCode.objects.in_force(on, office_id).select_related("instrument")


def codes(codes: Sequence[str], *, office_id: int, on: date) -> list[ReasonCode]:
    """Those of `codes` that were in force for the office on `on`, in their version of that day and in the order given.

    One query; none without codes.
    """
    if not codes:
        return []
    found = {row.code: row for row in in_force(office_id, on).filter(code__in=codes)}
    return [found[code] for code in dict.fromkeys(codes) if code in found]


def reworded(names: Sequence[str], *, office_id: int, since: date, on: date) -> list[str]:
    """Those of the codes `names` that are not on `on` what they were on `since`: another version, or not in force.

    Who was heard on one wording is not refused on another.
    """
    before = {row.code: row.pk for row in codes(names, office_id=office_id, on=since)}
    after = {row.code: row.pk for row in codes(names, office_id=office_id, on=on)}
    return [name for name in dict.fromkeys(names) if name not in after or before.get(name) != after[name]]


def known(code: str = "") -> QuerySet[ReasonCode]:
    """Every version that was brought into force, or those of one code, the newest first: what everybody can read."""
    rows = ReasonCode.objects.filter(activated_at__isnull=False).select_related("office", "instrument__office")
    return (rows.filter(code=code) if code else rows).order_by("code", "-version")


def orphaned(instrument: LegalInstrument, *, after: date) -> list[ReasonCode]:
    """Codes that rest on this version of an instrument and have no next version that comes into force after `after`."""
    resting = ReasonCode.objects.filter(instrument=instrument, activated_at__isnull=False)
    lasting = [row for row in resting if row.last_day is None or row.last_day > after]
    followed = ReasonCode.objects.filter(history__in=[row.history_id for row in lasting], active_from__gt=after)
    going_on = set(followed.filter(activated_at__isnull=False).values_list("history_id", flat=True))
    return [row for row in lasting if row.history_id not in going_on]


# ── what they point at ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a submitted revision: the field, its place in the list (None: the field is one text), what it says."""

    field: str
    place: int | None
    words: str


_PARTS: dict[str, tuple[str, ...]] = {
    ReasonCode.PointsAt.EVENT: ("event_name", "event_url"),
    ReasonCode.PointsAt.TOPIC: ("topics",),
    ReasonCode.PointsAt.MATERIAL: ("materials", "devices"),
}
_OF_LEGS: dict[str, tuple[tuple[str, ...], str]] = {
    ReasonCode.PointsAt.DESTINATION: (("city", "country"), ", "),
    ReasonCode.PointsAt.HOST: (("host",), ""),
    ReasonCode.PointsAt.DATES: (("arrives_on", "leaves_on"), "/"),
}


def pointed_at(code: ReasonCode, content: Mapping[str, Any]) -> list[Part]:
    """The parts of the trip that `code` points at, in `content` of a submitted revision (plain data); empty: none.

    What somebody works on is no part of a trip: the company's projects and documents are never among them.
    """
    if code.points_at in _OF_LEGS:
        names, between = _OF_LEGS[code.points_at]
        legs = [[str(leg.get(name) or "").strip() for name in names] for leg in content.get("legs") or ()]
        return [Part("legs", at, between.join(filter(None, said))) for at, said in enumerate(legs) if any(said)]
    return [part for field in _PARTS.get(code.points_at, ()) for part in _said(field, content.get(field))]


def _said(field: str, value: Any) -> Iterable[Part]:
    if isinstance(value, str):
        return [Part(field, None, value.strip())] if value.strip() else []
    return [Part(field, at, str(one)) for at, one in enumerate(value or ()) if str(one).strip()]


# ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def draft_instrument(
    *, actor: Actor, at: datetime, values: Mapping[str, Any], after: LegalInstrument | None = None
) -> LegalInstrument:
    """A draft of an instrument, or of the next version of `after`; `values` are its fields.

    NotAllowed for who is no administrator; Invalid with what does not fit.
    """
    history = after.history if after else None
    return _draft(LegalInstrument(**values), history, actor=actor, at=at)


def draft_code(*, actor: Actor, at: datetime, values: Mapping[str, Any]) -> ReasonCode:
    """A draft of a reason code; of its next version where the code is known already. Refuses as `draft_instrument`."""
    known = ReasonCode.objects.filter(code=values.get("code")).select_related("history").first()
    return _draft(ReasonCode(**values), known.history if known else None, actor=actor, at=at)


def next_version(row: G, *, actor: Actor, at: datetime) -> G:
    """A draft of the version after the newest of `row`, which begins as a copy of `row` on the first day it could."""
    names = [field.name for field in row._meta.local_fields if field.editable and not field.primary_key]
    values = {name: getattr(row, name) for name in names}
    values |= {row.FIRST: max(latest_day(at) + timedelta(days=1), row.first_day), row.LAST: None}
    return _draft(type(row)(**values), row.history, actor=actor, at=at)


def carry_over(instrument: LegalInstrument, *, actor: Actor, at: datetime) -> list[ReasonCode]:
    """Drafts of the next version of every code that rests on the version before this one and ends with it.

    They rest on `instrument` and begin with it. NotNow while it is a draft: it can still change.
    """
    if instrument.is_draft:
        raise NotNow(_("Bring this version into force first: codes rest on what stays as it is."))
    made = []
    before = instrument.first_day - timedelta(days=1)
    for earlier in LegalInstrument.objects.filter(history=instrument.history_id, version__lt=instrument.version):
        for code in orphaned(earlier, after=before):
            if ReasonCode.objects.filter(history=code.history_id, activated_at=None).exists():
                continue  # somebody is at it
            names = ("code", "label_zh", "label_en", "points_at", "office_id")
            values = {name: getattr(code, name) for name in names}
            values |= {"instrument": instrument, "active_from": instrument.first_day}
            made.append(draft_code(actor=actor, at=at, values=values))
    return made


def change(row: G, *, actor: Actor, at: datetime, values: Mapping[str, Any]) -> G:
    """Write `values` into a draft. NotNow when it is none any more; NotAllowed for everybody but who drafted it.

    Otherwise whoever brings it into force could have written what they then approve.
    """
    with transaction.atomic():
        _must_administer(actor)
        kept = _locked(row)
        _must_be_draft(kept)
        if kept.drafted_by_id not in (None, actor.user_id):
            raise NotAllowed(_("Only who drafted this version changes it. Draft a version of your own."))
        for name, value in values.items():
            setattr(kept, name, value)
        kept.drafted_by_id = actor.user_id
        _check(kept)
        kept.save()
        _record(kept, "ground.change", actor=actor, at=at)
    return kept


def discard(row: G, *, actor: Actor, at: datetime) -> None:
    """Throw a draft away. NotNow when it is in force: that ends instead."""
    with transaction.atomic():
        _must_administer(actor)
        kept = _locked(row)
        _must_be_draft(kept)
        _record(kept, "ground.discard", actor=actor, at=at)
        kept.delete()


def _draft(row: G, history: GroundHistory | None, *, actor: Actor, at: datetime) -> G:
    with transaction.atomic():
        _must_administer(actor)
        row.history = history or GroundHistory()
        if history is None:
            row.history.save()
        else:
            GroundHistory.objects.select_for_update(no_key=True).get(pk=history.pk)
            versions = type(row)._default_manager.filter(history=history)
            row.version = (versions.aggregate(last=Max("version"))["last"] or 0) + 1
        row.drafted_by_id, row.drafted_at = actor.user_id, at
        _check(row)
        row.save()
        _record(row, "ground.draft", actor=actor, at=at)
    return row


# ── into force, and to an end ───────────────────────────────────────────────────────────────────────────────────────


def activate(row: G, *, actor: Actor, at: datetime) -> G:
    """Bring a draft into force from its first day on; the version before it ends on the day before.

    NotNow when it, or a later version, is in force already. NotAllowed for who drafted it, and for who is no
    administrator. Invalid when a later version than the first begins on a day that has begun somewhere or before the
    version that it follows, and for a code whose instrument is not in force on its first day.
    """
    with transaction.atomic():
        _must_administer(actor)
        kept = _locked(row)
        _must_be_draft(kept)
        if kept.drafted_by_id in (None, actor.user_id):
            raise NotAllowed(
                _("You drafted this version. Another administrator must compare it and bring it into force.")
            )
        _check(kept, in_force=True)
        before = _before(kept)
        if kept.version > 1 and kept.first_day <= latest_day(at):
            raise Invalid([Problem("", kept.FIRST, _earliest(latest_day(at) + timedelta(days=1)))])
        if before is not None:
            if before.version > kept.version:
                raise NotNow(_("A later version is in force. Draft the next one."))
            if kept.first_day <= before.first_day:
                raise Invalid([Problem("", kept.FIRST, _earliest(before.first_day + timedelta(days=1)))])
            _supersede(before, kept, actor=actor, at=at)
        kept.activated_by_id, kept.activated_at = actor.user_id, at
        kept.save()
        _record(kept, "ground.activate", actor=actor, at=at)
    return kept


def propose_end(row: G, *, actor: Actor, at: datetime, last_day: date) -> G:
    """Propose a last day for what is in force. Another administrator confirms it; until then nothing changes.

    NotNow for a draft. Invalid for a day that is over somewhere, before the first, or not earlier than the last now.
    """
    with transaction.atomic():
        _must_administer(actor)
        kept = _locked(row)
        if kept.is_draft:
            raise NotNow(_("This is a draft: change it or throw it away."))
        _must_be_able_to_end(kept, last_day, at)
        kept.end_on, kept.end_drafted_by_id = last_day, actor.user_id
        kept.save()
        _record(kept, "ground.propose_end", actor=actor, at=at, data={"until": last_day.isoformat()})
    return kept


def withdraw_end(row: G, *, actor: Actor, at: datetime) -> G:
    """Take a proposed last day back. NotNow when none is proposed."""
    with transaction.atomic():
        _must_administer(actor)
        kept = _locked(row)
        if not kept.end_is_proposed:
            raise NotNow(_("No last day is proposed."))
        kept.end_on, kept.end_drafted_by = None, None
        kept.save()
        _record(kept, "ground.withdraw_end", actor=actor, at=at)
    return kept


def end(row: G, *, actor: Actor, at: datetime) -> G:
    """Confirm the proposed last day. NotNow when none is proposed; NotAllowed for who proposed it; Invalid when it
    has passed meanwhile."""
    with transaction.atomic():
        _must_administer(actor)
        kept = _locked(row)
        if not kept.end_is_proposed:
            raise NotNow(_("No last day is proposed."))
        assert kept.end_on is not None
        if kept.end_drafted_by_id == actor.user_id:
            raise NotAllowed(_("You proposed this last day. Another administrator must confirm it."))
        _must_be_able_to_end(kept, kept.end_on, at)
        _end(kept, actor=actor, at=at)
        _record(kept, "ground.end", actor=actor, at=at, data={"until": kept.end_on.isoformat()})
    return kept


def _supersede(before: Ground, by: Ground, *, actor: Actor, at: datetime) -> None:
    last = by.first_day - timedelta(days=1)
    if before.last_day is not None and before.last_day <= last:
        return
    before.end_on, before.end_drafted_by_id = last, by.drafted_by_id
    _end(before, actor=actor, at=at)
    _record(before, "ground.supersede", actor=actor, at=at, data={"until": last.isoformat(), "by": by.version})


def _end(row: Ground, *, actor: Actor, at: datetime) -> None:
    setattr(row, row.LAST, row.end_on)
    row.ended_by_id, row.ended_at = actor.user_id, at
    row.save()


def _before(row: G) -> G | None:
    """The newest version that was brought into force, whenever it begins."""
    others = type(row)._default_manager.select_for_update(of=("self",)).filter(history=row.history_id)
    found: G | None = others.filter(activated_at__isnull=False).order_by("-version").first()
    return found


def _must_be_able_to_end(row: Ground, last_day: date, at: datetime) -> None:
    if last_day < (earliest := max(row.first_day, latest_day(at))):
        raise Invalid([Problem("", "last_day", _earliest(earliest))])
    if row.last_day is not None and last_day >= row.last_day:
        sentence = _("It ends on %(day)s already. A later end is a new version.") % {"day": date_format(row.last_day)}
        raise Invalid([Problem("", "last_day", sentence)])


def _earliest(day: date) -> str:
    return _("What has been in force stays as it was: %(day)s is the earliest day.") % {"day": date_format(day)}


def _must_administer(actor: Actor) -> None:
    if not actor.holds(Role.ADMINISTRATOR):
        raise NotAllowed(_("Administrators keep instruments and reason codes."))


def _must_be_draft(row: Ground) -> None:
    if not row.is_draft:
        raise NotNow(_("This version is in force. Draft the next one."))


def _locked(row: G) -> G:
    found: G = type(row)._default_manager.select_for_update(of=("self",)).select_related("history").get(pk=row.pk)
    return found


def _check(row: Ground, *, in_force: bool = False) -> None:
    """Invalid with everything that the fields and the constraints of `row` refuse, by field."""
    try:
        row.full_clean(exclude=["history"], validate_constraints=not in_force)
    except ValidationError as error:
        raise Invalid(
            [
                Problem("", "" if field == "__all__" else field, str(message))
                for field, messages in error.message_dict.items()
                for message in messages
            ]
        ) from None
    if not in_force:
        return
    if isinstance(row, LegalInstrument):
        if row.published_on is None:
            message = _("An instrument that is not published cannot be brought into force.")
            raise Invalid([Problem("", "published_on", message)])
    elif not row.instrument.is_in_force(row.first_day):
        raise Invalid(
            [Problem("", "instrument", _("This version of the instrument is not in force on the first day."))]
        )


def _record(row: Ground, verb: str, *, actor: Actor, at: datetime, data: Mapping[str, Any] | None = None) -> None:
    """One entry in the chain of the ground, with the version; of a code also what it is called."""
    history = GroundHistory.objects.select_for_update(no_key=True).get(pk=row.history_id)
    said: dict[str, Any] = {"version": row.version, "kind": row._meta.model_name}
    if isinstance(row, ReasonCode):
        said["code"] = row.code
    if verb in ("ground.draft", "ground.change", "ground.activate"):
        said["from"] = row.first_day.isoformat()
    audit.record(
        history, verb, actor_id=actor.user_id, actor_role=Role.ADMINISTRATOR, at=at, data=said | dict(data or {})
    ).save()
    history.save()
    row.history = history
