"""A process that sweeps and delivers all the time, as worker and beat do together, to be killed by tests.

`python -m tests.approvals.sweeper MOMENT_FILE [naive]`. The clock is passed in: the file holds the moment (ISO) at
which it acts, and may be changed while it runs. `naive` does the same without claim, transaction and unique row: what
an oracle has to catch.
"""

import contextlib
import os
import sys
import time
from datetime import datetime
from pathlib import Path

# Small batches, so that there is a middle to be killed in.
BATCH = 20


def act(at: datetime) -> None:
    """One look of a worker: sweep, then tell people."""
    from approvals import sweeping
    from notifications import delivery

    sweeping.sweep(at=at, batch=BATCH)
    delivery.deliver(at=at)


def act_naively(at: datetime) -> None:
    """What a sweep is without claim and unique row: look, act, mark, each on its own."""
    from approvals.models import Clock, CompanyReview, TravelRequest
    from notifications import delivery, outbox

    for clock in list(Clock.objects.filter(kind="company", ended_at=None, next_action_at__lte=at)):
        request = TravelRequest.unscoped.get(pk=clock.request_id)
        CompanyReview.objects.create(request=request, revision_id=request.revision_id, outcome="silent", at=at)
        time.sleep(0.01)  # where a mail would be sent
        outbox.emit("request.forward", subject=request.pk, at=at, data={"state": "authority_review"}).save()
        TravelRequest.unscoped.filter(pk=request.pk).update(state="authority_review")
        Clock.objects.filter(pk=clock.pk).update(ended_at=at, next_action_at=None)
    delivery.deliver(at=at)


def main(moment: Path, naive: bool) -> None:
    import django

    django.setup()
    from django.db import DatabaseError, InterfaceError, connection

    while True:
        try:
            (act_naively if naive else act)(datetime.fromisoformat(moment.read_text()))
        except (DatabaseError, InterfaceError) as error:
            # As Celery does: the task is lost, the next tick comes on a new connection.
            sys.stderr.write(f"lost: {error}\n")
            with contextlib.suppress(Exception):
                connection.close()
            time.sleep(0.2)
        time.sleep(0.03)
        if os.getppid() == 1:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), "naive" in sys.argv[2:])
