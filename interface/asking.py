"""What a form says of a field that was left empty: what to do there, not that something is required."""

from collections.abc import Callable
from typing import TypeVar

from django.forms import BaseForm
from django.utils.functional import Promise

F = TypeVar("F", bound=type[BaseForm])


def asks(**sentences: str | Promise) -> Callable[[F], F]:
    """A class decorator: field → what its form says where it was left empty, as in `code=_("Enter the code.")`.

    KeyError for a field that the form does not declare.
    """

    def asking(form: F) -> F:
        for name, sentence in sentences.items():
            form.base_fields[name].error_messages["required"] = sentence  # type: ignore[attr-defined]
        return form

    return asking
