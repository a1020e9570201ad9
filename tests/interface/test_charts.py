"""Pictures of numbers: bars in proportion, words escaped, nothing that the content security policy refuses."""

import re

import pytest
from django.utils import translation

from interface.charts import Bar, bar_chart


def _widths(svg: str) -> list[str]:
    return re.findall(r'class="chart-bar chart-\w+" x="0" y="\d+" width="([\d.]+)%"', svg)


def test_bars_are_as_long_as_their_share_of_the_largest() -> None:
    svg = bar_chart([Bar("young", 40), Bar("old", 10), Bar("none", 0)], title="Age")

    assert _widths(svg) == ["100.00", "25.00", "0.00"]


def test_all_zero_and_no_bars_are_still_a_picture() -> None:
    assert _widths(bar_chart([Bar("a", 0), Bar("b", 0)], title="Age")) == ["0.00", "0.00"]
    assert bar_chart([], title="Age").startswith("<svg")


def test_the_picture_has_a_name_and_its_words_are_escaped() -> None:
    svg = bar_chart([Bar('<b onclick="x">', 1)], title='"Age" & more')

    assert 'role="img"' in svg
    assert "&quot;Age&quot; &amp; more" in svg
    assert "<b" not in svg


def test_no_inline_style() -> None:
    assert "style" not in bar_chart([Bar("a", 3, "bad")], title="Age")


def test_numbers_are_said_as_people_read_them() -> None:
    with translation.override("en"):
        assert [Bar("a", 3).words, Bar("a", 3.5).words, Bar("a", 4, shown="fewer than 5").words] == [
            "3",
            "3.5",
            "fewer than 5",
        ]


@pytest.mark.parametrize("wrong", [{"value": -1}, {"value": 1, "tone": "purple"}])
def test_a_bar_refuses_what_cannot_be_drawn(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no "):
        Bar("a", **wrong)  # type: ignore[arg-type]
