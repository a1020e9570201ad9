"""What a rule is: a test with the sentence that is shown when it says no. The apps write theirs in their `rules.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.refusals import Sentence
from accounts.roles import Actor, Role


class Rule:
    """A test with the sentence for when it says no. Combine with `&`: the first no is the one that is told.

    `roles` are the roles in which an actor can satisfy it; empty for a rule about the subject alone.
    """

    def __init__(
        self, test: Callable[..., bool], sentence: Sentence, *, roles: tuple[Role, ...] = (), name: str = ""
    ) -> None:
        self.test = test
        self.sentence = sentence
        self.roles = roles
        self.__name__ = name or test.__name__

    def __call__(self, subject: Any, *actor: Actor) -> bool:
        return self.test(subject, *actor)

    def refusal(self, subject: Any, *actor: Actor) -> Sentence | None:
        """The sentence that says why not; None when the rule agrees."""
        return None if self.test(subject, *actor) else self.sentence

    def __and__(self, other: Rule) -> Rule:
        return _Both(self, other)


class _Both(Rule):
    def __init__(self, first: Rule, second: Rule) -> None:
        self.first, self.second = first, second
        super().__init__(
            lambda *a: first(*a) and second(*a),
            first.sentence,
            roles=first.roles or second.roles,
            name=f"{first.__name__} & {second.__name__}",
        )

    def refusal(self, subject: Any, *actor: Actor) -> Sentence | None:
        return self.first.refusal(subject, *actor) or self.second.refusal(subject, *actor)


def rule(sentence: Sentence, *roles: Role) -> Callable[[Callable[..., bool]], Rule]:
    """Makes a rule of a predicate, with the sentence that is shown when it says no, and the roles it speaks of."""
    return lambda test: Rule(test, sentence, roles=roles)
