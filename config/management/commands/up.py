"""Everything at once, for development: migrations, demonstration data, web, worker and beat."""

import errno
import os
import signal
import socket
import time
from argparse import ArgumentParser
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from config import embedded
from config.processes import Supervised

START_SECONDS = 60
LOCAL = ("127.0.0.1", "0.0.0.0")  # noqa: S104 compared with, not listened on


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or sent SIGTERM or SIGHUP: what everything should end with."""


class Command(BaseCommand):
    help = (
        "Brings the database up to date, loads the demonstration data into an empty one, starts web, worker and beat, "
        "prints the address, and runs until Ctrl-C or SIGTERM, which stop all of it. PORT (8000) and HOST (127.0.0.1) "
        "come from the environment."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *, no_demo: bool, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        try:
            self._run(demo=not no_demo)
        except Stopped:
            self.stdout.write("Stopped.")

    def _run(self, *, demo: bool) -> None:
        host, port = os.environ.get("HOST", "127.0.0.1"), _port()
        _refuse_taken(host, port)
        self._prepare(demo=demo)
        connections.close_all()
        near = "localhost" if host in LOCAL else host
        address = f"http://{near}:{port}/"
        environment = {
            **os.environ,
            "GRANIAN_HOST": host,
            "GRANIAN_PORT": str(port),
            "PUBLIC_URL": os.environ.get("PUBLIC_URL", address.rstrip("/")),
        }
        data = Path(settings.DATA_DIR)
        with Supervised(data=data, run=embedded.run_folder(data.resolve()), environment=environment) as processes:
            self._wait_until_it_answers(processes, "127.0.0.1" if host in LOCAL else host, port)
            processes.start_the_others()
            self._greet(address)
            while (failed := processes.failed()) is None:
                time.sleep(1)
            raise CommandError(f"{failed} keeps failing: the lines above that begin with its name say why.")

    def _prepare(self, *, demo: bool) -> None:
        commands = get_commands()
        # The plan first: `migrate` with nothing to do costs a second.
        executor = MigrationExecutor(connections["owner"])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Bringing the database up to date …")
            call_command("migrate", database="owner", verbosity=0, interactive=False)
        if "messages" in commands:
            call_command("messages", compile=True)
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # whitenoise warns where it is missing
        if not settings.DEBUG and _static_is_stale():
            call_command("collectstatic", verbosity=0, interactive=False)
        if demo and settings.DEMO_ALLOWED and "demo" in commands and not get_user_model()._default_manager.exists():
            self.stdout.write("Loading the demonstration data; this happens once …")
            call_command("demo")
            call_command("figures", stdout=StringIO())  # else its public figures would appear within the hour

    def _wait_until_it_answers(self, processes: Supervised, host: str, port: int) -> None:
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            if (failed := processes.failed()) is not None:
                raise CommandError(f"{failed} did not start: the lines above that begin with its name say why.")
            with suppress(OSError, HTTPException), closing(HTTPConnection(host, port, timeout=5)) as connection:
                connection.request("GET", "/health/live/")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.1)
        raise CommandError(f"The web server did not answer on {host}:{port} within {START_SECONDS} s.")

    def _greet(self, address: str) -> None:
        self.stdout.write(f"\nExit approvals is running: {address}\n")
        if settings.DEMO_ALLOWED and "demo" in get_commands():
            call_command("demo", accounts=True)
        self.stdout.write("Ctrl-C stops everything.\n")


def _stop(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not interrupt the clean stop.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


def _port() -> int:
    value = os.environ.get("PORT", "8000")
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CommandError(f"PORT is {value!r}: it has to be a number from 1 to 65535.")
    return int(value)


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is taken by another program. Choose one: PORT=8001 make run"
                ) from error
            raise CommandError(f"Port {port} on {host} cannot be used: {error.strerror}.") from error


def _static_is_stale() -> bool:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        return True
    made = manifest.stat().st_mtime
    found = (storage.path(name) for finder in get_finders() for name, storage in finder.list([]))
    return any(os.stat(path).st_mtime > made for path in found)
