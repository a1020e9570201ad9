"""The roster: Olivia keeps her company's; nobody else does."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from employees import roster
from employees.models import Employee
from tests.factories import NOW, CompanyFactory, actor, employ, officer_of, with_role

pytestmark = pytest.mark.django_db

BOB: dict[str, Any] = {
    "email": "Bob@example.test",
    "number": "E77",
    "name_zh": "李䶮",
    "name_en": "Yan Li",
    "position": "Engineer",
    "employed_from": date(2026, 1, 5),
    "employed_until": None,
}


def as_form(values: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in values.items()}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_olivia_admits_bob_whose_name_is_rare() -> None:
    company = CompanyFactory.create()
    olivia = officer_of(company)

    answer = signed_in(olivia).post("/employees/new/", as_form(BOB) | {"company": company.pk}, follow=True)

    assert "李䶮 Yan Li is on the roster." in answer.content.decode()
    bob = Employee.unscoped.get(number="E77")
    assert (bob.name, bob.company, bob.employed_until) == ("李䶮 Yan Li", company, None)
    assert bob.user is not None
    assert (bob.user.email, bob.user.has_usable_password()) == ("bob@example.test", False)


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"name_en": "Yan 😀"}, "name_en", "“😀” cannot be part of a name."),
        ({"name_en": "Y" * 10_000}, "name_en", "Ensure this value has at most 200 characters (it has 10000)."),
        ({"email": "not an address"}, "email", "Enter a valid email address."),
        ({"employed_until": "2025-12-31"}, "employed_until", "The last day must not be before the first."),
        ({"number": "E00"}, "number", "Another employee of the company has this staff number."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    wrong: dict[str, str], field: str, sentence: str
) -> None:
    company = CompanyFactory.create()
    employ("Alice Wang", company, number="E00")
    typed = as_form(BOB) | {"company": company.pk} | wrong

    answer = signed_in(officer_of(company)).post("/employees/new/", typed)

    form = answer.context["form"]
    assert list(form.errors) == [field]
    assert sentence in form.errors[field][0]
    assert form["position"].value() == "Engineer"
    assert form[field].value() == typed[field]
    assert Employee.unscoped.count() == 1
    assert not User.objects.filter(email="bob@example.test").exists()


def test_an_officer_of_another_company_sees_and_changes_nothing() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    elsewhere = CompanyFactory.create(name_en="Elsewhere")
    charlie = officer_of(elsewhere, "Charlie")
    client = signed_in(charlie)

    assert client.get(f"/employees/{alice.pk}/").status_code == 404
    assert client.post(f"/employees/{alice.pk}/", as_form(BOB)).status_code == 404
    assert client.get(f"/companies/{alice.company_id}/").status_code == 404
    assert list(client.get("/employees/").context["employees"]) == []
    with pytest.raises(PermissionDenied):
        roster.admit(actor=actor(charlie, NOW), company_id=alice.company_id, **BOB)
    with pytest.raises(Employee.DoesNotExist):
        roster.end(alice.pk, actor=actor(charlie, NOW), last_day=date(2026, 3, 1))
    alice.refresh_from_db()
    assert (alice.number, alice.employed_until) != ("E77", None)
    assert alice.employed_until is None


def test_an_applicant_who_is_no_officer_does_not_see_the_roster() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    assert alice.user is not None

    assert signed_in(alice.user).get("/employees/").status_code == 403
    with pytest.raises(PermissionDenied):
        roster.change(alice.pk, actor=actor(alice.user, NOW), position="Director")


def test_the_same_person_is_employed_once_at_a_time() -> None:
    company = CompanyFactory.create()
    olivia = actor(officer_of(company), NOW)
    first = roster.admit(actor=olivia, company_id=company.pk, **BOB)

    with pytest.raises(ValidationError) as refused:
        roster.admit(actor=olivia, company_id=company.pk, **BOB | {"number": "E78"})
    assert list(refused.value.message_dict) == ["email"]

    roster.end(first.pk, actor=olivia, last_day=date(2026, 2, 1))
    again = roster.admit(actor=olivia, company_id=company.pk, **BOB | {"number": "E78"})
    assert again.user == first.user


def test_the_list_takes_as_many_queries_for_three_as_for_one(django_assert_num_queries: Any) -> None:
    company = CompanyFactory.create()
    client = signed_in(officer_of(company))
    employ("Alice Wang", company)
    with django_assert_num_queries(5):  # account, roles, employees, companies, bell
        assert len(client.get("/employees/").context["employees"]) == 1
    employ("Bob Li", company)
    employ("Dan Wu", company)
    with django_assert_num_queries(5):
        assert len(client.get("/employees/").context["employees"]) == 3


def test_search_finds_either_script_and_leaves_out_former_employees() -> None:
    company = CompanyFactory.create()
    client = signed_in(officer_of(company))
    alice = employ("Alice Wang", company, name_zh="王爱丽")
    gone = employ("Gao Gone", company, name_zh="王高", employed_until=date(2021, 1, 1))

    assert list(client.get("/employees/?q=王").context["employees"]) == [alice]
    assert list(client.get("/employees/?q=gao&former=on").context["employees"]) == [gone]


def test_a_long_roster_is_paged_by_key() -> None:
    company = CompanyFactory.create()
    client = signed_in(officer_of(company))
    everybody = [employ(f"Person {chr(97 + n % 26)}", company, number=f"E{n:03d}") for n in range(53)]

    first = client.get("/employees/")
    second = client.get(f"/employees/{first.context['next_url']}")

    assert [*first.context["employees"], *second.context["employees"]] == everybody
    assert second.context["next_url"] == ""


def test_an_auditor_reads_the_roster_and_changes_nothing() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    client = signed_in(with_role(Role.AUDITOR))

    assert list(client.get("/employees/").context["employees"]) == [alice]
    assert client.get(f"/employees/{alice.pk}/").status_code == 404
    assert client.get("/employees/new/").status_code == 403
