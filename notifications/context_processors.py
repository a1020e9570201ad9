"""What every page needs of the notifications: the number at the bell."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notifications.models import Notification

_MOST_SHOWN = 9


def unread_words(user_id: int) -> str:
    """The number at the bell of `user_id`: "" for none, "3", or "9+". One query that reads ten index rows at most."""
    unread = Notification.objects.in_bell_of(user_id).unread().order_by()[: _MOST_SHOWN + 1].count()
    return f"{_MOST_SHOWN}+" if unread > _MOST_SHOWN else str(unread or "")


def bell(request: HttpRequest) -> dict[str, object]:
    """`bell`: see `unread_words`. Nothing is read for a page that does not show it."""
    return {"bell": SimpleLazyObject(lambda: unread_words(request.user.pk) if request.user.is_authenticated else "")}
