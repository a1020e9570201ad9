"""Links that work without signing in: signed, for one account and one use. Secrets in themselves; see `discretion`."""

from collections.abc import Collection
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.urls import reverse

_UNSUBSCRIBE = "notifications.unsubscribe"
_ADDRESS = "notifications.address"
ADDRESS_LINK_SECONDS = 3 * 24 * 60 * 60


class BadToken(ValueError):
    """The link was not made by us, was changed, or is too old."""


def absolute(path: str) -> str:
    """The address of `path` as links in mails and calendars have it."""
    return urljoin(str(settings.PUBLIC_URL), path)


def unsubscribe_url(user_id: int, kinds: Collection[str]) -> str:
    """The address that switches off mail about `kinds` for this account. It never grows old."""
    token = signing.Signer(salt=_UNSUBSCRIBE).sign_object([user_id, *sorted(kinds)])
    return absolute(reverse("notification_unsubscribe", args=[token]))


def unsubscribing(token: str) -> tuple[int, list[str]]:
    """The account and the kinds of a token of `unsubscribe_url`. Refuses with `BadToken`."""
    try:
        user_id, *kinds = signing.Signer(salt=_UNSUBSCRIBE).unsign_object(token)
    except (signing.BadSignature, ValueError) as error:
        raise BadToken from error
    return user_id, kinds


def address_path(user_id: int, email: str) -> str:
    """The path of the page on which whoever reads mail to `email` says so. For three days."""
    token = signing.TimestampSigner(salt=_ADDRESS).sign_object([user_id, email])
    return reverse("mail_address_confirm", args=[token])


def confirming(token: str) -> tuple[int, str]:
    """The account and the address of a token of `address_path`. Refuses with `BadToken`, after three days too."""
    try:
        user_id, email = signing.TimestampSigner(salt=_ADDRESS).unsign_object(token, max_age=ADDRESS_LINK_SECONDS)
    except (signing.BadSignature, ValueError) as error:
        raise BadToken from error
    return user_id, email
