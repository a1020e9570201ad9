"""Publishing a large version while people submit: how long a submission waits for it at most.

One client submits request after request; meanwhile another publishes a version with so many entries, and copies it into
the next draft. Ours is the longest submission while that goes on, floor the longest while nothing is published, in
milliseconds. To reach: no submission waits more than 100 ms longer.
"""

import statistics
import threading
import time
from random import Random

from django.db import connections
from django.utils import timezone

from approvals import workflow
from bench import Result, Say
from bench._lists import Keepers
from bench.lifecycle import Case, Setting
from sensitivity import publishing
from sensitivity.models import ListKind

ROWS = 100_000
_CASES = 400


def run(*, rows: int, say: Say) -> Result:
    keepers = Keepers(timezone.now())
    version = keepers.draft(ListKind.ORGANISATION, rows, random=Random(7), say=say)
    cases = Setting().cases(_CASES)
    half = len(cases) // 2
    quiet = _submit(cases[:half], threading.Event())
    over = threading.Event()
    took: dict[str, float] = {}

    def publish() -> None:
        try:
            begin = time.perf_counter()
            keepers.publish(version)
            took["publish"] = time.perf_counter() - begin
            begin = time.perf_counter()
            publishing.draft(version.list_id, actor=keepers.author, at=timezone.now())
            took["draft"] = time.perf_counter() - begin
        finally:
            over.set()
            connections.close_all()

    publisher = threading.Thread(target=publish)
    publisher.start()
    busy = _submit(cases[half:], over)
    publisher.join()
    say(f"{rows:,} entries; published in {took['publish'] * 1000:.0f} ms, copied in {took['draft']:.1f} s\n")
    for name, taken in (("nothing published", quiet), ("while publishing", busy)):
        say(f"  {name:18} {len(taken):4} submissions, median {statistics.median(taken):6.1f} ms, ")
        say(f"longest {max(taken):6.1f} ms\n")
    say(f"  longest wait because of it: {max(busy) - max(quiet):.1f} ms (to reach: 100)\n")
    return Result(ratio=max(busy) / max(quiet), floor=max(quiet), ours=max(busy), unit="ms", n=rows)


def _submit(cases: list[Case], over: threading.Event) -> list[float]:
    """The milliseconds that each submission takes, until the cases are used up or, after some, `over` is set."""
    taken = []
    for case in cases:
        begin = time.perf_counter()
        workflow.submit(case.request_id, actor=case.applicant, at=timezone.now())
        taken.append((time.perf_counter() - begin) * 1000)
        if over.is_set():
            break
    return taken
