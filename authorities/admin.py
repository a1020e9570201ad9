"""The back office for offices, their people, the law, calendars and clock policies.

What is in force is shown and not changed: an action makes the next version from it, another brings a draft into force.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, F, Field, Q, QuerySet, URLField
from django.forms import BaseInlineFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from accounts.admin import KeptAdmin, RecordedAdmin, TenureFilter
from accounts.http import actor_of
from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, Refused
from accounts.roles import Actor, Role
from audit import setup
from audit.models import Entry
from authorities import calendar_files, calendars, grounds, policies
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
from interface.asking import asks


class PostingInline(TabularInline):
    model = Posting
    fields = ["user", "role", "number", "starts_at", "ends_at"]
    autocomplete_fields = ["user"]
    extra = 0
    can_delete = False
    tab = True


@admin.register(Office)
class OfficeAdmin(RecordedAdmin):
    list_display = ["code", "named", "city", "time_zone", "people", "is_active"]
    list_filter = ["is_active", "city"]
    search_fields = ["code", "name_zh", "name_en", "city"]
    fieldsets = [
        (None, {"fields": ["code", ("name_zh", "name_en"), "city", "time_zone", "is_active", "return_after_days"]}),
        (
            _("Specialist office"),
            {
                "fields": ["is_specialist", ("expertise_zh", "expertise_en")],
                "description": _("A restricted case is put before a specialist office before a decision is proposed."),
            },
        ),
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

    # A property of a model has no name that could be translated: it is shown through these.
    @admin.display(description=pgettext_lazy("an office", "name"))
    def named(self, office: Office) -> str:
        return office.name

    @admin.display(description=_("people"), ordering="posted")
    def people(self, office: Any) -> int:
        return int(office.posted)

    def get_readonly_fields(self, request: HttpRequest, obj: Office | None = None) -> list[str]:
        # Clocks run in this zone; the code is on documents.
        return [*(["code", "time_zone"] if obj else []), *super().get_readonly_fields(request, obj)]


@admin.register(Posting)
class PostingAdmin(KeptAdmin, RecordedAdmin):
    about = "office"
    list_display = ["number", "user", "role", "office", "starts_at", "ends_at"]
    list_filter = [TenureFilter, "role", "office"]
    search_fields = ["number", "user__name", "user__email"]
    autocomplete_fields = ["user", "office"]
    list_select_related = ["user", "office"]
    date_hierarchy = "starts_at"


@admin.register(Absence)
class AbsenceAdmin(RecordedAdmin):
    about = "office"
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


@asks(last_day=_("Enter the last day."))
class EndForm(forms.Form):
    """The last day of something that is in force."""

    last_day = forms.DateField(label=_("last day"), widget=UnfoldAdminSingleDateWidget)


class _Standing(admin.SimpleListFilter):
    """What waits for a second person is found at once."""

    title = _("status")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waits", _("waits for a second person")), ("in_force", _("in force today")), ("past", _("past"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last, today = queryset.model.FIRST, queryset.model.LAST, timezone.localdate()
        open_end = Q(**{last: None})
        match self.value():
            case "waits":
                return queryset.filter(
                    Q(activated_at=None) | (Q(end_on__isnull=False) & (open_end | Q(end_on__lt=F(last))))
                )
            case "in_force":
                begun = queryset.filter(activated_at__isnull=False, **{f"{first}__lte": today})
                return begun.filter(open_end | Q(**{f"{last}__gte": today}))
            case "past":
                return queryset.filter(activated_at__isnull=False, **{f"{last}__lt": today})
        return queryset


class EnactedAdmin(ModelAdmin):
    """Versions: a draft is changed by who drafted it, what is in force ends. Every step is a verb of `grounds`.

    The library's own log says who saved which form; the chain of the ground says what happened to it.
    """

    autocomplete_fields = ["office"]
    actions = ["bring_into_force", "draft_next_version", "confirm_end"]
    actions_detail = ["activate_this", "next_of_this", "end_this", "confirm_end_of_this", "withdraw_end_of_this"]
    readonly_fields = ["standing_in_words", "steps"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = [field.name for field in _fields(self.model)]
        if obj is None:
            return [(None, {"fields": fields})]
        return [(None, {"fields": ["standing_in_words", *fields]}), (_("What happened to it"), {"fields": ["steps"]})]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        mine = obj is None or (obj.is_draft and obj.drafted_by_id in (None, request.user.pk))
        return mine and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.is_draft and bool(super().has_delete_permission(request, obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("office", "drafted_by", "activated_by", "end_drafted_by", "ended_by")

    def get_actions(self, request: HttpRequest) -> Any:
        # Drafts are thrown away one by one, each with its entry in the log.
        return {name: found for name, found in super().get_actions(request).items() if name != "delete_selected"}

    # ── what is written ─────────────────────────────────────────────────────────────────────────────────────────────

    def _draft(self, obj: Any, values: dict[str, Any], *, actor: Actor, at: datetime) -> Any:
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        actor, at = actor_of(request), timezone.now()
        if change:
            grounds.change(obj, actor=actor, at=at, values=form.cleaned_data)
            return
        row = self._draft(obj, form.cleaned_data, actor=actor, at=at)
        obj.pk, obj.version, obj.history = row.pk, row.version, row.history
        self.message_user(request, _("Drafted. Another administrator compares it and brings it into force."))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        grounds.discard(obj, actor=actor_of(request), at=timezone.now())

    def _try(self, request: HttpRequest, rows: Iterable[Any], verb: Callable[..., Any], said: Any) -> None:
        """Do `verb` to each row, say what was done, and why not where it was refused."""
        for row in rows:
            try:
                verb(row, actor=actor_of(request), at=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{self._name(row)}: {refusal}", messages.ERROR)
            else:
                self.message_user(request, f"{self._name(row)}: {said}", messages.SUCCESS)

    def _name(self, row: Any) -> str:
        return f"{row} v{row.version}"

    def _drafted_next(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        for row in rows:
            try:
                made = grounds.next_version(row, actor=actor_of(request), at=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{self._name(row)}: {refusal}", messages.ERROR)
            else:
                self.message_user(request, _draft_made(made, self.opts.model_name), messages.SUCCESS)

    @admin.action(description=_("Bring into force"), permissions=["view"])
    def bring_into_force(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._activate(request, rows)

    def _activate(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        self._try(request, rows, grounds.activate, _("It is brought into force from its first day on."))

    @admin.action(description=_("Draft the next version"), permissions=["add"])
    def draft_next_version(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._drafted_next(request, rows)

    @admin.action(description=_("Confirm the proposed last day"), permissions=["view"])
    def confirm_end(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._try(request, rows, grounds.end, _("The last day is confirmed."))

    # ── the same, on the page of one version ────────────────────────────────────────────────────────────────────────

    def _one(self, request: HttpRequest, object_id: Any) -> Any:
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        return row

    def _page(self, row: Any) -> str:
        return reverse(f"admin:authorities_{self.opts.model_name}_change", args=[row.pk])

    def _keeps(self, request: HttpRequest) -> bool:
        return actor_of(request).holds(Role.ADMINISTRATOR)

    def has_activate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        return row is not None and row.is_draft and row.drafted_by_id != request.user.pk and self._keeps(request)

    def has_next_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        return row is not None and not row.is_draft and self._keeps(request)

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        over = row is not None and row.last_day is not None and row.last_day <= timezone.localdate()
        return row is not None and not row.is_draft and not over and self._keeps(request)

    def has_confirm_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        waits = row is not None and row.end_is_proposed
        return waits and row.end_drafted_by_id != request.user.pk and self._keeps(request)

    def has_withdraw_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        return row is not None and row.end_is_proposed and self._keeps(request)

    # Each shows first what it is about to do; a link alone changes nothing.
    def _confirmed(self, request: HttpRequest, row: Any, title: Any, said: Any) -> HttpResponse | None:
        if request.method == "POST":
            return None
        return self._asked(request, row, title=title, said=said)

    def _asked(self, request: HttpRequest, row: Any, *, title: Any, said: Any, form: Any = None) -> HttpResponse:
        context = {"row": row, "title": title, "said": said, "form": form, "back": self._page(row)}
        context["words"] = [(field.verbose_name, _in_words(row, field)) for field in _fields(row)]
        context["orphaned"] = _left_without(row)
        return render(
            request, "authorities/enact.html", {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )

    @action(description=_("Bring into force …"), url_path="activate", permissions=["activate"])  # type: ignore[untyped-decorator]
    def activate_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What would be in force, word for word; confirmed, it is."""
        row = self._one(request, object_id)
        said = _("Compare every word. From its first day on nobody can change it, and refusals rest on it.")
        if asked := self._confirmed(request, row, _("Bring into force"), said):
            return asked
        self._activate(request, [row])
        return redirect(self._page(row))

    @action(description=_("Draft the next version …"), url_path="next", permissions=["next"])  # type: ignore[untyped-decorator]
    def next_of_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A copy to be changed, as a draft of the reader's."""
        row = self._one(request, object_id)
        said = _("A draft is made that begins as a copy of this. This version stays as it is.")
        if asked := self._confirmed(request, row, _("Draft the next version"), said):
            return asked
        self._drafted_next(request, [row])
        return redirect(self._page(row))

    @action(description=_("Propose a last day …"), url_path="end", permissions=["end"])  # type: ignore[untyped-decorator]
    def end_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The day is proposed by one and confirmed by another."""
        row = self._one(request, object_id)
        form = EndForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                last_day = form.cleaned_data["last_day"]
                grounds.propose_end(row, actor=actor_of(request), at=timezone.now(), last_day=last_day)
            except Refused as refusal:
                form.add_error("last_day", str(refusal))
            else:
                self.message_user(request, _("Proposed. Another administrator confirms it."), messages.SUCCESS)
                return redirect(self._page(row))
        said = _("Another administrator confirms it. Until then, and up to that day, nothing changes.")
        return self._asked(request, row, title=_("Propose a last day"), said=said, form=form)

    @action(description=_("Confirm the last day …"), url_path="confirm-end", permissions=["confirm_end"])  # type: ignore[untyped-decorator]
    def confirm_end_of_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._one(request, object_id)
        said = _("It ends on %(day)s. After that no refusal can rest on it.") % {"day": date_format(row.end_on)}
        if asked := self._confirmed(request, row, _("Confirm the last day"), said):
            return asked
        self._try(request, [row], grounds.end, _("The last day is confirmed."))
        return redirect(self._page(row))

    @action(description=_("Take the last day back …"), url_path="withdraw-end", permissions=["withdraw_end"])  # type: ignore[untyped-decorator]
    def withdraw_end_of_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._one(request, object_id)
        said = _("The proposed last day is forgotten. It stays in force as before.")
        if asked := self._confirmed(request, row, _("Take the last day back"), said):
            return asked
        self._try(request, [row], grounds.withdraw_end, _("The proposed last day is taken back."))
        return redirect(self._page(row))

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

    @display(  # type: ignore[untyped-decorator]
        description=_("status"),
        label={_("draft"): "info", _("in force"): "success", _("to come"): "info", _("past"): "warning"},
    )
    def state(self, row: Any) -> Any:
        today = timezone.localdate()
        if row.is_draft:
            return _("draft")
        if row.first_day > today:
            return _("to come")
        return _("in force") if row.covers(today) else _("past")

    @admin.display(description=_("status"))
    def standing_in_words(self, row: Any) -> str:
        """Who drafted it, who brought it into force, and whose turn it is."""
        if row.is_draft:
            who = row.drafted_by or _("nobody")
            return _("Drafted by %(who)s. It waits for another administrator to bring it into force.") % {"who": who}
        said = [_("In force from %(first)s.") % {"first": date_format(row.first_day)}]
        if row.activated_by:
            people = {"drafted": row.drafted_by, "activated": row.activated_by}
            said.append(_("Drafted by %(drafted)s, brought into force by %(activated)s.") % people)
        if row.last_day:
            said.append(_("Its last day is %(last)s.") % {"last": date_format(row.last_day)})
        if row.end_is_proposed:
            values = {"day": date_format(row.end_on), "who": row.end_drafted_by}
            said.append(_("%(who)s proposed %(day)s as its last day; another administrator confirms it.") % values)
        return " ".join(str(one) for one in said)

    @admin.display(description=_("history"))
    def steps(self, row: Any) -> str:
        """Everything that happened to the ground, in all of its versions, from the audit log."""
        entries = list(Entry.objects.filter(chain=row.history_id).order_by("sequence"))
        names: dict[int | None, str] = dict(
            User.objects.filter(pk__in={entry.actor_id for entry in entries}).values_list("pk", "name")
        )
        lines = format_html_join(
            mark_safe("<br>"),
            "{} · v{} · {} {}",
            (
                (
                    date_format(timezone.localtime(entry.at), "DATETIME_FORMAT"),
                    entry.data["version"],
                    entry.in_words(),
                    names.get(entry.actor_id, ""),
                )
                for entry in entries
            ),
        )
        return lines or str(_("It was there before grounds had versions."))


def _fields(row: Any) -> list[Any]:
    """What somebody writes of a version, as opposed to what the steps leave on it."""
    return [field for field in row._meta.local_fields if field.editable and not field.primary_key]


def _in_words(row: Any, field: Any) -> Any:
    value = getattr(row, f"get_{field.name}_display")() if field.choices else getattr(row, field.name)
    return date_format(value) if isinstance(value, date) else value


def _left_without(row: Any) -> list[ReasonCode]:
    """Codes that lose their instrument when this step is taken: its end, or its next version in the place of it."""
    if not isinstance(row, LegalInstrument):
        return []
    if row.end_is_proposed and row.end_on is not None:
        return grounds.orphaned(row, after=row.end_on)
    if not row.is_draft:
        return []
    before = LegalInstrument.objects.filter(history=row.history_id, activated_at__isnull=False).last()
    return grounds.orphaned(before, after=row.first_day - timedelta(days=1)) if before else []


@admin.register(LegalInstrument)
class LegalInstrumentAdmin(EnactedAdmin):
    list_display = [
        "titled",
        "in_article",
        "version",
        "office",
        "published_on",
        "effective_from",
        "effective_until",
        "state",
    ]
    list_filter = [_Standing, "office"]
    search_fields = ["title_zh", "title_en", "article_zh", "article_en"]
    actions_detail = [*EnactedAdmin.actions_detail, "carry_codes_over"]

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("title"))
    def titled(self, row: LegalInstrument) -> str:
        return row.title

    @admin.display(description=_("article"))
    def in_article(self, row: LegalInstrument) -> str:
        return row.article

    def _draft(self, obj: Any, values: dict[str, Any], *, actor: Actor, at: datetime) -> LegalInstrument:
        return grounds.draft_instrument(actor=actor, at=at, values=values)

    def has_carry_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id))
        return row is not None and not row.is_draft and row.version > 1 and self._keeps(request)

    @action(description=_("Draft its codes anew …"), url_path="carry", permissions=["carry"])  # type: ignore[untyped-decorator]
    def carry_codes_over(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The codes that end with the version before, as drafts that rest on this one."""
        row = self._one(request, object_id)
        said = _("Every code that ends with the version before this one is drafted again, resting on this version.")
        if asked := self._confirmed(request, row, _("Draft its codes anew"), said):
            return asked
        try:
            made = grounds.carry_over(row, actor=actor_of(request), at=timezone.now())
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            text = ngettext("%(n)d draft was made.", "%(n)d drafts were made.", len(made)) % {"n": len(made)}
            self.message_user(request, text, messages.SUCCESS)
        return redirect(self._page(row))


