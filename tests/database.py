"""The tests' database: real PostgreSQL, migrated once as the owner, copied for each process, used as the product.

`db` (or `@pytest.mark.django_db`) wraps a test in a transaction, as everywhere. A test that needs real commits, seen
by other connections, threads or processes, asks for `committed`: the database is its own, and fresh again afterwards.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache as cache_of_process
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from psycopg2 import sql
from pytest_django import DjangoDbBlocker

from authorities import calendars, policies

# What the schema and the rows in a fresh database are made from.
SCHEMA_SOURCES = ("*/migrations/*.py", "*/models.py", "*/models/*.py", "*/apps.py", "audit/*.py", "authorities/*.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse the transactional tests of Django, which would have to TRUNCATE as a role that may not."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and marker.kwargs.get("transaction"):
            raise pytest.UsageError(f"{item.nodeid}: ask for the fixture `committed` instead of transaction=True.")


@pytest.fixture(scope="session")
def database_name() -> str:
    """The database of this test process."""
    return f"exit_test_{settings.TEST_SLOT}"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, database_name: str
) -> Iterator[None]:
    """Replaces pytest-django's: both aliases mean this process's copy of the migrated database."""
    with django_db_blocker.unblock():
        template = _migrated_template()
        _copy(template, database_name)
        _connect_to(database_name)
        cache.clear()
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        with _maintenance() as cursor:
            _drop(cursor, database_name)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker, database_name: str) -> Iterator[None]:
    """The database without a transaction around the test. Afterwards every row is as the migrations left it.

    Connections that threads or processes left open are cut.
    """
    with real_commits(django_db_blocker, database_name):
        yield


@contextmanager
def real_commits(blocker: DjangoDbBlocker, database_name: str) -> Iterator[None]:
    """What `committed` does, for fixtures of a wider scope: a story that the tests of a module only look at."""
    with blocker.unblock():
        try:
            yield
        finally:
            connections.close_all()
            _copy(_template_name(), database_name)
            cache.clear()
            calendars.forget()
            policies.forget()


@pytest.fixture
def transactional_db(committed: None) -> None:
    """pytest-django's name for the same, which `live_server` asks for."""


@pytest.fixture
def environment(committed: None, database_name: str) -> dict[str, str]:
    """os.environ for child processes (a worker, a web server) that are to work on this test's database."""
    names = {name: _with_database(os.environ[name], database_name) for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    return {**os.environ, **names}


@cache_of_process
def _template_name() -> str:
    # Once: somebody may edit the sources while the tests run.
    digest = hashlib.sha256()
    for pattern in SCHEMA_SOURCES:
        for path in sorted(Path(settings.BASE_DIR).glob(pattern)):
            digest.update(path.relative_to(settings.BASE_DIR).as_posix().encode() + b"\0" + path.read_bytes())
    for name in sorted(f"{package.name} {package.version}" for package in distributions()):
        digest.update(name.encode())
    return f"exit_template_{digest.hexdigest()[:16]}"


def _migrated_template() -> str:
    """The name of a migrated database that nobody works in; made by the first process that needs it."""
    name = _template_name()
    with open(settings.DATA_DIR / "test" / "template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _maintenance() as cursor:
            # A template that may be connected to is one whose making was interrupted.
            cursor.execute("SELECT datname, datallowconn FROM pg_database WHERE datname LIKE 'exit\\_template\\_%%'")
            present = dict(cursor.fetchall())
            if present.get(name) is False:
                return name
            cursor.execute("SELECT 1 FROM pg_database WHERE datname LIKE 'exit\\_test\\_%%' LIMIT 1")
            if cursor.fetchone() is None:  # no other run is copying from one of them
                for old in present:
                    _drop(cursor, old)
            elif name in present:
                _drop(cursor, name)
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        _connect_to(name)
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        connections.close_all()
        with _maintenance() as cursor:
            cursor.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    return name


def _copy(template: str, name: str) -> None:
    with _maintenance() as cursor:
        _drop(cursor, name)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        cursor.execute(statement)


def _drop(cursor: "psycopg2.extensions.cursor", name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        cursor.execute(statement)  # waits some seconds for connections that are just ending
    except psycopg2.errors.ObjectInUse:
        cursor.execute(statement + sql.SQL(" WITH (FORCE)"))


@contextmanager
def _maintenance() -> Iterator["psycopg2.extensions.cursor"]:
    """A cursor of the owner outside every test database, each statement on its own."""
    with closing(psycopg2.connect(os.environ["DATABASE_OWNER_URL"])) as connection:
        connection.autocommit = True
        yield connection.cursor()


def _connect_to(name: str) -> None:
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
