"""Alice writes a request, page by page, with and without JavaScript. Nothing she types is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import AccessEntry
from accounts.roles import Role
from approvals import rules, timekeeping, workflow
from approvals.forms import applicant as forms
from approvals.models import Attachment, DraftInput, TravelRequest
from approvals.states import State, Tier
from audit.models import Entry
from employees.models import Employee
from notifications.models import OutboxEvent
from sensitivity.models import ListKind
from tests.approvals.parted import cleared_in_part
from tests.factories import (
    CompanyFactory,
    UserFactory,
    actor,
    draft,
    employ,
    entry_values,
    fill,
    list_in_force,
    officer_of,
    posted,
    with_role,
)
from tests.factories.people import OfficeFactory

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 200


def today() -> date:
    return timezone.localdate()


def leg(**values: str) -> dict[str, str]:
    """Rio, from 40 to 46 days from today."""
    first, last = today() + timedelta(days=40), today() + timedelta(days=46)
    return {
        "country": "BR",
        "city": "Rio de Janeiro",
        "arrives_on": first.isoformat(),
        "leaves_on": last.isoformat(),
        "host": "ICLR Foundation",
    } | values


def sent(*legs: Mapping[str, str]) -> dict[str, str]:
    """What the itinerary page sends for `legs`."""
    data = {"legs-INITIAL_FORMS": "0", "legs-TOTAL_FORMS": str(len(legs))}
    for index, one in enumerate(legs):
        data |= {f"legs-{index}-{name}": value for name, value in one.items()}
    return data


TRIP = {
    "title": "ICLR in Rio",
    "purpose": "conference",
    "description": "I present our paper on retrieval.",
    "event_name": "ICLR",
    "event_url": "https://iclr.example/2027",
}


@pytest.fixture
def alice() -> Employee:
    return employ("Alice Wang", CompanyFactory.create())


@pytest.fixture
def client(alice: Employee) -> Client:
    """Alice's browser."""
    browser = Client()
    assert alice.user is not None
    browser.force_login(alice.user)
    return browser


@pytest.fixture
def request_(alice: Employee) -> TravelRequest:
    """Alice's empty draft."""
    return draft(alice, at=timezone.now())


@pytest.fixture(autouse=True)
def attachments(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.STORAGES = settings.STORAGES | {
        "attachments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path, "base_url": None},
        }
    }
    # The field was given its storage when the model was made.
    storage = Attachment._meta.get_field("file").storage
    before = storage._location if hasattr(storage, "_location") else None
    storage._location = str(tmp_path)
    for name in ("base_location", "location"):
        storage.__dict__.pop(name, None)
    yield tmp_path
    storage._location = before
    for name in ("base_location", "location"):
        storage.__dict__.pop(name, None)


def page(request: TravelRequest, section: str) -> str:
    return reverse("request_section", args=[request.reference, section])


def send(client: Client, url: str, data: Mapping[str, str]) -> Any:
    """What a browser sends for a form without files."""
    return client.post(url, urlencode(data), content_type="application/x-www-form-urlencoded")


def text_of(response: Any) -> str:
    """What the page says, entities resolved."""
    return unescape(response.content.decode())


def again(request: TravelRequest) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=request.pk)


def everything(request: TravelRequest) -> tuple[Any, ...]:
    """All that could have moved."""
    row = TravelRequest.unscoped.filter(pk=request.pk).values().get()
    return (
        row,
        list(request.legs.order_by("position").values()),
        list(DraftInput.objects.filter(request=request).values()),
        list(Attachment.unscoped.filter(request=request).values()),
        list(request.clocks.values()),
        Entry.objects.count(),
        OutboxEvent.objects.count(),
    )


def full(alice: Employee, **values: Any) -> TravelRequest:
    """Alice's draft with everything that a submission needs."""
    at = timezone.now()
    first = today() + timedelta(days=40)
    legs = [
        {"country": "BR", "city": "Rio", "arrives_on": first, "leaves_on": first + timedelta(days=6), "host": "ICLR"}
    ]
    return fill(draft(alice, at=at), at=at, legs=values.pop("legs", legs), **values)


# ── begin ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alice_begins_a_request(client: Client, alice: Employee) -> None:
    assert "Begin" in text_of(client.get("/requests/new/"))
    assert TravelRequest.unscoped.count() == 0  # looking at the page begins nothing

    answer = client.post("/requests/new/")

    (request,) = TravelRequest.unscoped.all()
    assert (request.applicant_id, request.state) == (alice.pk, State.DRAFT)
    assert answer["Location"] == reverse("request_edit", args=[request.reference])


