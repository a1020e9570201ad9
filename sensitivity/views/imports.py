"""Files of lists: sent and looked at before they are taken over, and taken away as CSV and XLSX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotNow
from companies.models import Company
from interface.asking import asks
from interface.downloads import to_be_saved
from interface.tags import tag
from jobs.models import Job, in_reading
from jobs.views import progress
from sensitivity import diffing, files, importing, resources
from sensitivity.diffing import Change
from sensitivity.models import Import, ImportRow, ListKind, ListVersion
from sensitivity.views import wording
from sensitivity.views.reading import may_write, must_write, open_list, open_version, versions_for

PAGE = 50
Verdict = ImportRow.Verdict
# In the order in which somebody looks: what is wrong, then what would be different.
TABS = (Verdict.ERROR, Verdict.NEW, Verdict.CHANGED, Verdict.REMOVED, Verdict.SAME)
_LOOKS = {
    Verdict.ERROR: ("bad", "warning"),
    Verdict.NEW: ("good", "plus"),
    Verdict.CHANGED: ("info", "pencil"),
    Verdict.REMOVED: ("bad", "cross"),
    Verdict.SAME: ("neutral", "dot"),
}


@asks(file=gettext_lazy("Choose a file."), mode=gettext_lazy("Choose what to do with the file."))
class ImportForm(forms.Form):
    """A file, and what it is to the draft."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text=gettext_lazy(
            "CSV in UTF-8, UTF-16 or GB 18030, or Excel (.xlsx) with one sheet. The first row names the columns, in "
            "either language."
        ),
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("What to do with it"),
        choices=Import.Mode.choices,
        initial=Import.Mode.MERGE,
        widget=forms.RadioSelect,
    )


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of a file as the page shows it. `line`: empty for an entry that is not in the file."""

    line: str
    code: str
    label: str
    verdict: SafeString
    fields: list[wording.Field]
    said: list[wording.Said]
    errors: list[tuple[str, str]]


# ── bringing a file ─────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_http_methods(["GET", "POST"])
def import_new(http: ActorRequest, list_id: int, number: int) -> HttpResponse:
    """Send a file for a draft; the files that were sent for it before."""
    version = open_version(http, list_id, number)
    must_write(http)
    form = ImportForm(http.POST or None, http.FILES or None) if http.method == "POST" else ImportForm()
    if http.method == "POST" and form.is_valid():
        try:
            run = importing.receive(
                version.pk,
                actor=http.actor,
                at=timezone.now(),
                file=form.cleaned_data["file"],
                mode=form.cleaned_data["mode"],
            )
        except Invalid as refused:
            for problem in refused.problems:
                form.add_error(problem.field or None, str(problem.message))
        except NotNow as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("list_import", pk=run.pk)
    columns = [column for column in resources.columns_of(version.list.kind) if column.field not in ("former_codes",)]
    context = {
        "version": version,
        "form": form,
        "columns": [(column, _HINTS.get(column.field, "")) for column in columns],
        "required": resources.required_of(version.list.kind),
        "runs": version.imports.select_related("by")[:PAGE],
        "templates": [
            (name, reverse("list_template", args=[version.list_id, name])) for name in (files.CSV, files.XLSX)
        ],
    }
    return render(http, "sensitivity/import_new.html", context, status=422 if form.errors else 200)


_HINTS = {
    "code": gettext_lazy("By it an entry is known again. At most 80 characters, no spaces."),
    "previous_code": gettext_lazy("Only to rename an entry: the code that it has now. It keeps its history."),
    "parent": gettext_lazy("The code of the entry that it is below; empty at the top."),
    "aliases": gettext_lazy("Several names with a bar | between them."),
    "country": gettext_lazy("Two letters of ISO 3166-1, such as JP."),
    "company": gettext_lazy("Its unified social credit code."),
    "level": gettext_lazy("1, 2 or 3."),
    "reason_zh": gettext_lazy("The traveller reads it."),
    "reason_en": gettext_lazy("The traveller reads it."),
    "valid_from": gettext_lazy("Such as 2026-03-31; empty: from the beginning."),
    "valid_until": gettext_lazy("Its last day, such as 2026-12-31; empty: open."),
}


# ── looking at it ───────────────────────────────────────────────────────────────────────────────────────────────────


def _open(http: ActorRequest, pk: UUID) -> Import:
    run = (
        Import.objects.filter(version__in=versions_for(http.actor).values("pk"), pk=pk)
        .select_related("version__list", "by", "job")
        .first()
    )
    if run is None:
        raise Http404(_("There is no such file."))
    return run


@login_required
@require_http_methods(["GET", "POST"])
def import_page(http: ActorRequest, pk: UUID) -> HttpResponse:
    """What a file would do to the draft, row by row; a POST takes it over, reads it again or discards it."""
    run = _open(http, pk)
    if http.method == "POST":
        must_write(http)
        return _do(http, run)
    return _show(http, run)


def _do(http: ActorRequest, run: Import) -> HttpResponse:
    how: dict[str, Any] = {"actor": http.actor, "at": timezone.now()}
    try:
        match http.POST.get("do"):
            case "take_over":
                if importing.is_for_the_worker(run):
                    importing.take_over_in_worker(run.pk, **how)
                    return redirect("list_import", pk=run.pk)
                importing.take_over(run.pk, **how)
                messages.success(http, _("Taken over: the draft is what the file says."))
            case "read_again":
                importing.read_again(run.pk, **how)
            case "discard":
                importing.discard(run.pk, **how)
                messages.success(http, _("Discarded. Nothing of it was taken over."))
            case _:
                pass
    except NotNow as refused:
        return _show(http, _open(http, run.pk), refused=str(refused), status=409)
    return redirect("list_import", pk=run.pk)


def _show(http: ActorRequest, run: Import, *, refused: str = "", status: int = 200) -> HttpResponse:
    job = run.job
    is_working = job is not None and not job.is_over and run.is_open
    is_shown = run.state in (Import.State.READ, Import.State.APPLIED, Import.State.DISCARDED) and bool(run.counts)
    is_stale = run.state == Import.State.READ and run.content != run.version.content
    context: dict[str, Any] = {
        "run": run,
        "version": run.version,
        "refused": refused,
        "failed": job.sentence if job and job.state == Job.State.FAILED and run.is_open else "",
        "progress": progress(job) if is_working and job else None,
        "is_stale": is_stale,
        "is_draft": run.version.is_draft,
        "may_write": may_write(http),
        "error_count": run.counts.get(Verdict.ERROR, 0),
        "in_words": _in_words(run),
        "facts": _facts(run),
    }
    context["may_take_over"] = (
        run.state == Import.State.READ
        and run.version.is_draft
        and not (is_stale or context["error_count"] or is_working)
        and context["may_write"]
    )
    context["may_read_again"] = (
        run.is_open and run.version.is_draft and not is_working and bool(run.file) and context["may_write"]
    )
    if is_shown:
        context |= _rows_part(http, run)
    return render(http, "sensitivity/import.html", context, status=status)


def _in_words(run: Import) -> str:
    """What taking over would do, or did, in a sentence."""
    counts = [run.counts.get(verdict, 0) for verdict in (Verdict.NEW, Verdict.CHANGED, Verdict.REMOVED, Verdict.SAME)]
    new, changed, removed, same = counts
    parts = [
        ngettext("%(count)d new entry", "%(count)d new entries", new) % {"count": new} if new else "",
        ngettext("%(count)d changed", "%(count)d changed", changed) % {"count": changed} if changed else "",
        ngettext("%(count)d removed", "%(count)d removed", removed) % {"count": removed} if removed else "",
        ngettext("%(count)d stays the same", "%(count)d stay the same", same) % {"count": same} if same else "",
    ]
    return _(", ").join(filter(None, parts))


def _facts(run: Import) -> list[dict[str, Any]]:
    """What is known of the file."""
    found: list[dict[str, Any]] = [
        {"label": _("Sent by"), "value": run.by.name},
        {"label": _("Format"), "value": " · ".join(filter(None, [run.format.upper(), run.encoding]))},
        {"label": _("What to do with it"), "value": run.get_mode_display()},
        {"label": "SHA-256", "value": run.sha256, "is_code": True},
    ]
    return found


def _rows_part(http: ActorRequest, run: Import) -> dict[str, Any]:
    """A page of rows of one verdict, by line; `after` is the last line of the page before."""
    present = [verdict for verdict in TABS if run.counts.get(verdict)]
    asked = http.GET.get("verdict", "")
    chosen = next((verdict for verdict in present if verdict == asked), present[0] if present else Verdict.SAME)
    rows = run.rows.filter(verdict=chosen).order_by("line")
    after = http.GET.get("after", "")
    if after.isdecimal() and len(after) < 10:
        rows = rows.filter(line__gt=int(after))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    keys = {int(said["company_id"]) for row in shown for said in (row.values, row.before) if said.get("company_id")}
    companies = Company.objects.in_bulk(keys) if keys else {}
    return {
        "tabs": [
            {
                "label": verdict.label,
                "url": f"?verdict={verdict}",
                "count": run.counts.get(verdict, 0),
                "current": verdict == chosen,
            }
            for verdict in TABS
            if verdict in present
        ],
        "rows": [_shown(row, companies) for row in shown],
        "first_url": f"?verdict={chosen}" if after else "",
        "next_url": f"?verdict={chosen}&after={shown[-1].line}" if len(found) > PAGE else "",
        "chosen": chosen,
    }


_CHANGES: Mapping[str, diffing.Kind] = {Verdict.NEW: "new", Verdict.REMOVED: "removed", Verdict.CHANGED: "changed"}


def _shown(row: ImportRow, companies: Mapping[int, Company]) -> ShownRow:
    verdict = Verdict(row.verdict)
    kind = _CHANGES.get(verdict, "new")
    if kind == "changed" and row.before.get("code") != row.code:
        kind = "renamed"
    after = {} if verdict == Verdict.REMOVED else row.values
    before = row.before if verdict in (Verdict.CHANGED, Verdict.REMOVED) else {}
    entry = wording.changed_entry(Change(kind, row.lineage or UUID(int=0), row.code, before, after), companies)
    return ShownRow(
        line="" if verdict == Verdict.REMOVED else str(row.line),
        code=row.code,
        label=entry.label,
        verdict=entry.kind if verdict == Verdict.CHANGED else tag(str(verdict.label), *_LOOKS[verdict]),
        fields=entry.fields if verdict == Verdict.CHANGED else [],
        said=entry.said if verdict in (Verdict.NEW, Verdict.REMOVED) else [],
        errors=[(_label(error["field"]), in_reading(error["message"])) for error in row.errors],
    )


def _label(field: str) -> str:
    if not field:
        return _("Whole row")
    if field == "previous_code":
        return _("Previous code")
    return wording.field_label(field)


# ── files to take away ──────────────────────────────────────────────────────────────────────────────────────────────


def _file(
    format: str, rows: Iterable[Sequence[object]], *, name: str, title: str, size: tuple[int, int] | None = None
) -> StreamingHttpResponse:
    if format not in files.CONTENT_TYPES:
        raise Http404
    answer = StreamingHttpResponse(
        files.pieces(format, rows, title=title, size=size), content_type=files.CONTENT_TYPES[format]
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return answer


def _named(version: ListVersion) -> str:
    return f"{slugify(version.list.name_en) or version.list.kind}-v{version.number}"


@require_GET
@login_required
def export(http: ActorRequest, list_id: int, number: int, format: str) -> HttpResponseBase:
    """All entries of a version by code, to be opened in a spreadsheet or taken over again."""
    version = open_version(http, list_id, number)
    columns = resources.columns_of(version.list.kind)
    codes = {pk: code for code, pk in resources.companies().items()} if version.list.kind == ListKind.PROJECT else {}
    entries = version.entries.order_by("code", "pk")
    rows = resources.written(entries.iterator(chunk_size=2000), columns, codes=codes)
    size = (entries.count() + 1, len(columns))
    return _file(format, rows, name=_named(version), title=version.list.name, size=size)


@require_GET
@login_required
def template_file(http: ActorRequest, list_id: int, format: str) -> HttpResponseBase:
    """A file to begin with: the columns of a list of this kind, and one example."""
    row = open_list(http, list_id)
    rows = list(resources.template(row.kind))
    size = (len(rows), len(rows[0]))
    return _file(format, rows, name=f"{row.kind}-template", title=row.name, size=size)


@require_GET
@login_required
def diff_file(http: ActorRequest, list_id: int, old: int, new: int, format: str) -> HttpResponseBase:
    """What is different between two versions, a row for each field; `old` 0 means nothing."""
    later = open_version(http, list_id, new)
    earlier = open_version(http, list_id, old) if old else None
    rows = _difference(diffing.changes(earlier.pk if earlier else None, later.pk))
    name = f"{_named(later)}-since-v{old}"
    return _file(format, rows, name=name, title=later.list.name)


def _difference(changes: Iterator[Change]) -> Iterator[list[str]]:
    words = {kind: str(word) for kind, word in wording.kind_words().items()}
    companies = Company.objects.in_bulk()
    yield [_("Entry"), _("Change"), _("Field"), _("Before"), _("After")]
    for change in changes:
        for name in change.fields or ["code"]:
            yield [
                change.code,
                words[change.kind],
                wording.field_label(name),
                wording.value_words(name, change.before, companies),
                wording.value_words(name, change.after, companies),
            ]


@require_GET
@login_required
def import_errors(http: ActorRequest, pk: UUID) -> HttpResponseBase:
    """Every error of a file with its line, to be worked off beside the file."""
    run = _open(http, pk)

    def rows() -> Iterator[list[object]]:
        yield [_("Line"), _("Code"), _("Field"), _("What is wrong")]
        for row in run.rows.filter(verdict=Verdict.ERROR).order_by("line").iterator(chunk_size=2000):
            for error in row.errors:
                yield [row.line, row.code, _label(error["field"]), in_reading(error["message"])]

    return _file(files.CSV, rows(), name="errors", title=run.name)


@require_GET
@login_required
def import_file(http: ActorRequest, pk: UUID) -> HttpResponseBase:
    """The file as it was sent."""
    run = _open(http, pk)
    if not run.file:
        raise Http404(_("This file was not kept."))
    content_type = files.CONTENT_TYPES[run.format] if run.format == files.XLSX else "text/csv"
    return to_be_saved(run.file.storage.open(str(run.file.name)), name=run.name, content_type=content_type)
