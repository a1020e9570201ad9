"""The embedded servers: shared, stopped by the last one out, and back after every kind of accident."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis

from config import embedded
from tests.setup.processes import ROOT, alive, eventually, marked_environment

USER = """
import sys
from pathlib import Path
from config import embedded
with embedded.servers(Path(sys.argv[1]), durable=False) as urls:
    print(urls.database, urls.redis, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def environment():
    marked = marked_environment()
    yield marked
    left = {} if eventually(lambda: not alive(marked), seconds=10) else alive(marked)
    for number in left:
        os.kill(number, signal.SIGKILL)
    assert left == {}


class User:
    """A process that uses the servers of a folder until it is told to stop."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.database, self.redis = self.process.stdout.readline().split()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def answers(user: User) -> bool:
    try:
        psycopg2.connect(user.database).close()
        return bool(redis.from_url(user.redis).ping())
    except (psycopg2.OperationalError, redis.exceptions.RedisError):
        return False


def test_processes_share_the_servers_and_the_last_one_out_stops_them(tmp_path, environment):
    alice, bob = User(tmp_path, environment), User(tmp_path, environment)
    assert (alice.database, alice.redis) == (bob.database, bob.redis)
    assert len(alive(environment, named="embedded.py")) == 1
    alice.leave()
    assert answers(bob)
    bob.leave()
    assert not alive(environment)


def test_a_killed_user_leaves_no_server_behind_and_the_data_stay(tmp_path, environment):
    alice = User(tmp_path, environment)
    with (
        psycopg2.connect(alice.database.replace("exit_app@", "exit_owner@")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE kept AS SELECT 1")
    connection.close()
    alice.kill()
    assert eventually(lambda: not alive(environment))

    bob = User(tmp_path, environment)
    with (
        psycopg2.connect(bob.database.replace("exit_app@", "exit_owner@")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM kept")
        assert cursor.fetchall() == [(1,)]
    connection.close()
    bob.leave()


def test_the_servers_die_with_their_keeper_and_the_next_start_recovers(tmp_path, environment):
    alice = User(tmp_path, environment)
    (keeper,) = alive(environment, named="embedded.py")
    os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: not alive(environment, named="postgres") and not alive(environment, named="valkey"))
    alice.kill()
    bob = User(tmp_path, environment)
    assert answers(bob)
    bob.leave()


@pytest.mark.parametrize("server", ["valkey-server", "bin/postgres"])
def test_a_killed_server_comes_back_on_the_same_address(tmp_path, environment, server):
    alice = User(tmp_path, environment)
    (killed,) = alive(environment, named=server)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: alive(environment, named=server) and killed not in alive(environment, named=server))
    assert eventually(lambda: answers(alice))
    alice.leave()


def test_a_long_path_gets_its_sockets_elsewhere(tmp_path, environment):
    folder = tmp_path / ("long" * 30)
    alice = User(folder, environment)
    assert str(folder) not in alice.database
    assert answers(alice)
    alice.leave()
    shutil.rmtree(embedded.run_folder(folder))


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3_000_000))
    with pytest.raises(embedded.NotStarted, match=rf"^The disk is full: {tmp_path} needs 100 MB at least\."):
        embedded.servers(tmp_path).__enter__()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(embedded.NotStarted, match=r"^The embedded servers did not start: .*Not a directory"):
        embedded.servers(tmp_path / "file" / "data").__enter__()


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(tmp_path, environment):
    User(tmp_path, environment).leave()
    (tmp_path / "postgres" / "postgresql.conf").write_text("there_is_no_such_setting = 1\n")
    with pytest.raises(embedded.NotStarted) as error:
        embedded.servers(tmp_path).__enter__()
    assert str(error.value).startswith("PostgreSQL did not start. The end of ")
    assert "there_is_no_such_setting" in str(error.value)


def test_a_command_ends_with_the_sentence_and_not_with_a_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=marked_environment(DATA_DIR=str(tmp_path / "file" / "data")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The embedded servers did not start:")
    assert done.stderr.count("\n") == 1


def test_named_servers_are_used_and_nothing_is_started(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@elsewhere/db")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with embedded.servers_for(["manage.py", "check"]) as started:
        assert started is None
    assert os.environ["DATABASE_URL"] == "postgres://somebody@elsewhere/db"


def test_nobody_else_can_open_the_sockets(tmp_path, environment):
    alice = User(tmp_path, environment)
    sockets = [path for path in embedded.run_folder(tmp_path).rglob("*") if path.is_socket() and "PGSQL" in path.name]
    assert [path.stat().st_mode & 0o777 for path in sockets] == [0o700]
    address = urlsplit(alice.redis)
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(host=address.hostname, port=address.port).ping()
    alice.leave()
    with pytest.raises(OSError, match="refused"), socket.create_connection((address.hostname, address.port), timeout=1):
        pass
