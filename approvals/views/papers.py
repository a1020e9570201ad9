"""The papers of a request as files, and the public page on which a clearance is verified."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from accounts.http import ActorRequest
from accounts.roles import Actor
from approvals import clearances, letters, papers
from approvals.models import PaperKind, TravelRequest
from approvals.views.reading import open_request
from documents.certificates import NoCertificate
from documents.keys import NoSealingKey
from documents.models import SigningKey
from documents.typesetting import CannotBeSet
from interface.downloads import to_be_saved

logger = logging.getLogger(__name__)

# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PaperFile:
    """A paper in one language: its own name for the language, and where it is."""

    language: str
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class PaperWords:
    """A paper as the request's page lists it."""

    words: str
    on: str
    files: tuple[PaperFile, ...]


_NAMES = {"zh-hans": ("zh", "简体中文"), "en": ("en", "English")}


def listed(request: TravelRequest, reader: Actor) -> list[PaperWords]:
    """The papers of `request` for `reader`, the latest first. One query, two for the company."""
    return [
        PaperWords(
            words=str(order.get_kind_display()),
            on=date_format(timezone.localtime(order.at, request.zone), "DATE_FORMAT"),
            files=tuple(
                PaperFile(*_NAMES[code], reverse("paper", args=[request.reference, order.pk, code]))
                for code in letters.LANGUAGES
            ),
        )
        for order in papers.readable(request, reader)
    ]


@login_required
@require_GET
def paper(http: ActorRequest, reference: str, order_id: int, language: str) -> HttpResponseBase:
    """A paper as it was issued, for those who may have it, to be saved. One that the worker has not made yet is made.

    404 for everybody else. Who is not the applicant leaves an entry in the access log. 503 when it cannot be made now.
    """
    at = timezone.now()
    request = open_request(http, reference, page="paper", at=at)
    order = next((one for one in papers.readable(request, http.actor) if one.pk == order_id), None)
    if order is None or language not in letters.LANGUAGES:
        raise Http404(_("There is no such paper, or it is not yours to see."))
    found = papers.of(order, language)
    if found is None:
        try:
            papers.make_now(order.pk, at=at)
        except (CannotBeSet, NoCertificate, NoSealingKey) as error:
            logger.error("paper order %s could not be made: %s", order.pk, type(error).__name__)
            return render(http, "approvals/papers/not_ready.html", {"trip": request}, status=503)
        found = papers.of(order, language)
        assert found is not None
    name = f"{request.reference}-{_FILE_NAMES[PaperKind(order.kind)]}-{_NAMES[language][0]}.pdf"
    return to_be_saved(found.file.open("rb"), name=name, content_type="application/pdf")


_FILE_NAMES = {PaperKind.RECEIPT: "receipt", PaperKind.DECISION: "decision", PaperKind.APPEAL: "appeal"}


# ── verification ────────────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
def verify(http: HttpRequest) -> HttpResponse:
    """Whether a clearance holds, for anybody. The token is pasted and posted: it stays out of addresses and logs."""
    pasted = http.POST.get("token", "").strip() if http.method == "POST" else ""
    is_empty = http.method == "POST" and not pasted
    return _said(http, pasted, is_empty=is_empty)


@require_safe
def verify_token(http: HttpRequest, token: str) -> HttpResponse:
    """The same for the address in the code on a clearance."""
    return _said(http, token)


def _said(http: HttpRequest, token: str, *, is_empty: bool = False) -> HttpResponse:
    at = timezone.now()
    verdict = clearances.verify(token, at=at) if token else None
    context = {"verdict": verdict, "at": at, "is_empty": is_empty, "days": _days(verdict) if verdict else ""}
    response = render(http, "approvals/papers/verify.html", context)
    add_never_cache_headers(response)
    # The address may hold a token: no other site is told where its visitor came from, and no search engine keeps it.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _days(verdict: clearances.Verdict) -> str:
    if verdict.valid_from is None or verdict.valid_until is None:
        return ""
    words = {"from": date_format(verdict.valid_from), "to": date_format(verdict.valid_until)}
    return pgettext("days of a clearance", "%(from)s to %(to)s") % words


@require_safe
def verification_keys(http: HttpRequest) -> JsonResponse:
    """The public keys that sign clearances, for verifying without a connection: those in use, of before, withdrawn."""
    keys = [
        {
            "id": key.key_id,
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(bytes(key.public)).decode(),
            "signs_since": key.made_at.isoformat(),
            "signed_until": key.retired_at.isoformat() if key.retired_at else None,
            "withdrawn_at": key.withdrawn_at.isoformat() if key.withdrawn_at else None,
            "withdrawn_because": key.withdrawn_because or None,
        }
        for key in SigningKey.objects.all()
    ]
    response = JsonResponse({"keys": keys})
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    return response
