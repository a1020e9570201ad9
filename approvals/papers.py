"""The papers of a request: made in the worker right after what they are about, stored once, never changed.

What has to be made is a row that the database writes (`PaperOrder`). Any number of workers look for such rows: each is
claimed, made in every language and marked in one transaction. What fails is given to a job, which tries again at
growing distances and is shown to administrators; so one letter that cannot be set never holds up another.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.refusals import NotNow
from accounts.roles import Actor, Role
from approvals import access, clearances, letters
from approvals.models import Appeal, Decision, Paper, PaperKind, PaperOrder, Revision, TravelRequest
from approvals.models.decision import Outcome
from approvals.models.paper import paper_storage
from audit.rows import new
from documents import signing, typesetting
from documents.letters import Letter
from jobs import work
from jobs.models import Job

logger = logging.getLogger(__name__)

JOB = "paper"


# ── making ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Made:
    """What one look did: papers made (orders, not files), orders that failed; `more` when it stopped before the end."""

    made: int = 0
    failed: int = 0
    more: bool = False


def make_due(*, at: datetime, most: int = 100) -> Made:
    """Make what waits at `at` (aware), `most` orders at most. Safe to run twice or on two machines at once.

    An order that cannot be made goes to a job, and the next one has its turn.
    """
    done = Made()
    while done.made + done.failed < most:
        order_id = PaperOrder.objects.due().values_list("pk", flat=True).first()
        if order_id is None:
            return done
        try:
            with transaction.atomic():
                order = PaperOrder.objects.due().select_for_update(skip_locked=True).first()
                if order is None:
                    return done  # others are at what is left
                order_id = order.pk
                _make(order, at=at)
            done.made += 1
        except Exception as error:  # whatever a letter did, only its own order may suffer
            # Without its trace, in which what people wrote would get into the log.
            logger.error("paper order %s could not be made: %s", order_id, type(error).__name__)
            _hand_over(order_id, at=at)
            done.failed += 1
    done.more = True
    return done


def make_now(order_id: int, *, at: datetime) -> None:
    """Make one order, for somebody who asks before the worker came. Nothing happens when it is made already.

    Whatever stops it is raised: CannotBeSet, NoCertificate, NoSealingKey.
    """
    with transaction.atomic():
        order = PaperOrder.objects.select_for_update().get(pk=order_id)
        if order.made_at is None:
            _make(order, at=at)


def _make(order: PaperOrder, *, at: datetime) -> None:
    """The papers of a locked order, in every language, and the clearance where it gives one; mark it."""
    request = _request(order)
    stored: list[str] = []
    try:
        for language in letters.LANGUAGES:
            with translation.override(language):
                letter = _letter(order, request, at=at)
                pdf = typesetting.typeset(letter, at=order.at)
                signed = signing.sign(pdf, field_words=str(_("Signature of the authority")), reason=letter.title)
            paper = new(Paper, id=uuid7(), request=request, order=order, language=language, made_at=at)
            paper.size, paper.sha256 = len(signed), sha256(signed).hexdigest()
            paper.file.save("", ContentFile(signed), save=False)
            stored.append(str(paper.file.name))
            paper.save(force_insert=True)
    except BaseException:
        for name in stored:  # the rows are gone with the transaction, so would be the way to these
            with suppress(OSError):
                paper_storage().delete(name)
        raise
    order.made_at = at
    order.save(update_fields=["made_at"])


def _request(order: PaperOrder) -> TravelRequest:
    wanted = TravelRequest.unscoped.select_related("applicant", "company", "office")
    return wanted.get(pk=order.request_id)


def _letter(order: PaperOrder, request: TravelRequest, *, at: datetime) -> Letter:
    """What the paper says, in the active language."""
    request.as_of(at)
    if order.kind == PaperKind.RECEIPT:
        return letters.receipt(request, Revision.objects.get(pk=order.subject))
    if order.kind == PaperKind.APPEAL:
        found = Appeal.objects.select_related("decision__revision", "office").get(pk=order.subject)
        return letters.appeal(request, found)
    decision = Decision.objects.select_related("revision", "assessment").get(pk=order.subject)
    return letters.decision(request, decision, clearances.issue(request, decision, at=at))


# ── what failed ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _hand_over(order_id: int, *, at: datetime) -> None:
    with transaction.atomic():
        order = PaperOrder.objects.select_for_update().get(pk=order_id)
        if order.made_at is None:
            order.handed_over_at = at
            order.save(update_fields=["handed_over_at"])
            work.enqueue(JOB, by=None, at=at, subject=str(order_id))


def _try_again(job: Job, at: datetime) -> bool:
    """The step of the job: make the order. A missing glyph is a sentence for administrators, anything else an error
    that is tried again."""
    try:
        make_now(int(job.subject), at=at)
    except typesetting.MissingGlyph as missing:
        codes = " ".join(f"U+{ord(character):04X}" for character in missing.text)
        raise NotNow(
            _(
                "The paper was not issued, because no installed font has “%(text)s” (%(codes)s). Install one in a "
                "folder of PAPER_FONTS and start this again."
            )
            % {"text": missing.text, "codes": codes}
        ) from missing
    return True


def register() -> None:
    """Let the worker know this kind of work. Called once, when the app is ready."""
    work.register(work.Work(kind=JOB, label=_("Making a paper"), step=_try_again))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def readable(request: TravelRequest, reader: Actor) -> list[PaperOrder]:
    """The papers of `request` (made or not) that `reader` may have, the latest first; the caller has let them see it.

    The company has the receipt and the clearance of its employee. A refusal, or what came of an appeal, is a letter to
    the applicant, who is quoted in it: the company is told the outcome.
    """
    orders = list(PaperOrder.objects.filter(request=request).order_by("-at", "-pk"))
    if access.role_towards(request, reader) is not Role.OFFICER:
        return orders
    decisions = [order.subject for order in orders if order.kind == PaperKind.DECISION]
    heard = Appeal.objects.filter(request=request, ended_at__isnull=False).values_list("ended_at", flat=True)
    cleared = set(
        Decision.objects.filter(pk__in=decisions, outcome=Outcome.APPROVED, cleared=[])
        .exclude(at__in=list(heard))
        .values_list("pk", flat=True)
    )
    return [order for order in orders if order.kind == PaperKind.RECEIPT or order.subject in cleared]


def of(order: PaperOrder, language: str) -> Paper | None:
    """The paper of an order in a language; None while it is not made."""
    return Paper.objects.filter(order=order, language=language).first()
