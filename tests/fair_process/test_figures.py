"""Fair process 5, 15 and 28: a past request is no ground, lateness is counted publicly, aggregates are published."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from approvals import consistency
from approvals.states import State
from figures.counting import COLUMNS, count
from figures.publishing import publish_due
from figures.quarters import Quarter
from figures.suppression import THRESHOLD, suppress
from tests.factories import NOW, CompanyFactory, actor, employ, in_state
from tests.figures.attack import intervals
from tests.figures.numbers import large, published_by

SPRING = Quarter(2026, 1)
PUBLISHED = datetime(2026, 4, 20, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.django_db
def test_05_a_past_request_of_the_applicant_is_no_likeness_before_signing() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    in_state(State.DENIED, employee=alice)
    bob = in_state(State.DENIED, employee=employ("Bob Li", CompanyFactory.create()))
    employ("Cai Zhou", CompanyFactory.create())
    at = NOW + timedelta(days=2)
    cast = in_state(State.DECISION_PROPOSED, employee=alice, at=at)
    request = cast.request
    assert request.proposal
    request.proposal.outcome = "approved"  # as it stands before signing, had an approval been proposed

    found = consistency.before_signing(request, actor=actor(cast.senior, at), at=at + timedelta(days=1))

    assert found is not None
    assert [one.case.reference for one in found] == [bob.request.reference]


@pytest.mark.django_db
def test_15_lateness_is_counted_where_everybody_reads_it() -> None:
    in_state(State.AUTHORITY_REVIEW, employee=employ("Fay Forgotten", CompanyFactory.create()))
    assert count(SPRING).values["HD", "open_late"] == 1

    (row,) = publish_due(at=PUBLISHED)

    assert {"late", "open_late"} <= row.data["cells"]["HD"].keys()
    page = Client().get("/figures/", headers={"accept-language": "en"}).content.decode()
    assert "Still open, late" in page
    assert "Decided late" in page


@pytest.mark.django_db
def test_28_everything_that_has_to_be_published_is_published_by_itself() -> None:
    in_state(State.DENIED)

    (row,) = publish_due(at=PUBLISHED)

    named = {"received", "approved", "denied", "late", "open_late", "filed", "upheld", "overturned"}
    assert named < set(COLUMNS)
    assert named | {"code:T1"} <= row.data["cells"]["HD"].keys()
    assert row.data["days"]["HD"].keys() == {"median", "ninetieth"}
    assert Client().get("/figures/2026Q1.csv").status_code == 200


def test_28_small_cells_are_suppressed_so_that_no_total_gives_them_away() -> None:
    counted = large(seed=28)
    small = frozenset(cell for cell, value in counted.values.items() if 0 < value < THRESHOLD)
    hidden = suppress(counted.values, counted.layout)

    data = published_by(counted)

    assert all(data["cells"][row][column] is None for row, column in hidden)
    alone = intervals(counted.values, counted.layout, small)
    assert [cell for cell, (least, greatest) in alone.items() if least == greatest], "the attack finds what is found"
    for least, greatest in intervals(counted.values, counted.layout, hidden).values():
        assert greatest is None or greatest - least >= THRESHOLD - 1
