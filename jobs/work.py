"""Doing jobs. The apps register their kinds of work in AppConfig.ready; the worker takes one batch after the other.

    work.register(Work(kind="list-import", label=_("Reading the file"), step=read_some))
    job = work.enqueue("list-import", by=user_id, at=now, subject=str(run.pk))

A step gets the job, locked, inside a transaction; it does one batch (well under a second), says how far it came in
`job.cursor`, `job.done`, `job.total` and `job.result`, and gives True when all is done. It may be called again for a
batch whose transaction was lost, never for one that was committed.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.refusals import NotFound, NotNow, Refused, Sentence
from accounts.roles import Actor, Role
from jobs.models import BACK_OFF, Job, in_each_language

logger = logging.getLogger(__name__)

Step = Callable[[Job, datetime], bool]

# One look of the worker: then others have their turn, and the next look goes on.
SLICE_SECONDS = 40.0

_WENT_WRONG = _("Something went wrong on our side. An administrator can see it; you can start it again.")


def _nowhere(job: Job) -> str:
    return ""


def _who_asked(job: Job, actor: Actor) -> bool:
    return (job.by_id is not None and job.by_id == actor.user_id) or actor.holds(Role.AUDITOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of work: what people call it, how a batch is done, where its result is, who may watch it."""

    kind: str
    label: str | Promise
    step: Step
    result_url: Callable[[Job], str] = _nowhere
    may_see: Callable[[Job, Actor], bool] = _who_asked


_works: dict[str, Work] = {}


def register(work: Work) -> None:
    """Know `work` from now on. Refuses with ValueError a kind that is known already."""
    if _works.get(work.kind, work) is not work:
        raise ValueError(f"{work.kind} is registered already")
    _works[work.kind] = work


def of(job: Job) -> Work:
    """What kind of work `job` is. Refuses with LookupError one that nobody registered."""
    try:
        return _works[job.kind]
    except KeyError:
        raise LookupError(f"no work is registered as {job.kind!r}; see jobs.work") from None


def enqueue(kind: str, *, by: int | None, at: datetime, subject: str = "", data: dict[str, Any] | None = None) -> Job:
    """Have the worker do this, asked by `by` at `at` (aware). One of a kind runs for a `subject` at a time: the job
    that is open already is given back then, whatever its data. Refuses with LookupError an unknown kind."""
    job = Job(kind=kind, by_id=by, at=at, subject=subject, data=data or {})
    of(job)
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        found = Job.objects.open().filter(kind=kind, subject=subject).first() if subject else None
        if found is None:
            raise
        return found
    transaction.on_commit(hint)
    return job


def label_of(job: Job) -> str | Promise:
    """What people call this kind of work; its own name when nobody registers it any more."""
    found = _works.get(job.kind)
    return found.label if found else job.kind


def try_again(job_id: UUID, *, at: datetime) -> Job:
    """Have a job that failed go on where it stopped, from `at` (aware). NotFound when there is none, NotNow when it did
    not fail, or another one does the same meanwhile."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound(_("There is no such job."))
        if job.state != Job.State.FAILED:
            raise NotNow(_("It did not fail, or is being tried again already."))
        job.state, job.attempts, job.retry_at, job.ended_at, job.why = Job.State.WAITING, 0, None, None, {}
        try:
            with transaction.atomic():
                job.save()
        except IntegrityError:
            raise NotNow(_("It did not fail, or is being tried again already.")) from None
        transaction.on_commit(hint)
    return job


def hint() -> None:
    """Have the worker look for jobs now. Only a hint: beat asks every minute all the same."""
    from jobs.tasks import run_jobs

    try:
        run_jobs.apply_async(retry=False)
    except Exception as error:
        logger.warning("The worker could not be told of a job; its sweep finds it: %s", error)


def run_batch(job_id: UUID, *, at: datetime) -> bool:
    """Do the next batch of a job; False when it is over, or somebody else is at it.

    A step that refuses (`Refused`) ends the job with its sentence. Any other error is kept with the job and tried
    again after a growing wait; after the last one the job has failed, and administrators see it.
    """
    try:
        with transaction.atomic():
            job = Job.objects.select_for_update(skip_locked=True).filter(pk=job_id).due(at).first()
            if job is None:
                return False
            job.started_at = job.started_at or at
            job.state = Job.State.RUNNING
            if of(job).step(job, at):
                job.state, job.ended_at = Job.State.DONE, at
            job.attempts, job.retry_at, job.last_error = 0, None, ""
            job.save()
            return not job.is_over
    except Refused as refusal:
        _fail(job_id, at, sentence=refusal.sentence)
    except Exception as error:
        logger.exception("job %s failed", job_id)
        _fail(job_id, at, error=error)
    return False


def _fail(job_id: UUID, at: datetime, *, sentence: Sentence = "", error: BaseException | None = None) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.is_over:
            return
        job.started_at = job.started_at or at
        if error is not None:
            text = f"{type(error).__name__}: {error}".replace("\0", "\N{REPLACEMENT CHARACTER}")
            job.last_error = text[:2000]
            job.retry_at = at + BACK_OFF[job.attempts] if job.attempts < len(BACK_OFF) else None
            job.attempts += 1
            sentence = _WENT_WRONG
        if job.retry_at is None:
            job.state, job.ended_at, job.why = Job.State.FAILED, at, in_each_language(sentence)
        job.save()


def run_due(*, clock: Callable[[], datetime], seconds: float = SLICE_SECONDS) -> bool:
    """Work on every job that is due, the oldest first, for about `seconds`; whether there is more to do now."""
    until = time.monotonic() + seconds
    for job_id in list(Job.objects.due(clock()).values_list("pk", flat=True)):
        while run_batch(job_id, at=clock()):
            if time.monotonic() > until:
                return True
    return False
