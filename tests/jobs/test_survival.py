"""kill -9 in the middle of a batch, and two workers at once: every batch is done, once."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from jobs import work
from jobs.models import Job
from tests.factories import NOW
from tests.jobs.counting import BATCHES, KIND

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def job(committed: None) -> Iterator[Job]:
    work.register(work.Work(kind=KIND, label="Counting", step=lambda job, at: True))
    yield work.enqueue(KIND, by=None, at=NOW)
    work._works.pop(KIND)


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []
    more = {
        "DJANGO_SETTINGS_MODULE": "tests.survival_settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "AUDIT_SIGNING_KEY": settings.AUDIT_SIGNING_KEY,
        "MAIL_PORT": "1",
    }

    def start_one(*words: Any) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.counting", *map(str, words)],
            cwd=Path(settings.BASE_DIR),
            env=environment | more,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def batches() -> int:
    return User.objects.filter(email__endswith="@jobs.example").count()


def test_a_worker_that_is_killed_in_the_middle_of_a_batch_loses_that_batch_only(job: Job, start: Start) -> None:
    killed = start(5)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "stopped\n"
    killed.kill()
    killed.wait()
    job.refresh_from_db()
    assert (job.state, job.done, batches()) == (Job.State.RUNNING, 5, 5)

    assert start().wait(timeout=60) == 0

    job.refresh_from_db()
    assert (job.state, job.done, job.attempts, batches()) == (Job.State.DONE, BATCHES, 0, BATCHES)


def test_two_workers_at_once_do_every_batch_once(job: Job, start: Start) -> None:
    first, second = start(), start()
    assert (first.wait(timeout=60), second.wait(timeout=60)) == (0, 0)
    job.refresh_from_db()
    assert (job.state, job.done, job.attempts, batches()) == (Job.State.DONE, BATCHES, 0, BATCHES)
