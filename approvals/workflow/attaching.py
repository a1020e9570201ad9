"""A document comes into a request: its row and its entry in the audit log, whatever it is attached to."""

from __future__ import annotations

from datetime import datetime

from django.core.files.base import File

import audit
from accounts.roles import Actor, Role
from approvals.models import Attachment, TravelRequest
from approvals.uploads import Upload
from approvals.workflow.gate import user_id_of
from audit.models import Entry


def attached(
    request: TravelRequest, file: File[bytes], checked: Upload, *, kind: str, actor: Actor, role: Role, at: datetime
) -> tuple[Attachment, Entry]:
    """The rows of a `file` that `uploads.check` let through, for the verb to write: the document and the audit entry.

    The file itself is stored already; `request` is locked.
    """
    attachment = Attachment(
        request=request,
        kind=kind,
        name=checked.name,
        content_type=checked.content_type,
        size=checked.size,
        sha256=checked.sha256,
        uploaded_by_id=user_id_of(actor),
        uploaded_at=at,
    )
    attachment.file.save(checked.name, file, save=False)
    data = {"attachment": str(attachment.pk), "sha256": checked.sha256}
    return attachment, audit.record(request, "attach", actor_id=actor.user_id, actor_role=role, at=at, data=data)
