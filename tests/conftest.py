"""What every test can ask for."""

from collections.abc import Iterator

import pytest
from django.utils import translation

pytest_plugins = ["tests.database", "tests.browsing"]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Sentences are asserted in the language they are written in; a test of another language says so."""
    with translation.override("en"):
        yield
