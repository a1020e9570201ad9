"""django-fsm's decorator, with rules of ours, and the table that follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import django_fsm
from django.db.models import TextChoices

from accounts.rules import Rule

Method = TypeVar("Method", bound=Callable[..., Any])


def transition(
    field: Any, *, source: Any, target: Any, permission: Rule, conditions: Sequence[Rule] = ()
) -> Callable[[Method], Method]:
    """One row of the transition table. `permission` has no default: without it django-fsm would let everybody."""
    decorate: Callable[[Method], Method] = django_fsm.transition(
        field,
        source=source,
        target=target,
        conditions=list(conditions),
        permission=permission,  # type: ignore[arg-type]
    )
    return decorate


@dataclass(frozen=True, slots=True)
class Row:
    """A transition as declared: `targets` are all the states that it can lead to, its own where it stays."""

    verb: str
    source: str
    targets: frozenset[str]
    permission: Rule
    conditions: tuple[Rule, ...]


def table(model: Any, field: str, states: type[TextChoices]) -> dict[str, dict[str, Row]]:
    """The transition table of `model`: verb → source state → row. `states` are all that its `field` can hold."""
    rows: dict[str, dict[str, Row]] = {}
    for declared in model._meta.get_field(field).get_all_transitions(model):
        source, target = states(declared.source), declared.target
        several = getattr(target, "allowed_states", None)
        targets = several if several is not None else [source if target is None else target]
        rows.setdefault(declared.name, {})[source] = Row(
            verb=declared.name,
            source=source,
            targets=frozenset(states(state) for state in targets),
            permission=declared.permission,
            conditions=tuple(declared.conditions),
        )
    return rows