def test_with_two_employments_she_chooses(client: Client, alice: Employee) -> None:
    other = employ("Alice Wang", CompanyFactory.create(name_en="Nanhu Models"), user=alice.user)

    assert "Which company do you travel for?" in text_of(client.get("/requests/new/"))
    assert "Choose the company." in text_of(client.post("/requests/new/"))
    assert "Choose one of your employments." in text_of(client.post("/requests/new/", {"employment": "999999"}))
    assert TravelRequest.unscoped.count() == 0
    client.post("/requests/new/", {"employment": str(other.pk)})
    assert TravelRequest.unscoped.get().applicant_id == other.pk


def test_a_former_employee_is_told_why_not(client: Client, alice: Employee) -> None:
    Employee.unscoped.filter(pk=alice.pk).update(employed_until=today() - timedelta(days=1))

    assert "You cannot begin a request" in text_of(client.get("/requests/new/"))
    client.post("/requests/new/")
    assert TravelRequest.unscoped.count() == 0


# ── the whole path, as a browser without JavaScript walks it ────────────────────────────────────────────────────────


def test_the_whole_path_without_javascript(client: Client) -> None:
    client.post("/requests/new/")
    request = TravelRequest.unscoped.get()

    steps = [
        ("trip", TRIP, "itinerary"),
        ("itinerary", sent(leg()), "topics"),
        ("topics", {"topics": ["cs.IR", "cs.CL"], "materials": "Slides", "devices": ["travel_laptop"]}, "documents"),
    ]
    for section, data, after in steps:
        answer = client.post(page(request, section), data)
        assert answer["Location"] == page(request, after), text_of(answer)
    invitation = SimpleUploadedFile("invitation.pdf", PDF)
    answer = client.post(page(request, "documents"), {"kind": "invitation", "file": invitation}, follow=True)
    assert "1 document was added." in text_of(answer)
    everything_declared = {"declarations": [code for code, _text in rules.DECLARATIONS]}
    answer = client.post(page(request, "declarations"), everything_declared)
    check = reverse("request_check", args=[request.reference])
    assert answer["Location"] == check
    shown = text_of(client.get(check))
    for words in (
        "ICLR in Rio",
        "Rio de Janeiro, Brazil",
        "Information retrieval",
        "invitation.pdf",
        "Submit the request",
    ):
        assert words in shown

    answer = client.post(check)

    receipt = reverse("request_submitted", args=[request.reference])
    assert answer["Location"] == receipt
    request = again(request)
    assert request.state == State.COMPANY_REVIEW
    assert request.revision is not None
    assert sorted(request.revision.content["topics"]) == ["cs.CL", "cs.IR"]
    assert [file["name"] for file in request.revision.content["attachments"]] == ["invitation.pdf"]
    shown = text_of(client.get(receipt))
    assert f"<strong>{request.reference}</strong>" in shown
    assert "A compliance officer of Beichen Intelligence looks at it by" in shown
    assert "You need do nothing." in shown


def test_the_task_list_says_what_is_left(client: Client, request_: TravelRequest) -> None:
    edit = reverse("request_edit", args=[request_.reference])

    def statuses() -> list[str]:
        found = re.findall(r'class="task-status"[^>]*>.*?</svg>([^<]+)</span>', text_of(client.get(edit)), re.S)
        return [words.strip() for words in found]

    assert statuses() == ["To do", "To do", "Optional", "Optional", "To do"]
    client.post(page(request_, "trip"), {"title": "ICLR"})
    client.post(page(request_, "itinerary"), sent(leg(country="XX")))
    assert statuses() == ["Not complete", "To be corrected", "Optional", "Optional", "To do"]
    client.post(page(request_, "trip"), TRIP)
    client.post(page(request_, "itinerary"), sent(leg()))
    assert statuses() == ["Done", "Done", "To do", "Optional", "To do"]  # a conference needs a subject


