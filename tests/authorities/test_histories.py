"""Which office hears the appeals of which: whoever changes it leaves an entry in the audit log."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from approvals.models import HearingOffice
from audit import verification
from authorities import histories
from tests.factories import OfficeFactory, with_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    found: User = with_role(Role.ADMINISTRATOR)
    found.name, found.is_staff = "Ada Admin", True
    found.save()
    return found


@pytest.fixture
def back_office(ada: User) -> Client:
    client = Client()
    client.force_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_who_hears_appeals_is_named_changed_and_taken_back_with_an_entry_each(back_office: Client, ada: User) -> None:
    haidian, pudong, suzhou = (OfficeFactory.create(code=code) for code in ("HD", "PD", "SZ"))
    add = reverse("admin:approvals_hearingoffice_add")
    assert back_office.post(add, {"office": haidian.pk, "heard_by": pudong.pk}).status_code == 302
    row = HearingOffice.objects.get()
    change = reverse("admin:approvals_hearingoffice_change", args=[row.pk])
    assert back_office.post(change, {"heard_by": suzhou.pk}).status_code == 302
    # Saved as it was: nothing changed, nothing is recorded. The office that decides is not changed at all.
    assert back_office.post(change, {"heard_by": suzhou.pk, "office": pudong.pk}).status_code == 302
    page = back_office.get(change).content.decode()
    assert "Appeals against its decisions are heard by SZ. Ada Admin" in page
    gone = reverse("admin:approvals_hearingoffice_delete", args=[row.pk])
    assert back_office.post(gone, {"post": "yes"}).status_code == 302

    found = list(histories.entries(haidian.pk))
    assert [(entry.verb, entry.data.get("code")) for entry in found] == [
        ("office.heard_by", "PD"),
        ("office.heard_by", "SZ"),
        ("office.heard_by_none", None),
    ]
    assert {(entry.actor_id, entry.actor_role) for entry in found} == {(ada.pk, "administrator")}
    assert not histories.entries(pudong.pk).exists()
    assert verification.verify().first_break is None


def test_several_that_are_taken_back_at_once_leave_an_entry_each(back_office: Client) -> None:
    haidian, pudong = (OfficeFactory.create(code=code) for code in ("HD", "PD"))
    rows = [
        HearingOffice.objects.create(office=haidian, heard_by=pudong),
        HearingOffice.objects.create(office=pudong, heard_by=haidian),
    ]
    sent = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    assert back_office.post(reverse("admin:approvals_hearingoffice_changelist"), sent).status_code == 302
    assert not HearingOffice.objects.exists()
    for office in (haidian, pudong):
        assert [entry.verb for entry in histories.entries(office.pk)] == ["office.heard_by_none"]


def test_what_is_refused_leaves_no_entry(back_office: Client) -> None:
    haidian = OfficeFactory.create(code="HD")
    answer = back_office.post(
        reverse("admin:approvals_hearingoffice_add"), {"office": haidian.pk, "heard_by": haidian.pk}
    )
    assert "does not hear appeals against its own decisions" in answer.content.decode()
    assert not histories.entries(haidian.pk).exists()
