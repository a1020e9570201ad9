"""Databases for simulations: made beside the product's, migrated once, copied for each year, dropped in the end.

Nothing here touches the product's own database: the owner's connection is used outside of it, to create and drop.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg2 import sql

from authorities import calendars, policies


@contextmanager
def template() -> Iterator[str]:
    """The name of a migrated, empty database; it and every copy are dropped on leaving, whatever happened."""
    name = f"exit_simulation_{os.getpid()}"
    try:
        with _outside() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with connected(name):
            call_command("migrate", database="owner", verbosity=0, interactive=False)
        yield name
    finally:
        drop_all(name)


def copy(name: str, number: int) -> str:
    """A copy of the template `name`. What a power cut takes of it nobody misses: commits do not wait for the disk."""
    made = f"{name}_{number}"
    with _outside() as cursor:
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(made), sql.Identifier(name)),
        )
        cursor.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(made)))
    return made


def drop(name: str) -> None:
    """Drop one of them, whoever is still connected."""
    with _outside() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_all(name: str) -> None:
    """Drop the template `name` and its copies."""
    with _outside() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname = %s OR datname LIKE %s", [name, f"{name}\\_%"])
        found = [row[0] for row in cursor.fetchall()]
    for each in found:
        drop(each)


@contextmanager
def connected(name: str) -> Iterator[None]:
    """This process works in the database `name`, tells no broker and sends no mail; afterwards in its own again."""
    before = {alias: connections[alias].settings_dict["NAME"] for alias in ("default", "owner")}
    mail, broker = settings.EMAIL_BACKEND, current_app.conf.broker_url
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    current_app.conf.update(broker_url="memory://localhost//")
    try:
        _connect(dict.fromkeys(before, name))
        yield
    finally:
        _connect(before)
        settings.EMAIL_BACKEND = mail
        current_app.conf.update(broker_url=broker)


def _connect(names: dict[str, Any]) -> None:
    for alias, name in names.items():
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
    calendars.forget()
    policies.forget()


@contextmanager
def _outside() -> Iterator[Any]:
    """A cursor of the owner beside the product's work, each statement on its own."""
    parameters = connections["owner"].get_connection_params()
    parameters.pop("cursor_factory", None)
    with closing(psycopg2.connect(**parameters)) as connection:
        connection.autocommit = True
        yield connection.cursor()