# ── autosave ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_autosave_keeps_what_is_valid(client: Client, request_: TravelRequest) -> None:
    answer = client.post(page(request_, "trip"), {"title": "ICLR in R"}, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert again(request_).title == "ICLR in R"
    assert not DraftInput.objects.exists()
    shown = text_of(client.get(page(request_, "trip")))
    assert 'value="ICLR in R"' in shown
    assert "There is a problem" not in shown  # she is still writing: what is empty is not yet a mistake


def test_autosave_keeps_what_is_not_valid_yet(client: Client, request_: TravelRequest) -> None:
    half = leg(arrives_on="", leaves_on="")

    assert client.post(page(request_, "itinerary"), sent(half), headers={"HX-Request": "true"}).status_code == 204

    assert again(request_).legs.count() == 0
    shown = text_of(client.get(page(request_, "itinerary")))
    assert 'value="Rio de Janeiro"' in shown
    assert "Enter the first day." in shown
    client.post(page(request_, "itinerary"), sent(leg()), headers={"HX-Request": "true"})
    assert again(request_).legs.get().city == "Rio de Janeiro"
    assert not DraftInput.objects.exists()


def test_the_form_saves_itself_and_says_so(client: Client, request_: TravelRequest) -> None:
    shown = text_of(client.get(page(request_, "trip")))

    assert f'data-autosave data-keep hx-post="{page(request_, "trip")}"' in shown
    assert "data-autosave-status" in shown
    assert 'maxlength="' not in shown  # a browser would cut off silently what is pasted


def test_what_is_sent_after_the_session_ended_is_not_lost(client: Client, request_: TravelRequest) -> None:
    client.logout()
    before = everything(request_)
    assert client.post(page(request_, "trip"), TRIP, headers={"HX-Request": "true"}).status_code == 401

    answer = send(client, page(request_, "trip"), TRIP)

    assert answer["Location"].startswith(reverse("account_login"))
    assert everything(request_) == before
    user = request_.applicant.user
    assert user is not None
    signing_in = {"login": user.email, "password": "correct horse battery staple"}
    answer = client.post(answer["Location"], signing_in, follow=True)
    assert "What you had typed when your session ended is saved." in text_of(answer)
    assert again(request_).title == "ICLR in Rio"


def test_what_waits_in_a_session_is_given_to_nobody_else(client: Client, request_: TravelRequest) -> None:
    client.logout()
    send(client, page(request_, "trip"), TRIP)
    charlie = employ("Charlie Chen", CompanyFactory.create(name_en="Nanhu Models"))
    assert charlie.user is not None
    client.post(reverse("account_login"), {"login": charlie.user.email, "password": "correct horse battery staple"})

    assert client.get(page(request_, "trip")).status_code == 404
    assert again(request_).title == ""


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────────────────────


def day(offset: int) -> str:
    return (today() + timedelta(days=offset)).isoformat()


BAD = [
    ("itinerary", lambda: sent(leg(leaves_on=day(39))), "id_legs-0-leaves_on", "The last day is before the first."),
    ("itinerary", lambda: sent(leg(arrives_on=day(-1))), "id_legs-0-arrives_on", "This day has passed."),
    ("itinerary", lambda: sent(leg(country="XX")), "id_legs-0-country", "We do not know this country or region."),
    ("itinerary", lambda: sent(leg(country="CN")), "id_legs-0-country", "We do not know this country or region."),
    ("itinerary", lambda: sent(leg(leaves_on="9999-12-31")), "id_legs-0-leaves_on", "Check the year."),
    ("itinerary", lambda: sent(leg(arrives_on="next week")), "id_legs-0-arrives_on", "This is not a day."),
    ("itinerary", lambda: sent(leg(city="x" * 10_000)), "id_legs-0-city", "at most 100 characters"),
    ("itinerary", lambda: sent(leg(), leg(city="")), "id_legs-1-city", "Enter the city."),
    ("trip", lambda: TRIP | {"title": "x" * 10_000}, "id_title", "at most 200 characters (it has 10000)"),
    ("trip", lambda: TRIP | {"event_url": "not a page"}, "id_event_url", "This is not an address of a page."),
    ("trip", lambda: TRIP | {"purpose": "espionage"}, "id_purpose_0", "Choose one of the purposes of this list."),
    ("topics", lambda: {"topics": ["cs.XX"]}, "id_topics_0", "Choose subjects of this list."),
    ("topics", lambda: {"materials": "y" * 10_000}, "id_materials", "at most 4000 characters"),
]


@pytest.mark.parametrize(("section", "make", "target", "words"), BAD)
def test_bad_input_is_named_at_its_field_and_kept_as_typed(
    client: Client, request_: TravelRequest, section: str, make: Any, target: str, words: str
) -> None:
    data = make()
    before = everything(request_)

    answer = client.post(page(request_, section), data)

    assert answer.status_code == 200
    for shown in (text_of(answer), text_of(client.get(page(request_, section)))):  # at once, and whenever it is opened
        assert "There is a problem" in shown
        assert re.search(rf'<li><a href="#{target}">[^<]*{re.escape(words)}', shown), words
        assert f'id="{target}"' in shown
        for name, value in data.items():
            if isinstance(value, str) and name not in ("purpose", "legs-0-country", "legs-INITIAL_FORMS"):
                assert value in shown, name
    kept = DraftInput.objects.get(request=request_, section=section).data
    assert {name: value if isinstance(value, list) else [value] for name, value in data.items()} == kept
    now = everything(request_)
    assert now[:2] == before[:2]
    assert now[3:] == before[3:]
    # She cannot pass it by.
    check = reverse("request_check", args=[request_.reference])
    assert "What you typed here is kept, but not all of it can be used yet." in text_of(client.get(check))
    client.post(check)
    assert again(request_).state == State.DRAFT


@pytest.mark.parametrize("words", ["Rio 🏖️ 2027", "拜访䶮教授", "O'Neil <b>& Söhne</b>", "عربي"])
def test_any_script_is_kept_as_it_is(client: Client, request_: TravelRequest, words: str) -> None:
    client.post(page(request_, "trip"), TRIP | {"title": words})
    client.post(page(request_, "itinerary"), sent(leg(city=words)))

    assert again(request_).title == words
    assert again(request_).legs.get().city == words
    shown = client.get(reverse("request_check", args=[request_.reference])).content.decode()
    assert "<b>&" not in shown
    assert words in unescape(shown)


def test_a_nul_is_no_accident(client: Client, request_: TravelRequest) -> None:
    answer = client.post(page(request_, "trip"), TRIP | {"title": "a\x00b"})

    assert answer.status_code == 302
    assert again(request_).title == "ab"


def test_what_is_empty_is_asked_for_when_she_goes_on(client: Client, request_: TravelRequest) -> None:
    shown = text_of(client.post(page(request_, "trip"), {"title": " ", "description": ""}))

    for words in (
        "Say in a few words what the trip is for.",
        "Choose the purpose of the trip.",
        "Describe what you will",
    ):
        assert words in shown
    assert not DraftInput.objects.exists()  # empty is not wrong
    shown = text_of(client.post(page(request_, "itinerary"), sent(dict.fromkeys(leg(), ""))))
    assert '<a href="#legs-form-errors">Add at least one place that you travel to.' in shown
    # She may also leave it for later.
    later = client.post(page(request_, "trip"), {"title": "ICLR", "then": "later"})
    assert later["Location"] == reverse("request_edit", args=[request_.reference])


def test_the_problems_of_the_check_page_lead_to_their_fields(client: Client, request_: TravelRequest) -> None:
    shown = text_of(client.get(reverse("request_check", args=[request_.reference])))

    url = f"{page(request_, 'trip')}?check=1#id_purpose_0"
    assert f'<a href="{url}">The trip: Choose the purpose of the trip.' in shown
    opened = text_of(client.get(url))
    assert '<a href="#id_purpose_0">Purpose: Choose the purpose of the trip.' in opened
    answer = client.post(f"{page(request_, 'trip')}?check=1", TRIP)
    assert answer["Location"] == reverse("request_check", args=[request_.reference])


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_places_are_added_and_removed_without_javascript(client: Client, request_: TravelRequest) -> None:
    itinerary = page(request_, "itinerary")
    answer = client.post(itinerary, sent(leg()) | {"then": "add"})
    assert answer["Location"] == f"{itinerary}?places=2#id_legs-1-country"
    shown = text_of(client.get(answer["Location"]))
    assert "Place 2" in shown
    assert 'value="Rio de Janeiro"' in shown
    lima = leg(country="PE", city="Lima", arrives_on=day(47), leaves_on=day(49))
    assert client.post(itinerary, sent(leg(), lima)).status_code == 302
    assert [one.city for one in request_.legs.order_by("position")] == ["Rio de Janeiro", "Lima"]

    answer = client.post(itinerary, sent(leg(), lima) | {"then": "remove-0"})

    assert [(one.position, one.city) for one in request_.legs.all()] == [(0, "Lima")]
    assert "Place 2" not in text_of(client.get(answer["Location"]))


def test_a_wrong_place_is_removed_with_its_mistake(client: Client, request_: TravelRequest) -> None:
    itinerary = page(request_, "itinerary")
    client.post(itinerary, sent(leg(country="XX", city="Nowhere"), leg()))
    client.post(itinerary, sent(leg(country="XX", city="Nowhere"), leg()) | {"then": "remove-0"})

    assert [one.city for one in request_.legs.all()] == ["Rio de Janeiro"]
    assert "There is a problem" not in text_of(client.get(itinerary))


@pytest.mark.parametrize("then", ["remove-7", "remove--1", "remove-x", "remove-²", "add"])
def test_odd_wishes_about_places_lose_nothing(client: Client, request_: TravelRequest, then: str) -> None:
    assert client.post(page(request_, "itinerary"), sent(leg()) | {"then": then}).status_code in (200, 302)
    assert request_.legs.get().city == "Rio de Janeiro"


@pytest.mark.parametrize("wanted", ["-1", "9999", "x", "²", "20"])
def test_the_address_cannot_ask_for_more_places_than_there_are(
    client: Client, request_: TravelRequest, wanted: str
) -> None:
    shown = text_of(client.get(f"{page(request_, 'itinerary')}?places={wanted}"))
    assert f"Place {rules.MAX_LEGS + 1}" not in shown
    assert "Place 1" in shown


def test_a_trip_has_at_most_twenty_places(client: Client, request_: TravelRequest) -> None:
    twenty_one = [
        leg(city=f"City {n}", arrives_on=day(40 + 2 * n), leaves_on=day(41 + 2 * n)) for n in range(rules.MAX_LEGS + 1)
    ]
    shown = text_of(client.post(page(request_, "itinerary"), sent(*twenty_one)))

    assert "at most 20" in shown
    assert "City 20" in shown
    assert request_.legs.count() == 0
    assert client.post(page(request_, "itinerary"), sent(*twenty_one[:20])).status_code == 302
    assert request_.legs.count() == 20


@pytest.mark.parametrize("total", ["", "x", "-1", "99999999999", "1000"])
def test_a_forged_number_of_places_is_no_accident(client: Client, request_: TravelRequest, total: str) -> None:
    data = sent(leg()) | {"legs-TOTAL_FORMS": total}
    assert client.post(page(request_, "itinerary"), data).status_code in (200, 302)
    assert client.get(page(request_, "itinerary")).status_code == 200


def test_countries_are_named_in_the_reader_s_language(client: Client, request_: TravelRequest) -> None:
    assert ">Brazil</option>" in text_of(client.get(page(request_, "itinerary")))
    user = request_.applicant.user
    assert user is not None
    user.language = "zh-hans"
    user.save()
    shown = text_of(client.get(page(request_, "itinerary")))
    assert ">巴西</option>" in shown
    # As they are pronounced: Albania, Brazil, Egypt.
    with translation.override("zh-hans"):
        names = [str(name) for code, name in forms.country_choices() if code in ("AL", "BR", "MY")]
    assert names == ["阿尔巴尼亚", "巴西", "马来西亚"]


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("talk.pdf", EXE, "talk.pdf: By its content this is not a PDF, an image or an Office file"),
        ("empty.pdf", b"", "empty.pdf: The file is empty."),
        ("large.pdf", PDF + b"0" * (21 * 1024**2 - len(PDF)), "large.pdf: The file has 21 MB; the most is 20 MB."),
    ],
)
def test_a_bad_file_is_named_and_the_good_one_is_kept(
    client: Client, request_: TravelRequest, name: str, content: bytes, words: str
) -> None:
    good, bad = SimpleUploadedFile("programme.pdf", PDF), SimpleUploadedFile(name, content)

    answer = client.post(page(request_, "documents"), {"kind": "programme", "file": [good, bad]})

    shown = text_of(answer)
    assert answer.status_code == 200
    assert re.search(rf'<a href="#id_file">[^<]*{re.escape(words)}', shown)
    assert [(one.name, one.kind) for one in Attachment.unscoped.all()] == [("programme.pdf", "programme")]
    assert "programme.pdf</a>" in shown


