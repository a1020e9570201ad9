"""Asking for a correction of what is held about oneself, and answering.

It goes to who keeps the record: the company's compliance officers for the employee record, the office for a request
(after a decision on an appeal: still the office of the request), administrators for the account. Never to the person
who asks. What was submitted is never rewritten: an accepted correction of a request is a note beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

import audit
from accounts.models import RoleAssignment
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Problem
from accounts.roles import Actor, Role
from accounts.scoping import ScopedQuerySet
from approvals import queries
from approvals.models import TravelRequest
from authorities.models import Posting
from companies.models import Membership
from employees.models import Employee
from notifications import outbox
from openness.models import Correction

KEEPERS = {
    Correction.About.EMPLOYEE: (Role.OFFICER,),
    Correction.About.REQUEST: (Role.SENIOR, Role.HEAD),
    Correction.About.ACCOUNT: (Role.ADMINISTRATOR,),
}
"""Who answers what: those who keep it."""

REMIND_BEFORE = timedelta(days=7)


def _answers(actor: Actor) -> Q:
    """The corrections that are `actor`'s to answer."""
    mine = Q(pk__in=[])
    if companies := actor.scopes(Role.OFFICER):
        mine |= Q(about=Correction.About.EMPLOYEE, employee__company_id__in=companies)
    if offices := actor.scopes_of_any(KEEPERS[Correction.About.REQUEST]):
        mine |= Q(about=Correction.About.REQUEST, request__office_id__in=offices)
    if actor.holds(Role.ADMINISTRATOR):
        mine |= Q(about=Correction.About.ACCOUNT)
    return mine & ~Q(user_id=actor.user_id)


def visible_to(actor: Actor) -> ScopedQuerySet[Correction]:
    """Those that `actor` asked for, those that are theirs to answer, and all for auditors. The latest first."""
    if actor.user_id is None:
        return Correction.objects.filter(pk__in=[]).in_scope()
    found = Correction.objects.select_related("employee__company", "request__office", "user", "answered_by")
    if actor.holds(Role.AUDITOR):
        return found.in_scope()
    return found.filter(Q(user_id=actor.user_id) | _answers(actor)).in_scope()


def waiting_for(actor: Actor) -> list[Correction]:
    """The open ones that `actor` can answer, the first due first."""
    return list(visible_to(actor).filter(_answers(actor), outcome="").order_by("due_on", "at"))


def asked_by(actor: Actor) -> list[Correction]:
    """Those that `actor` asked for, the latest first."""
    return list(visible_to(actor).filter(user_id=actor.user_id or 0))


