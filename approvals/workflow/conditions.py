"""Conditions of a clearance as obligations: imposed with a day, reported, released; or cannot be met, and answered.

None of this touches the clearance: an overdue condition is reminded of, first to who owes it, then to the office, and
never takes anything back by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem, Refused
from accounts.roles import Actor, Role
from accounts.rules import Rule
from approvals import clocks, journal, rules
from approvals.models import Attachment, Condition, ConditionStep, Decision, TravelRequest
from approvals.models.conditions import ConditionNow, ConditionState, conditions_now
from approvals.states import WITH_CONDITIONS
from approvals.workflow import gate
from approvals.workflow import items as written
from approvals.workflow.gate import Taking, beside, fetch, required, user_id_of

MOST_CONDITIONS = 20
DAYS_AFTER_RETURN = 5
MOST_DAYS_AFTER_RETURN = 90


# ── imposed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Due(TextChoices):
    """From what the day of a condition follows. It is computed once, when the clearance is given."""

    DEPARTURE = "departure", pgettext_lazy("condition", "Before departure")
    RETURN = "return", pgettext_lazy("condition", "Some days after the return")
    DAY = "day", pgettext_lazy("condition", "On a certain day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """A condition to be imposed: what has to be done, by whom, by when, and whether a document has to show it.

    `days` are days of the calendar after the return, `due_on` is a day of the office's zone; each counts for its kind
    of `due` only.
    """

    text: str
    owner: str = Condition.Owner.APPLICANT.value
    due: str = Due.RETURN.value
    days: int = DAYS_AFTER_RETURN
    due_on: date | None = None
    needs_evidence: bool = False

    def as_data(self) -> dict[str, Any]:
        """The obligation for a JSON column, such as that of a proposal."""
        return {
            "text": self.text,
            "owner": str(self.owner),
            "due": str(self.due),
            "days": self.days,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "needs_evidence": self.needs_evidence,
        }

    @classmethod
    def of(cls, value: Obligation | str | Mapping[str, Any]) -> Obligation:
        """An obligation from what a proposal holds. A text alone is owed by the applicant, soon after the return."""
        if isinstance(value, Obligation):
            return value
        if isinstance(value, str):
            return cls(text=value)
        day = value["due_on"]
        return cls(**{**value, "due_on": date.fromisoformat(day) if day else None})

    def day(self, *, today: date, first: date, last: date) -> date:
        """By which day it has to be met, for a trip from `first` to `last` that is cleared `today`: never before."""
        if self.due == Due.DAY and self.due_on is not None:
            return max(self.due_on, today)
        if self.due == Due.DEPARTURE:
            return max(first - timedelta(days=1), today)
        return max(last + timedelta(days=self.days), today)


Imposed = Obligation | str | Mapping[str, Any]


def cleaned(request: TravelRequest, conditions: Sequence[Imposed]) -> list[Obligation]:
    """What of `conditions` says something, cleaned. Invalid at `conditions-<n>-<field>` for what cannot be imposed."""
    found: list[Problem] = []
    kept: list[Obligation] = []
    for place, value in enumerate(conditions):
        one = Obligation.of(value)
        text = one.text.strip()
        if not text:
            continue

        def wrong(field: str, sentence: str, place: int = place) -> None:
            found.append(Problem("", f"conditions-{place}-{field}", sentence))

        if one.owner not in Condition.Owner.values:
            wrong("owner", _("Choose who has to meet it."))
        if one.due not in Due.values:
            wrong("due", _("Choose by when it has to be met."))
        if one.due == Due.DAY and one.due_on is None:
            wrong("due_on", _("Enter the day."))
        elif one.due == Due.DAY and one.due_on is not None and not _is_near(one.due_on, request):
            wrong("due_on", _("Enter a day from today on, within a year of the return."))
        if one.due == Due.RETURN and not 0 <= one.days <= MOST_DAYS_AFTER_RETURN:
            wrong("days", _("Enter from 0 to %(most)d days.") % {"most": MOST_DAYS_AFTER_RETURN})
        kept.append(
            Obligation(
                text=text,
                owner=one.owner,
                due=one.due,
                days=one.days,
                due_on=one.due_on,
                needs_evidence=one.needs_evidence,
            )
        )
    if len(kept) > MOST_CONDITIONS:
        words = _("A clearance has at most %(most)d conditions; put together what belongs together.")
        found.append(Problem("", "conditions", words % {"most": MOST_CONDITIONS}))
    if found:
        raise Invalid(found)
    return kept


def _is_near(day: date, request: TravelRequest) -> bool:
    """Whether `day` is one by which a condition of this trip can be due."""
    last = request.returns_on or request.today
    return request.today <= day <= last + timedelta(days=366)


def add_conditions(step: Taking, decision: Decision, conditions: Sequence[Imposed]) -> None:
    """Impose `conditions` with a decision that clears a trip, each by its day, which is never computed again.

    Called with none, too: they take the place of those of an earlier clearance. Invalid as `cleaned`. The days are
    those of what `decision` clears.
    """
    request = step.request
    obligations = cleaned(request, conditions)
    rows = []
    for one in obligations:
        # Of a trip that is cleared in part: of that part. `cleared_from` would read the revision for the others.
        first = decision.cleared_from if decision.cleared else request.departs_on
        last = decision.cleared_until if decision.cleared else request.returns_on
        assert first is not None
        assert last is not None
        rows.append(
            step.add(
                Condition,
                decision=decision,
                text=one.text,
                owner=one.owner,
                due_on=one.day(today=request.today, first=first, last=last),
                needs_evidence=one.needs_evidence,
            )
        )
    request.conditions_now = conditions_now(rows, ())
    request.open_conditions, request.conditions_wait_since = len(rows), None


# ── what becomes of them ────────────────────────────────────────────────────────────────────────────────────────────

_OWNERS: Mapping[str, Rule] = {
    Condition.Owner.APPLICANT: rules.is_applicant,
    Condition.Owner.COMPANY: rules.officer_not_applicant,
}
OWES = frozenset({"report_condition", "cannot_comply"})
# Verb → in which state of a condition it can be done.
_IN: Mapping[str, frozenset[ConditionState]] = {
    "report_condition": frozenset({ConditionState.OPEN}),
    "cannot_comply": frozenset({ConditionState.OPEN, ConditionState.REPORTED}),
    "release_condition": frozenset({ConditionState.OPEN, ConditionState.REPORTED}),
    "send_back_condition": frozenset({ConditionState.REPORTED}),
    "answer_condition": frozenset({ConditionState.CANNOT_COMPLY}),
}


def owes(condition: Condition, request: TravelRequest, actor: Actor) -> bool:
    """Whether `actor` is, or acts for, who has to meet `condition`."""
    return _OWNERS[condition.owner].refusal(request, actor) is None


def open_to(verb: str, request: TravelRequest, actor: Actor) -> list[ConditionNow]:
    """The conditions of `request` to which `actor` may do `verb` now; none where they may not do it at all."""
    if request.state not in WITH_CONDITIONS:
        return []
    found = [one for one in request.conditions_now if one.state in _IN[verb]]
    if verb in OWES:
        return [one for one in found if owes(one.condition, request, actor)]
    return found if rules.assigned_reviewer_or_senior.refusal(request, actor) is None else []


def _refusal(request: TravelRequest, actor: Actor, *, verb: str) -> Refused | None:
    if verb not in OWES and (sentence := rules.assigned_reviewer_or_senior.refusal(request, actor)):
        return NotAllowed(sentence)
    if verb in OWES and not any(rule.refusal(request, actor) is None for rule in _OWNERS.values()):
        return NotAllowed(_("Only who has to meet a condition can do this."))
    if not open_to(verb, request, actor):
        return NotNow(_("There is no condition that waits for this from you."))
    return None


gate.BESIDE.update({verb: partial(_refusal, verb=verb) for verb in _IN})

Prepared = tuple[ConditionStep.Kind, Mapping[str, Any]]


def _step(
    verb: str,
    request_id: UUID,
    *,
    condition: UUID,
    actor: Actor,
    at: datetime,
    prepare: Callable[[TravelRequest, ConditionNow], Prepared],
) -> TravelRequest:
    """One step of one condition, in one transaction: its row, the clocks, the audit entry, the outbox row."""
    rules.moment_is_aware(at)
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if refused := _refusal(request, actor, verb=verb):
            raise refused
        there = next((one for one in request.conditions_now if one.condition.pk == condition), None)
        if there is None:
            raise NotFound(_("There is no such condition."))
        if there.condition.pk not in {one.condition.pk for one in open_to(verb, request, actor)}:
            if verb in OWES and not owes(there.condition, request, actor):
                raise NotAllowed(_("Only who has to meet this condition can do this."))
            words = _("This cannot be done now: the condition is in the state “%(state)s”.")
            raise NotNow(words % {"state": there.state.label})
        kind, values = prepare(request, there)
        row = ConditionStep(
            request=request, at=at, by_id=user_id_of(actor), condition=there.condition, kind=kind, **values
        )
        journal.write([], [row])
        role = _role(verb, request, there.condition, actor)
        data = {"condition": str(condition), "step": str(row.pk), "outcome": str(kind)}
        beside(verb, request, actor=actor, role=role, at=at, data=data, change=partial(_follow, request, there, row))
    return request


def _role(verb: str, request: TravelRequest, condition: Condition, actor: Actor) -> Role:
    if verb in OWES:
        return Role.OFFICER if condition.owner == Condition.Owner.COMPANY else Role.APPLICANT
    return Role.REVIEWER if rules.is_assigned_reviewer(request, actor) else Role.SENIOR


def _follow(request: TravelRequest, there: ConditionNow, row: ConditionStep) -> None:
    """What the request says of its conditions, after `row`."""
    moved = ConditionNow(there.condition, (*there.steps, row))
    found = [moved if one is there else one for one in request.conditions_now]
    request.conditions_now = found
    request.open_conditions = sum(one.state != ConditionState.RELEASED for one in found)
    waiting = [since for one in found if (since := one.waits_for_office_since) is not None]
    request.conditions_wait_since = min(waiting, default=None)


def condition_key(condition: UUID) -> str:
    """Where what is written on a condition is kept until it is sent."""
    return f"condition:{condition}"


def report_condition(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    condition: UUID,
    text: str | None = None,
    documents: Sequence[str | UUID] = (),
) -> TravelRequest:
    """Say that a condition is met, and how, with documents where it needs them; the office looks at it.

    `text` None: what was written on the condition's page, with its documents. Refuses with Invalid, at `text` and
    `documents`, what is missing; NotAllowed for anybody but who owes it.
    """

    def prepare(request: TravelRequest, there: ConditionNow) -> Prepared:
        said, wanted = text, documents
        if said is None:
            kept = written.drafts(request, condition_key(condition)).get(condition_key(condition))
            said, wanted = (kept.text, kept.documents) if kept else ("", ())
        shown = written.named(request, wanted)
        found = []
        if not said.strip():
            found.append(Problem("", "text", _("Say what was done.")))
        if there.condition.needs_evidence and not shown:
            found.append(Problem("", "documents", _("Add the document that shows it.")))
        if len(shown) < len(set(map(str, wanted))):
            found.append(Problem("", "documents", _("A document that was named is not there any more.")))
        if found:
            raise Invalid(found)
        written.sent(request, condition_key(condition))
        return ConditionStep.Kind.REPORTED, {"text": said.strip(), "documents": [dict(one) for one in shown]}

    return _step("report_condition", request_id, condition=condition, actor=actor, at=at, prepare=prepare)


def cannot_comply(request_id: UUID, *, actor: Actor, at: datetime, condition: UUID, text: str) -> TravelRequest:
    """Say that a condition cannot be met, and why. The office owes an answer within a clock of its own.

    Invalid without reasons; NotAllowed for anybody but who owes it.
    """
    why = required(text, "text", _("Say why it cannot be met."))
    return _step(
        "cannot_comply",
        request_id,
        condition=condition,
        actor=actor,
        at=at,
        prepare=lambda request, there: (ConditionStep.Kind.CANNOT_COMPLY, {"text": why}),
    )


def release_condition(
    request_id: UUID, *, actor: Actor, at: datetime, condition: UUID, text: str = ""
) -> TravelRequest:
    """The condition is met, or no longer needed: nothing is owed any more. By the reviewer of the case, or a senior."""
    return _step(
        "release_condition",
        request_id,
        condition=condition,
        actor=actor,
        at=at,
        prepare=lambda request, there: (ConditionStep.Kind.RELEASED, {"text": text.strip()}),
    )


def send_back_condition(
    request_id: UUID, *, actor: Actor, at: datetime, condition: UUID, text: str, due_on: date | None = None
) -> TravelRequest:
    """What was reported does not show it yet: say what is missing, and until when; None: the day stays.

    Invalid without a text, and for a day that has passed.
    """
    why = required(text, "text", _("Say what is missing."))

    def prepare(request: TravelRequest, there: ConditionNow) -> Prepared:
        return ConditionStep.Kind.SENT_BACK, {"text": why, "due_on": _from_now_on(request, there, due_on)}

    return _step("send_back_condition", request_id, condition=condition, actor=actor, at=at, prepare=prepare)


class ConditionOutcome(TextChoices):
    """What the office answers to somebody who cannot meet a condition."""

    RELEASED = "released", pgettext_lazy("condition answer", "Release it")
    CHANGED = "changed", pgettext_lazy("condition answer", "Change it")
    UPHELD = "upheld", pgettext_lazy("condition answer", "Uphold it")


def answer_condition(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    condition: UUID,
    outcome: str,
    text: str,
    new_text: str = "",
    due_on: date | None = None,
) -> TravelRequest:
    """Answer who cannot meet a condition: release it, change it (`new_text`, `due_on`), or uphold it; with reasons.

    Invalid without an outcome and reasons, for a change that does not say what holds from now on, and for a day that
    has passed; `due_on` None upholds it by its own day.
    """
    why = required(text, "text", _("Give the reasons; who owes it reads them."))
    if outcome not in ConditionOutcome.values:
        raise Invalid([Problem("", "outcome", _("Choose an answer."))])

    def prepare(request: TravelRequest, there: ConditionNow) -> Prepared:
        if outcome == ConditionOutcome.RELEASED:
            return ConditionStep.Kind.RELEASED, {"text": why}
        if outcome == ConditionOutcome.CHANGED and not new_text.strip():
            raise Invalid([Problem("", "new_text", _("Write the condition as it is from now on."))])
        day = _from_now_on(request, there, due_on)
        if outcome == ConditionOutcome.UPHELD:
            return ConditionStep.Kind.UPHELD, {"text": why, "due_on": day}
        return ConditionStep.Kind.CHANGED, {"text": why, "new_text": new_text.strip(), "due_on": day}

    return _step("answer_condition", request_id, condition=condition, actor=actor, at=at, prepare=prepare)


def _from_now_on(request: TravelRequest, there: ConditionNow, wanted: date | None) -> date | None:
    """By when it has to be met now. Nobody is asked for something by a day that has passed."""
    day = wanted or there.due_on
    if day is not None and not _is_near(day, request):
        raise Invalid([Problem("", "due_on", _("Enter a day from today on, within a year of the return."))])
    return day


def days_left(one: ConditionNow, request: TravelRequest) -> int | None:
    """Days until the one by which it has to be met, in the office's zone; negative: overdue. None without a day."""
    return (one.due_on - clocks.local_day(request.now, request.zone)).days if one.due_on else None


def _waits(request: TravelRequest, key: str, actor: Actor) -> written.Waiting | Refused:
    """A condition waits for who owes it until it is reported."""
    there = {condition_key(one.condition.pk): one for one in request.conditions_now}.get(key)
    if there is None:
        return NotFound(_("There is no such condition."))
    if not owes(there.condition, request, actor):
        return NotAllowed(_("Only who has to meet this condition can do this."))
    if there not in open_to("report_condition", request, actor):
        words = _("This cannot be done now: the condition is in the state “%(state)s”.")
        return NotNow(words % {"state": there.state.label})
    role = Role.OFFICER if there.condition.owner == Condition.Owner.COMPANY else Role.APPLICANT
    return role, Attachment.Kind.PROOF


written.WAITS["condition"] = _waits
