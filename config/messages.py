"""The catalogue of translations, kept with Babel: no gettext tools are needed on the machine.

The words in the sources are English; `locale/zh_Hans/LC_MESSAGES/django.po` has the Chinese for each of them. The
compiled file beside it is made at set-up and never committed.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
PACKAGES = (
    "accounts",
    "approvals",
    "audit",
    "authorities",
    "companies",
    "config",
    "documents",
    "employees",
    "figures",
    "interface",
    "notifications",
    "jobs",
    "openness",
    "sensitivity",
)
LOCALE = "zh_Hans"
# gettext functions under the names that Django gives them: which argument is what.
_LAZY = {f"{name}_lazy": spec for name, spec in DEFAULT_KEYWORDS.items()}
KEYWORDS = DEFAULT_KEYWORDS | _LAZY | {"ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2)}

HEADER = r"""# The Chinese of the product. Kept with `manage.py messages`; terms are those of docs/terms.md.
msgid ""
msgstr ""
"Language: zh_Hans\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"""

Found = tuple[str | tuple[str, ...], str | None, str]


def po_path() -> Path:
    """The catalogue that people write."""
    return ROOT / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def sources() -> Iterator[Path]:
    """Every file of ours that can hold words: Python without migrations, templates."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
    for folder in (ROOT / "templates", *(ROOT / package / "templates" for package in PACKAGES)):
        yield from (path for path in sorted(folder.rglob("*")) if path.suffix in {".html", ".txt"})


def _as_python(template: str) -> str:
    """A template as Python that Babel can read: what is no message becomes Xs, and indentation means nothing."""
    lines = templatize(template).splitlines()
    return "(" + "\n".join(line.strip() for line in lines) + "\n)"


def words_of(path: Path) -> Iterator[Found]:
    """The messages in one file: (message or (singular, plural), context, file)."""
    text = path.read_text()
    name = str(path.relative_to(ROOT))
    code = text if path.suffix == ".py" else _as_python(text)
    found: Any = extract_python(io.BytesIO(code.encode()), KEYWORDS, [], {})
    for _line, function, message, _comments in found:
        spec: Any = KEYWORDS.get(function) or (1,)
        arguments = message if isinstance(message, tuple) else (message,)
        picked = [arguments[(at[0] if isinstance(at, tuple) else at) - 1] for at in spec]
        if any(not isinstance(word, str) or not word for word in picked):
            continue
        context = picked.pop(0) if isinstance(spec[0], tuple) else None
        yield (picked[0] if len(picked) == 1 else tuple(picked)), context, name


def extracted() -> Catalog:
    """A catalogue of every message in the sources, without translations."""
    catalogue = Catalog(locale=LOCALE, project="exit-approvals", charset="utf-8")
    for path in sources():
        for message, context, name in words_of(path):
            catalogue.add(message, None, locations=[(name, 0)], context=context)
    return catalogue


def kept() -> Catalog:
    """The catalogue as it is committed; an empty one where there is none."""
    path = po_path()
    if not path.exists():
        return Catalog(locale=LOCALE, project="exit-approvals", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE)


def update() -> Catalog:
    """Bring the committed catalogue to the words in the sources: new ones empty, those no longer used taken out."""
    catalogue = kept()
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    path = po_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    write_po(written, catalogue, width=0, sort_output=True, omit_header=False, include_lineno=False)
    # The header that Babel writes has dates, which would make every run a change, and places to fill in.
    _header, _empty, entries = written.getvalue().decode().partition("\n\n")
    path.write_text(f"{HEADER}\n{entries}")
    return catalogue


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages of `catalogue` that have no Chinese yet, or only a guess."""
    missing = []
    for message in catalogue:
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(texts)):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing


def compile_if_stale() -> bool:
    """Make the compiled catalogue where it is missing or older than the written one; whether it was made."""
    source = po_path()
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return False
    made = target.with_suffix(".mo.new")
    with made.open("wb") as file:
        write_mo(file, kept())
    made.replace(target)
    return True
