"""What is missing is asked for once, in one list, and answered item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem, Refused
from accounts.roles import Actor, Role
from approvals import queries, rules, timekeeping
from approvals.models import Attachment, InformationAnswer, InformationRequest, ItemDraft, TravelRequest
from approvals.models.information import Answered, Item, ItemKind
from approvals.states import State
from approvals.workflow import items as written
from approvals.workflow.gate import Taking, move, user_id_of

MOST_ITEMS = 30
_KINDS = frozenset(ItemKind.values)


def agree_information(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """A senior agrees that the applicant may be asked once more. NotNow before the first time, and when one has."""
    return move(
        "agree_information", request_id, actor=actor, at=at, prepare=lambda step: {"senior_id": user_id_of(actor)}
    )


def ask_information(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    items: Sequence[Item | str],
    reason: str,
    working_days: int | None = None,
) -> TravelRequest:
    """Ask the applicant for everything that is missing, in one list. The office's clock stops until it is answered.

    `working_days`: how many the applicant has to answer, at least those of the office's policy and at most
    `rules.MORE_ANSWER_DAYS` more; None: those of the policy. A text among `items` is a question answered by a text.

    Invalid without an item and without a reason, for a choice without two different options and for other days; at
    `items-<n>-question`, `items-<n>-options`, `working_days`.
    """
    asked, found = _items(items)
    if not reason.strip():
        found.append(Problem("", "reason", _("Say why the office needs this.")))
    if found:
        raise Invalid(found)

    def prepare(step: Taking) -> Mapping[str, Any]:
        least = timekeeping.answer_days(step.request, at=at)
        given = least if working_days is None else working_days
        if not least <= given <= least + rules.MORE_ANSWER_DAYS:
            words = _("Give from %(least)d to %(most)d working days: those of the policy, or up to %(more)d more.")
            between = {"least": least, "most": least + rules.MORE_ANSWER_DAYS, "more": rules.MORE_ANSWER_DAYS}
            raise Invalid([Problem("", "working_days", words % between)])
        step.add(
            InformationRequest,
            items=[item.as_data() for item in asked],
            reason=reason.strip(),
            agreed_by_id=step.request.information_agreed_by_id,
            working_days=given,
        )
        step.data |= {"items": len(asked), "working_days": given}
        return {"extra_days": given - least}

    return move("ask_information", request_id, actor=actor, at=at, prepare=prepare)


def _items(items: Sequence[Item | str]) -> tuple[list[Item], list[Problem]]:
    """The items that say something, cleaned, and what is wrong with them."""
    asked: list[Item] = []
    found: list[Problem] = []
    for place, one in enumerate(items):
        item = Item(question=one) if isinstance(one, str) else one
        question = item.question.strip()
        options = tuple(dict.fromkeys(option.strip() for option in item.options if option.strip()))
        if not question and not options:
            continue
        if not question:
            found.append(Problem("", f"items-{place}-question", _("Write the question, or take the item out.")))
        if item.kind not in _KINDS:
            found.append(Problem("", f"items-{place}-kind", _("Choose how it is answered.")))
        is_choice = item.kind == ItemKind.CHOICE
        if is_choice and len(options) < 2:
            words = _("Give at least two answers to choose from, one a line.")
            found.append(Problem("", f"items-{place}-options", words))
        asked.append(Item(question=question, kind=item.kind, options=options if is_choice else ()))
    if not asked:
        found.append(Problem("", "items", _("Ask at least one question.")))
    if len(asked) > MOST_ITEMS:
        words = _("Ask for %(most)d things at the most; put together what belongs together.")
        found.append(Problem("", "items", words % {"most": MOST_ITEMS}))
    return asked, found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the applicant gives for one item: a text (of a choice: the option), documents of the request by their ids,
    or why it cannot be given."""

    text: str = ""
    cannot: str = ""
    documents: Sequence[str | UUID] = ()


def answer_key(asked: InformationRequest, place: int) -> str:
    """The key of the item at `place` (from 0) of an information request."""
    return f"{_prefix(asked)}{place}"


def _prefix(asked: InformationRequest) -> str:
    return f"answer:{asked.pk}:"


def answers_so_far(request: TravelRequest, asked: InformationRequest) -> list[Answer]:
    """What is written so far, one for each item; empty ones where nothing is."""
    kept = written.drafts(request, _prefix(asked))
    return [_drafted(kept.get(answer_key(asked, place))) for place in range(len(asked.items))]


def _drafted(row: ItemDraft | None) -> Answer:
    return Answer(text=row.text, cannot=row.cannot, documents=row.documents) if row else Answer()


def answer_problem(item: Item, given: Answer) -> str:
    """What `given` lacks as an answer to `item`, in a sentence; empty when nothing. “I cannot give this, because …” is
    an answer."""
    if given.cannot.strip():
        return ""
    if item.kind == ItemKind.DOCUMENT:
        return "" if given.documents else _("Add a document, or say why you cannot.")
    if item.kind == ItemKind.CHOICE:
        return "" if given.text in item.options else _("Choose one of the answers, or say why you cannot.")
    return "" if given.text.strip() else _("Answer this question, or say why you cannot.")


def answer(
    request_id: UUID, *, actor: Actor, at: datetime, answers: Sequence[Answer | str] | None = None
) -> TravelRequest:
    """Answer what the office asked, each item in its order. The office's clock goes on from this moment.

    `answers` None: what was written item by item. Refuses with Invalid, at `answers-<n>`, each item without an answer
    and each document that is not one of the request's.
    """

    def prepare(step: Taking) -> None:
        asked = InformationRequest.objects.filter(request=step.request).latest("at")
        if answers is None:
            given = answers_so_far(step.request, asked)
        else:
            given = [Answer(text=one) if isinstance(one, str) else one for one in answers]
            given = [*given, *([Answer()] * len(asked.items))][: len(asked.items)]
        found, kept = [], []
        for place, (item, one) in enumerate(zip(asked.questions, given, strict=True)):
            documents = () if one.cannot.strip() else written.named(step.request, one.documents)
            if problem := answer_problem(item, one):
                found.append(Problem("", f"answers-{place}", problem))
            elif not one.cannot.strip() and len(documents) < len(set(map(str, one.documents))):
                missing = _("A document that was named is not there any more. Look at this item again.")
                found.append(Problem("", f"answers-{place}", missing))
            cannot = one.cannot.strip()
            kept.append(Answered(text="" if cannot else one.text.strip(), cannot=cannot, documents=documents))
        if found:
            raise Invalid(found)
        step.add(InformationAnswer, information_request=asked, answers=[one.as_data() for one in kept])
        step.data |= {"items": len(kept), "cannot": sum(bool(one.cannot) for one in kept)}
        if answers is None:
            written.sent(step.request, _prefix(asked))

    return move("answer", request_id, actor=actor, at=at, prepare=prepare)


def _waits(request: TravelRequest, key: str, actor: Actor) -> written.Waiting | Refused:
    """An item waits for the applicant while information is asked for, and until all are sent."""
    if sentence := rules.is_applicant.refusal(request, actor):
        return NotAllowed(sentence)
    if request.state != State.INFORMATION_REQUESTED:
        return NotNow(_("The office does not wait for an answer now. What you wrote before was sent, or is kept."))
    asked = queries.latest_question(request)
    if asked is None or key not in {answer_key(asked, place) for place in range(len(asked.items))}:
        return NotFound(_("There is no such item."))
    return Role.APPLICANT, Attachment.Kind.ANSWER


written.WAITS["answer"] = _waits
