"""Numbers of a quarter in which everything adds up, large enough for most of them to be published."""

import random
from itertools import product
from typing import Any

from figures import publishing
from figures.counting import Counted
from figures.publishing import publishable
from figures.suppression import TOTAL, suppress


def large(seed: int = 1, offices: int = 4, size: int = 300) -> Counted:
    """A quarter of large offices, in which everything adds up."""
    chance = random.Random(seed)
    counted = Counted(
        offices=[{"code": f"Q{n}", "zh": f"第{n}办公室", "en": f"Office {n}"} for n in range(offices)],
        codes=[{"code": f"T{n}", "zh": f"理由{n}", "en": f"Reason {n}"} for n in range(3)],
        values={},
    )
    days: dict[str, list[int]] = {TOTAL: []}
    values = dict.fromkeys(product(counted.layout.rows, counted.layout.columns), 0)
    for place in counted.layout.places:
        approved, denied, deemed = chance.randint(size // 2, size), chance.randint(0, size // 8), chance.randint(0, 12)
        decided = approved + denied + deemed
        late = deemed + chance.randint(0, approved // 6)
        upheld, overturned = chance.randint(0, 20), chance.randint(0, 9)
        row = {
            "received": decided + 12,
            "decided": decided,
            "approved": approved,
            "deemed": deemed,
            "denied": denied,
            "revoked": 0,
            "late": late,
            "in_time": decided - late,
            "open_late": chance.randint(0, 15),
            "filed": upheld + overturned,
            "appeals_ended": upheld + overturned,
            "upheld": upheld,
            "overturned": overturned,
            "appeal_withdrawn": 0,
        }
        for _case in range(denied):
            code = f"code:T{chance.randrange(3)}"
            row[code] = row.get(code, 0) + 1
        for column, number in row.items():
            values[place, column] += number
            values[TOTAL, column] += number
        days[place] = sorted(chance.randint(0, 25) for _one in range(decided))
        days[TOTAL] = sorted(days[TOTAL] + days[place])
    counted.values, counted.days = values, days
    return counted


def published_by(counted: Counted, before: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    hidden = suppress(counted.values, counted.layout, must=publishing._must(counted, before or []))
    return publishable(counted, hidden)
