"""Tests marked `browser` need Chromium: skipped and counted where there is none, refused where one is required."""

import pytest

from tests import chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, or refuse, what cannot run here."""
    if chromium.path():
        return
    marked = [item for item in items if item.get_closest_marker("browser")]
    if marked and chromium.required():
        raise pytest.UsageError(f"{len(marked)} browser tests need Chromium, and REQUIRE_BROWSER is set.")
    for item in marked:
        item.add_marker(pytest.mark.skip(reason="no Chromium here"))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The program to give Playwright as `executable_path`."""
    found = chromium.path()
    assert found, "mark this test `browser`"
    return found
