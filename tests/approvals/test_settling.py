"""After a calendar is published: running clocks are settled, in batches, once; people are told of dates that moved."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.db.models import Max
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals import journal, queries, settling, sweeping, timekeeping
from approvals.models import Clock, TravelRequest
from approvals.states import State
from approvals.views.elsewhere import due_elsewhere
from audit.models import Entry
from audit.verification import verify
from authorities import calendars, policies
from authorities.models import CalendarYear
from authorities.working_days import SpecialDay
from config.celery import app
from jobs import work
from jobs.models import Job
from notifications import delivery
from notifications.models import Channel, Notification, OutboxEvent, Preferences
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import NOW, CompanyFactory, OfficeFactory, actor, employ, in_state, submitted
from tests.factories.requests import Cast
from tests.threads import Crowd

ZONE = NOW.tzinfo
TOLD = NOW + timedelta(hours=3)


def at(day: int, hour: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    calendars.forget()
    yield
    calendars.forget()


def publish(*changes: SpecialDay, year: int = 2026, office_id: int | None = None) -> CalendarYear:
    """A new version of the year, with these days besides what the library knows."""
    known = {day.day: day for day in calendars.from_library(year)} | {day.day: day for day in changes}
    row = calendars.draft(office_id, year, days=sorted(known.values(), key=lambda day: day.day), source="notice")
    return calendars.publish(row.pk, at=NOW)


def off(day: int, month: int = 3) -> SpecialDay:
    return SpecialDay(date(2026, month, day), False, "停电", "Power cut")


def worked(day: int, month: int = 3) -> SpecialDay:
    return SpecialDay(date(2026, month, day), True, "补班", "Made up for")


def settle(moment: datetime = TOLD) -> int:
    """All that is behind, batch by batch."""
    total = 0
    while some := settling.settle_some(at=moment):
        total += some
    return total


def clock(cast: Cast, kind: str) -> Clock:
    return Clock.objects.get(request=cast.request, kind=kind, ended_at=None)


def told(person: Any, request: TravelRequest) -> list[Notification]:
    delivery.deliver(at=TOLD)
    found = Notification.objects.filter(recipient=person, channel=Channel.BELL, event__subject=request.pk)
    return [one for one in found if one.event.event == "request.recompute"]


# ── the better date ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_day_off_more_does_not_lengthen_the_time_of_the_company() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    before = clock(cast, "company")
    publish(off(5))
    assert settle() > 0
    after = clock(cast, "company")
    assert (after.due_at, after.next_action_at) == (before.due_at, before.next_action_at) == (at(7), at(5, 9))
    assert after.calendar_version == before.calendar_version
    assert after.calendar_checked == calendars.newest_version()
    assert not Entry.objects.filter(verb="recompute").exists()
    assert told(cast.applicant.user, cast.request) == []


@pytest.mark.django_db
def test_a_working_day_more_makes_the_company_due_earlier_and_all_are_told() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    publish(off(3), worked(7))  # 3 March is the day of the event: only 7 March counts
    settle()
    assert clock(cast, "company").due_at == at(7)
    publish(worked(7), off(6))
    settle()
    assert clock(cast, "company").due_at == at(7)  # later would be 8 March: not for the company
    other = in_state(State.COMPANY_REVIEW, employee=employ("Li Na", CompanyFactory.create()), at=at(4))
    assert clock(other, "company").due_at == at(10)  # 5, 7 and 9 March
    publish(worked(7), worked(8))
    settle()
    moved = clock(other, "company")
    assert moved.due_at == at(8)  # 5, 6 and 7 March
    request = TravelRequest.unscoped.get(pk=other.request.pk)
    assert request.due_at == at(8)
    entry = Entry.objects.get(chain=request.pk, verb="recompute")
    assert entry.data == {
        "calendar": calendars.newest_version(),
        "moved": [["company", "2026-03-09", "2026-03-07"]],
    }
    assert (entry.actor_id, entry.actor_role) == (None, "system")
    for person in (other.applicant.user, other.officer):
        [note] = told(person, request)
        assert note.subject == f"{request.reference}: a date changed"
        assert "Company review: by 7 March 2026 (before: 9 March 2026)" in note.body
    assert verify().first_break is None


@pytest.mark.django_db
def test_the_applicant_gets_the_later_date_and_never_the_earlier() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    assert clock(cast, "answer").due_at == at(18)
    publish(worked(7), worked(8))
    settle()
    assert clock(cast, "answer").due_at == at(18)
    publish(off(10), off(11))
    settle()
    assert clock(cast, "answer").due_at == at(20)
    assert TravelRequest.unscoped.get(pk=cast.request.pk).due_at == at(20)
    [note] = told(cast.applicant.user, cast.request)
    assert "Answer: by 19 March 2026 (before: 17 March 2026)" in note.body


@pytest.mark.django_db
def test_a_longer_window_to_reply_is_a_longer_window_to_reply() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    assert cast.request.reply_until == at(11)
    publish(off(9), off(10))
    settle()
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert request.reply_until == clock(cast, "reply").due_at == at(13)
    call("reply", request.pk, actor(cast.applicant.user, at(12)), at(12))
    assert TravelRequest.unscoped.get(pk=request.pk).replied_at == at(12)


@pytest.mark.django_db
def test_what_has_run_out_stays_run_out() -> None:
    """The applicant's clock has run out and the sweep has not come by yet: it lapses all the same."""
    cast = in_state(State.INFORMATION_REQUESTED)
    publish(off(10), off(11))
    settle(at(18))
    assert clock(cast, "answer").due_at == at(18)
    sweeping.sweep(at=at(18))
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.LAPSED


