"""A small story counted by hand: who was received, decided, late, in which quarter."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from approvals import sweeping, workflow
from approvals.models import TravelRequest
from approvals.states import State
from authorities.models import Office
from employees.models import Employee
from figures.counting import COLUMNS, count
from figures.quarters import Quarter
from figures.suppression import TOTAL, check
from tests.factories import NOW, CompanyFactory, OfficeFactory, actor, employ, in_state, posted

pytestmark = pytest.mark.django_db

SPRING, SUMMER = Quarter(2026, 1), Quarter(2026, 2)


def somebody(name: str) -> Employee:
    return employ(name, CompanyFactory.create())


def told() -> None:
    """Seven people of one office in the first quarter of 2026, all of tier fast: three working days."""
    dan = in_state(State.AUTHORITY_REVIEW, employee=somebody("Dan Deemed"))
    sweeping.sweep(at=NOW + timedelta(days=20), call_help=lambda: None)
    assert TravelRequest.unscoped.get(pk=dan.request.pk).state == State.APPROVED

    in_state(State.APPROVED, employee=somebody("Alice Wang"))
    bob = in_state(State.DENIED, employee=somebody("Bob Li"))
    in_state(State.REVOKED, employee=somebody("Cai Zhou"))
    eva = in_state(State.AUTHORITY_REVIEW, employee=somebody("Eva Late"))
    late = NOW + timedelta(days=14)
    workflow.approve(eva.request.pk, actor=actor(eva.reviewer, late), at=late)
    in_state(State.AUTHORITY_REVIEW, employee=somebody("Fay Forgotten"))

    # The last evening of March in Beijing; what comes after midnight there is April, and in UTC it is not yet.
    evening = datetime(2026, 3, 31, 20, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    gil = in_state(State.APPROVED, employee=somebody("Gil Night"), at=evening)
    assert gil.request.decided_at == datetime(2026, 3, 31, 16, 30, tzinfo=UTC)

    ping = posted(OfficeFactory.create(code="PD", name_en="Pudong office"), Role.APPEAL_REVIEWER, "7001")
    assert bob.applicant.user
    at = NOW + timedelta(days=3)
    workflow.file_appeal(bob.request.pk, actor=actor(bob.applicant.user, at), at=at, text="The session is public.")
    workflow.hear_appeal(bob.request.pk, actor=actor(ping, at), at=at, no_conflict=True)
    workflow.uphold(bob.request.pk, actor=actor(ping, at), at=at, text="The grounds hold.")


def test_each_thing_is_counted_once_where_it_belongs() -> None:
    told()

    counted = count(SPRING)

    check(counted.values, counted.layout)
    assert {column: counted.values["HD", column] for column in (*COLUMNS, "code:T1")} == {
        "received": 7,
        "decided": 5,  # Dan, Alice, Bob, Cai, Eva; Gil after midnight
        "approved": 3,  # Alice, Cai before the revocation, Eva
        "deemed": 1,
        "denied": 1,
        "revoked": 1,
        "in_time": 3,
        "late": 2,  # Dan and Eva
        "open_late": 1,  # Fay; Gil was there and not late
        "filed": 1,
        "appeals_ended": 1,
        "upheld": 1,
        "overturned": 0,
        "appeal_withdrawn": 0,
        "code:T1": 2,  # Bob and Cai
    }
    # Eva: 4, 5, 6, 9 to 13, 16 and 17 March. Dan was deemed approved when the sweep came, on the 23rd.
    assert counted.days["HD"] == [0, 0, 0, 10, 14]
    assert [one["code"] for one in counted.offices] == ["HD", "PD"]
    assert counted.codes == [{"code": "T1", "zh": "技术", "en": "Technology of a published list"}]
    assert {column for column in COLUMNS if counted.values["PD", column]} == set()
    assert all(counted.values[TOTAL, column] == counted.values["HD", column] for column in COLUMNS)


def test_a_quarter_ends_at_midnight_where_the_office_is() -> None:
    told()

    assert count(SUMMER).values["HD", "decided"] == 1
    assert count(SUMMER).values["HD", "received"] == 0

    Office.objects.filter(code="HD").update(time_zone="UTC")
    assert count(SPRING).values["HD", "decided"] == 6
    assert count(SUMMER).values["HD", "decided"] == 0


def test_what_was_late_is_judged_by_what_was_known_at_the_end_of_the_quarter() -> None:
    """An extension granted after it does not make a case punctual in the quarter before."""
    evening = datetime(2026, 3, 25, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    cast = in_state(State.AUTHORITY_REVIEW, employee=somebody("Fay Forgotten"), at=evening)
    assert count(SPRING).values["HD", "open_late"] == 1

    at = datetime(2026, 4, 1, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    workflow.extend(cast.request.pk, actor=actor(cast.senior, at), at=at, working_days=10, reason="The host was asked.")

    assert count(SPRING).values["HD", "open_late"] == 1


def test_a_clearance_that_an_appeal_puts_in_place_counts_as_an_appeal_and_not_as_a_decision() -> None:
    cast = in_state(State.DENIED)
    ping = posted(OfficeFactory.create(code="PD", name_en="Pudong office"), Role.APPEAL_REVIEWER, "7001")
    at = NOW + timedelta(days=3)
    assert cast.applicant.user
    workflow.file_appeal(cast.request.pk, actor=actor(cast.applicant.user, at), at=at, text="It is public.")
    workflow.hear_appeal(cast.request.pk, actor=actor(ping, at), at=at, no_conflict=True)
    workflow.overturn(cast.request.pk, actor=actor(ping, at), at=at, text="The session is public.")

    values = count(SPRING).values

    assert (values["HD", "decided"], values["HD", "approved"], values["HD", "denied"]) == (1, 0, 1)
    assert (values["HD", "overturned"], values["PD", "overturned"]) == (1, 0)


def test_counting_takes_the_same_queries_for_one_case_and_for_three() -> None:
    taken = []
    for name in ("Alice Wang", "Bob Li", "Cai Zhou"):
        in_state(State.DENIED, employee=somebody(name))
        in_state(State.AUTHORITY_REVIEW, employee=somebody(f"{name} waiting"))
        count(SPRING)  # calendars and policies are kept
        with CaptureQueriesContext(connection) as queries:
            count(SPRING)
        taken.append(len(queries))
    assert taken == [9, 9, 9]


@pytest.mark.parametrize("name", ["2026Q0", "2026Q5", "26Q1", "2026q1", "2026Q1 ", "", "0000Q1"])
def test_what_is_no_quarter_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="quarter"):
        Quarter.named(name)


def test_quarters_follow_each_other() -> None:
    assert Quarter.named("2026Q4").next == Quarter(2027, 1)
    assert Quarter.of(NOW.date()) == SPRING
    assert SPRING.ends_at(UTC) == SUMMER.begins_at(UTC) == datetime(2026, 4, 1, tzinfo=UTC)
