"""One way to write a value as bytes, so that a hash over it can be repeated by anybody.

After RFC 8785 (JSON Canonicalization Scheme), on the part of JSON that leaves no room for doubt:
text, whole numbers, true, false, null, lists, and objects with text keys. Keys are sorted by code point,
there is no white space, the encoding is UTF-8. Fractions are refused: their spelling differs between languages.
"""

from datetime import UTC, datetime
from json import JSONEncoder
from typing import Any

# Beyond this a JSON reader that keeps numbers as doubles would see another number (RFC 8785, 3.2.2.3).
LARGEST_WHOLE_NUMBER = 2**53 - 1

_encode = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


class NotCanonical(ValueError):
    """A value that has no canonical form here: a fraction, an object of Python, a key that is not text, a NUL."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of `value`. The same for equal values, whatever the order of keys.

    Refuses with `NotCanonical` what JSON or PostgreSQL's jsonb would not give back unchanged.
    """
    _must_be_plain(value)
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("text with half a surrogate pair") from error


def utc_text(at: datetime) -> str:
    """`at` in UTC with six digits of a second, such as 2026-03-03T04:05:06.000007Z. Refuses a naive time."""
    if at.tzinfo is None:
        raise NotCanonical("a time without a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _must_be_plain(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise NotCanonical("text with a NUL character")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"a key that is not text: {key!r}")
            _must_be_plain(key)
            _must_be_plain(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _must_be_plain(item)
    elif isinstance(value, int):
        if not -LARGEST_WHOLE_NUMBER <= value <= LARGEST_WHOLE_NUMBER:
            raise NotCanonical(f"a number beyond 2**53: {value}")
    elif value is not None:
        raise NotCanonical(f"{type(value).__name__} has no canonical form")
