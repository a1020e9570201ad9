"""The back office: drafts can be changed, what is in force can be looked at and replaced."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from authorities import calendars, policies
from authorities.models import CalendarYear, ClockPolicy, Office, Posting
from tests.factories.law import enacted_code, enacted_instrument

pytestmark = pytest.mark.django_db

MODELS = ["office", "posting", "legalinstrument", "reasoncode", "calendaryear", "clockpolicy"]


def administrator(name: str) -> Client:
    user = User.objects.create_user(f"{name.lower()}@example.test", name, language="en", is_staff=True)
    RoleAssignment.objects.create(user=user, role=Role.ADMINISTRATOR)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def back_office(db: None) -> Client:
    return administrator("Ada")


@pytest.fixture
def second_pair_of_eyes(db: None) -> Client:
    return administrator("Ben")


@pytest.fixture
def one_of_each(office: Office) -> dict[str, Any]:
    today = timezone.localdate()
    ruth = User.objects.create_user("ruth@example.test", "Ruth")
    instrument = enacted_instrument(published_on=today, effective_from=today)
    reason = enacted_code("D1", points_at="destination", instrument=instrument, active_from=today)
    return {
        "office": office,
        "posting": Posting.objects.create(user=ruth, office=office, role="reviewer", number="0417"),
        "legalinstrument": instrument,
        "reasoncode": reason,
        "calendaryear": CalendarYear.objects.get(office=None, year=2026),
        "clockpolicy": ClockPolicy.objects.get(),
    }


@pytest.mark.parametrize("name", MODELS)
def test_every_list_and_every_page_opens(back_office: Client, one_of_each: dict[str, Any], name: str) -> None:
    assert back_office.get(reverse(f"admin:authorities_{name}_changelist")).status_code == 200
    assert back_office.get(reverse(f"admin:authorities_{name}_changelist"), {"q": "1"}).status_code == 200
    assert back_office.get(reverse(f"admin:authorities_{name}_add")).status_code == 200
    page = back_office.get(reverse(f"admin:authorities_{name}_change", args=[one_of_each[name].pk]))
    assert page.status_code == 200


def test_the_postings_of_today(back_office: Client, one_of_each: dict[str, Any]) -> None:
    one_of_each["posting"].ends_at = timezone.now()
    one_of_each["posting"].save()
    page = back_office.get(reverse("admin:authorities_posting_changelist"))
    assert "0417" in page.content.decode()
    page = back_office.get(reverse("admin:authorities_posting_changelist"), {"in_force": "yes"})
    assert "0417" not in page.content.decode()


def act(client: Client, name: str, action: str, *rows: Any) -> str:
    url = reverse(f"admin:authorities_{name}_changelist")
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(url, data, follow=True).content.decode()


def test_a_calendar_from_the_first_draft_into_force(back_office: Client, second_pair_of_eyes: Client) -> None:
    add = reverse("admin:authorities_calendaryear_add")
    year = {"office": "", "year": "2027", "source": "Notice of 2026-11"}
    assert back_office.post(add, year).status_code == 302
    draft = CalendarYear.objects.get(office=None, year=2027, status="draft")
    assert (draft.version, draft.days.count()) == (2, len(calendars.from_library(2027)))
    page = reverse("admin:authorities_calendaryear_change", args=[draft.pk])
    form = {"source": "Notice", "days-TOTAL_FORMS": "1", "days-INITIAL_FORMS": "0", "days-0-calendar": draft.pk}
    refused = back_office.post(page, {**form, "days-0-day": "2028-01-04"})
    assert "This day is not in the year of the calendar." in refused.content.decode()
    assert back_office.post(page, {**form, "days-0-day": "2027-01-04", "days-0-name_zh": "元旦"}).status_code == 302
    refused_too = act(back_office, "calendaryear", "publish", draft)
    assert "You worked on this draft. Another person must compare it and publish it." in refused_too
    assert "1 came into force." in act(second_pair_of_eyes, "calendaryear", "publish", draft)
    draft.refresh_from_db()
    assert draft.published_by is not None
    assert draft.published_by.name == "Ben"
    calendars.forget()
    assert not calendars.load(None).is_working(date(2027, 1, 4))
    assert not calendars.load(None).is_provisional(date(2027, 1, 4))
    assert "in force already" in act(back_office, "calendaryear", "publish", draft)


def test_a_calendar_in_force_is_only_looked_at(back_office: Client) -> None:
    row = CalendarYear.objects.get(office=None, year=2026)
    page = reverse("admin:authorities_calendaryear_change", args=[row.pk])
    assert back_office.post(page, {"source": "changed"}).status_code == 403
    assert (
        back_office.post(reverse("admin:authorities_calendaryear_delete", args=[row.pk]), {"post": "yes"}).status_code
        == 403
    )
    row.refresh_from_db()
    assert row.source != "changed"
    assert "A draft was made:" in act(back_office, "calendaryear", "correct", row)
    assert CalendarYear.objects.get(office=None, year=2026, status="draft").version == 2


def test_a_provisional_year(back_office: Client) -> None:
    draft = calendars.draft(None, 2035, days=calendars.from_library(2035), source="by law")
    act(back_office, "calendaryear", "publish_provisional", draft)
    draft.refresh_from_db()
    assert draft.status == CalendarYear.Status.PROVISIONAL


def test_a_policy_from_the_first_draft_into_force(back_office: Client, office: Office) -> None:
    soon = timezone.localtime() + timedelta(days=2)
    form = {"office": office.pk, "effective_from_0": f"{soon:%Y-%m-%d}", "effective_from_1": "00:00:00", "note": "why"}
    assert back_office.post(reverse("admin:authorities_clockpolicy_add"), form).status_code == 302
    draft = ClockPolicy.objects.get(office=office)
    assert draft.missing() == []
    draft.lines.filter(kind="company").update(days=2)
    assert "1 came into force." in act(back_office, "clockpolicy", "publish", draft)
    policies.forget()
    assert policies.current(office.pk, soon).terms("company").days == 2
    page = reverse("admin:authorities_clockpolicy_change", args=[draft.pk])
    assert back_office.post(page, form).status_code == 403
    act(back_office, "clockpolicy", "revise", draft)
    assert ClockPolicy.objects.get(office=office, version=2).lines.get(kind="company").days == 2


def test_a_policy_that_leaves_a_clock_out_is_refused_with_its_name(back_office: Client) -> None:
    draft = policies.draft(None, effective_from=timezone.now() + timedelta(days=2))
    draft.lines.filter(kind="reply").delete()
    assert "Not in the policy: Reply to a proposed denial" in act(back_office, "clockpolicy", "publish", draft)
    draft.refresh_from_db()
    assert draft.is_draft


def test_a_posting_ends_and_is_not_deleted(back_office: Client, one_of_each: dict[str, Any]) -> None:
    posting = one_of_each["posting"]
    assert (
        back_office.post(reverse("admin:authorities_posting_delete", args=[posting.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert Posting.objects.filter(pk=posting.pk).exists()


def test_who_changes_a_draft_is_one_of_its_authors(back_office: Client, second_pair_of_eyes: Client) -> None:
    row = CalendarYear.objects.get(office=None, year=2027)
    act(back_office, "calendaryear", "correct", row)
    draft = CalendarYear.objects.get(office=None, year=2027, status="draft")
    form = {"source": "Notice", "days-TOTAL_FORMS": "0", "days-INITIAL_FORMS": "0"}
    page = reverse("admin:authorities_calendaryear_change", args=[draft.pk])
    assert second_pair_of_eyes.post(page, form).status_code == 302
    assert {author.name for author in draft.authors.all()} == {"Ada", "Ben"}
    assert "Another person must" in act(second_pair_of_eyes, "calendaryear", "publish", draft)
    assert "1 came into force." in act(administrator("Cleo"), "calendaryear", "publish", draft)


# ── a notice in a file ──────────────────────────────────────────────────────────────────────────────────────────────

NOTICE = "day,kind,name_zh\n2027-01-01,off,元旦\n2027-01-04,off,元旦\n2027-01-09,worked,\n"


@pytest.fixture
def draft_2027(db: None) -> CalendarYear:
    return calendars.draft(None, 2027, days=calendars.from_library(2027), source="by law")


def send(client: Client, row: CalendarYear, text: str) -> Any:
    file = SimpleUploadedFile("2027.csv", text.encode())
    address = reverse("admin:authorities_calendaryear_import_notice", args=[row.pk])
    return client.post(address, {"file": file, "source": "国办发明电〔2026〕9号"})


def test_a_notice_is_looked_at_line_by_line_and_then_taken_over(back_office: Client, draft_2027: CalendarYear) -> None:
    answer = send(back_office, draft_2027, NOTICE)
    shown = answer.content.decode()
    assert "2 days would change against what is in force." in shown
    assert "becomes a day off" in shown
    assert "becomes a working day" in shown
    assert "would become ordinary days: " in shown  # the days of law that this short notice forgets
    assert draft_2027.days.count() == len(calendars.from_library(2027))
    confirmed = answer.context["confirmed"]
    page = reverse("admin:authorities_calendaryear_import_notice", args=[draft_2027.pk])
    assert "3 days were taken over." in back_office.post(page, {"confirmed": confirmed}, follow=True).content.decode()
    draft_2027.refresh_from_db()
    assert draft_2027.source == "国办发明电〔2026〕9号"
    assert [(f"{day.day}", day.is_working, day.name_en) for day in draft_2027.days.all()] == [
        ("2027-01-01", False, "New Year's Day"),
        ("2027-01-04", False, "New Year's Day"),
        ("2027-01-09", True, "Working day in exchange"),
    ]
    assert [author.name for author in draft_2027.authors.all()] == ["Ada"]


def test_a_notice_with_one_bad_line_cannot_be_taken_over(back_office: Client, draft_2027: CalendarYear) -> None:
    answer = send(back_office, draft_2027, NOTICE + "2028-01-01,off,\n")
    shown = answer.content.decode()
    assert "1 line cannot be used. Correct the file and send it again." in shown
    assert "This day is not in the year of the calendar." in shown
    assert answer.context["confirmed"] == ""
    assert "The first line has to name the columns" in send(back_office, draft_2027, "a\n1\n").content.decode()


def test_what_was_looked_at_is_for_that_draft_and_not_to_be_forged(
    back_office: Client, draft_2027: CalendarYear
) -> None:
    confirmed = send(back_office, draft_2027, NOTICE).context["confirmed"]
    other = calendars.draft(None, 2027, days=[], source="another")
    for row, value in ((other, confirmed), (draft_2027, confirmed[:-3] + "xxx"), (draft_2027, "")):
        page = reverse("admin:authorities_calendaryear_import_notice", args=[row.pk])
        assert "too long ago" in back_office.post(page, {"confirmed": value}, follow=True).content.decode()
    assert other.days.count() == 0
    assert draft_2027.days.count() == len(calendars.from_library(2027))


def test_nothing_is_imported_into_what_is_in_force(back_office: Client, draft_2027: CalendarYear) -> None:
    confirmed = send(back_office, draft_2027, NOTICE).context["confirmed"]
    calendars.publish(draft_2027.pk, at=timezone.now())
    page = reverse("admin:authorities_calendaryear_import_notice", args=[draft_2027.pk])
    assert back_office.get(page).status_code == 403
    assert back_office.post(page, {"confirmed": confirmed}).status_code == 403


def test_a_year_is_exported_as_icalendar(back_office: Client) -> None:
    row = CalendarYear.objects.get(office=None, year=2026)
    answer = back_office.get(reverse("admin:authorities_calendaryear_export_notice", args=[row.pk]))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="working-days-national-2026-v1.ics"'
    assert "SUMMARY:Working day in exchange (worked)" in answer.content.decode()


# ── what a policy means ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_policy_is_previewed_beside_the_one_in_force(back_office: Client, office: Office) -> None:
    draft = policies.draft(office.pk, effective_from=timezone.now() + timedelta(days=2))
    draft.lines.filter(kind="decision", tier="fast").update(days=5)
    answer = back_office.get(reverse("admin:authorities_clockpolicy_preview", args=[draft.pk]))
    shown = {
        (one["then"].kind, one["then"].tier): (one["then"].days, one["now"].days, one["then"].due > one["now"].due)
        for one in answer.context["compared"]
    }
    assert shown["decision", "fast"] == (5, 3, True)
    assert shown["decision", "standard"] == (10, 10, False)
    assert shown["company", ""] == (3, 3, False)
    assert "A request submitted now would be due …" in answer.content.decode()
    assert "departure" not in {kind for kind, _tier in shown}
