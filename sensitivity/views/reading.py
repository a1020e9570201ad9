"""Opening a list or a version for a page: who may see it at all, and then who may write.

List managers see and write every list, auditors see every list. For everybody else there is none: 404, not 403.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.http import ActorRequest
from accounts.roles import Actor, Role
from sensitivity import publishing, rules
from sensitivity.models import ListVersion, SensitivityList, VersionState

READERS = frozenset({Role.LIST_MANAGER, Role.AUDITOR})

# So many days before its end, a version is said to end soon.
SOON = max(publishing.REMINDERS)


def lists_for(actor: Actor) -> QuerySet[SensitivityList]:
    """The lists that `actor` may see, with what their pages say of them."""
    if not READERS & actor.roles:
        return SensitivityList.objects.none()
    return SensitivityList.objects.select_related(
        "owner", "legal_basis", "confidentiality_basis", "confidentiality_reviewed_by"
    )


def versions_for(actor: Actor) -> QuerySet[ListVersion]:
    """The versions that `actor` may see, with their lists and people."""
    if not READERS & actor.roles:
        return ListVersion.objects.none()
    return ListVersion.objects.select_related("list", "author", "publisher")


def must_read(http: ActorRequest) -> None:
    """Http404 for whoever sees no list."""
    if not READERS & http.actor.roles:
        raise Http404


def open_list(http: ActorRequest, list_id: int) -> SensitivityList:
    """The list with this key, for the person of this page; Http404 when it is not there for them."""
    found = lists_for(http.actor).filter(pk=list_id).first()
    if found is None:
        raise Http404(_("There is no such list."))
    return found


def open_version(http: ActorRequest, list_id: int, number: int) -> ListVersion:
    """The version of this list with this number, for the person of this page; Http404 when it is not there for them."""
    found = versions_for(http.actor).filter(list_id=list_id, number=number).first()
    if found is None:
        raise Http404(_("There is no such version."))
    return found


def may_write(http: ActorRequest) -> bool:
    """Whether the person of this page is a list manager."""
    return rules.is_list_manager(None, http.actor)


def must_write(http: ActorRequest) -> None:
    """PermissionDenied with the rule's sentence for whoever may read and not write. Call it after opening."""
    if sentence := rules.is_list_manager.refusal(None, http.actor):
        raise PermissionDenied(str(sentence))


# ── how a version stands ────────────────────────────────────────────────────────────────────────────────────────────


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
