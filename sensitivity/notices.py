"""What happened to lists, in words: in the audit log, and to whom it is told."""

from collections.abc import Callable, Iterable, Mapping

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import RoleAssignment
from accounts.roles import Role
from audit import verbs
from audit.models import Entry
from notifications.models import OutboxEvent
from notifications.registry import Kind, Notice, register_kind
from notifications.registry import register as register_notice
from sensitivity.models import ListVersion


def _dated(entry: Entry) -> dict[str, object]:
    """What an entry holds, its days as they are written in the active language."""
    days = {name: parse_date(str(entry.data.get(name, ""))) for name in ("on", "until")}
    said: dict[str, object] = dict(entry.data)
    return said | {name: date_format(day) for name, day in days.items() if day}


VERBS: Mapping[str, Callable[[Entry], str] | Promise] = {
    "list.found": _("The list was founded."),
    "list.settle": _("What the list says of itself was changed."),
    "list.draft": lambda entry: _("Version %(version)d was begun.") % entry.data,
    "list.submit_for_review": lambda entry: _("Version %(version)d was handed over for review.") % entry.data,
    "list.send_back": lambda entry: _("Version %(version)d was sent back.") % entry.data,
    "list.publish": lambda entry: _("Version %(version)d was published, in force from %(on)s.") % _dated(entry),
    "list.renew": lambda entry: _("Version %(version)d was renewed until %(until)s.") % _dated(entry),
    "list.discard": lambda entry: _("The draft of version %(version)d was discarded.") % entry.data,
    "list.import": lambda entry: _("A file was taken over into version %(version)d.") % entry.data,
}


def _version(event: OutboxEvent) -> ListVersion:
    return ListVersion.objects.select_related("list").get(pk=event.data["version"])


def owner(event: OutboxEvent) -> Iterable[int]:
    return [_version(event).list.owner_id]


def author(event: OutboxEvent) -> Iterable[int]:
    return [_version(event).author_id]


def other_list_managers(event: OutboxEvent) -> Iterable[int]:
    """Everybody who keeps lists at that moment, except who did it."""
    return (
        RoleAssignment.objects.in_force(event.at)
        .filter(role=Role.LIST_MANAGER)
        .exclude(user_id=event.data.get("by"))
        .values_list("user_id", flat=True)
        .distinct()
    )


def _context(event: OutboxEvent) -> Mapping[str, object]:
    version = _version(event)
    end = parse_date(event.data.get("until", "")) or version.published_until
    return {
        "list": version.list.name,
        "version": version.number,
        "day": date_format(version.published_from) if version.published_from else "",
        "until": date_format(end) if end else "",
        "why": version.sent_back,
    }


def _url(event: OutboxEvent) -> str:
    version = _version(event)
    return reverse("list_version", args=[version.list_id, version.number])


NOTICES: list[tuple[str, str, Callable[[OutboxEvent], Iterable[int]], Promise | str, Promise | str]] = [
    (
        "list.submit_for_review",
        "list managers",
        other_list_managers,
        _("%(list)s: version %(version)d waits for its publication"),
        _("It was handed over for review. Look at its rehearsal and at what is new, then publish it or send it back."),
    ),
    (
        "list.send_back",
        "author",
        author,
        _("%(list)s: version %(version)d was sent back"),
        _("It is a draft again. What should change: %(why)s"),
    ),
    (
        "list.publish",
        "list managers",
        other_list_managers,
        _("%(list)s: version %(version)d is published"),
        _("It is in force from %(day)s on. Requests that were submitted before are not assessed anew."),
    ),
    (
        "list.ends_soon",
        "owner",
        owner,
        _("%(list)s: version %(version)d ends on %(until)s"),
        _("From that day on it does not count any more. Have it renewed with reasons, or publish the next version."),
    ),
]


LISTS = Kind(
    key="lists",
    label=_("Sensitivity lists"),
    examples=_("Versions handed over for review, sent back, and published."),
    roles=frozenset({Role.LIST_MANAGER}),
)
# What its owner has to act on cannot be switched off, as a due date.
_DUE = frozenset({"list.ends_soon"})


def register() -> None:
    """Make the verbs recordable and the events tellable. Called once, when the app is ready."""
    for verb, words in VERBS.items():
        verbs.register(verb, words)
    register_kind(LISTS)
    for event, audience, recipients, subject, body in NOTICES:
        register_notice(
            Notice(
                event=event,
                audience=audience,
                recipients=recipients,
                context=_context,
                url=_url,
                subject=subject,
                body=body,
                kind="due" if event in _DUE else LISTS.key,
            )
        )
