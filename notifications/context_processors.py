"""What every page needs of the notifications: the number at the bell."""

from uuid import UUID

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.prepared import Prepared
from notifications.models import Notification

_MOST_SHOWN = 9


# On every page, so compiled once.
_unread = Prepared[tuple[UUID]](
    lambda user_id: Notification.objects.in_bell_of(user_id).unread().order_by().values_list("pk")[: _MOST_SHOWN + 1],
    user_id=int,
)


def unread_words(user_id: int) -> str:
    """The number at the bell of `user_id`: "" for none, "3", or "9+". One query that reads ten index rows at most."""
    unread = len(_unread(user_id=user_id))
    return f"{_MOST_SHOWN}+" if unread > _MOST_SHOWN else str(unread or "")


def bell(request: HttpRequest) -> dict[str, object]:
    """`bell`: see `unread_words`. Nothing is read for a page that does not show it."""
    return {"bell": SimpleLazyObject(lambda: unread_words(request.user.pk) if request.user.is_authenticated else "")}