def test_an_upload_far_beyond_the_limit_is_not_stored_and_answered_by_our_page(
    client: Client, request_: TravelRequest, settings: Any, attachments: Path
) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024**2
    huge = SimpleUploadedFile("huge.pdf", PDF + b"0" * (4 * 1024**2))

    answer = client.post(page(request_, "documents"), {"kind": "other", "file": huge})

    assert answer.status_code == 200
    assert "huge.pdf: the file is much larger than 1 MB, the most." in text_of(answer)
    assert list(attachments.iterdir()) == []


def test_nothing_chosen_is_said(client: Client, request_: TravelRequest) -> None:
    assert "Choose at least one file." in text_of(client.post(page(request_, "documents"), {"kind": "other"}))


def test_adding_documents_needs_the_token(alice: Employee, request_: TravelRequest) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert alice.user is not None
    strict.force_login(alice.user)
    answer = strict.post(page(request_, "documents"), {"kind": "other", "file": SimpleUploadedFile("a.pdf", PDF)})
    assert answer.status_code == 403
    assert not Attachment.unscoped.exists()


def test_a_document_is_removed_after_being_asked(client: Client, request_: TravelRequest) -> None:
    client.post(page(request_, "documents"), {"kind": "other", "file": SimpleUploadedFile("a.pdf", PDF)})
    document = Attachment.unscoped.get()
    remove = reverse("attachment_remove", args=[request_.reference, document.pk])

    assert "Remove this document?" in text_of(client.get(remove))
    assert Attachment.unscoped.get().removed_at is None
    client.post(remove)
    assert Attachment.unscoped.get().removed_at is not None
    assert client.get(reverse("attachment", args=[request_.reference, document.pk])).status_code == 404
    assert client.post(remove).status_code == 404


