"""Clearances that the holder shows and anyone can verify: issued with the decision, asked about with the token alone.

A token says that it was issued; whether it still holds is a look at the request. There is no list, no search and no
number to count through: without the token nothing is said of anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import uuid4

from approvals.models import Clearance, Decision, TravelRequest
from approvals.states import State
from documents import keys, tokens

# What a page or a letter may have put between the letters of a token: white space, and where a line may break.
_BETWEEN = re.compile("[\\s\u200b]+")
_IN_AN_ADDRESS = re.compile(rf"/verify/([A-Za-z0-9_-]{{{tokens.LETTERS}}})/?\Z")
_MOST_LETTERS = 2_000


def issue(request: TravelRequest, decision: Decision, *, at: datetime) -> Clearance | None:
    """The clearance of an approval, made once; None for a refusal. Called inside a transaction.

    Its days are those that the decision clears. NoSealingKey when nothing can be signed.
    """
    first, last = decision.cleared_from, decision.cleared_until
    if first is None or last is None:
        return None
    found = Clearance.objects.filter(decision=decision).first()
    if found is not None:
        return found
    number = uuid4()
    token = tokens.issue(number, valid_from=first, valid_until=last, key=keys.current(at=at))
    return Clearance.objects.create(
        id=number, request=request, decision=decision, issued_at=at, valid_from=first, valid_until=last, token=token
    )


class Standing(StrEnum):
    """What is said of a token, and nothing else."""

    VALID = "valid"
    NOT_VALID = "not_valid"
    """It was issued, and is over, taken back, or replaced. Which of these is nobody's business."""
    UNKNOWN = "unknown"
    """Not a token of ours: forged, changed, or signed with a key that was withdrawn."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What whoever verifies is told: whether it holds, and the days while it does."""

    standing: Standing
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def is_valid(self) -> bool:
        return self.standing is Standing.VALID


def clean(text: str) -> str:
    """The token in what somebody pasted: the token itself, in lines or not, or the address from the code."""
    joined = _BETWEEN.sub("", text[:_MOST_LETTERS])
    found = _IN_AN_ADDRESS.search(joined)
    return found[1] if found else joined


def verify(text: str, *, at: datetime) -> Verdict:
    """Whether the clearance of this token (or the address from its code) holds at `at` (aware).

    Valid: signed with a key of ours that was not withdrawn, its last day not over in the office's zone, and the request
    still stands approved by the decision that it was issued for.
    """
    try:
        token = tokens.verify(clean(text), keys.trusted())
    except tokens.BadToken:
        return Verdict(Standing.UNKNOWN)
    found = Clearance.objects.filter(pk=token.id).first()
    if found is None:
        return Verdict(Standing.NOT_VALID)
    request = TravelRequest.unscoped.select_related("office").get(pk=found.request_id)
    stands = request.state == State.APPROVED and request.decision_id == found.decision_id
    today = at.astimezone(request.zone).date()
    if not stands or today > token.valid_until or (token.valid_from, token.valid_until) != _days(found):
        return Verdict(Standing.NOT_VALID)
    return Verdict(Standing.VALID, token.valid_from, token.valid_until)


def _days(found: Clearance) -> tuple[date, date]:
    return found.valid_from, found.valid_until
