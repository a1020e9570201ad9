"""The inbox: what waits, in which order, for whom; how it is searched and paged; many at once and never a denial."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.roles import Role
from approvals import inbox, queries, references, workflow
from approvals.inbox import Desk, Filters, Key, Kind, Listing
from approvals.models import Leg, TravelRequest
from approvals.states import State
from approvals.views.actions import PAGES
from approvals.views.inbox import BULK
from companies.models import Company
from employees.models import Employee
from tests.approvals.calls import call
from tests.approvals.parted import cleared_in_part
from tests.approvals.staffing import MORNING, only_looked_at, signed_in, text_of
from tests.factories import (
    DENIAL,
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    in_state,
    officer_of,
    posted,
    submitted,
    with_role,
)
from tests.factories.requests import NOW

pytestmark = pytest.mark.django_db

INBOX = "/inbox/"


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


def copies(request: TravelRequest, number: int, **values: Any) -> list[TravelRequest]:
    """`number` more like `request`, each of somebody else of the company; due a minute after each other."""
    staff = Employee.unscoped.bulk_create(
        Employee(
            company_id=request.company_id, number=f"C{uuid7()}", name_en="Copy Cat", employed_from=date(2020, 1, 1)
        )
        for _ in range(number)
    )
    fields = {field.attname: getattr(request, field.attname) for field in request._meta.concrete_fields}
    made = [
        TravelRequest(
            **fields
            | {
                "id": uuid7(),
                "reference": references.next_reference(),
                "applicant_id": one.pk,
                "due_at": request.due_at + timedelta(minutes=index) if request.due_at else None,
            }
            | values
        )
        for index, one in enumerate(staff)
    ]
    TravelRequest.unscoped.bulk_create(made)
    Leg.objects.bulk_create(
        Leg(
            request=one, position=0, country="BR", city="Rio", arrives_on=date(2026, 4, 22), leaves_on=date(2026, 4, 28)
        )
        for one in made
    )
    return made


def queued(employee: Employee, **values: Any) -> TravelRequest:
    """A request that the company endorsed and nobody has taken."""
    officer = officer_of(employee.company, "Olivia Officer")
    request = submitted(employee, **values)
    if request.state == State.COMPANY_REVIEW:
        request = workflow.endorse(request.pk, actor=actor(officer, NOW), at=NOW)
    return request


def listing(user: User, tab: str, kind: Kind = Kind.OFFICE, filters: Filters | None = None) -> Listing:
    reader = actor(user, MORNING)
    desk = next(desk for desk in inbox.desks_of(reader) if desk.kind is kind)
    found = next(one for one in inbox.tabs_of(desk, reader) if one.name == tab)
    return Listing(desk, found, reader, MORNING, filters or Filters())


def shown(user: User, query: str = "") -> list[str]:
    """The numbers of the rows that `user` sees, from top to bottom."""
    response = signed_in(user).get(f"{INBOX}{query}")
    assert response.status_code == 200, response.status_code
    return re.findall(r'<tr role="row" id="r-([^"]+)"', text_of(response))


def tabs(user: User, query: str = "") -> dict[str, Any]:
    """The tabs that `user` sees, each with its count."""
    return {str(tab["label"]): tab["count"] for tab in signed_in(user).get(f"{INBOX}{query}").context["tabs"]}


# ── who sees what ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_tabs_of_an_officer_a_reviewer_and_a_senior() -> None:
    review = in_state(State.COMPANY_REVIEW)
    company = review.applicant.company
    officer, reviewer, senior = review.officer, review.reviewer, review.senior
    for state in (State.RETURNED, State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED, State.DECISION_PROPOSED):
        in_state(state, employee=employ(f"Bob {state.label}", company))
    free = queued(employ("Free Fang", company))
    mine = queued(employ("Mine Meng", company))
    workflow.take(mine.pk, actor=actor(reviewer, MORNING), at=MORNING, no_conflict=True)

    assert tabs(officer) == {"To review": 1, "Returned": 1, "With the office": 5, "All": None}
    assert tabs(reviewer) == {
        "Unassigned": 1,
        "Mine": 1,
        "Waiting for the applicant": 1,
        "Overdue": 0,
        "All": None,
    }
    assert tabs(senior) == {
        "Unassigned": 1,
        "To confirm": 1,
        "Revocations to confirm": 0,
        "Waiting for the applicant": 1,
        "Overdue": 0,
        "All": None,
    }
    assert shown(officer) == [review.request.reference]
    assert shown(reviewer) == [free.reference]
    assert shown(reviewer, "?tab=mine") == [mine.reference]
    assert len(shown(officer, "?tab=all")) == 7
    assert len(shown(reviewer, "?tab=all")) == 5


def test_a_senior_is_not_asked_to_confirm_what_they_proposed() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    posted(cast.request.office, Role.SENIOR, "4001", user=cast.reviewer)
    call("propose", cast.request.pk, actor(cast.reviewer, MORNING), MORNING)
    revoked = in_state(State.APPROVED, employee=employ("Rita Revoked", cast.applicant.company))
    call("propose_revocation", revoked.request.pk, actor(cast.senior, MORNING), MORNING)

    assert shown(cast.reviewer, "?tab=confirm") == []
    assert shown(cast.senior, "?tab=confirm") == [cast.request.reference]
    assert shown(cast.senior, "?tab=revocations") == []
    assert shown(cast.second_senior, "?tab=revocations") == [revoked.request.reference]


def test_an_appeal_comes_to_the_office_that_hears_it() -> None:
    cast = in_state(State.DENIED)
    pudong = OfficeFactory.create(code="PD", name_en="Pudong office")
    ping, pan = (posted(pudong, Role.APPEAL_REVIEWER, number, number) for number in ("0099", "0098"))
    alice = cast.applicant.user
    assert alice is not None
    call("file_appeal", cast.request.pk, actor(alice, MORNING), MORNING)

    assert shown(ping) == shown(pan) == [cast.request.reference]
    call("hear_appeal", cast.request.pk, actor(ping, MORNING), MORNING)
    assert shown(ping) == []
    assert shown(ping, "?tab=hearing") == [cast.request.reference]
    assert shown(pan, "?tab=hearing") == []
    assert shown(pan, "?tab=all") == [cast.request.reference]


def test_who_has_no_desk_has_no_inbox() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    for user in (cast.applicant.user, with_role(Role.AUDITOR), with_role(Role.ADMINISTRATOR)):
        assert signed_in(user).get(INBOX).status_code == 403


def test_a_declared_conflict_takes_the_case_out_of_sight() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    workflow.recuse(cast.request.pk, actor=actor(cast.reviewer, MORNING), at=MORNING)

    assert shown(cast.senior, "?tab=all") == [cast.request.reference]
    assert shown(cast.reviewer, "?tab=all") == []
    assert tabs(cast.reviewer)["Unassigned"] == 0
    assert tabs(cast.senior)["Unassigned"] == 1


def test_no_desk_shows_what_its_people_may_not_see() -> None:
    """Every tab of every desk is a part of `visible_to`, also for somebody who is everything at once."""
    here = in_state(State.AUTHORITY_REVIEW)
    elsewhere = CompanyFactory.create(name_en="Elsewhere", name_zh="别处", office=OfficeFactory.create(code="PD"))
    for index, state in enumerate(State):
        for company in (here.applicant.company, elsewhere):
            in_state(state, employee=employ(f"Bob {'ABCDEFGHIJKLM'[index]}", company))
    workflow.recuse(here.request.pk, actor=actor(here.reviewer, MORNING), at=MORNING)
    many = posted(elsewhere.office, Role.SENIOR, "8000", user=here.reviewer)
    officer_of(elsewhere, user=many)
    posted(here.request.office, Role.APPEAL_REVIEWER, "8001", user=posted(elsewhere.office, Role.HEAD, "8002"))

    seen = 0
    for user in User.objects.all():
        reader = actor(user, MORNING)
        visible = set(queries.visible_to(reader).values_list("reference", flat=True))
        for desk in inbox.desks_of(reader):
            for tab in inbox.tabs_of(desk, reader):
                rows = inbox.read(Listing(desk, tab, reader, MORNING)).rows
                assert {row.reference for row in rows} <= visible, (user, desk, tab.name)
                seen += len(rows)
    assert seen > 100


def test_who_works_in_several_places_chooses_the_desk() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    pudong = OfficeFactory.create(code="PD", name_en="Pudong office")
    posted(pudong, Role.REVIEWER, "8000", user=cast.reviewer)
    officer_of(cast.applicant.company, user=cast.reviewer)

    response = signed_in(cast.reviewer).get(INBOX)
    desks = response.context["desks"]

    assert [desk["label"] for desk in desks] == ["Haidian office", "Pudong office", "Beichen Intelligence"]
    assert [desk["current"] for desk in desks] == [True, False, False]
    assert shown(cast.reviewer, desks[1]["url"] + "&tab=all") == []
    assert shown(cast.reviewer, desks[2]["url"] + "&tab=all") == [cast.request.reference]
    assert tabs(cast.reviewer, desks[2]["url"]).keys() == {"To review", "Returned", "With the office", "All"}


# ── in which order ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_urgent_first_then_the_least_time_left() -> None:
    company = CompanyFactory.create()
    long = queued(employ("Slow Shen", company), title="Heightened")
    TravelRequest.unscoped.filter(pk=long.pk).update(due_at=long.due_at + timedelta(days=10))
    short = queued(employ("Quick Qin", company))
    urgent = queued(employ("Urgent Wu", company), purpose="urgent_humanitarian", topics=[])
    TravelRequest.unscoped.filter(pk=urgent.pk).update(due_at=long.due_at + timedelta(days=30))
    rui = posted(company.office, Role.REVIEWER, "0417", "Rui Reviewer")

    assert shown(rui) == [urgent.reference, short.reference, long.reference]


@pytest.mark.parametrize("state", [State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED, State.DECISION_PROPOSED])
def test_whatever_is_sorted_by_time_left_has_a_due_date(state: State) -> None:
    assert in_state(state).request.due_at is not None
    assert (
        in_state(State.COMPANY_REVIEW, employee=employ("Bob Bao", CompanyFactory.create())).request.due_at is not None
    )


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=3), "working days left"),
        (timedelta(), "due today"),
        (-timedelta(days=1), "overdue by 1 working day"),
    ],
)
def test_the_time_left_is_said_in_working_days(left: timedelta, words: str) -> None:
    request = queued(employ("Alice Wang", CompanyFactory.create()))
    rui = posted(request.office, Role.REVIEWER, "0417", "Rui Reviewer")
    midnight = MORNING.replace(hour=0) + timedelta(days=1)  # the end of today
    TravelRequest.unscoped.filter(pk=request.pk).update(due_at=midnight + left)

    page = text_of(signed_in(rui).get(INBOX))

    assert words in page


PAGED: list[tuple[str, Kind, State]] = [
    ("unassigned", Kind.OFFICE, State.AUTHORITY_REVIEW),
    ("all", Kind.OFFICE, State.AUTHORITY_REVIEW),
    ("review", Kind.COMPANY, State.COMPANY_REVIEW),
    ("all", Kind.COMPANY, State.COMPANY_REVIEW),
]


@pytest.mark.parametrize(("tab", "kind", "state"), PAGED)
@pytest.mark.parametrize("ties", [False, True])
def test_every_row_is_on_one_page_forwards_and_back(tab: str, kind: Kind, state: State, ties: bool) -> None:
    cast = in_state(state)
    if kind is Kind.OFFICE:
        call("hand_over", cast.request.pk, actor(cast.senior, MORNING), MORNING)
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    same = {"due_at": request.due_at} if ties else {}
    copies(request, 6, **same)
    copies(request, 4, urgent=True, **same)
    asked = listing(cast.reviewer if kind is Kind.OFFICE else cast.officer, tab, kind)

    whole = inbox.read(asked, size=100).rows
    forwards, place = [inbox.read(asked, size=3)], None
    while place := forwards[-1].next:
        forwards.append(inbox.read(asked, after=place, size=3))
    backwards = [forwards[-1]]
    while place := backwards[-1].previous:
        backwards.append(inbox.read(asked, before=place, size=3))
        assert len(backwards) < 10

    assert len({row.id for row in whole}) == len(whole) == 11
    assert [row.id for page in forwards for row in page.rows] == [row.id for row in whole]
    assert [row.id for page in reversed(backwards) for row in page.rows] == [row.id for row in whole]
    assert backwards[-1].previous is None
    if tab != "all":
        assert [row.urgent for row in whole] == sorted((row.urgent for row in whole), reverse=True)


def test_a_key_from_the_address_bar_that_is_none_is_the_first_page() -> None:
    request = queued(employ("Alice Wang", CompanyFactory.create()))
    rui = posted(request.office, Role.REVIEWER, "0417", "Rui Reviewer")

    for nonsense in ("x", "1~yesterday~2", "0~2026-03-03~not-an-id", "~~", "%00"):
        assert shown(rui, f"?after={nonsense}") == [request.reference]
    assert shown(rui, "?tab=nonsense&desk=office-999&country=XX&tier=none") == [request.reference]


def test_a_key_reads_as_it_was_written() -> None:
    key = Key(urgent=True, value=NOW.isoformat(), id=uuid7())

    assert Key.parse(str(key)) == key


# ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_number_however_it_is_typed_leads_straight_to_the_request() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    plain = cast.request.reference.replace("-", "").lower()

    for typed in (cast.request.reference, plain, f" {plain[:4]} {plain[4:]} "):
        for user, page in ((cast.reviewer, "case"), (cast.officer, "request")):
            response = signed_in(user).get(INBOX, {"q": typed})
            assert response.status_code == 302
            assert response["Location"] == reverse(page, args=[cast.request.reference])


def test_a_number_that_is_not_mine_to_see_is_not_found() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    elsewhere = posted(OfficeFactory.create(code="PD"), Role.REVIEWER, "0001", "Ren Elsewhere")

    response = signed_in(elsewhere).get(INBOX, {"q": cast.request.reference})

    assert response.status_code == 200
    assert "Nothing found here" in text_of(response)


def found(user: User, **query: str) -> set[str]:
    response = signed_in(user).get(INBOX, {"tab": "all", **query})
    return set(re.findall(r'<tr role="row" id="r-([^"]+)"', text_of(response)))


def test_search_by_name_company_title_and_country_in_either_language() -> None:
    company = CompanyFactory.create()
    alice = queued(employ("Alice Wang", company, name_zh="王爱丽"), title="ICLR in Rio")
    legs = [
        {
            "country": "JP",
            "city": "Kyoto",
            "arrives_on": date(2026, 4, 2),
            "leaves_on": date(2026, 4, 3),
            "host": "",
        }
    ]
    bob = queued(employ("Bob Li", company, name_zh="李䶮"), title="100% open source", legs=legs)
    other = Company.objects.create(
        name_en="Tiangong Robotics", name_zh="天工机器人", uscc="91110108MA00000018", office=company.office
    )
    cora = queued(employ("Cora Xu", other, name_zh="徐可"), title="A visit", purpose="business")
    rui = posted(company.office, Role.REVIEWER, "0417", "Rui Reviewer")

    expected = {
        "王爱": {alice},
        "alice w": {alice},
        "䶮": {bob},
        "Tiangong": {cora},
        "机器人": {cora},
        "iclr": {alice},
        "Japan": {bob},
        "日本": {bob},
        "100%": {bob},
        "%": {bob},
        "_": set(),
        "'; DROP TABLE": set(),
        "nobody": set(),
    }
    for words, requests in expected.items():
        assert found(rui, q=words) == {one.reference for one in requests}, words
    assert found(rui, country="JP") == {bob.reference}
    assert found(rui, purpose="business") == {cora.reference}
    assert found(rui, country="BR", purpose="conference", q="wang") == {alice.reference}
    assert found(rui, tier="fast") == {alice.reference, bob.reference, cora.reference}
    assert found(rui, tier="restricted") == set()
    assert found(rui, overdue="on") == set()
    TravelRequest.unscoped.filter(pk=alice.pk).update(due_at=MORNING - timedelta(days=1))
    assert found(rui, overdue="on") == {alice.reference}
    assert shown(rui, "?tab=overdue") == [alice.reference]


def test_filters_stay_in_the_address_of_tabs_pages_and_rows() -> None:
    request = queued(employ("Alice Wang", CompanyFactory.create()))
    rui = posted(request.office, Role.REVIEWER, "0417", "Rui Reviewer")
    copies(request, inbox.PAGE)

    response = signed_in(rui).get(INBOX, {"tab": "unassigned", "country": "BR", "q": "o"})
    following = parse_qs(urlsplit(response.context["next_url"]).query)
    first = re.findall(r'href="(/cases/[^"]+)" data-open', text_of(response))[0]
    place = parse_qs(parse_qs(urlsplit(first).query)["from"][0])

    assert following.keys() == {"desk", "tab", "country", "q", "after"}
    assert (following["country"], following["q"]) == (["BR"], ["o"])
    assert place == {"desk": following["desk"], "tab": ["unassigned"], "country": ["BR"], "q": ["o"]}
    assert len(shown(rui, response.context["next_url"])) == 1


# ── what it costs ───────────────────────────────────────────────────────────────────────────────────────────────────

# Account, roles, rows, counts, bell.
QUERIES = 5


def cost(user: User, query: str) -> int:
    client = signed_in(user)
    client.get(f"{INBOX}{query}")  # the calendars are read once for a process
    with CaptureQueriesContext(
        connection,
    ) as made:
        client.get(f"{INBOX}{query}")
    return len([one for one in made.captured_queries if "django_session" not in one["sql"]])


@pytest.mark.parametrize(
    ("who", "state", "query"),
    [
        ("reviewer", State.AUTHORITY_REVIEW, "?tab=mine"),
        ("senior", State.DECISION_PROPOSED, "?tab=confirm"),
        ("reviewer", State.AUTHORITY_REVIEW, "?tab=all"),
        ("reviewer", State.AUTHORITY_REVIEW, "?tab=mine&country=BR&q=i&tier=fast&purpose=conference"),
        ("officer", State.COMPANY_REVIEW, "?tab=review"),
        ("officer", State.COMPANY_REVIEW, "?tab=all"),
    ],
)
def test_fifty_rows_cost_as_many_queries_as_one(who: str, state: State, query: str) -> None:
    cast = in_state(state)
    user: User = getattr(cast, who)
    assert cost(user, query) == QUERIES
    copies(cast.request, 2)
    assert len(shown(user, query)) == 3
    assert cost(user, query) == QUERIES
    copies(cast.request, 60)
    assert len(shown(user, query)) == 50
    assert cost(user, query) == QUERIES


def test_of_a_trip_that_is_cleared_in_part_the_part_is_shown() -> None:
    cast = cleared_in_part()
    for who in (cast.reviewer, cast.officer):
        page = text_of(signed_in(who).get(f"{INBOX}?tab=all"))
        assert "Brazil" in page
        assert "23 April 2026 – 25 April 2026" in re.sub("<[^>]+>", "", page)
        assert "Portugal" not in re.sub("<select.*?</select>", "", page, flags=re.DOTALL)
        assert cost(who, "?tab=all") == QUERIES


def test_counts_stop_at_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    copies(cast.request, 98)
    assert tabs(cast.reviewer)["Mine"] == 99
    copies(cast.request, 5)
    assert tabs(cast.reviewer)["Mine"] == "99+"


def test_no_count_reads_more_than_it_shows() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    with CaptureQueriesContext(connection) as made:
        signed_in(cast.reviewer).get(INBOX)

    counting = [one["sql"] for one in made.captured_queries if "count(" in one["sql"].lower()]
    assert counting
    for sql in counting:
        assert sql.lower().count("count(") == sql.upper().count("LIMIT"), sql


# ── how it looks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_says_what_is_needed_and_escapes_what_people_typed() -> None:
    alice = employ("Alice Wang", CompanyFactory.create(name_en="R&D <b>"), name_zh="王爱丽")
    request = queued(alice, title='<script>alert("x")</script>')
    rui = posted(request.office, Role.REVIEWER, "0417", "Rui Reviewer")

    page = signed_in(rui).get(INBOX).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page
    assert "R&amp;D &lt;b&gt;" in page
    assert '<span lang="zh-Hans">王爱丽</span> Alice Wang' in page
    assert "Brazil" in page
    assert f'aria-label="Choose {request.reference}"' in page
    for hook in ("data-inbox", "data-row", "data-open", "data-select", "data-select-all", "data-select-count"):
        assert hook in page, hook


def test_the_inbox_in_chinese() -> None:
    request = queued(employ("Alice Wang", CompanyFactory.create(), name_zh="王爱丽"))
    rui = posted(request.office, Role.REVIEWER, "0417", "Rui Reviewer")
    User.objects.filter(pk=rui.pk).update(language="zh-hans")
    rui.refresh_from_db()

    page = text_of(signed_in(rui).get(INBOX))

    assert "北辰智能" in page
    assert "巴西" in page
    assert '<html lang="zh-hans">' in page


@pytest.mark.parametrize(("kind", "tab"), [(kind, tab.name) for kind, tabs in inbox.TABS.items() for tab in tabs])
def test_an_empty_tab_says_what_will_appear_there(kind: Kind, tab: str) -> None:
    company = CompanyFactory.create()
    user = officer_of(company)
    for role in (Role.REVIEWER, Role.SENIOR, Role.APPEAL_REVIEWER):
        posted(company.office, role, "0417", user=user)
    scope = company.pk if kind is Kind.COMPANY else company.office.pk

    response = signed_in(user).get(INBOX, {"desk": Desk(kind, scope).key, "tab": tab})

    assert "Nothing waits here" in text_of(response)
    assert response.context["listing"].tab.name == tab
    assert response.context["empty"]


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────────────


def bulk(verb: str, requests: Sequence[TravelRequest], place: str = "") -> str:
    chosen = "".join(f"&r={request.reference}" for request in requests)
    return f"/inbox/bulk/?do={verb}&from={place}{chosen}"


def test_no_verb_that_refuses_a_trip_can_be_done_in_bulk() -> None:
    refusing = {
        verb
        for verb, rows in workflow.transitions().items()
        for row in rows.values()
        if row.targets & {State.DENIED, State.REVOKED, State.COMPANY_DECLINED}
    } | {"propose", "propose_denial", "propose_revocation", "object", "uphold", "reject_proposal"}

    assert set(BULK) == {"endorse", "take", "hand_over", "ask_information"}
    assert not set(BULK) & refusing


@pytest.mark.parametrize("verb", sorted(set(PAGES) - set(BULK)))
def test_every_other_verb_is_unknown_in_bulk(verb: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    grounds = {"reason_codes": DENIAL.reason_codes, "text": "x", "facts": "x", "milder_measures": "x"}

    with only_looked_at():
        for user in (cast.reviewer, cast.senior, cast.officer):
            assert signed_in(user).get(bulk(verb, [cast.request])).status_code == 404
            assert signed_in(user).post(bulk(verb, []), {"r": cast.request.reference, **grounds}).status_code == 404


def test_several_are_taken_each_for_itself_after_a_preview() -> None:
    company = CompanyFactory.create()
    first, second, third = (queued(employ(f"Bob {name}", company)) for name in ("Ann", "Bo", "Cai"))
    rui, ren = (posted(company.office, Role.REVIEWER, number, number) for number in ("0417", "0418"))
    workflow.take(second.pk, actor=actor(ren, MORNING), at=MORNING, no_conflict=True)

    with only_looked_at():
        preview = signed_in(rui).get(bulk("take", [first, second, third]))
        undeclared = signed_in(rui).post(bulk("take", []), {"r": [first.reference, third.reference]})
    everything = {"r": [first.reference, second.reference, third.reference], "no_conflict": "on"}
    done = signed_in(rui).post(bulk("take", []), everything)

    assert [bool(item.refusal) for item in preview.context["items"]] == [False, True, False]
    assert "Take the case (2)" in text_of(preview)
    assert undeclared.status_code == 422
    assert done.status_code == 200
    assert "Done for 2 requests. 1 was left as it is." in text_of(done)
    holders = dict(TravelRequest.unscoped.values_list("reference", "assigned_reviewer_id"))
    assert holders == {first.reference: rui.pk, second.reference: ren.pk, third.reference: rui.pk}


def test_what_happened_between_preview_and_button_is_the_row_s_own_result() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    other = submitted(employ("Bob Bao", cast.applicant.company))
    olivia = signed_in(cast.officer)
    assert olivia.get(bulk("endorse", [cast.request, other])).context["done"] == 2
    call("decline", other.pk, actor(cast.officer, MORNING), MORNING)

    done = olivia.post(bulk("endorse", []), {"r": [cast.request.reference, other.reference], "comment": ""})

    results = {item.trip.pk: item for item in done.context["items"]}
    assert results[cast.request.pk].refusal is None
    assert results[cast.request.pk].state == State.AUTHORITY_REVIEW
    assert "“Declined by the company”" in str(results[other.pk].refusal)
    states = dict(TravelRequest.unscoped.values_list("pk", "state"))
    assert states == {cast.request.pk: State.AUTHORITY_REVIEW, other.pk: State.COMPANY_DECLINED}


def test_an_officer_s_own_trip_is_left_out_of_the_bulk() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    olive = employ("Olive Officer", cast.applicant.company, user=cast.officer)
    own = submitted(olive)

    done = signed_in(cast.officer).post(
        bulk("endorse", []), {"r": [own.reference, cast.request.reference], "comment": ""}
    )

    assert [bool(item.refusal) for item in done.context["items"]] == [True, False]
    assert TravelRequest.unscoped.get(pk=own.pk).state == State.COMPANY_REVIEW


def test_several_are_handed_over_and_a_conflict_stays_where_it_was() -> None:
    company = CompanyFactory.create()
    first, second = (queued(employ(f"Bob {name}", company)) for name in ("Ann", "Bo"))
    rui = posted(company.office, Role.REVIEWER, "0417", "Rui Reviewer")
    shan = posted(company.office, Role.SENIOR, "0500", "Shan Senior")
    workflow.recuse(first.pk, actor=actor(rui, MORNING), at=MORNING)

    preview = text_of(signed_in(shan).get(bulk("hand_over", [first, second])))
    done = signed_in(shan).post(
        bulk("hand_over", []),
        {"r": [first.reference, second.reference], "reviewer_id": rui.pk, "reason": "Even load."},
    )

    assert "0417 Rui Reviewer · 0 open cases" in preview
    assert [bool(item.refusal) for item in done.context["items"]] == [True, False]
    assert TravelRequest.unscoped.get(pk=first.pk).assigned_reviewer is None
    assert TravelRequest.unscoped.get(pk=second.pk).assigned_reviewer == rui


def test_several_applicants_are_asked_the_same() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)

    done = signed_in(cast.reviewer).post(
        bulk("ask_information", [], place="tab%3Dmine"),
        {"r": [cast.request.reference], "items": "Who pays?", "reason": "To know the host."},
    )

    assert "Done for 1 request." in text_of(done)
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.INFORMATION_REQUESTED


def test_bulk_is_for_those_whose_verb_it_is_and_for_what_they_see() -> None:
    cast = in_state(State.COMPANY_REVIEW)
    elsewhere = CompanyFactory.create(name_en="Elsewhere", name_zh="别处", office=OfficeFactory.create(code="PD"))
    stranger = officer_of(elsewhere, "Oskar Elsewhere")

    with only_looked_at():
        assert signed_in(cast.reviewer).get(bulk("endorse", [cast.request])).status_code == 403
        assert signed_in(cast.applicant.user).get(bulk("endorse", [cast.request])).status_code == 403
        shown_to_stranger = signed_in(stranger).get(bulk("endorse", [cast.request]))
        pressed = signed_in(stranger).post(bulk("endorse", []), {"r": cast.request.reference, "comment": ""})
    assert shown_to_stranger.context["items"] == pressed.context["items"] == []
    assert cast.request.title not in text_of(shown_to_stranger)


def test_a_preview_of_three_costs_as_many_queries_as_of_one() -> None:
    company = CompanyFactory.create()
    requests = [queued(employ(f"Bob {name}", company)) for name in ("Ann", "Bo", "Cai")]
    rui = posted(company.office, Role.REVIEWER, "0417", "Rui Reviewer")
    client = signed_in(rui)
    client.get(bulk("take", requests))
    costs = []
    for chosen in (requests[:1], requests):
        with CaptureQueriesContext(connection) as made:
            client.get(bulk("take", chosen))
        costs.append(len(made))

    assert costs[0] == costs[1]


# ── beside a case ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_neighbours_follow_the_order_of_the_list_even_when_the_case_has_left_it() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    copies(cast.request, 3)
    copies(cast.request, 1, urgent=True)
    asked = listing(cast.reviewer, "mine")
    rows = inbox.read(asked).rows
    middle = queries.visible_to(asked.actor).get(pk=rows[2].id)
    around = inbox.neighbours(asked, inbox.place_in(asked, middle))
    first = queries.visible_to(asked.actor).get(pk=rows[0].id)
    at_the_top = inbox.neighbours(asked, inbox.place_in(asked, first))
    gone = replace(asked, filters=Filters(country="JP"))

    assert around == (rows[1].reference, rows[3].reference)
    assert at_the_top == (None, rows[1].reference)
    assert inbox.neighbours(gone, inbox.place_in(gone, middle)) == (None, None)
    assert inbox.neighbours(asked, None) == (None, rows[0].reference)