def test_a_document_is_handed_out_to_be_saved_never_shown(client: Client, request_: TravelRequest) -> None:
    client.post(page(request_, "documents"), {"kind": "other", "file": SimpleUploadedFile("邀请函.pdf", PDF)})
    document = Attachment.unscoped.get()

    answer = client.get(reverse("attachment", args=[request_.reference, document.pk]))

    assert b"".join(answer.streaming_content) == PDF  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "private, no-store"
    assert not AccessEntry.objects.exists()  # it is her own


def test_who_fetches_a_document_is_noted(client: Client, alice: Employee) -> None:
    request = full(alice)
    client.post(page(request, "documents"), {"kind": "other", "file": SimpleUploadedFile("a.pdf", PDF)})
    declared = {"declarations": [code for code, _text in rules.DECLARATIONS]}
    client.post(page(request, "declarations"), declared)
    client.post(reverse("request_check", args=[request.reference]))
    document = reverse("attachment", args=[request.reference, Attachment.unscoped.get().pk])
    olivia, charlie = Client(), Client()
    officer = officer_of(alice.company)
    olivia.force_login(officer)
    charlie.force_login(officer_of(CompanyFactory.create(name_en="Nanhu Models"), "Charlie Chen"))

    assert olivia.get(document).status_code == 200
    assert charlie.get(document).status_code == 404

    (entry,) = AccessEntry.objects.filter(subject=request.pk)
    assert (entry.user_id, entry.role, entry.page) == (officer.pk, Role.OFFICER, "attachment")


