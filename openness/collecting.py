"""Everything that is held about one person, row by row, as it is given to them.

A row is a *record* when it is about the person: their account, what hangs on it, their employment, their requests and
all that happened to them. It is given whole. A row is a *mention* when the person only did something in it, about
somebody or something else: it is given by its key, the fields that name them and its moments. Both are found by the
foreign keys of the models, and by the few columns below that hold a key without being one; so a table that comes later
is not forgotten.

Other people are not named: their accounts are replaced by officer numbers and roles. What is left out says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AccessEntry, RoleAssignment, User
from approvals.models import Assessment, MatchJudgement, TravelRequest
from audit.models import Entry
from authorities.models import Posting
from companies.models import Membership
from employees.models import Employee
from notifications.models import Notification, OutboxEvent
from openness.belonging import every_model, path_to, relations, tables_of_requests
from openness.models import Correction
from sensitivity.models import RehearsedChange

Row = dict[str, Any]

OWN = frozenset({"user", "recipient"})
"""Foreign keys to an account that mean: this row is about that person."""

_SECRET = _("A secret with which one signs in. Nobody can read it, and giving it out would weaken it.")
_OF_OTHERS = _("It is about somebody else's request or record. That you are named in it, and when, is in the archive.")
_THEIR_REASONS = _("The private reasons of another person for leaving the case.")
_LISTS = _("Work on a list that was not published; it decided nothing about you.")
_CONFIDENTIAL = _("It would name an entry of a confidential list. What may be known of it is there.")

WITHHELD: Mapping[tuple[str, str], str | Promise] = {
    ("accounts.User", "password"): _SECRET,
    ("mfa.Authenticator", "data"): _SECRET,
    ("account.EmailConfirmation", "key"): _SECRET,
    ("socialaccount.SocialToken", "token"): _SECRET,
    ("socialaccount.SocialToken", "token_secret"): _SECRET,
    ("notifications.CalendarFeed", "token_hash"): _SECRET,
    ("sessions.Session", "session_key"): _SECRET,
    ("sessions.Session", "session_data"): _SECRET,
    ("approvals.Recusal", "reason"): _THEIR_REASONS,
    ("sensitivity.RehearsedChange", "codes"): _LISTS,
    ("admin.LogEntry", "object_repr"): _OF_OTHERS,
    ("admin.LogEntry", "change_message"): _OF_OTHERS,
}
"""Fields that are named in the archive and not contained, each with the reason that the archive gives."""

IN_GENERAL: tuple[tuple[str | Promise, str | Promise], ...] = (
    (_("Names of other people"), _("Replaced by their officer numbers and roles.")),
    (_("Contents of rows in which you did something for others"), _OF_OTHERS),
    (_("Entries of confidential lists"), _CONFIDENTIAL),
    (
        _("Your name in a text that somebody wrote about something else"),
        _("Texts are not searched for names: a name is not proof of who is meant."),
    ),
    (
        _("Signed heads of audit chains"),
        _("Numbers and hashes over the audit entries, which are in the archive themselves."),
    ),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table, as they go into the archive."""

    table: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file that belongs into the archive: its place there, and its name in the storage."""

    path: str
    stored: str
    field: Any = field(compare=False, repr=False)


class Person:
    """Somebody, with the keys of everything that is about them."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def employees(self) -> list[int]:
        """Their employee records."""
        return list(Employee.unscoped.filter(user=self.user).order_by("pk").values_list("pk", flat=True))

    @cached_property
    def requests(self) -> list[UUID]:
        """Their requests, drafts too, the oldest first."""
        found = TravelRequest.unscoped.filter(applicant__in=self.employees).order_by("created_at", "pk")
        return list(found.values_list("pk", flat=True))

    @cached_property
    def corrections(self) -> list[UUID]:
        """The corrections they asked for."""
        return list(Correction.unscoped.filter(user=self.user).values_list("pk", flat=True))

    @cached_property
    def told(self) -> dict[UUID, set[str]]:
        """What they were told of, as which audience."""
        found: dict[UUID, set[str]] = {}
        for event, audience in Notification.objects.filter(recipient=self.user).values_list("event_id", "audience"):
            found.setdefault(event, set()).add(audience)
        return found

    @cached_property
    def sessions(self) -> list[str]:
        """The keys of the sessions in which they are signed in."""
        current = Session.objects.filter(expire_date__gt=timezone.now())
        return [
            one.session_key for one in current.iterator() if one.get_decoded().get("_auth_user_id") == str(self.user.pk)
        ]


