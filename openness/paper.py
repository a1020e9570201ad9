"""The overview of an archive: a letter to read, as PDF where every character can be set, else as a page."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_countries import countries

from approvals.models import Attachment, TravelRequest
from approvals.states import State
from audit.models import Entry
from documents.letters import Facts, Items, Letter, Paragraph, Section, Table, Text, quoted
from documents.typesetting import CannotBeSet, typeset
from openness.collecting import Person

LETTERS = {"zh-hans": "zh", "en": "en"}


def overview(data: Mapping[str, Any], person: Person, *, language: str, at: datetime) -> tuple[str, bytes]:
    """The overview in the active language, which is `language`: its name in the archive and its bytes.

    A name or a text can hold a character that no installed font has: then it is a page for the browser instead, so that
    nobody's archive fails for it.
    """
    letter = _letter(data, person, LETTERS[language], at)
    try:
        return "overview.pdf", typeset(letter, at=at.astimezone(UTC).replace(microsecond=0))
    except CannotBeSet:
        page = render_to_string("openness/archive/overview.html", {"letter": letter, "language": language})
        return "overview.html", page.encode()


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def _letter(data: Mapping[str, Any], person: Person, language: str, at: datetime) -> Letter:
    trips = TravelRequest.unscoped.filter(pk__in=person.requests).order_by("-created_at")
    shown = [_trip(trip) for trip in trips.select_related("company").prefetch_related("legs")]
    return Letter(
        language=language,
        title=_("Everything held about you"),
        subtitle=person.user.name,
        sender=(_("Exit approvals"),),
        reference=f"{timezone.localtime(at):%Y-%m-%d}",
        reference_label=_("As of"),
        date=date_format(timezone.localtime(at), "DATE_FORMAT"),
        opening=(
            Paragraph(
                Text(
                    _(
                        "This is an overview to read. All of it, word for word, is in data.json beside it, whose form "
                        "schema.json describes; files are in the folder “files”."
                    )
                )
            ),
        ),
        sections=(_account(person, data), *shown, _looks(data), _tables(data), _left_out(data)),
        closing=(),
        page_words=_("Page {page} of {pages}"),
    )


def _account(person: Person, data: Mapping[str, Any]) -> Section:
    user = person.user
    rows = [
        (_("Name"), (quoted(user.name),)),
        (_("E-mail"), (Text(user.email),)),
        (_("Account since"), (Text(_moment(user.date_joined)),)),
    ]
    for row in data["tables"].get("employees.Employee", []):
        if row["kind"] == "record":
            held = row["values"]
            words = " · ".join(
                str(one) for one in (held["name_zh"], held["name_en"], held["number"], held["position"]) if one
            )
            rows.append((_("Employee record"), (quoted(words),)))
    return Section(_("Your account"), (Facts(tuple(rows)),))


def _trip(trip: TravelRequest) -> Section:
    places = "\n".join(
        f"{leg.city}, {countries.name(leg.country.code)}: {date_format(leg.arrives_on)} – {date_format(leg.leaves_on)}"
        for leg in trip.legs.all()
    )
    rows = [
        (_("State"), (Text(str(State(trip.state).label)),)),
        (_("Since"), (Text(_moment(trip.state_since)),)),
        (_("Company"), (quoted(trip.company.name),)),
    ]
    for label, words in (
        (_("Purpose"), str(trip.get_purpose_display())),
        (_("Itinerary"), places),
        (_("What you wrote of it"), trip.description),
        (_("Documents"), "\n".join(file.name for file in Attachment.unscoped.filter(request=trip.pk))),
    ):
        if words:
            rows.append((label, (quoted(words),)))
    entries = Entry.objects.filter(chain=trip.pk).order_by("sequence")
    happened = tuple((Text(f"{_moment(entry.at)} · {entry.in_words()}"),) for entry in entries)
    return Section(f"{trip.reference} {trip.title}".strip(), (Facts(tuple(rows)), *_items(happened)))


def _items(items: Sequence[tuple[Text, ...]]) -> tuple[Items, ...]:
    return (Items(tuple(items)),) if items else ()


def _looks(data: Mapping[str, Any]) -> Section:
    rows = [row["values"] for row in data["tables"].get("accounts.AccessEntry", []) if row["kind"] == "record"]
    looks = [row for row in rows if row["user"] != "you"]
    if not looks:
        nobody = Paragraph(Text(_("Nobody besides you has opened your requests.")))
        return Section(_("Who looked at your requests"), (nobody,))
    shown = tuple(
        (Text(_moment(datetime.fromisoformat(row["at"]))), Text(row["user"]), Text(row["page"])) for row in looks
    )
    return Section(_("Who looked at your requests"), (Table((_("When"), _("Who"), _("Where")), shown),))


def _tables(data: Mapping[str, Any]) -> Section:
    shown = tuple(
        (
            Text(name),
            Text(str(sum(row["kind"] == "record" for row in rows))),
            Text(str(sum(row["kind"] == "mention" for row in rows))),
        )
        for name, rows in data["tables"].items()
    )
    head = (_("Table"), _("Records about you"), _("Mentions of you"))
    return Section(_("What is in data.json"), (Table(head, shown),))


def _left_out(data: Mapping[str, Any]) -> Section:
    items = tuple((Text(one["what"]), Text(one["why"])) for one in data["left_out"])
    return Section(_("What is left out, and why"), (Items(items),))
