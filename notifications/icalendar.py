"""Days as a calendar: writes iCalendar (RFC 5545). Entries last whole days, so no time zone has to be described.

Written here because what is needed of the format is one kind of entry; a test reads it back by the letter of the RFC.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

_OCTETS = 75
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something on some days. `key` names it for good: the same key is the same entry, moved or renamed.

    `sequence` grows with every change, `changed_at` (aware) is the moment of the last one. `is_tentative`: it can still
    change or not come about. `is_free`: it takes no time of the day, as a date by which something is due.
    """

    key: str
    first: date
    last: date
    summary: str
    description: str = ""
    location: str = ""
    url: str = ""
    sequence: int = 0
    changed_at: datetime
    is_tentative: bool = False
    is_free: bool = False


def written(entries: Iterable[Entry], *, name: str, language: str) -> str:
    """The calendar called `name` with these entries, as text with the line ends and the folding of the RFC."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//Exit approvals//Calendar//{language.upper()}",
        "CALSCALE:GREGORIAN",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        # RFC 7986, 5.7; and what programs listened to before it.
        "REFRESH-INTERVAL;VALUE=DURATION:PT4H",
        "X-PUBLISHED-TTL:PT4H",
        *(line for entry in entries for line in _lines(entry)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _lines(entry: Entry) -> Iterator[str]:
    changed = entry.changed_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(entry.key)}@{urlsplit(settings.PUBLIC_URL).hostname}"
    # Without METHOD this is when the entry was last changed (3.8.7.2): reading again gives the same text.
    yield f"DTSTAMP:{changed}"
    yield f"LAST-MODIFIED:{changed}"
    yield f"SEQUENCE:{entry.sequence}"
    yield f"DTSTART;VALUE=DATE:{entry.first:%Y%m%d}"
    # The end is the first day that is not part of it (3.6.1).
    yield f"DTEND;VALUE=DATE:{entry.last + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(entry.summary)}"
    if entry.description:
        yield f"DESCRIPTION:{_text(entry.description)}"
    if entry.location:
        yield f"LOCATION:{_text(entry.location)}"
    if entry.url:
        yield f"URL:{entry.url}"
    yield f"STATUS:{'TENTATIVE' if entry.is_tentative else 'CONFIRMED'}"
    yield f"TRANSP:{'TRANSPARENT' if entry.is_free else 'OPAQUE'}"
    yield "CLASS:PRIVATE"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """A value of type TEXT (3.3.11)."""
    plain = _CONTROLS.sub(" ", value.replace("\r\n", "\n").replace("\r", "\n"))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, never through a character (3.1); each but the first begins with a space,
    which counts."""
    piece, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > _OCTETS:
            yield piece
            piece, octets = " ", 1
        piece += character
        octets += size
    yield piece
