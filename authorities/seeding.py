"""What every installation begins with: China's calendar and the rule book's clock policy, for all offices."""

from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.utils import timezone

from authorities import calendars, policies
from authorities.models import CalendarYear, ClockPolicy

# Before any request: demonstration data reaches back.
BEGINNING = datetime(2018, 1, 1, tzinfo=UTC)


def after_migrate(*, using: str, plan: list[tuple[Any, bool]], **kwargs: Any) -> None:
    """Receiver of post_migrate, which also follows a flush: puts the beginnings into a database that has none."""
    if any(backwards for _, backwards in plan):
        return
    if ClockPolicy._meta.db_table in connections[using].introspection.table_names():
        begin(using=using)


def begin(*, using: str = "default") -> None:
    """Bring the national calendar and the rule book's policy into force where there is none. Else does nothing."""
    if not CalendarYear.objects.using(using).exists():
        calendars.seed(None, range(calendars.FIRST_SEEDED, timezone.now().year + 3), using=using)
    if not ClockPolicy.objects.using(using).exists():
        row = policies.draft(None, effective_from=BEGINNING, note="The rule book", using=using)
        policies.publish(row.pk, at=timezone.now(), using=using)
