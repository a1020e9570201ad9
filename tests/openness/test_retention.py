"""How long files of requests are kept, and that they go as a whole, on the day, and in no other way."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from accounts.refusals import Invalid, NotAllowed, NotNow
from accounts.roles import Role
from approvals import workflow
from approvals.models import Attachment, Decision, Leg, Revision, TravelRequest
from approvals.states import State
from audit import checkpoints, verification
from audit.models import Entry
from employees.models import Employee
from jobs import work
from jobs.models import Job
from notifications import delivery
from notifications.models import OutboxEvent
from openness import corrections, retention, sweep
from openness.belonging import tables_of_requests
from openness.models import (
    DeletionNotice,
    ErasedRequest,
    Held,
    LeftFile,
    RetentionPolicy,
    RetentionRun,
    RetentionTerm,
    archive_storage,
)
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, with_role
from tests.openness.story import LONG_AFTER, THEN, alice, ended, today

pytestmark = pytest.mark.django_db


def erase_by_sql(request: TravelRequest) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT openness_erase(%s)", [request.pk])


def rows_of(request: TravelRequest) -> dict[str, int]:
    counts = {
        model._meta.label: model._base_manager.filter(**{path: request.pk}).count()
        for model, path in tables_of_requests().items()
    }
    return {label: count for label, count in counts.items() if count}


# ── the whole file ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_file_goes_and_its_audit_chain_stays() -> None:
    cast = ended()
    request = cast.request
    Attachment.unscoped.create(
        request=request,
        name="invitation.pdf",
        content_type="application/pdf",
        size=4,
        sha256="0" * 64,
        file=ContentFile(b"%PDF", "x"),
        uploaded_by=alice(cast),
        uploaded_at=THEN,
    )
    kept = archive_storage()
    [name] = Attachment.unscoped.values_list("file", flat=True)
    delivery.deliver(at=LONG_AFTER)
    entries = Entry.objects.filter(chain=request.pk).count()
    before = rows_of(request)
    assert before.keys() >= {
        "approvals.Leg",
        "approvals.Revision",
        "approvals.Decision",
        "approvals.Clock",
        "approvals.Attachment",
        "openness.DeletionNotice",
    }
    assert OutboxEvent.objects.filter(subject=request.pk).exists()

    rows = retention.erase(request.pk, at=LONG_AFTER)

    connections["default"].check_constraints()
    assert rows == 1 + sum(before.values())
    assert not TravelRequest.unscoped.exists()
    assert rows_of(request) == {}
    assert not OutboxEvent.objects.filter(subject=request.pk).exists()
    assert kept.exists(name)
    assert retention.remove_files() == 1
    assert not kept.exists(name)
    assert not LeftFile.objects.exists()
    left = ErasedRequest.objects.get()
    assert (left.pk, left.kind, left.rows) == (request.pk, "cleared", rows)
    assert Entry.objects.filter(chain=request.pk).count() == entries + 1
    assert Entry.objects.filter(chain=request.pk).latest("sequence").in_words() == (
        "The file was deleted: its time was over"
    )


def test_the_audit_log_is_whole_afterwards() -> None:
    gone, stays = ended(), ended(State.DENIED)
    checkpoints.sign(at=LONG_AFTER - timedelta(days=1))
    assert retention.erase(gone.request.pk, at=LONG_AFTER)
    checkpoints.sign(at=LONG_AFTER)

    report = verification.verify()

    assert report.first_break is None
    assert report.chains >= 2
    assert TravelRequest.unscoped.get().pk == stays.request.pk


def test_an_entry_taken_from_the_chain_of_a_file_that_is_gone_is_noticed() -> None:
    cast = ended()
    assert retention.erase(cast.request.pk, at=LONG_AFTER)
    forged = Entry.objects.filter(chain=cast.request.pk).latest("sequence")
    Entry(
        chain=forged.chain,
        sequence=forged.sequence + 1,
        at=forged.at,
        verb="submit",
        actor_role="system",
        previous=forged.hash,
        hash=b"0" * 32,
    ).save()
    assert verification.verify().first_break is not None


def test_twice_is_once() -> None:
    cast = ended()
    assert retention.erase(cast.request.pk, at=LONG_AFTER) > 10
    assert retention.erase(cast.request.pk, at=LONG_AFTER) == 0
    assert ErasedRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.CLOSED, Held.CLEARED),
        (State.WITHDRAWN, Held.DRAFT),
        (State.LAPSED, Held.DRAFT),
        (State.COMPANY_DECLINED, Held.GIVEN_UP),
        (State.DENIED, Held.REFUSED),
        (State.REVOKED, Held.REFUSED),
    ],
)
def test_each_ending_has_its_time(state: State, kind: Held) -> None:
    one = retention.standing_of(ended(state).request.pk, at=LONG_AFTER)
    assert one is not None
    assert one.kind == kind
    days = retention.days_of(retention.in_force(LONG_AFTER))[kind]
    assert one.erase_at - one.ended_at == timedelta(days=days)


@pytest.mark.parametrize(
    "state", [State.DRAFT, State.COMPANY_REVIEW, State.AUTHORITY_REVIEW, State.DECISION_PROPOSED, State.APPROVED]
)
def test_what_has_not_ended_has_no_time(state: State) -> None:
    assert retention.standing_of(ended(state).request.pk, at=LONG_AFTER) is None


# ── the database says no ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_database_refuses_a_request_that_has_not_ended() -> None:
    cast = ended(State.AUTHORITY_REVIEW)
    with nothing_moved(), pytest.raises(IntegrityError, match="is not a request that has ended"):
        erase_by_sql(cast.request)


def test_the_database_refuses_before_the_day_whatever_the_caller_says() -> None:
    cast = ended(State.CLOSED)
    TravelRequest.unscoped.filter(pk=cast.request.pk).update(state_since=today() - timedelta(days=729))
    with nothing_moved(), pytest.raises(IntegrityError, match="is kept until"):
        erase_by_sql(cast.request)
    with nothing_moved(), pytest.raises(IntegrityError, match="is kept until"), transaction.atomic():
        retention.erase(cast.request.pk, at=today() + timedelta(days=10))


def test_the_database_refuses_while_the_applicant_was_not_told() -> None:
    cast = ended(told=False)
    with nothing_moved(), pytest.raises(IntegrityError, match="was not told 14 days before"):
        erase_by_sql(cast.request)
    at = today() - timedelta(days=13)
    DeletionNotice.objects.create(request=cast.request, at=at, erase_at=at + timedelta(days=14))
    with nothing_moved(), pytest.raises(IntegrityError, match="was not told 14 days before"):
        erase_by_sql(cast.request)


def test_the_database_refuses_without_an_entry_in_the_audit_log() -> None:
    cast = ended()
    with nothing_moved(), pytest.raises(IntegrityError, match="the audit log does not say"):
        erase_by_sql(cast.request)


def test_the_database_refuses_while_a_correction_is_open() -> None:
    cast = ended()
    corrections.ask(
        actor=actor(alice(cast), THEN + timedelta(days=90)),
        at=THEN + timedelta(days=90),
        about="request",
        subject=cast.request.reference,
        what="The host",
        should_be="ICLR Inc.",
        why="The invitation says so.",
    )
    with nothing_moved(), pytest.raises(IntegrityError, match=r"is held back \(correction\)"):
        erase_by_sql(cast.request)
    assert retention.erase(cast.request.pk, at=LONG_AFTER) == 0
    held = {line.kind: line.held for line in retention.outlook(LONG_AFTER)}
    assert held[Held.CLEARED] == {"correction": 1}


def test_the_database_refuses_while_an_appeal_is_open() -> None:
    cast = ended(State.DENIED)
    at = cast.request.state_since + timedelta(days=1)
    from tests.factories import OfficeFactory, posted

    elsewhere = OfficeFactory.create(code="PD", name_en="Pudong office")
    posted(elsewhere, Role.APPEAL_REVIEWER, "0023")
    workflow.file_appeal(cast.request.pk, actor=actor(alice(cast), at), at=at, text="It is not my purpose.")
    with nothing_moved(), pytest.raises(IntegrityError, match=r"is held back \(appeal\)"):
        erase_by_sql(cast.request)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM approvals_revision",
        "DELETE FROM approvals_decision",
        "DELETE FROM openness_deletionnotice",
        "DELETE FROM openness_erasedrequest",
        "DELETE FROM openness_retentionrun",
        "DELETE FROM audit_entry",
        "INSERT INTO audit_permit SELECT pg_current_xact_id(), 'approvals_revision'::regclass",
        "SELECT * FROM audit_permit",
    ],
)
def test_the_product_can_delete_history_in_no_other_way(statement: str) -> None:
    ended()
    with nothing_moved(), pytest.raises(ProgrammingError, match="permission denied"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_no_permit_is_left_behind() -> None:
    cast = ended()
    assert retention.erase(cast.request.pk, at=LONG_AFTER)
    ended()
    # Later in the same transaction the way is closed again.
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM approvals_revision")


def test_a_temporary_table_does_not_stand_in_for_a_real_one() -> None:
    cast = ended(State.AUTHORITY_REVIEW)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE approvals_travelrequest AS SELECT * FROM approvals_travelrequest")
        cursor.execute("UPDATE pg_temp.approvals_travelrequest SET state = 'closed'")
        with pytest.raises(IntegrityError, match="is not a request that has ended"):
            erase_by_sql(cast.request)
        cursor.execute("DROP TABLE pg_temp.approvals_travelrequest")
    assert TravelRequest.unscoped.count() == 1


def test_the_tables_of_the_database_are_those_of_the_models() -> None:
    """Two walks, one over foreign keys of the database and one over models, find the same tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE belonging AS (
                SELECT 'approvals_travelrequest'::regclass::oid AS relation
                UNION
                SELECT fk.conrelid FROM pg_constraint fk JOIN belonging ON fk.confrelid = belonging.relation
                WHERE fk.contype = 'f'
            ) SELECT relation::regclass::text FROM belonging
            """
        )
        of_database = {table for (table,) in cursor.fetchall()} - {"approvals_travelrequest"}
    assert {model._meta.db_table for model in tables_of_requests()} == of_database


# ── told before ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_applicant_is_told_fourteen_days_before_in_both_languages_once() -> None:
    cast = ended(told=False)
    one = retention.standing_of(cast.request.pk, at=LONG_AFTER)
    assert one is not None
    early = one.erase_at - timedelta(days=14, seconds=1)
    assert retention.tell(early, limit=10) == 0

    assert retention.tell(early + timedelta(seconds=1), limit=10) == 1
    assert retention.tell(early + timedelta(seconds=2), limit=10) == 0

    assert DeletionNotice.objects.get().erase_at == one.erase_at
    delivery.deliver(at=LONG_AFTER)
    event = OutboxEvent.objects.get(event="retention.soon")
    assert [row.recipient_id for row in event.notifications.all() if row.channel == "bell"] == [alice(cast).pk]
    words = event.words["applicant"]
    number = cast.request.reference
    assert words["en"]["subject"].startswith(f"{number}: the file will be deleted on ")
    assert words["zh-hans"]["subject"].startswith(number)
    assert "删除" in words["zh-hans"]["subject"]


def test_who_is_told_late_has_fourteen_days_all_the_same() -> None:
    ended(told=False)
    assert retention.tell(LONG_AFTER, limit=10) == 1
    assert DeletionNotice.objects.get().erase_at == LONG_AFTER + timedelta(days=14)
    assert retention.due(LONG_AFTER + timedelta(days=13)) == []
    assert len(retention.due(LONG_AFTER + timedelta(days=14))) == 1


# ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(at: Any) -> Job:
    job = sweep.start(at)
    assert job is not None
    while work.run_batch(job.pk, at=at):
        pass
    return Job.objects.get(pk=job.pk)


def test_a_run_deletes_what_is_due_and_leaves_a_report_without_anybody_in_it() -> None:
    gone, denied = ended(), ended(State.DENIED)
    waiting = ended(told=False)

    job = run(LONG_AFTER)

    assert job.state == Job.State.DONE, job.last_error
    assert set(TravelRequest.unscoped.values_list("pk", flat=True)) == {denied.request.pk, waiting.request.pk}
    report = RetentionRun.objects.get()
    rows = ErasedRequest.objects.get(pk=gone.request.pk).rows
    assert report.counts["cleared"] == {"deleted": 1, "rows": rows}
    assert report.counts["files"] == {"told": 1}
    assert str(gone.request.pk) not in str(report.counts)
    assert report.policy == 1


def test_one_run_a_day_and_a_second_worker_does_nothing_twice() -> None:
    ended()
    first = sweep.start(LONG_AFTER)
    second = sweep.start(LONG_AFTER + timedelta(minutes=1))
    assert first is not None
    assert second is not None
    assert first.pk == second.pk
    run(LONG_AFTER)
    assert sweep.start(LONG_AFTER + timedelta(hours=1)) is None
    assert ErasedRequest.objects.count() == 1
    assert sweep.start(LONG_AFTER + timedelta(days=1)) is not None


def test_a_worker_that_dies_between_batches_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 1)
    for _number in range(3):
        ended()
    job = sweep.start(LONG_AFTER)
    assert job is not None
    for _batch in range(3):
        work.run_batch(job.pk, at=LONG_AFTER)
    assert 0 < ErasedRequest.objects.count() < 3
    while work.run_batch(job.pk, at=LONG_AFTER):
        pass
    assert RetentionRun.objects.get().counts["cleared"]["deleted"] == 3


def test_notifications_and_finished_work_go_after_their_days() -> None:
    cast = ended(State.AUTHORITY_REVIEW)
    delivery.deliver(at=THEN + timedelta(days=1))
    assert OutboxEvent.objects.exists()
    Job.objects.create(kind="data-download", at=THEN, ended_at=THEN, state=Job.State.DONE)
    waits = Job.objects.create(kind="data-download", at=THEN)

    run(LONG_AFTER)

    assert not OutboxEvent.objects.filter(at__lt=THEN + timedelta(days=2)).exists()
    assert TravelRequest.unscoped.get().pk == cast.request.pk
    assert set(Job.objects.exclude(kind="retention").values_list("pk", flat=True)) == {waits.pk}


def test_the_record_of_somebody_who_left_goes_with_the_account_when_no_request_is_left() -> None:
    cast = ended()
    user = alice(cast)
    Employee.unscoped.filter(pk=cast.applicant.pk).update(employed_until=THEN.date() + timedelta(days=100))
    run(LONG_AFTER)
    # The request went today; so did what hung on it.
    assert not TravelRequest.unscoped.exists()
    assert not Employee.unscoped.filter(pk=cast.applicant.pk).exists()
    user.refresh_from_db()
    assert (user.name, user.email, user.is_active) == ("", f"deleted-{user.pk}@invalid", False)
    assert not user.has_usable_password()
    assert verification.verify().first_break is None


def test_an_account_that_still_does_something_stays() -> None:
    cast = ended(State.WITHDRAWN)
    from tests.factories import officer_of

    officer_of(cast.applicant.company, user=alice(cast))
    Employee.unscoped.filter(pk=cast.applicant.pk).update(employed_until=THEN.date() + timedelta(days=100))
    run(LONG_AFTER)
    assert not Employee.unscoped.filter(pk=cast.applicant.pk).exists()
    user = alice(cast)
    user.refresh_from_db()
    assert user.is_active
    assert user.name == "Alice Wang"


# ── the policy ──────────────────────────────────────────────────────────────────────────────────────────────────────

SHORT = dict.fromkeys(Held, 30)


def test_a_policy_is_written_by_one_and_published_by_another_and_takes_effect_in_fourteen_days() -> None:
    ada, adam = (actor(with_role(Role.ADMINISTRATOR, name), NOW) for name in ("Ada", "Adam"))
    policy = retention.draft(actor=ada, at=NOW, days=SHORT, note="Nobody asked for older files in two years.")
    assert retention.in_force(NOW).version == 1
    with nothing_moved(), pytest.raises(NotAllowed, match="another administrator"):
        retention.publish(policy.version, actor=ada, at=NOW)

    retention.publish(policy.version, actor=adam, at=NOW)

    assert retention.in_force(NOW + timedelta(days=14, seconds=-1)).version == 1
    assert retention.in_force(NOW + timedelta(days=14)).version == 2
    with pytest.raises(NotNow):
        retention.publish(policy.version, actor=adam, at=NOW)


def test_a_draft_takes_the_place_of_the_draft_before() -> None:
    ada = actor(with_role(Role.ADMINISTRATOR, "Ada"), NOW)
    retention.draft(actor=ada, at=NOW, days=SHORT, note="First.")
    second = retention.draft(actor=ada, at=NOW, days=SHORT | {Held.DRAFT: 60}, note="Second.")
    drafted = retention.being_drafted()
    assert drafted is not None
    assert (drafted.version, drafted.note) == (second.version, "Second.")
    assert retention.days_of(drafted)[Held.DRAFT] == 60


@pytest.mark.parametrize("days", [29, 3651, 0])
def test_days_have_bounds(days: int) -> None:
    ada = actor(with_role(Role.ADMINISTRATOR, "Ada"), NOW)
    with pytest.raises(Invalid) as refusal:
        retention.draft(actor=ada, at=NOW, days=SHORT | {Held.JOB: days}, note="")
    assert [problem.field for problem in refusal.value.problems] == ["job", "note"]
    assert RetentionPolicy.objects.count() == 1


def test_nobody_else_sets_how_long_data_is_kept() -> None:
    for role in (Role.AUDITOR, Role.LIST_MANAGER):
        with pytest.raises(NotAllowed):
            retention.draft(actor=actor(with_role(role), NOW), at=NOW, days=SHORT, note="Why not.")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE openness_retentionterm SET days = 30",
        "DELETE FROM openness_retentionterm",
        "INSERT INTO openness_retentionterm (policy_id, kind, days) SELECT id, 'x', 30 FROM openness_retentionpolicy",
        "UPDATE openness_retentionpolicy SET effective_from = NULL",
        "DELETE FROM openness_retentionpolicy",
        "INSERT INTO openness_retentionpolicy (version, note, drafted_at, published_at, effective_from)"
        " VALUES (2, '', now(), now(), now())",
    ],
)
def test_the_database_keeps_a_published_policy_as_it_is(statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert RetentionTerm.objects.filter(policy__version=1).count() == len(Held)


# ── a look ahead ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_dry_run_says_what_would_go_and_changes_nothing() -> None:
    ended()
    ended(State.CLOSED, told=False)
    said = StringIO()
    with nothing_moved():
        call_command("retention", "--dry-run", stdout=said)
    line = next(line for line in said.getvalue().splitlines() if "cleared and closed" in line)
    assert line.split()[-4:] == ["730", "1", "1", "-"]


def test_the_command_does_what_the_worker_does() -> None:
    cast = ended()
    said = StringIO()
    call_command("retention", stdout=said)
    assert "Finished" in said.getvalue()
    assert not TravelRequest.unscoped.filter(pk=cast.request.pk).exists()
    assert not Revision.objects.exists()
    assert not Decision.objects.exists()
    assert not Leg.objects.exists()
    call_command("retention", stdout=said)
    assert "Today's run is done" in said.getvalue()


def test_files_sent_by_the_applicant_are_among_those_that_go() -> None:
    cast = ended(State.INFORMATION_REQUESTED)
    at = cast.request.state_since + timedelta(hours=1)
    workflow.attach(
        cast.request.pk,
        actor=actor(alice(cast), at),
        at=at,
        file=SimpleUploadedFile("paper.pdf", b"%PDF-1.7\n"),
        kind="paper",
    )
    from openness.belonging import files_of

    assert files_of(cast.request) == list(Attachment.unscoped.values_list("file", flat=True))
