"""The back office is in Chinese through and through: what its library says has a translation, its own or ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import unfold
from django.utils import translation
from django.utils.translation import gettext, ngettext, pgettext

from config import messages


def of_the_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[messages.Found]:
    root = Path(unfold.__file__).parent
    monkeypatch.setattr(messages, "ROOT", root.parent)
    for path in sorted(root.rglob("*")):
        # What is below `contrib` belongs to other libraries and is not installed here.
        if path.suffix in {".py", ".html"} and "contrib" not in path.relative_to(root).parts:
            yield from messages.words_of(path)


def test_every_word_of_the_library_is_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(of_the_library(monkeypatch))
    assert len(found) > 100
    with translation.override("zh-hans"):
        english = {
            message
            for message, context, _where in found
            if (
                ngettext(*message, 2) == message[1]
                if isinstance(message, tuple)
                else (pgettext(context, message) if context else gettext(message)) == message
            )
        }
    assert english == set()
