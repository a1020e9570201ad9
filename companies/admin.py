"""The back office for companies, their projects and their compliance officers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import TabularInline

from accounts.admin import KeptAdmin, RecordedAdmin, TenureFilter
from companies.models import Company, Membership, Project


class ProjectInline(TabularInline):
    model = Project
    fields = ["code", "name", "is_active"]
    extra = 0
    can_delete = False
    tab = True


class MembershipInline(TabularInline):
    model = Membership
    fields = ["user", "starts_at", "ends_at"]
    autocomplete_fields = ["user"]
    extra = 0
    can_delete = False
    tab = True


@admin.register(Company)
class CompanyAdmin(KeptAdmin, RecordedAdmin):
    list_display = ["named", "uscc", "office", "people", "is_active"]
    list_filter = ["is_active", "office"]
    search_fields = ["name_zh", "name_en", "uscc"]
    list_select_related = ["office"]
    autocomplete_fields = ["office"]
    fields = ["uscc", ("name_zh", "name_en"), "office", "is_active"]
    inlines = [MembershipInline, ProjectInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Company]:
        companies: QuerySet[Company] = super().get_queryset(request)
        return companies.annotate(employed=Count("employees", distinct=True))

    @admin.display(description=pgettext_lazy("a company", "name"))
    def named(self, company: Company) -> str:
        return company.name

    @admin.display(description=_("employees"), ordering="employed")
    def people(self, company: Any) -> int:
        return int(company.employed)

    def get_readonly_fields(self, request: HttpRequest, obj: Company | None = None) -> list[str]:
        # The code is who a company is; a request keeps the office with which it began.
        return [*(["uscc"] if obj else []), *super().get_readonly_fields(request, obj)]


@admin.register(Membership)
class MembershipAdmin(KeptAdmin, RecordedAdmin):
    about = "company"
    list_display = ["user", "company", "starts_at", "ends_at"]
    list_filter = [TenureFilter, "company"]
    search_fields = ["user__name", "user__email"]
    autocomplete_fields = ["user", "company"]
    list_select_related = ["user", "company"]


@admin.register(Project)
class ProjectAdmin(RecordedAdmin):
    about = "company"
    list_display = ["code", "name", "company", "is_active"]
    list_filter = ["is_active", "company"]
    search_fields = ["code", "name"]
    autocomplete_fields = ["company"]
    list_select_related = ["company"]
