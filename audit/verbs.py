"""What can be recorded, and how each reads. The apps register their verbs in AppConfig.ready.

verbs.register("submit", _("Submitted."))
verbs.register("extend", lambda entry: _("Extended by %(days)d days.") % entry.data)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from audit.models import Entry

Formatter = Callable[["Entry"], str]

_formatters: dict[str, Formatter | str | Promise] = {}


class UnknownVerb(LookupError):
    """Something was to be recorded under a name that nobody registered."""


def register(name: str, formatter: Formatter | str | Promise) -> None:
    """Make `name` recordable. `formatter` is the sentence, translated lazily, or a function of the entry that makes it.

    Refuses with ValueError a name that is taken and one longer than the column.
    """
    if _formatters.get(name, formatter) is not formatter:
        raise ValueError(f"the verb {name!r} is registered already")
    if not 0 < len(name) <= 60:
        raise ValueError(f"the verb {name!r} must have 1 to 60 characters")
    _formatters[name] = formatter


def names() -> frozenset[str]:
    """Every verb that can be recorded."""
    return frozenset(_formatters)


def must_be_known(name: str) -> None:
    """Raise `UnknownVerb` unless `name` is registered."""
    if name not in _formatters:
        raise UnknownVerb(f"{name!r} is not a registered verb; see audit.verbs.register")


def in_words(entry: Entry) -> str:
    """The sentence for `entry`, in the active language. An old verb that is no longer registered reads as its name."""
    formatter = _formatters.get(entry.verb, entry.verb)
    return formatter(entry) if callable(formatter) else str(formatter)