@pytest.mark.django_db
def test_an_overdue_case_stays_overdue() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    sweeping.sweep(at=at(8))
    publish(off(5), off(6), off(9), off(10))
    settle(at(8, 12))
    assert clock(cast, "decision").due_at == at(7)
    assert TravelRequest.unscoped.get(pk=cast.request.pk).due_at == at(7)


@pytest.mark.django_db
def test_a_clock_that_stands_still_is_settled_and_goes_on_in_the_better_calendar() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    assert clock(cast, "decision").due_at is None
    publish(worked(7), worked(8))
    settle()
    row = clock(cast, "decision")
    assert (row.due_at, row.calendar_checked) == (None, calendars.newest_version())
    assert not Entry.objects.filter(chain=cast.request.pk, verb="recompute").exists()


@pytest.mark.django_db
def test_what_was_provisional_becomes_certain() -> None:
    draft = calendars.draft(None, 2026, days=calendars.from_library(2026), source="by law")
    calendars.publish(draft.pk, at=NOW, status=CalendarYear.Status.PROVISIONAL)
    cast = in_state(State.COMPANY_REVIEW)
    before = clock(cast, "company")
    assert before.is_provisional
    assert TravelRequest.unscoped.get(pk=cast.request.pk).due_is_provisional
    delivery.deliver(at=TOLD)
    asked = Notification.objects.filter(recipient=cast.officer, event__event="request.submit").latest("id")
    assert "Please review it by 6 March 2026 (provisional)" in asked.body
    lines = timekeeping.explain(cast.request, before, at=TOLD)
    assert all(line.is_provisional for line in lines)
    publish(off(5))
    settle()
    # A day off more: the company keeps the earlier date, and nothing can change about it any more.
    row = clock(cast, "company")
    assert row.calendar_version < row.calendar_checked == calendars.newest_version()
    assert (row.due_at, row.is_provisional) == (at(7), False)
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert not request.due_is_provisional
    assert not any(line.is_provisional for line in timekeeping.explain(request, row, at=TOLD))


@pytest.mark.django_db
def test_a_year_of_one_office_leaves_the_dates_of_the_others() -> None:
    here = in_state(State.COMPANY_REVIEW)
    office = OfficeFactory.create(code="QD", name_en="Qingdao")
    there = in_state(
        State.COMPANY_REVIEW,
        employee=employ("Qi Qing", CompanyFactory.create(name_en="Qingdao AI", office=office)),
        at=at(4),
    )
    publish(worked(7), worked(8), office_id=office.pk)
    settle()
    assert clock(here, "company").due_at == at(7)
    assert clock(there, "company").due_at == at(8)
    assert not queries.behind(version=calendars.newest_version()).exists()


# ── once, in batches, found again ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_settling_again_does_nothing() -> None:
    in_state(State.COMPANY_REVIEW)
    publish(worked(7))
    settle()
    with nothing_moved():
        assert settle() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_takes_as_many_statements_as_one(count: int) -> None:
    company = CompanyFactory.create()
    for letter in "ABC"[:count]:
        submitted(employ(f"Person {letter}", company))
    version = publish(worked(7)).since
    calendars.load(company.office_id, version=version)
    with CaptureQueriesContext(connection) as taken:
        assert settling.settle_some(at=TOLD) > 0
    # Newest version, claim, requests, clocks, offices, one write; and the calendar that was, in three.
    assert len([one for one in taken if "SAVEPOINT" not in one["sql"]]) == 9


@pytest.mark.django_db
def test_publishing_begins_the_work_and_a_look_every_minute_finds_what_was_missed(
    django_capture_on_commit_callbacks: Any,
) -> None:
    cast = in_state(State.COMPANY_REVIEW)
    assert settling.look(at=NOW) is None
    with patch.object(work, "hint"), django_capture_on_commit_callbacks(execute=True):
        publish(worked(7))
    job = Job.objects.get(kind=settling.KIND)
    assert (job.data, job.state) == ({"clocks": Clock.objects.filter(ended_at=None).count()}, Job.State.WAITING)
    while work.run_batch(job.pk, at=TOLD):
        pass
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == (Job.State.DONE, job.data["clocks"], job.data["clocks"])
    assert settling.look(at=TOLD) is None
    # A process that had not noticed yet started a clock in the calendar before.
    Clock.objects.filter(request=cast.request).update(calendar_checked=calendars.newest_version() - 1)
    with patch.object(work, "hint"):
        again = settling.look(at=TOLD)
        assert settling.look(at=TOLD) == again  # one at a time
    assert again is not None
    assert again.pk != job.pk
    assert "settle-clocks" in app.conf.beat_schedule


