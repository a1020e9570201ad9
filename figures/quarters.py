"""A quarter of a year. Pure; which moments belong to it depends on the time zone of an office."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """One quarter; in addresses, files and commands it is called 2026Q1."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1 <= self.number <= 4 and 1 < self.year < 9999):
            raise ValueError("there is no such quarter")

    def __str__(self) -> str:
        return f"{self.year:04}Q{self.number}"

    @classmethod
    def named(cls, name: str) -> Quarter:
        """The quarter called `name`; ValueError when none is called that."""
        found = re.fullmatch(r"([0-9]{4})Q([1-4])", name)
        if found is None:
            raise ValueError(f"{name!r} is no quarter, such as 2026Q1")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Quarter:
        """The quarter in which `day` is."""
        return cls(day.year, (day.month + 2) // 3)

    @property
    def next(self) -> Quarter:
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def first_day(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    def begins_at(self, zone: tzinfo) -> datetime:
        """Its first instant in `zone`."""
        return datetime.combine(self.first_day, time(), zone)

    def ends_at(self, zone: tzinfo) -> datetime:
        """The first instant in `zone` that is not in it any more."""
        return self.next.begins_at(zone)
