"""What the style guide shows: every component with values that look like the product's own."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interface.asking import asks
from interface.charts import Bar
from interface.tags import STATES, TIERS, state_tag, tier_tag, time_of
from interface.widgets import DateInput


@asks(
    title=gettext_lazy("Say what the trip is called."),
    starts=gettext_lazy("Enter the first day."),
    purpose=gettext_lazy("Choose a purpose."),
    true=gettext_lazy("Confirm that what you have written is true and complete."),
)
class SampleForm(forms.Form):
    """A form with one field of each kind, shown with its mistakes."""

    title = forms.CharField(label=gettext_lazy("What the trip is called"), max_length=200)
    starts = forms.DateField(
        label=gettext_lazy("First day"),
        help_text=gettext_lazy("The day you leave the country."),
        widget=DateInput,
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"),
        help_text=gettext_lazy("The one that fits best."),
        choices=[
            ("conference", gettext_lazy("Conference")),
            ("business", gettext_lazy("Business")),
            ("study", gettext_lazy("Study")),
        ],
        widget=forms.RadioSelect,
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        choices=[("", "–"), ("AT", gettext_lazy("Austria")), ("JP", gettext_lazy("Japan"))],
        required=False,
    )
    words = forms.CharField(
        label=gettext_lazy("In your own words"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text=gettext_lazy("Up to 200 characters."),
    )
    document = forms.FileField(label=gettext_lazy("Invitation"), required=False, help_text=gettext_lazy("PDF, ≤ 20 MB"))
    true = forms.BooleanField(label=gettext_lazy("What I have written is true and complete"))

    def clean(self) -> dict[str, Any]:
        self.add_error(None, _("These dates overlap another trip of yours."))
        return self.cleaned_data


class FilterForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Search"), required=False)
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All")), ("open", gettext_lazy("Open"))],
    )


def samples() -> dict[str, Any]:
    """The context of the style guide's page."""
    now = timezone.now()
    today = timezone.localdate(now)
    return {
        "form": SampleForm({"title": "", "starts": "", "purpose": ""}),
        "filter_form": FilterForm(),
        "states": [state_tag(name, name) for name in STATES],
        "tiers": [tier_tag(name, name) for name in TIERS],
        "dues": _dues(today),
        "tasks": _tasks(),
        "rows": _rows(today),
        "entries": _entries(now),
        "actions": _actions(),
        "tabs": [
            {"label": _("Mine"), "url": "#tabs", "count": 4, "current": True},
            {"label": _("Unassigned"), "url": "#tabs", "count": "99+"},
            {"label": _("Closed"), "url": "#tabs", "count": None},
        ],
        "columns": [_("Number"), _("Traveller"), _("State"), _("Due")],
        "table": [
            ["XA-7K3M-9", "李雨桐", state_tag("authority_review", _("Authority review")), time_of(today)],
            ["XA-2P8R-4", "Zhang Wei", state_tag("approved", _("Approved")), time_of(today + timedelta(days=9))],
        ],
        "files": [
            {"name": "invitation.pdf", "url": "#files", "size": 482_133, "kind": "PDF", "added": now},
            {
                "name": "日程安排.docx",
                "url": "#files",
                "size": 21_004,
                "kind": "Word",
                "note": _("Translation"),
                "remove_url": "#files",
            },
        ],
        "changes": [
            {"label": _("Last day"), "old": "16 March 2026", "new": "19 March 2026"},
            {"label": _("Host"), "old": "维也纳工业大学", "new": "维也纳大学"},
        ],
        "bars": [
            Bar(_("Up to 3 days"), 42, "good"),
            Bar(_("4 to 10 days"), 18),
            Bar(_("11 to 20 days"), 6, "waiting"),
            Bar(_("Overdue"), 2, "bad"),
        ],
    }


def _dues(today: date) -> list[dict[str, Any]]:
    return [
        {"at": today + timedelta(days=12), "left": 8},
        {"at": today + timedelta(days=2), "left": 2},
        {"at": today, "left": 0},
        {"at": today - timedelta(days=4), "left": -3},
        {"at": today + timedelta(days=300), "left": 201, "provisional": True},
    ]


def _tasks() -> list[dict[str, Any]]:
    return [
        {"label": _("Trip"), "url": "#task-list", "status": _("Done"), "tone": "good"},
        {
            "label": _("Itinerary"),
            "url": "#task-list",
            "hint": _("One leg has no host yet."),
            "status": _("Begun"),
            "tone": "info",
        },
        {"label": _("Documents"), "url": "#task-list", "status": _("Not begun")},
        {"label": _("Check answers"), "status": _("Cannot begin yet")},
    ]


def _rows(today: date) -> list[dict[str, Any]]:
    return [
        {"label": _("Event"), "value": "International Conference on Machine Learning", "url": "#check", "lang": "en"},
        {"label": _("From"), "value": time_of(today), "url": "#check"},
        {"label": _("Devices"), "value": "", "url": "#check"},
    ]


def _entries(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "at": now,
            "words": _("The office asked for two documents. Its clock is stopped."),
            "who": _("officer 0417"),
            "tone": "waiting",
            "shape": "question",
            "detail": _("The invitation, and the list of devices."),
        },
        {"at": now - timedelta(days=2), "words": _("The company endorsed the trip."), "tone": "good", "shape": "check"},
        {"at": now - timedelta(days=3), "words": _("You submitted the request."), "tone": "info", "shape": "plane"},
    ]


def _actions() -> list[dict[str, Any]]:
    return [
        {"label": _("Answer the questions"), "url": "#actions", "primary": True, "opens_page": True},
        {"label": _("Ask for another reviewer"), "url": "#actions", "opens_page": True, "hint": _("Once.")},
        {"label": _("Withdraw"), "url": "#actions", "danger": True, "hint": _("The trip will not be decided.")},
    ]
