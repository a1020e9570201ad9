"""“Everything you hold about me”: all of it, nobody else's, for its owner alone, for a few days."""

import json
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry, User
from accounts.refusals import NotFound, NotNow
from accounts.roles import NOBODY, Role
from approvals import access, workflow
from approvals.models import Assessment, TravelRequest
from approvals.states import State
from audit.models import Entry
from employees.models import Employee, ProjectAssignment, TravelDocument
from jobs import work
from jobs.models import Job
from notifications import delivery
from notifications.models import Notification, OutboxEvent, Preferences
from openness import collecting, corrections, download, retention, sweep
from openness.belonging import every_model, path_to
from openness.models import DataDownload, DownloadPart, LeftFile, archive_storage
from openness.schema import SCHEMA
from sensitivity.models import ListKind
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, employ, entry_values, in_state, list_in_force, posted, with_role
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)
PASSWORD = "correct horse battery staple"


def prepared(user: User, at: Any = LATER) -> DataDownload:
    made = download.ask(actor=actor(user, at), at=at)
    assert made.job_id
    while work.run_batch(made.job_id, at=at):
        pass
    job = Job.objects.get(pk=made.job_id)
    assert job.state == Job.State.DONE, job.last_error
    return DataDownload.objects.get(pk=made.pk)


def opened(found: DataDownload) -> zipfile.ZipFile:
    return zipfile.ZipFile(found.file.open("rb"))


def data_of(found: DataDownload) -> dict[str, Any]:
    with opened(found) as archive:
        read: dict[str, Any] = json.loads(archive.read("data.json"))
    return read


def index(data: dict[str, Any]) -> set[tuple[str, str]]:
    return {(table, row["id"]) for table, rows in data["tables"].items() for row in rows}


@pytest.fixture
def lived() -> Cast:
    """Alice with a denied request, a draft, documents, a correction, notifications, preferences."""
    cast = in_state(State.DENIED)
    alice = cast.applicant.user
    assert alice
    me = actor(alice, LATER)
    another = workflow.start(actor=me, at=LATER, employee_id=cast.applicant.pk)
    workflow.save_section(another.pk, actor=me, at=LATER, section="trip", values={"title": "Talks in Vienna"})
    workflow.attach(
        another.pk, actor=me, at=LATER, file=SimpleUploadedFile("paper.pdf", b"%PDF-1.7\n%x\n"), kind="paper"
    )
    TravelDocument.objects.create(employee=cast.applicant, kind="passport", issued_by="CN", expires_on=date(2030, 1, 1))
    project = cast.applicant.company.projects.create(code="P1", name="Retrieval")
    ProjectAssignment.objects.create(employee=cast.applicant, project=project, starts_at=NOW)
    Preferences.objects.create(user=alice, digest=True)
    access.read(cast.request.reference, actor=actor(cast.reviewer, LATER), at=LATER, page="case")
    corrections.ask(
        actor=me,
        at=LATER,
        about="request",
        subject=cast.request.reference,
        what="The host",
        should_be="ICLR Inc.",
        why="The invitation.",
    )
    with_role(Role.AUDITOR, "Udo")
    # She also does something in what is about somebody else.
    posted(cast.request.office, Role.SENIOR, "0777", user=alice)
    other = in_state(State.COMPANY_REVIEW, employee=employ("Bo Bystander", cast.applicant.company, name_zh="薄旁"))
    access.read(other.request.reference, actor=actor(other.officer, LATER), at=LATER, page="request")
    delivery.deliver(at=LATER)
    client = Client()
    client.force_login(alice)
    return cast


def alice_of(cast: Cast) -> User:
    assert cast.applicant.user is not None
    return User.objects.get(pk=cast.applicant.user.pk)


# ── every row ───────────────────────────────────────────────────────────────────────────────────────────────────────


