"""The roles of the rule book, and the actor: a person with the roles held at one moment.

Imports nothing of ours, so that rules can speak of actors without knowing tables.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """Who a person can be. Each has a scope: an employee record, a company, an office, or the installation."""

    APPLICANT = "applicant", _("Applicant")
    OFFICER = "officer", _("Compliance officer")
    REVIEWER = "reviewer", _("Reviewer")
    SENIOR = "senior", _("Senior reviewer")
    HEAD = "head", _("Head of office")
    APPEAL_REVIEWER = "appeal_reviewer", _("Appeal reviewer")
    LIST_MANAGER = "list_manager", _("List manager")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")
    SYSTEM = "system", _("A clock of the system")


INSTALLATION_ROLES = (Role.LIST_MANAGER, Role.ADMINISTRATOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role, held in one place. `scope` is the id of the employee, company or office; None for the installation.

    `number` is the number under which the person acts there: the staff number of an employee, an officer's number.
    """

    role: Role
    scope: int | None = None
    number: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a person with the grants in force at one moment, or a clock of the system."""

    user_id: int | None
    name: str
    grants: frozenset[Grant] = frozenset()
    _scopes: dict[Role, frozenset[int | None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        scopes: dict[Role, set[int | None]] = {}
        for grant in self.grants:
            scopes.setdefault(grant.role, set()).add(grant.scope)
        object.__setattr__(self, "_scopes", {role: frozenset(ids) for role, ids in scopes.items()})

    def holds(self, role: Role, scope: int | None = None) -> bool:
        """Whether this actor holds `role` in `scope` (an id; None for a role of the installation)."""
        return scope in self._scopes.get(role, ())

    def scopes(self, role: Role) -> frozenset[int]:
        """The ids in which this actor holds `role`; empty when nowhere, and for a role of the installation."""
        return frozenset(scope for scope in self._scopes.get(role, ()) if scope is not None)

    def scopes_of_any(self, roles: Iterable[Role]) -> frozenset[int]:
        """The ids in which this actor holds at least one of `roles`."""
        return frozenset().union(*(self.scopes(role) for role in roles))

    def number_in(self, scope: int, roles: Iterable[Role]) -> str:
        """The number under which this actor acts in `scope`; empty when they hold none of `roles` there."""
        wanted = set(roles)
        return next((g.number for g in self.grants if g.scope == scope and g.role in wanted and g.number), "")

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere."""
        return frozenset(self._scopes)


SYSTEM = Actor(user_id=None, name="system", grants=frozenset({Grant(Role.SYSTEM)}))
NOBODY = Actor(user_id=None, name="")
