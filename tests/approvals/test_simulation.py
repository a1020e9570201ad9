"""A year of an office, made small: everything that must be true of it is, and is seen when it is not."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from approvals.simulation import Plan, broken, live
from approvals.simulation.year import Lived
from tests.database import real_commits

PLAN = Plan(days=60, requests=150, seed=3, reviewers=2)


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: DjangoDbBlocker, database_name: str) -> Iterator[Lived]:
    """Lived once for all tests that look at it."""
    with real_commits(django_db_blocker, database_name):
        yield live(PLAN)


def test_everything_that_must_be_true_is(lived: Lived) -> None:
    assert broken(lived.ended_at) == {}
    assert lived.started == 150
