"""How long data is kept, on the demonstration: periods short enough for its few months of history."""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.actors import actor_for
from accounts.models import User
from accounts.roles import Role
from approvals.demo import loading, printed
from approvals.models import TravelRequest
from notifications.models import OutboxEvent
from openness import corrections, retention
from openness.models import Correction, Held

# An installation keeps files for years: docs/retention.md says for how many, and why.
PERIODS = {
    Held.CLEARED: 135,
    Held.REFUSED: 1825,
    Held.GIVEN_UP: 60,
    Held.DRAFT: 30,
    Held.MESSAGE: 120,
    Held.JOB: 90,
    Held.EMPLOYEE: 365,
}
_DAY = timedelta(days=1)
_MOST = 500


@loading.further
def load(end: datetime) -> None:
    """After the history that ends at `end` (aware): a policy by two people, a draft of the next one, applicants who
    were told, so that their files go today, and a correction that is asked for and holds one of these files back."""
    admin = next(one for one in printed.ACCOUNTS if one.role == Role.ADMINISTRATOR)
    publisher = User.objects.get(email=admin.email)
    drafter = User.objects.filter(role_assignments__role=Role.ADMINISTRATOR).exclude(pk=publisher.pk).earliest("pk")
    at = end - 40 * _DAY
    with translation.override(publisher.language):
        why = _("The history of the demonstration is a few months long: short periods leave something to delete.")
        shorter = _("Requests that came to nothing are hardly ever taken up again after six weeks.")
    made = retention.draft(actor=actor_for(drafter, at=at), at=at, days=PERIODS, note=why)
    retention.publish(made.version, actor=actor_for(publisher, at=at + _DAY), at=at + _DAY)
    retention.tell(end - 15 * _DAY, limit=_MOST)
    at = end - 2 * _DAY
    retention.draft(actor=actor_for(drafter, at=at), at=at, days=PERIODS | {Held.GIVEN_UP: 45}, note=shorter)
    _ask_for_a_correction(end)
    # All of it was told when it happened.
    said = OutboxEvent.objects.filter(event__in=["retention.soon", "correction.asked"], done_at=None)
    said.update(done_at=F("at"), next_attempt_at=None)


def _ask_for_a_correction(end: datetime) -> None:
    at = end - 3 * _DAY
    over = {one.request_id for one in retention.due(end, limit=_MOST)}
    told = TravelRequest.unscoped.filter(pk__in=over, submitted_at__isnull=False, applicant__user__isnull=False)
    trip = told.select_related("applicant__user").order_by("created_at", "applicant__number").first()
    if trip is None:
        return
    user = trip.applicant.user
    assert user is not None
    with translation.override(user.language):
        texts = {
            "what": _("Host organisation"),
            "should_be": _("The name as it is on the invitation."),
            "why": _("The letter of invitation, which is with the documents."),
        }
    corrections.ask(
        actor=actor_for(user, at=at), at=at, about=Correction.About.REQUEST, subject=trip.reference, **texts
    )
