"""Conditions of a clearance: each is an obligation of somebody, with a day, a way to show it done, and a release.

What becomes of a condition is append-only rows that follow it; its state is what the last of them says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from approvals.models.decision import Decision
from approvals.models.steps import Step


class Condition(Step):
    """Something that somebody has to do, or to keep to, for a cleared trip. The database never changes it."""

    class Owner(models.TextChoices):
        APPLICANT = "applicant", pgettext_lazy("condition", "The applicant")
        COMPANY = "company", pgettext_lazy("condition", "The company")

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="conditions")
    text = models.TextField(_("condition"))
    owner = models.CharField(_("who has to meet it"), max_length=9, choices=Owner.choices, default=Owner.APPLICANT)
    due_on = models.DateField(_("to be met by"), null=True)
    needs_evidence = models.BooleanField(_("a document has to show it"), default=False)

    class Meta(Step.Meta):
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")

    def __str__(self) -> str:
        return self.text[:40]


class ConditionState(models.TextChoices):
    """Where a condition is."""

    OPEN = "open", pgettext_lazy("condition", "To be met")
    REPORTED = "reported", pgettext_lazy("condition", "Reported, with the office")
    CANNOT_COMPLY = "cannot_comply", pgettext_lazy("condition", "Cannot be met, with the office")
    RELEASED = "released", pgettext_lazy("condition", "Released")


WITH_OFFICE = frozenset({ConditionState.REPORTED, ConditionState.CANNOT_COMPLY})


class ConditionStep(Step):
    """What became of a condition: one thing that its owner or the office did about it."""

    class Kind(models.TextChoices):
        REPORTED = "reported", pgettext_lazy("condition", "Reported as met")
        SENT_BACK = "sent_back", pgettext_lazy("condition", "Sent back: something is missing")
        CANNOT_COMPLY = "cannot_comply", pgettext_lazy("condition", "Cannot be met, says who owes it")
        UPHELD = "upheld", pgettext_lazy("condition", "Upheld")
        CHANGED = "changed", pgettext_lazy("condition", "Changed")
        RELEASED = "released", pgettext_lazy("condition", "Released")

    condition = models.ForeignKey(Condition, models.PROTECT, related_name="steps")
    kind = models.CharField(_("what happened"), max_length=13, choices=Kind.choices)
    text = models.TextField(_("what was said"))
    documents = models.JSONField(
        _("documents"), default=list, blank=True, help_text=_("`id`, `name` and `sha256` of each.")
    )
    new_text = models.TextField(_("the condition from now on"), blank=True)
    due_on = models.DateField(_("to be met by, from now on"), null=True)

    class Meta(Step.Meta):
        verbose_name = _("step of a condition")
        verbose_name_plural = _("steps of conditions")
        constraints = [
            # Only a release may go without words: that it is met says it all.
            models.CheckConstraint(
                name="approvals_condition_step_says_why", condition=Q(kind="released") | ~Q(text="")
            ),
            models.CheckConstraint(
                name="approvals_condition_step_changes_the_text",
                condition=Q(kind="changed", due_on__isnull=False) & ~Q(new_text="")
                | ~Q(kind="changed") & Q(new_text=""),
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


_AFTER: Mapping[str, ConditionState] = {
    ConditionStep.Kind.REPORTED: ConditionState.REPORTED,
    ConditionStep.Kind.CANNOT_COMPLY: ConditionState.CANNOT_COMPLY,
    ConditionStep.Kind.RELEASED: ConditionState.RELEASED,
}


@dataclass(frozen=True, slots=True)
class ConditionNow:
    """A condition with everything that became of it, in order."""

    condition: Condition
    steps: Sequence[ConditionStep] = ()

    @property
    def last(self) -> ConditionStep | None:
        """What happened last; None when nothing did."""
        return self.steps[-1] if self.steps else None

    @property
    def state(self) -> ConditionState:
        """Where it is. What was sent back, upheld or changed is to be met again."""
        return ConditionState.OPEN if self.last is None else _AFTER.get(self.last.kind, ConditionState.OPEN)

    @property
    def text(self) -> str:
        """What has to be done, after the last change."""
        return next((step.new_text for step in reversed(self.steps) if step.new_text), self.condition.text)

    @property
    def due_on(self) -> date | None:
        """By which day (of the office's zone) it has to be met, after the last change. None: of before conditions had
        days."""
        return next((step.due_on for step in reversed(self.steps) if step.due_on), self.condition.due_on)

    @property
    def waits_for_office_since(self) -> datetime | None:
        """Since when the office has to say something about it; None when it has not."""
        return self.last.at if self.last is not None and self.state in WITH_OFFICE else None


def imposed_last(conditions: Iterable[Condition]) -> list[Condition]:
    """Of all the conditions of one request those that its last clearance with conditions imposed.

    They are in force while any is open: a clearance takes the place of the one before it with its conditions, and an
    accepted change, which writes a decision of its own, imposes none and leaves them as they are (ADR 53).
    """
    rows = list(conditions)
    last = max(rows, key=lambda one: (one.at, one.pk), default=None)
    return [one for one in rows if last is not None and one.decision_id == last.decision_id]


def conditions_now(conditions: Iterable[Condition], steps: Iterable[ConditionStep]) -> list[ConditionNow]:
    """`conditions` with those of `steps` that belong to each."""
    by_condition: dict[object, list[ConditionStep]] = {}
    for step in sorted(steps, key=lambda step: (step.at, step.pk)):
        by_condition.setdefault(step.condition_id, []).append(step)
    return [ConditionNow(one, tuple(by_condition.get(one.pk, ()))) for one in conditions]
