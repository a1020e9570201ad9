"""Before a page runs: who is signed in, and what becomes of what they typed when they are not any more."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.files.base import File
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from accounts.http import ActorRequest
from accounts.refusals import Invalid
from approvals.forms.applicant import typed

P = ParamSpec("P")
Page = Callable[Concatenate[ActorRequest, P], HttpResponse]

UNSENT = "unsent"
# What a session may keep of a form that was sent without being signed in.
UNSENT_BYTES = 200_000


def writer_required(page: Page[P]) -> Page[P]:
    """Like `login_required`, for pages that people write on: what they send after their session ended is not lost.

    Sent by htmx: 401, the page says so and keeps the text. Sent by the browser: it waits in the new session while they
    sign in, and `take_unsent` gives it to the page they come back to.
    """

    @wraps(page)
    def checked(http: ActorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        account: Any = http.user
        if account.is_authenticated:
            return page(http, *args, **kwargs)
        if http.headers.get("HX-Request"):
            return HttpResponse(status=401)
        if http.method == "POST" and "multipart/form-data" not in (http.content_type or ""):
            data = typed(http.POST)
            if sum(len(text) for values in data.values() for text in values) <= UNSENT_BYTES:
                http.session[UNSENT] = {"path": http.path, "data": data}
        return redirect_to_login(http.get_full_path(), settings.LOGIN_URL)

    return checked


def take_unsent(http: ActorRequest) -> dict[str, list[str]] | None:
    """What was sent to this page when nobody was signed in; None when nothing was. Taken once, on a page that requires
    signing in."""
    if http.session.get(UNSENT, {}).get("path") != http.path:
        return None
    data: dict[str, list[str]] = http.session.pop(UNSENT)["data"]
    return data


class Bounded(FileUploadHandler):
    """Stops storing a file that is far beyond what is accepted, so that nobody fills the disk; the page then says so.

    `too_large` are the names of those files.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.too_large: list[str] = []
        self._received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if self._received > 2 * settings.ATTACHMENT_MAX_BYTES:
            self.too_large.append(self.file_name or "")
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def takes_files(page: Callable[Concatenate[ActorRequest, Bounded, P], HttpResponse]) -> Page[P]:
    """Like `writer_required`, for pages to which files are sent: the page is given what stopped those far too large."""
    protected = csrf_protect(page)

    @csrf_exempt  # the handler must be set before the body is read; `protected` checks the token
    @writer_required
    @wraps(page)
    def received(http: ActorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        bounded = Bounded(http)
        http.upload_handlers.insert(0, bounded)
        return protected(http, bounded, *args, **kwargs)

    return received


def far_too_large(bounded: Bounded) -> list[str]:
    """What to say of the files that were not stored, a sentence each."""
    limit = settings.ATTACHMENT_MAX_BYTES // 1024**2
    words = _("%(name)s: the file is much larger than %(limit)d MB, the most. Make it smaller or split it.")
    return [words % {"name": name, "limit": limit} for name in bounded.too_large]


def wrong_with(file: File[bytes], refusal: Invalid) -> list[str]:
    """What to say of a file that was refused, one of several: its name and what is wrong with it."""
    return [_("%(name)s: %(problem)s") % {"name": file.name, "problem": one.message} for one in refusal.problems]
