"""Reading the entries of a version: page by page in the order of their codes, or as the tree that they form.

A list may have a million entries. So a page follows an index from where the one before ended, nothing is counted
further than people want to know, and a tree is shown whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.db.models import F, Func, Q, QuerySet, TextField, Value

from companies.models import Company
from sensitivity.models import Edit, ListEntry, ListVersion

COUNT_UP_TO = 10_000
"""Entries are counted so far; from there on there are "more than" so many."""
TREE_UP_TO = 1_000
"""A tree with more entries than this is not shown as one: nobody could read it, and few could load it."""

Validity = Literal["", "valid", "expired", "later"]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries in order, and the key after which the next page begins; empty when there is none."""

    entries: list[ListEntry]
    next_key: str


def found(version: ListVersion, *, text: str, level: int | None, validity: Validity, on: date) -> QuerySet[ListEntry]:
    """The entries of `version` with `text` in the code, a former code, a label or another name, of this level (None:
    any), and of this validity on the day `on`."""
    entries = version.entries.all()
    if text:
        names = Func(F("aliases"), Value("\n"), function="array_to_string", output_field=TextField())
        entries = entries.alias(other_names=names).filter(
            Q(code__icontains=text)
            | Q(label_zh__icontains=text)
            | Q(label_en__icontains=text)
            | Q(other_names__icontains=text)
            | Q(former_codes__contains=[text])
        )
    if level is not None:
        entries = entries.filter(level=level)
    if validity == "valid":
        entries = entries.filter(
            Q(valid_from=None) | Q(valid_from__lte=on), Q(valid_until=None) | Q(valid_until__gte=on)
        )
    elif validity == "expired":
        entries = entries.filter(valid_until__lt=on)
    elif validity == "later":
        entries = entries.filter(valid_from__gt=on)
    return entries


def page(entries: QuerySet[ListEntry], *, after: str, size: int) -> Page:
    """The `size` entries of `found` that come after the key `after` (empty or unreadable: the first ones).

    In the order of company and code, as their index has them.
    """
    ordered = entries.select_related("company").order_by("company_id", "code")
    company, comma, code = after.partition(",")
    if comma and company.isdecimal():
        here = Q(company_id=int(company), code__gt=code) | Q(company_id__gt=int(company))
        ordered = ordered.filter(here, company_id__gte=int(company))  # said twice, so that the index begins there
    elif comma and not company:
        ordered = ordered.filter(company=None, code__gt=code)
    shown = list(ordered[: size + 1])
    last = shown[size - 1] if len(shown) > size else None
    return Page(shown[:size], f"{last.company_id or ''},{last.code}" if last else "")


def number(entries: QuerySet[ListEntry]) -> int:
    """How many they are, counted to one more than COUNT_UP_TO."""
    return int(entries.order_by()[: COUNT_UP_TO + 1].count())


# ── trees ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Node:
    """An entry with what is directly below it. `covered_by` is the entry above with the highest level, where that is
    higher than its own: what is below an entry is covered by it."""

    entry: ListEntry
    below: list[Node] = field(default_factory=list)
    covered_by: ListEntry | None = None
    size: int = 0
    """How many entries are below it, on all levels."""


def tree(version: ListVersion) -> list[Node] | None:
    """The entries of `version` as trees, in the order of their codes; None when there are more than TREE_UP_TO.

    An entry whose parent is not there, or that is below itself, stands at the top: none is left out.
    """
    entries = list(version.entries.order_by("company_id", "code")[: TREE_UP_TO + 1])
    if len(entries) > TREE_UP_TO:
        return None
    nodes = {entry.code: Node(entry) for entry in entries}
    for node in nodes.values():
        if node.entry.parent in nodes:
            nodes[node.entry.parent].below.append(node)
    placed: set[str] = set()
    roots = [_placed(node, None, placed) for node in nodes.values() if node.entry.parent not in nodes]
    # What is left goes round in a circle.
    roots += [_placed(node, None, placed) for code, node in nodes.items() if code not in placed]
    return roots


def _placed(node: Node, above: ListEntry | None, placed: set[str]) -> Node:
    """`node` with everything below it in its place, each once. `above`: the entry above with the highest level."""
    waiting = [(node, above)]
    order = []
    while waiting:
        one, strongest = waiting.pop()
        placed.add(one.entry.code)
        order.append(one)
        one.covered_by = strongest if strongest and strongest.level > one.entry.level else None
        strongest = strongest if one.covered_by else one.entry
        one.below = [child for child in one.below if child.entry.code not in placed]
        waiting += [(child, strongest) for child in one.below]
    for one in reversed(order):
        one.size = sum(1 + child.size for child in one.below)
    return node


# ── one entry ───────────────────────────────────────────────────────────────────────────────────────────────────────


def history(version: ListVersion, lineage: UUID) -> list[ListEntry]:
    """The entry in every version of the list of `version` that has it, the newest first, with the version."""
    return list(
        ListEntry.objects.filter(version__list_id=version.list_id, lineage=lineage)
        .select_related("version", "version__publisher")
        .order_by("-version__number")
    )


def edits(version: ListVersion, lineage: UUID, *, most: int) -> list[Edit]:
    """What people changed of the entry in any version of the list, the latest first, `most` at most."""
    return list(
        Edit.objects.filter(version__list_id=version.list_id, lineage=lineage)
        .select_related("by", "version")
        .order_by("-pk")[:most]
    )


def last_edit(version: ListVersion, lineage: UUID) -> Edit | None:
    """The last change of this entry in this version; None when nobody changed it there."""
    return Edit.objects.filter(version=version, lineage=lineage).select_related("by").first()


def companies_of(values: list[Mapping[str, Any]]) -> dict[int, Company]:
    """The companies that `values` of entries name, by key. One query, and none where there is no company."""
    keys = {int(one["company_id"]) for one in values if one.get("company_id")}
    return Company.objects.in_bulk(keys) if keys else {}
