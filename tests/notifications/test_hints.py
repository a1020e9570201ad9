"""Hints by a real broker to a real worker, and none at all."""

import socket
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
import logging, threading, django
django.setup()
from django.db import transaction
from notifications import outbox

logged = threading.Event()
handler = logging.Handler()
handler.emit = lambda record: logged.set()
logging.getLogger("notifications.outbox").addHandler(handler)

for number in range(100):
    with transaction.atomic():
        outbox.hint()
print("after" if logged.is_set() else "before", "the broker was given up")
print("logged" if logged.wait(50) else "not logged")
"""


def _hints_to(broker: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    names = environment | {"REDIS_URL": f"redis://{broker}/0", "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    return subprocess.run([sys.executable, "-c", AWAY], env=names, capture_output=True, text=True, timeout=100)


def test_a_broker_that_never_answers_keeps_nobody_waiting(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        done = _hints_to(f"127.0.0.1:{silent.getsockname()[1]}", environment)
    assert done.stdout == "before the broker was given up\nlogged\n", done.stderr


def test_a_broker_that_refuses_is_said_in_the_log(environment: dict[str, str]) -> None:
    done = _hints_to("127.0.0.1:1", environment)
    assert done.stdout.endswith("logged\n"), done.stderr
    assert "sweep finds them" in done.stderr
    assert "Traceback" not in done.stderr
