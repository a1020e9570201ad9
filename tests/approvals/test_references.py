"""Numbers that can be read out on the telephone: one to one, and mistakes are found."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import references
from approvals.references import ALPHABET, LENGTH, NotAReference, normalised, reference_for

SPACE = len(ALPHABET) ** LENGTH
numbers = st.integers(0, SPACE - 1)


def plain(reference: str) -> str:
    return reference.replace("-", "")


def is_accepted(typed: str) -> bool:
    try:
        normalised(typed)
    except NotAReference:
        return False
    return True


@given(numbers)
def test_a_reference_reads_as_itself(number: int) -> None:
    reference = reference_for(number)
    assert normalised(reference) == reference
    assert [len(part) for part in reference.split("-")] == [4, 4, 1]


@given(st.lists(numbers, unique=True, min_size=2, max_size=200))
def test_no_two_numbers_have_the_same_reference(some: list[int]) -> None:
    assert len({reference_for(number) for number in some}) == len(some)


def test_the_scattering_is_one_to_one() -> None:
    inverse = pow(references._SCATTER, -1, SPACE)  # raises ValueError where there is none
    assert references._SCATTER * inverse % SPACE == 1
    first = [reference_for(number) for number in range(20_000)]
    assert len(set(first)) == len(first)


def test_neighbours_do_not_look_like_neighbours() -> None:
    """A number does not tell how many there are, or which came next."""
    for number in range(100):
        one, other = plain(reference_for(number)), plain(reference_for(number + 1))
        assert sum(a != b for a, b in zip(one, other, strict=True)) >= 3


@pytest.mark.parametrize("number", [-1, SPACE])
def test_there_are_so_many_and_no_more(number: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        reference_for(number)


@given(numbers, st.integers(0, LENGTH), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(number: int, place: int, wrong: str) -> None:
    right = plain(reference_for(number))
    typed = right[:place] + wrong + right[place + 1 :]
    assert is_accepted(typed) == (typed == right)


@given(numbers, st.integers(0, LENGTH))
def test_a_missing_or_doubled_character_is_found(number: int, place: int) -> None:
    right = plain(reference_for(number))
    assert not is_accepted(right[:place] + right[place + 1 :])
    assert not is_accepted(right[: place + 1] + right[place:])


def test_nearly_every_swap_of_neighbours_is_found() -> None:
    swapped = missed = 0
    for number in range(0, SPACE, SPACE // 3000):
        right = plain(reference_for(number))
        for place in range(LENGTH):
            typed = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
            if typed != right:
                swapped += 1
                missed += is_accepted(typed)
    assert swapped > 20_000
    assert missed / swapped < 0.005


WAYS: dict[str, Callable[[str], str]] = {
    "in small letters": str.lower,
    "without hyphens": plain,
    "with spaces": lambda text: text.replace("-", " "),
    "with spaces around": lambda text: f" \t{text}\n",
    "with long dashes": lambda text: text.replace("-", "—"),
    "with an input method's full width": lambda text: "".join(
        chr(ord(c) + 0xFEE0) if c != " " else "\u3000" for c in text
    ),
    "in groups of three": lambda text: " ".join(plain(text)[n : n + 3] for n in (0, 3, 6)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@given(numbers)
def test_however_it_is_typed_it_is_the_same(way: Callable[[str], str], number: int) -> None:
    assert normalised(way(reference_for(number))) == reference_for(number)


@given(st.text(max_size=30))
def test_nothing_else_that_is_typed_is_taken_for_one(text: str) -> None:
    try:
        reference = normalised(text)
    except NotAReference:
        return
    assert normalised(reference) == reference


def test_no_character_can_be_taken_for_another() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 22
    assert not set(ALPHABET) & set("0O1IL2Z5S8BUVW")