def rows_that_mention(user: User) -> Iterator[tuple[str, str]]:
    """Walks over all models and all foreign keys to the account, the employee records and the requests: written apart
    from what makes the archive. Keys that are no foreign keys are named below."""
    employees = list(Employee.unscoped.filter(user=user).values_list("pk", flat=True))
    requests = list(TravelRequest.unscoped.filter(applicant__in=employees).values_list("pk", flat=True))
    targets: dict[type[models.Model], list[Any]] = {User: [user.pk], Employee: employees, TravelRequest: requests}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        for target, keys in targets.items():
            if model is target:
                yield from ((model._meta.label, str(key)) for key in keys)
            for field in model._meta.get_fields():
                if isinstance(field, models.ForeignKey) and field.related_model is target:
                    found = model._base_manager.filter(**{f"{field.name}__in": keys})
                    yield from ((model._meta.label, str(key)) for key in found.values_list("pk", flat=True))
    for model, name, keys in (
        (AccessEntry, "subject", requests),
        (Entry, "chain", requests),
        (Entry, "actor_id", [user.pk]),
        (OutboxEvent, "subject", requests),
    ):
        found = model._base_manager.filter(**{f"{name}__in": keys})
        yield from ((model._meta.label, str(key)) for key in found.values_list("pk", flat=True))


def test_every_row_that_mentions_the_person_is_in_it(lived: Cast) -> None:
    alice = alice_of(lived)
    found = prepared(alice)
    data = data_of(found)

    mentioned = set(rows_that_mention(alice))
    tables = {table for table, _key in mentioned}
    assert len(mentioned) > 50
    assert tables >= {
        "accounts.User",
        "accounts.AccessEntry",
        "approvals.Attachment",
        "approvals.Decision",
        "approvals.Reply",
        "audit.Entry",
        "authorities.Posting",
        "employees.Employee",
        "employees.ProjectAssignment",
        "employees.TravelDocument",
        "jobs.Job",
        "notifications.Notification",
        "notifications.Preferences",
        "openness.Correction",
    }
    # The row of the archive itself was written on after it was read.
    assert mentioned - index(data) == set()


def test_no_row_of_anybody_else_is_in_it_as_a_record(lived: Cast) -> None:
    alice = alice_of(lived)
    data = data_of(prepared(alice))
    mine = set(rows_that_mention(alice))
    told = {str(pk) for pk in Notification.objects.filter(recipient=alice).values_list("event_id", flat=True)}
    asked = {str(pk) for pk in corrections.visible_to(actor(alice, LATER)).values_list("pk", flat=True)}
    below = {model._meta.label for model in every_model() if path_to(model, TravelRequest) and not is_direct(model)}
    for table, rows in data["tables"].items():
        for row in rows:
            if row["kind"] == "record" and (table, row["id"]) not in mine:
                about = row["values"].get("subject")
                assert table in below or row["id"] in told or about in asked or table == "sessions.Session", (
                    table,
                    row,
                )


def is_direct(model: type[models.Model]) -> bool:
    return "__" not in path_to(model, TravelRequest)


def test_other_people_are_officer_numbers_and_never_names(lived: Cast) -> None:
    alice = alice_of(lived)
    with opened(prepared(alice)) as archive:
        texts = archive.read("data.json").decode()
    for other in User.objects.exclude(pk=alice.pk):
        assert other.email not in texts
        assert other.name not in texts, other.name
    assert "reviewer, officer 400" in texts


def test_secrets_are_named_and_not_contained(lived: Cast) -> None:
    alice = alice_of(lived)
    with opened(prepared(alice)) as archive:
        texts = archive.read("data.json").decode()
    assert alice.password not in texts
    data = json.loads(texts)
    [row] = [row for row in data["tables"]["accounts.User"] if row["kind"] == "record"]
    assert row["values"]["password"] == {"withheld": True}
    left_out = {one["what"]: one["why"] for one in data["left_out"]}
    assert "Nobody can read it" in left_out["accounts.User.password"]
    assert all(left_out.values())