# ── check and submit ────────────────────────────────────────────────────────────────────────────────────────────────


def published(kind: ListKind, code: str, level: int) -> None:
    names = {"label_zh": "信息检索", "label_en": "Retrieval at scale"}
    list_in_force(kind, entry_values(code, level, **names), at=timezone.now(), name_en="Technology list")


def test_the_check_page_says_what_will_happen(client: Client, alice: Employee) -> None:
    published(ListKind.TECHNOLOGY, "cs.IR", 2)
    request = full(alice)
    forecast = timekeeping.forecast(request.as_of(timezone.now()), tier=Tier.HEIGHTENED, at=timezone.now())

    shown = text_of(client.get(reverse("request_check", args=[request.reference])))

    for words in (
        "A compliance officer of Beichen Intelligence looks at it first, then Haidian office.",
        "One reviewer proposes a decision, a senior reviewer confirms it.",
        "Heightened",
        "Retrieval at scale",
        "Technology list, version 1",
        "Needs a look.",
        "Measures on sensitivity lists, Article 9",
        "Touched by",
        "Information retrieval",
        f'<time datetime="{forecast.company_by}">',
        f'<time datetime="{forecast.decision_by}">',
        "The decision is due before you leave.",
    ):
        assert words in shown, words
    assert alice.user is not None
    alice.user.language = "zh-hans"
    alice.user.save()
    shown = text_of(client.get(reverse("request_check", args=[request.reference])))
    assert "信息检索" in shown
    assert "需要评估。" in shown
    assert "Needs a look." not in shown


def test_the_check_page_warns_when_it_may_be_too_late(client: Client, alice: Employee) -> None:
    soon = [{"country": "BR", "city": "Rio", "arrives_on": today(), "leaves_on": today() + timedelta(days=2)}]
    request = full(alice, legs=soon)

    shown = text_of(client.get(reverse("request_check", args=[request.reference])))

    assert "This may be too late" in shown
    assert "Submit the request" in shown  # a warning, not a refusal


