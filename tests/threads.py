"""Several people at once: threads with connections of their own, all starting at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection
from django.utils import translation

Act = Callable[[], Any]


class Crowd:
    """People who act at the same moment, again and again. Use as a context manager."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> "Crowd":
        self._threads = ThreadPoolExecutor(self.size)
        self._barrier = Barrier(self.size, timeout=30)
        return self

    def __exit__(self, *raised: object) -> None:
        self._together([lambda: connection.close()] * self.size)  # each thread has its own
        self._threads.shutdown()

    def at_once(self, acts: Sequence[Act]) -> list[Any]:
        """What each of `acts` returned, or the exception that it raised, in their order."""
        assert len(acts) == self.size
        return self._together(acts)

    def _together(self, acts: Sequence[Act]) -> list[Any]:
        language = translation.get_language() or "en"

        def act(what: Act) -> Any:
            self._barrier.wait()
            try:
                with translation.override(language):
                    return what()
            except Exception as error:
                return error

        return list(self._threads.map(act, acts))