def test_every_withheld_field_is_a_field() -> None:
    for label, name in collecting.WITHHELD:
        app, model = label.split(".")
        assert apps.get_model(app, model)._meta.get_field(name)


def test_fields_that_hold_secrets_are_withheld() -> None:
    """A column that is called like a secret and is not withheld is looked at by a person first."""
    known = {("approvals.Clearance", "token")}  # what the holder shows
    for model in every_model():
        for one in model._meta.concrete_fields:
            if any(word in one.name for word in ("password", "secret", "token", "session_")):
                if (model._meta.label, one.name) in known or not of_somebody(model):
                    continue
                assert (model._meta.label, one.name) in collecting.WITHHELD, (model._meta.label, one.name)


def of_somebody(model: type[models.Model]) -> bool:
    return bool(path_to(model, User, 2) or path_to(model, TravelRequest)) or model._meta.label == "sessions.Session"


def test_its_form_is_the_published_one(lived: Cast) -> None:
    with opened(prepared(alice_of(lived))) as archive:
        schema = json.loads(archive.read("schema.json"))
        jsonschema.validate(json.loads(archive.read("data.json")), schema)
    assert schema == SCHEMA


def test_files_and_something_to_read_are_in_it(lived: Cast) -> None:
    with opened(prepared(alice_of(lived))) as archive:
        names = archive.namelist()
        [paper] = [name for name in names if name.endswith("/paper.pdf")]
        assert archive.read(paper) == b"%PDF-1.7\n%x\n"
        data = json.loads(archive.read("data.json"))
        assert archive.read("overview.pdf").startswith(b"%PDF-")
    [row] = [row for row in data["tables"]["approvals.Attachment"] if row["kind"] == "record"]
    assert row["values"]["file"] == {"file": paper}


def test_a_name_that_no_font_has_makes_a_page_instead(lived: Cast) -> None:
    alice = alice_of(lived)
    User.objects.filter(pk=alice.pk).update(name="Alice \U00012000")
    with opened(prepared(alice_of(lived))) as archive:
        assert "overview.pdf" not in archive.namelist()
        assert "Alice \U00012000" in archive.read("overview.html").decode()


def test_an_entry_of_a_confidential_list_stays_masked() -> None:
    list_in_force(
        ListKind.TECHNOLOGY,
        entry_values("cs.IR", 2, label_en="Secret gathering", label_zh="秘密聚会"),
        at=NOW - timedelta(days=30),
        confidential=True,
    )
    cast = in_state(State.COMPANY_REVIEW)
    [assessment] = Assessment.objects.all()
    assert [hit["label_en"] for hit in assessment.hits] == ["Secret gathering"]

    alice = alice_of(cast)
    with opened(prepared(alice)) as archive:
        texts = archive.read("data.json").decode()

    assert "Secret gathering" not in texts
    assert "秘密聚会" not in texts
    [row] = json.loads(texts)["tables"]["approvals.Assessment"]
    [hit] = row["values"]["hits"]
    assert hit["confidential"] is True
    assert hit["level"] == 2
    assert hit["secret_en"] == "Measures on confidential lists"
    assert "code" not in hit


# ── the worker ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_prepared_in_batches_and_goes_on_after_a_worker_died(
    lived: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "BATCH", 1)
    alice = alice_of(lived)
    made = download.ask(actor=actor(alice, LATER), at=LATER)
    assert made.job_id
    assert work.run_batch(made.job_id, at=LATER)
    assert work.run_batch(made.job_id, at=LATER)
    job = Job.objects.get(pk=made.job_id)
    assert (job.done, job.total) == (2, 4)
    assert DownloadPart.objects.filter(table="approvals.TravelRequest").count() == 1
    while work.run_batch(made.job_id, at=LATER):
        pass
    found = DataDownload.objects.get(pk=made.pk)
    assert set(rows_that_mention(alice)) <= index(data_of(found))
    assert not DownloadPart.objects.exists()
    assert archive_storage().size(found.file.name) == found.size


