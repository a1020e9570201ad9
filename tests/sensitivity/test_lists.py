"""Lists name technologies, places, organisations, projects and events; two people publish them; never persons."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from employees.models import Employee
from sensitivity import publishing
from sensitivity.matching import matches, normalised
from sensitivity.models import ListEntry, ListKind, ListVersion, SensitivityList
from sensitivity.taxonomy import SUBJECTS
from tests.factories import NOW, UserFactory

TODAY = NOW.date()
State = ListVersion.State


@pytest.fixture
def lin(db: None) -> User:
    return UserFactory.create(name="Lin Author")


@pytest.fixture
def pu(db: None) -> User:
    return UserFactory.create(name="Pu Publisher")


@pytest.fixture
def technologies(lin: User) -> SensitivityList:
    return SensitivityList.objects.create(
        kind=ListKind.TECHNOLOGY, name_zh="技术", name_en="Technologies", owner=lin, legal_basis="Measures, article 3"
    )


def entry(version: ListVersion, code: str = "cs.CR", level: int = 2) -> ListEntry:
    return ListEntry.objects.create(
        version=version, code=code, label_zh=code, label_en=code, level=level, reason_zh="因", reason_en="Because"
    )


def found(on: Any = TODAY) -> list[tuple[str, int, int]]:
    hits = matches({ListKind.TECHNOLOGY: [code for code, _name in SUBJECTS]}, on=on)
    return [(hit.code, hit.level, hit.version) for hit in hits]


def test_a_version_counts_from_the_day_on_which_it_comes_into_force(
    technologies: SensitivityList, lin: User, pu: User
) -> None:
    first = publishing.draft(technologies, author=lin)
    entry(first)
    assert found() == []
    publishing.publish(first.pk, publisher=pu, on=TODAY)
    second = publishing.draft(technologies, author=lin)
    assert [one.code for one in second.entries.all()] == ["cs.CR"]
    entry(second, "cs.AR", 3)
    tomorrow = TODAY + timedelta(days=1)
    publishing.publish(second.pk, publisher=pu, on=tomorrow)
    assert found(TODAY - timedelta(days=1)) == []
    assert found(TODAY) == [("cs.CR", 2, 1)]
    assert found(tomorrow) == [("cs.AR", 3, 2), ("cs.CR", 2, 2)]


def test_nobody_publishes_what_they_wrote(technologies: SensitivityList, lin: User) -> None:
    version = publishing.draft(technologies, author=lin)
    entry(version)
    with pytest.raises(Exception, match="another person than the author|作者|另一"):
        publishing.publish(version.pk, publisher=lin, on=TODAY)
    version.refresh_from_db()
    assert version.state == State.DRAFT


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": State.PUBLISHED, "published_from": TODAY}, "published_by_somebody"),
        ({"state": State.PUBLISHED, "publisher": "pu"}, "published_by_somebody"),
        ({"state": State.PUBLISHED, "publisher": "lin", "published_from": TODAY}, "two_people"),
    ],
)
def test_the_database_holds_to_it(
    technologies: SensitivityList, lin: User, pu: User, values: dict[str, Any], constraint: str
) -> None:
    people = {"lin": lin, "pu": pu}
    if "publisher" in values:
        values = values | {"publisher": people[values["publisher"]]}
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ListVersion.objects.create(list=technologies, number=1, author=lin, **values)


@pytest.mark.parametrize("level", [0, 4])
def test_an_entry_has_one_of_three_levels(technologies: SensitivityList, lin: User, level: int) -> None:
    version = publishing.draft(technologies, author=lin)
    with pytest.raises(IntegrityError, match="entry_level"), transaction.atomic():
        entry(version, level=level)


def test_there_is_no_list_of_people() -> None:
    assert {kind.value for kind in ListKind} == {"technology", "destination", "organisation", "project", "event"}
    about_people = {Employee, User}
    for model in apps.get_app_config("sensitivity").get_models():
        named = {
            field.name for field in model._meta.get_fields() if field.concrete and field.related_model in about_people
        }
        # Who keeps and publishes a list, and nobody else.
        assert named <= {"owner", "author", "publisher"}, model


@given(st.text(max_size=60))
def test_a_name_is_compared_in_one_form(name: str) -> None:
    once = normalised(name)
    assert normalised(f"  {once}\u3000 ") == once
    assert "  " not in once
    assert once == once.strip()


@pytest.mark.parametrize(
    "name", ["ETH Zürich", "eth zürich", "ETH  ZÜRICH", "ＥＴＨ\u3000Zürich", "ETH Zu\u0308rich", "eth zürich\n"]
)
def test_case_width_spacing_and_accents_written_in_two_ways_do_not_matter(name: str) -> None:
    assert normalised(name) == "eth zürich"


def test_subjects_are_codes_of_the_taxonomy_once_each() -> None:
    codes = [code for code, _name in SUBJECTS]
    assert len(codes) == len(set(codes)) == 38
    assert all(code.startswith(("cs.", "stat.")) for code in codes)
