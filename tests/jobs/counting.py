"""A worker of its own, to be killed: `python -m tests.jobs.counting [BATCH]` counts until it is done, or stops in the
middle of that batch, with what the batch wrote not yet committed, and says so."""

import signal
import sys
import time
from datetime import datetime

import django

KIND, BATCHES = "test-counting", 12


def worker(stop_in: int | None) -> None:
    """Work until the job is over, as beat would have it: again and again."""
    from django.utils import timezone

    from accounts.models import User
    from jobs import work
    from jobs.models import Job

    def step(job: Job, at: datetime) -> bool:
        number = job.cursor.get("number", 0)
        # An address can be given once: a batch that is done twice fails.
        User.objects.create_user(f"batch-{number}@jobs.example", f"Batch {number}")
        if number == stop_in:
            print("stopped", flush=True)
            signal.pause()
        job.cursor, job.done, job.total = {"number": number + 1}, number + 1, BATCHES
        return number + 1 == BATCHES

    work.register(work.Work(kind=KIND, label="Counting", step=step))
    while Job.objects.open().filter(kind=KIND).exists():
        work.run_due(clock=timezone.now)
        time.sleep(0.02)


if __name__ == "__main__":
    django.setup()
    worker(int(sys.argv[1]) if len(sys.argv) > 1 else None)
