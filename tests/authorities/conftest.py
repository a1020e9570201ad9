from collections.abc import Iterator

import pytest

from authorities import calendars, policies
from authorities.models import Office
from tests.factories.people import OfficeFactory


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a test publishes and rolls back is not remembered by the next one."""
    calendars.forget()
    policies.forget()
    yield
    calendars.forget()
    policies.forget()


@pytest.fixture
def office(db: None) -> Office:
    return OfficeFactory.create(code="BJ-HD")


@pytest.fixture
def other_office(db: None) -> Office:
    return OfficeFactory.create(code="SH-XH", name_zh="徐汇办公室", name_en="Xuhui office", city="Shanghai")
