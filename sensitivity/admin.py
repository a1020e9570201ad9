"""The back office for sensitivity lists. A version in force is looked at only; the next one begins as its copy."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin import KeptAdmin
from sensitivity.models import ListEntry, ListVersion, SensitivityList

_OPEN = (ListVersion.State.DRAFT, ListVersion.State.IN_REVIEW)


def _is_open(version: ListVersion | None) -> bool:
    return version is None or version.state in _OPEN


@admin.register(SensitivityList)
class SensitivityListAdmin(KeptAdmin):
    list_display = ["name", "kind", "owner", "entries_in_force"]
    list_filter = ["kind"]
    search_fields = ["name_zh", "name_en", "legal_basis"]
    autocomplete_fields = ["owner"]
    list_select_related = ["owner"]
    fields = ["kind", ("name_zh", "name_en"), "owner", "legal_basis"]

    @admin.display(description=_("list"))
    def name(self, row: SensitivityList) -> str:
        return str(row)

    @admin.display(description=_("entries in force"))
    def entries_in_force(self, row: SensitivityList) -> int:
        versions = ListVersion.objects.in_force(timezone.localdate()).filter(list=row)
        return ListEntry.objects.filter(version__in=versions).count()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["kind"] if obj else []


class ListEntryInline(TabularInline):
    model = ListEntry
    fields = ["code", "label_zh", "label_en", "level", "reason_zh", "reason_en"]
    extra = 0
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_open(obj) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_open(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_open(obj) and bool(super().has_delete_permission(request, obj))


@admin.register(ListVersion)
class ListVersionAdmin(KeptAdmin):
    list_display = ["list", "number", "standing", "author", "publisher", "published_from", "published_until", "size"]
    list_filter = ["state", "list__kind", "list"]
    search_fields = ["list__name_zh", "list__name_en"]
    list_select_related = ["list", "author", "publisher"]
    fields = ["list", "number", "state", "author", "publisher", ("published_from", "published_until")]
    readonly_fields = ["list", "number", "state", "author", "publisher", "published_from", "published_until"]
    inlines = [ListEntryInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ListVersion]:
        versions: QuerySet[ListVersion] = super().get_queryset(request)
        return versions.annotate(entry_count=Count("entries"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A version begins as a draft of its list, never from nothing.
        return False

    def has_change_permission(self, request: HttpRequest, obj: ListVersion | None = None) -> bool:
        return _is_open(obj) and bool(super().has_change_permission(request, obj))

    @admin.display(description=_("entries"), ordering="entry_count")
    def size(self, row: Any) -> int:
        return int(row.entry_count)

    @display(  # type: ignore[untyped-decorator]
        description=_("state"),
        ordering="state",
        label={
            ListVersion.State.PUBLISHED.label: "success",
            ListVersion.State.DRAFT.label: "info",
            ListVersion.State.IN_REVIEW.label: "info",
            ListVersion.State.SUPERSEDED.label: "warning",
        },
    )
    def standing(self, row: ListVersion) -> Any:
        # One whose last day has passed counts for that time still, so its row stays published.
        if row.published_until is not None and row.published_until <= timezone.localdate():
            return ListVersion.State.SUPERSEDED.label
        return ListVersion.State(row.state).label
