"""Links that work without signing in: leaving off mails, and the calendar. And they stay out of the logs."""

import logging
import re
from datetime import date
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications import discretion, feeds, icalendar, preferences, tokens
from notifications.delivery import deliver
from notifications.icalendar import Entry
from notifications.models import CalendarFeed, Preferences
from tests.notifications.conftest import MONDAY, Happen, person

pytestmark = pytest.mark.django_db


# ── no more mails ───────────────────────────────────────────────────────────────────────────────────────────────────


def headers_of(happen: Happen, user: User, **event: Any) -> dict[str, str]:
    happen(user, **event)
    deliver(at=MONDAY)
    return dict(mail.outbox[-1].extra_headers)


def path_in(headers: dict[str, str]) -> str:
    found = re.fullmatch(r"<http://localhost:8000(/notifications/unsubscribe/[^>]+)>", headers["List-Unsubscribe"])
    assert found
    return found[1]


def test_one_click_without_a_session_ends_mails_of_that_kind(happen: Happen) -> None:
    """RFC 8058: the mail program posts this body, with no cookie and no CSRF token."""
    alice = person("Alice")
    headers = headers_of(happen, alice)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    program = Client(enforce_csrf_checks=True)
    for _time in range(2):
        response = program.post(
            path_in(headers), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert response.status_code == 200
    assert Preferences.objects.get(user=alice).mail_off == ["test-news"]
    happen(alice)
    assert deliver(at=MONDAY).mails == 0


def test_following_the_link_changes_nothing_and_says_what_would(happen: Happen) -> None:
    alice, client = person("Alice"), Client(headers={"accept-language": "en"})
    path = path_in(headers_of(happen, alice))
    shown = client.get(path).content.decode()
    assert "Test news" in shown
    assert "Alice" not in shown
    assert not Preferences.objects.exists()
    assert "No more mails about this" in client.post(path).content.decode()


def test_the_link_names_nobody(happen: Happen) -> None:
    alice = person("Alice")
    path = path_in(headers_of(happen, alice))
    assert "alice" not in path.lower()
    assert "@" not in path


def test_what_cannot_be_switched_off_has_no_such_link(happen: Happen) -> None:
    headers = headers_of(happen, person("Alice"), event="test_due")
    assert "List-Unsubscribe" not in headers
    assert "unsubscribe" not in mail.outbox[-1].body


def test_a_summary_leaves_off_the_kinds_that_are_in_it(happen: Happen, client: Client) -> None:
    alice = person("Alice")
    preferences.save(alice.pk, {"digest": True}, at=MONDAY)
    happen(alice)
    happen(alice, event="test_due")
    deliver(at=MONDAY)
    tomorrow = preferences.next_digest(preferences.of([alice.pk])[alice.pk], at=MONDAY)
    deliver(at=tomorrow)
    client.post(path_in(dict(mail.outbox[-1].extra_headers)))
    assert Preferences.objects.get(user=alice).mail_off == ["test-news"]


def test_a_link_that_was_changed_leads_nowhere(happen: Happen, client: Client) -> None:
    alice, bob = person("Alice"), person("Bob")
    path = path_in(headers_of(happen, alice))
    other = tokens.unsubscribe_url(bob.pk, ["test-news"]).rpartition("/unsubscribe/")[2]
    forged = f"/notifications/unsubscribe/{other.partition(':')[0]}:{path.rpartition(':')[2]}"
    for wrong in (forged, path[:-3] + "/", "/notifications/unsubscribe/nonsense/"):
        refused = client.post(wrong, headers={"accept-language": "en"})
        assert refused.status_code == 404
        assert "This link does not work" in refused.content.decode()
        assert reverse("notification_preferences") in refused.content.decode()
    assert client.post(tokens.address_path(alice.pk, alice.email).replace("address", "unsubscribe")).status_code == 404
    assert not Preferences.objects.exists()


def test_the_link_of_an_account_that_is_gone(client: Client, events: None) -> None:
    url = tokens.unsubscribe_url(4_000_000, ["test-news"]).removeprefix("http://localhost:8000")
    assert client.post(url).status_code == 404


# ── the calendar ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def dates(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """What the only provider gives."""
    given = [
        Entry(
            key="trip-1",
            first=date(2026, 4, 20),
            last=date(2026, 4, 26),
            summary="K7-2: trip to Rio; Brazil, and back\\",
            description="One line.\nAnother\r\nline.",
            location="里约热内卢" * 20,
            url="https://exit.example/requests/K7-2/",
            sequence=7,
            changed_at=MONDAY,
            is_tentative=True,
        )
    ]
    monkeypatch.setattr(feeds, "_providers", [lambda user, at: given])
    return given


def address_of(user: User) -> str:
    return feeds.renew(user, at=MONDAY).removeprefix("http://localhost:8000")


def unfolded(text: str) -> list[str]:
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    return text.replace("\r\n ", "").split("\r\n")


def test_a_calendar_program_reads_it_without_a_session(client: Client, dates: list[Entry]) -> None:
    response = client.get(address_of(person("Alice")))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "sessionid" not in response.cookies
    lines = unfolded(response.content.decode())
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[lines.index("BEGIN:VEVENT") :] == [
        "BEGIN:VEVENT",
        "UID:trip-1@localhost",
        "DTSTAMP:20260302T090000Z",
        "LAST-MODIFIED:20260302T090000Z",
        "SEQUENCE:7",
        "DTSTART;VALUE=DATE:20260420",
        "DTEND;VALUE=DATE:20260427",
        "SUMMARY:K7-2: trip to Rio\\; Brazil\\, and back\\\\",
        "DESCRIPTION:One line.\\nAnother\\nline.",
        "LOCATION:" + "里约热内卢" * 20,
        "URL:https://exit.example/requests/K7-2/",
        "STATUS:TENTATIVE",
        "TRANSP:OPAQUE",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_what_has_not_changed_is_not_sent_again(client: Client, dates: list[Entry]) -> None:
    address = address_of(person("Alice"))
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    dates.clear()
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    assert client.head(address).status_code == 200
    assert client.post(address).status_code == 405


@pytest.mark.parametrize(("language", "name"), [("en", "X-WR-CALNAME:Exit approvals"), ("zh-hans", "出境审批")])
def test_it_is_in_the_language_of_its_person(client: Client, dates: list[Entry], language: str, name: str) -> None:
    assert name in client.get(address_of(person("Alice", language))).content.decode()


def test_a_text_cannot_break_out_of_its_line(dates: list[Entry]) -> None:
    evil = Entry(
        key="k", first=MONDAY.date(), last=MONDAY.date(), changed_at=MONDAY, summary="a\r\nEND:VEVENT\x00\x07\u2028b"
    )
    lines = unfolded(icalendar.written([evil], name="n", language="en"))
    assert lines.count("END:VEVENT") == 1
    assert "SUMMARY:a\\nEND:VEVENT   b" in lines


@pytest.mark.parametrize("length", range(60, 80))
def test_lines_are_folded_at_75_octets_and_never_through_a_character(length: int) -> None:
    for character in "aé字𠮷":
        summary = character * length
        entry = Entry(key="k", first=MONDAY.date(), last=MONDAY.date(), changed_at=MONDAY, summary=summary)
        assert f"SUMMARY:{summary}" in unfolded(icalendar.written([entry], name="n", language="en"))


def test_a_new_address_ends_the_earlier_and_revoking_ends_both(client: Client, dates: list[Entry]) -> None:
    alice = person("Alice")
    first = address_of(alice)
    second = address_of(alice)
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    assert feeds.revoke(alice, at=MONDAY)
    assert not feeds.revoke(alice, at=MONDAY)
    assert client.get(second).status_code == 404
    assert CalendarFeed.objects.filter(user=alice, revoked_at=MONDAY).count() == 2


def test_a_closed_account_has_no_calendar(client: Client, dates: list[Entry]) -> None:
    alice = person("Alice")
    address = address_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get(address).status_code == 404


def test_the_secret_is_in_no_row(client: Client) -> None:
    token = address_of(person("Alice")).removeprefix("/calendar/").removesuffix(".ics")
    assert len(token) >= 43
    (row,) = CalendarFeed.objects.values()
    assert not any(token in str(value) for value in row.values())


def test_alice_makes_an_address_sees_it_once_and_revokes_it(client: Client) -> None:
    alice = person("Alice")
    client.force_login(alice)
    made = client.post(reverse("calendar_feed_change"), {"renew": "1"})
    found = re.search(r"http://localhost:8000(/calendar/[\w-]+\.ics)", made.content.decode())
    assert found
    assert "no-store" in made.headers["Cache-Control"]
    assert Client().get(found[1]).status_code == 200
    assert found[1] not in client.get(reverse("notification_preferences")).content.decode()
    assert client.session.get("feed") is None
    client.post(reverse("calendar_feed_change"), {"revoke": "1"})
    assert Client().get(found[1]).status_code == 404
    client.post(reverse("calendar_feed_change"), {"nonsense": "1"})
    assert feeds.current(alice) is None


# ── the logs ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/calendar/s3cret.ics"),
        ("post", "/calendar/s3cret.ics"),
        ("get", "/notifications/unsubscribe/s3cret/"),
        ("put", "/notifications/unsubscribe/s3cret/"),
        ("get", "/notifications/address/s3cret/"),
        ("post", "/notifications/address/s3cret/"),
    ],
)
def test_secrets_are_in_no_log(caplog: pytest.LogCaptureFixture, method: str, path: str) -> None:
    with caplog.at_level(logging.DEBUG):
        response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert response.status_code in (403, 404, 405)
    assert "[secret]" in caplog.text
    assert "s3cret" not in caplog.text


def test_other_addresses_are_logged_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    Client().get("/nowhere/s3cret/")
    assert "/nowhere/s3cret/" in caplog.text
    assert discretion.without_secrets("/notifications/preferences/") == "/notifications/preferences/"
