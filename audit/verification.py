"""Reading the whole log and saying where it is not what was written.

One pass over all entries in the order of chains, beside it in the same order the rows they belong to and the heads
that were signed; then one pass over the checkpoints. Everything streams, so memory does not grow with the log,
and is read in one snapshot, so that it can run while people work.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from heapq import merge
from itertools import chain as one_after_the_other
from itertools import groupby
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import ProgrammingError, connection, transaction
from django.db.models import QuerySet

from audit import signing
from audit.canonical import NotCanonical
from audit.checkpoints import LogRange, chained_models, checkpoint_hash, heads_digest
from audit.models import Chained, Checkpoint, CheckpointHead, Entry, link_hash

_CHUNK = 5000


class Fault(StrEnum):
    """What can be wrong with a link, a chain or a checkpoint."""

    HASH = "its hash is not that of what it says"
    GAP = "an entry is missing before it"
    PREVIOUS = "it does not continue the entry before it"
    UNSIGNED_HISTORY = "it is not the entry that the day's checkpoint signed"
    SHORTER = "the chain is shorter than the checkpoint says"
    HEAD = "the head kept with the subject is another one"
    SUBJECT = "the subject of the chain is missing"
    HEADS = "the heads kept for the day are not those that were signed"
    LOG = "rows are not those that were signed"
    CONTENT = "its hash is not that of what it says (checkpoint)"
    CHECKPOINT_GAP = "it does not continue the checkpoint before it"
    KEY = "it was signed with a key that is not trusted"
    SIGNATURE = "its signature is wrong"


@dataclass(frozen=True, slots=True)
class Break:
    """The place and the kind of one fault. `chain` and `sequence`, or `day`, and for a log its table."""

    fault: Fault
    chain: UUID | None = None
    sequence: int | None = None
    day: date | None = None
    table: str = ""

    def __str__(self) -> str:
        parts = [
            f"chain {self.chain}" if self.chain else "",
            f"entry {self.sequence}" if self.sequence is not None else "",
            f"checkpoint {self.day}" if self.day else "",
            self.table,
        ]
        return f"{', '.join(part for part in parts if part)}: {self.fault}"


@dataclass(slots=True)
class Report:
    """What was read, and the first break; None if the log is whole."""

    entries: int = 0
    chains: int = 0
    checkpoints: int = 0
    first_break: Break | None = None


def verify(*, retired_keys: Iterable[str] = (), chained: Sequence[type[Chained]] | None = None) -> Report:
    """Check every chain and every checkpoint, stopping at the first break.

    `retired_keys` are public keys (base64) that signed before the one in use; `chained` are the models whose rows
    have chains, all by default. About a minute for a million entries.
    """
    report = Report()
    keys = signing.trusted_keys(retired_keys)
    with _one_snapshot(), ExitStack() as open_rows:
        rows = _Rows(open_rows)
        subjects = chained_models() if chained is None else chained
        breaks = one_after_the_other(_broken_chains(report, rows, subjects), _broken_checkpoints(report, rows, keys))
        report.first_break = next(breaks, None)
    return report


@contextmanager
def _one_snapshot() -> Iterator[None]:
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


class _Rows:
    """Streams rows from the server; those that nobody reads to the end are let go before the snapshot is."""

    def __init__(self, open_rows: ExitStack) -> None:
        self._open = open_rows

    def __call__(self, rows: QuerySet[Any, Any]) -> Iterator[Any]:
        stream: Any = rows.iterator(chunk_size=_CHUNK)
        self._open.callback(stream.close)
        return iter(stream)


class _Aligned:
    """Rows ordered by their first column, handed out along another sequence of such keys in the same order."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, key=_first)
        self._next = next(self._groups, None)

    def before(self, key: Any) -> Iterator[tuple[Any, ...]]:
        """The rows whose key comes before `key`; with None all that are left."""
        while self._next is not None and (key is None or self._next[0] < key):
            yield from self._next[1]
            self._next = next(self._groups, None)

    def of(self, key: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of `key`, to be read to the end."""
        if self._next is not None and self._next[0] == key:
            yield from self._next[1]
            self._next = next(self._groups, None)


def _first(row: tuple[Any, ...]) -> Any:
    return row[0]


def _broken_chains(report: Report, rows: _Rows, models: Sequence[type[Chained]]) -> Iterator[Break]:
    entries = rows(
        Entry.objects.order_by("chain", "sequence").values_list(
            "chain", "sequence", "at", "verb", "actor_id", "actor_role", "data", "previous", "hash"
        )
    )
    heads = [
        rows(model._base_manager.order_by("pk").values_list("pk", "chain_length", "chain_head")) for model in models
    ]
    subjects = _Aligned(merge(*heads, key=_first))
    signed = _Aligned(
        rows(CheckpointHead.objects.order_by("chain", "length").values_list("chain", "length", "head", "day"))
    )
    for chain, links in groupby(entries, key=_first):
        yield from _without_entries(subjects, signed, before=chain)
        report.chains += 1
        yield from _broken_links(report, chain, links, list(subjects.of(chain)), list(signed.of(chain)))
    yield from _without_entries(subjects, signed, before=None)


def _without_entries(subjects: _Aligned, signed: _Aligned, *, before: UUID | None) -> Iterator[Break]:
    for chain, length, head in subjects.before(before):
        if length or head:
            yield Break(Fault.HEAD, chain, 0)
    for chain, _length, _head, day in signed.before(before):
        yield Break(Fault.SHORTER, chain, 0, day)


def _broken_links(
    report: Report,
    chain: UUID,
    links: Iterable[tuple[Any, ...]],
    subject: list[tuple[Any, ...]],
    signed: list[tuple[Any, ...]],
) -> Iterator[Break]:
    heads = {length: (bytes(head), day) for _chain, length, head, day in signed}
    count, last = 0, b""
    for _chain, sequence, at, verb, actor_id, actor_role, data, previous, kept in links:
        report.entries += 1
        count += 1
        if sequence != count:
            yield Break(Fault.GAP, chain, sequence)
            count = sequence
        elif bytes(previous) != last:
            yield Break(Fault.PREVIOUS, chain, sequence)
        last = bytes(kept)
        try:
            whole = last == link_hash(
                bytes(previous),
                chain=chain,
                sequence=sequence,
                at=at,
                verb=verb,
                actor_id=actor_id,
                actor_role=actor_role,
                data=data,
            )
        except NotCanonical:
            whole = False
        if not whole:
            yield Break(Fault.HASH, chain, sequence)
        if heads and (head := heads.pop(sequence, None)) and head[0] != last:
            yield Break(Fault.UNSIGNED_HISTORY, chain, sequence, head[1])
    for _length, (_head, day) in sorted(heads.items()):
        yield Break(Fault.SHORTER, chain, count, day)
    if not subject:
        yield Break(Fault.SUBJECT, chain, count)
    elif (count, last) != (subject[0][1], bytes(subject[0][2])):
        yield Break(Fault.HEAD, chain, count)


def _broken_checkpoints(report: Report, rows: _Rows, keys: Mapping[str, Ed25519PublicKey]) -> Iterator[Break]:
    moved = _Aligned(
        rows(CheckpointHead.objects.order_by("day", "chain").values_list("day", "chain", "length", "head"))
    )
    last = b""
    covered: dict[str, int] = {}
    for checkpoint in rows(Checkpoint.objects.order_by("day")):
        day = checkpoint.day
        report.checkpoints += 1
        if bytes(checkpoint.previous) != last:
            yield Break(Fault.CHECKPOINT_GAP, day=day)
        last = bytes(checkpoint.hash)
        if checkpoint_hash(checkpoint) != last:
            yield Break(Fault.CONTENT, day=day)
        key = keys.get(checkpoint.key_id)
        if key is None:
            yield Break(Fault.KEY, day=day)
        elif not signing.is_signature(key, bytes(checkpoint.signature), last):
            yield Break(Fault.SIGNATURE, day=day)
        stray = sum(1 for _row in moved.before(day))
        heads = ((chain, length, head) for _day, chain, length, head in moved.of(day))
        if stray or heads_digest(heads) != (checkpoint.chains, bytes(checkpoint.digest)):
            yield Break(Fault.HEADS, day=day)
        for said in checkpoint.logs:
            log = LogRange(**said)
            if log.after != covered.get(log.table, 0) or _now(log) != said:
                yield Break(Fault.LOG, day=day, table=log.table)
            covered[log.table] = log.upto
    for day, *_row in moved.before(None):
        yield Break(Fault.HEADS, day=day)


def _now(log: LogRange) -> dict[str, Any] | None:
    try:
        return asdict(log.measured())
    except ProgrammingError:  # the table or a column is gone
        return None
