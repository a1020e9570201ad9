"""Benches: what we do against a floor, the same rows by hand-written SQL, in the same run. `manage.py bench NAME`.

A bench is a module `bench/NAME.py` with a first docstring line, `ROWS`, the default size (small enough for a minute),
and `run(*, rows, say)`, which prints its table through `say` and returns a `Result`. It finds a migrated database and a
Valkey of its own, on the embedded servers unless others are named, and with DEBUG off. Nothing is asserted.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[str], object]


@dataclass(frozen=True)
class Result:
    """The last line of a bench. `ratio` is ours against the floor, in the direction that bench.md gives for it."""

    ratio: float
    floor: float
    ours: float
    unit: str
    n: int
    queries: int | None = None


def alternating(floor: Callable[[], object], ours: Callable[[], object], *, rounds: int = 5) -> tuple[float, float]:
    """The median seconds that `floor` and `ours` take, run in turns, so that a slow moment of the machine hits both."""
    seconds: dict[Callable[[], object], list[float]] = {floor: [], ours: []}
    for _ in range(rounds):
        for work, taken in seconds.items():
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    return statistics.median(seconds[floor]), statistics.median(seconds[ours])
