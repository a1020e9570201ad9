"""Travel requests in the back office: to be looked at, never to be changed. Whoever opens one is in the access log."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.http import actor_of
from accounts.models import AccessEntry, User
from approvals import queries
from approvals.access import role_towards
from approvals.models import HearingOffice, TravelRequest
from approvals.states import State
from audit import setup
from audit.models import Entry
from authorities import histories


@admin.register(HearingOffice)
class HearingOfficeAdmin(ModelAdmin):
    """Which office hears the appeals against the decisions of which. Otherwise it is the first other one that can.

    Whatever changes is in the audit log, in the chain of the office that decides.
    """

    list_display = ["office", "heard_by"]
    list_select_related = ["office", "heard_by"]
    fields = ["office", "heard_by", "steps"]

    def get_readonly_fields(self, request: HttpRequest, obj: HearingOffice | None = None) -> list[str]:
        return ["office", "steps"] if obj else ["steps"]

    def save_model(self, request: HttpRequest, obj: HearingOffice, form: ModelForm[Any], change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not change or "heard_by" in form.changed_data:
                heard_by = {"heard_by": obj.heard_by_id, "code": obj.heard_by.code}
                _record(request, obj, histories.HEARD_BY, heard_by)

    def delete_model(self, request: HttpRequest, obj: HearingOffice) -> None:
        with transaction.atomic():
            _record(request, obj, histories.HEARD_BY_NONE)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HearingOffice]) -> None:
        with transaction.atomic():
            for row in queryset:
                self.delete_model(request, row)

    @admin.display(description=_("history"))
    def steps(self, row: HearingOffice) -> str:
        entries = list(setup.entries(row.office)) if row.pk else []
        names = dict(User.objects.filter(pk__in={entry.actor_id for entry in entries}).values_list("pk", "name"))
        moments = (date_format(timezone.localtime(entry.at), "DATETIME_FORMAT") for entry in entries)
        lines = (
            (moment, entry.in_words(), names.get(entry.actor_id or 0, ""))
            for moment, entry in zip(moments, entries, strict=True)
        )
        return format_html_join(mark_safe("<br>"), "{} · {} {}", lines) or str(_("Nothing was recorded so far."))

    # A part of how the offices are set up, though it is kept here.
    def has_view_permission(self, request: HttpRequest, obj: HearingOffice | None = None) -> bool:
        return request.user.has_perm("authorities.change_office")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: HearingOffice | None = None) -> bool:
        return self.has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: HearingOffice | None = None) -> bool:
        return self.has_view_permission(request, obj)


def _record(request: HttpRequest, row: HearingOffice, verb: str, data: dict[str, Any] | None = None) -> None:
    histories.record(row.office, verb, actor=actor_of(request), at=timezone.now(), data=data)


@admin.register(TravelRequest)
class TravelRequestAdmin(ModelAdmin):
    """What was submitted, as far as the rule book lets an administrator see it. No add, change, delete, no actions."""

    list_display = ["reference", "title", "company", "office", "standing", "tier", "due_at", "submitted_at"]
    list_filter = ["state", "tier", "purpose", "urgent", "office", "company"]
    search_fields = ["=reference", "title", "event_name", "company__name_zh", "company__name_en"]
    list_select_related = ["company", "office"]
    date_hierarchy = "submitted_at"
    ordering = ["-submitted_at", "-id"]
    actions = None
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["reference", "state", "state_since", "tier", "due_at", "company", "office", "applicant"]}),
        (
            _("Trip"),
            {"fields": ["title", "purpose", "places", "departs_on", "returns_on", "event_name", "topics", "devices"]},
        ),
        (_("Who acts on it"), {"fields": ["assigned_number", "submitted_at", "reached_authority_at", "decided_at"]}),
        (_("History"), {"fields": ["history"]}),
    ]
    readonly_fields = ["places", "history"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TravelRequest]:
        return queries.visible_to(actor_of(request)).order_by(*self.ordering)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: TravelRequest | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TravelRequest | None = None) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Notes who looked, before anything is shown."""
        found = self.get_object(request, object_id) if object_id else None
        if found is not None and self.has_view_permission(request, found):
            user_id = request.user.pk
            assert user_id is not None
            AccessEntry.objects.create(
                at=timezone.now(),
                user_id=user_id,
                role=role_towards(found, actor_of(request)),
                subject=found.pk,
                page="back_office",
            )
        response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return response

    @display(description=_("state"), ordering="state")  # type: ignore[untyped-decorator]
    def standing(self, row: TravelRequest) -> Any:
        return State(row.state).label

    @admin.display(description=_("places"))
    def places(self, row: TravelRequest) -> SafeString:
        return format_html_join(
            mark_safe("<br>"),
            "{}, {} · {} – {} {}",
            ((leg.city, leg.country.name, leg.arrives_on, leg.leaves_on, leg.host) for leg in row.itinerary),
        )

    @admin.display(description=_("what happened"))
    def history(self, row: TravelRequest) -> SafeString:
        entries = Entry.objects.filter(chain=row.pk).order_by("sequence")
        lines = (
            (f"{timezone.localtime(entry.at, row.zone):%Y-%m-%d %H:%M}", entry.in_words(), entry.actor_role)
            for entry in entries
        )
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} ({})</li>", lines))
