import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import translation

from notifications import mail
from notifications.delivery import deliver
from notifications.models import Channel, Notification
from tests.notifications.conftest import MONDAY, Happen, person

pytestmark = pytest.mark.django_db


def mail_to(happen: Happen, language: str = "en", **data: str) -> EmailMultiAlternatives:
    happen(person("Alice", language), **data)
    deliver(at=MONDAY)
    return mail.message(Notification.objects.select_related("event", "recipient").get(channel=Channel.MAIL))


def html_of(message: EmailMultiAlternatives) -> str:
    (alternative,) = message.alternatives
    assert alternative.mimetype == "text/html"
    return str(alternative.content)


def test_a_mail_says_what_happened_and_where_to_look(happen: Happen, settings: object) -> None:
    settings.PUBLIC_URL = "https://exit.example"  # type: ignore[attr-defined]
    message = mail_to(happen)
    assert message.subject == "K7-2 was received (en)"
    assert "Dear traveller <b>,\n\nwe have K7-2." in message.body
    assert "https://exit.example/notifications/" in message.body
    assert 'href="https://exit.example/notifications/"' in html_of(message)


def test_html_is_escaped(happen: Happen) -> None:
    html = html_of(mail_to(happen, number="<script>"))
    assert "<script>" not in html
    assert "we have &lt;script&gt;." in html
    assert "traveller &lt;b&gt;," in html


def test_plain_text_is_not_escaped(happen: Happen) -> None:
    assert "we have A&B." in mail_to(happen, number="A&B").body


def test_a_number_with_a_line_break_makes_no_header(happen: Happen) -> None:
    message = mail_to(happen, number="K7\nBcc: eve@evil.example")
    assert message.subject == "K7 Bcc: eve@evil.example was received (en)"
    assert message.message()["Bcc"] is None


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_mail_is_in_the_language_of_who_reads_it(happen: Happen, language: str) -> None:
    with translation.override("fr"):
        message = mail_to(happen, language)
    assert message.subject == f"K7-2 was received ({language})"
    assert f'<html lang="{language}">' in html_of(message)
    assert message.extra_headers["Content-Language"] == language


def test_a_mail_sent_twice_is_known_as_one(happen: Happen, settings: object) -> None:
    settings.PUBLIC_URL = "https://exit.example:8443"  # type: ignore[attr-defined]
    first = mail_to(happen)
    notification = Notification.objects.select_related("event", "recipient").get(channel=Channel.MAIL)
    again = mail.message(notification)
    assert first.message()["Message-ID"] == again.message()["Message-ID"] == f"<{notification.pk}@exit.example>"
    assert first.message()["Idempotency-Key"] == str(notification.pk)
    assert first.message()["Auto-Submitted"] == "auto-generated"
