"""Things that wait for somebody one by one: a question of the office, a condition. What is written is kept as typed.

An item is named by a key: "answer:<information request>:<place>" or "condition:<condition>". Which of them wait for
whom is said in `WAITS`, by the part of the key before the colon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

import audit
from accounts.refusals import Invalid, NotFound, Problem, Refused
from accounts.roles import Actor, Role
from approvals import journal, uploads
from approvals.models import Attachment, ItemDraft, TravelRequest
from approvals.workflow.attaching import attached
from approvals.workflow.gate import fetch

MOST_DOCUMENTS = 10

# Kind of item → who acts on it and of what kind its documents are; or why it does not wait for this actor.
Waiting = tuple[Role, Attachment.Kind]
WAITS: dict[str, Callable[[TravelRequest, str, Actor], Waiting | Refused]] = {}


def _waiting(request: TravelRequest, key: str, actor: Actor) -> Waiting:
    kind, _colon, _rest = key.partition(":")
    if kind not in WAITS:
        raise NotFound(_("There is no such item."))
    found = WAITS[kind](request, key, actor)
    if isinstance(found, Refused):
        raise found
    return found


def save_item(request_id: UUID, *, actor: Actor, at: datetime, key: str, text: str = "", cannot: str = "") -> ItemDraft:
    """Keep what was typed on an item, whatever it is. Nothing is sent, and nobody else reads it.

    NotFound for an item that is not there, NotAllowed and NotNow when it does not wait for this actor (any more).
    """
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        _waiting(request, key, actor)
        kept, _made = ItemDraft.objects.update_or_create(
            request=request, key=key, defaults={"text": text, "cannot": cannot, "saved_at": at}
        )
    return kept


def attach_to_item(request_id: UUID, *, actor: Actor, at: datetime, key: str, file: File[bytes]) -> Attachment:
    """Add a document to an item; until it is sent it can be taken out again.

    Refuses with Invalid what `uploads.check` refuses and one beyond `MOST_DOCUMENTS`; otherwise as `save_item`.
    """
    checked = uploads.check(file)
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        role, kind = _waiting(request, key, actor)
        kept, _made = ItemDraft.objects.get_or_create(request=request, key=key, defaults={"saved_at": at})
        if len(kept.documents) >= MOST_DOCUMENTS:
            words = _("%(most)d documents are the most for one item. Put several pages into one file.")
            raise Invalid([Problem("", "file", words % {"most": MOST_DOCUMENTS})])
        before, was = journal.stored(request), journal.stored(kept)
        attachment, entry = attached(request, file, checked, kind=kind, actor=actor, role=role, at=at)
        kept.documents, kept.saved_at = [*kept.documents, str(attachment.pk)], at
        journal.write([(request, before), (kept, was)], [attachment, entry])
    return attachment


def remove_from_item(request_id: UUID, *, actor: Actor, at: datetime, key: str, attachment_id: UUID) -> None:
    """Take a document out of an item that is not sent yet. NotFound when it is not there; otherwise as `save_item`."""
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        role, _kind = _waiting(request, key, actor)
        kept = ItemDraft.objects.filter(request=request, key=key).first()
        attachment = Attachment.unscoped.filter(pk=attachment_id, request=request, removed_at=None).first()
        if kept is None or attachment is None or str(attachment_id) not in kept.documents:
            raise NotFound(_("There is no such document, or it is not yours to see."))
        before, was, held = journal.stored(request), journal.stored(kept), journal.stored(attachment)
        kept.documents = [one for one in kept.documents if one != str(attachment_id)]
        kept.saved_at = attachment.removed_at = at
        entry = audit.record(
            request,
            "remove_attachment",
            actor_id=actor.user_id,
            actor_role=role,
            at=at,
            data={"attachment": str(attachment.pk), "sha256": attachment.sha256},
        )
        journal.write([(request, before), (kept, was), (attachment, held)], [entry])


def drafts(request: TravelRequest, prefix: str) -> dict[str, ItemDraft]:
    """What is written so far on the items of `request` whose key begins with `prefix`, by key."""
    return {row.key: row for row in ItemDraft.objects.filter(request=request, key__startswith=prefix)}


def named(request: TravelRequest, ids: Iterable[str | UUID]) -> tuple[Mapping[str, str], ...]:
    """The documents of `request` with these ids, as an answer keeps them; those that are not there are left out."""
    wanted = [str(one) for one in ids]
    if not wanted:
        return ()
    rows = {str(row.pk): row for row in Attachment.unscoped.filter(request=request, pk__in=wanted, removed_at=None)}
    return tuple(
        {"id": one, "name": rows[one].name, "sha256": rows[one].sha256} for one in dict.fromkeys(wanted) if one in rows
    )


def sent(request: TravelRequest, prefix: str) -> None:
    """Forget what was kept as typed: it is sent."""
    ItemDraft.objects.filter(request=request, key__startswith=prefix).delete()
