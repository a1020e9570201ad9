"""People, offices and requests for tests. Named people; requests come about by calling the verbs, as in life."""

from tests.factories.people import (
    CompanyFactory,
    EmployeeFactory,
    OfficeFactory,
    UserFactory,
    actor,
    employ,
    officer_of,
    posted,
    with_role,
)
from tests.factories.requests import (
    DENIAL,
    NOW,
    draft,
    fill,
    in_state,
    reason_code,
    submitted,
)

__all__ = [
    "DENIAL",
    "NOW",
    "CompanyFactory",
    "EmployeeFactory",
    "OfficeFactory",
    "UserFactory",
    "actor",
    "draft",
    "employ",
    "fill",
    "in_state",
    "officer_of",
    "posted",
    "reason_code",
    "submitted",
    "with_role",
]
