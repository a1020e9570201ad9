"""Opening one request for a page."""

from datetime import datetime

from django.http import Http404
from django.utils import timezone

from accounts.http import ActorRequest
from accounts.refusals import NotFound
from approvals import access
from approvals.models import TravelRequest


def open_request(http: ActorRequest, reference: str, *, page: str, at: datetime | None = None) -> TravelRequest:
    """The request with this number, for the person of this page, as of `at` (now); Http404 when they may not see it."""
    try:
        return access.read(reference, actor=http.actor, at=at or timezone.now(), page=page)
    except NotFound as refusal:
        raise Http404(str(refusal)) from refusal
