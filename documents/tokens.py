"""The token on a clearance, which anyone can verify without asking anybody: 96 bytes, 128 letters of base64url.

    3 bytes   "EC1": what it is, and the version of this layout
    8 bytes   the id of the key that signed it: the first 8 bytes of SHA-256 over the public key
    16 bytes  a random number that belongs to this clearance and to nothing else
    1 byte    the outcome: 1, cleared
    2 bytes   the first day on which it holds, in days since 2000-01-01, big-endian
    2 bytes   the last one
    64 bytes  Ed25519 (RFC 8032) over the 32 bytes before

No name, no number of a request, no place. The whole is a multiple of three bytes, so every bit of every letter counts.
See docs/clearances.md.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from struct import Struct
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit import signing

MAGIC = b"EC1"
_LAYOUT = Struct(">3s8s16sBHH")
_SIGNATURE_BYTES = 64
LETTERS = (_LAYOUT.size + _SIGNATURE_BYTES) * 4 // 3
_EPOCH = date(2000, 1, 1)
_SHAPE = re.compile(rf"[A-Za-z0-9_-]{{{LETTERS}}}\Z")


class Outcome(IntEnum):
    """What a token says. Only clearances have one: nothing here says of anybody that they may not travel."""

    CLEARED = 1


class BadToken(ValueError):
    """Not a token, not ours, or changed."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says: that this clearance (a random id) holds from the first to the last day, both included."""

    id: UUID
    outcome: Outcome
    valid_from: date
    valid_until: date
    key_id: str

    def holds_on(self, day: date) -> bool:
        """Whether `day`, in the office's zone, is one of its days. Whether it was taken back it cannot know."""
        return self.valid_from <= day <= self.valid_until


def issue(clearance_id: UUID, *, valid_from: date, valid_until: date, key: Ed25519PrivateKey) -> str:
    """The token of a clearance, signed with `key`. ValueError for days that do not follow each other or before 2000."""
    if valid_until < valid_from:
        raise ValueError("a clearance ends after it begins")
    body = _LAYOUT.pack(
        MAGIC,
        bytes.fromhex(signing.key_id(key.public_key())),
        clearance_id.bytes,
        Outcome.CLEARED,
        _days(valid_from),
        _days(valid_until),
    )
    return base64.urlsafe_b64encode(body + key.sign(body)).decode()


def _days(day: date) -> int:
    days = (day - _EPOCH).days
    if not 0 <= days < 1 << 16:
        raise ValueError(f"{day} has no place in a token")
    return days


def key_id_of(text: str) -> str:
    """The id of the key that a token says it was signed with, before anything is checked. Refuses with BadToken."""
    return str(_parts(text)[0].key_id)


def verify(text: str, keys: Mapping[str, Ed25519PublicKey]) -> Token:
    """What `text` says, when one of `keys` (by their ids) signed exactly that. Refuses with BadToken.

    Says nothing of days or of what happened since: `holds_on`, and the register of whoever issued it.
    """
    token, body, signature = _parts(text)
    key = keys.get(token.key_id)
    if key is None:
        raise BadToken("signed with a key that is not ours, or was withdrawn")
    if not signing.is_signature(key, signature, body):
        raise BadToken("the signature is not over this")
    return token


def _parts(text: str) -> tuple[Token, bytes, bytes]:
    if not _SHAPE.match(text):
        raise BadToken("not the shape of a token")
    try:
        raw = base64.urlsafe_b64decode(text)
        body, signature = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        magic, key, number, outcome, first, last = _LAYOUT.unpack(body)
        token = Token(
            UUID(bytes=number),
            Outcome(outcome),
            _EPOCH + timedelta(days=first),
            _EPOCH + timedelta(days=last),
            key.hex(),
        )
    except (binascii.Error, ValueError) as error:
        raise BadToken("not a token") from error
    if magic != MAGIC:
        raise BadToken("another version")
    return token, body, signature
