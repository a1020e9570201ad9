"""What the office asked the applicant, and what was answered, item by item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from approvals.models.steps import Step


class ItemKind(models.TextChoices):
    """With what an item is answered."""

    TEXT = "text", pgettext_lazy("item", "A text")
    DOCUMENT = "document", pgettext_lazy("item", "A document")
    CHOICE = "choice", pgettext_lazy("item", "One of several answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that the office asks for. `options`: what can be chosen; empty for other kinds."""

    question: str
    kind: str = ItemKind.TEXT.value
    options: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The item for a JSON column."""
        return {"kind": self.kind, "question": self.question, "options": list(self.options)}

    @classmethod
    def from_data(cls, data: str | Mapping[str, Any]) -> Item:
        """The reverse of `as_data`. Requests of before items had kinds hold the question alone: it asks for a text."""
        if isinstance(data, str):
            return cls(question=data)
        return cls(question=data["question"], kind=data["kind"], options=tuple(data["options"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer to one item: a text (of a choice: the option), documents, or why it cannot be given."""

    text: str = ""
    cannot: str = ""
    documents: tuple[Mapping[str, str], ...] = ()
    """`id`, `name` and `sha256` of each, as they were when it was answered."""

    def as_data(self) -> dict[str, Any]:
        """The answer for a JSON column."""
        return {"text": self.text, "cannot": self.cannot, "documents": [dict(one) for one in self.documents]}

    @classmethod
    def from_data(cls, data: str | Mapping[str, Any]) -> Answered:
        """The reverse of `as_data`. Answers of before items had kinds are a text alone."""
        if isinstance(data, str):
            return cls(text=data)
        return cls(text=data["text"], cannot=data["cannot"], documents=tuple(data["documents"]))


class InformationRequest(Step):
    """Everything that is missing, asked for once, in one list."""

    reason = models.TextField(_("reason"))
    items = models.JSONField(_("items"), help_text=_("A list of questions."))
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("agreed by")
    )
    working_days = models.PositiveSmallIntegerField(
        _("working days"), null=True, help_text=_("How many the applicant was given; empty: those of the policy.")
    )

    class Meta(Step.Meta):
        verbose_name = _("information request")
        verbose_name_plural = _("information requests")

    def __str__(self) -> str:
        return self.reason

    @property
    def questions(self) -> tuple[Item, ...]:
        """The items, in the order in which they were asked."""
        return tuple(map(Item.from_data, self.items))


class InformationAnswer(Step):
    """The answers, one for each item, in the order of the items."""

    information_request = models.OneToOneField(InformationRequest, models.PROTECT, related_name="answer")
    answers = models.JSONField(_("answers"))

    class Meta(Step.Meta):
        verbose_name = _("answer")
        verbose_name_plural = _("answers")

    def __str__(self) -> str:
        return f"{len(self.answers)}"

    @property
    def given(self) -> tuple[Answered, ...]:
        """The answers, in the order of the items."""
        return tuple(map(Answered.from_data, self.answers))


class ItemDraft(models.Model):
    """What somebody has written so far, on one item that waits for them, and the documents that they added to it.

    Kept as typed and gone when it is sent. `key` names the item: `approvals.workflow.items`.
    """

    request = models.ForeignKey("approvals.TravelRequest", models.CASCADE, related_name="item_drafts")
    key = models.CharField(_("item"), max_length=60)
    text = models.TextField(_("text"), blank=True)
    cannot = models.TextField(_("why it cannot be given"), blank=True)
    documents = models.JSONField(_("documents"), default=list)
    saved_at = models.DateTimeField(_("saved at"))

    class Meta:
        verbose_name = _("item being written")
        verbose_name_plural = _("items being written")
        constraints = [models.UniqueConstraint(fields=["request", "key"], name="approvals_item_draft_key")]

    def __str__(self) -> str:
        return self.key
