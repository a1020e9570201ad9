"""Somebody who wants to know what was suppressed: all published cells, exact arithmetic, and nothing of our methods.

The sums of the table, the limits that everybody knows (a reason is given in no more cases than were refused, …) and
that a suppressed cell is at least 1 are put into one linear programme over the rationals; of each suppressed cell the
least and the greatest possible value come out. A point, or a narrow interval, is a cell that was given away.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from figures.suppression import TOTAL, Cell, Layout

Row = dict[Cell, Fraction]
Bounds = tuple[Fraction, Fraction | None]


def equations(layout: Layout) -> Iterable[dict[Cell, int]]:
    """Everything that adds up: the sum of each is zero."""
    for column in layout.columns:
        yield {(place, column): 1 for place in layout.places} | {(TOTAL, column): -1}
    for row in layout.rows:
        for whole, ways in layout.parts.items():
            for way in ways:
                yield {(row, part): 1 for part in way} | {(row, whole): -1}


def intervals(values: Mapping[Cell, int], layout: Layout, hidden: Iterable[Cell]) -> dict[Cell, Bounds]:
    """The least and the greatest value (None: no limit) of each hidden cell, from the other cells alone.

    `values` gives a first solution to start from; what comes out does not depend on it.
    """
    hidden = sorted(hidden)
    unknown = {cell: number for number, cell in enumerate(hidden)}
    # Over z = x - 1 >= 0 for hidden cells: equations as they are, limits with a slack each.
    rows: list[tuple[dict[int, Fraction], Fraction]] = []
    slacks = len(unknown)
    start = {unknown[cell]: Fraction(values[cell] - 1) for cell in hidden}
    limits = [{(row, column): by for column, by in limit.items()} for row in layout.rows for limit in layout.limits]
    for terms, is_limit in [*((one, False) for one in equations(layout)), *((one, True) for one in limits)]:
        known = sum(by * values[cell] for cell, by in terms.items() if cell not in unknown)
        left = {unknown[cell]: Fraction(by) for cell, by in terms.items() if cell in unknown}
        if not left:
            continue
        right = Fraction(-known - sum(int(by) for by in left.values()))
        if is_limit:
            left[slacks] = Fraction(1)
            start[slacks] = right - sum(by * start[number] for number, by in left.items() if number != slacks)
            slacks += 1
        rows.append((left, right))
    simplex = _Simplex(rows, start)
    return {cell: (1 + simplex.least(number), _plus_one(simplex.greatest(number))) for cell, number in unknown.items()}


def _plus_one(value: Fraction | None) -> Fraction | None:
    return None if value is None else value + 1


class _Simplex:
    """Exact, from a known solution, by Bland's rule (so that it ends)."""

    def __init__(self, rows: list[tuple[dict[int, Fraction], Fraction]], start: dict[int, Fraction]) -> None:
        self.number = len(start)
        self.rows: list[dict[int, Fraction]] = []
        self.right: list[Fraction] = []
        self.basis: list[int] = []
        # Variables that are positive in the known solution become basic first; those at zero when none is left.
        for left, right in rows:
            row, constant = dict(left), right
            for basic, other, there in zip(self.basis, self.rows, self.right, strict=True):
                if factor := row.get(basic):
                    row = _less(row, other, factor)
                    constant -= factor * there
            if not row:
                assert constant == 0, "the known solution is none"
                continue
            pivot = max(row, key=lambda one: (start[one] > 0, start[one]))
            self._enter(row, constant, pivot)
        self._to_vertex(start)

    def _enter(self, row: dict[int, Fraction], constant: Fraction, pivot: int) -> None:
        factor = row[pivot]
        row = {one: by / factor for one, by in row.items()}
        constant /= factor
        for index, other in enumerate(self.rows):
            if by := other.get(pivot):
                self.rows[index] = _less(other, row, by)
                self.right[index] -= by * constant
        self.rows.append(row)
        self.right.append(constant)
        self.basis.append(pivot)

    def _to_vertex(self, start: dict[int, Fraction]) -> None:
        """Push each variable beside the basis down to zero, exchanging it for a basic one that reaches zero first."""
        now = dict(start)
        for entering in range(self.number):
            if entering in self.basis or now[entering] == 0:
                continue
            # Going down by t, the basic ones change by row[entering] * t; which of them is at zero first?
            best, leaving = now[entering], -1
            for index, row in enumerate(self.rows):
                by = row.get(entering, Fraction())
                if by < 0 and now[self.basis[index]] / -by < best:
                    best, leaving = now[self.basis[index]] / -by, index
            for index, row in enumerate(self.rows):
                now[self.basis[index]] += row.get(entering, Fraction()) * best
            now[entering] -= best
            if leaving >= 0:
                self._pivot(leaving, entering)
        assert all(value >= 0 for value in self.right)

    def _pivot(self, leaving: int, entering: int) -> None:
        row, constant = self.rows[leaving], self.right[leaving]
        factor = row[entering]
        row, constant = {one: by / factor for one, by in row.items()}, constant / factor
        for index, other in enumerate(self.rows):
            if index != leaving and (by := other.get(entering)):
                self.rows[index] = _less(other, row, by)
                self.right[index] -= by * constant
        self.rows[leaving], self.right[leaving], self.basis[leaving] = row, constant, entering

    def greatest(self, number: int) -> Fraction | None:
        return self._best(number, 1)

    def least(self, number: int) -> Fraction:
        found = self._best(number, -1)
        assert found is not None
        return -found

    def _best(self, number: int, sign: int) -> Fraction | None:
        """The greatest of sign * variable; None: it has no limit."""
        while True:
            if number in self.basis:
                at = self.basis.index(number)
                gains = {one: -sign * by for one, by in self.rows[at].items() if one != number}
            else:
                gains = {number: Fraction(sign)}
            entering = min((one for one, gain in gains.items() if gain > 0), default=None)
            if entering is None:
                return sign * (self.right[self.basis.index(number)] if number in self.basis else Fraction())
            ratios = [
                (self.right[index] / by, self.basis[index], index)
                for index, row in enumerate(self.rows)
                if (by := row.get(entering, Fraction())) > 0
            ]
            if not ratios:
                return None
            self._pivot(min(ratios)[2], entering)


def _less(row: dict[int, Fraction], other: dict[int, Fraction], factor: Fraction) -> dict[int, Fraction]:
    left = dict(row)
    for one, by in other.items():
        value = left.get(one, Fraction()) - factor * by
        if value:
            left[one] = value
        else:
            left.pop(one, None)
    return left
