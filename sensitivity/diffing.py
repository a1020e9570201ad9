"""What is different between two versions of a list, by lineage, in the database: a list may have a million entries.

The version before may be None: then everything is new. Nothing here asks who may see it; the pages do.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from sensitivity.drafting import FIELDS
from sensitivity.models import ListEntry

Kind = Literal["new", "removed", "changed", "renamed"]
KINDS: tuple[Kind, ...] = ("new", "removed", "changed", "renamed")

# So many rows are fetched at a time, for a file or for another function.
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that differs. `code` is the one it has now, or had last; `before` and `after` are values of FIELDS as
    JSON values (see `drafting.values_of`), empty where the entry is not there. One that was renamed may have other
    changes too."""

    kind: Kind
    lineage: UUID
    code: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def fields(self) -> list[str]:
        """The FIELDS that differ, in their order; all that say something for an entry that is new or removed.

        The codes that an entry had before follow from its being renamed, and are not said twice.
        """
        return [
            name
            for name in FIELDS
            if (self.before.get(name) or None) != (self.after.get(name) or None)
            if name != "former_codes" or self.kind == "changed"
        ]


def changes(
    old_id: int | None,
    new_id: int,
    *,
    kinds: Collection[Kind] = KINDS,
    text: str = "",
    after: tuple[str, UUID] | None = None,
    limit: int | None = None,
) -> Iterator[Change]:
    """The differences from one version to another, by code, read little by little.

    `kinds`: of these kinds only. `text`: only what has it in a code or label, of either version, whatever its case.
    `after`: only what comes after this code and lineage. `limit`: at most so many.
    """
    values = _values(old_id, new_id) | {
        "kinds": list(kinds),
        "text": f"%{_escaped(text)}%" if text else None,
        "limit": limit,
        "code": after[0] if after else None,
        "lineage": after[1] if after else None,
    }
    # A page is had at once; all of it is read from the server little by little.
    with connection.chunked_cursor() if limit is None else connection.cursor() as cursor:
        cursor.execute(_PAGE, values)
        while rows := cursor.fetchmany(CHUNK):
            for kind, lineage, code, before, now in rows:
                yield Change(kind, lineage, code, json.loads(before), json.loads(now))


def counts(old_id: int | None, new_id: int) -> dict[Kind, int]:
    """How many entries differ, by kind; every kind is there."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, _values(old_id, new_id))
        found: Mapping[Kind, int] = dict(cursor.fetchall())
    return {kind: found.get(kind, 0) for kind in KINDS}


def _values(old_id: int | None, new_id: int) -> dict[str, Any]:
    return {"old": old_id, "new": new_id}


def _escaped(text: str) -> str:
    """`text` for LIKE, meaning itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _row(alias: str, *, names: Collection[str] = FIELDS) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _said(alias: str) -> str:
    pairs = ", ".join(f"'{name}', {alias}.{name}" for name in FIELDS)
    return f"CASE WHEN {alias}.id IS NULL THEN '{{}}' ELSE jsonb_build_object({pairs})::text END"


_TABLE = ListEntry._meta.db_table
_KIND = (
    "CASE WHEN o.id IS NULL THEN 'new' WHEN n.id IS NULL THEN 'removed' "
    "WHEN o.code <> n.code THEN 'renamed' ELSE 'changed' END"
)
_JOIN = (
    f"(SELECT * FROM {_TABLE} WHERE version_id = %(old)s) o "  # noqa: S608
    f"FULL JOIN (SELECT * FROM {_TABLE} WHERE version_id = %(new)s) n USING (lineage) "
    f"WHERE ROW({_row('o')}) IS DISTINCT FROM ROW({_row('n')})"
)
_COUNTS = f"SELECT {_KIND} AS kind, count(*) FROM {_JOIN} GROUP BY 1"  # noqa: S608
# What differs is found first, by its keys alone; what it says is read only for what is shown.
_PAGE = f"""
    WITH found AS (
        SELECT {_KIND} AS kind, lineage, COALESCE(n.code, o.code) AS code, o.id AS old_id, n.id AS new_id
        FROM {_JOIN}
        AND (%(text)s::text IS NULL OR n.code ILIKE %(text)s OR n.label_zh ILIKE %(text)s OR n.label_en ILIKE %(text)s
             OR o.code ILIKE %(text)s OR o.label_zh ILIKE %(text)s OR o.label_en ILIKE %(text)s)
    ), page AS (
        SELECT * FROM found
        WHERE kind = ANY(%(kinds)s)
        AND (%(code)s::text IS NULL OR (code, lineage) > (%(code)s::text, %(lineage)s::uuid))
        ORDER BY code, lineage LIMIT %(limit)s
    )
    SELECT page.kind, page.lineage, page.code, {_said("o")}, {_said("n")}
    FROM page LEFT JOIN {_TABLE} o ON o.id = page.old_id LEFT JOIN {_TABLE} n ON n.id = page.new_id
    ORDER BY page.code, page.lineage
"""  # noqa: S608
