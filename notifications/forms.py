"""Shape of what people choose on the page of preferences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from interface.asking import asks
from notifications.models import Channel, Preferences
from notifications.registry import Kind

# Of the database's other names, each is another one for one of these, or of no place.
_PLACES = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/",
           "Pacific/")  # fmt: skip


def time_zones() -> list[tuple[str, str]]:
    """The time zones to choose from, by name."""
    names = sorted(name for name in available_timezones() if name.startswith(_PLACES))
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


@dataclass(frozen=True, slots=True)
class Line:
    """One kind, with the boxes for its channels; none where nobody can switch it off."""

    kind: Kind
    mail: forms.BoundField | None
    bell: forms.BoundField | None


@asks(digest=_("Choose how often mails come."), digest_hour=_("Choose an hour."), time_zone=_("Choose a time zone."))
class PreferencesForm(forms.Form):
    """How somebody wants to be told. `kinds` are those they are offered; what they chose about others is kept."""

    digest = forms.TypedChoiceField(
        label=_("How often mails come"),
        choices=[(False, _("Each at once")), (True, _("One daily summary"))],
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of the daily summary"),
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        coerce=int,
        help_text=_("What is urgent, decisions, and notices before a denial do not wait for it."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("In which these hours are, such as Asia/Shanghai."),
        # The names are those of a database, in no language of ours.
        widget=forms.Select(attrs={"lang": "en"}),
    )
    quiet_from = forms.TimeField(
        label=_("Quiet from"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label=_("Quiet until"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, data: Any = None, *, preferences: Preferences, kinds: Sequence[Kind]) -> None:
        initial = {
            name: getattr(preferences, name)
            for name in ("digest", "digest_hour", "time_zone", "quiet_from", "quiet_until")
        }
        super().__init__(data, initial=initial)
        self.kinds = kinds
        self._preferences = preferences
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = time_zones()
        for kind in kinds:
            for channel, off in self._off().items():
                if kind.is_optional:
                    self.fields[f"{channel}-{kind.key}"] = forms.BooleanField(
                        label=channel.label, required=False, initial=kind.key not in off
                    )

    def _off(self) -> dict[Channel, list[str]]:
        return {Channel.MAIL: self._preferences.mail_off, Channel.BELL: self._preferences.bell_off}

    def lines(self) -> list[Line]:
        """The kinds with their boxes."""
        return [
            Line(
                kind,
                mail=self[f"{Channel.MAIL}-{kind.key}"] if kind.is_optional else None,
                bell=self[f"{Channel.BELL}-{kind.key}"] if kind.is_optional else None,
            )
            for kind in self.kinds
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        begin, end = data.get("quiet_from"), data.get("quiet_until")
        for name, given, other in (("quiet_until", end, begin), ("quiet_from", begin, end)):
            if given is None and other is not None and name not in self.errors:
                self.add_error(name, _("Enter both ends of the quiet hours, or neither."))
        if begin is not None and begin == end:
            self.add_error(
                "quiet_until", _("The quiet hours end when they begin. Enter another end, or leave both empty.")
            )
        return data

    def values(self) -> dict[str, Any]:
        """The fields of `Preferences`."""
        data = self.cleaned_data
        chosen = {name: data[name] for name in ("digest", "digest_hour", "time_zone", "quiet_from", "quiet_until")}
        offered = {kind.key for kind in self.kinds if kind.is_optional}
        for channel, off in self._off().items():
            now_off = {key for key in offered if not data[f"{channel}-{key}"]}
            chosen[f"{channel}_off"] = sorted(set(off) - offered | now_off)
        return chosen
