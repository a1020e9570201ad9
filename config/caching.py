"""A cache that may be away: then nothing is found in it and nothing is kept, and the pages go on from the database."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import ConnectionError as Away
from redis.exceptions import TimeoutError as TooSlow

logger = logging.getLogger(__name__)


def _or(instead: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def tolerant(self: Any, *args: Any) -> Any:
        try:
            return method(self, *args)
        except (Away, TooSlow) as error:
            logger.warning("The cache is away: %s", error)
            return instead(*args)

    return tolerant


class _Client(RedisCacheClient):
    get = _or(lambda key, default: default, RedisCacheClient.get)
    get_many = _or(lambda keys: {}, RedisCacheClient.get_many)
    has_key = _or(lambda key: False, RedisCacheClient.has_key)
    set = _or(lambda key, value, timeout: None, RedisCacheClient.set)
    set_many = _or(lambda data, timeout: None, RedisCacheClient.set_many)
    add = _or(lambda key, value, timeout: True, RedisCacheClient.add)
    touch = _or(lambda key, timeout: False, RedisCacheClient.touch)
    delete = _or(lambda key: False, RedisCacheClient.delete)
    # Counting is not here: there is no honest number.


class Cache(RedisCache):
    """Django's cache in Redis or Valkey; a server that does not answer within two seconds is an empty cache."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
        options: dict[str, Any] = getattr(self, "_options", {})
        self._options = {"socket_connect_timeout": 2, "socket_timeout": 2, **options}