def test_an_urgent_trip_skips_the_company(client: Client, alice: Employee) -> None:
    request = full(alice, purpose="urgent_humanitarian", topics=[])

    shown = text_of(client.get(reverse("request_check", args=[request.reference])))

    assert "It is urgent: it goes to Haidian office at once." in shown
    assert "The company by" not in shown
    client.post(reverse("request_check", args=[request.reference]))
    assert again(request).state == State.AUTHORITY_REVIEW


def test_a_trip_that_overlaps_another_names_it(client: Client, alice: Employee) -> None:
    first = full(alice, title="Family in Lima")
    assert alice.user is not None
    workflow.submit(first.pk, actor=actor(alice.user, timezone.now()), at=timezone.now())
    # The second trip begins before the first and ends after it.
    span = [
        {
            "country": "BR",
            "city": "Rio",
            "arrives_on": today() + timedelta(days=30),
            "leaves_on": today() + timedelta(days=60),
        }
    ]
    second = full(alice, legs=span)
    check = reverse("request_check", args=[second.reference])
    before = everything(second)

    for shown in (text_of(client.get(check)), text_of(client.post(check))):
        assert f"These days overlap your trip {first.reference} “Family in Lima”" in shown
    assert everything(second) == before
    shown = text_of(client.post(page(second, "itinerary"), sent(leg(arrives_on=day(30), leaves_on=day(60)))))
    assert f"These days overlap your trip {first.reference}" in shown


def test_what_is_submitted_cannot_be_written_in(client: Client, alice: Employee) -> None:
    request = full(alice)
    client.post(reverse("request_check", args=[request.reference]))
    before = everything(request)

    answer = client.post(page(request, "trip"), TRIP, follow=True)
    assert "The request is submitted and cannot be changed now." in text_of(answer)
    assert client.post(page(request, "trip"), TRIP, headers={"HX-Request": "true"}).status_code == 409
    assert client.post(reverse("request_check", args=[request.reference])).status_code == 302
    client.post(page(request, "documents"), {"kind": "other", "file": SimpleUploadedFile("a.pdf", PDF)})
    assert everything(request) == before


def test_a_returned_request_shows_what_to_change_and_is_submitted_again(client: Client, alice: Employee) -> None:
    request = full(alice)
    client.post(reverse("request_check", args=[request.reference]))
    officer = officer_of(alice.company)
    at = timezone.now()
    workflow.return_for_changes(request.pk, actor=actor(officer, at), at=at, comment="Add the programme.")

    for where in ("request", "request_edit"):
        shown = text_of(client.get(reverse(where, args=[request.reference])))
        _before, _heading, after = shown.partition("Your company asks for changes</h2>")
        assert "Add the programme." in after[:100], where
    client.post(page(request, "trip"), TRIP | {"title": "ICLR 2027 in Rio"})
    client.post(page(request, "declarations"), {"declarations": [code for code, _text in rules.DECLARATIONS]})
    client.post(reverse("request_check", args=[request.reference]))
    assert (again(request).state, again(request).revision_number) == (State.COMPANY_REVIEW, 2)


# ── scope ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_else_can_open_or_write_a_draft(alice: Employee, attachments: Path) -> None:
    request = full(alice)
    before = everything(request)
    office = alice.company.office
    others = [
        employ("Bob Li", alice.company).user,
        employ("Charlie Chen", CompanyFactory.create(name_en="Nanhu Models")).user,
        officer_of(alice.company),
        posted(office, Role.REVIEWER, "4001"),
        posted(OfficeFactory.create(code="CY"), Role.SENIOR, "9001"),
        with_role(Role.ADMINISTRATOR),
        with_role(Role.AUDITOR),
    ]
    reference = [request.reference]
    pages = [
        reverse(name, args=reference) for name in ("request_edit", "request_check", "request_submitted", "request")
    ]
    pages += [page(request, section) for section in ("trip", "itinerary", "topics", "documents", "declarations")]
    for person in others:
        browser = Client()
        assert person is not None
        browser.force_login(person)
        for url in pages:
            assert browser.get(url).status_code == 404, (person, url)
            assert browser.post(url, TRIP | sent(leg())).status_code in (404, 405), (person, url)
            assert browser.post(url, TRIP, headers={"HX-Request": "true"}).status_code in (404, 405), (person, url)
    assert everything(request) == before
    assert not AccessEntry.objects.exists()


def test_every_page_asks_to_sign_in(request_: TravelRequest) -> None:
    for url in (
        "/",
        "/requests/",
        "/requests/new/",
        reverse("request", args=[request_.reference]),
        page(request_, "trip"),
    ):
        assert Client().get(url)["Location"].startswith(reverse("account_login")), url


