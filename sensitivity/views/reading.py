"""Opening a list or a version for a page: who may see it at all, and then who may write.

List managers see and write every list, auditors see every list. For everybody else there is none: 404, not 403.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.http import ActorRequest
from accounts.roles import Actor, Role
from sensitivity import rules
from sensitivity.models import ListVersion, SensitivityList

READERS = frozenset({Role.LIST_MANAGER, Role.AUDITOR})


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