@pytest.mark.django_db
def test_a_batch_that_is_lost_is_done_again_from_where_it_stood() -> None:
    company = CompanyFactory.create()
    requests = [submitted(employ(f"Person {letter}", company), at=at(4)) for letter in "ABCD"]
    publish(worked(7), worked(8))
    assert settling.settle_some(at=TOLD, limit=2) > 0
    write, calls = journal.write_many, []

    def fail(steps: Any) -> None:
        calls.append(1)
        write(steps)
        raise ConnectionError("killed just before the commit")

    with patch.object(journal, "write_many", fail), pytest.raises(ConnectionError):
        settling.settle_some(at=TOLD, limit=2)
    assert calls
    settle()
    assert Entry.objects.filter(verb="recompute").count() == len(requests)
    assert OutboxEvent.objects.filter(event="request.recompute").count() == len(requests)
    assert {one.due_at for one in Clock.objects.filter(kind="company")} == {at(8)}


@pytest.mark.usefixtures("committed")
def test_four_at_once_and_somebody_at_a_request() -> None:
    company = CompanyFactory.create()
    requests = [submitted(employ(f"Person {letter}", company), at=at(4)) for letter in "ABCDEFGH"]
    busy = requests[0].pk
    publish(worked(7), worked(8))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM approvals_travelrequest WHERE id = %s FOR NO KEY UPDATE", [busy])
            with Crowd(4) as crowd:
                results = crowd.at_once([lambda: settling.settle_some(at=TOLD, limit=3)] * 4)
            assert all(isinstance(result, int) for result in results), results
            settle()
            behind = queries.behind(version=calendars.newest_version())
            assert set(behind.values_list("request_id", flat=True)) == {busy}
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    settle()
    assert not behind.exists()
    assert Entry.objects.filter(verb="recompute").count() == len(requests)


@pytest.mark.django_db
def test_those_behind_are_found_by_their_index() -> None:
    in_state(State.COMPANY_REVIEW)
    with CaptureQueriesContext(connection) as looked:
        assert queries.claim_behind(version=calendars.newest_version(), limit=500) == []
    with connection.cursor() as cursor:
        # A table as small as this one would be read as a whole.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {looked.captured_queries[-1]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "approvals_clock_behind" in plan


# ── policies ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_the_preview_of_a_policy_says_what_the_check_page_says() -> None:
    cast = in_state(State.DRAFT)
    request = cast.request
    calendar = calendars.load(request.office_id)
    for moment in (NOW, at(6, 23), at(7, 1), at(30, 12, month=9), at(23, 9, month=12)):
        lines = policies.current(request.office_id, moment).lines
        found = {(one.kind, one.tier): one for one in policies.outlook(lines, calendar=calendar, at=moment)}
        for tier in ("fast", "standard", "heightened", "restricted"):
            forecast = timekeeping.forecast(request.as_of(moment), tier=tier, at=moment)
            assert found["decision", tier].due == forecast.decision_by  # type: ignore[index]
            assert found["company", ""].due == forecast.company_by  # type: ignore[index]
            assert found["decision", tier].is_provisional == forecast.is_provisional  # type: ignore[index]


@pytest.mark.django_db
def test_a_running_clock_keeps_the_policy_with_which_it_started() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    before = clock(cast, "company")
    lines = dict(policies.current(None, NOW).lines)
    lines["company", ""] = type(lines["company", ""])(1)
    row = policies.draft(None, effective_from=at(4), lines=lines)
    policies.publish(row.pk, at=NOW)
    try:
        later = in_state(State.COMPANY_REVIEW, employee=employ("Li Na", CompanyFactory.create()), at=at(4, 12))
        assert clock(later, "company").due_at == at(6)
        sweeping.sweep(at=at(6))
        after = clock(cast, "company")
        assert (after.policy_version, after.due_at) == (before.policy_version, at(7))
        assert Clock.objects.aggregate(latest=Max("policy_version"))["latest"] == row.pk
    finally:
        policies.forget()


# ── somebody who lives elsewhere ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (
            "America/New_York",
            "6 March 2026 ends at midnight in Beijing; in New York it is 6 March 2026, 11:00 then.",
        ),
        ("Asia/Shanghai", ""),
        ("Asia/Hong_Kong", ""),  # the same time by another name
        (None, ""),
    ],
)
def test_an_applicant_in_another_zone_sees_both(client: Client, zone: str | None, words: str) -> None:
    cast = in_state(State.COMPANY_REVIEW)
    assert cast.applicant.user
    if zone:
        Preferences.objects.create(user=cast.applicant.user, time_zone=zone)
    request = queries.in_full(actor(cast.applicant.user, NOW)).get(pk=cast.request.pk)
    assert due_elsewhere(request) == words
    client.force_login(cast.applicant.user)
    page = client.get(f"/requests/{request.reference}/").content.decode()
    assert ("ends at midnight in Beijing" in page) is bool(words)
