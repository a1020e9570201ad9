"""The page of notifications, the bell, what people choose, links that work without signing in, and the administrator's
list of what could not be told."""

import hashlib
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import (
    condition,
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.http import ActorRequest
from accounts.models import User
from accounts.roles import Role
from notifications import addresses, failures, feeds, outbox, preferences, registry, tokens
from notifications.context_processors import unread_words
from notifications.forms import PreferencesForm
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
        "failing": addresses.of(cast(User, request.user)),
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
        "addresses": addresses.all_failing(failures.SHOWN),
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


@login_required
@require_http_methods(["GET", "POST"])
def notification_preferences(request: ActorRequest) -> HttpResponse:
    """What I am told, how and when; my calendar address; whether my mail address fails."""
    chosen = preferences.of([request.user.pk])[request.user.pk]
    kinds = registry.kinds(request.actor.roles)
    form = PreferencesForm(request.POST if request.method == "POST" else None, preferences=chosen, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        preferences.save(request.user.pk, form.values(), at=timezone.now())
        messages.success(request, _("Your choices are saved."))
        return redirect("notification_preferences")
    return _preferences_page(request, form)


def _preferences_page(request: ActorRequest, form: PreferencesForm, *, feed_url: str = "") -> HttpResponse:
    context = {
        "form": form,
        "failing": addresses.of(request.user),
        "feed": feeds.current(request.user),
        "feed_url": feed_url,
    }
    return render(request, "notifications/preferences.html", context)


@require_POST
@login_required
@never_cache
def calendar_feed_change(request: ActorRequest) -> HttpResponse:
    """Make my secret calendar address anew, or revoke it (`revoke`). The page that answers shows it, once."""
    if "revoke" in request.POST:
        if feeds.revoke(request.user, at=timezone.now()):
            messages.success(
                request, _("The calendar address is revoked. Calendars that used it get nothing any more.")
            )
        return redirect("notification_preferences")
    if "renew" not in request.POST:
        return redirect("notification_preferences")
    url = feeds.renew(request.user, at=timezone.now())
    chosen = preferences.of([request.user.pk])[request.user.pk]
    form = PreferencesForm(preferences=chosen, kinds=registry.kinds(request.actor.roles))
    return _preferences_page(request, form, feed_url=url)


@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The dates of whoever has this secret address, as iCalendar. Not found: wrong, revoked, or made anew."""
    text = feeds.calendar(token, at=timezone.now())
    if text is None:
        raise Http404
    content = text.encode()
    etag = f'"{hashlib.sha256(content).hexdigest()}"'

    @condition(etag_func=lambda request: etag)
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(content, content_type="text/calendar; charset=utf-8")

    response: HttpResponse = answer(request)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _no_such_link(request: HttpRequest) -> HttpResponse:
    """For a link of a mail that was cut off or changed: what to do instead."""
    return render(request, "notifications/no_such_link.html", status=HTTPStatus.NOT_FOUND)


@csrf_exempt  # mail programs post without a session (RFC 8058); the token is the proof
@require_http_methods(["GET", "POST"])
def notification_unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Switch off mail about what the signed link of a mail names. Looking changes nothing: programs follow links."""
    try:
        user_id, keys = tokens.unsubscribing(token)
    except tokens.BadToken:
        return _no_such_link(request)
    done = request.method == "POST"
    if done:
        if not User.objects.filter(pk=user_id).exists():
            return _no_such_link(request)
        preferences.switch_off_mail(user_id, keys)
    labels = [kind.label for key in keys if (kind := registry.kind(key)).is_optional]
    return render(request, "notifications/unsubscribe.html", {"labels": labels, "done": done})


@require_POST
@login_required
def mail_address_check(request: ActorRequest) -> HttpResponse:
    """Send a test mail to my address, which fails."""
    if addresses.ask(request.user, at=timezone.now()):
        messages.success(request, _("A test mail is on its way. Open the link in it to confirm that it arrived."))
    else:
        messages.info(request, _("A test mail was sent within the last hour, or your address does not fail."))
    return redirect("notification_preferences")


@require_http_methods(["GET", "POST"])
def mail_address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link in a test mail leads: whoever could read it says that the address works."""
    try:
        user_id, email = tokens.confirming(token)
    except tokens.BadToken:
        return _no_such_link(request)
    done = request.method == "POST"
    if done:
        addresses.works_again(user_id, email)
    return render(request, "notifications/address_works.html", {"done": done})


def _mine(request: HttpRequest) -> NotificationQuerySet:
    user: Any = request.user
    return Notification.objects.in_bell_of(user.pk)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
