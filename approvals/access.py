"""Reading one request: in the actor's scope, and with a note of who looked when it is not the applicant."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import AccessEntry
from accounts.refusals import NotFound
from accounts.roles import Actor, Role
from approvals import queries, references
from approvals.models import TravelRequest


def role_towards(request: TravelRequest, actor: Actor) -> Role:
    """As whom `actor` looks at `request`: the closest of the roles that let them see it."""
    if actor.holds(Role.APPLICANT, request.applicant_id):
        return Role.APPLICANT
    if actor.holds(Role.OFFICER, request.company_id):
        return Role.OFFICER
    for role in queries.OFFICE_ROLES:
        if actor.holds(role, request.office_id):
            return role
    # The last: of a specialist office that was consulted.
    elsewhere = (Role.APPEAL_REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR, *queries.OFFICE_ROLES)
    return next(role for role in elsewhere if role in actor.roles)


def read(reference: str, *, actor: Actor, at: datetime, page: str) -> TravelRequest:
    """The request with this number, with all that a page about it shows, as of `at`.

    Refuses with NotFound a number that is none and what `actor` may not see. Whoever is not the applicant leaves an
    entry in the access log, under the name of the `page`.
    """
    try:
        number = references.normalised(reference)
    except references.NotAReference:
        number = ""
    found = queries.in_full(actor).filter(reference=number).first()
    if found is None:
        raise NotFound(_("There is no such request, or it is not yours to see."))
    role = role_towards(found, actor)
    if role is not Role.APPLICANT and actor.user_id is not None:
        AccessEntry.objects.create(at=at, user_id=actor.user_id, role=role, subject=found.pk, page=page)
    return found.as_of(at)
