"""“Everything you hold about me”: asked for on a page, prepared by the worker, fetched by that person alone.

The worker goes table by table, then through the requests in batches; what it has found lies in `DownloadPart`, so
a worker that dies loses one batch at most. At the end all of it becomes one archive: data.json (its form is in
schema.json), an overview to read, and every stored file.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.files import File
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from accounts.models import AccessEntry, User
from accounts.refusals import NotAllowed, NotFound, NotNow
from accounts.roles import Actor, Role
from jobs import work
from jobs.models import Job
from notifications import outbox
from openness import paper
from openness.collecting import IN_GENERAL, WITHHELD, Person, files, of_person, of_requests
from openness.models import DataDownload, DownloadPart
from openness.schema import FORMAT, SCHEMA, VERSION

KIND = "data-download"
BATCH = 10


def ask(*, actor: Actor, at: datetime) -> DataDownload:
    """Have everything held about `actor` prepared, as of `at` (aware) or a little later. One at a time: while one is
    being prepared that one is given back. NotAllowed for who is not signed in."""
    if actor.user_id is None:
        raise NotAllowed(_("Sign in first."))
    with transaction.atomic():
        made = DataDownload.objects.create(
            user_id=actor.user_id, at=at, language=get_language() or User._meta.get_field("language").default
        )
        job = work.enqueue(KIND, by=actor.user_id, at=at, subject=str(actor.user_id), data={"download": str(made.pk)})
        if job.data["download"] != str(made.pk):
            made.delete()
            return DataDownload.objects.get(pk=job.data["download"])
        made.job = job
        made.save(update_fields=["job"])
    return made


def of(actor: Actor) -> list[DataDownload]:
    """Those that `actor` asked for, the latest first, ten at most."""
    return list(DataDownload.objects.filter(user_id=actor.user_id or 0).select_related("job")[:10])


def fetch(pk: UUID, *, actor: Actor, at: datetime) -> DataDownload:
    """The archive `pk`, to be sent to `actor`: its fetching is written into the access log.

    NotFound for anybody but the person whose data it is; NotNow while it is prepared and when its days are over.
    """
    found = DataDownload.objects.filter(pk=pk, user_id=actor.user_id).first() if actor.user_id else None
    if found is None:
        raise NotFound(_("There is no such download, or it is not yours."))
    if found.ready_at is None:
        raise NotNow(_("It is still being prepared."))
    if found.deleted_at is not None or found.expires_at is None or found.expires_at <= at:
        raise NotNow(_("Its days are over, and it was deleted. You can have a new one prepared."))
    # One is always the applicant of one's own data, whatever else one is.
    AccessEntry.objects.create(at=at, user_id=found.user_id, role=Role.APPLICANT, subject=found.pk, page="download")
    return found


# ── the worker's part ───────────────────────────────────────────────────────────────────────────────────────────────


def _step(job: Job, at: datetime) -> bool:
    download = DataDownload.objects.select_related("user").get(pk=job.data["download"])
    person = Person(download.user)
    place: int = job.cursor.setdefault("place", 0)
    batches = -(-len(person.requests) // BATCH)
    job.total = batches + 2
    if place == 0:
        _keep(download, of_person(person))
    elif place <= batches:
        _keep(download, of_requests(person, person.requests[(place - 1) * BATCH : place * BATCH]))
    else:
        _pack(download, person, at)
    job.cursor["place"] = job.done = place + 1
    return place > batches


def _keep(download: DataDownload, parts: Any) -> None:
    DownloadPart.objects.bulk_create(
        DownloadPart(download=download, table=part.table, rows=part.rows) for part in parts
    )


def _pack(download: DataDownload, person: Person, at: datetime) -> None:
    """Make the archive of what was found, and take the parts away."""
    stored = list(files(person))
    with tempfile.TemporaryFile() as target, override(download.language):
        data = _data(download, person, at)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
            archive.writestr("schema.json", json.dumps(SCHEMA, ensure_ascii=False, indent=1))
            archive.writestr(*paper.overview(data, person, language=download.language, at=at))
            for one in stored:
                with one.field.open("rb") as source, archive.open(one.path, "w") as place:
                    while block := source.read(1 << 20):
                        place.write(block)
        download.size = target.tell()
        target.seek(0)
        digest = sha256()
        while block := target.read(1 << 20):
            digest.update(block)
        target.seek(0)
        download.file.save("archive.zip", File(target), save=False)
    download.sha256, download.ready_at, download.expires_at = digest.hexdigest(), at, at + DataDownload.KEPT_FOR
    download.save()
    download.parts.all().delete()
    outbox.emit("download.ready", subject=download.pk, at=at).save()
    outbox.hint()


def _data(download: DataDownload, person: Person, at: datetime) -> dict[str, Any]:
    tables: dict[str, list[Any]] = {}
    for part in download.parts.iterator():
        tables.setdefault(part.table, []).extend(part.rows)
    left_out = [{"what": str(what), "why": str(why)} for what, why in IN_GENERAL]
    left_out += [{"what": f"{table}.{name}", "why": str(why)} for (table, name), why in WITHHELD.items()]
    return {
        "format": FORMAT,
        "version": VERSION,
        "asked_at": download.at.isoformat(),
        "made_at": at.isoformat(),
        "person": {"name": person.user.name, "email": person.user.email},
        "tables": dict(sorted(tables.items())),
        "left_out": left_out,
    }


def _page(job: Job) -> str:
    return reverse("my_data")


def _may_see(job: Job, actor: Actor) -> bool:
    return job.by_id is not None and job.by_id == actor.user_id


WORK = work.Work(
    kind=KIND, label=_("Preparing everything held about you"), step=_step, result_url=_page, may_see=_may_see
)


def register() -> None:
    """Make it something that the worker does. Called once, when the app is ready."""
    work.register(WORK)
