"""Without its cache the product is slower and otherwise the same."""

import socket
from contextlib import closing

import pytest
from django.core.cache import caches
from django.test import Client
from redis.exceptions import ConnectionError as Away

from config.caching import Cache
from tests.factories import UserFactory


@pytest.fixture
def away() -> Cache:
    """A cache on a port where nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Cache(f"redis://127.0.0.1:{port}/0", {})


@pytest.fixture
def product_without_cache(away: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's cache is the one that is away."""
    monkeypatch.setattr(caches["default"], "_servers", away._servers)
    monkeypatch.delitem(vars(caches["default"]), "_cache", raising=False)


def test_a_cache_that_is_away_is_empty(away: Cache) -> None:
    away.set("who", "Alice")
    away.set_many({"who": "Alice"})
    assert away.get("who") is None
    assert away.get("who", "nobody") == "nobody"
    assert away.get_many(["who"]) == {}
    assert "who" not in away
    assert away.add("who", "Alice")
    assert not away.touch("who")
    assert not away.delete("who")


def test_what_cannot_be_counted_is_not_guessed(away: Cache) -> None:
    with pytest.raises(Away):
        away.incr("attempts")


@pytest.mark.django_db
def test_who_is_signed_in_stays_signed_in(client: Client, product_without_cache: None) -> None:
    client.force_login(UserFactory.create())
    assert client.get("/notifications/").status_code == 200


@pytest.mark.django_db
def test_signing_in_works(client: Client, product_without_cache: None) -> None:
    user = UserFactory.create(password="correct horse battery staple")
    answer = client.post("/accounts/login/", {"login": user.email, "password": "correct horse battery staple"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
