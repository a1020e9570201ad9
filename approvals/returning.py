"""Cases whose reviewer has left the office or is away for longer go back to the office's queue, by themselves."""

import logging
from datetime import datetime

from accounts.refusals import Refused
from approvals import queries, rules, workflow

logger = logging.getLogger(__name__)

# So many cases are looked at in a go: the rest waits for the next minute.
BATCH = 500


def return_cases(*, at: datetime, limit: int = BATCH) -> int:
    """Give back the cases whose reviewer is not there at `at` (aware), the longest due first; how many were.

    Each in a transaction of its own, judged again under its lock: safe to run twice, or on two machines. A case that
    fails is logged, fails alone, and is found again a minute later.
    """
    rules.moment_is_aware(at)
    returned = 0
    for request_id in queries.without_reviewer(at=at, limit=limit):
        try:
            workflow.return_to_queue(request_id, at=at)
        except Refused:
            continue  # taken, handed over or decided meanwhile
        except Exception:
            logger.exception("case %s could not be given back", request_id)
            continue
        returned += 1
    return returned
