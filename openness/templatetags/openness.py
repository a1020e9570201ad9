"""What stands beside a request: accepted corrections."""

from typing import Any

from django import template

from approvals.models import TravelRequest
from openness import corrections

register = template.Library()


@register.inclusion_tag("openness/parts/beside.html")
def beside_request(trip: TravelRequest, *, mine: bool = False) -> dict[str, Any]:
    """The accepted corrections of `trip`, and for the applicant the way to ask for one. One query."""
    return {"trip": trip, "mine": mine, "notes": corrections.beside(trip.pk)}
