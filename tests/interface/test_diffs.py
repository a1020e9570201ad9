"""What changed, readable in both scripts."""

import re

import pytest
from django.utils import translation

from interface.diffs import diff


def _plain(old: object, new: object) -> str:
    with translation.override("en"):
        marked = re.sub(r'<span class="visually-hidden">(removed|added): </span>', "", diff(old, new))
    return marked.replace("<del>", "[-").replace("</del>", "-]").replace("<ins>", "[+").replace("</ins>", "+]")


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("16 March 2026", "19 March 2026", "[-16-][+19+] March 2026"),
        ("维也纳工业大学", "维也纳大学", "维也纳[-工业-]大学"),
        ("the same", "the same", "the same"),
        ("Vienna", "Tokyo", "[-Vienna-][+Tokyo+]"),
        (None, "Vienna", "[+Vienna+]"),
        ("Vienna", "", "[-Vienna-]"),
        ("", None, ""),
        ("𠮷野家本店", "𠮷野家分店", "𠮷野家[-本-][+分+]店"),
    ],
)
def test_diff(old: object, new: object, shown: str) -> None:
    assert _plain(old, new) == shown


def test_both_are_said_in_words_for_who_cannot_see_the_colour() -> None:
    with translation.override("en"):
        marked = diff("a b c d", "a x c d")

    assert "removed: </span>b</del>" in marked
    assert "added: </span>x</ins>" in marked


def test_what_was_typed_is_escaped() -> None:
    assert "<script>" not in diff("<script>alert(1)</script>", "<script>alert(2)</script>")


def test_nothing_of_either_text_is_lost() -> None:
    old = "Line one.\nLine two, 第二行。\n" * 40
    new = old.replace("two", "three", 5).replace("第二", "第三", 7)

    plain = _plain(old, new)

    assert re.sub(r"\[\+.*?\+\]|\[-|-\]", "", plain, flags=re.DOTALL) == old
    assert re.sub(r"\[-.*?-\]|\[\+|\+\]", "", plain, flags=re.DOTALL) == new
