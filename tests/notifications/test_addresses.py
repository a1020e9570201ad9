"""Bob's address refuses mail: it is counted, shown, left alone, and taken up again when he says so."""

import io
import sys
from datetime import timedelta
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from notifications import addresses, failures, preferences, tokens
from notifications.delivery import Delivered, deliver
from notifications.models import Channel, LeftOut, MailAddress, Notification
from tests.notifications.conftest import MONDAY, Happen, person
from tests.notifications.smtp import MailServer

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def bob() -> User:
    return person("Bob")


def fail(user: User) -> None:
    for hours in range(addresses.REFUSALS):
        addresses.refused(user, said="550 nobody here by that name", at=MONDAY + hours * HOUR)
    assert addresses.failing([user.pk]) == {user.pk}


# ── refused at once ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_three_refusals_and_the_address_is_left_alone(happen: Happen, bob: User, mails: MailServer) -> None:
    mails.refuses = lambda line: "bob@" in line
    happen(bob)
    at, tries = MONDAY, 0
    while not addresses.failing([bob.pk]):
        assert deliver(at=at).failures == 1
        tries += 1
        at = Notification.objects.get(channel=Channel.MAIL).next_attempt_at or at
    kept = MailAddress.objects.get(user=bob)
    assert (kept.refusals, kept.last_refusal) == (3, "550 nobody here by that name")
    assert tries > 3  # two of them were within an hour of another

    asked = mails.connections
    happen(bob, at=at)
    assert deliver(at=at + timedelta(days=9)) == Delivered(events=1)
    assert mails.connections == asked
    assert set(Notification.objects.filter(channel=Channel.MAIL).values_list("left_out", flat=True)) == {
        LeftOut.ADDRESS_FAILS
    }
    assert Notification.objects.in_bell_of(bob.pk).count() == 2
    assert failures.number() == 0


@pytest.mark.parametrize(("line", "refusal"), [("bob@", "450 mailbox full"), ("bob@", "421 try later")])
def test_a_refusal_for_now_is_not_held_against_an_address(
    happen: Happen, bob: User, mails: MailServer, line: str, refusal: str
) -> None:
    mails.refuses, mails.refusal = lambda said: line in said, refusal
    happen(bob)
    for hours in range(6):
        deliver(at=MONDAY + timedelta(hours=hours * 12))
    assert not MailAddress.objects.exists()


def test_a_server_that_is_wrong_for_an_hour_makes_no_address_fail(bob: User) -> None:
    for minutes in range(0, 60, 5):
        addresses.refused(bob, said="550 relaying denied", at=MONDAY + timedelta(minutes=minutes))
    assert MailAddress.objects.get().refusals == 1
    assert addresses.failing([bob.pk]) == set()


def test_refusals_a_month_apart_are_forgotten(bob: User) -> None:
    for months in range(6):
        addresses.refused(bob, said="550 no", at=MONDAY + months * timedelta(days=31))
    assert addresses.failing([bob.pk]) == set()


def test_a_new_address_has_refused_nothing(happen: Happen, bob: User) -> None:
    fail(bob)
    bob.email = "robert@lab.example"
    bob.save()
    happen(bob)
    assert deliver(at=MONDAY) == Delivered(events=1, mails=1)
    assert addresses.of(bob) is None
    addresses.refused(bob, said="550 no", at=MONDAY + 5 * HOUR)
    assert MailAddress.objects.get().refusals == 1


def test_what_cannot_be_mailed_is_under_the_bell_whatever_was_chosen(happen: Happen, bob: User) -> None:
    preferences.save(bob.pk, {"bell_off": ["test-news"]}, at=MONDAY)
    happen(bob)
    deliver(at=MONDAY, mails=False)
    assert not Notification.objects.in_bell_of(bob.pk).exists()
    fail(bob)
    deliver(at=MONDAY)  # the mail was waiting
    happen(bob)
    deliver(at=MONDAY)  # the address fails already
    assert Notification.objects.in_bell_of(bob.pk).count() == 2
    assert mail.outbox == []


