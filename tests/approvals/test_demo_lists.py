"""The lists of the demonstration, to read: what they say, well written, and the same in a plan and in the database."""

from collections import Counter

import pytest

from approvals.demo import lists, trips
from approvals.demo.lists import Change, Entry
from sensitivity import drafting, names
from sensitivity.models import ListKind
from sensitivity.taxonomy import SUBJECTS

EVERY = [entry for kind in ListKind for entry in lists.first(kind)]


def test_there_are_about_three_hundred_entries_of_five_kinds() -> None:
    counts = {kind: len(lists.first(kind)) for kind in ListKind}
    assert sum(counts.values()) >= 300
    assert counts[ListKind.TECHNOLOGY] >= 150
    assert counts[ListKind.ORGANISATION] >= 60


@pytest.mark.parametrize("kind", ListKind)
def test_every_entry_of_every_version_can_be_written(kind: ListKind) -> None:
    entries = lists.first(kind)
    for version in ("second", "third"):
        entries = lists.changed(entries, lists.changes(kind, version))
        for entry in entries:
            company = {"company_id": 1} if entry.company else {}
            assert drafting.problems(kind, {**entry.values, **company}) == []
        codes = {entry.values["code"] for entry in entries}
        assert {entry.values.get("parent") or entry.values["code"] for entry in entries} <= codes


def test_subjects_are_arxivs_and_what_is_below_them() -> None:
    known = {code for code, _label in SUBJECTS}
    for entry in lists.first(ListKind.TECHNOLOGY):
        code = entry.values["code"]
        assert ".".join(code.split(".")[:2]) in known
        assert code.startswith(entry.values.get("parent", ""))


def test_each_entry_has_a_reason_of_its_own_in_both_languages() -> None:
    for kind in ListKind:
        for field in ("reason_zh", "reason_en", "label_zh", "label_en"):
            found = Counter(entry.values[field] for entry in lists.first(kind))
            assert [text for text, number in found.items() if number > 1] == []
    for entry in EVERY:
        assert not entry.values["reason_zh"].isascii()
        assert entry.values["reason_en"].endswith(".")


def test_the_second_versions_add_change_rename_and_remove() -> None:
    assert {change.what for change in lists.changes(ListKind.TECHNOLOGY, "second")} == {
        "new",
        "change",
        "rename",
        "remove",
    }
    for kind in ListKind:
        assert lists.changes(kind, "second")


def test_an_entry_covers_what_is_below_it_and_keeps_the_code_that_it_had() -> None:
    entries = (
        Entry("", {"code": "a", "level": 2}),
        Entry("", {"code": "a.b", "parent": "a", "level": 1}),
    )
    after = lists.changed(entries, [Change("rename", ("a", ""), {"code": "z"})])
    assert lists.levels(ListKind.TECHNOLOGY, after) == {"z": 2, "a": 2, "a.b": 2}


def test_hosts_that_only_resemble_an_entry_are_not_one_of_its_names() -> None:
    for entries in (lists.first(ListKind.ORGANISATION), _second(ListKind.ORGANISATION)):
        levels = lists.levels(ListKind.ORGANISATION, entries)
        for host, *_others in trips.RESEMBLING:
            assert names.key(host) not in levels
        assert names.key("北風計算") in levels


def _second(kind: ListKind) -> tuple[Entry, ...]:
    return lists.changed(lists.first(kind), lists.changes(kind, "second"))
