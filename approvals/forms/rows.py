"""A form with rows that can be added and taken out, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise

from approvals.forms.staff import VerbForm

THEN = "then"
ADD = "add"
REMOVE = "remove-"


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row as the template shows it: its number from 1, its fields, the value of the button that takes it out."""

    number: int
    fields: list[forms.BoundField]
    remove: str


class RowsForm(VerbForm):
    """Rows of the same fields, named `<rows>-<n>-<field>`, and other fields beside them.

    The buttons named `then` add a row (`add`) or take one out (`remove-<n>`): then nothing is checked, and the form
    comes back as it was typed. What the rows say is the verb's to check.
    """

    rows_name: ClassVar[str]
    most_rows: ClassVar[int]
    first_rows: ClassVar[int] = 1
    row_words: ClassVar[str | Promise]
    """What one row is called."""

    def __init__(self, data: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any) -> None:
        then = str(data.get(THEN, "")) if data is not None else ""
        if data is not None and (then == ADD or then.startswith(REMOVE)):
            typed, self.count = self._rearranged({name: data.get(name) for name in data}, then)
            kwargs["initial"] = (kwargs.get("initial") or {}) | typed
            data, args = None, ()
        else:
            self.count = self._counted(data) if data is not None else self.first_rows
        super().__init__(data, *args, **kwargs)

    @classmethod
    def _counted(cls, data: Mapping[str, Any]) -> int:
        places = [int(found[1]) for name in data if (found := re.fullmatch(rf"{cls.rows_name}-(\d{{1,3}})-\w+", name))]
        return min(max(places, default=0) + 1, cls.most_rows)

    @classmethod
    def _rearranged(cls, typed: dict[str, Any], then: str) -> tuple[dict[str, Any], int]:
        count = cls._counted(typed)
        if then == ADD:
            return typed, min(count + 1, cls.most_rows)
        gone = then.removeprefix(REMOVE)
        if not (gone.isascii() and gone.isdigit()) or int(gone) >= count:
            return typed, count
        moved: dict[str, Any] = {}
        for name, value in typed.items():
            found = re.fullmatch(rf"({cls.rows_name})-(\d{{1,3}})-(\w+)", name)
            if found is None:
                moved[name] = value
            elif (place := int(found[2])) != int(gone):
                moved[f"{found[1]}-{place - (place > int(gone))}-{found[3]}"] = value
        return moved, max(count - 1, 1)

    def row_fields(self) -> dict[str, forms.Field]:
        """The fields of one row, made anew."""
        raise NotImplementedError

    def prepare(self) -> None:
        for place in range(self.count):
            for name, made in self.row_fields().items():
                self.fields[f"{self.rows_name}-{place}-{name}"] = made

    def rows(self) -> list[FormRow]:
        """The rows, for the template."""
        names = list(self.row_fields())
        return [
            FormRow(place + 1, [self[f"{self.rows_name}-{place}-{name}"] for name in names], f"{REMOVE}{place}")
            for place in range(self.count)
        ]

    def beside(self) -> list[forms.BoundField]:
        """The other fields, for the template."""
        return [bound for bound in self if not bound.name.startswith(f"{self.rows_name}-")]

    @property
    def can_add(self) -> bool:
        """Whether there is room for another row."""
        return self.count < self.most_rows

    def cleaned_rows(self) -> list[dict[str, Any]]:
        """What was typed into each row, by the names of its fields; rows that are empty too, so that places hold."""
        names = list(self.row_fields())
        return [
            {name: self.cleaned_data.get(f"{self.rows_name}-{place}-{name}") for name in names}
            for place in range(self.count)
        ]
