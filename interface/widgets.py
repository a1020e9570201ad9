"""Inputs that the forms of all apps share."""

from typing import Any

from django import forms


class DateInput(forms.DateInput):
    """The browser's own date picker. It wants ISO dates in every language, so the value is never localised."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")
