"""The processes of the product, and how a development machine keeps them running.

`COMMANDS` is what runs everywhere: the containers of docker-compose.yml run the same words.
"""

import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from supervisor.xmlrpc import SupervisorTransport

from config import leash

COMMANDS: dict[str, list[str]] = {
    "web": ["granian", "--interface", "wsgi", "--workers", "2", "--workers-kill-timeout", "5", "config.wsgi:application"],
    "worker": ["celery", "--app", "config", "worker", "--loglevel", "INFO", "--concurrency", "2"],
    "beat": ["celery", "--app", "config", "beat", "--loglevel", "INFO", "--pidfile", "", "--schedule", "{data}/beat"],
}
BASE_DIR = Path(__file__).resolve().parent.parent
STOP_SECONDS = 8


class Supervised:
    """The three processes under supervisord: what dies comes back, with growing pauses, until it fails too often."""

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
            start_new_session=True,
            preexec_fn=before_exec,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.supervisord.terminate()
        try:
            self.supervisord.wait(STOP_SECONDS + 4)
        except subprocess.TimeoutExpired:
            self.supervisord.kill()  # the leashes feel it
            self.supervisord.wait()

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
        return common.replace("%", "%%") + "".join(self._program(name, words) for name, words in COMMANDS.items())

    def _program(self, name: str, words: list[str]) -> str:
        python = [sys.executable, "-P", str(BASE_DIR / "config" / "leash.py"), name]
        program = [sys.executable, "-m", *(word.format(data=self.data) for word in words)]
        line = shlex.join(python + program).replace("%", "%%")
        return (
            f"[program:{name}]\ncommand={line}\nautorestart=true\nstartsecs=2\nstartretries=4\n"
            f"stopwaitsecs={STOP_SECONDS}\nredirect_stderr=true\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n"
        )

    def failed(self) -> str | None:
        """The name of a process that was given up, or None while all run or are being started."""
        if self.supervisord.poll() is not None:
            return "supervisord"
        with suppress(OSError, xmlrpc.client.Error, xmlrpc.client.ProtocolError), self._connected() as proxy:
            for process in proxy.supervisor.getAllProcessInfo():
                if process["statename"] == "FATAL":
                    return str(process["name"])
        return None

    @contextmanager
    def _connected(self) -> Iterator[xmlrpc.client.ServerProxy]:
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        with xmlrpc.client.ServerProxy("http://supervisor", transport=transport, allow_none=True) as proxy:
            yield proxy
