"""The back office for offices, their people, the law, calendars and clock policies.

What is in force is shown and not changed: an action makes the next version from it, another brings a draft into force.
"""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Field, QuerySet, URLField
from django.forms import BaseInlineFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from accounts.admin import KeptAdmin, TenureFilter
from accounts.refusals import Invalid, NotAllowed
from authorities import calendar_files, calendars, policies
from authorities.models import (
    Absence,
    CalendarDay,
    CalendarYear,
    ClockPolicy,
    ClockPolicyLine,
    InForce,
    LegalInstrument,
    Office,
    Posting,
    ReasonCode,
)
from authorities.terms import TIERS, Terms
from authorities.working_days import SpecialDay


class PostingInline(TabularInline):
    model = Posting
    fields = ["user", "role", "number", "starts_at", "ends_at"]
    autocomplete_fields = ["user"]
    extra = 0
    can_delete = False
    tab = True


@admin.register(Office)
class OfficeAdmin(ModelAdmin):
    list_display = ["code", "name", "city", "time_zone", "people", "is_active"]
    list_filter = ["is_active", "city"]
    search_fields = ["code", "name_zh", "name_en", "city"]
    fieldsets = [
        (None, {"fields": ["code", ("name_zh", "name_en"), "city", "time_zone", "is_active", "return_after_days"]}),
        (
            _("Remedies"),
            {
                "fields": ["address", ("phone", "email")],
                "description": _("Every denial says where to appeal. These are printed on it."),
            },
        ),
    ]
    inlines = [PostingInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Office]:
        offices: QuerySet[Office] = super().get_queryset(request)
        return offices.annotate(posted=Count("postings__user", distinct=True))

    @admin.display(description=_("people"), ordering="posted")
    def people(self, office: Any) -> int:
        return int(office.posted)

    def get_readonly_fields(self, request: HttpRequest, obj: Office | None = None) -> list[str]:
        # Clocks run in this zone; the code is on documents.
        return ["code", "time_zone"] if obj else []


@admin.register(Posting)
class PostingAdmin(KeptAdmin):
    list_display = ["number", "user", "role", "office", "starts_at", "ends_at"]
    list_filter = [TenureFilter, "role", "office"]
    search_fields = ["number", "user__name", "user__email"]
    autocomplete_fields = ["user", "office"]
    list_select_related = ["user", "office"]
    date_hierarchy = "starts_at"


@admin.register(Absence)
class AbsenceAdmin(ModelAdmin):
    list_display = ["user", "office", "role", "starts_at", "ends_at", "deputy"]
    list_filter = [TenureFilter, "role", "office"]
    search_fields = ["user__name", "user__email", "deputy__name"]
    autocomplete_fields = ["user", "office", "deputy"]
    list_select_related = ["user", "office", "deputy"]
    date_hierarchy = "starts_at"

    def save_model(self, request: HttpRequest, obj: Absence, form: ModelForm[Any], change: bool) -> None:
        if not change:
            obj.entered_by_id = request.user.pk
        super().save_model(request, obj, form, change)


@admin.register(LegalInstrument)
class LegalInstrumentAdmin(ModelAdmin):
    list_display = ["title", "article", "office", "published_on", "effective_from", "effective_until", "state"]
    list_filter = ["office", "published_on"]
    search_fields = ["title_zh", "title_en", "article"]
    autocomplete_fields = ["office"]
    list_select_related = ["office"]

    @display(description=_("state"), label={_("in force"): "success", _("not in force"): "warning"})  # type: ignore[untyped-decorator]
    def state(self, instrument: LegalInstrument) -> Any:
        return _("in force") if instrument.is_in_force(timezone.localdate()) else _("not in force")

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: LegalInstrument | None = None) -> list[str]:
        # Decisions rest on its words as soon as it is in force. What changes later is another instrument.
        if obj and obj.is_in_force(timezone.localdate()):
            return ["title_zh", "title_en", "article", "published_on", "effective_from", "office"]
        return []


