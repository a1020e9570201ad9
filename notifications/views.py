"""The page of notifications, the bell, and the administrator's list of what could not be told."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from notifications import failures, outbox
from notifications.context_processors import unread_words
from notifications.models import Notification, NotificationQuerySet

PAGE = 25
# The answer that makes htmx stop asking.
_STOP_POLLING = 286


@require_GET
@login_required
def notification_list(request: HttpRequest) -> HttpResponse:
    """What I was told, the latest first. `before` and `after` name the notification that a page begins beside."""
    mine = _mine(request)
    before, after = _uuid(request.GET.get("before")), _uuid(request.GET.get("after"))
    if after:
        shown = list(mine.filter(id__gt=after).order_by("id").select_related("event")[: PAGE + 1])
        newer, older = len(shown) > PAGE, True
        shown = shown[:PAGE][::-1]
    else:
        rows = mine.filter(id__lt=before) if before else mine
        shown = list(rows.select_related("event")[: PAGE + 1])
        newer, older = before is not None, len(shown) > PAGE
        shown = shown[:PAGE]
    context = {
        "notifications": shown,
        "any_unread": any(one.read_at is None for one in shown),
        "newest": shown[0].pk if shown else None,
        "newer_url": f"?after={shown[0].pk}" if shown and newer else "",
        "older_url": f"?before={shown[-1].pk}" if shown and older else "",
    }
    return render(request, "notifications/list.html", context)


@require_GET
@login_required
def notification_open(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page that a notification is about; the notification is read from then on."""
    notification = get_object_or_404(_mine(request).select_related("event"), pk=pk)
    _mine(request).filter(pk=pk).unread().update(read_at=timezone.now())
    return redirect(notification.url or "notifications")


@require_POST
@login_required
def notification_read(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Mark one as read."""
    get_object_or_404(_mine(request), pk=pk)
    _mine(request).filter(pk=pk).unread().update(read_at=timezone.now())
    return redirect("notifications")


@require_POST
@login_required
def notification_read_all(request: HttpRequest) -> HttpResponse:
    """Mark all as read that there were when the page was made: `newest` is the latest that the reader can have seen."""
    newest = _uuid(request.POST.get("newest"))
    if newest:
        _mine(request).filter(id__lte=newest).unread().update(read_at=timezone.now())
    return redirect("notifications")


@require_GET
def notification_bell(request: HttpRequest) -> HttpResponse:
    """The bell alone, for the page that asks again each minute. Tells htmx to stop when nobody is signed in."""
    if not request.user.is_authenticated:
        return HttpResponse(status=_STOP_POLLING)
    return render(request, "components/bell.html", {"unread": unread_words(request.user.pk)})


@require_GET
@login_required
def notification_failures(request: HttpRequest) -> HttpResponse:
    """What was given up, with its last error. For administrators, and for auditors to read."""
    roles = request.actor.roles  # type: ignore[attr-defined]
    if not roles & {Role.ADMINISTRATOR, Role.AUDITOR}:
        raise PermissionDenied
    events, mails = failures.latest(failures.SHOWN)
    context = {
        "events": events,
        "mails": mails,
        "shown": failures.SHOWN,
        "may_try_again": Role.ADMINISTRATOR in roles,
    }
    return render(request, "notifications/failures.html", context)


@require_POST
@login_required
def notification_try_again(request: HttpRequest) -> HttpResponse:
    """Have one (`id`) or everything (`all`) that was given up tried again now. For administrators."""
    if Role.ADMINISTRATOR not in request.actor.roles:  # type: ignore[attr-defined]
        raise PermissionDenied
    only = None if "all" in request.POST else _uuid(request.POST.get("id"))
    if only is None and "all" not in request.POST:
        return redirect("notification_failures")
    again = failures.try_again(only, at=timezone.now())
    outbox.hint()
    if again:
        messages.success(
            request,
            ngettext("%(count)d is being tried again.", "%(count)d are being tried again.", again) % {"count": again},
        )
    else:
        messages.info(request, _("It is being tried again already, or was delivered."))
    return redirect("notification_failures")


def _mine(request: HttpRequest) -> NotificationQuerySet:
    user: Any = request.user
    return Notification.objects.in_bell_of(user.pk)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
