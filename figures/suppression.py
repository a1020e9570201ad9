"""Which cells of a table of counts are not published, so that no published total gives them away. Pure.

A cell of 1 to 9 is suppressed (primary). A suppressed cell could still be computed from the totals around it, so more
cells are suppressed (complementary) until for each suppressed cell there is *another table*, equal in every published
cell, in which that cell is far enough from what it is. Those other tables are found by moves that keep every sum: a
few units more here, as many fewer there (the hypercube method of statistical offices, over linked tables). What is
found is a proof, not a guess; what is not found is not believed, and one more cell is suppressed.

Zeros are published: that nobody was refused somewhere is what the public should know, and says nothing of a person.
So whoever attacks knows that a suppressed cell is at least 1, and the proofs respect that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

THRESHOLD = 10
"""Counts below it, zero excepted, are not published."""
WIDTH = THRESHOLD - 1
"""For each suppressed cell the published cells leave at least so many whole values besides the true one."""
TOTAL = ""
"""The place that is all places together."""

Cell = tuple[str, str]
"""(place, column)."""
Vector = Mapping[str, int]


@dataclass(frozen=True)
class Layout:
    """What is known of the columns of a table, whatever its numbers: also to whoever wants to know too much.

    `places` are the rows, without the total, which is their sum. `parts` says that a column is the sum of others, once
    for each way in which it is divided. `codes` are columns that count the cases of `refusals` by reason; a case counts
    under each of its reasons and has one at least. `within`: (a, b) where every case of a is one of b.
    """

    places: Sequence[str]
    columns: Sequence[str]
    parts: Mapping[str, Sequence[Sequence[str]]]
    codes: Sequence[str] = ()
    refusals: Sequence[str] = ()
    within: Sequence[tuple[str, str]] = ()

    @property
    def rows(self) -> list[str]:
        """The places and their total."""
        return [*self.places, TOTAL]

    @cached_property
    def limits(self) -> list[Vector]:
        """Sums over the columns of a row, with these signs, that are never above zero."""
        found: list[Vector] = [{a: 1, b: -1} for a, b in self.within]
        refused = dict.fromkeys(self.refusals, -1)
        found += [{code: 1, **refused} for code in self.codes]
        if self.codes:
            found.append(dict.fromkeys(self.refusals, 1) | dict.fromkeys(self.codes, -1))
        return found

    @cached_property
    def circuits(self) -> Mapping[str, list[Vector]]:
        """For each column: the ways in which it grows by one within a row and every sum of the row still holds."""
        divided = {part for ways in self.parts.values() for way in ways for part in way}
        found: list[dict[str, int]] = [
            {column: 1} for column in self.columns if column not in divided and column not in self.parts
        ]
        for whole, ways in self.parts.items():
            found += [dict.fromkeys((whole, *chosen), 1) for chosen in product(*ways)]
            swaps: list[list[dict[str, int]]] = [
                [sign for a, b in combinations(way, 2) for sign in ({a: 1, b: -1}, {a: -1, b: 1})] for way in ways
            ]
            found += [one for way in swaps for one in way]
            found += [one | other for first, second in combinations(swaps, 2) for one in first for other in second]
        with_codes = []
        for one in found:
            if grows := sum(one.get(refusal, 0) for refusal in self.refusals):
                with_codes += [one | {code: grows} for code in self.codes]
        by_column: dict[str, list[Vector]] = {column: [] for column in self.columns}
        # The same forwards and backwards is one circuit; it is kept in the direction in which the column grows.
        for one in [*found, *with_codes]:
            for column, sign in one.items():
                turned = {name: sign * by for name, by in one.items()}
                if turned not in by_column[column]:
                    by_column[column].append(turned)
        for ways_of in by_column.values():
            ways_of.sort(key=lambda one: (len(one), sorted(one)))
        return by_column

    def directions(self, place: str) -> Iterator[Vector]:
        """The ways in which `place` grows by one and the total over the places still holds."""
        if place == TOTAL:
            yield from ({TOTAL: 1, other: 1} for other in self.places)
        else:
            yield from ({place: 1, other: -1} for other in self.places if other != place)
            yield {place: 1, TOTAL: 1}


def suppress(
    values: Mapping[Cell, int], layout: Layout, *, must: Iterable[Cell] = (), threshold: int = THRESHOLD
) -> frozenset[Cell]:
    """The cells of `values` that are not to be published.

    `values` has every cell of `layout`, totals too. `must`: cells to be suppressed whatever their size, such as those
    of which an earlier version said nothing; zeros among them are published all the same.
    ValueError when the sums do not hold: then nothing that is said about them would protect anything.
    """
    check(values, layout)
    small = {cell for cell, value in values.items() if 0 < value < threshold}
    return _Search(values, layout, threshold - 1).run(small | {cell for cell in must if values[cell]})


def check(values: Mapping[Cell, int], layout: Layout) -> None:
    """ValueError unless every count is there, none is negative, and every sum and limit of `layout` holds."""
    if set(values) != set(product(layout.rows, layout.columns)):
        raise ValueError("a cell is missing, or there is one too many")
    if any(value < 0 for value in values.values()):
        raise ValueError("a count is negative")
    for column in layout.columns:
        if sum(values[place, column] for place in layout.places) != values[TOTAL, column]:
            raise ValueError(f"the places do not add up: {column}")
    for row in layout.rows:
        for whole, ways in layout.parts.items():
            if any(sum(values[row, part] for part in way) != values[row, whole] for way in ways):
                raise ValueError(f"the parts of {whole} do not add up in {row!r}")
        for limit in layout.limits:
            if sum(by * values[row, column] for column, by in limit.items()) > 0:
                raise ValueError(f"a part is more than the whole in {row!r}: {sorted(limit)}")


Move = Mapping[Cell, int]


class _Search:
    """The suppressed cells as they grow, and the proofs."""

    def __init__(self, values: Mapping[Cell, int], layout: Layout, width: int) -> None:
        self.values, self.layout, self.width = values, layout, width
        self._moves: dict[Cell, list[Move]] = {}

    def run(self, must: set[Cell]) -> frozenset[Cell]:
        hidden, waiting = set(must), sorted(must)
        while waiting:
            cell = waiting.pop()
            while self._room(cell, hidden) < self.width:
                new = self._cheapest(cell, hidden)
                hidden |= new
                waiting += sorted(new)
        self._publish_again(hidden, must)
        return frozenset(hidden)

    def _cheapest(self, cell: Cell, hidden: set[Cell]) -> set[Cell]:
        """The fewest, and then the least, further cells with which there is room enough, or at least more room."""
        offers = {frozenset(set(move) - hidden) for move in self._moves_of(cell)} - {frozenset()}
        before, best, most = self._room(cell, hidden), frozenset[Cell](), -1
        for new in sorted(offers, key=self._cost):
            room = self._room(cell, hidden | new)
            if room >= self.width:
                return set(new)
            if room > max(before, most):
                best, most = new, room
        if not best:
            # Only together: what has the fewest new cells brings the next step nearer.
            best = min(offers, key=self._cost, default=best)
        if not best:
            raise ValueError(f"{cell} cannot be protected")
        return set(best)

    def _cost(self, new: frozenset[Cell]) -> tuple[int, int, int, list[Cell]]:
        totals = sum(place == TOTAL for place, _column in new)
        return len(new), totals, sum(self.values[cell] for cell in new), sorted(new)

    def _publish_again(self, hidden: set[Cell], must: set[Cell]) -> None:
        """Take back each complementary cell without which every proof still holds, totals and large ones first."""
        for cell in sorted(hidden - must, key=lambda one: (one[0] != TOTAL, -self.values[one], one)):
            fewer = hidden - {cell}
            if all(self._room(one, fewer) >= self.width for one in fewer):
                hidden.discard(cell)

    def _moves_of(self, cell: Cell) -> list[Move]:
        """The moves by which `cell` grows by one, without those that touch a zero: zeros are published."""
        if cell not in self._moves:
            place, column = cell
            self._moves[cell] = [
                {(row, name): by * way for row, by in direction.items() for name, way in circuit.items()}
                for circuit in self.layout.circuits[column]
                if all(self.values[place, name] for name in circuit)
                for direction in self.layout.directions(place)
                if all(self.values[row, name] for row in direction for name in circuit)
            ]
        return self._moves[cell]

    def _room(self, cell: Cell, hidden: set[Cell] | frozenset[Cell]) -> int:
        """How far apart two tables are in `cell` that have all cells but `hidden` in common; `width` is enough."""
        moves = [move for move in self._moves_of(cell) if move.keys() <= hidden]
        up = self._reach(moves, 1, self.width)
        return up if up >= self.width else up + self._reach(moves, -1, self.width - up)

    def _reach(self, moves: list[Move], sign: int, wanted: int) -> int:
        """How far `moves` lead, one after the other, from the true table to another that is possible, too."""
        table, gone, went_on = dict(self.values), 0, True
        while went_on and gone < wanted:
            went_on = False
            for move in moves:
                step = self._step(table, move, sign, wanted - gone)
                if step > 0:
                    for cell, by in move.items():
                        table[cell] += sign * by * step
                    gone, went_on = gone + step, True
                if gone >= wanted:
                    break
        return gone

    def _step(self, table: Mapping[Cell, int], move: Move, sign: int, wanted: int) -> int:
        step = wanted
        for cell, by in move.items():
            if sign * by < 0:
                step = min(step, (table[cell] - 1) // -(sign * by))
        if step <= 0:
            return 0
        for row in {row for row, _column in move}:
            for limit in self.layout.limits:
                if grows := sum(sign * move.get((row, column), 0) * by for column, by in limit.items()):
                    now = sum(by * table[row, column] for column, by in limit.items())
                    if grows > 0:
                        step = min(step, -now // grows)
        return max(step, 0)
