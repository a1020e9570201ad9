"""Who acts: roles with a start and an end, read from wherever they are given."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actors import actor_for
from accounts.middleware import ActorMiddleware
from accounts.models import RoleAssignment, User
from accounts.roles import NOBODY, SYSTEM, Actor, Grant, Role
from accounts.scoping import Unscoped
from approvals.models import TravelRequest
from employees.models import Employee
from tests.factories import NOW, CompanyFactory, OfficeFactory, UserFactory, employ, officer_of, posted, with_role

SECOND = timedelta(seconds=1)


@pytest.mark.django_db
def test_one_account_holds_several_roles_read_in_one_query() -> None:
    alice = employ("Alice Wang", CompanyFactory.create(), number="E7")
    assert alice.user
    office = OfficeFactory.create(code="PD")
    officer_of(alice.company, user=alice.user)
    posted(office, Role.REVIEWER, "0417", user=alice.user)
    posted(office, Role.SENIOR, "0417", user=alice.user)
    RoleAssignment.objects.create(user=alice.user, role=Role.AUDITOR, starts_at=NOW)
    with CaptureQueriesContext(connection) as looked:
        actor = actor_for(alice.user, at=NOW)
    assert len(looked) == 1
    assert actor.grants == {
        Grant(Role.APPLICANT, alice.pk, "E7"),
        Grant(Role.OFFICER, alice.company_id),
        Grant(Role.REVIEWER, office.pk, "0417"),
        Grant(Role.SENIOR, office.pk, "0417"),
        Grant(Role.AUDITOR),
    }
    assert actor.roles == {Role.APPLICANT, Role.OFFICER, Role.REVIEWER, Role.SENIOR, Role.AUDITOR}
    assert actor.number_in(office.pk, [Role.SENIOR]) == "0417"
    assert actor.number_in(alice.company_id, [Role.OFFICER]) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("give", ["role", "posting", "membership"])
def test_a_role_begins_and_ends_to_the_second(give: str) -> None:
    user = UserFactory.create()
    end = NOW + timedelta(days=1)
    if give == "role":
        user.role_assignments.create(role=Role.AUDITOR, starts_at=NOW, ends_at=end)
    elif give == "posting":
        user.postings.create(
            office=OfficeFactory.create(), role=Role.REVIEWER, number="0417", starts_at=NOW, ends_at=end
        )
    else:
        user.memberships.create(company=CompanyFactory.create(), starts_at=NOW, ends_at=end)
    held = [bool(actor_for(user, at=at).grants) for at in (NOW - SECOND, NOW, end - SECOND, end)]
    assert held == [False, True, True, False]


@pytest.mark.django_db
def test_a_role_does_not_end_before_it_begins() -> None:
    user = UserFactory.create()
    backwards = RoleAssignment(user=user, role=Role.AUDITOR, starts_at=NOW, ends_at=NOW)
    with pytest.raises(ValidationError, match="after|晚于|之后"):
        backwards.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        backwards.save()


@pytest.mark.django_db
def test_a_former_employee_still_reads_and_an_account_that_is_closed_is_nobody() -> None:
    gone = employ("Gus Gone", CompanyFactory.create(), employed_until=NOW.date() - timedelta(days=400))
    assert gone.user
    assert actor_for(gone.user, at=NOW).holds(Role.APPLICANT, gone.pk)
    gone.user.is_active = False
    assert actor_for(gone.user, at=NOW) is NOBODY


def test_what_an_actor_holds_is_held_in_a_place() -> None:
    actor = Actor(1, "Rui", frozenset({Grant(Role.REVIEWER, 5), Grant(Role.REVIEWER, 7), Grant(Role.SENIOR, 7)}))
    assert actor.holds(Role.REVIEWER, 5)
    assert not actor.holds(Role.SENIOR, 5)
    assert not actor.holds(Role.REVIEWER)  # a role of an office is not one of the installation
    assert actor.scopes(Role.REVIEWER) == {5, 7}
    assert actor.scopes_of_any([Role.SENIOR, Role.HEAD]) == {7}
    assert NOBODY.roles == frozenset()
    assert SYSTEM.holds(Role.SYSTEM)


@pytest.mark.django_db
def test_superusers_hold_no_role() -> None:
    root = User.objects.create_superuser("root@example.test", "Root", "correct horse battery staple")
    assert actor_for(root, at=NOW).grants == frozenset()


# ── the manager that refuses to run unscoped ────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize("model", [TravelRequest, Employee])
def test_no_query_runs_without_saying_who_asks(model: type) -> None:
    rows = model.objects.all()  # type: ignore[attr-defined]
    acts: list[Callable[[], Any]] = [
        lambda: list(rows),
        lambda: rows.first(),
        lambda: rows.count(),
        lambda: rows.exists(),
        lambda: rows.values_list("pk")[:1].get(),
        lambda: rows.update(pk=None),
        lambda: rows.delete(),
        lambda: list(rows.iterator()),
        lambda: rows.aggregate(n=Count("pk")),
        lambda: list(rows.union(rows)),
        lambda: list(User.objects.filter(pk__in=rows.values("pk"))),
    ]
    for act in acts:
        with pytest.raises(Unscoped):
            act()


@pytest.mark.django_db
def test_within_a_scope_it_runs() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    assert alice.user
    assert list(Employee.objects.visible_to(actor_for(alice.user, at=NOW)).filter(company=alice.company)) == [alice]
    assert list(Employee.objects.visible_to(NOBODY)) == []


# ── on a page ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stranger_is_nobody_and_costs_no_query() -> None:
    request = HttpRequest()
    request.user = AnonymousUser()
    ActorMiddleware(lambda _request: HttpResponse())(request)
    assert request.actor == NOBODY  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_an_account_speaks_its_language_whatever_the_browser_says(client: Client) -> None:
    user = UserFactory.create(language="en")
    client.force_login(user)
    page = client.get("/notifications/", headers={"accept-language": "zh-CN"})
    assert page["Content-Language"] == "en"
    User.objects.filter(pk=user.pk).update(language="zh-hans")
    assert client.get("/notifications/", headers={"accept-language": "en"})["Content-Language"] == "zh-hans"


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_an_address_is_one_account_however_it_is_written() -> None:
    first = User.objects.create_user(" Alice@Example.TEST ", "Alice")
    assert first.email == "alice@example.test"
    assert User.objects.get_by_natural_key("ALICE@example.test") == first
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ALICE@example.test", name="Another")
    assert not first.has_usable_password()


@pytest.mark.django_db
def test_nobody_signs_up(client: Client) -> None:
    client.post(
        "/accounts/signup/",
        {
            "email": "mallory@example.test",
            "password1": "correct horse battery staple",
            "password2": "correct horse battery staple",
        },
    )
    assert not User.objects.exists()


@pytest.mark.django_db
def test_roles_of_the_installation_are_given_by_name() -> None:
    assert [actor_for(with_role(role), at=NOW).roles for role in (Role.LIST_MANAGER, Role.ADMINISTRATOR)] == [
        {Role.LIST_MANAGER},
        {Role.ADMINISTRATOR},
    ]
