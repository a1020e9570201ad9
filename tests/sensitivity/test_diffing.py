"""What is different between two versions, by lineage: new, removed, changed, renamed; page by page; a great many."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.roles import Actor
from sensitivity import diffing, drafting, publishing
from sensitivity.diffing import Change
from sensitivity.models import ListKind, ListVersion
from tests.factories import NOW, entry_of, entry_values, list_in_force, list_manager


@pytest.fixture
def lin(db: None) -> Actor:
    return list_manager("Lin Author")


@pytest.fixture
def first(db: None) -> ListVersion:
    """Version 1 of a list of technologies: a tree of four."""
    return list_in_force(
        ListKind.TECHNOLOGY,
        entry_values("cs"),
        entry_values("cs.AI", parent="cs", label_zh="人工智能"),
        entry_values("cs.CR", 2, parent="cs", aliases=["crypto"]),
        entry_values("stat.ML"),
    )


def change(version: ListVersion, of: str, *, by: Actor, **values: Any) -> None:
    entry = entry_of(version, of)
    drafting.change(version.pk, entry.lineage, actor=by, at=NOW, edit=entry.edit, values=values)


@pytest.fixture
def second(first: ListVersion, lin: Actor) -> ListVersion:
    """Version 2: one entry new, one removed, one changed, one renamed and changed, one as it was."""
    version = publishing.draft(first.list_id, actor=lin, at=NOW)
    drafting.add(version.pk, actor=lin, at=NOW, values=entry_values("cs.LG", 3, parent="cs"))
    gone = entry_of(version, "stat.ML")
    drafting.remove(version.pk, gone.lineage, actor=lin, at=NOW, edit=gone.edit)
    change(version, "cs.AI", by=lin, level=2, valid_until="2026-12-31")
    change(version, "cs.CR", by=lin, code="cs.SEC", label_en="Security")
    return version


def said(found: Change) -> tuple[str, str, list[str]]:
    return found.kind, found.code, found.fields


def test_each_kind_of_change_once_and_in_the_order_of_codes(first: ListVersion, second: ListVersion) -> None:
    found = list(diffing.changes(first.pk, second.pk))
    new = ["code", "parent", "label_zh", "label_en", "level", "reason_zh", "reason_en"]
    assert [said(one) for one in found] == [
        ("changed", "cs.AI", ["level", "valid_until"]),
        ("new", "cs.LG", new),
        ("renamed", "cs.SEC", ["code", "label_en"]),
        ("removed", "stat.ML", [name for name in new if name != "parent"]),
    ]
    assert diffing.counts(first.pk, second.pk) == {"new": 1, "removed": 1, "changed": 1, "renamed": 1}


def test_before_and_after_are_what_the_entries_say(first: ListVersion, second: ListVersion) -> None:
    by_code = {one.code: one for one in diffing.changes(first.pk, second.pk)}
    assert by_code["cs.AI"].before == drafting.values_of(entry_of(first, "cs.AI"))
    assert by_code["cs.AI"].after == drafting.values_of(entry_of(second, "cs.AI"))
    assert by_code["cs.SEC"].after["former_codes"] == ["cs.CR"]
    assert by_code["cs.SEC"].lineage == entry_of(first, "cs.CR").lineage
    assert (by_code["cs.LG"].before, by_code["stat.ML"].after) == ({}, {})


def test_the_other_way_round_new_is_removed(first: ListVersion, second: ListVersion) -> None:
    assert diffing.counts(second.pk, first.pk) == {"new": 1, "removed": 1, "changed": 1, "renamed": 1}
    back = {one.lineage: one for one in diffing.changes(second.pk, first.pk)}
    for one in diffing.changes(first.pk, second.pk):
        assert (back[one.lineage].before, back[one.lineage].after) == (one.after, one.before)


def test_against_nothing_everything_is_new_and_against_itself_nothing(first: ListVersion) -> None:
    assert diffing.counts(None, first.pk) == {"new": 4, "removed": 0, "changed": 0, "renamed": 0}
    assert [one.code for one in diffing.changes(None, first.pk)] == ["cs", "cs.AI", "cs.CR", "stat.ML"]
    assert list(diffing.changes(first.pk, first.pk)) == []
    assert sum(diffing.counts(first.pk, first.pk).values()) == 0


@pytest.mark.parametrize(
    ("how", "codes"),
    [
        ({"kinds": ["new", "removed"]}, ["cs.LG", "stat.ML"]),
        ({"kinds": []}, []),
        ({"text": "人工"}, ["cs.AI"]),
        ({"text": "STAT"}, ["stat.ML"]),
        ({"text": "cs.cr"}, ["cs.SEC"]),  # the code that it had
        ({"text": "security"}, ["cs.SEC"]),
        ({"text": "cs_"}, []),  # a sign, not any sign
        ({"text": "%"}, []),
        ({"limit": 2}, ["cs.AI", "cs.LG"]),
    ],
)
def test_some_of_them(first: ListVersion, second: ListVersion, how: dict[str, Any], codes: list[str]) -> None:
    assert [one.code for one in diffing.changes(first.pk, second.pk, **how)] == codes


def test_page_after_page_is_all_of_it(first: ListVersion, second: ListVersion) -> None:
    whole, pages, after = list(diffing.changes(first.pk, second.pk)), [], None
    while page := list(diffing.changes(first.pk, second.pk, after=after, limit=1)):
        pages += page
        after = (page[-1].code, page[-1].lineage)
    assert pages == whole
    assert len(pages) == 4


def test_the_number_of_queries_does_not_grow(first: ListVersion, second: ListVersion) -> None:
    for old in (None, first.pk):
        with CaptureQueriesContext(connection) as asked:
            list(diffing.changes(old, second.pk))
            diffing.counts(old, second.pk)
        assert len(asked) <= 2


WORDS = st.sampled_from(["a", "b", "c", "d"])
MOVES = st.lists(st.tuples(st.sampled_from(["add", "rename", "relabel", "remove"]), WORDS, WORDS), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_it_is_what_comparing_entry_by_entry_gives(db: None, moves: list[tuple[str, str, str]]) -> None:
    lin = list_manager("Lin Author")
    old = list_in_force(ListKind.EVENT, entry_values("a"), entry_values("b"))
    new = publishing.draft(old.list_id, actor=lin, at=NOW)
    for move, code, other in moves:
        entry = new.entries.filter(code=code).first()
        free = not new.entries.filter(code=other).exists()
        if move == "add" and entry is None:
            drafting.add(new.pk, actor=lin, at=NOW, values=entry_values(code))
        elif entry is not None and (move != "rename" or free):
            how: dict[str, Any] = {"actor": lin, "at": NOW, "edit": entry.edit}
            if move == "remove":
                drafting.remove(new.pk, entry.lineage, **how)
            elif move != "add":
                drafting.change(
                    new.pk, entry.lineage, values={"code" if move == "rename" else "label_en": other}, **how
                )
    before = {one.lineage: drafting.values_of(one) for one in old.entries.all()}
    after = {one.lineage: drafting.values_of(one) for one in new.entries.all()}
    differing = {lineage for lineage in {*before, *after} if before.get(lineage) != after.get(lineage)}
    found = {one.lineage: one for one in diffing.changes(old.pk, new.pk)}
    assert set(found) == differing
    for lineage, one in found.items():
        was, now = before.get(lineage, {}), after.get(lineage, {})
        assert (one.before, one.after) == (was, now)
        expected = "new" if not was else "removed" if not now else "changed"
        assert one.kind == ("renamed" if was and now and was["code"] != now["code"] else expected)