def test_a_mail_given_up_is_under_the_bell_too(happen: Happen, bob: User, mails: MailServer) -> None:
    preferences.save(bob.pk, {"bell_off": ["test-news"]}, at=MONDAY)
    mails.refuses, mails.refusal = lambda line: "bob@" in line, "450 mailbox full"
    happen(bob)
    for days in range(9):
        deliver(at=MONDAY + timedelta(days=days))
    assert Notification.objects.in_bell_of(bob.pk).count() == 1


def test_a_summary_to_a_failing_address_is_left_out_as_a_whole(happen: Happen, bob: User) -> None:
    preferences.save(bob.pk, {"digest": True}, at=MONDAY)
    happen(bob)
    happen(bob)
    deliver(at=MONDAY)
    fail(bob)
    assert deliver(at=MONDAY + timedelta(days=2)) == Delivered()
    assert Notification.objects.filter(left_out=LeftOut.ADDRESS_FAILS).count() == 2


# ── sent back later ─────────────────────────────────────────────────────────────────────────────────────────────────


def sent_to(user: User, happen: Happen) -> EmailMessage:
    happen(user)
    deliver(at=MONDAY)
    return mail.outbox.pop().message()  # type: ignore[return-value]


def report(
    original: EmailMessage, *, action: str = "failed", status: str = "5.1.1", headers_only: bool = False
) -> MIMEMultipart:
    """What a mail server sends back (RFC 3464)."""
    found = MIMEMultipart("report", report_type="delivery-status")
    found["From"], found["To"] = "mailer-daemon@mx.example", "noreply@exit-approvals.example"
    found["Message-ID"] = "<report@mx.example>"
    found.attach(MIMEText("Your message could not be delivered."))
    of_all, of_one = EmailMessage(), EmailMessage()
    of_all["Reporting-MTA"] = "dns; mx.example"
    of_one["Final-Recipient"] = f"rfc822; {original['To']}"
    of_one["Action"], of_one["Status"] = action, status
    of_one["Diagnostic-Code"] = "smtp; 550 no such user"
    status_part = MIMEMessage(of_all, "delivery-status")  # type: ignore[arg-type]
    status_part.set_payload([of_all, of_one])
    found.attach(status_part)
    if headers_only:
        names = ("Message-ID", "To", "Subject")
        headers = MIMEText("".join(f"{name}: {original[name]}\r\n" for name in names), "rfc822-headers")
        found.attach(headers)
    else:
        found.attach(MIMEMessage(original))  # type: ignore[arg-type]
    return found


def pipe(message: MIMEMultipart | bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    raw = message if isinstance(message, bytes) else message.as_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    said = io.StringIO()
    call_command("bounces", stdout=said)
    return said.getvalue().strip()


@pytest.mark.parametrize("headers_only", [False, True])
def test_a_mail_that_came_back_counts(
    happen: Happen, bob: User, monkeypatch: pytest.MonkeyPatch, headers_only: bool
) -> None:
    message = report(sent_to(bob, happen), headers_only=headers_only)
    assert pipe(message, monkeypatch) == "1 refusal counted."
    assert MailAddress.objects.get(user=bob).last_refusal == "5.1.1 smtp; 550 no such user"


def test_a_summary_that_came_back_counts(happen: Happen, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    preferences.save(bob.pk, {"digest": True}, at=MONDAY)
    happen(bob)
    happen(bob)
    deliver(at=MONDAY)
    deliver(at=MONDAY + timedelta(days=1))
    assert pipe(report(mail.outbox[0].message()), monkeypatch) == "1 refusal counted."  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "status"), [("delayed", "4.4.7"), ("failed", "4.2.2"), ("delivered", "2.0.0"), ("relayed", "5.0.0")]
)
def test_what_is_no_failure_for_good_does_not(
    happen: Happen, bob: User, monkeypatch: pytest.MonkeyPatch, action: str, status: str
) -> None:
    message = report(sent_to(bob, happen), action=action, status=status)
    assert pipe(message, monkeypatch) == "0 refusals counted."
    assert not MailAddress.objects.exists()


