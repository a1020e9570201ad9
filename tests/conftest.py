"""What every test can ask for."""

from collections.abc import Iterator

import pytest
from django.utils import translation

pytest_plugins = ["tests.database", "tests.browsing"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to spread a group over the workers of xdist, which would tell its story and start its servers on each."""
    grouped = [item for item in items if item.get_closest_marker("xdist_group")]
    if getattr(config.option, "loadgroup", False) and not all("@" in item.nodeid for item in grouped):
        raise pytest.UsageError("This pytest and this pytest-xdist together do not know xdist_group: see dev.in.")


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Sentences are asserted in the language they are written in; a test of another language says so."""
    with translation.override("en"):
        yield
