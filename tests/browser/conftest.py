"""The story that the tests of a module look at, each module with its own copy."""

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.browser.story import Story, tell


@pytest.fixture(scope="module")
def story(site: LiveServer) -> Story:
    """A request in every state, and everybody who has to do with them."""
    return tell()
