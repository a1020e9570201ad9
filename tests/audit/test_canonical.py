import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import NotCanonical, canonical, utc_text

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=15
)


def shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, list):
        return [shuffled(item, random) for item in value]
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        return {key: shuffled(item, random) for key, item in items}
    return value


@given(values, st.randoms())
def test_the_order_of_keys_does_not_matter(value: Any, random: Any) -> None:
    assert canonical(shuffled(value, random)) == canonical(value)


@given(values)
def test_the_bytes_give_the_value_back(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(values, values)
def test_different_values_have_different_bytes(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


@pytest.mark.django_db
@given(values=st.lists(values, min_size=5, max_size=20))
def test_what_postgresql_gives_back_has_the_same_bytes(values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(values)])
        assert canonical(json.loads(cursor.fetchone()[0])) == canonical(values)


def test_it_is_written_as_rfc_8785_writes_it() -> None:
    # The strings of its section 3.2.2.2, and no white space.
    assert canonical({"string": '€$\x0f\nA\'B"\\"/', "literals": [None, True, False], "n": -3}) == (
        b'{"literals":[null,true,false],"n":-3,"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\"/"}'
    )


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        {1: "a"},
        {"a": datetime(2026, 3, 2)},
        "a\0b",
        {"a\0": 1},
        "\ud800",
        2**53,
        {1, 2},
        b"a",
        [[{}, 0.0]],
    ],
    ids=repr,
)
def test_what_has_no_single_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_times_are_utc_with_microseconds() -> None:
    shanghai = datetime(2026, 3, 2, 1, 2, 3, 7, tzinfo=timezone(timedelta(hours=8)))
    assert utc_text(shanghai) == "2026-03-01T17:02:03.000007Z"
    assert utc_text(shanghai) == utc_text(shanghai.astimezone(UTC))
    with pytest.raises(NotCanonical, match="without a zone"):
        utc_text(datetime(2026, 3, 2))
