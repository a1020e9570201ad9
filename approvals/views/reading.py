"""Opening one request: in the actor's scope, and with a note of who looked when it is not the applicant."""

from datetime import datetime

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.http import ActorRequest
from accounts.models import AccessEntry
from accounts.roles import Actor, Role
from approvals import queries, references
from approvals.models import TravelRequest


def role_towards(request: TravelRequest, actor: Actor) -> Role:
    """As whom `actor` looks at `request`: the closest of the roles that let them see it."""
    if actor.holds(Role.APPLICANT, request.applicant_id):
        return Role.APPLICANT
    if actor.holds(Role.OFFICER, request.company_id):
        return Role.OFFICER
    for role in (Role.REVIEWER, Role.SENIOR, Role.HEAD):
        if actor.holds(role, request.office_id):
            return role
    return next(role for role in (Role.APPEAL_REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR) if role in actor.roles)


def open_request(http: ActorRequest, reference: str, *, page: str, at: datetime | None = None) -> TravelRequest:
    """The request with this number, for the person of this page, as of `at` (now); Http404 when they may not see it.

    Whoever is not the applicant leaves an entry in the access log, under the name of the `page`.
    """
    at = at or timezone.now()
    try:
        number = references.normalised(reference)
    except references.NotAReference as error:
        raise Http404(_("There is no such request, or it is not yours to see.")) from error
    found = queries.in_full(http.actor).filter(reference=number).first()
    if found is None:
        raise Http404(_("There is no such request, or it is not yours to see."))
    role = role_towards(found, http.actor)
    if role is not Role.APPLICANT:
        AccessEntry.objects.create(at=at, user_id=http.user.pk, role=role, subject=found.pk, page=page)
    return found.as_of(at)
