"""What is held about oneself: the archive, corrections; and for administrators and auditors how long data is kept."""

from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from interface.downloads import to_be_saved
from jobs.models import Job
from jobs.views import progress
from openness import corrections, download, retention
from openness.forms import AnswerForm, CorrectionForm, PolicyForm
from openness.models import Correction, DataDownload, Held, RetentionPolicy, RetentionRun

RUNS_SHOWN = 60
READERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Who reads how long data is kept, and what was deleted."""


def _put(problems: Invalid, form: Form) -> None:
    for problem in problems.problems:
        form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))


# ── everything held about me ────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET", "POST"])
def my_data(http: ActorRequest) -> HttpResponse:
    """What there is, and the archives that were asked for. POST: have a new one prepared."""
    at = timezone.now()
    if http.method == "POST":
        asked = download.ask(actor=http.actor, at=at)
        return redirect("job", asked.job_id) if asked.job_id else redirect("my_data")
    shown = download.of(http.actor)
    policy = retention.in_force(at)
    context = {
        "downloads": [_download(row) for row in shown],
        "corrections": corrections.asked_by(http.actor)[:5],
        "days": [(kind.label, days) for kind, days in retention.days_of(policy).items()],
        "kept_for": DataDownload.KEPT_FOR.days,
        "reads_reports": bool(http.actor.roles & READERS),
    }
    return render(http, "openness/my_data.html", context)


def _download(row: DataDownload) -> dict[str, Any]:
    job = row.job
    is_going = row.ready_at is None and job is not None and not job.is_over
    return {
        "row": row,
        "progress": progress(job) if job is not None and is_going else None,
        "failed": job.sentence if job is not None and job.state == Job.State.FAILED else "",
        "can_be_fetched": row.ready_at is not None and row.deleted_at is None,
    }


@login_required
@require_GET
@reauthentication_required  # type: ignore[untyped-decorator]
def my_data_file(http: ActorRequest, pk: UUID) -> HttpResponseBase:
    """The archive, for the person whose data it is, who has just signed in anew. Fetching it is in the access log."""
    try:
        found = download.fetch(pk, actor=http.actor, at=timezone.now())
    except NotFound as refusal:
        raise Http404(str(refusal)) from refusal
    except NotNow as refusal:
        messages.info(http, str(refusal))
        return redirect("my_data")
    name = f"exit-approvals-{timezone.localtime(found.at):%Y-%m-%d}.zip"
    return to_be_saved(found.file.open("rb"), name=name, content_type="application/zip")


# ── corrections ─────────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_GET
def correction_list(http: ActorRequest) -> HttpResponse:
    """Those that wait for this reader's answer, and those that the reader asked for."""
    context = {"waiting": corrections.waiting_for(http.actor), "asked": corrections.asked_by(http.actor)}
    return render(http, "openness/corrections.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def correction_new(http: ActorRequest) -> HttpResponse:
    """Ask for a correction; `?about=` names what it is about."""
    if http.method == "POST":
        form = CorrectionForm(http.POST, actor=http.actor)
        if form.is_valid():
            about, subject = form.subject()
            given = {name: form.cleaned_data[name] for name in ("what", "should_be", "why")}
            try:
                made = corrections.ask(actor=http.actor, at=timezone.now(), about=about, subject=subject, **given)
            except Invalid as refusal:
                _put(refusal, form)
            else:
                messages.success(http, _("Your request was sent to those who keep the record."))
                return redirect("correction", made.pk)
    else:
        form = CorrectionForm(initial={"about": http.GET.get("about", "")}, actor=http.actor)
    return render(http, "openness/correction_new.html", {"form": form})


@login_required
@require_http_methods(["GET", "POST"])
def correction_page(http: ActorRequest, pk: UUID) -> HttpResponse:
    """One correction for both sides. POST: the answer of who keeps the record."""
    try:
        row = corrections.get(pk, actor=http.actor)
    except NotFound as refusal:
        raise Http404(str(refusal)) from refusal
    may_answer = row.is_open and corrections.may_answer(row, http.actor)
    form = AnswerForm(http.POST or None) if may_answer else None
    if http.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.is_valid():
            try:
                corrections.answer(pk, actor=http.actor, at=timezone.now(), **form.cleaned_data)
            except Invalid as refusal:
                _put(refusal, form)
            except NotNow as refusal:
                messages.info(http, str(refusal))
                return redirect("correction", pk)
            else:
                messages.success(http, _("Your answer was sent."))
                return redirect("correction", pk)
    context = {"row": row, "form": form, "mine": row.user_id == http.actor.user_id, "rows": _correction_rows(row)}
    return render(http, "openness/correction.html", context)


def _correction_rows(row: Correction) -> list[dict[str, Any]]:
    about = str(Correction.About(row.about).label)
    if row.request is not None:
        about = f"{row.request.reference} {row.request.title}"
    elif row.employee is not None:
        about = f"{row.employee.name}, {row.employee.company.name}, {row.employee.number}"
    return [
        {"label": _("Asked by"), "value": row.user.name},
        {"label": _("About"), "value": about},
        {"label": _("What is wrong"), "value": row.what},
        {"label": _("What it should say"), "value": row.should_be},
        {"label": _("Why"), "value": row.why},
    ]


# ── how long data is kept ───────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET", "POST"])
def retention_page(http: ActorRequest) -> HttpResponse:
    """The policy in force, what a run would do today, the reports of those that were. POST: draft the next version."""
    if not http.actor.roles & READERS:
        raise PermissionDenied
    at = timezone.now()
    may_change = http.actor.holds(Role.ADMINISTRATOR)
    policy = retention.in_force(at)
    days = retention.days_of(policy)
    if http.method == "POST":
        if not may_change:
            raise PermissionDenied
        form = PolicyForm(http.POST)
        if form.is_valid():
            try:
                retention.draft(actor=http.actor, at=at, days=form.days(), note=form.cleaned_data["note"])
            except Invalid as refusal:
                _put(refusal, form)
            else:
                messages.success(http, _("The draft waits for another administrator, who publishes it."))
                return redirect("retention")
    else:
        form = PolicyForm(initial={kind.value: number for kind, number in days.items()})
    drafted = retention.being_drafted()
    coming = RetentionPolicy.objects.filter(published_at__isnull=False, effective_from__gt=at).first()
    context = {
        "policy": policy,
        "outlook": [_line(line) for line in retention.outlook(at)],
        "drafted": drafted,
        "drafted_days": _beside(days, drafted),
        "coming": coming,
        "coming_days": _beside(days, coming),
        "may_publish": may_change and drafted is not None and drafted.drafted_by_id != http.actor.user_id,
        "form": form if may_change else None,
        "runs": [_run(row) for row in RetentionRun.objects.all()[:RUNS_SHOWN]],
    }
    return render(http, "openness/retention.html", context)


@login_required
@require_POST
def retention_publish(http: ActorRequest, version: int) -> HttpResponse:
    """Bring a draft into force, by another administrator than its author."""
    try:
        retention.publish(version, actor=http.actor, at=timezone.now())
    except NotFound as refusal:
        raise Http404(str(refusal)) from refusal
    except NotAllowed as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except NotNow as refusal:
        messages.info(http, str(refusal))
    else:
        messages.success(http, _("The version is published. It is in force in 14 days."))
    return redirect("retention")


def _line(line: retention.Outlook) -> dict[str, Any]:
    return {"line": line, "held": [(held_in_words(why), number) for why, number in sorted(line.held.items())]}


def held_in_words(why: str) -> str:
    """What holds a file back, in words."""
    return {
        "appeal": _("an open appeal"),
        "correction": _("an open correction request"),
        "window": _("a time limit still runs"),
    }.get(why, why)


def _beside(days: dict[Held, int], policy: RetentionPolicy | None) -> list[tuple[str, int, int]]:
    """(kind, days now, days then) for what a version changes."""
    if policy is None:
        return []
    then = retention.days_of(policy)
    return [(str(kind.label), days[kind], then[kind]) for kind in Held if then[kind] != days[kind]]


def _run(row: RetentionRun) -> dict[str, Any]:
    other = {
        "files": _("Applicants told before"),
        "archives": _("Downloads of people's data"),
        "stored_files": _("Stored files"),
    }
    lines = []
    for kind, numbers in row.counts.items():
        label = other.get(kind) or str(Held(kind).label)
        number = numbers.get("deleted", numbers.get("told", 0))
        held = sum(count for what, count in numbers.items() if what.startswith("held_"))
        lines.append({"label": label, "number": number, "held": held, "failed": numbers.get("failed", 0)})
    return {"row": row, "lines": lines}
