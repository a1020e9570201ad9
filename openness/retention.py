"""Deleting on schedule: what is over, who is told before, what is held back, and that it is gone.

The days are those of the published policy. Whole files of requests are erased by the database itself, by its own clock:
it looks at state, day, notice and hold, and refuses everything else, whoever asks. What has no history (notifications,
finished work, records of people who left) is deleted here. Every step locks a row, looks again, does, in a transaction
of its own; so a run may be lost, doubled or stopped anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

import audit
from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor, Role
from approvals.models import TravelRequest
from authorities.models import Posting
from companies.models import Membership
from employees.models import Employee
from jobs.models import OPEN, Job
from notifications import outbox
from notifications.models import OutboxEvent
from openness.belonging import files_of
from openness.models import (
    FILES,
    LONGEST_DAYS,
    NOTICE,
    SHORTEST_DAYS,
    Correction,
    DataDownload,
    DeletionNotice,
    Held,
    LeftFile,
    RetentionPolicy,
    RetentionTerm,
    archive_storage,
)
from sensitivity.models import RehearsedChange

logger = logging.getLogger(__name__)

# ── the policy ──────────────────────────────────────────────────────────────────────────────────────────────────────


def in_force(at: datetime) -> RetentionPolicy:
    """The policy in force at `at` (aware). RetentionPolicy.DoesNotExist before the first one."""
    return RetentionPolicy.objects.filter(published_at__lte=at, effective_from__lte=at).latest("version")


def days_of(policy: RetentionPolicy) -> dict[Held, int]:
    """Days after the end, by kind."""
    return {Held(kind): days for kind, days in policy.terms.values_list("kind", "days")}


def being_drafted() -> RetentionPolicy | None:
    """The version that waits for a second administrator, if there is one."""
    return RetentionPolicy.objects.filter(published_at=None).select_related("drafted_by").first()


def _must_administer(actor: Actor) -> int:
    if not actor.holds(Role.ADMINISTRATOR) or actor.user_id is None:
        raise NotAllowed(_("Only administrators set how long data is kept."))
    return actor.user_id


def draft(*, actor: Actor, at: datetime, days: dict[Held, int], note: str) -> RetentionPolicy:
    """Write down the next version, in the place of a draft that there is. Nothing is deleted by it.

    NotAllowed for anybody but an administrator; Invalid without a reason, without a kind, or beyond 30 to 3650 days.
    """
    by = _must_administer(actor)
    problems = [
        Problem("", kind.value, _("Give %(from)d to %(to)d days.") % {"from": SHORTEST_DAYS, "to": LONGEST_DAYS})
        for kind in Held
        if not SHORTEST_DAYS <= days.get(kind, 0) <= LONGEST_DAYS
    ]
    if not note.strip():
        problems.append(Problem("", "note", _("Say why: what the data is needed for, and no longer.")))
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        RetentionPolicy.objects.filter(published_at=None).delete()
        newest = RetentionPolicy.objects.aggregate(newest=Max("version"))["newest"] or 0
        made = RetentionPolicy.objects.create(version=newest + 1, note=note.strip(), drafted_by_id=by, drafted_at=at)
        RetentionTerm.objects.bulk_create(RetentionTerm(policy=made, kind=kind, days=days[kind]) for kind in Held)
    return made


def publish(version: int, *, actor: Actor, at: datetime) -> RetentionPolicy:
    """Bring the drafted `version` into force 14 days after `at` (aware): nobody loses a file before they were told.

    NotFound when there is no such version, NotNow when it is published, NotAllowed for who drafted it and for anybody
    but an administrator.
    """
    by = _must_administer(actor)
    with transaction.atomic():
        policy = RetentionPolicy.objects.select_for_update().filter(version=version).first()
        if policy is None:
            raise NotFound(_("There is no such version."))
        if policy.published_at is not None:
            raise NotNow(_("This version is published already."))
        if policy.drafted_by_id == by:
            raise NotAllowed(_("Who wrote it does not publish it: another administrator does."))
        policy.published_by_id, policy.published_at, policy.effective_from = by, at, at + NOTICE
        policy.save()
    return policy


# ── what is due ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Standing:
    """An ended request: of what kind, when its time is over, when the applicant was told, what holds it back."""

    request_id: UUID
    kind: Held
    ended_at: datetime
    erase_at: datetime
    told_at: datetime | None
    held_by: str

    def may_go(self, at: datetime) -> bool:
        """Whether its file can be deleted at `at`."""
        return not self.held_by and self.erase_at <= at and self.told_at is not None and self.told_at + NOTICE <= at


_COLUMNS = "request_id, kind, ended_at, erase_at, told_at, held_by"


def _standing(at: datetime, where: str, params: Sequence[Any]) -> list[Standing]:
    with connection.cursor() as cursor:
        # The condition is one of those below.
        cursor.execute(f"SELECT {_COLUMNS} FROM openness_standing(%s) WHERE {where}", [at, *params])  # noqa: S608
        return [Standing(row[0], Held(row[1]), *row[2:]) for row in cursor.fetchall()]


def standing_of(request_id: UUID, *, at: datetime) -> Standing | None:
    """How it stands with the file of a request; None while the request has not ended."""
    return next(iter(_standing(at, "request_id = %s", [request_id])), None)


def due(at: datetime, *, after: UUID | None = None, limit: int | None = None) -> list[Standing]:
    """The files that can be deleted at `at`, in the order of their keys, those after the key `after`."""
    where = "held_by = '' AND erase_at <= %s AND told_at <= %s AND request_id > %s ORDER BY request_id LIMIT %s"
    return _standing(at, where, [at, at - NOTICE, after or UUID(int=0), limit])


def to_be_told(at: datetime, *, limit: int | None = None) -> list[Standing]:
    """The files whose time is over in 14 days or less and whose applicants were not told yet."""
    where = "told_at IS NULL AND held_by = '' AND erase_at <= %s ORDER BY request_id LIMIT %s"
    return _standing(at, where, [at + NOTICE, limit])


def tell(at: datetime, *, limit: int) -> int:
    """Tell applicants that a file will be deleted, `limit` files at most; how many. Each is told once.

    The day in the notice is never sooner than 14 days from now, however long the file is over already.
    """
    told = 0
    with transaction.atomic():
        waiting = {one.request_id: one for one in to_be_told(at, limit=limit)}
        locked = TravelRequest.unscoped.filter(pk__in=waiting).select_for_update(skip_locked=True, no_key=True)
        for request in locked:
            one = waiting[request.pk]
            erase_at = max(one.erase_at, at + NOTICE)
            _made, is_new = DeletionNotice.objects.get_or_create(
                request=request, defaults={"at": at, "erase_at": erase_at}
            )
            if is_new:
                data = {"on": erase_at.isoformat(), "number": request.reference}
                outbox.emit("retention.soon", subject=request.pk, at=at, data=data).save()
                told += 1
        outbox.hint()
    return told


def erase(request_id: UUID, *, at: datetime) -> int:
    """Delete the file of a request: every row that belongs to it, its notifications, and its stored files.

    How many rows went; 0 when it may not go at `at` (any more), or somebody else is at it. Its audit chain stays, with
    an entry that says so. The database looks at its own clock besides: IntegrityError where that says no.
    """
    with transaction.atomic():
        request = TravelRequest.unscoped.select_for_update(skip_locked=True).filter(pk=request_id).first()
        one = standing_of(request_id, at=at) if request else None
        if request is None or one is None or not one.may_go(at):
            return 0
        LeftFile.objects.bulk_create(LeftFile(name=name, at=at) for name in files_of(request))
        asked = Correction.unscoped.filter(request=request_id).values_list("pk", flat=True)
        OutboxEvent.objects.filter(subject__in=[request_id, *asked]).delete()
        RehearsedChange.objects.filter(request=request_id).delete()
        entry = audit.record(
            request, "erase", actor_id=None, actor_role=Role.SYSTEM, at=at, data={"kind": one.kind.value}
        )
        entry.save()
        TravelRequest.unscoped.filter(pk=request_id).update(
            chain_length=request.chain_length, chain_head=request.chain_head
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT openness_erase(%s)", [request_id])
            rows: int = cursor.fetchone()[0]
    return rows


def remove_files(*, limit: int = 200) -> int:
    """Delete stored files whose rows are gone, `limit` at most; how many. Gone already counts as deleted."""
    with transaction.atomic():
        left = list(LeftFile.objects.select_for_update(skip_locked=True).order_by("pk")[:limit])
        for file in left:
            archive_storage().delete(file.name)
            file.delete()
    return len(left)


# ── what has no history ─────────────────────────────────────────────────────────────────────────────────────────────


def over(kind: Held, *, before: datetime) -> QuerySet[Any, Any]:
    """The rows of a kind that is no file of a request and whose time was over at `before` (aware)."""
    match kind:
        case Held.MESSAGE:
            return OutboxEvent.objects.filter(at__lt=before).exclude(done_at=None, next_attempt_at__isnull=False)
        case Held.JOB:
            downloads = DataDownload.objects.filter(job=OuterRef("pk"), deleted_at=None)
            return Job.objects.filter(ended_at__lt=before).exclude(state__in=OPEN).exclude(Exists(downloads))
        case Held.EMPLOYEE:
            requests = TravelRequest.unscoped.filter(applicant=OuterRef("pk"))
            asked = Correction.unscoped.filter(employee=OuterRef("pk"), outcome="")
            return Employee.unscoped.filter(~Exists(requests), ~Exists(asked), employed_until__lt=before.date())
        case _:
            raise ValueError(f"{kind} is the file of a request")


def clear(kind: Held, *, at: datetime, days: int, limit: int) -> int:
    """Delete rows of a kind that is no file of a request, `limit` at most; how many.

    With the last record of somebody who left goes their account: what is kept of it is a number without a person.
    """
    with transaction.atomic():
        found = over(kind, before=at - timedelta(days=days)).order_by("pk")
        rows = list(found.select_for_update(of=("self",), skip_locked=True)[:limit])
        for row in rows:
            user_id = row.user_id if isinstance(row, Employee) else None
            row.delete()
            if user_id is not None:
                _empty_account(user_id)
    return len(rows)


def _empty_account(user_id: int) -> None:
    """Take the person out of an account that holds nothing any more. The row stays: the audit log counts by it."""
    user = User.objects.select_for_update().get(pk=user_id)
    held = [
        Employee.unscoped.filter(user=user),
        Membership.objects.filter(user=user),
        Posting.objects.filter(user=user),
        user.role_assignments.all(),
    ]
    if any(rows.exists() for rows in held):
        return
    user.emailaddress_set.all().delete()  # type: ignore[attr-defined]
    user.authenticator_set.all().delete()  # type: ignore[attr-defined]
    user.socialaccount_set.all().delete()  # type: ignore[attr-defined]
    user.notifications.all().delete()
    user.name, user.email, user.is_active, user.last_login = "", f"deleted-{user.pk}@invalid", False, None
    user.set_unusable_password()
    user.save()


def expire_downloads(at: datetime, *, limit: int = 200) -> int:
    """Delete archives whose days are over; how many. The row stays for the record: that one was made, and when."""
    with transaction.atomic():
        over_now = DataDownload.objects.filter(expires_at__lte=at, deleted_at=None)
        rows = list(over_now.select_for_update(skip_locked=True)[:limit])
        for row in rows:
            LeftFile.objects.create(name=str(row.file.name), at=at)
            row.file, row.deleted_at = "", at
            row.save()
            row.parts.all().delete()
    return len(rows)


# ── a look ahead ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outlook:
    """One kind of data: its days, what would be deleted now, who would be told now, what is held back and by what."""

    kind: Held
    days: int
    due: int
    to_tell: int
    held: dict[str, int]


def outlook(at: datetime) -> list[Outlook]:
    """What a run at `at` would do, by kind. Changes nothing."""
    days = days_of(in_force(at))
    going, telling = due(at), to_be_told(at)
    held = _standing(at, "held_by <> '' AND erase_at <= %s", [at])
    found = []
    for kind in Held:
        if kind in FILES:
            number = sum(one.kind == kind for one in going)
        else:
            number = over(kind, before=at - timedelta(days=days[kind])).count()
        found.append(
            Outlook(
                kind=kind,
                days=days[kind],
                due=number,
                to_tell=sum(one.kind == kind for one in telling),
                held=_counted(one.held_by for one in held if one.kind == kind),
            )
        )
    return found


def _counted(words: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found
