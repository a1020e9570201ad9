"""The ways in which a verb says no. Each carries a sentence for the person; when one is raised, nothing has moved."""

from dataclasses import dataclass

from django.utils.functional import Promise

Sentence = str | Promise


class Refused(Exception):
    """A verb said no. `str()` of it is the sentence in the active language."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


class NotFound(Refused):
    """There is no such request in the scope of the actor. Says nothing about whether it exists elsewhere."""


class NotNow(Refused):
    """The state of the request, or a condition of the rule, does not allow this at this time."""


class NotAllowed(Refused):
    """The actor is not one who may do this to this request."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: the section of the form, the field in it (empty: the whole section), and how to mend it."""

    section: str
    field: str
    message: Sentence


class Invalid(Refused):
    """The input, or what the request holds, is incomplete or wrong: `problems` says where and how to mend each."""

    def __init__(self, problems: "list[Problem]") -> None:
        super().__init__(problems[0].message)
        self.problems = problems
