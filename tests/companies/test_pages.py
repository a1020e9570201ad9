"""The page of a company."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.roles import Role
from companies.models import Project, validate_uscc
from tests.factories import CompanyFactory, employ, officer_of, with_role

pytestmark = pytest.mark.django_db


def test_olivia_adds_a_project_and_ends_it() -> None:
    company = CompanyFactory.create()
    client = Client()
    client.force_login(officer_of(company))

    client.post(f"/companies/{company.pk}/", {"code": "P1", "name": "Retrieval", "is_active": "on"})
    project = Project.objects.get()
    assert (project.company, project.code, project.is_active) == (company, "P1", True)
    client.post(f"/companies/{company.pk}/projects/{project.pk}/", {"code": "P1", "name": "Retrieval"})
    project.refresh_from_db()
    assert project.is_active is False
    twice = client.post(f"/companies/{company.pk}/", {"code": "P1", "name": "Another"})
    assert twice.context["form"].errors
    assert Project.objects.count() == 1


def test_an_auditor_reads_and_an_employee_does_not() -> None:
    company = CompanyFactory.create()
    auditor, alice = Client(), Client()
    auditor.force_login(with_role(Role.AUDITOR))
    user = employ("Alice Wang", company).user
    assert user is not None
    alice.force_login(user)

    assert auditor.get(f"/companies/{company.pk}/").status_code == 200
    assert auditor.post(f"/companies/{company.pk}/", {"code": "P1", "name": "X"}).status_code == 404
    assert alice.get(f"/companies/{company.pk}/").status_code == 404
    assert Project.objects.count() == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [("91110000600037341L", None), ("91110000600037341M", "checksum"), ("9111000060003734", "format"), ("", "format")],
)
def test_a_credit_code_is_checked_with_its_check_digit(code: str, kind: str | None) -> None:
    if kind is None:
        validate_uscc(code)
    else:
        with pytest.raises(ValidationError) as refused:
            validate_uscc(code)
        assert refused.value.code == kind
