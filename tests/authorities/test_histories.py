"""Whoever changes in the back office what people's dates or decisions hang on leaves an entry in the audit log: which
office hears the appeals of which, offices and their people, calendars, clock policies, accounts, companies."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from uuid_utils.compat import uuid7

from accounts.admin import RecordedAdmin
from accounts.models import RoleAssignment, User
from accounts.roles import Role
from approvals.models import HearingOffice
from audit import setup, verification
from audit.models import Entry, SetupHistory
from authorities import calendars, policies
from authorities.admin import EnactedAdmin
from authorities.models import CalendarYear, ClockPolicy, Posting
from companies.models import Company
from tests.factories import CompanyFactory, OfficeFactory, UserFactory, with_role

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

    found = list(setup.entries(haidian))
    assert [(entry.verb, entry.data.get("code")) for entry in found] == [
        ("office.heard_by", "PD"),
        ("office.heard_by", "SZ"),
        ("office.heard_by_none", None),
    ]
    assert {(entry.actor_id, entry.actor_role) for entry in found} == {(ada.pk, "administrator")}
    assert not setup.entries(pudong).exists()
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
        assert [entry.verb for entry in setup.entries(office)] == ["office.heard_by_none"]


def test_what_is_refused_leaves_no_entry(back_office: Client) -> None:
    haidian = OfficeFactory.create(code="HD")
    answer = back_office.post(
        reverse("admin:approvals_hearingoffice_add"), {"office": haidian.pk, "heard_by": haidian.pk}
    )
    assert "does not hear appeals against its own decisions" in answer.content.decode()
    assert not setup.entries(haidian).exists()


# ── everything else that is set up ──────────────────────────────────────────────────────────────────────────────────


def sent(client: Client, address: str, **changed: Any) -> None:
    """Save a form of the back office as it is shown, but for `changed`."""
    page = client.get(address)
    shown = page.context["adminform"].form
    values = {name: shown[name].value() for name in shown.fields}
    for inline in page.context["inline_admin_formsets"]:
        values |= {f"{inline.formset.prefix}-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
        for one in inline.formset.initial_forms:
            values |= {one.add_prefix(name): one[name].value() for name in one.fields}
        many = len(inline.formset.initial_forms)
        values |= {f"{inline.formset.prefix}-{name}": many for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answer = client.post(address, _split(shown, page, values) | changed)
    assert answer.status_code == 302, _problems(answer)


def _split(form: Any, page: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Moments are sent as a day and a time; what is empty is sent empty, and a box that is not ticked not at all."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if hasattr(value, "hour"):
            local = timezone.localtime(value)
            found |= {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M:%S}"}
        elif isinstance(value, list):
            found[name] = ",".join(str(one) for one in value)
        elif value is not False:
            found[name] = "" if value is None else value
    return found


def _problems(answer: Any) -> Any:
    return answer.context and [answer.context["errors"]]


def said(subject: Model) -> list[str]:
    return [entry.in_words() for entry in setup.entries(subject)]


def test_an_office_that_is_renamed_says_who_did_it_and_what_it_was_called(back_office: Client, ada: User) -> None:
    office = OfficeFactory.create(code="HD", name_en="Haidian office", city="Beijing")
    change = reverse("admin:authorities_office_change", args=[office.pk])
    sent(back_office, change)
    assert not setup.entries(office).exists()

    sent(back_office, change, name_en="Zhongguancun office", return_after_days="7")

    [entry] = setup.entries(office)
    assert (entry.verb, entry.actor_id, entry.actor_role) == ("setup.change", ada.pk, "administrator")
    assert entry.data["fields"] == {
        "name_en": ["Haidian office", "Zhongguancun office"],
        "return_after_days": [5, 7],
    }
    words = (
        "office: changed. name in English: Zhongguancun office (before: Haidian office); "
        "cases go back after: 7 (before: 5)"
    )
    assert said(office) == [words]
    assert f"{words} Ada Admin" in back_office.get(change).content.decode()
    with translation.override("zh-hans"):
        assert said(office)[0].startswith("办公室：已更改。")
    assert verification.verify().first_break is None


def test_who_heads_an_office_is_recorded_with_the_office_wherever_it_is_entered(back_office: Client) -> None:
    office = OfficeFactory.create(code="HD")
    hua = UserFactory.create(name="Hua Head")
    now = timezone.localtime()
    posting = {"user": hua.pk, "role": "head", "number": "0001", "ends_at_0": "", "ends_at_1": ""}
    starts = {"starts_at_0": f"{now:%Y-%m-%d}", "starts_at_1": "00:00:00"}
    add = reverse("admin:authorities_posting_add")
    assert back_office.post(add, posting | starts | {"office": office.pk}).status_code == 302
    row = Posting.objects.get()
    change = reverse("admin:authorities_office_change", args=[office.pk])
    sent(back_office, change, **{"postings-0-number": "0002"})

    added, changed = setup.entries(office)
    assert (added.verb, added.data["of"], added.data["row"]) == ("setup.add", "authorities.posting", row.pk)
    assert (added.data["fields"]["user"], added.data["fields"]["role"]) == ([None, hua.pk], [None, "head"])
    assert (changed.verb, changed.data["row"]) == ("setup.change", row.pk)
    assert changed.data["fields"] == {"number": ["0001", "0002"]}
    assert "role: Head of office" in said(office)[0]


def test_of_an_account_only_what_it_may_do_is_recorded_not_whose_it_is(back_office: Client) -> None:
    ben = UserFactory.create(name="Ben", email="ben@example.test")
    change = reverse("admin:accounts_user_change", args=[ben.pk])
    sent(back_office, change, name="Benjamin", is_staff="on")

    [entry] = setup.entries(ben)
    assert (entry.data["fields"], entry.data["withheld"]) == ({"is_staff": [False, True]}, ["name"])
    assert "Ben" not in str(entry.data)

    day = f"{timezone.localtime():%Y-%m-%d}"
    role = {"user": ben.pk, "role": "auditor", "starts_at_0": day, "starts_at_1": "00:00", "ends_at_0": ""}
    add = reverse("admin:accounts_roleassignment_add")
    assert back_office.post(add, role | {"ends_at_1": ""}).status_code == 302
    assert RoleAssignment.objects.filter(user=ben).count() == 1
    assert [entry.data["of"] for entry in setup.entries(ben)] == ["accounts.user", "accounts.roleassignment"]
    assert "Ben" not in "".join(str(entry.data) for entry in setup.entries(ben))


def test_which_office_decides_for_a_company_is_recorded(back_office: Client) -> None:
    company: Company = CompanyFactory.create()
    was, pudong = company.office, OfficeFactory.create(code="PD", name_en="Pudong office")
    sent(back_office, reverse("admin:companies_company_change", args=[company.pk]), office=pudong.pk)
    [entry] = setup.entries(company)
    assert entry.data["fields"] == {"office": [was.pk, pudong.pk]}
    assert f"office: Pudong office (before: {was.name_en})" in said(company)[0]


def test_a_clock_policy_says_who_drafted_changed_and_published_it(back_office: Client, ada: User) -> None:
    office = OfficeFactory.create(code="HD")
    begins = timezone.localtime() + timedelta(days=3)
    given = {
        "office": office.pk,
        "note": "Summer",
        "effective_from_0": f"{begins:%Y-%m-%d}",
        "effective_from_1": "0:00",
    }
    assert back_office.post(reverse("admin:authorities_clockpolicy_add"), given).status_code == 302
    row = ClockPolicy.objects.get(office=office)
    assert [entry.verb for entry in setup.entries(row)] == ["setup.add"]

    line = list(row.lines.order_by("id")).index(row.lines.get(kind="company"))
    change = reverse("admin:authorities_clockpolicy_change", args=[row.pk])
    sent(back_office, change, **{f"lines-{line}-days": "4"})
    [_added, changed] = setup.entries(row)
    assert (changed.data["of"], changed.data["fields"]) == ("authorities.clockpolicyline", {"days": [3, 4]})

    chosen = {"action": "publish", "_selected_action": [row.pk]}
    assert back_office.post(reverse("admin:authorities_clockpolicy_changelist"), chosen).status_code == 302
    assert ClockPolicy.objects.get(pk=row.pk).published_at is not None
    entry = setup.entries(row).latest("sequence")
    assert (entry.verb, entry.actor_id, {*entry.data["fields"]}) == ("setup.in_force", ada.pk, {"published_at"})
    assert policies.get(row.pk).lines["company", ""].days == 4
    assert verification.verify().first_break is None


def test_a_calendar_says_who_drafted_it_changed_a_day_and_brought_it_into_force(back_office: Client, ada: User) -> None:
    office = OfficeFactory.create(code="HD")
    drafted = {"office": office.pk, "year": "2031", "source": "Notice 1"}
    assert back_office.post(reverse("admin:authorities_calendaryear_add"), drafted).status_code == 302
    row = CalendarYear.objects.get(office=office)
    day = row.days.order_by("day").first()
    assert day is not None
    change = reverse("admin:authorities_calendaryear_change", args=[row.pk])
    sent(back_office, change, **{"days-0-name_en": "A day of its own", "days-0-is_working": ""})
    publish = {"action": "publish", "_selected_action": [row.pk]}
    listed = reverse("admin:authorities_calendaryear_changelist")
    # Who worked on it cannot: nothing is recorded of what was refused.
    back_office.post(listed, publish)
    assert [entry.verb for entry in setup.entries(row)] == ["setup.add", "setup.change"]
    assert setup.entries(row).latest("sequence").data["fields"]["name_en"][1] == "A day of its own"

    row.authors.clear()
    back_office.post(listed, publish)
    entry = setup.entries(row).latest("sequence")
    assert (entry.verb, entry.actor_id) == ("setup.in_force", ada.pk)
    assert entry.data["fields"]["status"] == ["draft", "published"]

    assert back_office.post(listed, {"action": "correct", "_selected_action": [row.pk]}).status_code == 302
    made = CalendarYear.objects.get(office=office, version=2)
    assert [entry.verb for entry in setup.entries(made)] == ["setup.add"]
    gone = reverse("admin:authorities_calendaryear_delete", args=[made.pk])
    assert back_office.post(gone, {"post": "yes"}).status_code == 302
    # The chain stays when what it was about is gone.
    history = SetupHistory.objects.get(subject=f"authorities.calendaryear:{made.pk}")
    assert [entry.verb for entry in Entry.objects.filter(chain=history.pk).order_by("sequence")] == [
        "setup.add",
        "setup.remove",
    ]
    assert calendars.load(office.pk).name_of(row.days.order_by("day")[0].day) == "A day of its own"
    assert verification.verify().first_break is None


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_chain_of_an_office_goes_on_as_it_was() -> None:
    join = import_module("authorities.migrations.0015_office_histories_join")
    before = MigrationLoader(None).project_state(
        [("authorities", "0014_articles_split"), ("audit", "0003_setup_history")]
    )
    owner, chain = connections["owner"], uuid7()
    with transaction.atomic("owner"):
        with owner.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE authorities_officehistory ON COMMIT DROP AS SELECT %s::uuid AS id, 3::bigint AS "
                "office_id, 2 AS chain_length, %s::bytea AS chain_head",
                [chain, b"h" * 32],
            )
        join.join(before.apps, owner.schema_editor())
        row = SetupHistory.objects.using("owner").get(pk=chain)
        assert (row.subject, row.chain_length, bytes(row.chain_head)) == ("authorities.office:3", 2, b"h" * 32)
        before.apps.get_model("authorities", "OfficeHistory").objects.using("owner").all().delete()
        join.part(before.apps, owner.schema_editor())
        with owner.cursor() as cursor:
            cursor.execute("SELECT id, office_id, chain_length, chain_head FROM authorities_officehistory")
            assert [(*found[:3], bytes(found[3])) for found in cursor.fetchall()] == [(chain, 3, 2, b"h" * 32)]
        assert not SetupHistory.objects.using("owner").filter(pk=chain).exists()


# Looked at only, or with verbs and entries of its own; rosters are kept by the companies themselves.
OTHERWISE = {
    "accounts.AccessEntry",
    "approvals.HearingOffice",
    "approvals.TravelRequest",
    "documents.SigningKey",
    "employees.Employee",
    "sensitivity.ListEntry",
    "sensitivity.ListVersion",
    "sensitivity.SensitivityList",
}


def test_whatever_can_be_changed_in_the_back_office_is_recorded() -> None:
    """What is registered later has to say how."""
    ours = {
        model._meta.label: type(found)
        for model, found in admin.site._registry.items()
        if apps.get_containing_app_config(type(found).__module__)
        and not type(found).__module__.startswith(("allauth.", "django"))
    }
    loose = {label for label, kind in ours.items() if not issubclass(kind, RecordedAdmin | EnactedAdmin)}
    assert loose == OTHERWISE