def get(pk: UUID, *, actor: Actor) -> Correction:
    """The correction `pk`; NotFound when there is none, or it is neither theirs nor theirs to answer."""
    found = visible_to(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such correction request, or it is not yours to see."))
    return found


def may_answer(row: Correction, actor: Actor) -> bool:
    """Whether `actor` keeps what `row` is about, and did not ask for it."""
    if row.user_id == actor.user_id:
        return False
    scope: int | None = None
    if row.employee is not None:
        scope = row.employee.company_id
    elif row.request is not None:
        scope = row.request.office_id
    return any(actor.holds(role, scope) for role in KEEPERS[Correction.About(row.about)])


def keepers(row: Correction, *, at: datetime) -> list[int]:
    """The accounts that keep what `row` is about at `at`; never who asked."""
    found: Iterable[int | None]
    if row.employee is not None:
        rows = Membership.objects.in_force(at).filter(company_id=row.employee.company_id)
        found = rows.values_list("user_id", flat=True)
    elif row.request is not None:
        roles = KEEPERS[Correction.About.REQUEST]
        posted = Posting.objects.in_force(at).filter(office_id=row.request.office_id, role__in=roles)
        found = posted.values_list("user_id", flat=True)
    else:
        given = RoleAssignment.objects.in_force(at).filter(role=Role.ADMINISTRATOR)
        found = given.values_list("user_id", flat=True)
    return sorted({one for one in found if one is not None and one != row.user_id})


def _text(values: dict[str, str], problems: list[Problem], name: str, message: str, most: int) -> str:
    text = values.get(name, "").strip()
    if not text:
        problems.append(Problem("", name, message))
    elif len(text) > most:
        problems.append(Problem("", name, _("Say it in at most %(most)d characters.") % {"most": most}))
    return text


def ask(
    *, actor: Actor, at: datetime, about: str, subject: str = "", what: str, should_be: str, why: str
) -> Correction:
    """Ask for a correction at `at` (aware). `subject` is the number of the request, or the id of the employee record.

    Answered within 30 days. NotAllowed for who is not signed in; Invalid for a request or record that is not theirs,
    and for texts that are missing or too long. Of a request it is an entry in its audit log.
    """
    if actor.user_id is None:
        raise NotAllowed(_("Sign in first."))
    problems: list[Problem] = []
    values = {"what": what, "should_be": should_be, "why": why}
    what = _text(values, problems, "what", _("Say which record and which field is wrong."), 200)
    should_be = _text(values, problems, "should_be", _("Say what it should say."), 2000)
    why = _text(values, problems, "why", _("Say how that can be seen, such as from a document."), 2000)
    of = _subject(actor, about, subject, problems)
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        trip = of.get("request")
        if trip is not None:
            trip = TravelRequest.unscoped.select_for_update(no_key=True).get(pk=trip.pk)
        made = Correction(
            user_id=actor.user_id,
            about=about,
            **of,
            what=what,
            should_be=should_be,
            why=why,
            at=at,
            due_on=timezone.localdate(at + Correction.DAYS),
        )
        made.save(force_insert=True)
        if trip is not None:
            _record(trip, "ask_correction", made, actor=actor, role=Role.APPLICANT, at=at)
        outbox.emit("correction.asked", subject=made.pk, at=at).save()
        outbox.hint()
    return made


def _subject(actor: Actor, about: str, subject: str, problems: list[Problem]) -> dict[str, Any]:
    """What the correction is about, as fields of its row."""
    if about == Correction.About.ACCOUNT:
        return {}
    if about == Correction.About.EMPLOYEE:
        own = Employee.objects.visible_to(actor).filter(user_id=actor.user_id or 0)
        record = own.filter(pk=int(subject)).first() if subject.isdecimal() else None
        if record is not None:
            return {"employee": record}
    elif about == Correction.About.REQUEST:
        trips = queries.visible_to(actor).filter(applicant_id__in=actor.scopes(Role.APPLICANT))
        trip = trips.filter(reference=subject, submitted_at__isnull=False).first()
        if trip is not None:
            return {"request": trip}
    problems.append(Problem("", "about", _("Choose what is wrong: a submitted request, a record, or your account.")))
    return {}


def answer(pk: UUID, *, actor: Actor, at: datetime, outcome: str, reasons: str) -> Correction:
    """Accept or refuse, with reasons that the person receives, at `at` (aware). Once only.

    NotFound for what is not theirs to see, NotAllowed for who does not keep it or asked for it, NotNow when it is
    answered, Invalid without an outcome or reasons. It changes nothing else: who keeps a record corrects it there,
    and a request keeps what was submitted, with the correction beside it.
    """
    with transaction.atomic():
        seen = get(pk, actor=actor)
        trip = None
        if seen.request_id is not None:
            trip = TravelRequest.unscoped.select_for_update(no_key=True).get(pk=seen.request_id)
        row = Correction.unscoped.select_for_update(no_key=True).get(pk=seen.pk)
        row.employee, row.request = seen.employee, seen.request
        if not may_answer(row, actor):
            raise NotAllowed(_("Only those who keep what this is about answer it, and never who asked."))
        if not row.is_open:
            raise NotNow(_("It is answered already."))
        problems: list[Problem] = []
        reasons = _text(
            {"reasons": reasons}, problems, "reasons", _("Give the reasons; the person receives them."), 2000
        )
        if outcome not in Correction.Outcome.values:
            problems.append(Problem("", "outcome", _("Say whether it is accepted.")))
        if problems:
            raise Invalid(problems)
        roles = KEEPERS[Correction.About(row.about)]
        row.outcome, row.reasons, row.answered_by_id, row.answered_at = outcome, reasons, actor.user_id, at
        row.answered_as = next(role for role in roles if role in actor.roles)
        row.save()
        if trip is not None:
            _record(trip, "answer_correction", row, actor=actor, role=Role(row.answered_as), at=at)
        outbox.emit("correction.answered", subject=row.pk, at=at).save()
        outbox.hint()
    return row


def _record(trip: TravelRequest, verb: str, row: Correction, *, actor: Actor, role: Role, at: datetime) -> None:
    """One entry in the chain of a request that the caller has locked: ids and the outcome, none of the words."""
    data = {"correction": str(row.pk)} | ({"outcome": row.outcome} if row.outcome else {})
    audit.record(trip, verb, actor_id=actor.user_id, actor_role=role, at=at, data=data).save()
    TravelRequest.unscoped.filter(pk=trip.pk).update(chain_length=trip.chain_length, chain_head=trip.chain_head)


def beside(request_id: UUID) -> list[Correction]:
    """The corrections of a request that were accepted: notes that stand beside what was submitted."""
    found = Correction.unscoped.filter(request_id=request_id, outcome=Correction.Outcome.ACCEPTED)
    return list(found.order_by("answered_at"))


def remind(*, at: datetime) -> int:
    """Remind those who keep a record that an answer is due within a week, once; how many corrections."""
    with transaction.atomic():
        near = timezone.localdate(at + REMIND_BEFORE)
        rows = Correction.unscoped.filter(outcome="", reminded_at=None, due_on__lte=near)
        locked = list(rows.select_for_update(skip_locked=True, no_key=True))
        for row in locked:
            row.reminded_at = at
            row.save(update_fields=["reminded_at"])
            outbox.emit("correction.due", subject=row.pk, at=at).save()
        outbox.hint()
    return len(locked)
