"""kill -9 of the worker, the web server and Valkey, while two hundred requests are submitted through the web server.

Afterwards every submission is there once, the log is whole, and everybody was told: at least once by mail (a second
copy carries the same Message-ID), once on the page.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from approvals.models import ClockAction, TravelRequest
from approvals.states import State
from audit.models import Entry
from audit.verification import verify
from config import embedded
from config.processes import COMMANDS
from notifications.models import Channel, Notification, OutboxEvent
from tests.factories import CompanyFactory, draft, employ, fill, officer_of
from tests.factories.requests import LEGS
from tests.notifications.smtp import mail_server

SUBMISSIONS = 200
PEOPLE = 20
HANDS = 4
TOKEN = "t" * 32
ROOT = Path(settings.BASE_DIR)


class Process:
    """A program with its children, which can be killed without notice and started again."""

    def __init__(self, stack: ExitStack, words: list[str], environment: dict[str, str], log: Path) -> None:
        self.words, self.environment, self.log = words, environment, log
        self.start()
        stack.callback(self.kill)

    def start(self) -> None:
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.words],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def own_valkey(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A Valkey of this test, and how to kill and restart it."""
    server = embedded.Valkey(folder, embedded.Account.of_this_process(), durable=True)
    (folder / "log").mkdir()
    server.prepare()
    running = server.start()

    def kill_and_restart() -> None:
        nonlocal running
        running.kill()
        running.wait()
        time.sleep(1.5)
        running = server.start()

    try:
        until(server.ready)
        yield server.url(), kill_and_restart
    finally:
        running.kill()
        running.wait()


def until(look: Callable[[], Any], seconds: float = 90) -> None:
    """Wait until `look` is true; it is an error when it does not become so."""
    give_up = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < give_up, f"not within {seconds} s: {look}"
        time.sleep(0.1)


def signed_in(user: User) -> str:
    """The key of a session of `user`."""
    session = import_module("django.contrib.sessions.backends.db").SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


class Submitter(threading.Thread):
    """Somebody at a browser who submits drafts one after the other, and tries again when there is no answer."""

    def __init__(self, port: int, work: list[tuple[str, str]], done: list[int]) -> None:
        super().__init__()
        self.port, self.work, self.done = port, work, done
        self.unanswered = 0

    def run(self) -> None:
        for reference, session in self.work:
            status = self._submit(reference, session)
            while status is None:
                self.unanswered += 1
                time.sleep(0.1)
                status = self._submit(reference, session)
            self.done.append(status)

    def _submit(self, reference: str, session: str) -> int | None:
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as http:
                http.request("POST", f"/api/requests/{reference}/actions/submit/", json.dumps({}), headers)
                return http.getresponse().status
        except (OSError, HTTPException):
            return None


def drafts() -> list[tuple[str, str]]:
    """Two hundred complete drafts of twenty people, with the session of whoever will submit each."""
    company = CompanyFactory.create()
    officer_of(company)
    now, first = timezone.now(), timezone.localdate() + timedelta(days=40)
    work = []
    for person in range(PEOPLE):
        employee = employ(f"Person {chr(65 + person)}", company)
        assert employee.user
        session = signed_in(employee.user)
        for trip in range(SUBMISSIONS // PEOPLE):
            day = first + timedelta(days=3 * trip)
            request = fill(draft(employee, at=now), at=now, legs=[{**LEGS[0], "arrives_on": day, "leaves_on": day}])
            work.append((request.reference, session))
    return work


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nothing_is_lost_when_worker_web_server_and_valkey_are_killed(
    environment: dict[str, str], tmp_path: Path, free_port: int
) -> None:
    with ExitStack() as stack:
        mail = stack.enter_context(mail_server())
        broker_url, kill_valkey = stack.enter_context(own_valkey(tmp_path))
        environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.survival_settings",
            "REDIS_URL": broker_url,
            "SECRET_KEY": settings.SECRET_KEY,
            "AUDIT_SIGNING_KEY": settings.AUDIT_SIGNING_KEY,
            "DATA_DIR": str(tmp_path),
            "MAIL_PORT": str(mail.port),
            "GRANIAN_HOST": "127.0.0.1",
            "GRANIAN_PORT": str(free_port),
            "GRANIAN_WORKERS": "1",
            "LOG_LEVEL": "WARNING",
        }
        web = Process(stack, COMMANDS["web"], environment, tmp_path / "web.log")
        worker = Process(stack, COMMANDS["worker"], environment, tmp_path / "worker.log")
        beat = Celery(broker=broker_url)  # the test strikes the hours itself: a minute is long

        def strike(task: str = "notifications.tasks.deliver") -> None:
            with suppress(OperationalError):  # Valkey is away
                beat.send_task(task, retry=False)

        work, answers = drafts(), list[int]()
        connection.close()
        until(lambda: _answers(free_port))
        hands = [Submitter(free_port, work[n::HANDS], answers) for n in range(HANDS)]
        for hand in hands:
            hand.start()

        for killed, act in ((50, worker), (80, web), (120, kill_valkey), (160, worker)):
            until(lambda so_many=killed: len(answers) >= so_many or not any(hand.is_alive() for hand in hands))
            strike()
            if isinstance(act, Process):
                act.kill()
                act.start()
            else:
                act()
        for hand in hands:
            hand.join(timeout=90)
            assert not hand.is_alive()
        assert sum(hand.unanswered for hand in hands) > 0, "nobody noticed that the web server was killed"

        # 409: it was submitted, and the answer to it was lost with the server.
        assert set(answers) <= {200, 409}, Counter(answers)
        assert len(answers) == SUBMISSIONS

        def all_told() -> bool:
            strike()
            strike("approvals.tasks.sweep_clocks")
            time.sleep(0.5)
            waiting = (
                OutboxEvent.objects.filter(done_at=None).count() + Notification.objects.filter(done_at=None).count()
            )
            return not waiting

        until(all_told)

    _every_submission_is_there_once()
    _everybody_was_told(mail.received)
    assert verify().first_break is None


def _answers(port: int) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as http:
            http.request("GET", "/health/live/")
            return http.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def _every_submission_is_there_once() -> None:
    requests = list(TravelRequest.unscoped.all())
    assert len(requests) == SUBMISSIONS
    assert {request.state for request in requests} == {State.COMPANY_REVIEW}
    assert {request.revision_number for request in requests} == {1}
    submits = Counter(Entry.objects.filter(verb="submit").values_list("chain", flat=True))
    assert submits == dict.fromkeys((request.pk for request in requests), 1)
    events = Counter(OutboxEvent.objects.filter(event="request.submit").values_list("subject", flat=True))
    assert events == submits
    assert not ClockAction.objects.exists()  # nothing was due


def _everybody_was_told(received: list[Any]) -> None:
    bells = Notification.objects.filter(channel=Channel.BELL).values_list("event__subject", "audience")
    assert Counter(bells) == Counter(
        (request_id, audience)
        for request_id in TravelRequest.unscoped.values_list("pk", flat=True)
        for audience in ("applicant", "officers")
    )
    sent = Counter(message["Message-ID"] for message in received)
    wanted = {
        f"<{pk}@localhost>" for pk in Notification.objects.filter(channel=Channel.MAIL).values_list("pk", flat=True)
    }
    assert len(wanted) == 2 * SUBMISSIONS
    assert set(sent) == wanted
    assert sum(sent.values()) - len(sent) <= 2 * 2, "more mails came twice than were being sent at the two kills"
