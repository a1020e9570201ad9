"""What a load balancer is told."""

import json
import subprocess
import sys

import pytest
from django.urls import reverse

from tests.setup.processes import ROOT

CLOSED = "redis://:secret@127.0.0.1:1/0"


def test_live_looks_at_nothing_else(client, settings):
    settings.REDIS_URL = CLOSED
    answer = client.get(reverse("health_live"))  # without access to the database, or it would fail
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("accept", ["*/*", "text/html", "text/plain", "application/json"])
def test_ready_says_that_each_part_answers(client, committed, accept):
    answer = client.get(reverse("health_ready"), headers={"accept": accept})
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "redis": "ok"})


def test_ready_says_which_part_does_not_answer_and_not_where_it_runs(client, committed, settings):
    settings.REDIS_URL = CLOSED
    answer = client.get(reverse("health_ready"))
    assert (answer.status_code, answer.json()) == (500, {"database": "ok", "redis": "unavailable"})


@pytest.mark.parametrize("name", ["health_live", "health_ready"])
def test_neither_starts_a_session(client, committed, name):
    assert client.get(reverse(name)).cookies == {}


def test_the_probe_of_a_container_asks_under_a_host_name_that_is_allowed(live_server, settings, monkeypatch):
    settings.ALLOWED_HOSTS = ["exit-approvals.example"]
    environment = {
        "GRANIAN_PORT": str(live_server.thread.port),
        "ALLOWED_HOSTS": "exit-approvals.example,other.example",
    }
    done = subprocess.run(
        [sys.executable, "-m", "config.probe"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout) == {"database": "ok", "redis": "ok"}


def test_the_probe_fails_where_nothing_listens():
    done = subprocess.run(
        [sys.executable, "-m", "config.probe"],
        cwd=ROOT,
        env={"GRANIAN_PORT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "[Errno 111] Connection refused\n")
