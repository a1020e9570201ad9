"""What a row of a file says of an entry, and the other way round: the columns, and how each cell is read and written.

Fields and widgets are those of django-import-export, one for each column, so that what is exported is what is imported.
Its loop over the rows is not used (docs/adr/0037): it holds the whole file in memory, asks the database for every row,
cannot go on where it stopped, and renders each difference as HTML; `importing` does this in batches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget
from stdnum.cn import ric
from stdnum.exceptions import ValidationError as NumberError

from accounts.refusals import Problem
from companies.models import Company
from sensitivity import drafting
from sensitivity.files import Cell, unguarded
from sensitivity.models import ListKind

# ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its field, what it is called in both languages, and by what other words it is known."""

    field: str
    zh: str
    en: str
    others: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """What the column is called in the active language. Files are read with either, whatever the language."""
        return self.en if (get_language() or "").startswith("en") else self.zh


COLUMNS = (
    Column("code", "代码", "Code", ("编码", "编号", "条目代码")),
    Column("previous_code", "原代码", "Previous code", ("旧代码", "old code", "renamed from")),
    Column("former_codes", "曾用代码", "Former codes"),
    Column("parent", "上级代码", "Part of", ("上级", "parent code", "父级代码")),
    Column("label_zh", "中文名称", "Label in Chinese", ("名称（中文）", "中文标签", "中文名", "chinese label")),
    Column("label_en", "英文名称", "Label in English", ("名称（英文）", "英文标签", "英文名", "english label")),
    Column("aliases", "其他名称", "Other names", ("别名", "又名", "alias")),
    Column("country", "国家或地区", "Country", ("国家", "国别", "country code", "国家代码")),
    Column("company", "公司", "Company", ("统一社会信用代码", "unified social credit code", "uscc", "所属公司")),
    Column("level", "级别", "Level", ("敏感级别", "等级")),
    Column("reason_zh", "中文理由", "Reason in Chinese", ("理由（中文）", "chinese reason")),
    Column("reason_en", "英文理由", "Reason in English", ("理由（英文）", "english reason")),
    Column("valid_from", "有效期起", "Valid from", ("生效日期", "有效自")),
    Column("valid_until", "有效期止", "Valid until", ("失效日期", "有效至")),
)
"""In the order of an export. `previous_code` is only read: it says that an entry is renamed and keeps its history."""

_ONLY = {"parent": ListKind.TECHNOLOGY, "company": ListKind.PROJECT}
_NOT = {"country": {ListKind.TECHNOLOGY, ListKind.DESTINATION}}


def columns_of(kind: str) -> list[Column]:
    """The columns that say something in a list of `kind`."""
    return [
        column for column in COLUMNS if _ONLY.get(column.field, kind) == kind if kind not in _NOT.get(column.field, ())
    ]


def required_of(kind: str) -> set[str]:
    """The columns without which no entry is known again."""
    return {"code", "company"} if kind == ListKind.PROJECT else {"code"}


def _folded(heading: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", heading).casefold())


@cache
def _by_heading() -> dict[str, str]:
    return {
        _folded(word): column.field
        for column in COLUMNS
        for word in (column.field, column.zh, column.en, *column.others)
    }


def field_of(heading: str) -> str:
    """The field that a column with this heading is for, in either language or by the field's name; empty: none."""
    return _by_heading().get(_folded(heading), "")


# ── people: a list cannot hold any ──────────────────────────────────────────────────────────────────────────────────

_PERSON_HAN = re.compile("姓名|身份证|证件号|护照|通行证|出生|生日|性别|民族|籍贯|手机|员工|雇员|人员")
_PERSON_LATIN = re.compile(
    r"passport|surname|birth|\bdob\b|\bgender\b|\bsex\b|ethnic|identity|\bssn\b|"
    r"\b(?:first|last|given|family|full|middle|maiden|persons?|personal|people|employee|staff|traveller)s?\s+"
    r"(?:name|number|no\b|id\b)|\bnational\s+id\b|\bid\s+(?:card|number|no)\b|\bname\s+of\s+(?:the\s+)?person"
)


def is_about_a_person(heading: str) -> bool:
    """Whether the heading of a column names something that only a person has."""
    text = " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", heading).casefold()).split())
    return bool(_PERSON_HAN.search(text) or _PERSON_LATIN.search(text))


