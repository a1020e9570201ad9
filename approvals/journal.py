"""Writing one step of a request: everything it changes and adds, in one SQL statement.

This is the place where speed lives, so that the rules need not know of it: the keys of all new rows are made in
Python, therefore rows that point at each other can be inserted, and clocks and request updated, by one statement with
data-modifying CTEs. Either all of it is written or nothing is.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

Values = list[Any]


def _quoted(name: str | None) -> str:
    assert name is not None
    return connection.ops.quote_name(name)


@cache
def _columns(model: type[models.Model], with_key: bool) -> tuple[tuple[models.Field[Any, Any], ...], str]:
    fields = tuple(
        field
        for field in model._meta.concrete_fields
        if with_key or not field.primary_key  # a key that the database makes is left to it
    )
    names = ", ".join(_quoted(field.column) for field in fields)
    return fields, f"INSERT INTO {_quoted(model._meta.db_table)} ({names}) VALUES "  # noqa: S608


# Fields whose values go to the driver as they are; the others are asked.
_PLAIN = (
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.IntegerField,
    models.DateField,
    models.UUIDField,
)


@cache
def _is_plain(field: models.Field[Any, Any]) -> bool:
    while field.is_relation:
        field = field.target_field  # type: ignore[attr-defined]
    return isinstance(field, _PLAIN) and type(field).__module__ == "django.db.models.fields"


def _value(row: models.Model, field: models.Field[Any, Any]) -> Any:
    value = getattr(row, field.attname)
    return value if _is_plain(field) else field.get_db_prep_save(value, connection)


@cache
def _placeholder(field: models.Field[Any, Any]) -> str:
    made = getattr(field, "get_placeholder", None)
    return str(made([], _PlainCompiler, connection)) if made else "%s"


class _PlainCompiler:
    """What a field asks of a compiler to write a placeholder for a plain value."""

    @staticmethod
    def compile(value: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (value,)


def _insert(rows: Sequence[models.Model], values: Values) -> str:
    fields, head = _columns(type(rows[0]), rows[0].pk is not None)
    tuples = []
    for row in rows:
        tuples.append(f"({', '.join(_placeholder(field) for field in fields)})")
        values += [_value(row, field) for field in fields]
    return head + ", ".join(tuples)


def _update(row: models.Model, fields: Iterable[models.Field[Any, Any]], values: Values) -> str:
    settings = []
    for field in fields:
        settings.append(f"{_quoted(field.column)} = {_placeholder(field)}")
        values.append(_value(row, field))
    key = row._meta.pk
    assert key is not None
    values.append(_value(row, key))
    return f"UPDATE {_quoted(row._meta.db_table)} SET {', '.join(settings)} WHERE {_quoted(key.column)} = %s"  # noqa: S608


def _changed(row: models.Model, before: dict[str, Any]) -> list[models.Field[Any, Any]]:
    return [
        field for field in row._meta.concrete_fields if before.get(field.attname) != row.__dict__.get(field.attname)
    ]


def stored(row: models.Model) -> dict[str, Any]:
    """What `row` holds now, to tell later what a step changed. Mutable values are copied one level deep."""
    return {
        field.attname: list(value) if isinstance(value := row.__dict__.get(field.attname), list) else value
        for field in row._meta.concrete_fields
    }


def write(changed: Sequence[tuple[models.Model, dict[str, Any]]], added: Iterable[models.Model]) -> None:
    """Write one step: update each of `changed` (a row and what `stored()` said of it before) and insert all of `added`.

    One statement, inside the caller's transaction. The rows of `changed` must be locked by the caller. Constraint
    violations surface as IntegrityError, and then nothing is written.
    """
    by_model: dict[tuple[type[models.Model], bool], list[models.Model]] = {}
    for row in added:
        by_model.setdefault((type(row), row.pk is not None), []).append(row)
    values: Values = []
    parts = [_insert(rows, values) for rows in by_model.values()]
    for row, before in changed:
        if fields := _changed(row, before):
            parts.append(_update(row, fields, values))
    if not parts:
        return
    *others, last = parts
    ctes = ", ".join(f"step{index} AS ({part})" for index, part in enumerate(others))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {ctes} {last}" if others else last, values)
    for rows in by_model.values():
        for row in rows:
            row._state.adding = False
            row._state.db = connection.alias
