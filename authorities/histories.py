"""Which office hears appeals against the decisions of which, in the audit log: in the chain of the office."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.roles import Actor, Role
from audit import setup, verbs
from authorities.models import Office

HEARD_BY, HEARD_BY_NONE = "office.heard_by", "office.heard_by_none"


def register() -> None:
    """Make the verbs recordable. Called once, when the app is ready."""
    verbs.register(HEARD_BY, lambda entry: _("Appeals against its decisions are heard by %(code)s.") % entry.data)
    verbs.register(
        HEARD_BY_NONE,
        gettext_lazy("No office is named any more for appeals against its decisions: the first other that can."),
    )


def record(office: Office, verb: str, *, actor: Actor, at: datetime, data: dict[str, Any] | None = None) -> None:
    """One entry in the chain of the office, with the change itself: the caller's transaction writes both or neither."""
    setup.record(office, verb, actor_id=actor.user_id, actor_role=Role.ADMINISTRATOR, at=at, data=data)
