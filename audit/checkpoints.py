"""The daily checkpoint: where every chain stands and what every other log gained, digested and signed."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction
from django.utils import timezone

from audit import signing
from audit.canonical import canonical, utc_text
from audit.models import AppendOnly, Chained, Checkpoint, CheckpointHead

_LOCK = 0x617564697402
_SECONDS_TO_SETTLE = 60.0
# Whoever is writing to a table. The numbers of tables repeat between databases that were copied from one another.
_WRITERS = """
    SELECT array_agg(virtualtransaction)
      FROM pg_locks
     WHERE relation = %s::regclass AND mode = 'RowExclusiveLock' AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_OTHER_WRITERS = _WRITERS + "AND pid IS DISTINCT FROM pg_backend_pid()"
_SAME_WRITERS = _WRITERS + "AND virtualtransaction = ANY(%s)"


class StillWriting(RuntimeError):
    """Somebody has been writing to a log for so long that no checkpoint could be made. The next try may succeed."""


def chained_models() -> list[type[Chained]]:
    """Every model whose rows have a chain."""
    return [model for model in apps.get_models() if issubclass(model, Chained)]


def log_models() -> list[type[AppendOnly]]:
    """Every append-only table besides the chains that is numbered by the database, such as the access log.

    Rows with keys made elsewhere are not in one order of their own; what matters of them is in the chains.
    """
    return [
        model
        for model in apps.get_models()
        if issubclass(model, AppendOnly)
        and model._meta.app_label != "audit"
        and isinstance(model._meta.pk, models.AutoField | models.BigAutoField)
    ]


@dataclass(frozen=True, slots=True)
class LogRange:
    """The rows of one log that one checkpoint covers: those numbered after `after` up to and with `upto`.

    It names the columns itself, so that a column added later does not change what was signed.
    """

    table: str
    key: str
    columns: Sequence[str]
    after: int
    upto: int
    count: int = 0
    digest: str = ""

    def measured(self) -> "LogRange":
        """The same range with the number of its rows and the digest over them, read now."""
        quote = connection.ops.quote_name
        columns = ", ".join(quote(column) for column in self.columns)
        table, key = quote(self.table), quote(self.key)
        digest, count = sha256(), 0
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            # Names of tables and columns come from our models and are quoted.
            cursor.execute(
                f"SELECT {columns} FROM {table} WHERE {key} > %s AND {key} <= %s ORDER BY {key}",  # noqa: S608
                [self.after, self.upto],
            )
            while rows := cursor.fetchmany(2000):
                count += len(rows)
                for row in rows:
                    digest.update(canonical([_plain(value) for value in row]))
        return LogRange(self.table, self.key, self.columns, self.after, self.upto, count, digest.hexdigest())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if value is None or isinstance(value, int | str) else str(value)


def heads_digest(heads: Iterable[tuple[UUID, int, bytes | memoryview]]) -> tuple[int, bytes]:
    """How many (chain, length, head) there are and the digest over them, which must come ordered by chain."""
    digest, count = sha256(), 0
    for chain, length, head in heads:
        digest.update(chain.bytes + length.to_bytes(8) + bytes(head))
        count += 1
    return count, digest.digest()


def checkpoint_hash(checkpoint: Checkpoint) -> bytes:
    """What a checkpoint's signature is over: SHA-256 of the canonical form of everything it says."""
    return sha256(
        canonical(
            {
                "at": utc_text(checkpoint.at),
                "chains": checkpoint.chains,
                "day": checkpoint.day.isoformat(),
                "digest": bytes(checkpoint.digest).hex(),
                "key_id": checkpoint.key_id,
                "logs": checkpoint.logs,
                "previous": bytes(checkpoint.previous).hex(),
            }
        )
    ).digest()


def sign(*, at: datetime, chained: Sequence[type[Chained]] | None = None) -> Checkpoint | None:
    """Make the checkpoint of the day of `at` (aware; the day is that of TIME_ZONE). None if there is one already.

    It covers everything since the checkpoint before, however long ago that was: days on which nobody signed are
    caught up. Two signers at once make one checkpoint. `chained` are the models whose chains count; all by default.
    Raises `StillWriting` when a log does not come to rest within a minute.
    """
    day = timezone.localdate(at)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = Checkpoint.objects.order_by("-day").first()
        if last is not None and last.day >= day:
            return None
        for model in chained_models() if chained is None else chained:
            _note_heads_that_moved(model, day)
        moved = CheckpointHead.objects.filter(day=day).order_by("chain").values_list("chain", "length", "head")
        chains, digest = heads_digest(moved.iterator())
        key = signing.private_key()
        checkpoint = Checkpoint(
            day=day,
            at=at,
            chains=chains,
            digest=digest,
            logs=[asdict(log) for log in _logs_since(last)],
            previous=bytes(last.hash) if last else b"",
            key_id=signing.key_id(key.public_key()),
        )
        checkpoint.hash = checkpoint_hash(checkpoint)
        checkpoint.signature = key.sign(checkpoint.hash)
        checkpoint.save()
    return checkpoint


def _column(field: models.Field[Any, Any]) -> str:
    if field.column is None:
        raise ValueError(f"{field} is not kept in a column")
    return field.column


def _note_heads_that_moved(model: type[Chained], day: date) -> None:
    """One statement, so one moment: no chain is seen half a step further than another."""
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(_column(model._meta.pk))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO audit_checkpointhead (day, chain, length, head)
            SELECT %s, subject.{key}, subject.chain_length, subject.chain_head
              FROM {table} subject
             WHERE subject.chain_length > 0
               AND subject.chain_length > coalesce(
                     (SELECT max(length) FROM audit_checkpointhead known WHERE known.chain = subject.{key}), 0)
            """,  # noqa: S608
            [day],
        )


def _logs_since(last: Checkpoint | None) -> Iterator[LogRange]:
    covered = {log["table"]: log["upto"] for log in last.logs} if last else {}
    for model in log_models():
        table, key = model._meta.db_table, _column(model._meta.pk)
        columns = [_column(field) for field in model._meta.concrete_fields]
        after = covered.get(table, 0)
        newest = model._base_manager.aggregate(newest=models.Max("pk"))["newest"] or 0
        _settle(table)
        yield LogRange(table, key, columns, after, max(after, newest)).measured()


def _settle(table: str) -> None:
    """Wait until everybody who is writing to `table` now has finished.

    Numbers are given out before rows are committed, so below the newest number one may still be on its way. Whoever
    holds such a number holds a lock on the table until the end of their transaction, which anybody can see.
    """
    give_up = time.monotonic() + _SECONDS_TO_SETTLE
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_WRITERS, [name])
        while writers := cursor.fetchone()[0]:
            if time.monotonic() > give_up:
                raise StillWriting(f"{table} has been written to for more than {_SECONDS_TO_SETTLE:.0f} seconds")
            time.sleep(0.05)
            cursor.execute(_SAME_WRITERS, [name, writers])
