"""`manage.py up` the second time, until the sign-in page answers; the floor is a web server alone on running servers.

To reach: at most 10 seconds.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings

from bench import Result, Say
from config.processes import COMMANDS

ROWS = 5
GIVE_UP_SECONDS = 120


def run(*, rows: int, say: Say) -> Result:
    """`rows` is the number of rounds."""
    data = Path(settings.DATA_DIR) / "start"
    data.mkdir(parents=True, exist_ok=True)
    named = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DEBUG")}
    unnamed = {
        name: value
        for name, value in named.items()
        if name not in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PGHOST")
    }
    up = [sys.executable, "manage.py", "up", "--no-demo"]
    web = [sys.executable, "-m", *COMMANDS["web"]]
    as_at_the_desk = {"DJANGO_SETTINGS_MODULE": "config.settings.local"}
    _until_sign_in(up, {**unnamed, "DATA_DIR": str(data)})  # the first start lays out the database
    seconds: dict[str, list[float]] = {"floor": [], "ours": []}
    for _ in range(rows):
        seconds["floor"].append(_until_sign_in(web, {**named, **as_at_the_desk}))
        seconds["ours"].append(_until_sign_in(up, {**unnamed, "DATA_DIR": str(data)}))
    floor, ours = (statistics.median(taken) for taken in seconds.values())
    say(f"{'web server alone':<24}{floor:8.2f} s\n{'up, second start':<24}{ours:8.2f} s\n")
    return Result(ratio=ours / floor, floor=floor, ours=ours, unit="s", n=rows)


def _until_sign_in(command: list[str], environment: dict[str, str]) -> float:
    """Seconds from starting `command` until its sign-in page answers; stopping it does not count."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**environment, "PORT": str(port), "GRANIAN_PORT": str(port), "GRANIAN_HOST": "127.0.0.1"}
    begin = time.monotonic()
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.monotonic() - begin < GIVE_UP_SECONDS and process.poll() is None:
            with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
                connection.request("GET", "/accounts/login/")
                if connection.getresponse().status == 200:
                    return time.monotonic() - begin
            time.sleep(0.05)
        raise RuntimeError(f"{command} did not show its sign-in page (status {process.poll()}).")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
