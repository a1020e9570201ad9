"""What a traveller picks from: subjects by name, states where a list asks for them, the company's own projects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from companies.models import Project
from employees.models import ProjectAssignment
from sensitivity import drafting, picking, publishing
from sensitivity.models import ListKind, ListVersion
from sensitivity.picking import Subject
from sensitivity.taxonomy import SUBJECTS
from tests.factories import (
    NOW,
    CompanyFactory,
    employ,
    entry_of,
    entry_values,
    list_in_force,
    list_manager,
    rehearsed,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
LLM = entry_values("llm", 2, parent="cs.CL", label_en="Large language models", label_zh="大语言模型")
TREE = (
    entry_values("cs.CL", 1),
    LLM,
    entry_values("llm-scale", 3, parent="llm", label_en="Pre-training at scale", aliases=["Foundation training"]),
)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def find(top: tuple[Subject, ...], code: str) -> Subject | None:
    return next((one for subject in top for one in subject.walk() if one.code == code), None)


def replaced(version: ListVersion, *, on_next_day: bool = True) -> ListVersion:
    """The draft after `version`, by Mei, published by Ning a day later."""
    later = NOW + timedelta(days=1)
    mei, ning = list_manager("Mei"), list_manager("Ning")
    following = publishing.draft(version.list_id, actor=mei, at=later)
    entry = entry_of(following, "llm")
    drafting.change(
        following.pk, entry.lineage, actor=mei, at=later, edit=entry.edit, values={"code": "language-models"}
    )
    publishing.submit_for_review(following.pk, actor=mei, at=later)
    rehearsed(following, by=mei, at=later)
    return publishing.publish(following.pk, actor=ning, at=later, on=publishing.today(later))


# ── subjects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_large_language_models_are_below_the_class_that_they_are_part_of() -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE)

    with CaptureQueriesContext(connection) as asked:
        tree = picking.subjects(TODAY)

    language = find(tree.top, "cs.CL")
    assert language is not None
    assert [(one.label, [two.label for two in one.below]) for one in language.below] == [
        ("Large language models", ["Pre-training at scale"])
    ]
    assert {one.code for one in tree.walk()} == {code for code, _label in SUBJECTS} | {"llm", "llm-scale"}
    assert len(asked) == 1
    assert not tree.is_cut


def test_labels_and_order_are_those_of_the_reader() -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE)
    with translation.override("zh-hans"):
        tree = picking.subjects(TODAY)
        found = find(tree.top, "llm")
        top = [one.label.encode("gb18030") for one in tree.top]
    assert found is not None
    assert found.label == "大语言模型"
    assert top == sorted(top)
    assert [one.label.casefold() for one in picking.subjects(TODAY).top] == sorted(
        one.label.casefold() for one in picking.subjects(TODAY).top
    )


def test_an_entry_without_a_parent_stands_where_its_code_says_or_on_top() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.AR.eda"), entry_values("cs.AI-agents"), entry_values("optics"))
    tree = picking.subjects(TODAY)
    for above, code in (("cs.AR", "cs.AR.eda"), ("cs.AI", "cs.AI-agents")):
        parent = find(tree.top, above)
        assert parent is not None
        assert [one.code for one in parent.below] == [code]
    assert "optics" in [one.code for one in tree.top]


def test_confidential_and_expired_entries_are_never_offered_and_never_named() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("hidden", 3, label_en="The hidden one"), confidential=True)
    list_in_force(ListKind.TECHNOLOGY, entry_values("past", 1, valid_until=TODAY - timedelta(days=1)))
    tree = picking.subjects(TODAY, keep=["hidden", "past"])
    assert {one.code for one in tree.walk()} == {code for code, _label in SUBJECTS}
    assert picking.known_subjects(["hidden", "past", "cs.AI"], on=TODAY) == {"cs.AI"}
    assert picking.subject_labels(["hidden"]) == {"hidden": "hidden"}


def test_searching_looks_into_both_languages_and_other_names_and_keeps_what_is_chosen() -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE, entry_values("rlhf", parent="cs.CL", label_en="Human feedback"))
    for words in ("large LANG", "大语言", "llm"):
        assert find(picking.subjects(TODAY, find=words).top, "llm"), words
    found = picking.subjects(TODAY, find="foundation", keep=["rlhf"])
    assert find(found.top, "rlhf")
    above = find(found.top, "llm")
    assert above is not None
    assert [one.code for one in above.below] == ["llm-scale"], "what was found, under what it is part of"
    assert find(picking.subjects(TODAY, find="大语言").top, "llm-scale"), "and what is below it"
    assert not find(picking.subjects(TODAY, find="大语言").top, "rlhf")


def test_more_than_fits_is_cut_from_below_and_what_is_chosen_stays() -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE)
    tree = picking.subjects(TODAY, most=2, keep=["llm-scale"])
    assert tree.is_cut
    # Its class is one of the taxonomy and always there: nothing hangs in the air.
    assert find(tree.top, "llm-scale")
    assert not find(tree.top, "llm")


def test_what_was_renamed_is_picked_under_its_new_code_and_read_under_both() -> None:
    replaced(list_in_force(ListKind.TECHNOLOGY, *TREE))
    tomorrow = TODAY + timedelta(days=1)

    tree = picking.subjects(tomorrow, keep=["llm"])

    assert tree.renamed == {"llm": "language-models"}
    assert picking.known_subjects(["llm", "language-models"], on=tomorrow) == {"language-models"}
    assert set(picking.subject_labels(["llm", "language-models"]).values()) == {"Large language models"}


def test_classes_of_the_taxonomy_are_named_without_asking_the_database() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert picking.subjects_in_words(["cs.IR", "cs.AI"]) == ["Information retrieval", "Artificial intelligence"]
        assert picking.known_subjects(["cs.IR"], on=TODAY) == {"cs.IR"}
    assert len(asked) == 0


# ── states and provinces ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_state_is_asked_for_only_where_a_list_names_one() -> None:
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 2), entry_values("JP", 1))
    asked = picking.subdivided(TODAY)
    assert list(asked) == ["US"]
    assert ("US-CA", "California") in asked["US"]
    assert ("US-NY", "New York") in asked["US"]
    with translation.override("zh-hans"):
        assert picking.subdivision_name("US-CA") == "加利福尼亚州"
    assert picking.subdivision_name("") == ""
    assert picking.subdivision_name("XX-1") == "XX-1"


def test_where_a_list_names_a_district_the_districts_are_offered_too() -> None:
    list_in_force(ListKind.DESTINATION, entry_values("FR-75C", 1))
    codes = {code for code, _name in picking.subdivided(TODAY)["FR"]}
    assert {"FR-75C", "FR-IDF"} <= codes


# ── projects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_own_projects_come_first_and_ended_ones_stay_readable() -> None:
    company = CompanyFactory.create()
    alice = employ("Alice Wang", company)
    rows = {
        code: Project.objects.create(company=company, code=code, name=f"Project {code}", is_active=code != "OLD")
        for code in ("A", "B", "OLD")
    }
    ProjectAssignment.objects.create(employee=alice, project=rows["B"], starts_at=NOW - timedelta(days=9))
    Project.objects.create(company=CompanyFactory.create(name_en="Another"), code="X", name="Not theirs")

    assert picking.projects(company_id=company.pk, employee_id=alice.pk, at=NOW) == [
        ("B", "Project B"),
        ("A", "Project A"),
    ]
    assert picking.project_names(["OLD", "GONE"], company_id=company.pk) == ["OLD Project OLD", "GONE"]
