"""How far a job has come: a page, and the part of it that asks for itself. And what went wrong, for administrators."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Refused
from accounts.roles import Role
from jobs import work
from jobs.models import OPEN, Job

SHOWN = 100


@require_GET
@login_required
def job_page(request: ActorRequest, pk: UUID) -> HttpResponse:
    """How far it has come; asked by htmx, the bar alone. 404 for a job that is not yours to see."""
    job = get_object_or_404(Job, pk=pk)
    kind = work.of(job)
    if not kind.may_see(job, request.actor):
        raise Http404
    context: dict[str, Any] = {"job": job, "work": kind, "progress": progress(job)}
    htmx: Any = getattr(request, "htmx", None)
    if htmx:
        part = render(request, "components/progress.html", context["progress"])
        # The page of the result shows how far its own work has come: when that is over, it is another page.
        if job.is_over and htmx.current_url_abs_path == kind.result_url(job):
            part["HX-Refresh"] = "true"
        return part
    return render(request, "jobs/job.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def jobs_page(request: ActorRequest) -> HttpResponse:
    """What went wrong on our side, with the error. For administrators, who can have it tried again, and auditors."""
    if not {Role.ADMINISTRATOR, Role.AUDITOR} & request.actor.roles:
        raise PermissionDenied
    may_try_again = request.actor.holds(Role.ADMINISTRATOR)
    if request.method == "POST":
        if not may_try_again:
            raise PermissionDenied
        try:
            work.try_again(UUID(request.POST.get("id", "")), at=timezone.now())
        except ValueError:
            pass
        except Refused as refused:
            messages.info(request, str(refused))
        else:
            messages.success(request, _("It is being tried again."))
        return redirect("jobs")
    failing = Job.objects.exclude(last_error="").filter(state__in=[Job.State.FAILED, *OPEN]).select_related("by")
    rows = [
        {"job": job, "label": work.label_of(job), "may_try_again": may_try_again and job.state == Job.State.FAILED}
        for job in failing.order_by("-at")[:SHOWN]
    ]
    return render(request, "jobs/jobs.html", {"rows": rows, "shown": SHOWN, "may_try_again": may_try_again})


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
        "result_label": _("See the result"),
    }
