"""What the lists of the demonstration say: about 300 entries in `lists/`, one file for each kind, all of them made up.

Subjects are arXiv's classes with finer topics below them, destinations ISO 3166; the organisations, projects and events
do not exist. `second.csv` and `third.csv` hold what the later versions change.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sensitivity import names
from sensitivity.models import NAMED_KINDS, ListKind

_FOLDER = Path(__file__).with_name("lists")

# Projects that every company has and no list names: code, names.
_UNLISTED = (("P-11", "客服助手", "Help Desk"), ("P-12", "开放课程", "Open Course"))

Key = tuple[str, str]
"""An entry in a version: its code and, of a project, the domain of its company."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is written: the domain of its company stands for the company."""

    company: str
    values: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return self.values["code"], self.company


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a later version: `what` is new, change, rename or remove; `values` hold what is new about it."""

    what: str
    key: Key
    values: Mapping[str, Any]


def _rows(name: str) -> list[dict[str, str]]:
    with open(_FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _values(row: Mapping[str, str]) -> dict[str, Any]:
    """What a row says, as `drafting` takes it; nothing of the fields that it leaves empty."""
    found: dict[str, Any] = {
        name: text for name, text in row.items() if text and name not in ("list", "what", "new_code", "company")
    }
    if "level" in found:
        found["level"] = int(found["level"])
    if "aliases" in found:
        found["aliases"] = found["aliases"].split(";")
    return found


@cache
def first(kind: ListKind) -> tuple[Entry, ...]:
    """The entries of the first version; what others are part of comes before them."""
    return tuple(Entry(row.get("company") or "", _values(row)) for row in _rows(kind.value))


def projects() -> list[tuple[str, str, str, str]]:
    """The projects of the companies, listed or not: domain of the company, code, names."""
    listed = [(entry.company, entry.values) for entry in first(ListKind.PROJECT)]
    listed += [(one.key[1], {"code": one.key[0]} | dict(one.values)) for one in changes(ListKind.PROJECT, "second")]
    named = [
        (of, values["code"], values["label_zh"], values["label_en"]) for of, values in listed if "label_zh" in values
    ]
    companies = dict.fromkeys(of for of, *_others in named)
    return sorted([*named, *((of, *one) for of in companies for one in _UNLISTED)])


@cache
def changes(kind: ListKind, version: str) -> tuple[Change, ...]:
    """What the "second" or "third" version of a list changes, in order."""
    found = []
    for row in _rows(version):
        if row["list"] != kind.value:
            continue
        values = {"code": row["new_code"]} if row["what"] == "rename" else _values(row)
        found.append(Change(row["what"], (row["code"], row["company"]), values))
    return tuple(found)


def changed(entries: Iterable[Entry], by: Iterable[Change]) -> tuple[Entry, ...]:
    """`entries` after those changes: what the database holds then, but for what it derives."""
    found = {entry.key: entry for entry in entries}
    for change in by:
        code, company = change.key
        match change.what:
            case "new":
                found[change.key] = Entry(company, change.values)
            case "remove":
                del found[change.key]
            case _:
                before = found.pop(change.key)
                after = Entry(company, {**before.values, **change.values})
                if change.what == "rename":
                    after = Entry(company, {**after.values, "former_codes": [code]})
                    found = {
                        key: _moved(entry, code, after.values["code"]) if entry.values.get("parent") == code else entry
                        for key, entry in found.items()
                    }
                found[after.key] = after
    return tuple(found.values())


def _moved(entry: Entry, old: str, new: str) -> Entry:
    return Entry(entry.company, {**entry.values, "parent": new})


def levels(kind: ListKind, entries: Iterable[Entry]) -> dict[Any, int]:
    """What is looked up in a list → the highest level that is found: codes, names as they are compared, and of a
    project (code, domain of the company). An entry of the technologies covers what is below it."""
    every = {entry.key: entry for entry in entries}
    found: dict[Any, int] = {}
    for entry in every.values():
        for looked_up in _looked_up(kind, entry):
            found[looked_up] = max(found.get(looked_up, 0), _level(entry, every))
    return found


def _looked_up(kind: ListKind, entry: Entry) -> Iterable[Any]:
    values = entry.values
    if kind in NAMED_KINDS:
        return names.keys(label_zh=values["label_zh"], label_en=values["label_en"], aliases=values.get("aliases", ()))
    codes = [values["code"], *values.get("former_codes", ())]
    return [(code, entry.company) for code in codes] if kind is ListKind.PROJECT else codes


def _level(entry: Entry, every: Mapping[Key, Entry]) -> int:
    above = every.get((entry.values.get("parent", ""), ""))
    level: int = entry.values["level"]
    return max(level, _level(above, every)) if above else level