def test_asked_twice_it_is_prepared_once(lived: Cast) -> None:
    me = actor(alice_of(lived), LATER)
    assert download.ask(actor=me, at=LATER).pk == download.ask(actor=me, at=LATER + timedelta(minutes=1)).pk
    assert DataDownload.objects.count() == 1


def test_the_person_is_told_when_it_is_ready(lived: Cast) -> None:
    alice = alice_of(lived)
    prepared(alice)
    delivery.deliver(at=LATER)
    told = Notification.objects.filter(event__event="download.ready", channel="bell")
    assert [row.recipient_id for row in told] == [alice.pk]


# ── for its owner alone, for a few days ─────────────────────────────────────────────────────────────────────────────


def test_nobody_else_gets_it_whatever_their_role(lived: Cast) -> None:
    found = prepared(alice_of(lived))
    others = [lived.officer, lived.reviewer, lived.senior, with_role(Role.ADMINISTRATOR), with_role(Role.AUDITOR)]
    with nothing_moved():
        for user in others:
            with pytest.raises(NotFound):
                download.fetch(found.pk, actor=actor(user, LATER), at=LATER)
        with pytest.raises(NotFound):
            download.fetch(found.pk, actor=NOBODY, at=LATER)


def test_fetching_it_is_in_the_access_log(lived: Cast) -> None:
    alice = alice_of(lived)
    found = prepared(alice)
    download.fetch(found.pk, actor=actor(alice, LATER), at=LATER)
    entry = AccessEntry.objects.latest("pk")
    assert (entry.user_id, entry.subject, entry.page, entry.at) == (alice.pk, found.pk, "download", LATER)


def test_it_is_deleted_after_its_days(lived: Cast) -> None:
    alice = alice_of(lived)
    found = prepared(alice)
    name, end = found.file.name, LATER + DataDownload.KEPT_FOR
    assert found.expires_at == end
    with nothing_moved(), pytest.raises(NotNow):
        download.fetch(found.pk, actor=actor(alice, end), at=end)

    assert retention.expire_downloads(end - timedelta(seconds=1)) == 0
    sweep.hourly(end)

    assert not archive_storage().exists(name)
    assert not LeftFile.objects.exists()
    row = DataDownload.objects.get(pk=found.pk)
    assert (row.deleted_at, row.file.name) == (end, "")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_the_page_asks_for_a_fresh_sign_in_before_the_file(lived: Cast) -> None:
    alice = alice_of(lived)
    found = prepared(alice, timezone.now())
    stale = Client()
    stale.force_login(alice)
    path = reverse("my_data_file", args=[found.pk])

    sent_away = stale.get(path)

    assert sent_away.status_code == 302
    assert sent_away["Location"].startswith(reverse("account_reauthenticate"))
    fresh = signed_in(alice).get(path)
    assert fresh.status_code == 200, fresh["Location"]
    assert fresh["Content-Type"] == "application/zip"
    assert "no-store" in fresh["Cache-Control"]
    assert b"".join(fresh.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    assert signed_in(lived.officer).get(path).status_code == 404


def test_the_page_shows_the_bar_and_then_the_archive(lived: Cast) -> None:
    alice = alice_of(lived)
    client = Client()
    client.force_login(alice)
    page = reverse("my_data")
    asked = client.post(page)
    job = Job.objects.get(kind=download.KIND)
    assert asked["Location"] == reverse("job", args=[job.pk])
    assert b"<progress" in client.get(page).content
    assert b"<progress" in client.get(page).content  # it survives a reload
    while work.run_batch(job.pk, at=timezone.now()):
        pass
    shown = client.get(page).content.decode()
    assert "<progress" not in shown
    assert reverse("my_data_file", args=[DataDownload.objects.get().pk]) in shown
