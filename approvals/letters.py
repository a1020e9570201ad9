"""What the papers of a request say: the receipt of a submission, the decision, the decision on an appeal.

Read from the rows that were written when it happened, and from nothing that can change since: the revision, the
assessment, the decision with its versions. So a paper that is made late says what one made at once would have said.
People of an office are named by office and officer number. Everything is in the active language, except what somebody
wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.roles import Role
from approvals import disclosure, particulars, queries, rules, timekeeping
from approvals.models import Appeal, Clearance, Clock, Condition, Decision, Reply, Revision, TravelRequest
from approvals.models.conditions import ConditionNow, ConditionState, ConditionStep, conditions_now
from approvals.models.decision import Measure, Outcome
from approvals.models.travel_request import Device, Purpose
from approvals.states import Tier
from authorities.languages import by_language
from authorities.models import ClockPolicy, Office, Posting
from authorities.terms import COUNTS_WORKING_DAYS, ClockKind
from documents import qr
from documents.letters import (
    Block,
    Code,
    Facts,
    Items,
    Letter,
    Notice,
    Paragraph,
    Quote,
    Section,
    Table,
    Text,
    joined,
    paragraphs,
    quoted,
)
from interface.tags import zone_place
from notifications.models import Preferences
from notifications.tokens import absolute
from sensitivity import picking
from sensitivity.models import SensitivityList

# ── the three letters ───────────────────────────────────────────────────────────────────────────────────────────────


def receipt(request: TravelRequest, revision: Revision) -> Letter:
    """That a submission was received: its number, when, what exactly, and what happens next by when."""
    assessment = revision.assessments.order_by("at", "id").first()
    tier = assessment.tier if assessment else request.tier
    expected = timekeeping.forecast(request, tier=tier, at=revision.at)
    rows = [
        *_who(request),
        _row(_("Received"), *_moments(request, revision.at)),
        _row(_("Revision"), str(revision.number)),
        _row(_("Digest of the revision"), Text(bytes(revision.digest).hex())),
    ]
    steps = []
    if expected.company_by:
        words = {"company": request.company.name, "day": _day(expected.company_by)}
        steps.append(
            _("A compliance officer of %(company)s looks at it by %(day)s. Without an answer it goes on by itself.")
            % words
        )
    words = {"office": request.office.name, "day": _day(expected.decision_by)}
    decides = _("%(office)s decides, at the latest by %(day)s.") % words
    if expected.is_provisional:
        decides += " " + _("This day is provisional: the working days of that year are not all published yet.")
    steps += [decides, _("You are told of every step by mail and at the bell. You need do nothing.")]
    return _letter(
        request,
        title=_("Receipt"),
        subtitle=_trip_in_a_line(revision),
        at=revision.at,
        opening=(
            Paragraph(Text(_("Your request for a clearance was received. This is its receipt; please keep it."))),
            Facts(tuple(rows)),
        ),
        sections=[
            Section(_("What happens next"), (Items(tuple((Text(step),) for step in steps), is_numbered=True),)),
            _tier(tier, expected.decision_by),
            _what_was_submitted(request, revision),
        ],
    )


def decision(request: TravelRequest, found: Decision, clearance: Clearance | None) -> Letter:
    """A decision with all that it rests on, the remedy when it refuses anything, the clearance when it gives one."""
    appeal = request.appeals.filter(state="overturned", ended_at=found.at).select_related("office").first()
    refuses = found.outcome != Outcome.APPROVED or bool(found.cleared)
    sections: list[Section | None] = [
        _conditions(request, found),
        _clearance(clearance),
        _grounds(request, found) if found.reason_codes else None,
        _written(_("Reasons in this case"), found.text),
        _facts_relied_on(found),
        _milder_measures(found),
        _reply(request, found) if refuses else None,
        _appeal_said(appeal) if appeal else None,
        _remedy(request, found),
        _deciders(request, found, appeal),
        _what_was_submitted(request, found.revision),
        _what_it_rests_on(request, found),
    ]
    return _letter(
        request,
        title=_TITLES[Outcome(found.outcome)](),
        subtitle=_trip_in_a_line(found.revision),
        at=found.at,
        opening=(
            Facts((*_who(request), _row(_("Decided"), *_moments(request, found.at)))),
            Notice(_outcome_in_words(found), tuple(Text(words) for words in _effect(found))),
        ),
        sections=[section for section in sections if section is not None],
    )


def appeal(request: TravelRequest, found: Appeal) -> Letter:
    """That an appeal did not change the decision, and why. One that did is told by the decision that replaced it."""
    assert found.ended_at is not None
    who = [
        *_who(request),
        _row(_("Appeal filed"), *_moments(request, found.filed_at)),
        _row(_("Decided"), *_moments(request, found.ended_at)),
        _row(_("Heard by"), _officer(found.heard_by_id, Role.APPEAL_REVIEWER, found.ended_at, office=found.office)),
    ]
    upheld = _("The decision of %(day)s stands.") % {"day": _day(_local(request, found.decision.at))}
    return _letter(
        request,
        title=_("Decision on the appeal"),
        subtitle=_trip_in_a_line(found.decision.revision),
        at=found.ended_at,
        sender=found.office,
        opening=(Facts(tuple(who)), Notice(_("The appeal does not change the decision"), (Text(upheld),))),
        sections=[
            section
            for section in (
                _written(_("Reasons"), found.outcome_text),
                _appeal_said(found),
                _grounds(request, found.decision),
                _what_was_submitted(request, found.decision.revision),
            )
            if section is not None
        ],
    )


def _letter(
    request: TravelRequest,
    *,
    title: str,
    subtitle: str,
    at: datetime,
    opening: tuple[Block, ...],
    sections: Sequence[Section],
    sender: Office | None = None,
) -> Letter:
    office = sender or request.office
    return Letter(
        language="zh" if _is_chinese() else "en",
        title=title,
        subtitle=subtitle,
        sender=tuple(part for part in (office.name, office.address, _contact(office)) if part),
        reference=request.reference,
        reference_label=_("Number"),
        date=_day(_local(request, at)),
        opening=opening,
        sections=tuple(sections),
        closing=(
            Text(_("Issued in Chinese and in English. Both say the same.")),
            Text(
                _(
                    "This paper is signed electronically: a program that checks signatures in PDF files shows who "
                    "issued it and that nothing was changed since."
                )
            ),
        ),
        page_words=_("Page {page} of {pages}"),
    )


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


def _local(request: TravelRequest, at: datetime) -> date:
    return at.astimezone(request.zone).date()


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    words = {"moment": date_format(timezone.localtime(at, zone), "DATETIME_FORMAT"), "place": zone_place(zone.key)}
    return _("%(moment)s (%(place)s time)") % words


def _moments(request: TravelRequest, at: datetime) -> Iterator[Text]:
    """A moment in the office's zone, and in the applicant's where that is another one."""
    yield Text(_moment(at, request.zone))
    account = request.applicant.user_id
    kept = Preferences.objects.filter(user_id=account) if account is not None else Preferences.objects.none()
    chosen = kept.values_list("time_zone", flat=True).first()
    if chosen and chosen != request.office.time_zone:
        yield Text(_("%(moment)s, where you are") % {"moment": _moment(at, ZoneInfo(chosen))})


def _row(label: str, *values: Text | str) -> tuple[str, tuple[Text, ...]]:
    texts = (value if isinstance(value, Text) else Text(value) for value in values)
    return label, tuple(text for text in texts if text.words)


def _contact(office: Office) -> str:
    return joined((office.phone, office.email), " · ")


def _who(request: TravelRequest) -> list[tuple[str, tuple[Text, ...]]]:
    person, company = request.applicant, request.company
    return [
        _row(_("Applicant"), Text(person.name_zh, "zh"), Text(person.name_en, "en")),
        _row(_("Company"), quoted(company.name)),
        _row(_("Staff number"), person.number),
    ]


def _trip_in_a_line(revision: Revision) -> str:
    legs = revision.content["legs"]
    first, last = particulars.days(legs)
    words = {
        "purpose": str(Purpose(revision.content["purpose"]).label),
        "countries": _(", ").join(dict.fromkeys(str(countries.name(leg["country"])) for leg in legs)),
        "from": _day(first),
        "to": _day(last),
    }
    return _("%(purpose)s: %(countries)s, %(from)s to %(to)s") % words


def _written(heading: str, words: str) -> Section | None:
    texts = paragraphs(words)
    return Section(heading, tuple(Paragraph(text) for text in texts)) if texts else None


# ── the outcome ─────────────────────────────────────────────────────────────────────────────────────────────────────

_TITLES = {
    Outcome.APPROVED: lambda: _("Clearance"),
    Outcome.DENIED: lambda: _("Denial"),
    Outcome.REVOKED: lambda: _("Revocation of a clearance"),
}


def _outcome_in_words(found: Decision) -> str:
    if found.outcome == Outcome.DENIED:
        return _("The trip is not cleared")
    if found.outcome == Outcome.REVOKED:
        return _("The clearance of the trip is taken back")
    return _("A part of the trip is cleared") if found.cleared else _("The trip is cleared")


def _effect(found: Decision) -> Iterator[str]:
    if found.outcome == Outcome.APPROVED:
        assert found.cleared_from is not None
        assert found.cleared_until is not None
        words = {"from": _day(found.cleared_from), "to": _day(found.cleared_until)}
        yield _("From %(from)s to %(to)s, both days included.") % words
        if found.cleared:
            yield _("Cleared are:") + " " + "; ".join(_place(leg) for leg in found.cleared_legs()) + "."
        if found.deemed:
            yield _("The time for deciding was over, so the trip counts as cleared.")
    if found.appeal_until is not None:
        yield _("An appeal can be filed until %(until)s; see below.") % {"until": _day(found.appeal_until)}


def _conditions(request: TravelRequest, found: Decision) -> Section | None:
    """The conditions that apply. Those of a clearance go on when a change to its trip is accepted: as they stood then,
    without those that were released."""
    imposing = queries.clearance_before_changes(found)
    rows = list(Condition.objects.filter(decision=imposing))
    steps = ConditionStep.objects.filter(condition__in=rows, at__lte=found.at)
    held = [one for one in conditions_now(rows, steps) if one.state != ConditionState.RELEASED]
    items = tuple((quoted(one.text), *_terms(one)) for one in held)
    if not items:
        return None
    blocks: tuple[Block, ...] = (Items(items, is_numbered=True),)
    if imposing != found:
        words = _("They were imposed with the clearance of %(day)s and go on.")
        blocks = (Paragraph(Text(words % {"day": _day(_local(request, imposing.at))})), *blocks)
    return Section(_("Conditions"), blocks)


def _terms(one: ConditionNow) -> Iterator[Text]:
    """By whom and until when a condition is to be met, where it has a day, and whether a document has to show it."""
    if one.due_on is not None:
        words = {"owner": one.condition.get_owner_display(), "day": _day(one.due_on)}
        yield Text(_("%(owner)s, by %(day)s.") % words)
    if one.condition.needs_evidence:
        yield Text(_("A document has to show that it was done."))


def _clearance(clearance: Clearance | None) -> Section | None:
    if clearance is None:
        return None
    address = absolute(reverse("verify_token", args=[clearance.token]))
    page = absolute(reverse("verify"))
    texts = (
        Text(
            _(
                "Whoever you show this code to can see whether it is valid, what was decided and for which days. "
                "Nothing else."
            )
        ),
        Text(_("On the page %(page)s, or without a connection by the signature in the code.") % {"page": page}),
        Text(clearance.token),
    )
    code = Code(
        svg=qr.svg(address),
        alternative=_("QR code with the address at which this clearance can be verified"),
        heading=_("To be shown by the holder"),
        texts=texts,
    )
    return Section(_("To verify this clearance"), (code,))


# ── why ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _grounds(request: TravelRequest, found: Decision) -> Section | None:
    known = {code.code: code for code in queries.reasons(found.reason_codes, request=request, at=found.at)}
    items = []
    for name in found.reason_codes:
        texts = [Text(f"{name} {known[name].label}" if name in known else name)]
        if name in known:
            instrument = known[name].instrument
            texts.append(Text(str(instrument)))
            if instrument.url:
                texts.append(Text(_("To be read at %(url)s") % {"url": instrument.url}, url=instrument.url))
        items.append(tuple(texts))
    return Section(_("Grounds"), (Items(tuple(items), is_numbered=True),)) if items else None


def _facts_relied_on(found: Decision) -> Section | None:
    if not found.relied_on:
        return _written(_("Facts relied on"), found.facts)
    parts = particulars.in_words(found.revision.content)
    items = tuple((Text(parts.get(one["part"], "")), quoted(one["fact"])) for one in found.relied_on)
    return Section(_("Facts relied on"), (Items(items),))


def _milder_measures(found: Decision) -> Section | None:
    heading = _("Milder measures considered, and why they are not enough")
    if not found.measures:
        return _written(heading, found.milder_measures)
    names = dict(Measure.choices)
    items = tuple((Text(_capitalised(str(names[one["measure"]]))), quoted(one["why"])) for one in found.measures)
    return Section(heading, (Items(items),))


def _capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]


def _reply(request: TravelRequest, found: Decision) -> Section | None:
    """What the applicant said before it was decided, word for word; that nothing was said, when nothing was."""
    if found.proposal_id is None:
        return None
    heading = _("The applicant's reply, part of this decision")
    said = Reply.objects.filter(proposal=found.proposal_id).first()
    if said is None:
        return Section(heading, (Paragraph(Text(_("No reply was given in the time for it."))),))
    blocks: list[Block] = [
        Paragraph(Text(_("Given on %(day)s:") % {"day": _day(_local(request, said.at))})),
        Quote(paragraphs(said.text)),
    ]
    if said.helper_name:
        words = {"name": said.helper_name, "relation": said.helper_relation}
        blocks.append(Paragraph(Text(_("Written with the help of %(name)s (%(relation)s).") % words), is_small=True))
    if said.attachments:
        names = _(", ").join(one["name"] for one in said.attachments)
        blocks.append(Paragraph(Text(_("With these documents: %(names)s") % {"names": names}), is_small=True))
    return Section(heading, tuple(blocks))


def _appeal_said(found: Appeal) -> Section | None:
    texts = paragraphs(found.text)
    return Section(_("What the appeal said"), (Quote(texts),)) if texts else None


def _remedy(request: TravelRequest, found: Decision) -> Section | None:
    if found.appeal_until is None:
        return None
    office = request.office
    contact = _(", ").join(part for part in (office.address, office.phone, office.email) if part)
    where = _("In writing to %(office)s: %(contact)s") % {"office": office.name, "contact": contact or office.city}
    page = absolute(reverse("request", args=[request.reference]))
    texts = (
        Text(
            _(
                "An appeal can be filed until %(until)s, online or in writing. People of another office look at "
                "everything anew and can replace the decision; nobody who took part in it hears the appeal."
            )
            % {"until": _day(found.appeal_until)}
        ),
        Text(_("On the page of the request: %(page)s") % {"page": page}, url=page),
        Text(where),
    )
    return Section(_("If you disagree"), (Notice(_("Last day: %(day)s") % {"day": _day(found.appeal_until)}, texts),))


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _officer(account: int | None, role: Role, at: datetime, *, office: Office) -> str:
    """Somebody of an office by role, number and office, never by name. The number is the one that they had then."""
    assert account is not None
    held = list(Posting.objects.filter(user_id=account, role=role, office=office).order_by("starts_at"))
    posting = next((one for one in held if one.is_in_force(at)), held[-1] if held else None)
    words = {"role": role.label, "office": office.name, "number": posting.number if posting else ""}
    if posting is None:
        return _("%(office)s, %(role)s") % words
    return _("%(office)s, %(role)s, officer %(number)s") % words


def _deciders(request: TravelRequest, found: Decision, heard: Appeal | None) -> Section:
    rows = []
    if found.deemed:
        rows.append(_row(_("Decided by"), _("Nobody: the time for deciding was over.")))
    elif heard is not None:
        rows.append(_row(_("Decided by"), _officer(found.by_id, Role.APPEAL_REVIEWER, found.at, office=heard.office)))
        rows.append(_row(_("On"), _("the appeal of %(day)s") % {"day": _day(_local(request, heard.filed_at))}))
    else:
        role = Role.SENIOR if found.outcome == Outcome.REVOKED else Role.REVIEWER
        rows.append(_row(_("Decided by"), _officer(found.by_id, role, found.at, office=request.office)))
    if found.confirmed_by_id is not None:
        confirmed = _officer(found.confirmed_by_id, Role.SENIOR, found.at, office=request.office)
        rows.append(_row(_("Confirmed by"), confirmed))
    return Section(_("Who decided"), (Facts(tuple(rows)),))


# ── on what ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _place(leg: Mapping[str, Any]) -> str:
    parts = (leg["city"], picking.subdivision_name(leg.get("subdivision", "")), str(countries.name(leg["country"])))
    return _(", ").join(part for part in parts if part)


def _what_was_submitted(request: TravelRequest, revision: Revision) -> Section:
    content = revision.content
    devices = dict(Device.choices)
    rows = [
        _row(_("What the trip is for"), quoted(content["title"])),
        _row(_("Purpose"), str(Purpose(content["purpose"]).label)),
        _row(_("What the applicant will do"), *paragraphs(content["description"])),
        _row(_("Event"), quoted(content["event_name"])),
        _row(_("Subjects"), *map(Text, picking.subjects_in_words(content["topics"]))),
        _row(_("Projects"), *map(quoted, picking.project_names(content["projects"], company_id=request.company_id))),
        _row(_("Materials carried"), *paragraphs(content["materials"])),
        _row(_("Devices carried"), *(Text(str(devices.get(code, code))) for code in content["devices"])),
        _row(_("Documents"), *(quoted(file["name"]) for file in content["attachments"])),
    ]
    itinerary = Table(
        (_("Place"), _("First day"), _("Last day"), _("Host")),
        tuple(
            (
                Text(_place(leg)),
                Text(_day(date.fromisoformat(leg["arrives_on"]))),
                Text(_day(date.fromisoformat(leg["leaves_on"]))),
                quoted(leg["host"] or "–"),
            )
            for leg in content["legs"]
        ),
    )
    heading = _("The trip as submitted, revision %(number)d") % {"number": revision.number}
    return Section(heading, (Facts(tuple(row for row in rows if row[1])), itinerary))


def _tier(tier: str, by: date) -> Section:
    words = {"tier": Tier(tier).label, "route": rules.route_for(Tier(tier)).label}
    said = _("The request has the tier “%(tier)s”. %(route)s") % words
    return Section(_("How it is decided"), (Paragraph(Text(said)),))


def _what_it_rests_on(request: TravelRequest, found: Decision) -> Section:
    """The versions of everything that was used (fair process, 25): later ones never apply backwards."""
    revision, assessed = found.revision, found.assessment
    names = _list_names(assessed.versions)
    rows = [
        _row(_("Revision"), str(revision.number), Text(bytes(revision.digest).hex())),
        _row(_("Assessed"), _moment(assessed.at, request.zone)),
        _row(_("Tier"), str(Tier(assessed.tier).label)),
        _row(_("List versions in force"), *map(Text, names or [_("none")])),
    ]
    blocks: list[Block] = [Facts(tuple(rows))]
    if hits := disclosure.hits_in_words(assessed.hits, whole=False, company_id=request.company_id):
        blocks.append(Paragraph(Text(_("These published entries counted:"))))
        blocks.append(Items(tuple(_hit(hit) for hit in hits)))
    blocks.append(_clocks(request, found))
    return Section(_("What it was decided on, and by which versions"), tuple(blocks))


def _list_names(versions: Iterable[Sequence[int]]) -> list[str]:
    numbers = {list_id: number for list_id, _version, number in versions}
    rows = SensitivityList.objects.filter(pk__in=numbers).order_by("pk").values_list("pk", "name_zh", "name_en")
    return [
        _("%(list)s, version %(number)d") % {"list": by_language(zh, en), "number": numbers[pk]} for pk, zh, en in rows
    ]


def _hit(hit: disclosure.HitWords) -> tuple[Text, ...]:
    words = {"list": hit.list, "number": hit.version, "effect": hit.effect}
    head = joined((hit.code, hit.label), " ") if not hit.is_masked else _("An entry of a confidential list")
    texts = [Text(head), Text(_("%(list)s, version %(number)d. %(effect)s") % words)]
    if hit.touched_by:
        texts.append(Text(_("Because of: %(what)s") % {"what": _(", ").join(hit.touched_by)}))
    basis = hit.secrecy if hit.is_masked and hit.secrecy else hit.basis
    texts.append(Text(basis.words, url=basis.url))
    return tuple(text for text in texts if text.words)


def _clocks(request: TravelRequest, found: Decision) -> Block:
    """The clocks that had begun: what each was counted with. The decision's own versions are those of that moment."""
    rows = []
    for row in Clock.objects.filter(request=request, started_at__lt=found.at).exclude(anchor__isnull=False):
        kind = ClockKind(row.kind)
        if kind == ClockKind.DRAFT:
            continue
        policy, calendar = row.policy_version, row.calendar_version
        if kind == ClockKind.DECISION:
            policy = found.clock_versions.get("policy", policy)
            calendar = found.clock_versions.get("calendar", calendar)
        reading = timekeeping.reading(request, row, at=found.at)
        days = _in_days(reading.days, works=row.kind in COUNTS_WORKING_DAYS)
        rows.append(
            (
                Text(str(kind.label)),
                Text(_day(_local(request, row.started_at))),
                Text(days),
                Text(_("%(policy)s, calendars %(calendar)d") % {"policy": _policy(policy), "calendar": calendar}),
            )
        )
    return Table((_("Clock"), _("Began"), _("Time allowed"), _("Policy and calendar")), tuple(rows))


def _in_days(days: int, *, works: bool) -> str:
    if works:
        return ngettext("%(count)d working day", "%(count)d working days", days) % {"count": days}
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _policy(pk: int) -> str:
    found = ClockPolicy.objects.filter(pk=pk).select_related("office").first()
    return str(found) if found else str(pk)


LANGUAGES = tuple(code for code, _name in settings.LANGUAGES)
"""The languages in which every paper is issued."""
