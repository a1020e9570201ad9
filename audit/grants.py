"""What the product's database role may do: told anew after every migration, so that no table is ever forgotten."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction

from audit.models import AppendOnly

# Two migrations at once would otherwise trip over each other's rows in the catalogue.
_LOCK = 0x617564697401


def after_migrate(*, using: str, **kwargs: Any) -> None:
    """Receiver of post_migrate: grants on the owner's connection, nothing on the others."""
    if using == "owner":
        grant_to_product(using=using)


def grant_to_product(*, using: str = "owner") -> None:
    """Give the product's role exactly what it needs, and take from it whatever else it had.

    SELECT and INSERT on append-only tables; UPDATE and DELETE besides on the others; SELECT on django_migrations;
    USAGE on sequences. Nothing else: no TRUNCATE, REFERENCES, TRIGGER or MAINTAIN, nothing on tables that no model has.
    Does nothing where the product connects as the owner itself, as on a laptop with one role.
    """
    connection = connections[using]
    product = settings.DATABASES["default"]["USER"]
    if product == settings.DATABASES[using]["USER"]:
        return
    quote = connection.ops.quote_name
    role = quote(product)
    present = set(connection.introspection.table_names())
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), quote_ident(current_schema())", [_LOCK])
        schema = cursor.fetchone()[1]
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}")
        for table, privileges in _privileges():
            if table in present:
                cursor.execute(f"GRANT {privileges} ON {quote(table)} TO {role}")
        cursor.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")


def _privileges() -> Iterator[tuple[str, str]]:
    yield "django_migrations", "SELECT"
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            kept = issubclass(model, AppendOnly)
            yield model._meta.db_table, "SELECT, INSERT" if kept else "SELECT, INSERT, UPDATE, DELETE"
