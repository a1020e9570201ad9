"""The figures of a quarter in words: the tables of the page and the lines of the file, from the same numbers."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from authorities.languages import by_language
from figures.counting import CODE, COLUMNS
from figures.suppression import TOTAL
from interface.charts import Bar

Words = str | Promise
Data = Mapping[str, Any]

LABELS: Mapping[str, Words] = {
    "received": pgettext_lazy("figures", "Received"),
    "decided": pgettext_lazy("figures", "Decided"),
    "approved": pgettext_lazy("figures", "Approved"),
    "deemed": pgettext_lazy("figures", "Deemed approved"),
    "denied": pgettext_lazy("figures", "Denied"),
    "revoked": pgettext_lazy("figures", "Revoked"),
    "in_time": pgettext_lazy("figures", "Decided in time"),
    "late": pgettext_lazy("figures", "Decided late"),
    "open_late": pgettext_lazy("figures", "Still open, late"),
    "filed": pgettext_lazy("figures", "Appeals filed"),
    "appeals_ended": pgettext_lazy("figures", "Appeals ended"),
    "upheld": pgettext_lazy("figures", "Decision upheld"),
    "overturned": pgettext_lazy("figures", "Decision overturned"),
    "appeal_withdrawn": pgettext_lazy("figures", "Appeal withdrawn"),
    "median": pgettext_lazy("figures", "Median"),
    "ninetieth": pgettext_lazy("figures", "90th percentile"),
}
DAYS = ("median", "ninetieth")
PARTS: Sequence[tuple[str, Words, Sequence[str]]] = (
    (
        "decisions",
        gettext_lazy("Requests and decisions"),
        ("received", "decided", "approved", "deemed", "denied", "revoked"),
    ),
    ("time", gettext_lazy("Working days to the decision"), (*DAYS, "in_time", "late", "open_late")),
    (
        "appeals",
        gettext_lazy("Appeals against decisions of the office"),
        ("filed", "appeals_ended", "upheld", "overturned", "appeal_withdrawn"),
    ),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number as it is shown. None: it is not shown."""

    label: Words
    value: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row: an office, a reason code or a quarter."""

    name: str
    figures: Sequence[Figure]
    hint: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading. `first` is what its rows are called."""

    key: str
    heading: Words
    first: Words
    columns: Sequence[Words]
    lines: Sequence[Line]


def figure(data: Data, place: str, column: str) -> int | None:
    """The published number; None: it is not shown. `column` is one of COLUMNS, of DAYS, or a code after CODE."""
    values = data["days" if column in DAYS else "cells"][place]
    found: int | None = values[column]
    return found


def tables(data: Data) -> list[Table]:
    """All of a quarter, office by office and in total; the reasons last, and only where there are some."""
    found = [
        Table(key, heading, _("Office"), [LABELS[one] for one in columns], _lines(data, columns))
        for key, heading, columns in PARTS
    ]
    if data["codes"]:
        places = _places(data)
        lines = [
            Line(
                name=code["code"],
                hint=by_language(code["zh"], code["en"]),
                figures=[Figure(name, figure(data, place, CODE + code["code"])) for place, name in places],
            )
            for code in data["codes"]
        ]
        found.append(
            Table("reasons", _("Reasons of denials and revocations"), _("Code"), [name for _p, name in places], lines)
        )
    return found


def outcomes(data: Data) -> list[Bar]:
    """How requests were decided, all offices together."""
    tones = {"approved": "good", "deemed": "good", "denied": "bad", "revoked": "bad"}
    return [bar(LABELS[one], figure(data, TOTAL, one), tone) for one, tone in tones.items()]


def medians(data: Data) -> list[Bar]:
    """The median of each office and of all."""
    return [bar(name, figure(data, place, "median")) for place, name in _places(data)]


def bar(label: Words, value: int | None, tone: str = "plain") -> Bar:
    """A bar; of a number that is not shown an empty one that says so."""
    return Bar(label, 0, tone, _("not shown")) if value is None else Bar(label, value, tone)


HEADER = ("quarter", "version", "office", "office_zh", "office_en", "measure", "reason_code", "value", "status")


def as_csv(quarter: str, version: int, data: Data) -> str:
    """Every number of the page, one a line (RFC 4180). `office` is empty for all together; `value` is empty where the
    number is suppressed, and `status` says so."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(HEADER)
    for office, measure, value in _numbers(data):
        names = office["code"], office["zh"], office["en"]
        code = measure.removeprefix(CODE) if measure.startswith(CODE) else ""
        known = ("", "suppressed") if value is None else (value, "published")
        lines.writerow((quarter, version, *names, "reason" if code else measure, code, *known))
    return written.getvalue()


def _numbers(data: Data) -> Iterator[tuple[Mapping[str, str], str, int | None]]:
    everywhere = {"code": TOTAL, "zh": "所有办公室", "en": "All offices"}
    measures = [*COLUMNS, *DAYS, *(CODE + code["code"] for code in data["codes"])]
    for office in (everywhere, *data["offices"]):
        for measure in measures:
            yield office, measure, figure(data, office["code"], measure)


def _lines(data: Data, columns: Sequence[str]) -> list[Line]:
    return [
        Line(name, [Figure(LABELS[one], figure(data, place, one)) for one in columns]) for place, name in _places(data)
    ]


def _places(data: Data) -> list[tuple[str, str]]:
    return [(TOTAL, _("All offices")), *((one["code"], by_language(one["zh"], one["en"])) for one in data["offices"])]
