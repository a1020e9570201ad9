"""Every verb with input that is in order, so that what says no is a rule and not the input."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile

from accounts.models import User
from accounts.roles import Actor
from approvals import workflow
from approvals.states import Tier
from approvals.workflow import gate
from tests.factories import DENIAL, actor
from tests.factories.requests import Cast

Call = Callable[[UUID, Actor, datetime], Any]

INPUT: dict[str, dict[str, Any]] = {
    "return_for_changes": {"comment": "Add the programme."},
    "object": {"comment": "The dates meet a release."},
    "decline": {"comment": "No budget."},
    "take": {"no_conflict": True},
    "hand_over": {"reviewer_id": None, "reason": "On leave."},
    "ask_information": {"items": ["Who pays?"], "reason": "To see who the host is."},
    "answer": {"answers": ["My company."]},
    "judge_match": {"key": "nothing", "confirmed": False, "reason": "Another institute of a like name."},
    "change_tier": {"tier": Tier.HEIGHTENED, "reason": "The programme names a closed session."},
    "reassess": {"reason": "The session was listed last week."},
    "propose": {"outcome": "denied", "grounds": DENIAL},
    "reply": {"text": "Please reconsider."},
    "reject_proposal": {"note": "Look at the programme again."},
    "consult": {"office_id": 0, "question": "Is the method among those of the list?"},
    "give_opinion": {"outcome": "favourable", "reasons": "All of it is published."},
    "extend": {"working_days": 5, "reason": "The host was asked and has not answered."},
    "propose_revocation": {"grounds": DENIAL},
    "reject_revocation": {"note": "Another session was meant."},
    "recuse": {"conflict": "relation"},
    "ask_other_reviewer": {"reason": "We worked together until last year, and did not part as friends."},
    "keep_reviewer": {"reason": "The reviewer declared no conflict, and none is known."},
    "report_condition": {"condition": UUID(int=0), "text": "The slides went to the company."},
    "cannot_comply": {"condition": UUID(int=0), "text": "The host keeps them."},
    "release_condition": {"condition": UUID(int=0)},
    "send_back_condition": {"condition": UUID(int=0), "text": "The date is missing."},
    "answer_condition": {"condition": UUID(int=0), "outcome": "upheld", "text": "It can still be done."},
    "amend": {"reason": "The conference moved."},
    "file_amendment": {"reason": "The conference moved."},
    "report_change": {"reason": "I fell ill."},
    "recommend_amendment": {"text": "Only the host differs."},
    "return_amendment": {"text": "The conference is over by then."},
    "file_appeal": {"text": "The session is not the purpose of my trip."},
    "hear_appeal": {"no_conflict": True},
    "add_to_appeal": {"files": [ContentFile(b"%PDF-1.4 letter", name="letter.pdf")]},
    "note_hearing": {"held_on": date(2026, 3, 3), "heard": "Alice Wang", "text": "The session was cancelled."},
    "comment_on_hearing": {"text": "It was cancelled on the second of March."},
    "ask_in_appeal": {"text": "Who cancelled the session?"},
    "answer_in_appeal": {"text": "The organisers."},
    "uphold": {"text": "The grounds hold."},
    "overturn": {"text": "The session is public."},
}

# Only a clock takes these. No function lets a person try, so the gate itself is asked.
BY_CLOCK = ("forward", "lapse", "deem_approved", "remind", "escalate", "return_to_queue")

VERBS = tuple(dict.fromkeys([*workflow.transitions(), *workflow.BESIDE]))


def call(verb: str, request_id: UUID, actor: Actor, at: datetime, **more: Any) -> Any:
    """Do `verb` as `actor` at `at`, with input in order, or with `more`."""
    if verb in BY_CLOCK:
        return gate.move(verb, request_id, actor=actor, at=at)
    return getattr(workflow, verb)(request_id, actor=actor, at=at, **(INPUT.get(verb, {}) | more))


def as_(cast: Cast, user: User | None, verb: str, hours: int = 1, **more: Any) -> Any:
    """`user` does `verb` to the request of `cast`, so many hours after it came to its state."""
    assert user is not None
    at = cast.request.state_since + timedelta(hours=hours)
    return call(verb, cast.request.pk, actor(user, at), at, **more)
