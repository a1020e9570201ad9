"""Writing the log: one function."""

from datetime import datetime
from typing import Any

from audit import verbs
from audit.models import Chained, Entry, link_hash
from audit.rows import new


def record(
    subject: Chained,
    verb: str,
    *,
    actor_id: int | None,
    actor_role: str,
    at: datetime,
    data: dict[str, Any] | None = None,
) -> Entry:
    """The next entry of `subject`'s chain, not saved; `subject` itself moves on to it in memory.

    The caller holds the lock on `subject`'s row and writes both in one transaction, or neither. `at` is any aware time;
    `data` holds ids, codes and hashes only (text, whole numbers, true, false, null, lists, objects).
    Refuses with `verbs.UnknownVerb` a verb nobody registered and with `canonical.NotCanonical` data that cannot be
    written in one way only; `subject` is then as it was.
    """
    verbs.must_be_known(verb)
    data = data or {}
    previous = bytes(subject.chain_head)
    sequence = subject.chain_length + 1
    link = {
        "chain": subject.pk,
        "sequence": sequence,
        "at": at,
        "verb": verb,
        "actor_id": actor_id,
        "actor_role": actor_role,
        "data": data,
    }
    digest = link_hash(previous, **link)
    subject.chain_length = sequence
    subject.chain_head = digest
    return new(Entry, previous=previous, hash=digest, **link)
