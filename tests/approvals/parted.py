"""Trips of two places; and one of which a part is cleared: of Brazil and Portugal the first, there the first days."""

from datetime import date, timedelta
from typing import Any

from approvals import workflow
from approvals.states import State
from tests.factories import actor, in_state
from tests.factories.requests import DENIAL, NOW, Cast

# Two places after each other, with no day in both.
TWO_PLACES: list[dict[str, Any]] = [
    {
        "country": "BR",
        "city": "Rio de Janeiro",
        "arrives_on": date(2026, 4, 22),
        "leaves_on": date(2026, 4, 28),
        "host": "ICLR Foundation",
    },
    {
        "country": "AR",
        "city": "Buenos Aires",
        "arrives_on": date(2026, 4, 29),
        "leaves_on": date(2026, 5, 2),
        "host": "",
    },
]
RIO_AND_LISBON: list[dict[str, Any]] = [
    {
        "country": "BR",
        "city": "Rio de Janeiro",
        "arrives_on": date(2026, 4, 22),
        "leaves_on": date(2026, 4, 28),
        "host": "ICLR",
    },
    {
        "country": "PT",
        "city": "Lisbon",
        "arrives_on": date(2026, 4, 28),
        "leaves_on": date(2026, 5, 2),
        "host": "INESC",
    },
]


def cleared_in_part() -> Cast:
    """Alice's trip to Rio de Janeiro and Lisbon (22 April to 2 May), cleared for Rio de Janeiro, 23 to 25 April."""
    cast = in_state(State.AUTHORITY_REVIEW, legs=RIO_AND_LISBON)
    assert cast.request.revision is not None
    assert cast.applicant.user is not None
    rio = cast.request.revision.content["legs"][0] | {"arrives_on": "2026-04-23", "leaves_on": "2026-04-25"}
    at = NOW + timedelta(hours=4)
    request_id, rui = cast.request.pk, actor(cast.reviewer, at)
    workflow.propose(request_id, actor=rui, at=at, outcome="approved", grounds=DENIAL, cleared=[rio])
    workflow.reply(request_id, actor=actor(cast.applicant.user, at), at=at, text="Please let me see Lisbon.")
    cast.request = workflow.confirm(request_id, actor=actor(cast.senior, at), at=at)
    return cast