def of_requests(person: Person, requests: Collection[UUID]) -> Iterator[Part]:
    """All rows of all tables that belong to `requests`, which are the person's."""
    others = _Others(person)
    for model, rows in _request_rows(requests):
        if found := [_record(row, person, others) for row in rows]:
            yield Part(model._meta.label, found)


def _request_rows(requests: Collection[UUID]) -> Iterator[tuple[type[models.Model], QuerySet[Any, Any]]]:
    yield TravelRequest, TravelRequest.unscoped.filter(pk__in=requests)
    for model, path in tables_of_requests().items():
        yield model, model._base_manager.filter(**{f"{path}__in": requests}).order_by("pk")
    yield AccessEntry, AccessEntry.objects.filter(subject__in=requests).order_by("pk")
    yield Entry, Entry.objects.filter(chain__in=requests).order_by("pk")
    yield OutboxEvent, OutboxEvent.objects.filter(subject__in=requests).order_by("pk")
    yield RehearsedChange, RehearsedChange.objects.filter(request__in=requests).order_by("pk")


def of_person(person: Person) -> Iterator[Part]:
    """All rows that are about the person without belonging to a request of theirs, and all that mention them."""
    others = _Others(person)
    yield Part(User._meta.label, [_record(person.user, person, others)])
    for model in every_model():
        if found := _rows_of(model, person, others):
            yield Part(model._meta.label, found)


def _rows_of(model: type[models.Model], person: Person, others: _Others) -> list[Row]:
    """Of one table: the records that hang on the person or their employment, then the mentions."""
    about = Q(pk__in=[])
    if model is Employee:
        about |= Q(pk__in=person.employees)
    elif model is Session:
        about |= Q(pk__in=person.sessions)
    elif model is OutboxEvent:
        about |= Q(pk__in=person.told) | Q(subject__in=person.corrections)
    elif path := path_to(model, Employee):
        about |= Q(**{f"{path}__in": person.employees})
    naming = [one.name for one in relations(model) if one.related_model is User]
    for name in naming:
        if name in OWN:
            about |= Q(**{name: person.user})
    mentioned = Q(pk__in=[])
    for name in naming:
        mentioned |= Q(**{name: person.user})
    if model is Entry:
        mentioned |= Q(actor_id=person.user.pk)
    # What belongs to a request of theirs is given with it.
    rows = _not_given_with_requests(model, person)
    found = [_record(row, person, others) for row in rows.filter(about)]
    found += [_mention(row, naming, person) for row in rows.filter(mentioned).exclude(about)]
    return found


def _not_given_with_requests(model: type[models.Model], person: Person) -> QuerySet[Any, Any]:
    rows = model._base_manager.order_by("pk")
    if model in (TravelRequest, User):
        return rows.exclude(pk__in=person.requests if model is TravelRequest else [person.user.pk])
    if model is AccessEntry or model is OutboxEvent:
        return rows.exclude(subject__in=person.requests)
    if model is Entry:
        return rows.exclude(chain__in=person.requests)
    if path := tables_of_requests().get(model):
        # Not exclude(): a row without a request is not one of theirs, and exclude() would lose it.
        return rows.filter(~Q(**{f"{path}__in": person.requests}) | Q(**{f"{path}__isnull": True}))
    return rows


# ── one row ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _record(row: models.Model, person: Person, others: _Others) -> Row:
    """A row that is about the person, whole, except for what is withheld."""
    label = row._meta.label
    values: dict[str, Any] = {}
    for one in row._meta.concrete_fields:
        if (label, one.name) in WITHHELD:
            values[one.name] = {"withheld": True}
        else:
            values[one.name] = _value(row, one, person, others)
    if isinstance(row, Assessment):
        values["hits"] = [_hit(hit) for hit in row.hits]
        values["possible"] = [_possible(one) for one in row.possible]
    elif isinstance(row, MatchJudgement) and _is_about_a_confidential_entry(row):
        values |= dict.fromkeys(("key", "written", "name", "reason"), {"withheld": True})
    elif isinstance(row, OutboxEvent):
        values["words"] = {name: row.words[name] for name in person.told.get(row.pk, ()) if name in row.words}
    elif isinstance(row, Entry):
        values["actor_id"] = others.named(row.actor_id)
    return {"id": str(row.pk), "kind": "record", "values": values}


