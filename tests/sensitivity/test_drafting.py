"""Several people write one draft: nobody's change is lost silently, and a list cannot hold a person."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.refusals import Invalid
from accounts.roles import Actor
from companies.models import Company
from sensitivity import drafting
from sensitivity.drafting import Conflict
from sensitivity.models import Edit, EntryName, ListEntry, ListKind, ListVersion
from tests.asserting import nothing_moved
from tests.factories import (
    NOW,
    CompanyFactory,
    drafted,
    entry_of,
    entry_values,
    list_manager,
    sensitivity_list,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin(db: None) -> Actor:
    return list_manager("Lin Author")


@pytest.fixture
def mei(db: None) -> Actor:
    return list_manager("Mei Colleague")


def draft_of(kind: ListKind, lin: Actor, *entries: dict[str, Any]) -> ListVersion:
    return drafted(sensitivity_list(kind, owner=lin), entries, by=lin)


# ── two people, one draft ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_on_top_of_what_was_not_seen_is_refused_with_what_is_there_now(lin: Actor, mei: Actor) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin, entry_values("cs.CR", 2))
    entry = entry_of(version, "cs.CR")
    drafting.change(version.pk, entry.lineage, actor=mei, at=NOW, edit=0, values={"reason_en": "Mei's reason."})
    with nothing_moved(), pytest.raises(Conflict) as refused:
        drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"reason_en": "Lin's reason."})
    assert refused.value.current is not None
    assert refused.value.current.reason_en == "Mei's reason."
    with nothing_moved(), pytest.raises(Conflict):
        drafting.remove(version.pk, entry.lineage, actor=lin, at=NOW, edit=0)

    drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=1, values={"reason_en": "Lin's reason."})
    said = [
        (edit.by_id, (edit.before or {}).get("reason_en"), (edit.after or {}).get("reason_en"))
        for edit in Edit.objects.filter(version=version).order_by("pk")
    ]
    assert said == [
        (lin.user_id, None, "Needs a look."),
        (mei.user_id, "Needs a look.", "Mei's reason."),
        (lin.user_id, "Mei's reason.", "Lin's reason."),
    ]


def test_a_change_to_what_somebody_removed_is_refused(lin: Actor, mei: Actor) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin, entry_values("cs.CR", 2))
    entry = entry_of(version, "cs.CR")
    drafting.remove(version.pk, entry.lineage, actor=mei, at=NOW, edit=0)
    with nothing_moved(), pytest.raises(Conflict, match="removed this entry") as refused:
        drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"level": 3})
    assert refused.value.current is None


def test_each_change_makes_the_draft_another_content(lin: Actor) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin, entry_values("cs.CR", 2))
    entry = entry_of(version, "cs.CR")
    assert version.content == 1
    drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"level": 2})  # says the same
    assert ListVersion.objects.get(pk=version.pk).content == 1
    drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"level": 3})
    drafting.remove(version.pk, entry.lineage, actor=lin, at=NOW, edit=1)
    assert ListVersion.objects.get(pk=version.pk).content == 3


# ── codes, names, the tree ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_renamed_code_is_still_found_and_takes_what_is_below_it_along(lin: Actor) -> None:
    version = draft_of(
        ListKind.TECHNOLOGY,
        lin,
        entry_values("cs.CL", 1),
        entry_values("llm", 2, parent="cs.CL"),
        entry_values("llm.train", 3, parent="llm"),
    )
    entry = entry_of(version, "llm")
    drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"code": "cs.CL.llm"})
    renamed, below = entry_of(version, "cs.CL.llm"), entry_of(version, "llm.train")
    assert (renamed.lineage, renamed.former_codes, renamed.path) == (entry.lineage, ["llm"], ["cs.CL", "cs.CL.llm"])
    assert (below.parent, below.path) == ("cs.CL.llm", ["cs.CL", "cs.CL.llm", "llm.train"])


def test_a_circle_in_the_tree_is_refused(lin: Actor) -> None:
    version = draft_of(
        ListKind.TECHNOLOGY, lin, entry_values("a"), entry_values("b", parent="a"), entry_values("c", parent="b")
    )
    with nothing_moved(), pytest.raises(Invalid, match="round in a circle"):
        drafting.change(version.pk, entry_of(version, "a").lineage, actor=lin, at=NOW, edit=0, values={"parent": "c"})
    with nothing_moved(), pytest.raises(Invalid, match="cannot be part of itself"):
        drafting.change(version.pk, entry_of(version, "a").lineage, actor=lin, at=NOW, edit=0, values={"parent": "a"})


def test_what_others_are_part_of_is_not_removed(lin: Actor) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin, entry_values("a"), entry_values("b", parent="a"))
    with nothing_moved(), pytest.raises(Invalid, match="Move or remove them first"):
        drafting.remove(version.pk, entry_of(version, "a").lineage, actor=lin, at=NOW, edit=0)


trees = st.lists(st.integers(-1, 20), min_size=1, max_size=14)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees)
def test_the_path_of_an_entry_is_exactly_what_is_above_it(lin: Actor, shape: list[int]) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin)
    parents: dict[str, str] = {}
    for index, above in enumerate(shape):
        parents[f"n{index}"] = f"n{above % index}" if index and above >= 0 else ""
    ListEntry.objects.bulk_create(
        ListEntry(version=version, **entry_values(code, parent=parent)) for code, parent in parents.items()
    )
    drafting.derive_paths(version.pk)

    def above(code: str) -> list[str]:
        return [*above(parents[code]), code] if code else []

    assert {entry.code: entry.path for entry in version.entries.all()} == {code: above(code) for code in parents}


def test_an_organisation_is_kept_with_its_names_in_both_scripts(lin: Actor) -> None:
    values = entry_values("O-1", label_zh="北风计算", label_en="Northwind Compute", aliases=["NWC", "Northwind"])
    version = draft_of(ListKind.ORGANISATION, lin, values)
    entry = entry_of(version, "O-1")
    assert {"northwind compute", "nwc", "northwind"} <= set(EntryName.objects.values_list("key", flat=True))
    drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"aliases": []})
    assert "nwc" not in set(EntryName.objects.values_list("key", flat=True))
    drafting.remove(version.pk, entry.lineage, actor=lin, at=NOW, edit=1)
    assert not EntryName.objects.exists()


# ── what an entry says ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "values", "field", "words"),
    [
        (ListKind.TECHNOLOGY, {"code": ""}, "code", "Give the entry a code"),
        (ListKind.TECHNOLOGY, {"code": "a b"}, "code", "no spaces"),
        (ListKind.TECHNOLOGY, {"code": "x" * 81}, "code", "at most 80"),
        (ListKind.TECHNOLOGY, {"label_zh": " "}, "label_zh", "both languages"),
        (ListKind.TECHNOLOGY, {"reason_en": ""}, "reason_en", "the traveller reads it"),
        (ListKind.TECHNOLOGY, {"level": 4}, "level", "1, 2 or 3"),
        (ListKind.TECHNOLOGY, {"parent": "gone"}, "parent", "no entry with this code"),
        (ListKind.TECHNOLOGY, {"valid_from": "2026-05-01", "valid_until": "2026-04-30"}, "valid_until", "before the"),
        (ListKind.DESTINATION, {"code": "XX"}, "code", "ISO 3166"),
        (ListKind.DESTINATION, {"code": "US-XX"}, "code", "ISO 3166"),
        (ListKind.ORGANISATION, {"country": "XX"}, "country", "ISO 3166-1"),
        (ListKind.ORGANISATION, {"parent": "cs.CR"}, "parent", "Only technologies form a tree"),
        (ListKind.ORGANISATION, {"aliases": ["x"] * 41}, "aliases", "at most 40"),
        (ListKind.PROJECT, {}, "company_id", "whose project"),
    ],
)
def test_an_entry_that_is_not_in_order_is_refused_at_its_field(
    lin: Actor, kind: ListKind, values: dict[str, Any], field: str, words: str
) -> None:
    version = draft_of(kind, lin)
    whole = entry_values("JP" if kind is ListKind.DESTINATION else "X-1") | values
    with nothing_moved(), pytest.raises(Invalid) as refused:
        drafting.add(version.pk, actor=lin, at=NOW, values=whole)
    assert [(problem.field, words in str(problem.message)) for problem in refused.value.problems] == [(field, True)]


@pytest.mark.parametrize("code", ["JP", "US-CA", "CN-BJ", "AU-NSW"])
def test_destinations_are_countries_and_subdivisions_of_iso_3166(lin: Actor, code: str) -> None:
    assert draft_of(ListKind.DESTINATION, lin, entry_values(code)).entries.count() == 1


def test_a_code_is_there_once_and_of_projects_once_for_each_company(lin: Actor) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin, entry_values("cs.CR"))
    with nothing_moved(), pytest.raises(Invalid, match="Another entry of this version has this code"):
        drafting.add(version.pk, actor=lin, at=NOW, values=entry_values("cs.CR"))
    one, other = CompanyFactory.create(), CompanyFactory.create(name_en="Nanhu Models")
    projects = draft_of(ListKind.PROJECT, lin, entry_values("P-1", company_id=one.pk))
    drafting.add(projects.pk, actor=lin, at=NOW, values=entry_values("P-1", company_id=other.pk))
    with nothing_moved(), pytest.raises(Invalid, match="has this code"):
        drafting.add(projects.pk, actor=lin, at=NOW, values=entry_values("P-1", company_id=one.pk))
    assert Company.objects.count() == 2


# The example number of GB 11643 itself.
IDENTITY = "11010519491231002X"


@pytest.mark.parametrize(
    "values",
    [
        {"code": IDENTITY},
        {"label_en": f"Wang {IDENTITY}"},
        {"label_zh": f"王 {IDENTITY.lower()}"},
        {"reason_en": f"See {IDENTITY}."},
        {"aliases": [IDENTITY]},
    ],
    ids=str,
)
def test_an_identity_number_is_refused_wherever_it_stands(lin: Actor, values: dict[str, Any]) -> None:
    version = draft_of(ListKind.ORGANISATION, lin)
    with nothing_moved(), pytest.raises(Invalid, match="never persons"):
        drafting.add(version.pk, actor=lin, at=NOW, values=entry_values("X-1") | values)


@pytest.mark.parametrize("text", ["110105194912310021", "1" * 18, "9111010812345678XX", "ISO 20022", "2026-03-03"])
def test_other_numbers_are_not_taken_for_one(text: str) -> None:
    assert not drafting.names_a_person(text)


def test_an_entry_has_one_of_three_levels_in_the_database_too(lin: Actor) -> None:
    version = draft_of(ListKind.TECHNOLOGY, lin)
    for level in (0, 4):
        with pytest.raises(IntegrityError, match="entry_level"), transaction.atomic():
            ListEntry.objects.create(version=version, **entry_values("X", level))
