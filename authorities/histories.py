"""What is set up about an office, in the audit log: one chain for each office."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import audit
from accounts.roles import Actor, Role
from audit import verbs
from audit.models import Entry
from authorities.models import OfficeHistory

HEARD_BY, HEARD_BY_NONE = "office.heard_by", "office.heard_by_none"


def register() -> None:
    """Make the verbs recordable. Called once, when the app is ready."""
    verbs.register(HEARD_BY, lambda entry: _("Appeals against its decisions are heard by %(code)s.") % entry.data)
    verbs.register(
        HEARD_BY_NONE,
        gettext_lazy("No office is named any more for appeals against its decisions: the first other that can."),
    )


def record(office_id: int, verb: str, *, actor: Actor, at: datetime, data: dict[str, Any] | None = None) -> None:
    """One entry in the chain of the office, with the change itself: the caller's transaction writes both or neither."""
    with transaction.atomic():
        OfficeHistory.objects.get_or_create(office_id=office_id)
        history = OfficeHistory.objects.select_for_update(no_key=True).get(office_id=office_id)
        audit.record(
            history, verb, actor_id=actor.user_id, actor_role=Role.ADMINISTRATOR, at=at, data=data or {}
        ).save()
        history.save()


def entries(office_id: int) -> QuerySet[Entry, Entry]:
    """What is in the audit log about how the office was set up, in order."""
    chain = OfficeHistory.objects.filter(office=office_id).values("pk")
    return Entry.objects.filter(chain__in=chain).order_by("sequence")