def _mention(row: models.Model, naming: Collection[str], person: Person) -> Row:
    """A row about something else in which the person did something: where, as what, when."""
    named = [name for name in naming if getattr(row, f"{name}_id") == person.user.pk]
    if isinstance(row, Entry):
        named.append("actor_id")
    moments = {
        one.name: plain(getattr(row, one.attname))
        for one in row._meta.concrete_fields
        if isinstance(one, models.DateField) and getattr(row, one.attname) is not None
    }
    return {"id": str(row.pk), "kind": "mention", "as": named, "values": moments}


def _value(row: models.Model, one: models.Field[Any, Any], person: Person, others: _Others) -> Any:
    if isinstance(one, models.FileField):
        stored = getattr(row, one.attname)
        return {"file": path_in_archive(row, one)} if stored else None
    value = getattr(row, one.attname)
    if one.is_relation and one.related_model is User:
        return others.named(value)
    return plain(value)


def plain(value: Any) -> Any:
    """`value` as JSON has it: moments and days in ISO 8601, bytes in hexadecimal, keys as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return str(value)


class _Others:
    """Other people, by what they are to the person: an officer number, a role, never a name."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def named(self, user_id: int | None) -> str | None:
        """What stands in the place of an account: "you", a number with its role, or a role."""
        if user_id is None:
            return None
        if user_id == self._person.user.pk:
            return "you"
        return self._numbers.get(user_id) or self._roles.get(user_id) or "another account"

    @cached_property
    def _numbers(self) -> dict[int, str]:
        rows = Posting.objects.order_by("starts_at").values_list("user_id", "role", "number")
        return {user_id: f"{role}, officer {number}" for user_id, role, number in rows}

    @cached_property
    def _roles(self) -> dict[int, str]:
        found = dict.fromkeys(Membership.objects.values_list("user_id", flat=True), "officer of a company")
        return found | dict(RoleAssignment.objects.values_list("user_id", "role"))


# ── confidential entries ────────────────────────────────────────────────────────────────────────────────────────────

# What the page says of a confidential entry that counted (approvals/disclosure.py): not which one it is.
_MAY_BE_KNOWN = ("list_zh", "list_en", "version", "level", "confidential", "reviewed_by", "reviewed_on")
# Assessments that are older name an article once, for both languages.
_BASES = (
    "basis_zh",
    "basis_en",
    "basis_article",
    "basis_article_zh",
    "basis_article_en",
    "basis_url",
    "secret_zh",
    "secret_en",
    "secret_article",
    "secret_article_zh",
    "secret_article_en",
    "secret_url",
)


def _hit(hit: Mapping[str, Any]) -> Row:
    if not hit.get("confidential"):
        return dict(hit)
    return {name: hit[name] for name in (*_MAY_BE_KNOWN, *_BASES) if name in hit} | {"withheld": True}


def _possible(one: Mapping[str, Any]) -> Row:
    if not one["hit"].get("confidential"):
        return dict(one)
    return {"hit": _hit(one["hit"]), "withheld": True}


def _is_about_a_confidential_entry(row: MatchJudgement) -> bool:
    kept = [*row.assessment.possible, *({"hit": hit} for hit in row.assessment.hits)]
    return any(one["hit"].get("confidential") for one in kept)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def path_in_archive(row: models.Model, one: models.Field[Any, Any]) -> str:
    """Where a stored file of `row` is in the archive: by table and key, with its own name behind."""
    name = str(getattr(row, "name", "") or one.name).replace("/", "_").replace("\\", "_").lstrip(".")
    return f"files/{row._meta.model_name}/{row.pk}/{name[-120:] or one.name}"


def files(person: Person) -> Iterator[StoredFile]:
    """Every stored file of the rows that are about the person, archives like this one left out."""
    for model, rows in _request_rows(person.requests):
        fields = [one for one in model._meta.concrete_fields if isinstance(one, models.FileField)]
        if not fields:
            continue
        for row in rows:
            for one in fields:
                if stored := getattr(row, one.attname):
                    yield StoredFile(path_in_archive(row, one), stored.name, stored)
