"""A case from submission to approval as in `lifecycle`, by four clients at once. To reach: at least 0.55."""

from functools import partial

from bench.lifecycle import measure

ROWS = 120

run = partial(measure, clients=4)
