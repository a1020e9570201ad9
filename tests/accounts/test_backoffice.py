"""The back office: who comes in, what they may do there, and that a request can only be looked at."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry, RoleAssignment, User
from accounts.roles import Role
from approvals.models import TravelRequest
from approvals.states import State
from audit.models import Entry
from employees.models import Employee
from sensitivity.models import ListKind
from tests.asserting import nothing_moved
from tests.factories import CompanyFactory, UserFactory, entry_values, in_state, list_in_force, with_role
from tests.factories.law import enacted_code

pytestmark = pytest.mark.django_db


def staff(role: Role, name: str) -> User:
    user = with_role(role, name)
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def ada() -> User:
    """An administrator."""
    return staff(Role.ADMINISTRATOR, "Ada Admin")


@pytest.fixture
def lise() -> User:
    """A list manager who may open the back office."""
    return staff(Role.LIST_MANAGER, "Lise Lists")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def pages() -> list[str]:
    """The lists of everything that is configured."""
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
    ]


# ── who comes in ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_one_page_to_sign_in() -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert "next=%2Fadmin%2F" in answer.redirect_chain[-1][0].replace("/admin/", "%2Fadmin%2F")


@pytest.mark.parametrize(
    "who", ["nobody's role", "role without staff", "staff whose role has ended", "superuser", "auditor"]
)
def test_without_a_role_of_the_back_office_nobody_comes_in(who: str) -> None:
    user = {
        "nobody's role": lambda: UserFactory.create(is_staff=True),
        "role without staff": lambda: with_role(Role.ADMINISTRATOR),
        "staff whose role has ended": lambda: staff(Role.ADMINISTRATOR, "Gone"),
        "superuser": lambda: UserFactory.create(is_staff=True, is_superuser=True),
        "auditor": lambda: staff(Role.AUDITOR, "Audrey"),
    }[who]()
    if "ended" in who:
        RoleAssignment.objects.filter(user=user).update(ends_at=timezone.now() - timedelta(hours=1))
    client = signed_in(user)
    assert client.get("/admin/", follow=True).status_code == 403
    for page in pages():
        assert client.get(page, follow=True).status_code == 403


def test_administrators_see_every_list_of_their_own(ada: User) -> None:
    in_state(State.APPROVED)
    client = signed_in(ada)
    assert client.get("/admin/").status_code == 200
    opened = [page for page in pages() if client.get(page).status_code == 200]
    assert len(opened) >= 15
    for app in ("accounts", "authorities", "companies", "employees", "sensitivity", "approvals", "documents"):
        assert any(f"/admin/{app}/" in page for page in opened)
    assert not any("/admin/auth/" in page or "/admin/account/" in page for page in opened)


def test_list_managers_look_at_lists_and_see_nothing_else(lise: User) -> None:
    client = signed_in(lise)
    opened = {page for page in pages() if client.get(page).status_code == 200}
    assert opened == {page for page in pages() if page.startswith("/admin/sensitivity/")}


def test_the_back_office_has_a_policy_of_its_own_and_no_other_page_has_it(ada: User) -> None:
    client = signed_in(ada)
    inside = [client.get(page)["Content-Security-Policy"] for page in ("/admin/", reverse("admin:accounts_user_add"))]
    for policy in inside:
        assert "script-src 'self' 'unsafe-eval' 'unsafe-inline'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
    outside = client.get(reverse("account_change_password"))["Content-Security-Policy"]
    assert "unsafe" not in outside


# ── a request is looked at only ─────────────────────────────────────────────────────────────────────────────────────


def test_a_request_is_shown_with_its_history_and_the_look_is_noted(ada: User) -> None:
    request = in_state(State.DENIED).request
    page = signed_in(ada).get(reverse("admin:approvals_travelrequest_change", args=[request.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert request.reference in text
    assert "Rio de Janeiro" in text
    for entry in Entry.objects.filter(chain=request.pk):
        assert str(entry.in_words()) in text
    assert "_save" not in text
    seen = AccessEntry.objects.get(subject=request.pk, page="back_office")
    assert (seen.user, seen.role) == (ada, Role.ADMINISTRATOR)


def test_nothing_about_a_request_can_be_done_here(ada: User) -> None:
    request = in_state(State.AUTHORITY_REVIEW).request
    client = signed_in(ada)
    change = reverse("admin:approvals_travelrequest_change", args=[request.pk])
    before = TravelRequest.unscoped.filter(pk=request.pk).values().get()
    for address in (change, reverse("admin:approvals_travelrequest_delete", args=[request.pk])):
        assert client.post(address, {"title": "Changed", "state": "approved", "post": "yes"}).status_code == 403
    assert client.get(reverse("admin:approvals_travelrequest_add")).status_code == 403
    listed = reverse("admin:approvals_travelrequest_changelist")
    client.post(listed, {"action": "delete_selected", "_selected_action": [str(request.pk)], "post": "yes"})
    assert TravelRequest.unscoped.filter(pk=request.pk).values().get() == before


def test_drafts_are_not_listed(ada: User) -> None:
    draft, sent = in_state(State.DRAFT).request, in_state(State.COMPANY_REVIEW).request
    text = signed_in(ada).get(reverse("admin:approvals_travelrequest_changelist")).content.decode()
    assert sent.reference in text
    assert draft.reference not in text
    address = reverse("admin:approvals_travelrequest_change", args=[draft.pk])
    assert signed_in(ada).get(address).status_code == 302
    assert not AccessEntry.objects.filter(subject=draft.pk).exists()


# ── what is configured ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_is_made_without_a_password(ada: User) -> None:
    values = {
        "name": "New Person",
        "email": " New@Example.TEST ",
        "language": "en",
        "is_active": "on",
        "role_assignments-TOTAL_FORMS": "0",
        "role_assignments-INITIAL_FORMS": "0",
    }
    answer = signed_in(ada).post(reverse("admin:accounts_user_add"), values)
    assert answer.status_code == 302, answer.context["errors"]
    made = User.objects.get(email="new@example.test")
    assert not made.has_usable_password()


def test_an_employee_is_made_and_a_second_of_the_same_number_is_refused(ada: User) -> None:
    company = CompanyFactory.create()
    values: dict[str, Any] = {
        "company": company.pk,
        "number": "E7",
        "name_zh": "林䶮",
        "name_en": "Lin Yan",
        "position": "Researcher",
        "employed_from": "2020-01-01",
        "documents-TOTAL_FORMS": "0",
        "documents-INITIAL_FORMS": "0",
        "assignments-TOTAL_FORMS": "0",
        "assignments-INITIAL_FORMS": "0",
    }
    client, address = signed_in(ada), reverse("admin:employees_employee_add")
    answer = client.post(address, values)
    assert answer.status_code == 302, answer.context["errors"]
    assert Employee.unscoped.get(number="E7").name_zh == "林䶮"
    again = client.post(address, values)
    assert again.status_code == 200
    assert again.context["errors"]
    assert Employee.unscoped.filter(number="E7").count() == 1


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [Role.LIST_MANAGER, Role.ADMINISTRATOR], ids=str)
def test_lists_are_looked_at_here_and_changed_on_their_own_pages(role: Role) -> None:
    version = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.CR", 2))
    looking = signed_in(staff(role, "Lara Looks"))
    kept, its_version = (
        reverse("admin:sensitivity_sensitivitylist_change", args=[version.list_id]),
        reverse("admin:sensitivity_listversion_change", args=[version.pk]),
    )
    with nothing_moved():
        for page in (kept, its_version):
            shown = looking.get(page)
            assert shown.status_code == 200
            assert "_save" not in shown.content.decode()
            assert looking.post(page, {"name_en": "Mine", "state": "draft"}).status_code == 403
        assert looking.get(reverse("admin:sensitivity_sensitivitylist_add")).status_code == 403
        assert looking.get(reverse("admin:sensitivity_listversion_add")).status_code == 403


# ── in Chinese ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("page", "headers"),
    [
        ("authorities_office", {"代码", "名称"}),
        ("authorities_legalinstrument", {"名称", "条文"}),
        ("authorities_reasoncode", {"名目"}),
        ("companies_company", {"名称"}),
    ],
)
def test_columns_are_named_in_chinese(ada: User, page: str, headers: set[str]) -> None:
    enacted_code("T1")
    CompanyFactory.create()
    User.objects.filter(pk=ada.pk).update(language="zh-hans")
    text = signed_in(ada).get(reverse(f"admin:{page}_changelist")).content.decode()
    shown = {re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<th[^>]*>(.*?)</th>", text, re.DOTALL)}
    found = {line.strip() for cell in shown for line in cell.splitlines() if line.strip()}
    assert headers <= found
    assert not {"Name", "Title", "Article", "Label"} & found
    assert "选择要执行的操作" in text or "选择记录" in text or "输入以搜索" in text


def test_the_access_log_says_in_words_what_was_looked_at(ada: User) -> None:
    request = in_state(State.DENIED).request
    client = signed_in(ada)
    client.get(reverse("admin:approvals_travelrequest_change", args=[request.pk]))
    listed = reverse("admin:accounts_accessentry_changelist")
    text = client.get(listed).content.decode()
    assert "The request, in the back office" in text
    assert "back_office<" not in text
    row = AccessEntry.objects.get(subject=request.pk)
    change = reverse("admin:accounts_accessentry_change", args=[row.pk])
    assert "The request, in the back office" in client.get(change).content.decode()
    assert f"/{row.pk}/change/" in client.get(listed, {"page": "back_office"}).content.decode()
    assert f"/{row.pk}/change/" not in client.get(listed, {"page": "paper"}).content.decode()
