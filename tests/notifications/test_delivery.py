"""Alice asks, Bob is told, the mail server has its days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from notifications import failures, outbox, registry
from notifications.delivery import Delivered, deliver
from notifications.models import BACK_OFF, Channel, Notification, OutboxEvent
from notifications.registry import Notice, UnknownEvent
from tests.notifications.conftest import MONDAY, Happen, person
from tests.notifications.smtp import MailServer, mail_server

MINUTE = timedelta(minutes=1)


def told() -> set[tuple[str, str, bool]]:
    """Who was told on which channel, and whether that is done."""
    return {
        (one.recipient.name, one.channel, one.done_at is not None)
        for one in Notification.objects.select_related("recipient")
    }


@pytest.mark.django_db
def test_emitting_writes_nothing_by_itself(events: None) -> None:
    event = outbox.emit("test_submitted", subject=uuid7(), at=MONDAY)
    assert (event.next_attempt_at, event.done_at) == (MONDAY, None)
    assert not OutboxEvent.objects.exists()


def test_an_event_that_nobody_is_told_of_cannot_be_emitted() -> None:
    with pytest.raises(UnknownEvent, match="'vanished'"):
        outbox.emit("vanished", subject=uuid7(), at=MONDAY)


def test_an_audience_is_told_in_one_way_only(events: None) -> None:
    again = Notice(event="test_submitted", audience="officers", recipients=lambda event: [], subject="", body="")
    with pytest.raises(ValueError, match="tells officers already"):
        registry.register(again)
    assert "test_submitted" in registry.events()


@pytest.mark.django_db
def test_alice_is_told_once_however_often_the_worker_looks(happen: Happen) -> None:
    happen(person("Alice"))
    runs = [deliver(at=MONDAY), deliver(at=MONDAY), deliver(at=MONDAY + 2 * MINUTE)]
    assert runs == [Delivered(events=1, mails=1), Delivered(), Delivered()]
    assert told() == {("Alice", "bell", True), ("Alice", "mail", True)}
    assert [message.to for message in mail.outbox] == [["alice@lab.example"]]


@pytest.mark.django_db
def test_an_event_that_is_told_again_changes_nothing(happen: Happen) -> None:
    """As after a restore of a backup, or two workers that both believed to be the only one."""
    event = happen(person("Alice"))
    deliver(at=MONDAY)
    OutboxEvent.objects.filter(pk=event.pk).update(done_at=None, next_attempt_at=MONDAY)
    assert deliver(at=MONDAY) == Delivered(events=1, mails=0)
    assert Notification.objects.count() == 2
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_nothing_is_told_before_its_time(happen: Happen) -> None:
    happen(person("Alice"))
    assert deliver(at=MONDAY - MINUTE) == Delivered()


@pytest.mark.django_db
def test_each_audience_has_its_words_and_each_person_hears_once(happen: Happen) -> None:
    alice, bob = person("Alice"), person("Bob")
    happen(alice, officers=(alice, bob))
    deliver(at=MONDAY)
    assert {(one.recipient.name, one.audience) for one in Notification.objects.select_related("recipient")} == {
        ("Alice", "applicant"),
        ("Bob", "officers"),
    }
    assert sorted(message.subject for message in mail.outbox) == ["K7-2 waits for you", "K7-2 was received (en)"]


@pytest.mark.django_db
def test_a_closed_account_is_not_told(happen: Happen) -> None:
    alice, bob = person("Alice", is_active=False), person("Bob")
    happen(alice, bob)
    deliver(at=MONDAY)
    assert {one.to[0] for one in mail.outbox} == {"bob@lab.example"}


@pytest.mark.django_db
def test_an_account_closed_before_the_mail_went_out_is_not_told(happen: Happen, mails: MailServer) -> None:
    bob = person("Bob")
    happen(bob)
    mails.hangs_up = True
    deliver(at=MONDAY)
    mails.hangs_up = False
    bob.is_active = False
    bob.save()
    deliver(at=MONDAY + MINUTE)
    assert mails.received == []
    assert not Notification.objects.due(MONDAY + timedelta(days=9)).exists()


@pytest.mark.django_db
def test_a_poisoned_event_fails_alone_and_is_seen(happen: Happen) -> None:
    alice = person("Alice")
    happen(alice, number="K7-1")
    bad = happen(alice, poison=True)
    ghost = outbox.emit("test_submitted", subject=uuid7(), at=MONDAY, data={"people": ["not a number"]})
    ghost.save()
    happen(alice, number="K7-3")
    assert deliver(at=MONDAY) == Delivered(events=2, mails=2, failures=2)
    bad.refresh_from_db()
    ghost.refresh_from_db()
    assert (bad.attempts, bad.done_at, bad.last_error) == (1, None, "ZeroDivisionError: poison")
    assert ghost.last_error.startswith("ValueError")
    assert not bad.notifications.exists()


@pytest.mark.django_db
def test_twenty_events_are_told_with_as_many_queries_as_one(happen: Happen) -> None:
    alice, bob = person("Alice"), person("Bob")
    counted = []
    for events in (1, 20):
        for number in range(events):
            happen(alice, officers=(bob,), number=f"K7-{number}")
        with CaptureQueriesContext(connection) as queries:
            assert deliver(at=MONDAY, mails=False) == Delivered(events=events)
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert Notification.objects.count() == 21 * 2 * len(Channel)


@pytest.mark.django_db
def test_what_fails_is_tried_after_growing_distances_and_then_given_up(happen: Happen) -> None:
    event = happen(person("Alice"), poison=True)
    at, tries = MONDAY, [MONDAY]
    while True:
        deliver(at=at)
        assert deliver(at=at) == Delivered()
        event.refresh_from_db()
        if event.next_attempt_at is None:
            break
        assert deliver(at=event.next_attempt_at - timedelta(seconds=1)) == Delivered()
        at = event.next_attempt_at
        tries.append(at)
    assert [later - earlier for earlier, later in zip(tries, tries[1:], strict=False)] == list(BACK_OFF)
    assert (event.attempts, event.done_at) == (8, None)
    assert failures.latest(10) == ([event], [])
    assert failures.number() == 1
    assert deliver(at=at + timedelta(days=99)) == Delivered()


@pytest.mark.django_db
def test_a_mended_event_is_told_when_somebody_says_so(happen: Happen) -> None:
    event = happen(person("Alice"), poison=True)
    for days in range(9):
        deliver(at=MONDAY + timedelta(days=days))
    OutboxEvent.objects.update(data=event.data | {"poison": False})
    later = MONDAY + timedelta(days=20)
    assert failures.try_again(event.pk, at=later) == 1
    assert failures.try_again(event.pk, at=later) == 0
    assert deliver(at=later) == Delivered(events=1, mails=1)


@pytest.mark.django_db
def test_a_mail_arrives_when_the_server_is_back(happen: Happen, settings: object) -> None:
    happen(person("Alice"))
    with mail_server() as gone:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port  # type: ignore[attr-defined]
    assert deliver(at=MONDAY) == Delivered(events=1, failures=1)
    assert told() == {("Alice", "bell", True), ("Alice", "mail", False)}
    assert "ConnectionRefusedError" in Notification.objects.get(channel=Channel.MAIL).last_error

    with mail_server() as back:
        settings.EMAIL_PORT = back.port  # type: ignore[attr-defined]
        assert deliver(at=MONDAY + MINUTE) == Delivered(mails=1)
        assert [message["To"] for message in back.received] == ["alice@lab.example"]


@pytest.mark.django_db
def test_a_server_that_is_away_is_not_asked_again_for_every_mail(happen: Happen, mails: MailServer) -> None:
    happen(*[person(name) for name in ("Alice", "Bob", "Charlie")])
    mails.hangs_up = True
    assert deliver(at=MONDAY) == Delivered(events=1, failures=1)
    assert mails.connections == 1
    mails.hangs_up = False
    assert deliver(at=MONDAY + timedelta(seconds=1)) == Delivered(mails=2)
    assert deliver(at=MONDAY + MINUTE) == Delivered(mails=1)


@pytest.mark.django_db
def test_one_unknown_recipient_keeps_nobody_else_waiting(happen: Happen, mails: MailServer) -> None:
    happen(*[person(name) for name in ("Alice", "Bob", "Charlie")])
    mails.refuses = lambda line: "bob@" in line
    assert deliver(at=MONDAY) == Delivered(events=1, mails=2, failures=1)
    assert sorted(message["To"] for message in mails.received) == ["alice@lab.example", "charlie@lab.example"]
    assert mails.connections == 1
    (failed,) = Notification.objects.filter(done_at=None)
    assert "nobody here by that name" in failed.last_error


@pytest.mark.django_db
def test_a_mail_given_up_is_seen(happen: Happen, mails: MailServer) -> None:
    happen(person("Bob"))
    mails.refuses, mails.refusal = lambda line: "bob@" in line, "450 not now"
    for days in range(9):
        deliver(at=MONDAY + timedelta(days=days))
    events, (failed,) = failures.latest(10)
    assert events == []
    assert (failed.recipient.name, failed.attempts) == ("Bob", 8)
    mails.refuses = lambda line: False
    assert failures.try_again(None, at=MONDAY + timedelta(days=30)) == 1
    assert deliver(at=MONDAY + timedelta(days=30)) == Delivered(mails=1)


@pytest.mark.django_db
def test_a_run_stops_at_its_measure_and_says_that_there_is_more(happen: Happen) -> None:
    alice = person("Alice")
    for _number in range(3):
        happen(alice)
    assert deliver(at=MONDAY, most=2) == Delivered(events=3, mails=2, more=True)
    assert deliver(at=MONDAY, most=2) == Delivered(mails=1)


@pytest.mark.django_db
def test_people_can_be_told_without_mail_which_stays_due(happen: Happen) -> None:
    happen(person("Alice"))
    assert deliver(at=MONDAY, mails=False) == Delivered(events=1)
    assert mail.outbox == []
    assert deliver(at=MONDAY) == Delivered(mails=1)


def four_workers(at: datetime) -> list[Delivered]:
    together = Barrier(4, timeout=20)

    def worker(_number: int) -> Delivered:
        try:
            together.wait()
            return deliver(at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(worker, range(4)))


def test_workers_at_once_tell_each_event_once(committed: None, happen: Happen) -> None:
    alice = person("Alice")
    for _number in range(120):
        happen(alice)
    assert sum(run.events for run in four_workers(MONDAY)) == 120
    assert Notification.objects.count() == 240


def test_workers_at_once_send_each_mail_once(committed: None, happen: Happen, mails: MailServer) -> None:
    happen(*[person(f"P{number}") for number in range(100)])
    mails.hangs_up = True
    assert deliver(at=MONDAY) == Delivered(events=1, failures=1)
    mails.hangs_up = False
    runs = four_workers(MONDAY + MINUTE)
    assert sum(run.mails for run in runs) == 100
    assert min(run.mails for run in runs) > 0
    assert len({message["Message-ID"] for message in mails.received}) == len(mails.received) == 100
    assert not Notification.objects.filter(done_at=None).exists()


def test_an_event_that_somebody_has_in_hand_is_left_to_them(committed: None, happen: Happen) -> None:
    happen(person("Alice"))

    def worker() -> Delivered:
        try:
            return deliver(at=MONDAY)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        list(OutboxEvent.objects.select_for_update())
        assert pool.submit(worker).result() == Delivered()
    assert deliver(at=MONDAY) == Delivered(events=1, mails=1)
