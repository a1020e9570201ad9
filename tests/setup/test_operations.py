"""Whoever asks whether dates are kept is told the truth: each reason that makes the answer fail, one by one."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from approvals import tasks
from approvals.models import Clock, TravelRequest
from approvals.states import State
from config import operations
from config.celery import app
from config.models import Tick, note_tick
from config.operations import Alarm
from jobs.models import Job
from notifications.models import Channel, Notification, OutboxEvent
from tests.factories import NOW, OfficeFactory, in_state, posted, with_role

CLOSED = "redis://:secret@127.0.0.1:1/0"
ON_TIME: list[Alarm] = []


@pytest.fixture
def ticking(db: None) -> None:
    """Every task of the schedule ended well at NOW."""
    for task in operations.scheduled():
        note_tick(task, at=NOW, took=timedelta(seconds=1))


def alarms(at: datetime = NOW) -> list[Alarm]:
    return operations.look(at=at)[2]


def test_an_installation_in_which_all_runs_has_no_alarm(ticking: None) -> None:
    in_state(State.AUTHORITY_REVIEW)
    OutboxEvent.objects.update(done_at=NOW, next_attempt_at=None)
    assert alarms() == ON_TIME


def test_one_that_has_never_swept_says_so(db: None) -> None:
    assert alarms() == [Alarm.SWEEP_NOT_RUN, Alarm.TICK_LATE]


def test_a_new_installation_has_three_hours_until_what_runs_every_hour_is_late(db: None) -> None:
    every_minute = [task for task, late in operations.scheduled().items() if late != operations.HOURLY_LATE]
    for task in every_minute:
        note_tick(task, at=NOW, took=timedelta(seconds=1))
    assert alarms() == ON_TIME
    later = NOW + timedelta(hours=3)
    for task in every_minute:
        note_tick(task, at=later, took=timedelta(seconds=1))
    assert alarms(later) == ON_TIME
    assert alarms(later + timedelta(seconds=1)) == [Alarm.TICK_LATE]


def test_the_sweep_may_be_five_minutes_ago_and_not_more(ticking: None) -> None:
    assert alarms(NOW + timedelta(minutes=5)) == ON_TIME
    assert alarms(NOW + timedelta(minutes=5, seconds=1)) == [Alarm.SWEEP_NOT_RUN]


@pytest.mark.parametrize(
    ("task", "late"),
    [("notifications.tasks.deliver", timedelta(minutes=10)), ("audit.tasks.sign_checkpoint", timedelta(hours=3))],
)
def test_every_other_task_of_the_schedule_has_its_bound(ticking: None, task: str, late: timedelta) -> None:
    Tick.objects.filter(task=task).update(at=NOW - late)
    assert alarms() == ON_TIME
    Tick.objects.filter(task=task).update(at=NOW - late - timedelta(seconds=1))
    assert alarms() == [Alarm.TICK_LATE]


def test_a_step_that_nobody_takes_is_late_after_five_minutes(ticking: None) -> None:
    in_state(State.AUTHORITY_REVIEW)
    OutboxEvent.objects.update(done_at=NOW, next_attempt_at=None)
    clock = Clock.objects.filter(next_action_at__isnull=False).latest("started_at")
    Clock.objects.filter(pk=clock.pk).update(next_action_at=NOW - timedelta(minutes=5))
    assert alarms() == ON_TIME
    Clock.objects.filter(pk=clock.pk).update(next_action_at=NOW - timedelta(minutes=5, seconds=1))
    assert alarms() == [Alarm.SWEEP_LATE]


def test_a_clock_that_could_not_be_acted_on_is_an_alarm_while_it_waits_for_its_next_attempt(ticking: None) -> None:
    in_state(State.AUTHORITY_REVIEW)
    OutboxEvent.objects.update(done_at=NOW, next_attempt_at=None)
    clock = Clock.objects.filter(next_action_at__isnull=False).latest("started_at")
    due, again = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    Clock.objects.filter(pk=clock.pk).update(failures=1, next_action_at=due, retry_at=again)
    assert alarms() == [Alarm.CLOCKS_FAILED]


def test_an_event_that_is_not_told_is_late_after_ten_minutes(ticking: None) -> None:
    in_state(State.AUTHORITY_REVIEW)
    OutboxEvent.objects.update(done_at=None, next_attempt_at=NOW - timedelta(minutes=10))
    assert alarms() == ON_TIME
    OutboxEvent.objects.update(next_attempt_at=NOW - timedelta(minutes=10, seconds=1))
    assert alarms() == [Alarm.OUTBOX_LATE]
    OutboxEvent.objects.update(next_attempt_at=None)
    assert alarms() == [Alarm.NOTIFICATIONS_GIVEN_UP]


def test_a_mail_that_is_not_sent_is_late_after_ten_minutes(ticking: None) -> None:
    case = in_state(State.AUTHORITY_REVIEW)
    OutboxEvent.objects.update(done_at=NOW, next_attempt_at=None)
    mail = Notification.objects.create(
        event=OutboxEvent.objects.latest("pk"),
        audience="applicant",
        recipient=case.request.applicant.user,
        channel=Channel.MAIL,
        at=NOW,
        next_attempt_at=NOW - timedelta(minutes=11),
    )
    assert alarms() == [Alarm.OUTBOX_LATE]
    mail.mark_failed(OSError("away"), NOW)
    mail.save()
    assert alarms() == ON_TIME
    assert operations.figures(at=NOW).mails_retried == 1


def test_a_job_that_failed_through_us_is_an_alarm_for_a_day_and_a_refusal_is_none(ticking: None) -> None:
    job = Job.objects.create(kind="x", at=NOW, ended_at=NOW, state=Job.State.FAILED, why={"en": "Not such a file."})
    assert alarms() == ON_TIME
    Job.objects.filter(pk=job.pk).update(last_error="ValueError: x")
    assert alarms() == [Alarm.JOBS_FAILED]
    Job.objects.filter(pk=job.pk).update(ended_at=NOW - timedelta(days=1, seconds=1))
    assert alarms() == ON_TIME


def test_a_refusal_that_no_other_office_could_hear_is_an_alarm_that_wakes_nobody(ticking: None) -> None:
    cast = in_state(State.DENIED)
    OutboxEvent.objects.update(done_at=NOW, next_attempt_at=None)
    assert alarms() == [Alarm.APPEALS_UNHEARD]
    assert Alarm.APPEALS_UNHEARD in operations.MILD
    posted(cast.request.office, Role.APPEAL_REVIEWER, "0088")
    assert alarms() == [Alarm.APPEALS_UNHEARD]
    posted(OfficeFactory.create(code="PD"), Role.APPEAL_REVIEWER, "0099")
    assert alarms() == ON_TIME


def test_a_broker_that_is_away_is_an_alarm(ticking: None, settings: Any) -> None:
    settings.REDIS_URL = CLOSED
    assert alarms() == [Alarm.BROKER_AWAY]


@pytest.fixture
def without_database(db: None) -> Iterator[None]:
    """Every statement is refused, as by a server that is gone."""

    def away(*_args: Any, **_kwargs: Any) -> Any:
        raise OperationalError("server closed the connection; password=secret")

    with connection.execute_wrapper(away):
        yield


def test_a_database_that_is_away_is_the_first_alarm(
    without_database: None, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's transaction lives in it
    answer = client.get(reverse("health_work"))
    assert (answer.status_code, [reason["code"] for reason in answer.json()["reasons"]]) == (503, ["database_away"])
    assert "secret" not in answer.content.decode()


def test_the_answer_fails_with_reasons_and_no_more(ticking: None, client: Client) -> None:
    note_all(timezone.now())
    assert (client.get(reverse("health_work")).status_code, client.get(reverse("health_work")).json()) == (
        200,
        {"status": "ok", "reasons": []},
    )
    note_tick(operations.SWEEP, at=timezone.now() - timedelta(minutes=6), took=timedelta(seconds=1))
    answer = client.get(reverse("health_work"), headers={"accept-language": "zh-hans"})
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "failing",
        "reasons": [
            {"code": "sweep_not_run", "says": "No sweep of the clocks has ended well in the last five minutes."}
        ],
    }
    assert answer.cookies == {}


def test_what_was_given_up_is_shown_and_does_not_wake_anybody(ticking: None, client: Client) -> None:
    note_all(timezone.now())
    in_state(State.DRAFT)
    OutboxEvent.objects.create(event="x", subject=Job(kind="x", at=NOW).pk, at=NOW)
    Clock.objects.update(next_action_at=None)
    assert Alarm.NOTIFICATIONS_GIVEN_UP in alarms(timezone.now())
    assert client.get(reverse("health_work")).status_code == 200


def note_all(at: datetime) -> None:
    for task in operations.scheduled():
        note_tick(task, at=at, took=timedelta(seconds=1))


def test_a_task_that_ends_well_is_noted_and_one_that_raises_is_not(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(**_kwargs: Any) -> None:
        raise ValueError("x")

    monkeypatch.setattr("approvals.sweeping.sweep", breaks)
    tasks.sweep_clocks.apply()
    assert not Tick.objects.exists()
    monkeypatch.undo()
    before = timezone.now()
    tasks.sweep_clocks.apply()
    tick = Tick.objects.get()
    assert tick.task == operations.SWEEP
    assert before <= tick.at <= timezone.now()
    assert timedelta() < tick.took < timedelta(minutes=1)


def test_every_task_of_the_schedule_exists() -> None:
    app.loader.import_default_modules()
    assert set(operations.scheduled()) <= set(app.tasks)


# ── metrics ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shown", [None, "Bearer ", "Bearer wrong", "Basic right", "Bearer rightt", "Bearer é"])
def test_metrics_do_not_exist_without_the_token(db: None, client: Client, settings: Any, shown: str | None) -> None:
    settings.METRICS_TOKEN = "right"
    headers = {"authorization": shown} if shown else {}
    assert client.get(reverse("metrics"), headers=headers).status_code == 404


def test_metrics_do_not_exist_where_no_token_is_set(db: None, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get(reverse("metrics"), headers={"authorization": "Bearer "}).status_code == 404


@pytest.fixture
def scrape(client: Client, settings: Any) -> Callable[[], dict[str, float]]:
    settings.METRICS_TOKEN = "right"

    def read() -> dict[str, float]:
        answer = client.get(reverse("metrics"), headers={"authorization": "Bearer right"})
        assert answer.status_code == 200
        lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _space, value in (line.rpartition(" ") for line in lines)}

    return read


def test_metrics_say_what_is(ticking: None, scrape: Callable[[], dict[str, float]]) -> None:
    in_state(State.AUTHORITY_REVIEW)
    TravelRequest.unscoped.update(assigned_reviewer=None, assigned_number="")
    read = scrape()
    assert read["exit_approvals_database_up"] == 1
    assert read["exit_approvals_cases_untaken"] == 1
    assert read['exit_approvals_cases_overdue{tier="fast"}'] == 1  # NOW is long ago
    assert read["exit_approvals_sweep_lag_seconds"] > 300
    assert read['exit_approvals_alarm{alarm="sweep_late"}'] == 1
    assert read['exit_approvals_alarm{alarm="broker_away"}'] == 0
    assert read['exit_approvals_tick_age_seconds{task="sweep_clocks"}'] > 300


def test_what_is_not_known_is_not_said(
    without_database: None, scrape: Callable[[], dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    read = scrape()
    assert read["exit_approvals_database_up"] == 0
    assert "exit_approvals_sweep_lag_seconds" not in read
    assert 'exit_approvals_alarm{alarm="sweep_late"}' not in read


def test_the_number_of_queries_does_not_grow(ticking: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(13):
        operations.figures(at=NOW)
    in_state(State.AUTHORITY_REVIEW)
    with django_assert_num_queries(13):
        operations.figures(at=NOW)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("role", "status"), [(Role.ADMINISTRATOR, 200), (Role.AUDITOR, 200), (Role.LIST_MANAGER, 403)])
def test_administrators_and_auditors_see_the_page(db: None, client: Client, role: Role, status: int) -> None:
    client.force_login(with_role(role))
    assert client.get(reverse("operations")).status_code == status


def test_the_page_says_what_is_wrong_and_where_to_mend_it(ticking: None, client: Client) -> None:
    user = with_role(Role.ADMINISTRATOR)
    user.language = "en"
    user.save()
    client.force_login(user)
    Job.objects.create(kind="x", at=NOW, ended_at=timezone.now(), state=Job.State.FAILED, last_error="ValueError: x")
    page = client.get(reverse("operations")).content.decode()
    assert "Somebody has to look" in page
    assert "No sweep of the clocks has ended well in the last five minutes." in page
    assert f'<a href="{reverse("jobs")}">Open the work that failed' in page
    Job.objects.all().delete()
    note_all(timezone.now())
    page = client.get(reverse("operations")).content.decode()
    assert "Everything runs on time" in page
    assert "Somebody has to look" not in page
