"""Values that are read from the database rarely and used on every step."""

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# How long a process may go without noticing what another process published.
REREAD_SECONDS = 30.0


class Reread(Generic[K, V]):
    """Keeps what `read` gave for a key and reads again after `REREAD_SECONDS`, or after `forget`.

    `read` takes the key and what it gave before (None the first time), so that it can look whether anything changed
    before it builds anything.
    """

    def __init__(self, read: Callable[[K, V | None], V]) -> None:
        self._read = read
        self._kept: dict[K, tuple[float, V]] = {}

    def __call__(self, key: K) -> V:
        kept = self._kept.get(key)
        if kept is not None and monotonic() - kept[0] < REREAD_SECONDS:
            return kept[1]
        now = monotonic()
        value = self._read(key, kept[1] if kept else None)
        self._kept[key] = (now, value)
        return value

    def forget(self) -> None:
        """Read again the next time."""
        self._kept.clear()