@admin.register(ReasonCode)
class ReasonCodeAdmin(ModelAdmin):
    list_display = ["code", "label", "points_at", "instrument", "office", "active_from", "active_until", "state"]
    list_filter = ["points_at", "office", "instrument"]
    search_fields = ["code", "label_zh", "label_en"]
    autocomplete_fields = ["instrument", "office"]
    list_select_related = ["instrument", "office"]

    @display(description=_("state"), label={_("in use"): "success", _("not in use"): "warning"})  # type: ignore[untyped-decorator]
    def state(self, reason: ReasonCode) -> Any:
        today = timezone.localdate()
        in_use = reason.active_from <= today and (reason.active_until is None or today <= reason.active_until)
        return _("in use") if in_use and reason.instrument.is_in_force(today) else _("not in use")

    def get_readonly_fields(self, request: HttpRequest, obj: ReasonCode | None = None) -> list[str]:
        # Decisions quote its words from its first day on. A new wording is a new code.
        if obj and obj.active_from <= timezone.localdate():
            return ["code", "label_zh", "label_en", "points_at", "instrument", "office", "active_from"]
        return []


class DraftOnlyInline(TabularInline):
    """Rows that can be changed while what they belong to is a draft."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_delete_permission(request, obj))


class VersionAdmin(ModelAdmin):
    """Drafts can be changed and thrown away, versions in force only be looked at. Rows come after the first save."""

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return list(self.inlines) if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.is_draft and bool(super().has_delete_permission(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["office"] if obj else []

    def bring_into_force(self, request: HttpRequest, rows: QuerySet[Any], publish: Any) -> None:
        """Call `publish` with the id of each row; say how many came into force and why the others did not."""
        done = 0
        for row in rows:
            try:
                publish(row.pk)
                done += 1
            except InForce:
                self.message_user(request, _("%(name)s is in force already.") % {"name": row}, messages.WARNING)
            except NotAllowed as refusal:
                self.message_user(request, f"{row}: {refusal.sentence}", messages.ERROR)
            except ValidationError as error:
                self.message_user(request, f"{row}: {' '.join(error.messages)}", messages.ERROR)
        if done:
            text = ngettext("%(n)d came into force.", "%(n)d came into force.", done) % {"n": done}
            self.message_user(request, text, messages.SUCCESS)


class CalendarDayInline(DraftOnlyInline):
    model = CalendarDay
    fields = ["day", "is_working", "name_zh", "name_en"]


class NoticeForm(forms.Form):
    """The notice of a year as a file."""

    file = forms.FileField(
        label=_("file"),
        help_text=_("CSV with the columns day, kind (off or worked), name_zh, name_en; or iCalendar (.ics)."),
        widget=UnfoldAdminFileFieldWidget,
    )
    source = forms.CharField(
        label=_("source"),
        max_length=300,
        help_text=_("The notice that announces the days off, or where they were taken from."),
        widget=UnfoldAdminTextInputWidget,
    )


@admin.register(CalendarYear)
class CalendarYearAdmin(VersionAdmin):
    list_display = ["year", "scope", "version", "standing", "special_days", "source", "published_at"]
    list_filter = ["status", "year", "office"]
    search_fields = ["=year", "source"]
    list_select_related = ["office"]
    fields = ["office", "year", "source", "drafted_by", "published_by"]
    inlines = [CalendarDayInline]
    actions = ["publish", "publish_provisional", "correct"]
    actions_detail = ["import_notice", "export_notice"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CalendarYear]:
        years: QuerySet[CalendarYear] = super().get_queryset(request)
        return years.annotate(special=Count("days"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.fields if obj else ["office", "year", "source"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["office", "year", "drafted_by", "published_by"] if obj else []

    def save_model(self, request: HttpRequest, obj: CalendarYear, form: ModelForm[Any], change: bool) -> None:
        """A new draft is the next version of its year and begins with what the library knows of it.

        Whoever saves becomes one of its authors: another person brings it into force.
        """
        if change:
            super().save_model(request, obj, form, change)
            obj.authors.add(request.user)  # type: ignore[arg-type]  # nobody comes here who is not signed in
            return
        days = calendars.from_library(obj.year)
        row = calendars.draft(obj.office_id, obj.year, days=days, source=obj.source, by=request.user.pk)
        obj.pk, obj.version = row.pk, row.version
        self.message_user(request, _("The days known today are filled in. Compare them with the notice."))

    @admin.display(description=_("office"), ordering="office")
    def scope(self, row: CalendarYear) -> Any:
        return row.office or _("National")

    @admin.display(description=_("drafted by"))
    def drafted_by(self, row: CalendarYear) -> str:
        return ", ".join(str(author) for author in row.authors.all()) or "–"

    @display(  # type: ignore[untyped-decorator]
        description=_("status"),
        ordering="status",
        label={
            CalendarYear.Status.PUBLISHED.label: "success",
            CalendarYear.Status.PROVISIONAL.label: "warning",
            CalendarYear.Status.DRAFT.label: "info",
        },
    )
    def standing(self, row: CalendarYear) -> Any:
        return CalendarYear.Status(row.status).label

    @admin.display(description=_("special days"), ordering="special")
    def special_days(self, row: Any) -> int:
        return int(row.special)

    def _publish(self, request: HttpRequest, rows: QuerySet[CalendarYear], status: CalendarYear.Status) -> None:
        self.bring_into_force(
            request, rows, lambda pk: calendars.publish(pk, at=timezone.now(), status=status, by=request.user.pk)
        )

    @admin.action(description=_("Bring into force as published"), permissions=["change"])
    def publish(self, request: HttpRequest, rows: QuerySet[CalendarYear]) -> None:
        self._publish(request, rows, CalendarYear.Status.PUBLISHED)

    @admin.action(description=_("Bring into force as provisional"), permissions=["change"])
    def publish_provisional(self, request: HttpRequest, rows: QuerySet[CalendarYear]) -> None:
        self._publish(request, rows, CalendarYear.Status.PROVISIONAL)

    @admin.action(description=_("Draft a new version"), permissions=["add"])
    def correct(self, request: HttpRequest, rows: QuerySet[CalendarYear]) -> None:
        for row in rows:
            made = calendars.correction(row, by=request.user.pk)
            self.message_user(request, _draft_made(made, "calendaryear"), messages.SUCCESS)

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def has_import_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        return row is not None and self.has_change_permission(request, row)

    def has_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self.has_view_permission(request))

    @action(description=_("Import a notice"), url_path="import", permissions=["import"])  # type: ignore[untyped-decorator]
    def import_notice(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A notice in a file: first what each line would do, then, confirmed, in the place of the days of the draft."""
        row: CalendarYear | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        page = reverse("admin:authorities_calendaryear_change", args=[row.pk])
        if "confirmed" in request.POST:
            self._take_over(request, row)
            return redirect(page)
        form = NoticeForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"form": form, "row": row, "back": page, "title": _("Import a notice")}
        if request.method == "POST" and form.is_valid():
            try:
                lines = calendar_files.read(form.cleaned_data["file"].read(), year=row.year)
            except Invalid as refusal:
                form.add_error("file", [str(problem.message) for problem in refusal.problems])
            else:
                context |= self._preview(row, lines, source=form.cleaned_data["source"])
        return render(
            request,
            "authorities/import_notice.html",
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )

    def _preview(self, row: CalendarYear, lines: list[calendar_files.Line], *, source: str) -> dict[str, Any]:
        in_force = calendars.load(row.office_id)
        known = [*calendars.from_library(row.year), *calendars.days_of(row)]
        days = calendar_files.with_names([line.day for line in lines if line.day], known=known)
        effects = calendar_files.effects(lines, in_force=in_force)
        faulty = sum(bool(line.error) for line in lines)
        return {
            "effects": effects,
            "changes": sum(effect.changes for effect in effects),
            "faulty": faulty,
            "forgotten": calendar_files.forgotten(lines, year=row.year, in_force=in_force),
            # What was looked at is what is taken over, whatever happens to the file meanwhile.
            "confirmed": ""
            if faulty
            else signing.dumps(
                {
                    "draft": row.pk,
                    "source": source,
                    "days": [[f"{day.day}", day.is_working, day.name_zh, day.name_en] for day in days],
                },
                salt=_SALT,
                compress=True,
            ),
        }

    def _take_over(self, request: HttpRequest, row: CalendarYear) -> None:
        try:
            looked_at = signing.loads(request.POST["confirmed"], salt=_SALT, max_age=_HOUR)
        except signing.BadSignature:
            looked_at = {}
        if looked_at.get("draft") != row.pk:
            self.message_user(
                request, _("That was looked at too long ago. Please send the file again."), messages.ERROR
            )
            return
        days = [SpecialDay(date.fromisoformat(day), *rest) for day, *rest in looked_at["days"]]
        try:
            calendars.replace_days(row.pk, days=days, source=looked_at["source"], by=int(request.user.pk or 0))
        except InForce:
            raise PermissionDenied from None
        text = ngettext("%(n)d day was taken over.", "%(n)d days were taken over.", len(days)) % {"n": len(days)}
        self.message_user(request, text, messages.SUCCESS)

    @action(description=_("Export as iCalendar"), url_path="export", permissions=["export"])  # type: ignore[untyped-decorator]
    def export_notice(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This version of the year as iCalendar, in the language of the page."""
        row: CalendarYear | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        days = calendars.days_of(row)
        text = calendar_files.as_icalendar(row, days, language=get_language() or "zh-hans", at=timezone.now())
        name = f"working-days-{row.office.code if row.office else 'national'}-{row.year}-v{row.version}.ics"
        return HttpResponse(
            text,
            content_type="text/calendar; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


_SALT = "authorities.admin.notice"
_HOUR = 60 * 60


class LineFormSet(BaseInlineFormSet[ClockPolicyLine, ClockPolicy, Any]):
    """The terms of the clocks, in the order of the rule book."""

    def get_queryset(self) -> QuerySet[ClockPolicyLine]:
        return super().get_queryset().order_by("id")


class ClockPolicyLineInline(DraftOnlyInline):
    model = ClockPolicyLine
    formset = LineFormSet
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    fields = [
        "kind",
        "tier",
        "days",
        "remind_at_percent",
        "remind_before",
        "head_after",
        "last_after",
        "extension",
        "deem_approved",
    ]


@admin.register(ClockPolicy)
class ClockPolicyAdmin(VersionAdmin):
    list_display = ["scope", "version", "standing", "effective_from", "published_at", "note"]
    list_filter = ["office"]
    search_fields = ["note"]
    list_select_related = ["office"]
    fields = ["office", "effective_from", "note"]
    inlines = [ClockPolicyLineInline]
    actions = ["publish", "revise"]
    actions_detail = ["preview"]

    def save_model(self, request: HttpRequest, obj: ClockPolicy, form: ModelForm[Any], change: bool) -> None:
        """A new draft is the next version of its office and begins with what is in force there now."""
        if change:
            super().save_model(request, obj, form, change)
            return
        in_force = policies.current(obj.office_id, timezone.now())
        row = policies.draft(obj.office_id, effective_from=obj.effective_from, lines=in_force.lines, note=obj.note)
        obj.pk, obj.version = row.pk, row.version
        self.message_user(request, _("The terms in force now are filled in. Change what is to change."))

    @admin.display(description=_("office"), ordering="office")
    def scope(self, row: ClockPolicy) -> Any:
        return row.office or _("All offices")

    @display(description=_("status"), label={_("published"): "success", _("being prepared"): "info"})  # type: ignore[untyped-decorator]
    def standing(self, row: ClockPolicy) -> Any:
        return _("being prepared") if row.is_draft else _("published")

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish(self, request: HttpRequest, rows: QuerySet[ClockPolicy]) -> None:
        self.bring_into_force(request, rows, lambda pk: policies.publish(pk, at=timezone.now()))

    @admin.action(description=_("Draft a new version"), permissions=["add"])
    def revise(self, request: HttpRequest, rows: QuerySet[ClockPolicy]) -> None:
        for row in rows:
            made = policies.draft(row.office_id, effective_from=timezone.now(), lines=_terms_of(row), note=row.note)
            self.message_user(request, _draft_made(made, "clockpolicy"), messages.SUCCESS)

    def has_preview_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self.has_view_permission(request))

    @action(description=_("Preview"), url_path="preview", permissions=["preview"])  # type: ignore[untyped-decorator]
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """When a request that is submitted now would be due under this version, beside what is in force now."""
        row: ClockPolicy | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        at, calendar = timezone.now(), calendars.load(row.office_id)
        now = {
            (one.kind, one.tier): one
            for one in policies.outlook(policies.current(row.office_id, at).lines, calendar=calendar, at=at)
        }
        tiers = dict(TIERS)
        compared = [
            {"then": one, "now": now.get((one.kind, one.tier)), "tier": tiers.get(one.tier, "")}
            for one in policies.outlook(_terms_of(row), calendar=calendar, at=at)
        ]
        context = {
            "row": row,
            "compared": compared,
            "missing": row.missing(),
            "at": timezone.localtime(at, calendar.zone),
            "back": reverse("admin:authorities_clockpolicy_change", args=[row.pk]),
            "title": _("A request submitted now would be due …"),
        }
        return render(
            request,
            "authorities/preview_policy.html",
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )


def _terms_of(policy: ClockPolicy) -> dict[tuple[str, str], Terms]:
    return {(line.kind, line.tier): line.terms for line in policy.lines.all()}


def _draft_made(row: CalendarYear | ClockPolicy, name: str) -> str:
    return format_html(
        '{} <a href="{}">{}</a>',
        _("A draft was made:"),
        reverse(f"admin:authorities_{name}_change", args=[row.pk]),
        row,
    )
