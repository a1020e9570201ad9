"""How a version of a list stands on a day, in words: a published one may begin later, hold, end soon or have ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sensitivity import publishing
from sensitivity.models import ListVersion, VersionState

# So many days before its end, a version is said to end soon.
SOON = max(publishing.REMINDERS)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands on a day: a few words, their tone and shape (see `interface.tags.tag`), and a sentence."""

    words: str
    tone: str
    shape: str
    sentence: str
    in_force: bool = False
    warns: bool = False


def standing(version: ListVersion, *, at: datetime) -> Standing:
    """How `version` stands at `at` (aware), by the day of the lists' own zone. Without a query."""
    on = publishing.today(at)
    if version.state == VersionState.DRAFT:
        return Standing(_("Draft"), "neutral", "pencil", _("Being written. Nothing of it counts yet."))
    if version.state == VersionState.IN_REVIEW:
        return Standing(_("In review"), "info", "half", _("Waits for its publication. Nothing of it counts yet."))
    first, end = version.published_from, version.published_until
    assert first is not None
    assert end is not None
    if end <= first:
        return Standing(_("Never in force"), "neutral", "dot", _("Another version took its place before it began."))
    if on < first:
        return Standing(_("Published"), "info", "clock", _("In force from %(day)s on.") % {"day": date_format(first)})
    if on >= end:
        return _over(version, end)
    days = {"day": date_format(end), "left": (end - on).days}
    if version.state == VersionState.SUPERSEDED:
        sentence = _("In force until %(day)s, when the next version begins.") % days
        return Standing(_("In force"), "good", "check", sentence, in_force=True)
    if (end - on).days <= SOON:
        sentence = _("Ends on %(day)s, in %(left)d days. Renew it, or publish the next version.") % days
        return Standing(_("Ends soon"), "waiting", "warning", sentence, in_force=True, warns=True)
    return Standing(_("In force"), "good", "check", _("In force until %(day)s.") % days, in_force=True)


def _over(version: ListVersion, end: date) -> Standing:
    day = {"day": date_format(end)}
    if version.state == VersionState.SUPERSEDED:
        return Standing(_("Superseded"), "neutral", "dot", _("Counted until %(day)s.") % day)
    sentence = _("Ended on %(day)s and does not count any more. Renew it, or publish the next version.") % day
    return Standing(_("Ended"), "bad", "warning", sentence, warns=True)
