"""The processes of the product, and how a development machine keeps them running.

`COMMANDS` is what runs everywhere: the containers of docker-compose.yml run the same words.
"""

import os
import shlex
import subprocess
import sys
import threading
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from supervisor.xmlrpc import SupervisorTransport

from config import leash

COMMANDS: dict[str, list[str]] = {
    # Each blocking thread keeps a database connection of its own.
    "web": [
        *("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"),
        *("--workers-kill-timeout", "5", "--respawn-failed-workers", "config.wsgi:application"),
    ],
    "worker": ["celery", "--quiet", "--app", "config", "worker", "--loglevel", "INFO", "--concurrency", "2"],
    "beat": [
        *("celery", "--quiet", "--app", "config", "beat", "--loglevel", "INFO"),
        *("--pidfile=", "--schedule", "{data}/beat-schedule"),
    ],
}
BASE_DIR = Path(__file__).resolve().parent.parent
STOP_SECONDS = 8


class Supervised:
    """The three processes under supervisord: what dies comes back, with growing pauses, until it fails too often.

    Entering starts the web server, `start_the_others` the rest, leaving stops all.
    """

    def __init__(self, *, data: Path, run: Path, environment: dict[str, str]) -> None:
        """`data` is the product's data folder, `run` a folder for a socket; both exist."""
        self.data = data
        self.socket = run / "supervisor"
        self.environment = environment

    def __enter__(self) -> "Supervised":
        configuration = self.data / "supervisord.conf"
        configuration.write_text(self.configuration())
        up = os.getpid()

        def before_exec() -> None:
            leash.stop_me_when_my_parent_dies()
            if os.getppid() != up:
                os._exit(1)

        # A session of its own: Ctrl-C is for the one who started it, who then stops everything in order.
        self.supervisord = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--silent", "-c", str(configuration)],
            cwd=BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=before_exec,
        )
        # Through a pipe, because supervisord opens /dev/stdout anew, which in a file would begin at its start.
        self.copying = threading.Thread(target=_copy, args=(self.supervisord.stdout,), daemon=True)
        self.copying.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.supervisord.terminate()
        try:
            self.supervisord.wait(STOP_SECONDS + 4)
        except subprocess.TimeoutExpired:
            self.supervisord.kill()  # the leashes feel it
            self.supervisord.wait()
        self.copying.join(timeout=1)

    def configuration(self) -> str:
        """What supervisord reads."""
        logs = self.data / "log"
        logs.mkdir(exist_ok=True)
        user = "user=root\n" if os.geteuid() == 0 else ""  # without it supervisord warns
        common = (
            f"[supervisord]\nlogfile={logs}/supervisord.log\npidfile={self.data}/supervisord.pid\n{user}"
            f"[unix_http_server]\nfile={self.socket}\n"
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        )
        # One group, because supervisord stops groups one after the other, and the processes of a group together.
        group = f"[group:product]\nprograms={','.join(COMMANDS)}\n"
        return common.replace("%", "%%") + group + "".join(self._program(*item) for item in COMMANDS.items())

    def _program(self, name: str, words: list[str]) -> str:
        python = [sys.executable, "-P", str(BASE_DIR / "config" / "leash.py"), name]
        program = [sys.executable, "-m", *(word.format(data=self.data) for word in words)]
        line = shlex.join(python + program).replace("%", "%%")
        # The web server first and alone: people wait for its page, nobody waits for the others.
        at_once = "true" if name == "web" else "false"
        return (
            f"[program:{name}]\ncommand={line}\nautostart={at_once}\nautorestart=true\nstartsecs=2\nstartretries=4\n"
            f"stopwaitsecs={STOP_SECONDS}\nredirect_stderr=true\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n"
        )

    def failed(self) -> str | None:
        """The name of a process that was given up, or None while all run or are being started."""
        if self.supervisord.poll() is not None:
            return "supervisord"
        with suppress(OSError, xmlrpc.client.Error, xmlrpc.client.ProtocolError), self._connected() as proxy:
            for process in cast(list[dict[str, str]], proxy.supervisor.getAllProcessInfo()):
                if process["statename"] == "FATAL":
                    return process["name"]
        return None

    def start_the_others(self) -> None:
        """Start what is not the web server."""
        with self._connected() as proxy:
            for name in COMMANDS:
                if name != "web":
                    proxy.supervisor.startProcess(f"product:{name}", False)

    @contextmanager
    def _connected(self) -> Iterator[xmlrpc.client.ServerProxy]:
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        with xmlrpc.client.ServerProxy("http://supervisor", transport=transport, allow_none=True) as proxy:
            yield proxy


def _copy(output: IO[bytes]) -> None:
    for line in output:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
