"""What changed between two values, for people to read."""

from diff_match_patch import diff_match_patch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

# Two texts of which less than this share is equal are shown whole, one after the other: patchwork cannot be read.
READABLE = 0.5


def diff(old: object, new: object) -> SafeString:
    """`old` and `new` as one text, with what went struck out and what came marked, in words for screen readers.

    Works character by character, so that Chinese is compared as well as English. Nothing changed: the plain text.
    """
    before, after = _text(old), _text(new)
    if before == after:
        return format_html("{}", after)
    engine = diff_match_patch()
    pieces = engine.diff_main(before, after)
    engine.diff_cleanupSemantic(pieces)
    same = sum(len(text) for kind, text in pieces if kind == engine.DIFF_EQUAL)
    if same < READABLE * max(len(before), len(after)):
        pieces = [(engine.DIFF_DELETE, before), (engine.DIFF_INSERT, after)]
    return format_html_join("", "{}", ((_piece(kind, text),) for kind, text in pieces if text))


def _piece(kind: int, text: str) -> SafeString:
    if kind == diff_match_patch.DIFF_DELETE:
        return format_html('<del><span class="visually-hidden">{} </span>{}</del> ', gettext("removed:"), text)
    if kind == diff_match_patch.DIFF_INSERT:
        return format_html('<ins><span class="visually-hidden">{} </span>{}</ins> ', gettext("added:"), text)
    return format_html("{}", text)


def _text(value: object) -> str:
    return "" if value is None else str(value)
