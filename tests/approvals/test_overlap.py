"""Two trips of one person never share a day: the product says which other trip it is, the database holds it to that."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.refusals import Invalid
from accounts.roles import Role
from approvals import workflow
from approvals.models import TravelRequest
from approvals.states import HOLDS_ITS_DATES, State
from authorities.models import Posting
from employees.models import Employee
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import NOW, CompanyFactory, OfficeFactory, actor, draft, employ, fill, in_state, posted, submitted
from tests.factories.requests import LEGS
from tests.threads import Crowd

# The other trip: 22 to 28 April.
FIRST, LAST = LEGS[0]["arrives_on"], LEGS[0]["leaves_on"]
CASES = {
    "the same days": (FIRST, LAST),
    "an enclosing trip": (FIRST - timedelta(days=9), LAST + timedelta(days=9)),
    "an enclosed day": (date(2026, 4, 25), date(2026, 4, 25)),
    "it ends on the first day": (FIRST - timedelta(days=3), FIRST),
    "it begins on the last day": (LAST, LAST + timedelta(days=3)),
}
FREE = {
    "until the day before": (FIRST - timedelta(days=3), FIRST - timedelta(days=1)),
    "from the day after": (LAST + timedelta(days=1), LAST + timedelta(days=3)),
}


def legs(first: date, last: date) -> list[dict[str, Any]]:
    return [{**LEGS[0], "arrives_on": first, "leaves_on": last}]


def submit(request: TravelRequest) -> TravelRequest:
    assert request.applicant.user
    return workflow.submit(request.pk, actor=actor(request.applicant.user, NOW), at=NOW)


def another(employee: Employee, first: date, last: date) -> TravelRequest:
    return fill(draft(employee), legs=legs(first, last), title="A second trip")


def refused_naming(other: TravelRequest, act: Callable[[], Any]) -> None:
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        act()
    [problem] = caught.value.problems
    assert problem.section == "itinerary"
    assert other.reference in str(problem.message)
    assert other.title in str(problem.message)
    assert "22 April 2026" in str(problem.message)


@pytest.mark.django_db
@pytest.mark.parametrize("days", CASES.values(), ids=CASES.keys())
def test_an_overlapping_trip_is_refused_and_the_other_named(days: tuple[date, date]) -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    first = submitted(alice)
    second = another(alice, *days)
    refused_naming(first, lambda: submit(second))
    assert str(workflow.problems(second, at=NOW)[0].message).count(first.reference) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("days", FREE.values(), ids=FREE.keys())
def test_trips_that_touch_do_not_overlap(days: tuple[date, date]) -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    submitted(alice)
    assert submit(another(alice, *days)).state == State.COMPANY_REVIEW


@pytest.mark.django_db
def test_a_gap_between_two_places_is_part_of_the_trip() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    first = fill(draft(alice), legs=[*legs(FIRST, FIRST), *legs(LAST, LAST)])
    first = submit(first)
    assert (first.departs_on, first.returns_on) == (FIRST, LAST)
    refused_naming(first, lambda: submit(another(alice, *CASES["an enclosed day"])))


@pytest.mark.django_db
def test_another_person_may_travel_on_the_same_days() -> None:
    company = CompanyFactory.create()
    submitted(employ("Alice Wang", company))
    assert submitted(employ("Bo Li", company)).state == State.COMPANY_REVIEW


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_which_states_hold_their_days(state: State) -> None:
    cast = in_state(state)
    second = another(cast.applicant, FIRST, LAST)
    if state in HOLDS_ITS_DATES:
        refused_naming(cast.request, lambda: submit(second))
    else:
        assert submit(second).state == State.COMPANY_REVIEW


@pytest.mark.django_db
def test_days_that_went_to_another_trip_are_not_taken_back_by_reopening() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    over = cast.request.due_at
    assert over
    workflow.lapse(cast.request.pk, at=over)
    other = submit(another(cast.applicant, FIRST, LAST))
    me = actor(cast.applicant.user, over)
    refused_naming(other, lambda: workflow.reopen(cast.request.pk, actor=me, at=over))
    workflow.withdraw(other.pk, actor=me, at=over)
    assert workflow.reopen(cast.request.pk, actor=me, at=over).state == State.INFORMATION_REQUESTED


@pytest.mark.django_db
def test_nor_by_an_appeal_that_succeeds() -> None:
    cast = in_state(State.DENIED)
    ping = posted(OfficeFactory.create(code="PD", name_en="Pudong"), Role.APPEAL_REVIEWER, "0099")
    at = cast.request.state_since + timedelta(minutes=5)
    call("file_appeal", cast.request.pk, actor(cast.applicant.user, at), at)
    call("hear_appeal", cast.request.pk, actor(ping, at), at)
    other = submit(another(cast.applicant, FIRST, LAST))
    refused_naming(other, lambda: call("overturn", cast.request.pk, actor(ping, at), at))
    assert Posting.objects.in_force(at).filter(user=ping).exists()


@pytest.mark.django_db
def test_the_database_refuses_what_passes_by_the_rules() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    submitted(alice)
    second = submit(another(alice, *FREE["from the day after"]))
    for days in CASES.values():
        with nothing_moved(), pytest.raises(IntegrityError, match="trips_do_not_overlap"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE approvals_travelrequest SET departs_on=%s, returns_on=%s WHERE id=%s", [*days, second.pk]
                )


@pytest.mark.usefixtures("committed")
def test_of_eight_overlapping_trips_submitted_at_once_one_is_taken_and_the_others_name_it() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    assert alice.user
    days = [
        (FIRST - timedelta(days=n), LAST + timedelta(days=n % 3)) for n in range(8)
    ]  # each encloses the one before, or the one after
    drafts = [another(alice, *span) for span in days]
    me = actor(alice.user, NOW)
    with Crowd(8) as crowd:
        for _round in range(5):
            results = crowd.at_once([lambda one=one: workflow.submit(one.pk, actor=me, at=NOW) for one in drafts])
            [taken] = [result for result in results if isinstance(result, TravelRequest)]
            for result in results:
                if result is not taken:
                    assert isinstance(result, Invalid), result
                    assert taken.reference in str(result)
            held = TravelRequest.unscoped.filter(applicant=alice, state__in=HOLDS_ITS_DATES)
            assert [one.pk for one in held] == [taken.pk]
            workflow.withdraw(taken.pk, actor=me, at=NOW)
            drafts[drafts.index(taken)] = another(alice, taken.departs_on, taken.returns_on)
