"""A step is written by one statement, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from approvals import journal, workflow
from approvals.models import Assignment, Clock, Condition, Decision, Escalation, TravelRequest
from approvals.states import State
from audit.models import Entry
from notifications.models import OutboxEvent
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import NOW, CompanyFactory, actor, draft, employ, in_state
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db


@contextmanager
def writing() -> Iterator[list[str]]:
    """The statements inside that change something."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as all_of_them:
        yield found
    changing = ("INSERT", "UPDATE", "DELETE", "WITH")
    found += [query["sql"] for query in all_of_them.captured_queries if query["sql"].startswith(changing)]


STEPS = [
    (State.DRAFT, "submit", "applicant"),
    (State.COMPANY_REVIEW, "endorse", "officer"),
    (State.AUTHORITY_REVIEW, "approve", "reviewer"),
    (State.AUTHORITY_REVIEW, "propose", "reviewer"),
    (State.DECISION_PROPOSED, "reject_proposal", "senior"),
    (State.INFORMATION_REQUESTED, "answer", "applicant"),
]


def person(cast: Cast, who: str) -> object:
    return cast.applicant.user if who == "applicant" else getattr(cast, who)


@pytest.mark.parametrize(("state", "verb", "who"), STEPS)
def test_one_step_is_one_statement(state: State, verb: str, who: str) -> None:
    cast = in_state(state)
    at = cast.request.state_since + timedelta(minutes=5)
    acting = actor(person(cast, who), at)  # type: ignore[arg-type]
    with writing() as statements:
        call(verb, cast.request.pk, acting, at)
    assert len(statements) == 1
    for table in ("approvals_travelrequest", "approvals_clock", "audit_entry", "notifications_outboxevent"):
        assert table in statements[0]


def test_conditions_are_written_with_the_decision_that_they_belong_to() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at = cast.request.state_since + timedelta(minutes=5)
    workflow.approve(cast.request.pk, actor=actor(cast.reviewer, at), at=at, conditions=["No laptop.", " ", "Report."])
    decision = Decision.objects.get(request=cast.request)
    assert list(decision.conditions.order_by("id").values_list("text", flat=True)) == ["No laptop.", "Report."]
    assert set(Condition.objects.values_list("request_id", "by_id")) == {(cast.request.pk, cast.reviewer.pk)}


def test_only_what_changed_is_updated() -> None:
    request = draft(employ("Alice Wang", CompanyFactory.create()))
    row = TravelRequest.unscoped.get(pk=request.pk)
    before = journal.stored(row)
    row.title = "New"
    row.topics.append("cs.AI")
    with writing() as statements:
        journal.write([(row, before)], [])
    assert statements[0].startswith("UPDATE")
    assert statements[0].count("=") == 3  # the title, the subjects, the key
    kept = TravelRequest.unscoped.get(pk=request.pk)
    assert (kept.title, kept.topics) == ("New", ["cs.AI"])


def test_nothing_to_write_is_no_statement() -> None:
    row = TravelRequest.unscoped.get(pk=draft(employ("Alice Wang", CompanyFactory.create())).pk)
    with writing() as statements:
        journal.write([(row, journal.stored(row))], [])
    assert statements == []


def test_a_step_with_one_row_that_the_database_refuses_leaves_nothing_behind() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    row = TravelRequest.unscoped.get(pk=cast.request.pk)
    before = journal.stored(row)
    row.tier = "standard"
    good = Assignment(request=row, at=NOW, by=cast.senior, reviewer=cast.reviewer)
    bad = Clock(request=row, kind="decision", policy_version=1, calendar_version=1, calendar_checked=1)
    bad.started_at, bad.intervals = NOW, []  # there is an open clock of this kind
    with nothing_moved(), pytest.raises(IntegrityError, match="one_open_of_a_kind"), transaction.atomic():
        journal.write([(row, before)], [good, bad])


def test_rows_of_several_kinds_and_with_keys_of_the_database_are_written_together() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    rows = [
        Escalation(request=cast.request, at=NOW, clock_kind="decision", step="escalate"),
        Escalation(request=cast.request, at=NOW, clock_kind="decision", step="escalate_to_head"),
        Assignment(request=cast.request, at=NOW, by=cast.senior, reviewer=None, reason="Leave."),
    ]
    with writing() as statements:
        journal.write([], rows)
    assert len(statements) == 1
    assert Escalation.objects.filter(pk__in=[row.pk for row in rows]).count() == 2
    assert not any(row._state.adding for row in rows)
    with pytest.raises(Exception, match="append-only"):
        rows[0].save()


def test_each_step_is_one_entry_and_at_most_one_event() -> None:
    cast = in_state(State.DENIED)
    verbs = list(Entry.objects.filter(chain=cast.request.pk).order_by("sequence").values_list("verb", flat=True))
    assert verbs == ["start", "submit", "endorse", "take", "propose", "reply", "confirm"]
    events = OutboxEvent.objects.filter(subject=cast.request.pk).order_by("at").values_list("event", flat=True)
    assert list(events) == [f"request.{verb}" for verb in verbs[1:]]
