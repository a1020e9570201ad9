"""The back office for sensitivity lists: they are looked at here, and written on the pages of list managers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.admin import KeptAdmin
from sensitivity.models import ListEntry, ListVersion, SensitivityList
from sensitivity.standing import standing


class LookedAtAdmin(KeptAdmin):
    """Rows that are shown and never written here: their verbs, and the two people that some of them need, are on the
    pages."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SensitivityList)
class SensitivityListAdmin(LookedAtAdmin):
    list_display = ["name", "kind", "owner", "is_confidential", "page"]
    list_filter = ["kind", "is_confidential"]
    search_fields = ["name_zh", "name_en", "legal_basis__title_zh", "legal_basis__title_en"]
    list_select_related = ["owner", "legal_basis"]
    fields = [
        "kind",
        ("name_zh", "name_en"),
        "owner",
        "legal_basis",
        "is_confidential",
        "confidentiality_basis",
        ("confidentiality_reviewed_by", "confidentiality_reviewed_on"),
        "page",
    ]
    readonly_fields = ["page"]

    @admin.display(description=_("list"))
    def name(self, row: SensitivityList) -> str:
        return row.name

    @admin.display(description=_("page"))
    def page(self, row: SensitivityList) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("list", args=[row.pk]), row.name)


@admin.register(ListVersion)
class ListVersionAdmin(LookedAtAdmin):
    list_display = ["list", "number", "stands", "author", "publisher", "published_from", "published_until", "page"]
    list_filter = ["state", "list__kind", "list"]
    search_fields = ["list__name_zh", "list__name_en"]
    list_select_related = ["list", "author", "publisher"]
    fields = [
        ("list", "number"),
        "state",
        "note",
        ("author", "created_at"),
        ("publisher", "published_at"),
        ("published_from", "published_until"),
        "page",
    ]
    readonly_fields = ["page"]

    @display(  # type: ignore[untyped-decorator]
        description=_("state"),
        ordering="state",
        label={"good": "success", "info": "info", "neutral": "info", "waiting": "warning", "bad": "danger"},
    )
    def stands(self, row: ListVersion) -> Any:
        found = standing(row, at=timezone.now())
        return found.tone, found.words

    @admin.display(description=_("page"))
    def page(self, row: ListVersion) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("list_version", args=[row.list_id, row.number]), row)


@admin.register(ListEntry)
class ListEntryAdmin(LookedAtAdmin):
    """Entries, found by their code. There may be millions: nothing is counted, and nothing is sorted but by key."""

    list_display = ["code", "label_zh", "label_en", "level", "version", "page"]
    list_filter = ["level"]
    search_fields = ["=code"]
    list_select_related = ["version", "version__list"]
    show_full_result_count = False
    ordering = ["-pk"]
    fields = [
        "version",
        ("code", "former_codes"),
        "parent",
        ("label_zh", "label_en"),
        "aliases",
        ("country", "company"),
        "level",
        ("reason_zh", "reason_en"),
        ("valid_from", "valid_until"),
        "page",
    ]
    readonly_fields = ["page"]

    @admin.display(description=_("page"))
    def page(self, row: ListEntry) -> SafeString:
        address = [row.version.list_id, row.version.number, row.lineage]
        return format_html('<a href="{}">{}</a>', reverse("list_entry", args=address), row.code)
