"""The append-only log: `record()`, the verb registry, the daily signed checkpoint and its verification."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.models import Chained, Entry


def record(
    subject: "Chained",
    verb: str,
    *,
    actor_id: int | None,
    actor_role: str,
    at: datetime,
    data: dict[str, Any] | None = None,
) -> "Entry":
    """The next entry of `subject`'s chain, not saved; see `audit.recording.record`."""
    from audit import recording

    return recording.record(subject, verb, actor_id=actor_id, actor_role=actor_role, at=at, data=data)
