"""What is only ever added to: the abstract append-only table, the hash chains, the signed daily checkpoints."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from audit import verbs
from audit.canonical import canonical, utc_text

M = TypeVar("M", bound=models.Model, covariant=True)


class AppendOnlyViolation(RuntimeError):
    """Something tried to change or remove a row that is kept as it was written."""


class AppendOnlyQuerySet(models.QuerySet[M, M]):
    """Reads and inserts. Whatever would change or remove rows raises `AppendOnlyViolation`."""

    def _refuse(self, what: str) -> NoReturn:
        raise AppendOnlyViolation(f"{self.model._meta.label} is append-only: {what} refused")

    def update(self, **kwargs: Any) -> int:
        self._refuse("update")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        self._refuse("update")

    def update_or_create(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse("update")

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse("delete")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("update_conflicts"):
            self._refuse("update")
        return super().bulk_create(objs, *args, **kwargs)


class AppendOnly(models.Model):
    """A row that is written once. Saving it again, changing or deleting it raises `AppendOnlyViolation`.

    That is for the programmer. What holds against everybody else is in the database: the product's role may only
    SELECT and INSERT (audit.grants), and a trigger refuses the owner too. Give the table its trigger with
    `audit.operations.AppendOnlyTable` in the migration that creates it; a test fails where it is missing.
    """

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyViolation(f"{self._meta.label} {self.pk} is append-only: update refused")
        # Without this a key that is set already would make Django try an UPDATE first.
        super().save(*args, **(kwargs | {"force_insert": True}))

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyViolation(f"{self._meta.label} {self.pk} is append-only: delete refused")


class Chained(models.Model):
    """Something with a history of its own: a chain of entries, named by this row's primary key (a UUID).

    The end of the chain is kept here, on the row that a step locks and writes anyway, so that appending needs
    no look at the log: it is one INSERT.
    """

    chain_length = models.PositiveIntegerField(_("length of the audit chain"), default=0, editable=False)
    chain_head = models.BinaryField(_("head of the audit chain"), max_length=32, default=bytes, editable=False)

    class Meta:
        abstract = True


class SetupHistory(Chained):
    """The chain of audit entries of how something is set up; `setup` is the one place that writes.

    `subject` names it by its table and key: it may be of any app, and the chain stays when it is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.CharField(_("about"), max_length=100, unique=True, editable=False)

    class Meta:
        verbose_name = _("history of a setting")
        verbose_name_plural = _("histories of settings")

    def __str__(self) -> str:
        return self.subject


class Entry(AppendOnly):
    """One thing that happened to one subject. Written through `audit.record`, and nowhere else.

    `hash` is SHA-256 over `previous` and the canonical form of everything else, so no entry can be changed, put in
    or taken out without every later hash being wrong. `data` holds ids, codes and hashes, never personal data.
    """

    id = models.BigAutoField(primary_key=True)
    chain = models.UUIDField(_("chain"))
    sequence = models.PositiveIntegerField(_("number in the chain"))
    at = models.DateTimeField(_("at"))
    verb = models.CharField(_("what"), max_length=60)
    # Not a foreign key: accounts build on the audit log, not the other way round.
    actor_id = models.BigIntegerField(_("account"), null=True)
    actor_role = models.CharField(_("as"), max_length=20)
    data = models.JSONField(_("data"), default=dict)
    previous = models.BinaryField(_("previous hash"), max_length=32)
    hash = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_entry_one_per_link")]
        indexes = [models.Index(fields=["verb", "-at"], name="audit_entry_by_verb")]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.verb}"

    def in_words(self) -> str:
        """What happened, as a sentence in the active language."""
        return verbs.in_words(self)


def link_hash(
    previous: bytes,
    *,
    chain: UUID,
    sequence: int,
    at: datetime,
    verb: str,
    actor_id: int | None,
    actor_role: str,
    data: Any,
) -> bytes:
    """The hash of one entry: SHA-256 over the 32 bytes before it (none for the first) and its canonical form."""
    return sha256(
        previous
        + canonical(
            {
                "actor_id": actor_id,
                "actor_role": actor_role,
                "at": utc_text(at),
                "chain": str(chain),
                "data": data,
                "sequence": sequence,
                "verb": verb,
            }
        )
    ).digest()


class Checkpoint(AppendOnly):
    """A day's signature over the state of all chains and logs.

    `digest` is over the heads that moved since the checkpoint before (the rows of `CheckpointHead` of this day),
    `logs` names each other append-only log with the rows it gained and a digest over them, `hash` is over all of this
    and the hash before it, and `signature` (Ed25519) is over `hash`. So one checkpoint that was printed or mailed out
    of the house fixes everything older than it.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"), unique=True)
    at = models.DateTimeField(_("signed at"))
    chains = models.PositiveIntegerField(_("chains that moved"))
    digest = models.BinaryField(_("digest"), max_length=32)
    logs = models.JSONField(_("other logs"), default=list)
    previous = models.BinaryField(_("previous hash"), max_length=32)
    hash = models.BinaryField(_("hash"), max_length=32)
    key_id = models.CharField(_("key"), max_length=16)
    signature = models.BinaryField(_("signature"), max_length=64)

    class Meta:
        verbose_name = _("audit checkpoint")
        verbose_name_plural = _("audit checkpoints")
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class CheckpointHead(AppendOnly):
    """Where one chain stood on one day. Kept only for days on which the chain moved."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    chain = models.UUIDField(_("chain"))
    length = models.PositiveIntegerField(_("length"))
    head = models.BinaryField(_("head"), max_length=32)

    class Meta:
        verbose_name = _("head of a chain")
        verbose_name_plural = _("heads of chains")
        ordering = ["day", "chain"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "length"], name="audit_head_one_per_length"),
            models.UniqueConstraint(fields=["day", "chain"], name="audit_head_one_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.chain} {self.length}"