_IDENTITY = re.compile(r"\d{17}[\dX]")
# Ordinary, official and diplomatic passports of China, and permits for Hong Kong, Macau and Taiwan.
_PASSPORT = re.compile(r"(?:[EGDSP]\d{8}|(?:E[A-HJ-NP-Z]|DE|SE|PE|MA|KJ|KB)\d{7}|[CHMTW]\d{8})")


def is_number_of_a_person(cell: Cell) -> bool:
    """Whether a cell is a resident identity number (GB 11643, check digit included) or looks like a passport number.

    An identity number that a spreadsheet took for a number has lost its last digits: its day of birth still tells.
    """
    if isinstance(cell, int | float):
        text = str(int(cell))
        return len(text) == 18 and _has_birth(text)
    if not isinstance(cell, str):
        return False
    text = re.sub(r"[\s-]", "", cell).upper()
    if len(text) == 18 and _IDENTITY.fullmatch(text):
        try:
            ric.validate(text)
        except NumberError:
            return False
        return True
    return len(text) == 9 and bool(_PASSPORT.fullmatch(text))


def _has_birth(digits: str) -> bool:
    try:
        return ric.get_birth_date(digits).year >= 1900 and bool(ric.get_birth_place(digits))
    except NumberError:
        return False


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# What a cell of a file cannot hold, or loses on its way; the database never says it.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def tidy(text: str) -> str:
    """`text` as a file can say it: line ends of one kind, no control characters, nothing empty around it."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


class NotUnderstood(ValueError):
    """A cell does not say what its column is for; the sentence says how to write it."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Text(Widget):
    """Text as it is. A day is refused: a spreadsheet has made it of a code such as 1-2."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, date):
            raise NotUnderstood(_("This cell holds a date. Format the column as text and write it again."))
        return tidy(unguarded(str(value)))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return tidy(str(value)) if value else ""


class Code(Text):
    """A code, or a country's."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> str:
        return super().clean(value, row).upper()


class Names(Text):
    """Several names in a cell, with a bar or a line end between them; a bar in a name has a backslash before it."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> list[str]:  # type: ignore[override]
        text = super().clean(value, row)
        parts = re.findall(r"(?:\\.|[^|\\\n]|\\\Z)+", text)
        return [name for part in parts if (name := re.sub(r"\\(.)", r"\1", part.strip()))]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return " | ".join(re.sub(r"([\\|])", r"\\\1", name) for name in one_line_each(value))


def one_line_each(names: Iterable[str]) -> list[str]:
    """`names` as a cell can say them: each in one line, none empty."""
    return [name for one in names if (name := " ".join(tidy(one).split("\n")).strip())]


class Level(Widget):
    """1, 2 or 3; anything else is left for the rules to refuse."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> int | None:
        text = str(value if value is not None else "").strip()
        if not text:
            return None
        if not re.fullmatch(r"[+-]?\d{1,9}", text):
            raise NotUnderstood(_("The level is 1, 2 or 3."))
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


class Day(Widget):
    """A day; written as 2026-03-31."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> str | None:
        if value is None or isinstance(value, str) and not value.strip():
            return None
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        found = re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", str(value).strip())
        try:
            if found:
                return date(*map(int, found.groups())).isoformat()
        except ValueError:
            pass
        raise NotUnderstood(_("This is no day. Write it as 2026-03-31."))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value.isoformat() if isinstance(value, date) else str(value or "")


class CompanyCode(Widget):
    """A company by its unified social credit code. `companies`: code → key, read once for many rows."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> int | None:
        text = re.sub(r"[\s-]", "", str(value or "")).upper()
        if not text:
            return None
        companies: Mapping[str, int] = kwargs["companies"]
        if text not in companies:
            raise NotUnderstood(_("There is no company with this unified social credit code."))
        return companies[text]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        codes: Mapping[int, str] = kwargs.get("codes", {})
        return codes.get(value, "")


