"""Dates of requests in the calendars of those whose dates they are, and of nobody else."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from approvals import feeds as dates
from approvals import workflow
from approvals.models import Clock
from approvals.states import State
from authorities.terms import ClockKind
from notifications import feeds, icalendar
from notifications.icalendar import Entry
from tests.approvals.parted import cleared_in_part
from tests.factories import CompanyFactory, OfficeFactory, actor, employ, in_state, officer_of, posted, with_role
from tests.factories.requests import NOW, Cast, submitted

pytestmark = pytest.mark.django_db


def entries(user: User | None, at: datetime | None = None) -> list[Entry]:
    assert user is not None
    return list(dates.dates_of(user, at or NOW + timedelta(days=1)))


def due(user: User | None) -> list[tuple[str, str]]:
    """(what, last day) of everything that is due of somebody; the number of the request left out."""
    return [
        (entry.summary.partition(": ")[2], entry.last.isoformat())
        for entry in entries(user)
        if entry.key.startswith("due-")
    ]


@pytest.mark.parametrize(
    ("state", "whose", "what"),
    [
        (State.DRAFT, "applicant", "last day to submit the draft"),
        (State.COMPANY_REVIEW, "officer", "review of the company due"),
        (State.RETURNED, "applicant", "make the changes and submit again"),
        (State.COMPANY_DECLINED, "applicant", "last day to refer the trip to the office"),
        (State.AUTHORITY_REVIEW, "reviewer", "decision due"),
        (State.INFORMATION_REQUESTED, "applicant", "answer the office"),
        (State.DECISION_PROPOSED, "second_senior", "decision due"),
        (State.DECISION_PROPOSED, "applicant", "last day to reply to the proposal"),
        (State.DENIED, "applicant", "last day for an appeal"),
        (State.LAPSED, "applicant", "last day to reopen the request"),
    ],
)
def test_what_is_due_is_in_the_calendar_of_whom_it_is_due_of(state: State, whose: str, what: str) -> None:
    cast = in_state(state)
    user = cast.applicant.user if whose == "applicant" else getattr(cast, whose)
    (found,) = due(user)
    assert found[0] == what
    on_the_request = {
        (row.due_at - timedelta(microseconds=1)).astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
        for row in Clock.objects.filter(request=cast.request, ended_at=None)
        if row.due_at is not None
    }
    assert found[1] in on_the_request


def test_it_is_in_no_other_calendar() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    office = cast.request.office
    elsewhere = OfficeFactory.create(code="PD", name_en="Pudong office")
    others = [
        cast.officer,
        cast.senior,
        employ("Fei Fellow", cast.request.company).user,
        officer_of(CompanyFactory.create(name_en="Other Intelligence")),
        posted(office, Role.REVIEWER, "0099"),
        posted(office, Role.HEAD, "0001"),
        posted(elsewhere, Role.REVIEWER, "0021"),
        with_role(Role.ADMINISTRATOR),
        with_role(Role.AUDITOR),
    ]
    for user in others:
        assert entries(user) == [], user


def test_a_reviewer_who_left_has_no_dates_of_the_office() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    assert len(due(cast.reviewer)) == 1
    cast.reviewer.postings.update(ends_at=NOW)  # type: ignore[union-attr]
    assert due(cast.reviewer) == []


def test_a_trip_is_tentative_until_it_is_cleared() -> None:
    asked, cleared = in_state(State.AUTHORITY_REVIEW), in_state(State.APPROVED)
    (trip,) = [entry for entry in entries(asked.applicant.user) if entry.key.startswith("trip-")]
    assert trip.is_tentative
    assert trip.summary == f"{asked.request.reference}: trip to Rio de Janeiro (not cleared yet)"
    (trip,) = entries(cleared.applicant.user)
    assert not trip.is_tentative
    assert trip.summary == f"{cleared.request.reference}: trip to Rio de Janeiro"
    assert (trip.first.isoformat(), trip.last.isoformat()) == ("2026-04-22", "2026-04-28")


def test_of_a_trip_that_is_cleared_in_part_the_calendar_has_the_part() -> None:
    cast = cleared_in_part()
    (trip,) = [entry for entry in entries(cast.applicant.user) if entry.key.startswith("trip-")]
    assert trip.summary == f"{cast.request.reference}: trip to Rio de Janeiro"
    assert (trip.location, trip.description) == ("Rio de Janeiro", "Approved in part")
    assert (trip.first, trip.last) == (date(2026, 4, 23), date(2026, 4, 25))
    assert not trip.is_tentative


@pytest.mark.parametrize("state", [State.DRAFT, State.WITHDRAWN, State.DENIED, State.COMPANY_DECLINED])
def test_a_trip_that_is_not_asked_for_is_not_there(state: State) -> None:
    trips = [entry for entry in entries(in_state(state).applicant.user) if entry.key.startswith("trip-")]
    assert bool(trips) == (state is State.COMPANY_DECLINED)  # that one still holds its days


def test_trips_of_long_ago_are_left_out() -> None:
    user = in_state(State.APPROVED).applicant.user
    ended = datetime(2026, 4, 28, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert len(entries(user, ended + timedelta(days=90))) == 1
    assert entries(user, ended + timedelta(days=91)) == []


def test_an_entry_keeps_its_name_and_its_sequence_grows() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    (before,) = entries(cast.reviewer)
    at = before.changed_at + timedelta(hours=1)
    workflow.extend(cast.request.pk, actor=actor(cast.senior, at), at=at, working_days=5, reason="Holidays.")
    (after,) = entries(cast.reviewer)
    assert after.key == before.key
    assert after.sequence > before.sequence
    assert after.changed_at == at > before.changed_at
    assert after.last > before.last
    again = [icalendar.written(entries(cast.reviewer), name="n", language="en") for _time in range(2)]
    assert again[0] == again[1]


def test_a_provisional_date_is_tentative_and_says_so() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    Clock.objects.filter(request=cast.request, kind=ClockKind.DECISION).update(is_provisional=True)
    (entry,) = entries(cast.reviewer)
    assert entry.is_tentative
    assert entry.summary.endswith("(provisional)")


def test_no_name_is_in_it() -> None:
    for state in (State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED):
        cast: Cast = in_state(state)
        for user in (cast.applicant.user, cast.reviewer):
            assert user is not None
            token = feeds.renew(user, at=NOW).rpartition("/")[2].removesuffix(".ics")
            text = (feeds.calendar(token, at=NOW + timedelta(days=1)) or "").replace("\r\n ", "")
            assert cast.request.reference in text or not due(user)
            names = [cast.applicant.name_en, cast.applicant.name_zh, cast.request.company.name_en, "@lab.example"]
            assert not any(name in text for name in names if name)
            assert "ICLR" not in text


@pytest.mark.parametrize(("language", "words"), [("en", "decision due"), ("zh-hans", "SUMMARY:")])
def test_it_is_in_the_language_of_its_reader(language: str, words: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    assert cast.reviewer is not None
    User.objects.filter(pk=cast.reviewer.pk).update(language=language)
    token = feeds.renew(cast.reviewer, at=NOW).rpartition("/")[2].removesuffix(".ics")
    assert words in (feeds.calendar(token, at=NOW) or "")


def test_the_number_of_queries_does_not_grow() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    user = cast.applicant.user
    assert user is not None
    counts = []
    for first in (date(2026, 6, 1), date(2026, 7, 1), None):
        with CaptureQueriesContext(connection) as asked:
            entries(user)
        counts.append(len(asked))
        if first:
            legs = [{"country": "BR", "city": "Rio", "arrives_on": first, "leaves_on": first, "host": "ICLR"}]
            submitted(cast.applicant, legs=legs)
    assert len(entries(user)) == 4
    assert counts[0] == counts[1] == counts[2] <= 4
