"""An appeal from filing to its end: another office hears it, and can replace the decision."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from approvals import workflow
from approvals.models import Appeal
from approvals.states import State
from tests.factories import OfficeFactory, actor, in_state, posted


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.DENIED, State.REVOKED])
def test_another_office_replaces_a_refusal_by_a_clearance(state: State) -> None:
    cast = in_state(state)
    alice = cast.applicant.user
    assert alice is not None
    ping = posted(OfficeFactory.create(code="PD", name_en="Pudong office"), Role.APPEAL_REVIEWER, "0099", "Ping Appeal")
    at = cast.request.state_since + timedelta(hours=1)

    workflow.file_appeal(cast.request.pk, actor=actor(alice, at), at=at, text="The session was cancelled.")
    workflow.hear_appeal(cast.request.pk, actor=actor(ping, at), at=at)
    request = workflow.overturn(cast.request.pk, actor=actor(ping, at), at=at, text="Indeed it was.")

    assert request.state == State.APPROVED
    assert request.decided_by_id == ping.pk
    appeal = Appeal.objects.get(request=request)
    assert (appeal.state, appeal.outcome_text, appeal.ended_at) == ("overturned", "Indeed it was.", at)
