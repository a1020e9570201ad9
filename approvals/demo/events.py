"""Real computing conferences, as facts: series, title, city, country, days, page.

Source: the public list of deadlines of CCF-recommended conferences, ccfddl (MIT licence), as of August 2026; the city
put in where the list names a venue; subjects (arXiv classes) and organisers added here. The demonstration needs trips
in the past, now and to come, so it also uses each event in other years, shifted by whole periods of 364 days, which
keeps the days of the week: then without its page, which is about the real edition.
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

_YEAR = timedelta(days=364)


@dataclass(frozen=True, slots=True)
class Event:
    """One edition of an event; `url` only of a real one."""

    name: str
    title: str
    city: str
    country: str
    starts_on: date
    ends_on: date
    url: str
    topics: tuple[str, ...]
    host: str


@cache
def real() -> tuple[Event, ...]:
    """The editions that really take place."""
    with open(Path(__file__).with_name("events.csv"), newline="", encoding="utf-8") as file:
        return tuple(
            Event(
                name=row["name"],
                title=row["title"],
                city=row["city"],
                country=row["country"],
                starts_on=date.fromisoformat(row["starts_on"]),
                ends_on=date.fromisoformat(row["ends_on"]),
                url=row["url"],
                topics=tuple(row["topics"].split()),
                host=row["host"],
            )
            for row in csv.DictReader(file)
        )


def _shifted(event: Event, years: int) -> Event:
    if years == 0:
        return event
    by = years * _YEAR
    return Event(
        event.name,
        event.title,
        event.city,
        event.country,
        event.starts_on + by,
        event.ends_on + by,
        "",
        event.topics,
        event.host,
    )


def between(first: date, last: date) -> list[Event]:
    """One edition of each event that begins from `first` to `last`, real or shifted, in the order of their days."""
    found = []
    for event in real():
        years = -((event.starts_on - first) // _YEAR)
        edition = _shifted(event, years)
        if first <= edition.starts_on <= last:
            found.append(edition)
    return sorted(found, key=lambda event: (event.starts_on, event.name))
