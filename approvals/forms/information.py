"""What the office asks, item by item, and what the applicant writes on each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals import rules, timekeeping
from approvals.forms.applicant import DocumentsForm, SeveralFilesInput
from approvals.forms.rows import RowsForm
from approvals.forms.staff import MAX_TEXT, LinesField
from approvals.models.information import Item, ItemKind
from approvals.workflow.information import MOST_ITEMS
from interface.asking import asks


@asks(working_days=_("Enter a number of working days."))
class AskForm(RowsForm):
    """Everything that is missing, in one list: a row for each item."""

    rows_name = "items"
    most_rows = MOST_ITEMS
    row_words = _("Item")

    reason = forms.CharField(
        label=_("Why the office needs this"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The applicant reads it."),
        error_messages={"required": _("Say why the office needs this.")},
    )
    working_days = forms.IntegerField(label=_("Working days to answer"), min_value=1)

    def row_fields(self) -> dict[str, forms.Field]:
        return {
            "question": forms.CharField(
                label=_("What you ask for"),
                required=False,
                max_length=1000,
                widget=forms.Textarea(attrs={"rows": 2}),
            ),
            "kind": forms.ChoiceField(
                label=_("Answered with"),
                choices=ItemKind.choices,
                initial=ItemKind.TEXT,
                required=False,
                error_messages={"invalid_choice": _("Choose how it is answered.")},
            ),
            "options": LinesField(
                label=_("Answers to choose from"),
                required=False,
                help_text=_("One a line. Only where one of several answers is to be chosen."),
            ),
        }

    def prepare(self) -> None:
        super().prepare()
        least = timekeeping.answer_days(self.request, at=self.at)
        days = self.fields["working_days"]
        days.help_text = _(
            "The office's policy gives %(least)d; you may give up to %(more)d more. The office's time stands still."
        ) % {"least": least, "more": rules.MORE_ANSWER_DAYS}
        self.initial.setdefault("working_days", least)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not any(row["question"] or row["options"] for row in self.cleaned_rows()):
            self.add_error(f"{self.rows_name}-0-question", _("Ask at least one question."))
        return given

    def values(self) -> dict[str, Any]:
        return {
            "items": [
                Item(question=row["question"], kind=row["kind"] or ItemKind.TEXT.value, options=tuple(row["options"]))
                for row in self.cleaned_rows()
            ],
            "reason": self.cleaned_data["reason"],
            "working_days": self.cleaned_data["working_days"],
        }


class ItemForm(forms.Form):
    """What is written on one item: fitted to its kind. Everything is kept as typed, so nothing is required here."""

    use_required_attribute = False

    cannot = forms.CharField(
        label=_("I cannot give this, because"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("This counts as an answer. Leave it empty if you can give what is asked for."),
    )
    file = forms.Field(
        label=_("Files"),
        required=False,
        widget=SeveralFilesInput(attrs={"accept": DocumentsForm.ACCEPTED}),
        help_text=_("PDF, images or Office files without macros, at most 20 MB each. You can choose several at once."),
    )

    def __init__(
        self,
        *args: Any,
        item: Item,
        text_label: Any,
        may_refuse: bool = True,
        with_files: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if item.kind == ItemKind.TEXT:
            self.fields["text"] = forms.CharField(
                label=text_label, required=False, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 6})
            )
        elif item.kind == ItemKind.CHOICE:
            self.fields["text"] = forms.ChoiceField(
                label=text_label,
                required=False,
                choices=[(option, option) for option in item.options],
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": _("Choose one of the answers.")},
            )
        if not with_files:
            del self.fields["file"]
        if not may_refuse:
            del self.fields["cannot"]
        self.order_fields(["text", "file", "cannot"])
