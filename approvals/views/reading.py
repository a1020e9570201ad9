"""Opening one request for a page."""

from datetime import datetime

from django.http import Http404
from django.utils import timezone

from accounts.http import ActorRequest
from accounts.refusals import NotFound
from approvals import access
from approvals.models import TravelRequest
from approvals.states import State


def open_request(http: ActorRequest, reference: str, *, page: str, at: datetime | None = None) -> TravelRequest:
    """The request with this number, for the person of this page, as of `at` (now); Http404 when they may not see it."""
    try:
        return access.read(reference, actor=http.actor, at=at or timezone.now(), page=page)
    except NotFound as refusal:
        raise Http404(str(refusal)) from refusal


def company_asks(request: TravelRequest) -> str:
    """What the company asked to change, while the request is returned for that; else nothing."""
    if request.state != State.RETURNED:
        return ""
    review = request.companyreviews.filter(outcome="returned").order_by("-at").first()
    return review.comment if review else ""
