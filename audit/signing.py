"""The Ed25519 key of the daily checkpoint (RFC 8032)."""

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def raw_key(text: str, name: str) -> bytes:
    """The 32 bytes that `text` holds in base64. ImproperlyConfigured, naming the setting `name`, when it does not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ImproperlyConfigured(f"{name} must be 32 bytes in base64; a new one: openssl rand -base64 32")
    return raw


def private_key() -> Ed25519PrivateKey:
    """The key of AUDIT_SIGNING_KEY. Refuses with ImproperlyConfigured one that is missing or not 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(raw_key(settings.AUDIT_SIGNING_KEY, "AUDIT_SIGNING_KEY"))


def public_bytes(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(key: Ed25519PublicKey) -> str:
    """The short name of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(public_bytes(key)).hexdigest()[:16]


def public_key_text() -> str:
    """The public half of the key in use, in base64: what an outsider needs to check a signature."""
    return base64.b64encode(public_bytes(private_key().public_key())).decode()


def trusted_keys(retired: Iterable[str] = ()) -> dict[str, Ed25519PublicKey]:
    """By their ids: the public key in use, and `retired` ones (base64) that signed before it."""
    keys = [private_key().public_key()]
    keys += [Ed25519PublicKey.from_public_bytes(raw_key(text, "A public key")) for text in retired]
    return {key_id(key): key for key in keys}


def is_signature(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` was made over `message` by the owner of `key`."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
