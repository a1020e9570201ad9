"""The back office for accounts and the roles of the installation."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.looking import LOOKED_AT, looked_at
from accounts.models import AccessEntry, RoleAssignment, User
from accounts.roles import Role
from audit import setup

# What the libraries register is not ours to configure here: roles are not groups, sign-in is set up by settings.
admin.site.unregister(Group)


class TenureFilter(admin.SimpleListFilter):
    """Those that hold now."""

    title = _("in force")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.in_force(timezone.now()) if self.value() == "yes" else queryset  # type: ignore[attr-defined]


class KeptAdmin(ModelAdmin):
    """Rows that end instead of being deleted: who held what, and when, stays known."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordedAdmin(ModelAdmin):
    """Settings on which people's dates or decisions hang: whoever changes one leaves an entry in the audit log, in one
    transaction with the change. What was recorded is shown below the form.

    Rows of an inline are recorded with what they belong to.
    """

    about: ClassVar[str] = ""
    """The field that names what the setting belongs to, whose chain it is recorded in; empty: it is that itself."""
    personal: ClassVar[frozenset[str]] = frozenset()
    """Fields, of rows and of their inlines, of which only the change is recorded, never the value."""

    def note(
        self, request: HttpRequest, row: Model, verb: str, changes: setup.Changes, of: Model | None = None
    ) -> None:
        """One entry that `row` was changed so, in the chain of what it belongs to (`of`, where it is not the row's)."""
        subject = of or (getattr(row, self.about) if self.about else row)
        data = setup.of_row(row, changes, personal=self.personal)
        setup.record(
            subject, verb, actor_id=request.user.pk, actor_role=Role.ADMINISTRATOR, at=timezone.now(), data=data
        )

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if changes := _entered(form, is_new=not change):
                self.note(request, obj, setup.CHANGED if change else setup.ADDED, changes)

    def save_formset(self, request: HttpRequest, form: ModelForm[Any], formset: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_formset(request, form, formset, change)
            for row in formset.deleted_objects:
                self.note(request, row, setup.REMOVED, {}, of=form.instance)
            new, changed = formset.new_objects, [row for row, _fields in formset.changed_objects]
            for one in formset.forms:
                if is_new := any(one.instance is row for row in new):
                    self.note(request, one.instance, setup.ADDED, _entered(one, is_new=is_new), of=form.instance)
                elif any(one.instance is row for row in changed) and (changes := _entered(one, is_new=False)):
                    self.note(request, one.instance, setup.CHANGED, changes, of=form.instance)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self.note(request, obj, setup.REMOVED, {})
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for row in queryset:
                self.delete_model(request, row)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["recorded"] if obj else [])]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = [
            (title, {**options, "fields": [name for name in options["fields"] if name != "recorded"]})
            for title, options in super().get_fieldsets(request, obj)
        ]
        return [*found, (_("What happened to it"), {"fields": ["recorded"]})] if obj else found

    @admin.display(description=_("history"))
    def recorded(self, row: Any) -> str:
        """What the audit log says of the setting, the oldest first."""
        subject = getattr(row, self.about) if self.about else row
        entries = list(setup.entries(subject))
        names = dict(User.objects.filter(pk__in={entry.actor_id for entry in entries}).values_list("pk", "name"))
        lines = (
            (
                date_format(timezone.localtime(entry.at), "DATETIME_FORMAT"),
                entry.in_words(),
                names.get(entry.actor_id or 0, ""),
            )
            for entry in entries
        )
        return format_html_join(mark_safe("<br>"), "{} · {} {}", lines) or str(_("Nothing was recorded so far."))


def _entered(form: ModelForm[Any], *, is_new: bool) -> dict[str, tuple[Any, Any]]:
    """What somebody entered in the fields of a row: of a new one all that says something, else what changed."""
    fields = {field.name for field in form.instance._meta.concrete_fields}
    if is_new:
        given = {name: value for name, value in form.cleaned_data.items() if name in fields}
        return {name: (None, value) for name, value in given.items() if value not in (None, "", [])}
    # What a form says changed is only how it was written: lists and seconds come back otherwise than they were shown.
    changed = {name: (form.initial.get(name), form.cleaned_data[name]) for name in form.changed_data if name in fields}
    return {name: (was, now) for name, (was, now) in changed.items() if setup.plain(was) != setup.plain(now)}


class RoleAssignmentInline(TabularInline):
    model = RoleAssignment
    fields = ["role", "starts_at", "ends_at"]
    extra = 0
    can_delete = False


@admin.register(User)
class UserAdmin(KeptAdmin, RecordedAdmin):
    """Accounts. Nobody sees or sets a password here: a new account gets its first one by “password forgotten”."""

    list_display = ["name", "email", "language", "active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "language", "role_assignments__role"]
    search_fields = ["name", "email"]
    fieldsets = [
        (None, {"fields": ["name", "email", "language"]}),
        (
            _("Access"),
            {
                "fields": ["is_active", "is_staff", ("date_joined", "last_login")],
                "description": _("An account that is not active holds no role. What it may do comes from its roles."),
            },
        ),
    ]
    readonly_fields = ["date_joined", "last_login"]
    personal = frozenset({"name", "email"})
    inlines = [RoleAssignmentInline]

    @display(description=_("status"), ordering="is_active", label={_("active"): "success", _("closed"): "warning"})  # type: ignore[untyped-decorator]
    def active(self, user: User) -> Any:
        return _("active") if user.is_active else _("closed")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.email = obj.email.strip().lower()
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(KeptAdmin, RecordedAdmin):
    about = "user"
    list_display = ["user", "role", "starts_at", "ends_at"]
    list_filter = [TenureFilter, "role"]
    search_fields = ["user__name", "user__email"]
    autocomplete_fields = ["user"]
    list_select_related = ["user"]


class PageFilter(admin.SimpleListFilter):
    """What was looked at, in words."""

    title = _("where")
    parameter_name = "page"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list({str(words): (name, words) for name, words in LOOKED_AT.items()}.values())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None or chosen not in LOOKED_AT:
            return queryset
        # One thing may have been looked at on several pages.
        return queryset.filter(page__in=[name for name in LOOKED_AT if looked_at(name) == looked_at(chosen)])


@admin.register(AccessEntry)
class AccessEntryAdmin(KeptAdmin):
    """Who looked at what. Nobody adds to it by hand or changes it."""

    list_display = ["at", "user", "role", "what", "subject"]
    fields = ["at", "user", "role", "what", "subject"]
    readonly_fields = ["what"]
    list_filter = ["role", PageFilter]
    search_fields = ["user__name", "user__email", "=subject"]
    list_select_related = ["user"]
    date_hierarchy = "at"
    show_full_result_count = False

    @admin.display(description=_("where"), ordering="page")
    def what(self, entry: AccessEntry) -> str:
        return looked_at(entry.page)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
