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
        )
    )

An event may have several audiences, each with its own words. A person in two of them is told as the one that was
registered first, once. Texts are English source strings marked with gettext_lazy; the values are put in with `%`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise

from notifications.models import OutboxEvent


class UnknownEvent(LookupError):
    """Something was to be told under a name that no notice was registered for."""


def _nothing(event: OutboxEvent) -> Mapping[str, object]:
    return {}


def _nowhere(event: OutboxEvent) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one audience is told about one event. `context` is called once for each language, with it active."""

    event: str
    audience: str
    recipients: Callable[[OutboxEvent], Iterable[int]]
    subject: str | Promise
    body: str | Promise
    context: Callable[[OutboxEvent], Mapping[str, object]] = _nothing
    url: Callable[[OutboxEvent], str] = _nowhere


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


def must_be_known(event: str) -> None:
    """Raise `UnknownEvent` unless a notice is registered for `event`."""
    if event not in _notices:
        notices(event)


def events() -> frozenset[str]:
    """Every event that somebody is told of."""
    return frozenset(_notices)
