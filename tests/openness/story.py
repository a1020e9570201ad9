"""A request of long ago, so that its time is over by whatever clock the database has."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from approvals.models import TravelRequest
from approvals.states import State
from openness.models import DeletionNotice
from tests.factories import in_state
from tests.factories.requests import Cast

THEN = datetime(2021, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
LEGS = [
    {
        "country": "BR",
        "city": "Rio de Janeiro",
        "arrives_on": date(2021, 4, 22),
        "leaves_on": date(2021, 4, 28),
        "host": "ICLR Foundation",
    }
]
LONG_AFTER = datetime(2025, 6, 1, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
"""When the files of requests of 2021 are over, denied ones excepted."""


def ended(state: State = State.CLOSED, *, told: bool = True, **values: object) -> Cast:
    """A request of 2021 that ended in `state`, whose applicant was told in time before LONG_AFTER."""
    cast = in_state(state, at=THEN, legs=LEGS, **values)
    if told:
        tell_of(cast.request)
    return cast


def tell_of(request: TravelRequest) -> None:
    """The notice that the applicant got."""
    at = LONG_AFTER - timedelta(days=20)
    DeletionNotice.objects.create(request=request, at=at, erase_at=at + timedelta(days=14))


def alice(cast: Cast) -> User:
    """The applicant's account."""
    assert cast.applicant.user is not None
    return cast.applicant.user


def today() -> datetime:
    """Now by the clock of this machine, which is that of the database."""
    return timezone.now()
