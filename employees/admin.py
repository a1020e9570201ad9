"""The back office for employees. Companies keep their roster themselves; here an administrator mends it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from accounts.admin import KeptAdmin
from accounts.http import actor_of
from employees.models import Employee, ProjectAssignment, TravelDocument


class TravelDocumentInline(TabularInline):
    model = TravelDocument
    fields = ["kind", "issued_by", "expires_on"]
    extra = 0
    tab = True


class ProjectAssignmentInline(TabularInline):
    model = ProjectAssignment
    fields = ["project", "starts_at", "ends_at"]
    autocomplete_fields = ["project"]
    extra = 0
    can_delete = False
    tab = True


@admin.register(Employee)
class EmployeeAdmin(KeptAdmin):
    list_display = ["number", "name_zh", "name_en", "company", "position", "employed_from", "employed_until"]
    list_display_links = ["number", "name_zh", "name_en"]
    list_filter = ["company", ("employed_until", admin.EmptyFieldListFilter)]
    search_fields = ["number", "name_zh", "name_en", "user__email"]
    autocomplete_fields = ["user", "company"]
    list_select_related = ["company"]
    fieldsets = [
        (None, {"fields": ["company", "number", ("name_zh", "name_en"), "position"]}),
        (_("Employment"), {"fields": [("employed_from", "employed_until"), "user"]}),
    ]
    inlines = [TravelDocumentInline, ProjectAssignmentInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employee]:
        return Employee.objects.visible_to(actor_of(request)).order_by("company", "number")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Requests belong to this employment; somebody who changes the company gets a new record.
        return ["company"] if obj else []
