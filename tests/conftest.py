"""What every test can ask for."""

from collections.abc import Iterator

import pytest
from django.utils import translation

pytest_plugins = ["tests.database", "tests.browsing"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse to spread a group over the workers of xdist, which would tell its story and start its servers on each."""
    grouped = getattr(item.config.option, "loadgroup", False) and item.get_closest_marker("xdist_group")
    if grouped and "@" not in item.nodeid:
        pytest.fail("pytest-xdist does not know xdist_group with this pytest: see requirements/dev.in.", pytrace=False)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Sentences are asserted in the language they are written in; a test of another language says so."""
    with translation.override("en"):
        yield
