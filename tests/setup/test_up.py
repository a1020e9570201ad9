"""`manage.py up`, as a person starts and stops it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.setup.processes import ROOT, alive, eventually, marked_environment

pytestmark = pytest.mark.xdist_group("up")  # one after the other: each start takes a whole machine


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """The running command and what it printed."""

    def __init__(self, data: Path, port: int) -> None:
        self.environment = marked_environment(DATA_DIR=str(data), PORT=str(port), PYTHONUNBUFFERED="1")
        self.log = data / "up.log"
        with open(self.log, "w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-demo"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.greeting = f"Exit approvals is running: http://localhost:{port}/"
        assert eventually(lambda: self.greeting in self.printed() or self.process.poll() is not None, seconds=90)
        assert self.process.poll() is None, self.printed()
        self.address = f"http://127.0.0.1:{port}"

    def printed(self) -> str:
        return self.log.read_text()

    def program(self, name: str) -> int:
        """The process of a program itself: its leash's child."""
        return eventually(
            lambda: next(
                (number for number, line in alive(self.environment, named=name).items() if "leash.py" not in line), 0
            )
        )


@pytest.mark.parametrize("signal_sent", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_answers_and_stops_without_leaving_anything(data, port, signal_sent):
    up = Up(data, port)
    with urllib.request.urlopen(f"{up.address}/health/ready/") as answer:
        assert answer.status == 200
    os.killpg(up.process.pid, signal_sent)  # Ctrl-C reaches the whole group
    before = time.monotonic()
    assert up.process.wait(30) == 0
    assert time.monotonic() - before < 20
    assert up.printed().rstrip().endswith("Stopped.")
    assert alive(up.environment) == {}


def test_what_is_killed_comes_back_and_nothing_outlives_a_killed_up(data, port):
    up = Up(data, port)
    web, worker = up.program("granian"), up.program("celery --quiet --app config worker")
    for number in (web, worker):
        os.kill(number, signal.SIGKILL)
    again = eventually(lambda: up.program("granian") not in (0, web) and up.program("config worker") not in (0, worker))
    assert again

    def answered() -> bool:
        try:
            return bool(urllib.request.urlopen(f"{up.address}/health/live/", timeout=5).status == 200)
        except OSError:
            return False

    assert eventually(answered, seconds=30)
    up.process.kill()
    up.process.wait()
    assert eventually(lambda: not alive(up.environment), seconds=30), alive(up.environment)


def test_a_taken_port_is_one_clear_sentence(data):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=marked_environment(DATA_DIR=str(data), PORT=str(port)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"CommandError: Port {port} is taken by another program. Choose one: PORT=8001 make run\n"


@pytest.mark.parametrize("value", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(value, monkeypatch):
    from django.core.management import CommandError

    from config.management.commands import up

    monkeypatch.setenv("PORT", value)
    with pytest.raises(CommandError, match="a number from 1 to 65535"):
        up._port()
