"""Loading the demonstration: the same again with the same seed, all or nothing, never where it must not be."""

from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import User
from approvals import demo, workflow
from approvals.demo import printed
from approvals.models import TravelRequest
from approvals.states import State
from audit.models import Entry
from authorities.models import Office
from tests.factories import in_state

TODAY = date(2026, 11, 24)


@pytest.fixture
def attachments(settings: Any, tmp_path: Path) -> None:
    """Documents go to a folder of the test."""
    kept = settings.STORAGES["attachments"]
    options = kept["OPTIONS"] | {"location": tmp_path}
    settings.STORAGES = settings.STORAGES | {"attachments": kept | {"OPTIONS": options}}


def what_happened() -> list[tuple[Any, ...]]:
    """Everything that the seed decides, without keys and reference numbers."""
    requests = TravelRequest.unscoped.order_by("created_at", "applicant__number").select_related("applicant", "office")
    found: list[tuple[Any, ...]] = []
    for request in requests:
        history = Entry.objects.filter(chain=request.pk).order_by("sequence").values_list("at", "verb", "actor_role")
        legs = [(leg.city, str(leg.country), leg.arrives_on, leg.leaves_on, leg.host) for leg in request.itinerary]
        row = (request.applicant.number, request.applicant.name, request.office.code, request.title, request.state)
        found.append((*row, request.tier, request.due_at, request.assigned_number, tuple(legs), tuple(history)))
    return found


def _history_of(seed: int, today: date) -> list[tuple[Any, ...]]:
    """What `demo.load` makes; undone again."""
    with transaction.atomic():
        demo.load(seed=seed, requests=15, today=today)
        found = what_happened()
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
def test_the_same_seed_and_day_give_the_same_history(attachments: None) -> None:
    first = _history_of(3, TODAY)
    assert len(first) == 15
    assert _history_of(3, TODAY) == first
    assert _history_of(4, TODAY) != first
    assert _history_of(3, TODAY + timedelta(days=9)) != first


@pytest.mark.django_db
def test_it_is_refused_outside_development_and_then_nothing_is_written(settings: Any) -> None:
    settings.DEMO_ALLOWED = False
    with pytest.raises(CommandError, match="for development only"):
        call_command("demo", requests=1)
    assert not User.objects.exists()
    assert not Office.objects.exists()
    assert demo.accounts() == ()


@pytest.mark.django_db
def test_it_is_refused_where_there_are_requests(attachments: None) -> None:
    in_state(State.DRAFT)
    with pytest.raises(CommandError, match="DATA_DIR"):
        call_command("demo", requests=1)
    assert not User.objects.filter(email__endswith="@demo.example").exists()


@pytest.mark.django_db
def test_what_goes_wrong_leaves_nothing_behind(attachments: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_values: Any) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(workflow, "submit", lambda *_args, **values: broken(**values))
    with pytest.raises(RuntimeError, match="in the middle"):
        demo.load(requests=10, today=TODAY)
    assert not User.objects.exists()
    assert not TravelRequest.unscoped.exists()


@pytest.mark.django_db
def test_the_command_prints_the_accounts(attachments: None) -> None:
    said = StringIO()
    call_command("demo", requests=3, today=TODAY, stdout=said)
    assert "3 requests" in said.getvalue()
    for account in printed.ACCOUNTS:
        assert account.email in said.getvalue()
    again = StringIO()
    call_command("demo", accounts=True, stdout=again)
    assert demo.PASSWORD in again.getvalue()
    assert "requests" not in again.getvalue()


@pytest.mark.django_db
def test_without_the_demonstration_no_accounts_are_printed() -> None:
    said = StringIO()
    call_command("demo", accounts=True, stdout=said)
    assert said.getvalue() == ""
