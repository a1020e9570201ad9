"""An office's working days as a value that answers in constant time."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from zoneinfo import ZoneInfo

from authorities.languages import by_language

FIRST_YEAR, LAST_YEAR = 2000, 2099
_BASE = date(FIRST_YEAR, 1, 1).toordinal()
_LENGTH = date(LAST_YEAR, 12, 31).toordinal() - _BASE + 1
# An ordinal divisible by seven is a Sunday.
_PLAIN_WEEKS = bytes((_BASE + n) % 7 not in (6, 0) for n in range(_LENGTH))


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that differs from the week."""

    day: date
    is_working: bool
    name_zh: str = ""
    name_en: str = ""


class WorkingDays:
    """The working days of one office in one version of its calendar. Never changes.

    Monday to Friday, except for the special days. A day of a year that is not in `published` is provisional. Covers
    2000 to 2099; a count that would leave these years raises ValueError.
    """

    __slots__ = ("_flags", "_names", "_nth", "_until", "published", "version", "zone")

    def __init__(
        self, *, version: int, zone: ZoneInfo, special: Iterable[SpecialDay] = (), published: Iterable[int] = ()
    ) -> None:
        self.version = version
        self.zone = zone
        self.published = frozenset(published)
        flags = bytearray(_PLAIN_WEEKS)
        names: dict[date, tuple[str, str]] = {}
        for day in special:
            flags[_index(day.day)] = day.is_working
            names[day.day] = (day.name_zh, day.name_en)
        self._flags = bytes(flags)
        self._names: Mapping[date, tuple[str, str]] = names
        # _until[i]: working days up to and including day i. _nth[k]: the index of the working day number k + 1.
        self._until = array("i", accumulate(flags))
        self._nth = array("i", (index for index, working in enumerate(flags) if working))

    def __repr__(self) -> str:
        return f"WorkingDays(version={self.version}, zone={self.zone})"

    def is_working(self, day: date) -> bool:
        """Whether the office works on `day`."""
        return bool(self._flags[_index(day)])

    def is_provisional(self, day: date) -> bool:
        """Whether the calendar of that year is not published yet."""
        return day.year not in self.published

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, n ≥ 1."""
        position = self._until[_index(day)] + n - 1
        if n < 1 or position >= len(self._nth):
            raise ValueError(f"No {n}th working day after {day} until {LAST_YEAR}.")
        return date.fromordinal(_BASE + self._nth[position])

    def between(self, after: date, until: date) -> int:
        """How many working days there are after `after` and up to `until`; 0 when `until` is not later."""
        return self._until[_index(until)] - self._until[_index(after)] if until > after else 0

    def name_of(self, day: date) -> str:
        """The name of a special day in the language that is being spoken; empty for the others."""
        return by_language(*self._names.get(day, ("", "")))


def _index(day: date) -> int:
    index = day.toordinal() - _BASE
    if not 0 <= index < _LENGTH:
        raise ValueError(f"The calendar covers {FIRST_YEAR} to {LAST_YEAR}, not {day}.")
    return index