class EntryResource(Resource):
    """The cells of a row, by the names of the columns. Reads into and writes from values of `drafting.FIELDS`."""

    code = Field("code", "code", Text())
    former_codes = Field("former_codes", "former_codes", Names())
    parent = Field("parent", "parent", Text())
    label_zh = Field("label_zh", "label_zh", Text())
    label_en = Field("label_en", "label_en", Text())
    aliases = Field("aliases", "aliases", Names())
    country = Field("country", "country", Code())
    company_id = Field("company_id", "company", CompanyCode())
    level = Field("level", "level", Level())
    reason_zh = Field("reason_zh", "reason_zh", Text())
    reason_en = Field("reason_en", "reason_en", Text())
    valid_from = Field("valid_from", "valid_from", Day())
    valid_until = Field("valid_until", "valid_until", Day())


_FIELDS: Mapping[str, Field] = {name: EntryResource.fields[name] for name in drafting.FIELDS}
_BY_COLUMN = {field.column_name: name for name, field in _FIELDS.items()}


def companies() -> dict[str, int]:
    """Every company's key by its unified social credit code."""
    return dict(Company.objects.values_list("uscc", "pk"))


def read(
    kind: str, cells: Mapping[str, Cell], *, companies: Mapping[str, int]
) -> tuple[dict[str, Any], str, list[Problem]]:
    """What one row says: values of `drafting.FIELDS` for the columns that it has, as JSON values; the code that it
    had before; and what could not be understood, at its field. `cells`: column → cell."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for column in cells:
        if column == "previous_code":
            continue
        name = _BY_COLUMN[column]
        try:
            values[name] = _FIELDS[name].clean(cells, companies=companies)
        except NotUnderstood as error:
            problems.append(Problem("", name, error.sentence))
    if kind == ListKind.DESTINATION and "code" in values:
        values["code"] = values["code"].upper()
    if "former_codes" in values:
        values["former_codes"] = sorted(set(values["former_codes"]))
    try:
        previous = Text().clean(cells.get("previous_code"))
    except NotUnderstood as error:
        previous = ""
        problems.append(Problem("", "code", error.sentence))
    return values, previous, problems


def comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of `drafting.FIELDS`, as they would be when a file had said them."""
    found = dict(values)
    for name, value in values.items():
        if name == "former_codes":
            found[name] = sorted(set(one_line_each(value)))
        elif name == "aliases":
            found[name] = one_line_each(value)
        elif isinstance(value, str):
            found[name] = tidy(value)
    return found


def written(entries: Iterable[Any], columns: Sequence[Column], *, codes: Mapping[int, str]) -> Iterator[list[Any]]:
    """The rows of an export: the headings, then `entries` (or rows of values). `codes`: company → its credit code."""
    yield [column.heading for column in columns]
    fields = [_FIELDS.get(_BY_COLUMN.get(column.field, "")) for column in columns]
    for entry in entries:
        yield [field.export(entry, codes=codes) if field else "" for field in fields]


_EXAMPLES: dict[str, dict[str, Any]] = {
    ListKind.TECHNOLOGY: {
        "code": "cs.CL.llm",
        "parent": "cs.CL",
        "label_zh": "大语言模型",
        "label_en": "Large language models",
        "aliases": ["LLM", "大模型"],
    },
    ListKind.DESTINATION: {"code": "US-CA", "label_zh": "加利福尼亚州", "label_en": "California"},
    ListKind.ORGANISATION: {
        "code": "org-0001",
        "label_zh": "示例研究所",
        "label_en": "Example Institute",
        "aliases": ["EI", "Institute of Examples"],
        "country": "JP",
    },
    ListKind.PROJECT: {"code": "P-17", "label_zh": "检索项目", "label_en": "Retrieval"},
    ListKind.EVENT: {
        "code": "conf-2026",
        "label_zh": "示例会议 2026",
        "label_en": "Example Conference 2026",
        "aliases": ["ExConf"],
        "country": "AT",
    },
}


def template(kind: str) -> Iterator[list[Any]]:
    """The rows of a file to begin with: the headings, and one example that can be overwritten."""
    example = {
        "former_codes": [],
        "parent": "",
        "aliases": [],
        "country": "",
        "company_id": 0,
        "level": 2,
        "reason_zh": "旅行者将读到的理由。",
        "reason_en": "The reason, as the traveller will read it.",
        "valid_from": date(2026, 1, 1),
        "valid_until": None,
    } | _EXAMPLES[kind]
    # A code whose check digit is right and that no company has.
    return written([example], columns_of(kind), codes={0: "91110108MA01TMPL05"})
