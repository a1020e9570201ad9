"""The applicant writes: begins, saves, submits, withdraws, reopens, closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

import audit
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Actor, Role
from approvals import assessment, journal, queries, references, rules, snapshots, timekeeping, uploads
from approvals.models import (
    Assessment,
    Attachment,
    DraftInput,
    Leg,
    Revision,
    TravelRequest,
)
from approvals.states import EDITABLE, State
from approvals.workflow.amending import end_with_the_clearance, is_being_changed
from approvals.workflow.attaching import attached
from approvals.workflow.completeness import days_are_free, problems
from approvals.workflow.gate import Taking, fetch, move
from employees.models import Employee


def start(*, actor: Actor, at: datetime, employee_id: int) -> TravelRequest:
    """A new draft for the employment `employee_id` of the actor. Refuses with NotAllowed a record that is not theirs
    and one whose employment has ended."""
    rules.moment_is_aware(at)
    with transaction.atomic():
        employee = Employee.objects.visible_to(actor).select_related("company__office").filter(pk=employee_id).first()
        if employee is None or not actor.holds(Role.APPLICANT, employee_id):
            raise NotAllowed(_("You can start a request for yourself only."))
        office = employee.company.office
        if not employee.is_employed(at.astimezone(office.zone).date()):
            raise NotAllowed(_("The employment has ended; only an employee can submit a request."))
        if not (employee.company.is_active and office.is_active):
            sentence = _("Your company or its office takes no new requests. Its compliance officer can tell you why.")
            raise NotAllowed(sentence)
        request = TravelRequest(
            reference=references.next_reference(),
            applicant=employee,
            company=employee.company,
            office=office,
            state_since=at,
            created_at=at,
            saved_at=at,
        ).as_of(at)
        clocks = timekeeping.turn(request, at=at)
        entry = audit.record(
            request, "start", actor_id=actor.user_id, actor_role=Role.APPLICANT, at=at, data={"to": request.state}
        )
        journal.write([], [request, *clocks.added, entry])
    return request


def _editable(request_id: UUID, actor: Actor, at: datetime) -> TravelRequest:
    """The request, locked, for its applicant to write in. NotAllowed for anybody else, NotNow once it is submitted."""
    request = fetch(request_id, actor, at)
    if sentence := rules.is_applicant.refusal(request, actor):
        raise NotAllowed(sentence)
    if request.state not in EDITABLE:
        raise NotNow(_("The request is submitted and cannot be changed now."))
    return request


def save_section(
    request_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    section: str,
    values: Mapping[str, Any] | None = None,
    legs: Sequence[Mapping[str, Any]] | None = None,
) -> TravelRequest:
    """Save a section of the form that is valid: `values` of `snapshots.FIELDS`, and `legs` where the section has them.

    What was kept as typed of this section is dropped: the valid values are there now. A change to anything but the
    declarations withdraws the declarations made before: they were made about something else.
    """
    with transaction.atomic():
        request = _editable(request_id, actor, at)
        before = journal.stored(request)
        for name, value in (values or {}).items():
            if name not in snapshots.FIELDS:
                raise ValueError(f"{name} is not a field that the applicant writes")
            setattr(request, name, value)
        request.urgent = request.purpose == rules.URGENT_PURPOSE
        touched = any(getattr(request, name) != before[name] for name in snapshots.FIELDS if name != "declarations")
        if legs is not None:
            new = [Leg(request=request, position=index, **leg) for index, leg in enumerate(legs)]
            if [snapshots.leg(leg) for leg in new] != [snapshots.leg(leg) for leg in request.itinerary]:
                touched = True
                request.legs.all().delete()
                request.itinerary = Leg.objects.bulk_create(new)
        if touched and "declarations" not in (values or {}):
            request.declarations = []
        request.saved_at = at
        request.draft_inputs.filter(section=section).delete()
        journal.write([(request, before)], [])
    return request


def keep_as_typed(request_id: UUID, *, actor: Actor, at: datetime, section: str, data: Mapping[str, Any]) -> None:
    """Keep what was typed into a section and is not valid yet, so that it is there again whatever happens."""
    with transaction.atomic():
        request = _editable(request_id, actor, at)
        DraftInput.objects.update_or_create(
            request=request, section=section, defaults={"data": dict(data), "saved_at": at}
        )


def attach(request_id: UUID, *, actor: Actor, at: datetime, file: File[bytes], kind: str) -> Attachment:
    """Add a document to a draft, a returned request, while information is asked for or a change is being written.

    Refuses with Invalid what is not a PDF, image or Office file by its content, is empty or larger than
    `ATTACHMENT_MAX_BYTES`, whatever its name says.
    """
    checked = uploads.check(file)
    with transaction.atomic():
        request = fetch(request_id, actor, at)
        if sentence := rules.is_applicant.refusal(request, actor):
            raise NotAllowed(sentence)
        if request.state not in EDITABLE | {State.INFORMATION_REQUESTED} and not is_being_changed(
            request, actor, at=at
        ):
            raise NotNow(_("The request is submitted; documents cannot be added now."))
        before = journal.stored(request)
        request.saved_at = at
        if request.is_editable:
            request.declarations = []
        attachment, entry = attached(request, file, checked, kind=kind, actor=actor, role=Role.APPLICANT, at=at)
        journal.write([(request, before)], [attachment, entry])
    return attachment


def remove_attachment(attachment_id: UUID, *, actor: Actor, at: datetime) -> Attachment:
    """Take a document out of a draft or returned request. What was submitted with it stays as it was submitted."""
    with transaction.atomic():
        attachment = queries.attachments_visible_to(actor).filter(pk=attachment_id).first()
        if attachment is None:
            raise NotFound(_("There is no such document, or it is not yours to see."))
        request = _editable(attachment.request_id, actor, at)
        before, was = journal.stored(request), journal.stored(attachment)
        attachment.removed_at = at
        request.saved_at = at
        request.declarations = []
        entry = audit.record(
            request,
            "remove_attachment",
            actor_id=actor.user_id,
            actor_role=Role.APPLICANT,
            at=at,
            data={"attachment": str(attachment.pk)},
        )
        journal.write([(attachment, was), (request, before)], [entry])
    return attachment


def submit(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Submit a draft or a returned request: an immutable revision, its assessment, a receipt.

    Refuses with Invalid everything that is missing, each with the section and field to mend.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        request = step.request
        if found := problems(request, at=at):
            raise Invalid(found)
        content = snapshots.content(request)
        revision = step.add(
            Revision, number=request.revision_number + 1, content=content, digest=snapshots.digest(content)
        )
        finding = assessment.assess(request, on=request.today)
        assessed = step.add(Assessment, revision=revision, **finding.as_values())
        step.data |= {"revision": revision.number, "digest": revision.digest.hex(), "tier": finding.tier.value}
        return {
            "revision_id": revision.pk,
            "assessment_id": assessed.pk,
            "tier": finding.tier,
            "open_matches": len(finding.possible),
        }

    return move("submit", request_id, actor=actor, at=at, prepare=prepare)


def withdraw(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """The applicant takes an open request back. It can not be undone; a new request can be made."""
    return move("withdraw", request_id, actor=actor, at=at)


def refer(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """After the company declined: the applicant takes the trip to the office as a personal one."""
    return move("refer", request_id, actor=actor, at=at)


def reopen(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """Take a lapsed request up again where it was; its clock starts anew."""
    return move("reopen", request_id, actor=actor, at=at, prepare=lambda step: days_are_free(step.request))


def close(request_id: UUID, *, actor: Actor, at: datetime) -> TravelRequest:
    """The trip is over, or the applicant will not travel after all."""
    return move("close", request_id, actor=actor, at=at, prepare=end_with_the_clearance)
