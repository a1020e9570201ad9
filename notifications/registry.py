"""Who is told what when something happened. The apps register their notices in AppConfig.ready.

Adding a notification is one `register` call:

    register(
        Notice(
            event="request.submitted",
            audience="officers",
            recipients=officers_of,            # (OutboxEvent) → user ids
            context=number_and_name,           # (OutboxEvent) → values for the texts, in the active language
            url=lambda event: reverse("request", args=[event.subject]),
            subject=_("%(number)s waits for your review"),
            body=_("%(applicant)s asks for clearance…\\n\\nPlease review it by %(due)s."),
            kind="work",
        )
    )

What it is about is a `Kind`, registered like a notice: people choose by kind what they are told, and how. An event may
have several audiences, each with its own words. A person in two of them is told as the one that was
registered first, once. Texts are English source strings marked with gettext_lazy; the values are put in with `%`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.roles import Role
from notifications.models import Channel, OutboxEvent


class UnknownEvent(LookupError):
    """Something was to be told under a name that no notice was registered for."""


def _nothing(event: OutboxEvent) -> Mapping[str, object]:
    return {}


def _nowhere(event: OutboxEvent) -> str:
    return ""


def _can_wait(event: OutboxEvent) -> bool:
    return False


Subjects = Callable[[Collection[UUID]], Mapping[UUID, object]]
"""Reads what events are about, many in one query. What is not there (any more) is not in the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What notifications are about, as people choose it: the lines of the page of preferences."""

    key: str
    """Kept with each notification and in people's choices: at most 20 characters, never used for something else."""
    label: str | Promise
    examples: str | Promise
    roles: Set[Role] = frozenset()
    """Who is offered the choice; empty: everybody."""
    why_always: str | Promise = ""
    """Why nobody can switch it off, in a sentence. Empty: people can."""
    waits_for_digest: bool = True
    """Whether those who want one mail a day find it in there; else it comes by itself."""

    @property
    def is_optional(self) -> bool:
        """Whether people can switch it off."""
        return not self.why_always


GENERAL = Kind(key="", label=_("Everything else"), examples="", why_always=_("It belongs to no kind."))
"""What a notice is about that names no kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one audience is told about one event. `context` is called once for each language, with it active.

    `is_urgent` says of an event whether it comes at once, whatever hours people keep. `repeats`: of several about one
    subject that a person has not seen, only the latest is of use; it takes the place of the earlier ones. `subjects`
    reads what several events are about: each finds its own in `event.about`, and None where there is none.
    """

    event: str
    audience: str
    recipients: Callable[[OutboxEvent], Iterable[int]]
    subject: str | Promise
    body: str | Promise
    context: Callable[[OutboxEvent], Mapping[str, object]] = _nothing
    url: Callable[[OutboxEvent], str] = _nowhere
    kind: str = GENERAL.key
    is_urgent: Callable[[OutboxEvent], bool] = _can_wait
    subjects: Subjects | None = None
    repeats: bool = False
    channels: tuple[Channel, ...] = tuple(Channel)


_kinds: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Offer `kind` as a choice from now on, after those registered before. Refuses with ValueError a key in use."""
    if kind.key == GENERAL.key or _kinds.get(kind.key, kind) is not kind:
        raise ValueError(f"{kind.key!r} is a kind already")
    _kinds[kind.key] = kind


def kind(key: str) -> Kind:
    """The kind registered as `key`; what no app registers (any more) is `GENERAL`, and always told."""
    return _kinds.get(key, GENERAL)


def kinds(roles: Set[Role]) -> list[Kind]:
    """The kinds that somebody with these roles is offered, in the order of registration."""
    return [kind for kind in _kinds.values() if not kind.roles or kind.roles & roles]


def optional_kinds() -> frozenset[str]:
    """The keys of the kinds that people can switch off."""
    return frozenset(key for key, kind in _kinds.items() if kind.is_optional)


_notices: dict[str, dict[str, Notice]] = {}


def register(notice: Notice) -> None:
    """Tell `notice.audience` of `notice.event` from now on. Refuses with ValueError an audience it has already."""
    audiences = _notices.setdefault(notice.event, {})
    if audiences.get(notice.audience, notice) is not notice:
        raise ValueError(f"{notice.event} tells {notice.audience} already")
    audiences[notice.audience] = notice


def notices(event: str) -> list[Notice]:
    """The notices of `event`, in the order of registration. Refuses with `UnknownEvent` a name nobody registered."""
    try:
        return list(_notices[event].values())
    except KeyError:
        raise UnknownEvent(f"no notice is registered for {event!r}; see notifications.registry") from None


def notice(event: str, audience: str) -> Notice | None:
    """The notice of `event` for `audience`; None when it is not registered (any more)."""
    return _notices.get(event, {}).get(audience)


def must_be_known(event: str) -> None:
    """Raise `UnknownEvent` unless a notice is registered for `event`."""
    if event not in _notices:
        notices(event)


def read_subjects(events: Iterable[OutboxEvent]) -> None:
    """Put into each of `events` what it is about, for notices that want to know; one query for each kind of thing."""
    wanted: dict[Subjects, list[OutboxEvent]] = {}
    for event in events:
        for notice in _notices.get(event.event, {}).values():
            if notice.subjects is not None:
                wanted.setdefault(notice.subjects, []).append(event)
                break
    for read, about in wanted.items():
        found = read({event.subject for event in about})
        for event in about:
            event.about = found.get(event.subject)


def events() -> frozenset[str]:
    """Every event that somebody is told of."""
    return frozenset(_notices)
