"""The tests' own ground: roles, isolation, real commits."""

import threading

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.db.utils import ProgrammingError

from accounts.models import User


def names(cursor_of=connection):
    with cursor_of.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        return cursor.fetchone()


@pytest.mark.django_db(databases=["default", "owner"])
def test_default_is_the_product_and_owner_is_the_owner_of_the_same_database():
    product, database = names()
    assert product == "exit_app"
    assert names(connections["owner"]) == ("exit_owner", database)


@pytest.mark.django_db
def test_the_product_owns_nothing_and_cannot_change_the_schema():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'exit_app'::regrole")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'exit_app'"
        )
        assert cursor.fetchone() == (False, False, False, False)
        with pytest.raises(ProgrammingError, match="permission denied for schema public"):
            cursor.execute("CREATE TABLE public.sneaky (id int)")


def commit_one() -> None:
    thread = threading.Thread(
        target=lambda: (User.objects.create_user("alice@example.com", "Alice"), connection.close())
    )
    thread.start()
    thread.join()


@pytest.mark.parametrize("again", [1, 2])
def test_committed_rows_are_seen_by_others_and_gone_afterwards(committed, again):
    assert not User.objects.exists()
    commit_one()
    assert User.objects.get().email == "alice@example.com"


@pytest.mark.django_db
def test_nothing_is_left_over():
    assert not User.objects.exists()
    assert cache.get("x") is None
