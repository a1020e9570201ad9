"""How far a job has come: a page, and the part of it that asks for itself."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.http import ActorRequest
from jobs import work
from jobs.models import Job


@require_GET
@login_required
def job_page(request: ActorRequest, pk: UUID) -> HttpResponse:
    """How far it has come; asked by htmx, the bar alone. 404 for a job that is not yours to see."""
    job = get_object_or_404(Job, pk=pk)
    kind = work.of(job)
    if not kind.may_see(job, request.actor):
        raise Http404
    context: dict[str, Any] = {"job": job, "work": kind, "progress": progress(job)}
    if getattr(request, "htmx", False):
        return render(request, "components/progress.html", context["progress"])
    return render(request, "jobs/job.html", context)


def progress(job: Job) -> dict[str, Any]:
    """The parameters of the progress component for `job`."""
    kind = work.of(job)
    return {
        "id": f"job-{job.pk}",
        "url": reverse("job", args=[job.pk]),
        "label": kind.label,
        "value": job.done,
        "max": job.total,
        "done": job.state == Job.State.DONE,
        "failed": job.sentence if job.state == Job.State.FAILED else "",
        "result_url": kind.result_url(job) if job.state == Job.State.DONE else "",
    }
