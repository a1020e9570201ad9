"""No published number gives a suppressed one away: attacked with exact linear programming, again and again."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from figures.suppression import THRESHOLD, TOTAL, WIDTH, Cell, Layout, check, suppress
from tests.figures.attack import intervals

OUTCOMES, LATENESS = ("approved", "deemed", "denied"), ("in_time", "late")


def layout_of(offices: Sequence[str], codes: Sequence[str]) -> Layout:
    """A quarter as it is published, with the columns that hang together."""
    return Layout(
        places=offices,
        columns=("received", "decided", *OUTCOMES, *LATENESS, "revoked", "ended", "upheld", "overturned", *codes),
        parts={"decided": (OUTCOMES, LATENESS), "ended": (("upheld", "overturned"),)},
        codes=codes,
        refusals=("denied", "revoked"),
        within=(("deemed", "late"),),
    )


def quarter(chance: random.Random, offices: int, codes: int, sizes: Sequence[int]) -> tuple[dict[Cell, int], Layout]:
    """Counts of a quarter in which everything adds up; `sizes` are those of its offices."""
    layout = layout_of([f"Q{n}" for n in range(offices)], [f"T{n}" for n in range(codes)])
    values: Counter[Cell] = Counter(dict.fromkeys(product(layout.rows, layout.columns), 0))
    for place in layout.places:
        size = chance.choice(sizes)
        row: Counter[str] = Counter(
            approved=chance.randint(0, size),
            deemed=chance.choice([0, 0, 1, chance.randint(0, size // 3 + 1)]),
            denied=chance.randint(0, size // 3 + 1),
            revoked=chance.choice([0, 0, chance.randint(0, size // 8 + 1)]),
            upheld=chance.randint(0, size // 4 + 1),
            overturned=chance.randint(0, size // 8 + 1),
        )
        row["decided"] = row["approved"] + row["deemed"] + row["denied"]
        row["late"] = row["deemed"] + chance.randint(0, (row["approved"] + row["denied"]) // 3)
        row["in_time"] = row["decided"] - row["late"]
        row["ended"] = row["upheld"] + row["overturned"]
        row["received"] = row["decided"] + chance.randint(0, 5)
        for _case in range(row["denied"] + row["revoked"]):
            row.update(set(chance.choices(layout.codes, k=chance.choice([1, 1, 1, 2]))))
        for column, number in row.items():
            values[place, column] += number
            values[TOTAL, column] += number
    return dict(values), layout


def given_away(values: dict[Cell, int], layout: Layout, hidden: frozenset[Cell]) -> list[Cell]:
    """The hidden cells that the published ones give away, or nearly: fewer than WIDTH other values are possible."""
    found = intervals(values, layout, hidden)
    for cell, (least, greatest) in found.items():
        assert least <= values[cell]
        assert greatest is None or greatest >= values[cell]
    return [cell for cell, (least, greatest) in found.items() if greatest is not None and greatest - least < WIDTH]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    offices=st.integers(1, 4),
    codes=st.integers(1, 4),
    sizes=st.sampled_from([(3, 30), (10, 12, 14), (5, 40, 200), (20, 100), (12, 300), (60, 90)]),
)
def test_no_suppressed_cell_can_be_recovered(seed: int, offices: int, codes: int, sizes: tuple[int, ...]) -> None:
    values, layout = quarter(random.Random(seed), offices, codes, sizes)

    hidden = suppress(values, layout)

    assert {cell for cell, value in values.items() if 0 < value < THRESHOLD} <= hidden
    assert not [cell for cell in hidden if values[cell] == 0], "zeros are published"
    assert given_away(values, layout, hidden) == []


def test_hiding_only_small_cells_gives_them_away_and_the_attack_sees_it() -> None:
    """The control: without complementary cells the same attack recovers cells, to the very number."""
    values, layout = quarter(random.Random(5), 4, 3, (20, 100))
    small = frozenset(cell for cell, value in values.items() if 0 < value < THRESHOLD)

    found = intervals(values, layout, small)
    recovered = [cell for cell, (least, greatest) in found.items() if least == greatest == values[cell]]

    assert recovered
    assert given_away(values, layout, suppress(values, layout)) == []


def test_taking_any_complementary_cell_back_would_give_something_away() -> None:
    """Not one cell more than needed: each of them, published again, lets the proofs fail."""
    values, layout = quarter(random.Random(11), 3, 2, (20, 100))
    hidden = suppress(values, layout)
    complementary = [cell for cell in hidden if values[cell] >= THRESHOLD]

    assert complementary
    needless = [cell for cell in complementary if given_away(values, layout, hidden - {cell}) == []]
    assert len(needless) <= len(complementary) // 4, "the hypercube method may hide a few more than the optimum"


SMALL = Layout(places=("HD", "PD", "CY"), columns=("decided", "yes", "no"), parts={"decided": (("yes", "no"),)})


def table(**rows: tuple[int, int]) -> dict[Cell, int]:
    values = {}
    for place, (yes, no) in rows.items():
        values |= {(place, "yes"): yes, (place, "no"): no, (place, "decided"): yes + no}
    return values | {(TOTAL, column): sum(values[place, column] for place in rows) for column in SMALL.columns}


def test_one_small_cell_takes_a_rectangle() -> None:
    """3 could be computed from its row and from its column: one more cell in each, and the corner opposite."""
    hidden = suppress(table(HD=(50, 3), PD=(60, 20), CY=(80, 30)), SMALL)

    assert hidden == {("HD", "no"), ("HD", "yes"), ("PD", "no"), ("PD", "yes")}


def test_where_nothing_is_small_everything_is_published() -> None:
    assert suppress(table(HD=(50, 0), PD=(60, 20), CY=(80, 30)), SMALL) == frozenset()


def test_small_cells_whose_sum_is_small_take_their_total_with_them() -> None:
    """1 and 2 cannot hide behind each other: their published sum would say that each is 1 or 2."""
    hidden = suppress(table(HD=(50, 1), PD=(60, 2), CY=(80, 0)), SMALL)

    assert hidden > {("HD", "no"), ("PD", "no"), (TOTAL, "no")}
    assert given_away(table(HD=(50, 1), PD=(60, 2), CY=(80, 0)), SMALL, hidden) == []


def test_a_cell_that_an_earlier_version_hid_stays_hidden() -> None:
    values = table(HD=(50, 13), PD=(60, 20), CY=(80, 30))

    hidden = suppress(values, SMALL, must=[("HD", "no"), ("CY", "no")])

    assert {("HD", "no"), ("CY", "no")} <= hidden
    assert given_away(values, SMALL, hidden) == []


def test_the_reasons_of_refusals_bound_their_number_and_are_hidden_with_it() -> None:
    """One reason, given 12 times: who reads that knows that there were 12 refusals, whatever else is hidden."""
    layout = Layout(
        places=("HD", "PD"),
        columns=("decided", "approved", "denied", "T1"),
        parts={"decided": (("approved", "denied"),)},
        codes=("T1",),
        refusals=("denied",),
    )
    values = {("HD", "approved"): 4, ("HD", "denied"): 12, ("PD", "approved"): 40, ("PD", "denied"): 30}
    values |= {(place, "T1"): values[place, "denied"] for place in layout.places}
    values |= {(place, "decided"): values[place, "denied"] + values[place, "approved"] for place in layout.places}
    values |= {(TOTAL, column): sum(values[place, column] for place in layout.places) for column in layout.columns}

    rectangle = frozenset(product(layout.places, ("approved", "denied")))

    assert given_away(values, layout, rectangle) == sorted(rectangle), "its reasons say how many were denied"
    assert given_away(values, layout, suppress(values, layout)) == []


@pytest.mark.parametrize(
    ("cell", "value"), [(("HD", "yes"), 51), (("HD", "no"), -1), ((TOTAL, "decided"), 1), (("HD", "decided"), 60)]
)
def test_what_does_not_add_up_is_refused(cell: Cell, value: int) -> None:
    values = table(HD=(50, 3), PD=(60, 20), CY=(80, 30))
    check(values, SMALL)

    with pytest.raises(ValueError, match=r"add up|negative"):
        suppress(values | {cell: value}, SMALL)
    with pytest.raises(ValueError, match="missing"):
        suppress({key: one for key, one in values.items() if key != cell}, SMALL)


def test_a_large_quarter_is_done_in_a_moment() -> None:
    """Twelve offices and twenty codes: everything small is hidden, and few others."""
    values, layout = quarter(random.Random(3), 12, 20, (100, 400, 800))

    hidden = suppress(values, layout)

    small = {cell for cell, value in values.items() if 0 < value < THRESHOLD}
    assert small < hidden
    assert len(hidden - small) < sum(value >= THRESHOLD for value in values.values()) // 3