@pytest.mark.parametrize("reference", ["AAAA-AAAA-A", "nonsense", "🏖️", "x" * 500])
def test_what_is_no_number_is_not_found(client: Client, alice: Employee, reference: str) -> None:
    for name in ("request", "request_edit", "request_check", "request_submitted"):
        assert client.get(reverse(name, args=[reference])).status_code == 404


# ── the list and the first page ─────────────────────────────────────────────────────────────────────────────────────


def test_my_requests_open_ones_first_and_in_pages(
    client: Client, alice: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert alice.user is not None
    assert "No requests yet" in text_of(client.get("/requests/"))
    made = [draft(alice, at=timezone.now()) for _n in range(5)]
    for gone in (made[4], made[2]):
        workflow.withdraw(gone.pk, actor=actor(alice.user, timezone.now()), at=timezone.now())
    order = [made[n].reference for n in (3, 1, 0, 4, 2)]
    monkeypatch.setattr("approvals.views.request_page.PAGE", 2)

    def numbers(response: Any) -> list[str]:
        return re.findall(r'data-label="Number">([^<]+)<', text_of(response))

    seen, url, pages = [], "/requests/", []
    while url:
        response = client.get(url)
        pages.append(numbers(response))
        seen += pages[-1]
        following = re.search(r'rel="next" href="([^"]+)"', text_of(response))
        url = f"/requests/{following[1]}" if following else ""
    assert seen == order
    back = re.search(r'rel="prev" href="([^"]+)"', text_of(response))
    assert back is not None
    assert numbers(client.get(f"/requests/{back[1]}")) == pages[1]
    for odd in ("?after=x", "?after=0.x", "?before=7.1", "?after=²"):
        assert client.get(f"/requests/{odd}").status_code == 200


def test_the_list_shows_nobody_else_s(client: Client, alice: Employee) -> None:
    assert alice.user is not None
    officer_of(alice.company, user=alice.user)  # she sees her colleagues' requests, but not in this list
    bob = employ("Bob Li", alice.company)
    theirs = full(bob)
    assert bob.user is not None
    workflow.submit(theirs.pk, actor=actor(bob.user, timezone.now()), at=timezone.now())

    assert theirs.reference not in text_of(client.get("/requests/"))
    assert theirs.reference not in text_of(client.get("/"))


def test_my_requests_show_what_was_cleared_where_a_part_was() -> None:
    cast, alice = cleared_in_part(), Client()
    assert cast.applicant.user is not None
    alice.force_login(cast.applicant.user)
    shown = re.sub("<[^>]+>", "", text_of(alice.get("/requests/")))
    assert "23 April 2026 – 25 April 2026" in shown
    assert "Brazil" in shown
    assert "Portugal" not in shown


@pytest.mark.parametrize("url", ["/requests/", "/"])
def test_one_and_three_rows_cost_the_same(client: Client, alice: Employee, url: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    full(alice)
    cost()  # calendars and policies are read once by each process
    with_one = cost()
    for _n in range(2):
        full(alice)
    assert cost() == with_one <= 12


def test_home_tells_each_role_what_waits(client: Client, alice: Employee) -> None:
    request = full(alice)
    shown = text_of(client.get("/"))
    assert "1 request waits for you." in shown
    assert request.reference in shown
    client.post(reverse("request_check", args=[request.reference]))
    shown = text_of(client.get("/"))
    assert "Nothing waits for you." in shown
    assert "You need do nothing." in shown

    def home_of(user: Any) -> str:
        browser = Client()
        browser.force_login(user)
        response = browser.get("/")
        assert response.status_code == 200
        return text_of(response)

    officer = home_of(officer_of(alice.company))
    assert "For Beichen Intelligence" in officer
    assert re.search(r"tab=review\">To review</a></div>\s*<div class=\"task-status\">.*?</svg>1</span>", officer, re.S)
    reviewer = home_of(posted(alice.company.office, Role.REVIEWER, "4001"))
    assert "For Haidian office" in reviewer
    assert re.search(
        r"tab=unassigned\">Unassigned</a></div>\s*<div class=\"task-status\">.*?</svg>0</span>", reviewer, re.S
    )
    assert "Messages that were given up" in home_of(with_role(Role.ADMINISTRATOR))
    assert "Open requests" in home_of(with_role(Role.AUDITOR))
    assert "To publish, written by others" in home_of(with_role(Role.LIST_MANAGER))
    assert "Nothing for you yet" in home_of(UserFactory.create(name="Nobody"))
