"""Everything held about a person with many requests: from asking for it to the packed archive, as the worker does it.

Ours: asked for and prepared batch after batch, each its own transaction: all models walked, rows masked, other people
replaced, parts kept, files copied, the overview set as a PDF, the archive packed and hashed.
Floor: psycopg2 and zipfile alone: every row of the same tables as JSON, by the key of the request, and the same files,
in one archive; nothing masked, nothing to read, no mention of the person elsewhere. To reach: 50 requests under 30 s.
"""

import io
import json
import time
import zipfile
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import AccessEntry
from approvals import workflow
from approvals.models import Attachment, TravelRequest
from bench import Result, Say
from bench.lifecycle import Setting, bare_connection
from employees.models import Employee
from jobs import work
from jobs.models import Job
from openness import download
from openness.belonging import tables_of_requests
from openness.models import DataDownload

ROWS = 50
FILE_BYTES = 200_000
LOOKS = 20


def run(*, rows: int, say: Say) -> Result:
    """A person with `rows` cleared requests, each with a document that officers have looked at."""
    person = Person(rows)
    begin = time.perf_counter()
    size = person.floor()
    floor = time.perf_counter() - begin
    begin = time.perf_counter()
    found = person.ours()
    ours = time.perf_counter() - begin
    say(f"{'':<34}{'seconds':>10}{'archive':>14}\n")
    say(f"{'floor: rows as JSON, and files':<34}{floor:>10.2f}{size:>14,}\n")
    say(f"{'ours: everything held':<34}{ours:>10.2f}{found.size or 0:>14,}\n")
    say(f"{rows} requests in {ours:.1f} s: {'under' if ours < 30 else 'NOT under'} 30 s\n")
    return Result(ratio=floor / ours, floor=floor, ours=ours, unit="s", n=rows)


class Person:
    """Somebody with many requests, told by the verbs."""

    def __init__(self, rows: int) -> None:
        setting = Setting()
        [first] = setting.cases(1)
        self.actor = first.applicant
        employee = Employee.unscoped.get(pk__in=self.actor.scopes(next(iter(self.actor.roles))))
        officer, reviewer = (actor_for(one, at=setting.now) for one in (setting.officer, setting.reviewer))
        day, at = timezone.localdate() + timedelta(days=60), setting.now
        for number in range(rows):
            begins = day + timedelta(days=10 * number)
            request = workflow.start(actor=self.actor, at=at, employee_id=employee.pk)
            paper = SimpleUploadedFile("paper.pdf", b"%PDF-1.7\n" + bytes([number % 256]) * FILE_BYTES)
            workflow.attach(request.pk, actor=self.actor, at=at, file=paper, kind="paper")
            setting.fill(request, actor=self.actor, number=number, begins=begins)
            workflow.submit(request.pk, actor=self.actor, at=at)
            workflow.endorse(request.pk, actor=officer, at=at)
            workflow.take(request.pk, actor=reviewer, at=at, no_conflict=True)
            workflow.approve(request.pk, actor=reviewer, at=at, text="Nothing to restrict.")
            AccessEntry.objects.bulk_create(
                AccessEntry(at=at, user=setting.reviewer, role="reviewer", subject=request.pk, page="case")
                for _look in range(LOOKS)
            )
        self.requests = list(TravelRequest.unscoped.filter(applicant=employee).values_list("pk", flat=True))

    def floor(self) -> int:
        """The bytes of an archive made by hand."""
        bare = bare_connection()
        target = io.BytesIO()
        keys = [str(key) for key in self.requests]
        with bare.cursor() as cursor, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            data: dict[str, Any] = {}
            direct = {model._meta.db_table for model, path in tables_of_requests().items() if path == "request"}
            for table in sorted(direct):
                cursor.execute(f"SELECT to_json(t) FROM {table} t WHERE request_id = ANY(%s::uuid[])", [keys])
                data[table] = [row for (row,) in cursor.fetchall()]
            archive.writestr("data.json", json.dumps(data))
            for attachment in Attachment.unscoped.filter(request__in=self.requests):
                with attachment.file.open("rb") as source:
                    archive.writestr(str(attachment.pk), source.read())
        bare.close()
        return target.tell()

    def ours(self) -> DataDownload:
        """The archive as the worker makes it."""
        at = timezone.now()
        asked = download.ask(actor=self.actor, at=at)
        assert asked.job_id is not None
        while work.run_batch(asked.job_id, at=timezone.now()):
            pass
        job = Job.objects.get(pk=asked.job_id)
        if job.state != Job.State.DONE:
            raise RuntimeError(job.last_error)
        return DataDownload.objects.get(pk=asked.pk)
