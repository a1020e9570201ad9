"""The particulars of a submitted revision: the parts of a trip that a fact can point at (fair process, 3 and 4).

A part has a key, such as `place-0` or `event`, which means something together with a revision only. What the applicant
did not write has no key: nobody can rely on it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_countries import countries

from sensitivity import picking

# The fields of a revision that are one part each, in the order of the page.
_FIELDS = {"description": "purpose", "event_name": "event", "materials": "materials", "devices": "devices"}


def keys(content: Mapping[str, Any]) -> list[str]:
    """The parts of a revision's `content` (`snapshots.content`), in the order of the page."""
    legs = range(len(content["legs"]))
    hosts = [f"host-{at}" for at in legs if content["legs"][at]["host"]]
    found = ["dates", *(f"place-{at}" for at in legs), *hosts]
    found += [key for field, key in _FIELDS.items() if content.get(field)]
    found += [f"topic-{code}" for code in content["topics"]]
    found += ["projects"] if content.get("projects") else []
    return [*found, *(f"document-{file['id']}" for file in content["attachments"])]


def days(legs: list[dict[str, Any]]) -> tuple[date, date]:
    """The first and the last day of some places of a revision. ValueError when there are none."""
    first = min(date.fromisoformat(leg["arrives_on"]) for leg in legs)
    return first, max(date.fromisoformat(leg["leaves_on"]) for leg in legs)


def places_in_words(legs: list[dict[str, Any]]) -> list[str]:
    """Places of a revision, a line for each: city, country, first and last day."""
    return [
        _("%(city)s, %(country)s: %(from)s to %(to)s")
        % {
            "city": leg["city"],
            "country": countries.name(leg["country"]),
            "from": date_format(date.fromisoformat(leg["arrives_on"]), "DATE_FORMAT"),
            "to": date_format(date.fromisoformat(leg["leaves_on"]), "DATE_FORMAT"),
        }
        for leg in legs
    ]


def in_words(content: Mapping[str, Any]) -> dict[str, str]:
    """Each part of `content` in the reader's language, by its key. One query when there are subjects."""
    labels = picking.subject_labels(content["topics"])
    return {key: _in_words(key, content, labels) for key in keys(content)}


def _in_words(key: str, content: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    kind, _dash, which = key.partition("-")
    if kind == "dates":
        first, last = days(content["legs"])
        words = {"from": date_format(first, "DATE_FORMAT"), "to": date_format(last, "DATE_FORMAT")}
        return _("Days: %(from)s to %(to)s") % words
    if kind == "place":
        leg = content["legs"][int(which)]
        return _("Place: %(city)s, %(country)s") % {"city": leg["city"], "country": countries.name(leg["country"])}
    if kind == "host":
        return _("Host: %(host)s") % {"host": content["legs"][int(which)]["host"]}
    if kind == "topic":
        return _("Subject: %(subject)s") % {"subject": labels.get(which, which)}
    if kind == "document":
        name = next(file["name"] for file in content["attachments"] if file["id"] == which)
        return _("Document: %(name)s") % {"name": name}
    if kind == "event":
        return _("Event: %(event)s") % {"event": content["event_name"]}
    return {
        "purpose": _("What the applicant will do"),
        "materials": _("Materials carried"),
        "devices": _("Devices carried"),
        "projects": _("Projects of the company"),
    }[kind]


def anchor(key: str) -> str:
    """The id of the element of the request's page that shows the part."""
    kind, _dash, which = key.partition("-")
    if kind in ("place", "host"):
        return f"part-place-{which}"
    if kind == "topic":
        return "part-topics"
    if kind == "document":
        return "documents"
    return "part-place-0" if kind == "dates" else f"part-{kind}"
