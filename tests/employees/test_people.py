"""Names of real people, and who sees whose record."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from accounts.roles import NOBODY, SYSTEM, Role
from employees.models import Employee, validate_person_name
from tests.factories import NOW, CompanyFactory, UserFactory, actor, employ, officer_of, with_role


@pytest.mark.parametrize(
    "name",
    ["䶮", "龚䶮", "𠮷野", "㛃", "阿卜杜·热合曼", "阿卜杜•热合曼", "O'Brien", "D’Arcy", "Jean-Luc", "J. R. R. Tolkien"]
    + ["Nguyễn Văn An", "Nguye\u0302\u0303n", "María José", "Иван Петров", "محمد", "李雷"],
)
def test_names_of_people(name: str) -> None:
    validate_person_name(name)


UNSUITABLE = ["Alice 🙂", "👩‍🔬", "Alice2", "A_B", "<b>Al</b>", "Al\u200dice", "Al\u202eice", "A\0", "@alice"]


@pytest.mark.parametrize("name", UNSUITABLE)
def test_what_is_not_part_of_a_name_is_named(name: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match="cannot be part of a name"):
        validate_person_name(name)


@given(st.text(st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc"]), max_size=40))
def test_letters_and_marks_of_every_script_are_taken(name: str) -> None:
    validate_person_name(name)


@given(st.text(st.characters(categories=["So", "Sm", "Nd", "Cc", "Cf", "Co", "Cs"]), min_size=1, max_size=5))
def test_signs_digits_and_what_cannot_be_seen_are_not(name: str) -> None:
    with pytest.raises(ValidationError):
        validate_person_name(name)


@pytest.mark.django_db
def test_who_sees_whose_record() -> None:
    company, competitor = CompanyFactory.create(), CompanyFactory.create(name_en="Other Intelligence")
    alice, bo, oscar = employ("Alice", company), employ("Bo", company), employ("Oscar", competitor)

    def seen(user: object) -> set[Employee]:
        return set(Employee.objects.visible_to(actor(user, NOW)))  # type: ignore[arg-type]

    assert seen(alice.user) == {alice}
    assert seen(officer_of(company)) == {alice, bo}
    assert seen(officer_of(competitor)) == {oscar}
    assert seen(with_role(Role.ADMINISTRATOR)) == seen(with_role(Role.AUDITOR)) == {alice, bo, oscar}
    assert seen(with_role(Role.LIST_MANAGER)) == seen(UserFactory.create()) == set()
    assert set(Employee.objects.visible_to(SYSTEM)) == {alice, bo, oscar}
    assert not Employee.objects.visible_to(NOBODY).exists()


@pytest.mark.django_db
def test_an_employment_covers_its_first_and_its_last_day() -> None:
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    alice = employ("Alice", CompanyFactory.create(), employed_from=first, employed_until=last)
    day = timedelta(days=1)
    assert [alice.is_employed(on) for on in (first - day, first, last, last + day)] == [False, True, True, False]


@pytest.mark.django_db
def test_one_person_has_one_open_employment_in_a_company_and_may_have_others_elsewhere() -> None:
    company = CompanyFactory.create()
    alice = employ("Alice", company)
    with pytest.raises(IntegrityError, match="employees_employee_once"), transaction.atomic():
        employ("Alice", company, user=alice.user)
    employ("Alice", company, user=alice.user, employed_until=date(2024, 12, 31))
    employ("Alice", CompanyFactory.create(name_en="Other Intelligence"), user=alice.user)
    with pytest.raises(IntegrityError, match="employees_employee_number"), transaction.atomic():
        employ("Bo", company, number=alice.number)
    with pytest.raises(IntegrityError, match="until_after_from"), transaction.atomic():
        employ("Bo", company, employed_until=date(2019, 12, 31))


@pytest.mark.django_db
def test_both_names_are_shown_chinese_first() -> None:
    assert employ("Alice Wang", CompanyFactory.create(), name_zh="王䶮").name == "王䶮 Alice Wang"
