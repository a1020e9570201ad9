"""The back office for accounts and the roles of the installation."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.models import AccessEntry, RoleAssignment, User

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


class RoleAssignmentInline(TabularInline):
    model = RoleAssignment
    fields = ["role", "starts_at", "ends_at"]
    extra = 0
    can_delete = False


@admin.register(User)
class UserAdmin(KeptAdmin):
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
class RoleAssignmentAdmin(KeptAdmin):
    list_display = ["user", "role", "starts_at", "ends_at"]
    list_filter = [TenureFilter, "role"]
    search_fields = ["user__name", "user__email"]
    autocomplete_fields = ["user"]
    list_select_related = ["user"]


@admin.register(AccessEntry)
class AccessEntryAdmin(KeptAdmin):
    """Who looked at what. Nobody adds to it by hand or changes it."""

    list_display = ["at", "user", "role", "page", "subject"]
    list_filter = ["role", "page"]
    search_fields = ["user__name", "user__email", "=subject"]
    list_select_related = ["user"]
    date_hierarchy = "at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
