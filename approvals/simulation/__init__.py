"""A year of offices in simulated time, for planning and as the strongest test of the whole: `manage.py simulate`.

`plan` says what to simulate, `town` makes the people, `year` lets them act through the verbs, with the real sweep and
the real delivery in between, `invariants` looks at everything that was written, `figures` and `picture` show it, and
`scratch` gives databases that are dropped afterwards. It never runs where there are requests already.
"""

from approvals.simulation.figures import Figures, compared, table
from approvals.simulation.invariants import INVARIANTS, broken
from approvals.simulation.plan import Plan
from approvals.simulation.year import SimulationRefused, live

__all__ = ["INVARIANTS", "Figures", "Plan", "SimulationRefused", "broken", "compared", "live", "table"]
