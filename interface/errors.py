"""What is wrong with a page's forms, as one linked list."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.forms import BaseForm, BaseFormSet, BoundField
from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, after the name of the field, and the id of the place where it is put right."""

    words: str
    target: str


def mistakes_in(*forms: "BaseForm | BaseFormSet[BaseForm] | None") -> list[Mistake]:
    """Every mistake of `forms` (forms, formsets; None is skipped) in the order in which the fields are shown."""
    return [mistake for form in forms if form is not None for mistake in _mistakes(form)]


def _mistakes(form: "BaseForm | BaseFormSet[BaseForm]") -> Iterator[Mistake]:
    if isinstance(form, BaseFormSet):
        if form.is_bound:
            yield from _whole(form.non_form_errors(), form.prefix)
            yield from (mistake for one in form.forms for mistake in _mistakes(one))
        return
    if not form.errors:
        return
    yield from _whole(form.non_field_errors(), form.prefix)
    for field in form:
        yield from (Mistake(_after_label(field.label, words), target_of(field)) for words in field.errors)


def _after_label(label: object, words: object) -> str:
    """What is wrong, after the name of its field; a field that asks a question has its mark already."""
    name = str(label)
    if name.endswith(("?", "？")):
        return f"{name} {words}"
    return gettext("%(field)s: %(mistake)s") % {"field": name, "mistake": words}


def _whole(errors: Iterable[object], prefix: str | None) -> Iterator[Mistake]:
    return (Mistake(str(words), whole_form_id(prefix)) for words in errors)


def whole_form_id(prefix: str | None) -> str:
    """The id of the place where mistakes of a whole form are shown."""
    return f"{prefix}-form-errors" if prefix else "form-errors"


def target_of(field: BoundField) -> str:
    """The id of the first thing of `field` that can take the focus."""
    if field.id_for_label:
        return field.id_for_label
    options = field.subwidgets
    return (options[0].data.get("attrs", {}).get("id") if options else "") or field.auto_id
