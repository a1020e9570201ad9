"""Hints by a real broker to a real worker, and none at all."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import transaction

from config.celery import app
from notifications import outbox, tasks
from notifications.models import Notification, OutboxEvent
from tests.notifications.conftest import Happen, person


@pytest.fixture
def worker(committed: None) -> Iterator[None]:
    """A worker in a thread, on the tests' own Valkey database."""
    app.control.purge()
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        yield


def wait_until(condition: Any, seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.02)


def test_a_hint_reaches_the_worker_after_the_commit(worker: None, happen: Happen) -> None:
    alice = person("Alice")
    with transaction.atomic():
        happen(alice)
        outbox.hint()
        time.sleep(0.2)
        assert not Notification.objects.exists()
    wait_until(lambda: Notification.objects.filter(done_at__isnull=False).count() == 2)


def test_alice_is_told_once_although_the_task_runs_three_times(worker: None, happen: Happen) -> None:
    happen(person("Alice"))
    for _number in range(3):
        tasks.deliver.apply_async()
    wait_until(lambda: OutboxEvent.objects.filter(done_at__isnull=False).exists())
    last = happen(person("Bob"))
    tasks.deliver.apply_async()  # the queue is in order: when Bob was told, the three before are through
    wait_until(lambda: last.notifications.filter(done_at__isnull=False).count() == 2)
    assert Notification.objects.filter(recipient__name="Alice").count() == 2


def test_a_lost_hint_loses_nothing(committed: None, happen: Happen) -> None:
    happen(person("Alice"))
    app.control.purge()
    tasks.deliver()  # what beat asks for each minute
    assert Notification.objects.filter(done_at__isnull=False).count() == 2


AWAY = """
import logging, sys, threading, time, django
django.setup()
from django.db import transaction
from notifications import outbox

logged = threading.Event()
handler = logging.Handler()
handler.emit = lambda record: logged.set()
logging.getLogger("notifications.outbox").addHandler(handler)

begin = time.monotonic()
for number in range(100):
    with transaction.atomic():
        outbox.hint()
print("waited" if time.monotonic() - begin > 0.5 else "did not wait")
if sys.argv[1:] == ["--log"]:
    print("logged" if logged.wait(30) else "not logged")
"""


# A port that refuses, and an address that never answers (RFC 5737 keeps it free).
@pytest.mark.parametrize(
    ("address", "options", "says"),
    [
        ("127.0.0.1:1", ["--log"], "did not wait\nlogged\n"),
        ("192.0.2.1:6379", [], "did not wait\n"),
    ],
)
def test_a_broker_that_is_away_keeps_nobody_waiting(
    environment: dict[str, str], address: str, options: list[str], says: str
) -> None:
    names = environment | {"REDIS_URL": f"redis://{address}/0", "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    command = [sys.executable, "-c", AWAY, *options]
    done = subprocess.run(command, env=names, capture_output=True, text=True, timeout=60)
    assert done.stdout == says, done.stderr
    assert ("sweep finds them" in done.stderr) == bool(options)
    assert "Traceback" not in done.stderr
