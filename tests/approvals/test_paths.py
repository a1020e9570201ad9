"""Every state can be reached by the verbs, and leaves a true history."""

import pytest

from approvals.models import Clock, TravelRequest
from approvals.states import State
from audit.models import Entry
from notifications.models import OutboxEvent
from tests.factories import in_state


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_the_verbs_lead_to_every_state(state: State) -> None:
    request = in_state(state).request

    entries = list(Entry.objects.filter(chain=request.pk).order_by("sequence"))
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[-1].data["to"] == state
    assert bytes(request.chain_head) == bytes(entries[-1].hash)
    assert OutboxEvent.objects.filter(subject=request.pk).count() == len(entries) - 1  # all but `start`
    assert TravelRequest.unscoped.get(pk=request.pk).state == state
    open_kinds = set(Clock.objects.filter(request=request, ended_at=None).values_list("kind", flat=True))
    assert open_kinds == EXPECTED_CLOCKS[state]


EXPECTED_CLOCKS = {
    State.DRAFT: {"draft"},
    State.COMPANY_REVIEW: {"company", "departure"},
    State.RETURNED: {"change", "departure"},
    State.COMPANY_DECLINED: {"refer", "departure"},
    State.AUTHORITY_REVIEW: {"decision", "departure"},
    State.INFORMATION_REQUESTED: {"decision", "answer", "departure"},
    State.DECISION_PROPOSED: {"decision", "reply", "departure"},
    State.APPROVED: {"return"},
    State.DENIED: {"appeal_filing"},
    State.REVOKED: {"appeal_filing"},
    State.CLOSED: set(),
    State.WITHDRAWN: set(),
    State.LAPSED: {"reopen"},
}
