"""What a letter says, as values, without a word on how it looks: `typesetting` makes a page of it.

Every text knows its language where that is known, because a letter quotes people who write in whatever language: a
screen reader changes its voice by it, and Chinese and Japanese readers are shown the shapes of their own characters.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7af]")
_THAI = re.compile("[\u0e00-\u0e7f]")
_LATIN = re.compile("[A-Za-z]")


def language_of(words: str) -> str:
    """The language that the script of `words` gives away: zh, ja, ko, th or en; empty when it gives away nothing.

    Kana make Japanese of Chinese characters; Latin letters alone are taken for English, the product's other language.
    """
    for pattern, code in ((_KANA, "ja"), (_HANGUL, "ko"), (_HAN, "zh"), (_THAI, "th"), (_LATIN, "en")):
        if pattern.search(words):
            return code
    return ""


@dataclass(frozen=True, slots=True)
class Text:
    """Words, and their language where it is not the letter's own."""

    words: str
    language: str = ""
    url: str = ""


def quoted(words: str) -> Text:
    """Something that a person wrote, in the language that its script gives away."""
    return Text(words, language_of(words))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences. `is_small`: an explanation that the eye may pass over."""

    text: Text
    is_small: bool = False
    kind: str = "paragraph"


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody wrote, set apart, in their words."""

    texts: tuple[Text, ...]
    kind: str = "quote"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, a row each; a value may have several lines."""

    rows: tuple[tuple[str, tuple[Text, ...]], ...]
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of things, each of one or more paragraphs: the first is what it is called."""

    items: tuple[tuple[Text, ...], ...]
    is_numbered: bool = False
    kind: str = "items"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings."""

    head: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Notice:
    """What must not be overlooked, in a frame."""

    heading: str
    texts: tuple[Text, ...]
    kind: str = "notice"


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code (SVG), what it is in words, and what stands beside it."""

    svg: str
    alternative: str
    heading: str
    texts: tuple[Text, ...]
    kind: str = "code"


Block: TypeAlias = Paragraph | Quote | Facts | Items | Table | Notice | Code


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole letter. `language`: zh or en. `sender`: the office and how to reach it, a line each."""

    language: str
    title: str
    subtitle: str
    sender: tuple[str, ...]
    reference: str
    reference_label: str
    date: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
    closing: tuple[Text, ...]
    page_words: str
    """The words of the page number, with {page} and {pages}."""


def paragraphs(words: str) -> tuple[Text, ...]:
    """What a person wrote, a `Text` for each of its paragraphs; empty when it is blank."""
    return tuple(quoted(part.strip()) for part in re.split(r"\n\s*\n", words) if part.strip())


def joined(parts: Iterable[str], between: str) -> str:
    """The parts that are not empty, with `between` between them."""
    return between.join(part for part in parts if part)
