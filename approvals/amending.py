"""What a change to a trip touches, and the trip as it would be. Values in, values out; nothing is written.

Contents are those of a revision (`snapshots.content`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any

from approvals import particulars, rules, snapshots
from approvals.models import Decision, Leg, TravelRequest
from approvals.models.amendment import Part

Content = Mapping[str, Any]

# What an amendment can change. The purpose stays: a trip for another purpose is another trip. Documents are added with
# `attach`, and declarations hold for the trip as it becomes.
FIELDS = ("title", "description", "event_name", "event_url", "topics", "projects", "materials", "devices")


def _each(*names: str) -> Callable[[Content], Any]:
    return lambda content: [[leg.get(name, "") for name in names] for leg in content["legs"]]


def _fields(*names: str) -> Callable[[Content], Any]:
    return lambda content: [content.get(name) or "" for name in names]


_SAID_OF: dict[Part, Callable[[Content], Any]] = {
    Part.DATES: _each("arrives_on", "leaves_on"),
    Part.PLACES: _each("country", "subdivision", "city"),
    Part.HOSTS: _each("host"),
    Part.EVENT: _fields("event_name", "event_url"),
    Part.SUBJECTS: lambda content: sorted(content["topics"]),
    Part.PROJECTS: lambda content: sorted(content.get("projects") or []),
    Part.MATERIALS: lambda content: [content.get("materials") or "", sorted(content.get("devices") or [])],
    Part.WORDS: _fields("title", "description"),
}


def touched(base: Content, content: Content) -> list[Part]:
    """The parts of the trip in which `content` differs from `base`, in the order of `Part`; empty: nothing changed."""
    return [part for part, said in _SAID_OF.items() if said(base) != said(content)]


def is_small_shift(base: Content, content: Content) -> bool:
    """Whether only dates change, the trip gets no longer, and it begins and ends at most `rules.SHIFT_DAYS` days from
    when it was to: within the window that was looked at."""
    if touched(base, content) != [Part.DATES]:
        return False
    (was_from, was_until), (begins, ends) = particulars.days(base["legs"]), particulars.days(content["legs"])
    window = timedelta(days=rules.SHIFT_DAYS)
    return (
        abs(begins - was_from) <= window and abs(ends - was_until) <= window and ends - begins <= was_until - was_from
    )


def base_of(request: TravelRequest) -> dict[str, Any]:
    """The trip that a change starts from: what was submitted last; of what was cleared in part, that part."""
    assert request.revision is not None
    content: dict[str, Any] = dict(request.revision.content)
    decision: Decision | None = request.decision
    if decision is not None and decision.cleared and decision.revision_id == request.revision_id:
        content["legs"] = list(decision.cleared)
    return content


def days(content: Content) -> tuple[date, date]:
    """The first and the last day of the trip. ValueError when it has no place."""
    return particulars.days(content["legs"])


def legs_of(request: TravelRequest, content: Content) -> list[Leg]:
    """The places in `content` as legs of `request`, not saved."""
    return [
        Leg(
            request=request,
            position=position,
            country=leg["country"],
            subdivision=leg.get("subdivision", ""),
            city=leg["city"],
            arrives_on=date.fromisoformat(leg["arrives_on"]),
            leaves_on=date.fromisoformat(leg["leaves_on"]),
            host=leg["host"],
        )
        for position, leg in enumerate(content["legs"])
    ]


def as_if(request: TravelRequest, content: Content, *, typed: Mapping[str, Any], at: datetime) -> TravelRequest:
    """`request` as it would be with `content`, seen at `at`: in memory, never to be saved.

    `typed`: what was typed into sections of it and is not valid yet.
    """
    there = copy(request).as_of(at)
    for name in FIELDS:
        setattr(there, name, content.get(name, [] if name in ("topics", "projects", "devices") else ""))
    there.declarations = [code for code, _text in rules.DECLARATIONS]
    held = vars(there)
    held["itinerary"], held["sections_as_typed"] = legs_of(request, content), sorted(typed)
    return there


def with_section(
    content: Content, section: str, values: Mapping[str, Any], legs: list[dict[str, Any]]
) -> dict[str, Any]:
    """`content` with a section of the form in the place of what it said. ValueError for a field that stays as it is."""
    changed = dict(content)
    if section == "itinerary":
        changed["legs"] = [snapshots.leg(Leg(position=position, **leg)) for position, leg in enumerate(legs)]
        return changed
    if unknown := values.keys() - set(FIELDS):
        raise ValueError(f"an amendment does not change {sorted(unknown)}")
    return changed | dict(values)
