"""What changed between two values, for people to read."""

import re

from diff_match_patch import diff_match_patch  # type: ignore[import-untyped]
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

# Two texts of which less than this share is equal are shown whole, one after the other: patchwork cannot be read.
READABLE = 0.4

# Compared in words where a script has them, sign by sign where it has not (Chinese, Japanese).
TOKEN = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|\s+|.", re.DOTALL)


def diff(old: object, new: object) -> SafeString:
    """`old` and `new` as one text: what went struck out, what came marked, both said in words for screen readers.

    Nothing changed: the plain text. None counts as empty.
    """
    before, after = _text(old), _text(new)
    pieces = _pieces(before, after)
    same = sum(len(text) for kind, text in pieces if kind == diff_match_patch.DIFF_EQUAL)
    if same < READABLE * max(len(before), len(after)):
        pieces = [(diff_match_patch.DIFF_DELETE, before), (diff_match_patch.DIFF_INSERT, after)]
    return format_html_join("", "{}", ((_marked(kind, text),) for kind, text in pieces if text))


def _pieces(before: str, after: str) -> list[tuple[int, str]]:
    engine = diff_match_patch()
    tokens: dict[str, str] = {}

    def coded(text: str) -> str:
        # One sign for each token, past the surrogates, so that the engine compares tokens.
        return "".join(tokens.setdefault(token, chr(0xE000 + len(tokens))) for token in TOKEN.findall(text))

    pieces = engine.diff_main(coded(before), coded(after), False)
    engine.diff_cleanupSemantic(pieces)
    words = {sign: token for token, sign in tokens.items()}
    return [(kind, "".join(words[sign] for sign in signs)) for kind, signs in pieces]


def _marked(kind: int, text: str) -> SafeString:
    if kind == diff_match_patch.DIFF_DELETE:
        return format_html('<del><span class="visually-hidden">{} </span>{}</del>', gettext("removed:"), text)
    if kind == diff_match_patch.DIFF_INSERT:
        return format_html('<ins><span class="visually-hidden">{} </span>{}</ins>', gettext("added:"), text)
    return format_html("{}", text)


def _text(value: object) -> str:
    return "" if value is None else str(value)
