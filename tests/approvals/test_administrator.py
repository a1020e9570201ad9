"""An administrator cannot decide a case, whatever posting they give themselves."""

from datetime import timedelta

import pytest

from accounts.models import RoleAssignment
from accounts.refusals import NotAllowed
from accounts.roles import Role
from approvals import workflow
from approvals.models import TravelRequest
from approvals.states import State
from tests.factories import NOW, actor, in_state
from tests.factories.people import LONG_AGO

pytestmark = pytest.mark.django_db


def test_a_reviewer_who_becomes_administrator_decides_no_more() -> None:
    case = in_state(State.AUTHORITY_REVIEW)
    RoleAssignment.objects.create(user=case.reviewer, role=Role.ADMINISTRATOR, starts_at=LONG_AGO)
    at = NOW + timedelta(hours=5)

    with pytest.raises(NotAllowed) as refused:
        workflow.approve(case.request.pk, actor=actor(case.reviewer, at), at=at)

    assert str(refused.value) == "An administrator cannot decide a case, in whatever other role."
    assert TravelRequest.unscoped.get(pk=case.request.pk).state == State.AUTHORITY_REVIEW
