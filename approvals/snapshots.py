"""What a submission froze: the content of a revision, as data, and its digest."""

from hashlib import sha256
from typing import Any

from approvals.models import Attachment, Leg, TravelRequest
from audit.canonical import canonical

# What the applicant writes, in the order of the page. A diff between two revisions goes over the same names.
FIELDS = (
    "title",
    "purpose",
    "description",
    "event_name",
    "event_url",
    "topics",
    "projects",
    "materials",
    "devices",
    "declarations",
)


def leg(place: Leg) -> dict[str, str]:
    """One place of the trip, as data."""
    return {
        "country": str(place.country.code),
        "subdivision": place.subdivision,
        "city": place.city,
        "arrives_on": place.arrives_on.isoformat(),
        "leaves_on": place.leaves_on.isoformat(),
        "host": place.host,
    }


def content(request: TravelRequest) -> dict[str, Any]:
    """Everything that `request` says at this moment: its fields, its places, its documents with their SHA-256."""
    return {name: getattr(request, name) for name in FIELDS} | {
        "legs": [leg(place) for place in request.itinerary],
        "attachments": [
            {"id": str(file.pk), "name": file.name, "kind": file.kind, "sha256": file.sha256}
            for file in request.documents
            if file.kind != Attachment.Kind.REPLY  # said to the office, and no part of what is asked for
        ],
    }


def digest(data: dict[str, Any]) -> bytes:
    """SHA-256 over the canonical form of `data`."""
    return sha256(canonical(data)).digest()
