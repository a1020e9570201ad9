"""Changes to a trip, as the pages of its request show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.roles import Actor
from approvals import amending, disclosure, rules
from approvals.models import Amendment, TravelRequest
from approvals.models.amendment import WITH_OFFICE, AmendmentKind, AmendmentState
from approvals.states import State, Tier
from approvals.views import standing
from sensitivity import picking


def compared(one: Amendment, request: TravelRequest) -> list[standing.Change]:
    """The trip before and after the change, where they differ, in the reader's language."""
    labels = picking.subject_labels({*one.base["topics"], *one.content["topics"]})
    before, after = (
        standing.in_words(
            {**content, "declarations": [], "attachments": []}, company_id=request.company_id, labels=labels
        )
        for content in (one.base, one.content)
    )
    return standing.changes(before, after)


def who_looks(draft: Amendment, tier: str, *, is_shift: bool, is_decided: bool) -> str:
    """Who looks at a change, in a sentence."""
    if draft.kind == AmendmentKind.REPORT:
        return _("A reviewer of the office reads it and notes it.")
    if not is_decided:
        return _("It becomes part of the request at once.")
    if is_shift:
        words = _("Dates that move by at most %(days)d days, for a trip that gets no longer: one reviewer confirms it.")
        return words % {"days": rules.SHIFT_DAYS}
    if tier in (Tier.HEIGHTENED, Tier.RESTRICTED):
        return _("It touches a published entry of level 2: one reviewer looks at it, and a senior reviewer accepts it.")
    return _("One reviewer looks at what changes, and at nothing else.")


@dataclass(frozen=True, slots=True)
class Amended:
    """A change as the page of its request shows it."""

    one: Amendment
    changes: list[standing.Change]
    words: str
    hits: list[disclosure.HitWords]
    is_open: bool


def amendments(request: TravelRequest, actor: Actor) -> list[Amended]:
    """The changes to `request` that were filed, the latest first. No query where there cannot be any."""
    return _amended(request, whole=disclosure.reads_whole(request, actor))


def _amended(request: TravelRequest, *, whole: bool) -> list[Amended]:
    if request.revision_number < 2 and request.open_amendment_id is None and request.state not in MAY_HAVE_ENDED:
        return []
    found = Amendment.objects.filter(request=request, filed_at__isnull=False).order_by("-filed_at")
    return [
        Amended(
            one=one,
            changes=compared(one, request),
            words=who_looks(
                one,
                one.tier,
                is_shift=amending.is_small_shift(one.base, one.content),
                is_decided=one.state != AmendmentState.TAKEN_OVER,
            ),
            hits=disclosure.hits_in_words(one.hits, whole=whole, company_id=request.company_id),
            is_open=one.state in WITH_OFFICE,
        )
        for one in found
    ]


# Where a change that was not accepted, or was taken back, may have left no revision.
MAY_HAVE_ENDED = frozenset({State.APPROVED, State.CLOSED, State.REVOKED})


def about_amendment(request: TravelRequest, at: datetime) -> Mapping[str, Any]:
    """What `approvals/do/amendment.html` shows: what waits for the office. Only its people open these pages."""
    return {"amended": [one for one in _amended(request, whole=True) if one.is_open]}
