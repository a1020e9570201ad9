"""Setting a letter as a PDF: tagged for screen readers (PDF/UA-1), to be kept for long (PDF/A-2a), with every glyph.

Typst does it, from one file of ours (`letter.typ`) and fonts that set-up installs. What a letter says is data: nothing
in it is read as markup. See docs/adr/0045.
"""

import json
import re
import unicodedata
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

import typst
from django.conf import settings

from documents.letters import Letter

HERE = Path(__file__).resolve().parent
FONTS = HERE / "fonts"
# Both in one: for who hears it, and for who reads it in twenty years.
STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LONG_WORD = re.compile(r"[!-~]{24,}")
# A part of a long word that may stand on a line of its own: as addresses are read, or else after so many letters.
_PART = re.compile(r"[^/?&=._-]{0,23}[/?&=._-]|[^/?&=._-]{1,24}")


class CannotBeSet(RuntimeError):
    """The letter could not be set; nothing was made. Says why."""


class MissingGlyph(CannotBeSet):
    """No installed font has a character of the letter, so that it would have a hole. `text` is what is missing."""

    def __init__(self, text: str) -> None:
        self.text = text
        codes = " ".join(f"U+{ord(character):04X}" for character in text)
        super().__init__(f"No installed font shows {text!r} ({codes}); see PAPER_FONTS in docs/operating.md.")


def has_fonts() -> bool:
    """Whether set-up has installed the fonts of letters."""
    return any(FONTS.glob("*.ttf"))


def clean(words: str) -> str:
    """`words` as they may stand on paper: composed, without control characters and without marks that turn the
    direction of what follows, which could make a letter read differently from what it says. Long words may break."""
    composed = unicodedata.normalize("NFC", words).replace("\r\n", "\n").replace("\t", " ")
    kept = "".join(c for c in composed if c == "\n" or (unicodedata.category(c) != "Cc" and c not in _BIDI))
    return _LONG_WORD.sub(lambda found: "\u200b".join(_PART.findall(found[0])), kept)


def _cleaned(value: object, name: str = "") -> object:
    if isinstance(value, str):
        # What is no text that somebody reads stays as it is.
        return value if name in ("svg", "url") else clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(one, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value


def typeset(letter: Letter, *, at: datetime) -> bytes:
    """`letter` as a PDF, dated `at` (aware). The same letter gives the same bytes.

    Refuses with MissingGlyph a letter with a character that no installed font has, and with CannotBeSet whatever else
    cannot be set: nothing is made then, least of all a letter with a hole.
    """
    data = json.dumps(_cleaned(asdict(letter)), ensure_ascii=False)
    try:
        made = typst.compile(
            str(HERE / "letter.typ"),
            root=str(HERE),
            format="pdf",
            font_paths=[str(FONTS), *settings.PAPER_FONTS],
            ignore_system_fonts=True,
            sys_inputs={"letter": data},
            pdf_standards=[*STANDARDS],
            timestamp=at.replace(microsecond=0),  # typst refuses a fraction of a second
        )
    except typst.TypstError as error:
        if found := re.search(r"the text `\"(.*?)\"` could not be displayed", str(error), re.DOTALL):
            raise MissingGlyph(_unescaped(found[1])) from error
        raise CannotBeSet(str(error)) from error
    assert isinstance(made, bytes)
    return made


def _unescaped(text: str) -> str:
    """What typst says of a character it may write as an escape."""
    return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda found: chr(int(found[1], 16)), text)
