"""The keys that sign clearances: made, rotated, withdrawn. Private halves are kept sealed, public ones for ever.

The database holds them under a secret that it does not know (CLEARANCE_KEY_SECRET), so a new key is one command and
every worker has it at once, and a copy of the database signs nothing. Whatever is done to a key is in the audit log.
"""

import os
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import audit
from accounts.refusals import Invalid, NotFound, NotNow, Problem
from accounts.roles import Role
from audit import signing, verbs
from audit.models import Entry
from documents.models import KeyHistory, SigningKey

_NONCE_BYTES = 12
# Whoever makes a key holds this lock of the database: two that start at once make one.
_LOCK = 0x45584954


VERBS = {
    "key.make": gettext_lazy("The key %(key)s was made: it signs clearances."),
    "key.rotate": gettext_lazy("The key %(key)s signs clearances from now on; the one before it verifies."),
    "key.withdraw": gettext_lazy("The key %(key)s was withdrawn: nothing that it signed is a clearance any more."),
}


def register() -> None:
    """Make the verbs recordable. Called once, when the app is ready."""
    for verb, words in VERBS.items():
        verbs.register(verb, _formatter(words))


def _formatter(words: Promise) -> verbs.Formatter:
    return lambda entry: str(words) % {"key": entry.data["key"]}


class NoSealingKey(ImproperlyConfigured):
    """CLEARANCE_KEY_SECRET is missing, or is not the one that the key was sealed with."""


def sealing_key() -> ChaCha20Poly1305:
    """The cipher of CLEARANCE_KEY_SECRET (32 bytes in base64). Refuses with NoSealingKey."""
    try:
        return ChaCha20Poly1305(signing.raw_key(settings.CLEARANCE_KEY_SECRET, "CLEARANCE_KEY_SECRET"))
    except ImproperlyConfigured as error:
        raise NoSealingKey(str(error)) from error


def _sealed(key: Ed25519PrivateKey, key_id: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return nonce + sealing_key().encrypt(nonce, raw, key_id.encode())


def _opened(row: SigningKey) -> Ed25519PrivateKey:
    sealed = bytes(row.sealed or b"")
    try:
        raw = sealing_key().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.key_id.encode())
    except InvalidTag as error:
        raise NoSealingKey(
            f"CLEARANCE_KEY_SECRET does not open the key {row.key_id}. Set the earlier one, or: manage.py keys rotate"
        ) from error
    return Ed25519PrivateKey.from_private_bytes(raw)


def current(*, at: datetime) -> Ed25519PrivateKey:
    """The key that signs now; the first one is made at `at` (aware) when there is none. NoSealingKey without a secret.

    Called inside a transaction that then stores what was signed: a rotation waits for it.
    """
    row = SigningKey.objects.filter(retired_at=None, withdrawn_at=None).first()
    if row is None:
        with transaction.atomic():
            _take_turns()
            row = SigningKey.objects.filter(retired_at=None, withdrawn_at=None).first()
            if row is None:
                row = _make(at)
                _record("key.make", at, key=row.key_id)
    return _opened(row)


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _make(at: datetime) -> SigningKey:
    key = Ed25519PrivateKey.generate()
    key_id = signing.key_id(key.public_key())
    return SigningKey.objects.create(
        key_id=key_id,
        public=signing.public_bytes(key.public_key()),
        sealed=_sealed(key, key_id),
        made_at=at,
    )


def rotate(*, at: datetime) -> SigningKey:
    """Make a new key that signs from now on. The one before is kept for verifying; its private half is destroyed."""
    with transaction.atomic():
        _take_turns()
        in_use = SigningKey.objects.filter(retired_at=None, withdrawn_at=None)
        before = in_use.values_list("key_id", flat=True).first()
        in_use.update(retired_at=at, sealed=None)
        row = _make(at)
        _record("key.rotate", at, key=row.key_id, before=before)
    return row


def withdraw(key_id: str, *, at: datetime, why: str) -> SigningKey:
    """Trust nothing any more that this key signed, because somebody else may have it. A key in use is replaced.

    NotFound when there is no such key, NotNow when it was withdrawn already, Invalid without a reason.
    """
    if not why.strip():
        raise Invalid([Problem("", "why", _("Say why; it is published with the key."))])
    with transaction.atomic():
        _take_turns()
        row = SigningKey.objects.select_for_update().filter(key_id=key_id).first()
        if row is None:
            raise NotFound(_("There is no such key."))
        if row.withdrawn_at is not None:
            raise NotNow(_("This key was withdrawn already."))
        was_in_use = row.retired_at is None
        row.withdrawn_at, row.withdrawn_because, row.sealed = at, why.strip(), None
        row.retired_at = row.retired_at or at
        row.save()
        _record("key.withdraw", at, key=row.key_id)
        if was_in_use:
            _record("key.make", at, key=_make(at).key_id)
    return row


def _record(verb: str, at: datetime, **data: str | None) -> None:
    """One entry in the chain of the keys, by the system: keys are made on the server. The caller has the turn."""
    history = KeyHistory.objects.first() or KeyHistory.objects.create()
    audit.record(history, verb, actor_id=None, actor_role=Role.SYSTEM, at=at, data=data).save()
    history.save()


def entries(key_id: str) -> QuerySet[Entry, Entry]:
    """What is in the audit log of this key, in order: of it, and of the one that took its place."""
    about = Q(data__key=key_id) | Q(data__before=key_id)
    return Entry.objects.filter(about, chain__in=KeyHistory.objects.values("pk")).order_by("sequence")


def trusted() -> dict[str, Ed25519PublicKey]:
    """The public keys whose signatures count, by their ids: the one in use and all before it, withdrawn ones not."""
    rows = SigningKey.objects.filter(withdrawn_at=None).values_list("key_id", "public")
    return {key_id: Ed25519PublicKey.from_public_bytes(bytes(public)) for key_id, public in rows}
