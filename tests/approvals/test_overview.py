"""The overview counts what waits, what is late and what runs behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from approvals import overview
from approvals.models import Clock
from approvals.states import State, Tier
from notifications.models import OutboxEvent
from tests.factories import NOW, CompanyFactory, employ, in_state, with_role

pytestmark = pytest.mark.django_db


def test_counts_of_an_office_grow_with_its_cases_and_age() -> None:
    case = in_state(State.AUTHORITY_REVIEW)
    bob = employ("Bob Li", CompanyFactory.create())
    in_state(State.INFORMATION_REQUESTED, employee=bob)

    (load,) = overview.offices(at=NOW + timedelta(hours=6))
    assert (load.office, load.open, load.unassigned, load.overdue, load.urgent) == (case.request.office, 2, 0, 0, 0)
    later = NOW + timedelta(days=30)
    (load,) = overview.offices(at=later)
    assert load.overdue == 2
    assert overview.overdue_by_tier(at=later)[Tier.FAST] == 2
    assert [number for _low, _high, number in overview.by_age(at=later)] == [0, 0, 0, 2, 0]
    assert overview.by_state()[State.AUTHORITY_REVIEW] == 1


def test_what_runs_behind_is_seen() -> None:
    in_state(State.COMPANY_REVIEW)
    OutboxEvent.objects.update(done_at=NOW, next_attempt_at=None)

    assert overview.running(at=NOW + timedelta(hours=2)).is_late is False
    late = overview.running(at=NOW + timedelta(days=2))
    assert late.is_late is True
    assert late.sweep_lag is not None
    assert late.sweep_lag > timedelta(minutes=5)
    Clock.objects.update(next_action_at=None)
    assert overview.running(at=NOW + timedelta(days=2)).sweep_lag is None
    OutboxEvent.objects.update(done_at=None, next_attempt_at=None, attempts=8)
    assert overview.running(at=NOW).failed_notifications == 1
    assert overview.running(at=NOW).is_late is True


@pytest.mark.parametrize(("role", "status"), [(Role.ADMINISTRATOR, 200), (Role.AUDITOR, 200), (Role.LIST_MANAGER, 403)])
def test_administrators_and_auditors_see_it(role: Role, status: int, django_assert_max_num_queries: Any) -> None:
    in_state(State.AUTHORITY_REVIEW)
    client = Client()
    client.force_login(with_role(role))

    with django_assert_max_num_queries(16):
        assert client.get("/overview/").status_code == status