def test_a_report_about_a_mail_that_we_did_not_send_counts_nothing(
    happen: Happen, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can write to the address that reports come to."""
    for identity in ("<invented@localhost>", "<00000000-0000-4000-8000-000000000000@localhost>", "", "<-@->"):
        original = EmailMessage()
        original["To"] = bob.email
        if identity:
            original["Message-ID"] = identity
        assert pipe(report(original), monkeypatch) == "0 refusals counted."
    original = sent_to(person("Carol"), happen)
    original.replace_header("To", bob.email)
    assert pipe(report(original), monkeypatch) == "0 refusals counted."
    assert not MailAddress.objects.exists()


def test_a_report_about_the_address_of_before_counts_nothing(
    happen: Happen, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = sent_to(bob, happen)
    bob.email = "robert@lab.example"
    bob.save()
    assert pipe(report(original), monkeypatch) == "0 refusals counted."


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe not a mail", b"Subject: hello\r\n\r\nOut of office.\r\n"])
def test_whatever_is_piped_in_ends_well(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    assert pipe(raw, monkeypatch) == "0 refusals counted."


# ── seen and mended ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["notifications", "notification_preferences"])
def test_bob_sees_it_and_nobody_else_does(client: Client, bob: User, name: str) -> None:
    fail(bob)
    client.force_login(bob)
    shown = client.get(reverse(name)).content.decode()
    assert "Mails to bob@lab.example came back" in shown
    assert "550 nobody here by that name" in shown
    client.force_login(person("Carol"))
    assert "came back" not in client.get(reverse(name)).content.decode()


def test_administrators_and_auditors_see_it(client: Client, bob: User) -> None:
    fail(bob)
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        user = person(role.name)
        RoleAssignment.objects.create(user=user, role=role, starts_at=MONDAY - timedelta(days=99))
        client.force_login(user)
        shown = client.get(reverse("notification_failures")).content.decode()
        assert "bob@lab.example" in shown
        assert "Try all of them again" not in shown


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_bob_confirms_that_it_works_again(client: Client, happen: Happen, bob: User, language: str) -> None:
    User.objects.filter(pk=bob.pk).update(language=language)
    fail(bob)
    client.force_login(bob)
    client.post(reverse("mail_address_check"))
    now = timezone.now()
    assert deliver(at=now) == Delivered(events=1, mails=1)
    assert deliver(at=now) == Delivered()
    assert not Notification.objects.in_bell_of(bob.pk).exists()
    link = next(line for line in mail.outbox[0].body.splitlines() if "/notifications/address/" in line)
    path = link.removeprefix("http://localhost:8000")

    client.logout()
    assert client.get(path).status_code == 200
    assert addresses.failing([bob.pk]) == {bob.pk}  # programs follow links
    client.post(path)
    assert addresses.failing([bob.pk]) == set()
    happen(bob, at=now)
    assert deliver(at=now) == Delivered(events=1, mails=1)


def test_a_test_mail_is_sent_once_an_hour_and_to_a_failing_address_only(bob: User) -> None:
    assert not addresses.ask(bob, at=MONDAY)
    fail(bob)
    at = MONDAY + 9 * HOUR
    assert addresses.ask(bob, at=at)
    assert not addresses.ask(bob, at=at + timedelta(minutes=59))
    assert addresses.ask(bob, at=at + HOUR)


def test_a_link_that_is_not_ours_or_too_old_leads_nowhere(
    client: Client, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(bob)
    path = tokens.address_path(bob.pk, bob.email)
    assert client.get(path).status_code == 200
    assert client.post(path.replace("/address/", "/address/x")).status_code == 404
    monkeypatch.setattr(tokens, "ADDRESS_LINK_SECONDS", -1)
    assert client.post(path).status_code == 404
    assert addresses.failing([bob.pk]) == {bob.pk}
