"""A notification as a mail: plain text and HTML, in the language of who reads it."""

from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation

from notifications.models import Notification


def message(notification: Notification, *, connection: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The mail for `notification`, whose event and recipient are loaded. The same notification makes the same mail.

    Message-ID comes from the notification's id, so that a mail sent twice is known as one.
    """
    recipient = notification.recipient
    with translation.override(recipient.language):
        context = {
            "language": recipient.language,
            "name": recipient.name,
            "subject": " ".join(notification.subject.split()),
            "body": notification.body.strip(),
            "url": urljoin(settings.PUBLIC_URL, notification.url) if notification.url else "",
            "site": settings.PUBLIC_URL,
        }
        mail = EmailMultiAlternatives(
            subject=str(context["subject"]),
            body=render_to_string("emails/notification.txt", context),
            to=[recipient.email],
            headers={
                "Message-ID": f"<{notification.pk}@{urlsplit(settings.PUBLIC_URL).hostname}>",
                "Idempotency-Key": str(notification.pk),
                "Auto-Submitted": "auto-generated",
                "Content-Language": recipient.language,
            },
            connection=connection,
        )
        mail.attach_alternative(render_to_string("emails/notification.html", context), "text/html")
    return mail
