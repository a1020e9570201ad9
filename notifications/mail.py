"""Notifications as a mail: plain text and HTML, in the language of who reads it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from accounts.models import User
from notifications import preferences, registry, tokens
from notifications.models import Notification


def message(notification: Notification, *, connection: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The mail for `notification`, whose event and recipient are loaded. The same notification makes the same mail.

    Message-ID comes from the notification's id, so that a mail sent twice is known as one.
    """
    recipient = notification.recipient
    with translation.override(recipient.language):
        context = _told(notification) | {"kind": registry.kind(notification.kind).label if notification.kind else ""}
        return _mail(
            recipient,
            template="notification",
            key=str(notification.pk),
            context=context,
            unsubscribe_from=[notification.kind],
            connection=connection,
        )


def digest(
    notifications: Sequence[Notification], *, connection: BaseEmailBackend | None = None
) -> EmailMultiAlternatives:
    """The one mail of a day for one person: these notifications (at least one), in this order.

    The same notifications make the same mail, known by the latest of them and their number.
    """
    recipient = notifications[0].recipient
    zone = preferences.of([recipient.pk])[recipient.pk].zone
    with translation.override(recipient.language), timezone.override(zone):
        number = len(notifications)
        context = {
            "subject": ngettext("%(number)d piece of news", "%(number)d pieces of news", number) % {"number": number},
            "notifications": [_told(one) | {"at": one.at} for one in notifications],
        }
        return _mail(
            recipient,
            template="digest",
            key=f"{max(one.pk for one in notifications)}.{number}",
            context=context,
            unsubscribe_from=sorted({one.kind for one in notifications}),
            connection=connection,
        )


def _told(notification: Notification) -> dict[str, Any]:
    return {
        "subject": " ".join(notification.subject.split()),
        "body": notification.body.strip(),
        "url": tokens.absolute(notification.url) if notification.url else "",
    }


def _mail(
    recipient: User,
    *,
    template: str,
    key: str,
    context: dict[str, Any],
    unsubscribe_from: Sequence[str],
    connection: BaseEmailBackend | None,
) -> EmailMultiAlternatives:
    context = context | {
        "language": recipient.language,
        "name": recipient.name,
        "site": settings.PUBLIC_URL,
        "preferences_url": tokens.absolute(reverse("notification_preferences")),
    }
    headers = {
        "Message-ID": f"<{key}@{urlsplit(settings.PUBLIC_URL).hostname}>",
        "Idempotency-Key": key,
        "Auto-Submitted": "auto-generated",
        "Content-Language": recipient.language,
    }
    optional = [kind for kind in unsubscribe_from if kind in registry.optional_kinds()]
    if optional:
        context["unsubscribe_url"] = tokens.unsubscribe_url(recipient.pk, optional)
        # RFC 2369 and RFC 8058: mail programs offer it as a button, and post to it without a session.
        headers["List-Unsubscribe"] = f"<{context['unsubscribe_url']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        subject=str(context["subject"]),
        body=render_to_string(f"emails/{template}.txt", context),
        to=[recipient.email],
        headers=headers,
        connection=connection,
    )
    mail.attach_alternative(render_to_string(f"emails/{template}.html", context), "text/html")
    return mail