@admin.register(ReasonCode)
class ReasonCodeAdmin(EnactedAdmin):
    list_display = [
        "code",
        "version",
        "labelled",
        "points_at",
        "instrument",
        "office",
        "active_from",
        "active_until",
        "state",
    ]
    list_filter = [_Standing, "points_at", "office"]
    search_fields = ["code", "label_zh", "label_en"]
    autocomplete_fields = ["instrument", "office"]
    list_select_related = ["instrument", "office"]

    @admin.display(description=_("label"))
    def labelled(self, row: ReasonCode) -> str:
        return row.label

    def _draft(self, obj: Any, values: dict[str, Any], *, actor: Actor, at: datetime) -> ReasonCode:
        return grounds.draft_code(actor=actor, at=at, values=values)

    def _name(self, row: Any) -> str:
        return f"{row.code} v{row.version}"


class DraftOnlyInline(TabularInline):
    """Rows that can be changed while what they belong to is a draft."""

    extra = 0
    hide_title = True  # the columns say it; a row above each row with the same words doubles the page

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_delete_permission(request, obj))


class VersionAdmin(RecordedAdmin):
    """Drafts can be changed and thrown away, versions in force only be looked at. Rows come after the first save."""

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return list(self.inlines) if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.is_draft and bool(super().has_delete_permission(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*(["office"] if obj else []), *super().get_readonly_fields(request, obj)]

    def bring_into_force(self, request: HttpRequest, rows: QuerySet[Any], publish: Any) -> None:
        """Call `publish` with the id of each row; say how many came into force and why the others did not."""
        done = 0
        for row in rows:
            try:
                with transaction.atomic():
                    self.note(request, row, setup.IN_FORCE, setup.differences(row, publish(row.pk)))
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


@asks(file=_("Choose a file."), source=_("Name the notice, or where the days were taken from."))
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
        kept = ["year", "drafted_by", "published_by"] if obj else []
        return [*kept, *super().get_readonly_fields(request, obj)]

    def save_model(self, request: HttpRequest, obj: CalendarYear, form: ModelForm[Any], change: bool) -> None:
        """A new draft is the next version of its year and begins with what the library knows of it.

        Whoever saves becomes one of its authors: another person brings it into force.
        """
        if change:
            super().save_model(request, obj, form, change)
            obj.authors.add(request.user)  # type: ignore[arg-type]  # nobody comes here who is not signed in
            return
        days = calendars.from_library(obj.year)
        with transaction.atomic():
            row = calendars.draft(obj.office_id, obj.year, days=days, source=obj.source, by=request.user.pk)
            self.note(request, row, setup.ADDED, setup.differences(None, row))
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
            with transaction.atomic():
                made = calendars.correction(row, by=request.user.pk)
                self.note(request, made, setup.ADDED, setup.differences(None, made))
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
            with transaction.atomic():
                before, was = row.source, [str(day) for day in row.days.all()]
                row = calendars.replace_days(
                    row.pk, days=days, source=looked_at["source"], by=int(request.user.pk or 0)
                )
                changes = {"source": (before, row.source), "days": (was, [str(day) for day in row.days.all()])}
                self.note(request, row, setup.CHANGED, changes)
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
        with transaction.atomic():
            row = policies.draft(obj.office_id, effective_from=obj.effective_from, lines=in_force.lines, note=obj.note)
            self.note(request, row, setup.ADDED, setup.differences(None, row))
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
            terms = _terms_of(row)
            with transaction.atomic():
                made = policies.draft(row.office_id, effective_from=timezone.now(), lines=terms, note=row.note)
                self.note(request, made, setup.ADDED, setup.differences(None, made))
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


def _draft_made(row: Any, name: str) -> str:
    return format_html(
        '{} <a href="{}">{}</a>',
        _("A draft was made:"),
        reverse(f"admin:authorities_{name}_change", args=[row.pk]),
        row,
    )
