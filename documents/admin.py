"""The keys of clearances in the back office: to be looked at. They are made and withdrawn on the server alone."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from documents import keys
from documents.models import SigningKey


@admin.register(SigningKey)
class SigningKeyAdmin(ModelAdmin):
    """Which key signs and which verify, until when. No add, change, delete, no actions, and no private half."""

    list_display = ["key_id", "made_at", "signs", "verifies"]
    fields = ["key_id", "public_half", "made_at", "signs", "verifies", "withdrawn_because", "steps"]
    readonly_fields = ["public_half", "signs", "verifies", "steps"]
    list_before_template = "documents/keys_before.html"
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[SigningKey]:
        found: QuerySet[SigningKey] = super().get_queryset(request)
        return found.defer("sealed")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SigningKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SigningKey | None = None) -> bool:
        return False

    @admin.display(description=_("public key"))
    def public_half(self, key: SigningKey) -> str:
        return bytes(key.public).hex()

    @admin.display(description=_("signs until"))
    def signs(self, key: SigningKey) -> Any:
        return _moment(key.retired_at) if key.retired_at else _("signs now, until another is made")

    @admin.display(description=_("verifies until"))
    def verifies(self, key: SigningKey) -> Any:
        return _("withdrawn %(moment)s") % {"moment": _moment(key.withdrawn_at)} if key.withdrawn_at else _("no end")

    @admin.display(description=_("history"))
    def steps(self, key: SigningKey) -> str:
        """What was done to the key, from the audit log."""
        lines = format_html_join(
            mark_safe("<br>"), "{} · {}", ((_moment(entry.at), entry.in_words()) for entry in keys.entries(key.key_id))
        )
        return lines or str(_("It was made before keys had a history."))


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
