"""Nobody acts in two roles on one request: each rule tried as the product does it, and by raw SQL with its own role.

Rui proposes, Shan confirms, Sun is the other senior, Ping hears appeals in Pudong, Olivia acts for the company.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, Refused
from accounts.roles import Role
from approvals.models import Appeal, Decision, Proposal, TravelRequest
from approvals.states import State
from tests.approvals.calls import as_
from tests.asserting import nothing_moved
from tests.factories import OfficeFactory, in_state, posted
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db


def role_of_the_application() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)")
        name, is_super = cursor.fetchone()
    assert is_super is False
    return str(name)


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [str(one) if isinstance(one, UUID) else one for one in values])


def insert(table: str, request: TravelRequest, by: User | None, at: datetime, **values: Any) -> None:
    row = {"id": uuid7(), "request_id": request.pk, "at": at, "by_id": by.pk if by else None} | values
    columns = ", ".join(row)
    sql(f"INSERT INTO approvals_{table} ({columns}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())


def refused_by_the_database(name: str, act: Any) -> None:
    with nothing_moved(), pytest.raises(IntegrityError, match=name):
        act()


def copy_of(model: type[Decision] | type[Proposal], request: TravelRequest, **values: Any) -> None:
    """A row like the one that is there, with another key and these values."""
    table = model._meta.db_table
    names = [field.column for field in model._meta.concrete_fields]
    chosen = {"id": uuid7(), **values}
    columns = ", ".join("%s" if name in chosen else name for name in names)
    given = [chosen[name] for name in names if name in chosen]
    sql(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {columns} FROM {table} WHERE request_id = %s",
        *given,
        request.pk,
    )


def python_refuses(kind: type[Refused], act: Any) -> None:
    with nothing_moved(), pytest.raises(kind):
        act()


def test_the_product_is_no_superuser_of_its_database() -> None:
    assert role_of_the_application() not in ("postgres", "exit_owner")


# ── proposing and confirming ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [State.DENIED, State.APPROVED])
def test_who_proposed_does_not_confirm(state: State) -> None:
    proposal = in_state(State.DECISION_PROPOSED)
    posted(proposal.request.office, Role.SENIOR, proposal.request.assigned_number, user=proposal.reviewer)
    as_(proposal, proposal.applicant.user, "reply")
    python_refuses(NotAllowed, lambda: as_(proposal, proposal.reviewer, "confirm", 2))

    from tests.factories import CompanyFactory, employ

    cast = in_state(state, employee=employ("Bo Li", CompanyFactory.create()))
    refused_by_the_database(
        "by_people|by_two_people|another person who confirms",
        lambda: copy_of(Decision, cast.request, by_id=cast.reviewer.pk, confirmed_by_id=cast.reviewer.pk, deemed=False),
    )


def test_who_proposed_does_not_give_it_back() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    posted(cast.request.office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    python_refuses(NotAllowed, lambda: as_(cast, cast.reviewer, "reject_proposal"))
    refused_by_the_database(
        "rejected_by_another",
        lambda: insert(
            "proposalrejection",
            cast.request,
            cast.reviewer,
            cast.request.state_since,
            proposal_id=cast.request.proposal_id,
            note="No.",
        ),
    )


# ── extending ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_has_the_case_or_proposed_does_not_extend() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.SENIOR, cast.request.assigned_number, user=cast.reviewer)
    python_refuses(NotAllowed, lambda: as_(cast, cast.reviewer, "extend"))
    extension = {"working_days": 5, "reason": "More time."}
    at = cast.request.state_since
    refused_by_the_database(
        "extended_by_another", lambda: insert("extension", cast.request, cast.reviewer, at, **extension)
    )
    refused_by_the_database("extended_by_another", lambda: insert("extension", cast.request, None, at, **extension))


def test_who_extended_neither_takes_the_case_nor_decides_it() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.REVIEWER, "0044", user=cast.senior)
    as_(cast, cast.senior, "extend")
    python_refuses(Invalid, lambda: as_(cast, cast.second_senior, "hand_over", reviewer_id=cast.senior.pk))
    as_(cast, cast.second_senior, "hand_over", 2)
    python_refuses(NotAllowed, lambda: as_(cast, cast.senior, "take", 3))
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    for table in ("proposal", "decision"):
        refused_by_the_database(
            "extender_does_not_decide",
            lambda table=table: approval(table, request, cast.senior, cast.request.state_since),
        )


def approval(table: str, request: TravelRequest, by: User, at: datetime) -> None:
    """An approval by `by` as a row of its own."""
    grounds = {
        "outcome": "approved",
        "text": "",
        "reason_codes": [],
        "facts": "",
        "milder_measures": "",
        "relied_on": "[]",
        "measures": "[]",
        "cleared": "[]",
        "revision_id": request.revision_id,
        "assessment_id": request.assessment_id,
    }
    more = {"conditions": "[]"} if table == "proposal" else {"deemed": False, "clock_versions": "{}"}
    insert(table, request, by, at, **grounds, **more)


# ── the applicant, the company, a conflict of interest ──────────────────────────────────────────────────────────────


def test_the_applicant_is_in_no_row_that_decides() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    me = cast.applicant.user
    assert me is not None
    posted(cast.request.office, Role.REVIEWER, "0044", user=me)
    posted(cast.request.office, Role.SENIOR, "0044", user=me)
    for verb in ("approve", "propose", "extend", "recuse", "hand_over"):
        python_refuses(NotAllowed, lambda verb=verb: as_(cast, me, verb))
    nobody_in_two_roles(cast, me, "not_the_applicant")


def test_who_reviewed_for_the_company_is_in_no_row_that_decides() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    cast.officer.memberships.update(ends_at=cast.request.state_since - timedelta(minutes=1))
    posted(cast.request.office, Role.SENIOR, "0044", user=cast.officer)
    python_refuses(NotFound, lambda: as_(cast, cast.officer, "extend"))
    nobody_in_two_roles(cast, cast.officer, "not_of_the_company")


def test_who_declared_a_conflict_is_in_no_row_that_decides() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast, cast.second_senior, "recuse")
    python_refuses(NotFound, lambda: as_(cast, cast.second_senior, "extend", 2))
    nobody_in_two_roles(cast, cast.second_senior, "not_with_a_conflict")


def nobody_in_two_roles(cast: Cast, person: User, name: str) -> None:
    request, at = TravelRequest.unscoped.get(pk=cast.request.pk), cast.request.state_since
    refused_by_the_database(
        name,
        lambda: insert("assignment", request, cast.senior, at, reviewer_id=person.pk, number="0044", reason=""),
    )
    refused_by_the_database(name, lambda: insert("extension", request, person, at, working_days=2, reason="More time."))
    for table in ("proposal", "decision"):
        refused_by_the_database(name, lambda table=table: approval(table, request, person, at))


# ── appeals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def appealed() -> tuple[Cast, User]:
    cast = in_state(State.DENIED)
    ping = posted(OfficeFactory.create(code="PD", name_en="Pudong office"), Role.APPEAL_REVIEWER, "0099", "Ping")
    as_(cast, cast.applicant.user, "file_appeal")
    return cast, ping


def hears(cast: Cast, person: User | None) -> None:
    assert person is not None
    sql("UPDATE approvals_appeal SET heard_by_id = %s WHERE request_id = %s", person.pk, cast.request.pk)


def test_who_took_part_does_not_hear_the_appeal() -> None:
    cast, ping = appealed()
    office = OfficeFactory.create(code="PD")
    # Shan confirmed, Rui had the case and proposed.
    for number, person in (("0081", cast.reviewer), ("0082", cast.senior)):
        posted(office, Role.APPEAL_REVIEWER, number, user=person)
        python_refuses(NotAllowed, lambda person=person: as_(cast, person, "hear_appeal", 2))
        refused_by_the_database("heard_by_others", lambda person=person: hears(cast, person))
    hears(cast, ping)
    assert Appeal.objects.get(request=cast.request).heard_by == ping


def test_who_only_handed_the_case_over_took_part_too() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    as_(cast, cast.second_senior, "hand_over", reviewer_id=cast.reviewer.pk)
    as_(cast, cast.reviewer, "propose", 2)
    as_(cast, cast.applicant.user, "reply", 3)
    as_(cast, cast.senior, "confirm", 4)
    office = OfficeFactory.create(code="PD", name_en="Pudong office")
    posted(office, Role.APPEAL_REVIEWER, "0099")
    posted(office, Role.APPEAL_REVIEWER, "0098", user=cast.second_senior)
    as_(cast, cast.applicant.user, "file_appeal", 5)
    python_refuses(NotAllowed, lambda: as_(cast, cast.second_senior, "hear_appeal", 6))
    refused_by_the_database("heard_by_others", lambda: hears(cast, cast.second_senior))


def test_the_applicant_and_the_company_do_not_hear_the_appeal() -> None:
    cast, _ping = appealed()
    refused_by_the_database("not_the_applicant", lambda: hears(cast, cast.applicant.user))
    refused_by_the_database("not_of_the_company", lambda: hears(cast, cast.officer))


def test_the_office_that_decided_does_not_hear_the_appeal() -> None:
    cast, _ping = appealed()
    refused_by_the_database(
        "heard_by_another_office",
        lambda: sql(
            "UPDATE approvals_appeal SET office_id = %s WHERE request_id = %s", cast.request.office_id, cast.request.pk
        ),
    )


# ── taking a clearance back ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_database_takes_no_clearance_back_unheard() -> None:
    cast = in_state(State.APPROVED)
    as_(cast, cast.senior, "propose_revocation")
    proposal = Proposal.objects.get(request=cast.request, outcome="revoked")
    at = cast.request.state_since + timedelta(hours=2)

    def revoke() -> None:
        names = [field.column for field in Proposal._meta.concrete_fields]
        shared = [
            name
            for name in names
            if name in {field.column for field in Decision._meta.concrete_fields} and name not in ("id", "at")
        ]
        sql(
            "INSERT INTO approvals_decision (id, at, confirmed_by_id, deemed, appeal_until, clock_versions,"
            f" proposal_id, {', '.join(shared)}) SELECT %s, %s, %s, false, %s, '{{}}', id, {', '.join(shared)}"
            " FROM approvals_proposal WHERE id = %s",
            uuid7(),
            at,
            cast.second_senior.pk,
            at.date() + timedelta(days=60),
            proposal.pk,
        )

    refused_by_the_database("applicant_was_heard|heard_before_revoked", revoke)
    as_(cast, cast.applicant.user, "reply", 2)
    revoke()
    assert Decision.objects.filter(request=cast.request, outcome="revoked").count() == 1
