"""How things are set up, in the audit log: an office, a calendar, a clock policy, an account, a company.

Each has a chain of its own, named by what it is about. An entry says who changed which fields, when, from what to what;
of fields that hold personal data only that they changed (`data` of an entry is kept for ever).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

import audit
from audit import verbs
from audit.canonical import utc_text
from audit.models import Entry, SetupHistory

ADDED, CHANGED, REMOVED, IN_FORCE = "setup.add", "setup.change", "setup.remove", "setup.in_force"

Changes = Mapping[str, tuple[Any, Any]]
"""Field → (what it was, what it is), both as fields hold them."""


def register() -> None:
    """Make the verbs recordable. Called once, when the app is ready."""
    verbs.register(ADDED, lambda entry: _said(entry, _("%(what)s: added.")))
    verbs.register(CHANGED, lambda entry: _said(entry, _("%(what)s: changed.")))
    verbs.register(REMOVED, lambda entry: _said(entry, _("%(what)s: removed.")))
    verbs.register(IN_FORCE, lambda entry: _said(entry, _("%(what)s: brought into force.")))


def record(
    subject: models.Model,
    verb: str,
    *,
    actor_id: int | None,
    actor_role: str,
    at: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    """One entry in the chain of `subject`, with the change itself: the caller's transaction writes both or neither.

    Refuses as `audit.record` does.
    """
    with transaction.atomic():
        SetupHistory.objects.get_or_create(subject=_name(subject))
        history = SetupHistory.objects.select_for_update(no_key=True).get(subject=_name(subject))
        audit.record(history, verb, actor_id=actor_id, actor_role=actor_role, at=at, data=dict(data or {})).save()
        history.save()


def entries(subject: models.Model) -> "models.QuerySet[Entry, Entry]":
    """What is in the audit log about how `subject` was set up, in order."""
    chain = SetupHistory.objects.filter(subject=_name(subject)).values("pk")
    return Entry.objects.filter(chain__in=chain).order_by("sequence")


def of_row(row: models.Model, changes: Changes, *, personal: Iterable[str] = ()) -> dict[str, Any]:
    """What an entry says of `row`: which it is and its changes; of fields in `personal` only their names."""
    return {
        "of": row._meta.label_lower,
        "row": row.pk,
        "fields": {name: [plain(was), plain(now)] for name, (was, now) in changes.items() if name not in personal},
        "withheld": sorted(set(personal) & set(changes)),
    }


def differences(before: models.Model | None, after: models.Model) -> dict[str, tuple[Any, Any]]:
    """Which fields of a row differ from what they were; of a new row (`before` None) all that hold something."""
    found = {}
    for field in after._meta.concrete_fields:
        was = getattr(before, field.attname) if before is not None else None
        now = getattr(after, field.attname)
        if was != now and not field.primary_key and not (before is None and now in ("", [])):
            found[field.name] = (was, now)
    return found


def _name(subject: models.Model) -> str:
    return f"{subject._meta.label_lower}:{subject.pk}"


def plain(value: Any) -> Any:
    """The value of a field as an entry holds it: text, whole number, true, false, null or a list of those; of a row
    its key, of moments and days ISO 8601 (moments in UTC)."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int) else str(value)


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _said(entry: Entry, sentence: str) -> str:
    model = apps.get_model(entry.data["of"])
    what = model._meta.verbose_name
    parts = [_change(model, name, *values) for name, values in entry.data["fields"].items()]
    parts += [_("%(field)s: changed") % {"field": _field_name(model, name)} for name in entry.data["withheld"]]
    return " ".join([sentence % {"what": what}, _("; ").join(parts)]).strip()


def _change(model: type[models.Model], name: str, was: Any, now: Any) -> str:
    values = {"field": _field_name(model, name), "was": _value(model, name, was), "now": _value(model, name, now)}
    if was in (None, "", []):
        return _("%(field)s: %(now)s") % values
    return _("%(field)s: %(now)s (before: %(was)s)") % values


def _field_name(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    many = field.one_to_many and field.related_model._meta.verbose_name_plural
    return str(many or field.verbose_name)


def _value(model: type[models.Model], name: str, value: Any) -> str:
    field: Any = model._meta.get_field(name)
    if value in (None, "", []):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.ForeignKey):
        return str(field.related_model._base_manager.filter(pk=value).first() or f"#{value}")
    if isinstance(field, models.DateTimeField) and (moment := parse_datetime(value)):
        return date_format(localtime(moment), "DATETIME_FORMAT")
    return str(value)
