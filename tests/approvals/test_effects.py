"""A published list changes nothing that was submitted; seniors see which open cases it would have sent another way."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from approvals import effects, workflow
from approvals.effects import Direction, Effect
from approvals.models import Assessment, Clock, TravelRequest
from approvals.states import State, Tier
from notifications import delivery
from notifications.models import Notification
from sensitivity import drafting, publishing
from sensitivity.models import ListKind, ListVersion
from tests.asserting import nothing_moved
from tests.factories import (
    NOW,
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    entry_of,
    entry_values,
    in_state,
    list_in_force,
    list_manager,
    posted,
    published,
)
from tests.factories.requests import LEGS, Cast

LATER = NOW + timedelta(days=1)
TODAY = publishing.today(LATER)


def case(name: str = "Alice Wang", state: State = State.AUTHORITY_REVIEW, **values: Any) -> Cast:
    return in_state(state, employee=employ(name, CompanyFactory.create()), **values)


def seen(by: User, *, at: Any = LATER) -> list[Effect]:
    return effects.on_open_cases(actor(by, at), at=at)


def again(of: ListVersion, level: int | None, code: str = "cs.IR", *, at: Any = LATER) -> ListVersion:
    """The next version of a list, published at `at`, with another level for this entry; None: without the entry."""
    author, publisher = list_manager("Luo Next", at=at), list_manager("Peng Next", at=at)
    draft = publishing.draft(of.list_id, actor=author, at=at)
    entry = entry_of(draft, code)
    if level is None:
        drafting.remove(draft.pk, entry.lineage, actor=author, at=at, edit=0)
        drafting.add(draft.pk, actor=author, at=at, values=entry_values("cs.XX"))
    else:
        drafting.change(draft.pk, entry.lineage, actor=author, at=at, edit=0, values={"level": level})
    return published(ListVersion.objects.get(pk=draft.pk), author=author, publisher=publisher, at=at)


# ── publishing changes nothing ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.COMPANY_REVIEW, State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED])
def test_publishing_changes_no_submitted_request(state: State) -> None:
    first = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 1))
    cast = case(state=state)

    def standing() -> Any:
        request = TravelRequest.unscoped.filter(pk=cast.request.pk).values().get()
        clocks = list(Clock.objects.filter(request=cast.request).order_by("pk").values())
        snapshots = list(Assessment.objects.filter(request=cast.request).order_by("pk").values())
        return request, clocks, snapshots

    before = standing()
    again(first, 3)
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), at=LATER)
    assert standing() == before
    assert before[0]["tier"] == Tier.STANDARD
    assert [(hit["code"], hit["level"]) for hit in before[2][0]["hits"]] == [("cs.IR", 1)]


# ── what seniors see ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_senior_sees_what_would_be_another_tier_because_of_what_and_since_when() -> None:
    first = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 1), entry_values("cs.CR", 2))
    up, down = case("Up Pei"), case("Down Dong", topics=["cs.CR"])
    assert seen(up.senior) == []
    second = again(first, 3)
    later = LATER + timedelta(days=1)
    again(second, None, "cs.CR", at=later)
    with nothing_moved():
        found = {one.reference: one for one in seen(up.senior, at=later)}
    assert found.keys() == {up.request.reference, down.request.reference}
    higher = found[up.request.reference]
    assert (higher.tier, higher.would_be, higher.direction) == (Tier.STANDARD, Tier.RESTRICTED, Direction.UP)
    [one] = higher.differences
    assert one.before
    assert one.after
    assert (one.entry.code, one.before.level, one.after.level) == ("cs.IR", 1, 3)
    lower = found[down.request.reference]
    assert (lower.tier, lower.would_be, lower.direction) == (Tier.HEIGHTENED, Tier.FAST, Direction.DOWN)
    assert [(one.entry.code, one.after) for one in lower.differences] == [("cs.CR", None)]
    assert lower.since == publishing.today(later)


@pytest.mark.django_db
def test_a_copy_of_a_version_says_nothing_new() -> None:
    first = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2), entry_values("cs.CR", 2))
    cast = case()
    again(first, 1, "cs.CR")
    assert seen(cast.senior) == []


@pytest.mark.django_db
def test_another_entry_in_the_same_tier_is_told_apart() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2))
    cast = case()
    list_in_force(ListKind.DESTINATION, entry_values("BR", 1), at=LATER)
    [one] = seen(cast.senior)
    assert (one.direction, one.since) == (Direction.SAME, TODAY)
    assert effects.count(actor(cast.senior, LATER), at=LATER) == 0


@pytest.mark.django_db
def test_an_entry_whose_time_is_over_counts_no_more_in_the_same_version() -> None:
    list_in_force(
        ListKind.TECHNOLOGY,
        entry_values("cs.IR", 2, valid_until=publishing.today(NOW)),
        entry_values("cs.CL", 2, valid_from=TODAY),
    )
    cast, other = case(), case("Bo Li", topics=["cs.CL"])
    assert seen(cast.senior, at=NOW + timedelta(hours=9)) == []
    found = {one.reference: one for one in seen(cast.senior)}
    over, begun = found[cast.request.reference], found[other.request.reference]
    assert (over.would_be, over.since) == (Tier.FAST, TODAY)
    assert (begun.would_be, begun.since) == (Tier.HEIGHTENED, TODAY)


@pytest.mark.django_db
def test_a_list_that_ended_counts_no_more() -> None:
    version = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2))
    cast = case()
    at = NOW + timedelta(days=400)
    [one] = seen(cast.senior, at=at)
    assert (one.tier, one.would_be, one.since) == (Tier.HEIGHTENED, Tier.FAST, version.published_until)


@pytest.mark.django_db
def test_a_tier_that_a_person_set_is_not_an_effect_of_lists() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2))
    cast = case()
    workflow.change_tier(
        cast.request.pk, actor=actor(cast.senior, LATER), at=LATER, tier=Tier.RESTRICTED, reason="A closed session."
    )
    assert seen(cast.senior) == []
    list_in_force(ListKind.DESTINATION, entry_values("BR", 2), at=LATER)
    [one] = seen(cast.senior)
    assert (one.tier, one.would_be, one.by_a_person) == (Tier.RESTRICTED, Tier.HEIGHTENED, True)


@pytest.mark.django_db
def test_a_match_that_a_person_confirmed_counts_as_it_did() -> None:
    list_in_force(
        ListKind.ORGANISATION, entry_values("ICLR-1", 3, label_en="ICLR Foundations", label_zh="国际学习表征基金会")
    )
    cast = case()
    at = NOW + timedelta(hours=9)
    assert cast.request.assessment
    [one] = cast.request.assessment.possible
    key = f"{one['hit']['lineage']}:{one['written']}"
    workflow.judge_match(
        cast.request.pk, actor=actor(cast.reviewer, at), at=at, key=key, confirmed=True, reason="It is on their page."
    )
    assert seen(cast.senior) == []


@pytest.mark.django_db
def test_only_open_cases_of_the_seniors_own_office_that_they_may_see() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.XX", 2))
    here, asked = case(), case("Ask Ai", State.INFORMATION_REQUESTED)
    proposed = case("Pro Posed", State.DECISION_PROPOSED)
    over, early = case("Over Ou", State.APPROVED), case("Early Er", State.COMPANY_REVIEW)
    elsewhere = posted(OfficeFactory.create(code="PD"), Role.SENIOR, "7000")
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), at=LATER)
    assert {one.reference for one in seen(here.senior)} == {here.request.reference, asked.request.reference}
    assert {proposed.request.state, over.request.state, early.request.state} & set(effects.STATES) == set()
    assert seen(elsewhere) == seen(here.reviewer) == seen(here.officer) == []
    posted(here.request.office, Role.REVIEWER, "7001", user=here.senior)
    workflow.recuse(here.request.pk, actor=actor(here.senior, LATER), at=LATER, reason="A friend.")
    assert {one.reference for one in seen(here.senior)} == {asked.request.reference}


@pytest.mark.django_db
def test_what_is_shown_is_what_assessing_anew_does() -> None:
    first = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 1), entry_values("cs.CR", 3))
    long = [{**LEGS[0], "leaves_on": LEGS[0]["arrives_on"] + timedelta(days=20)}]
    casts = [case(), case("Bo Li", topics=["cs.CR"]), case("Chen Xu", topics=["cs.CL"], legs=long)]
    again(again(first, 2), None, "cs.CR", at=LATER + timedelta(days=1))
    list_in_force(ListKind.DESTINATION, entry_values("BR", 1), at=LATER)
    at = LATER + timedelta(days=2)
    found = seen(casts[0].senior, at=at)
    assert {one.direction for one in found} == set(Direction)
    for one in found:
        moved = workflow.reassess(one.request_id, actor=actor(casts[0].senior, at), at=at, reason="New lists.")
        assert moved.tier == one.would_be
    assert seen(casts[0].senior, at=at) == []


@pytest.mark.django_db
def test_urgent_cases_come_first() -> None:
    first, urgent = case(), case("Bo Li")
    TravelRequest.unscoped.filter(pk=urgent.request.pk).update(urgent=True)
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), at=LATER)
    assert [one.reference for one in seen(first.senior)] == [urgent.request.reference, first.request.reference]


@pytest.mark.django_db
def test_as_many_queries_for_one_case_as_for_three() -> None:
    cast = case()
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), at=LATER)
    asked = []
    for number in (1, 3):
        for name in ["Bo Li", "Chen Xu"][: number - 1]:
            case(name)
        with CaptureQueriesContext(connection) as questions:
            assert len(seen(cast.senior)) == number
        asked.append(len(questions))
    assert asked[0] == asked[1]


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(user: User, query: str = "") -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("list_effects") + query)


@pytest.fixture
def today() -> Any:
    """Pages look at their own clock, so these cases are of today."""
    return timezone.now()


@pytest.mark.django_db
def test_the_page_names_case_tiers_entry_and_the_way_to_assess_it_anew(today: Any) -> None:
    legs = [
        {**LEGS[0], "arrives_on": today.date() + timedelta(days=40), "leaves_on": today.date() + timedelta(days=44)}
    ]
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2), at=today)
    cast = case(legs=legs, at=today)
    assert cast.request.tier == Tier.HEIGHTENED
    assert "say of every open case what they said" in page(cast.senior).content.decode()
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3, label_en="Brazil"), at=today)
    html = page(cast.senior).content.decode()
    assert "1 open case would be assessed otherwise today: 0 lower, 1 higher, 0 in the same tier." in html
    assert cast.request.reference in html
    assert "BR Brazil (List of destinations): new, level 3" in html
    assert reverse("request_do", args=[cast.request.reference, "reassess"]) in html
    assert cast.applicant.name_en not in html
    assert "None." in page(cast.senior, "?tab=down").content.decode()
    assert page(cast.reviewer).status_code == 403


@pytest.mark.django_db
def test_a_senior_finds_it_at_home(today: Any) -> None:
    legs = [
        {**LEGS[0], "arrives_on": today.date() + timedelta(days=40), "leaves_on": today.date() + timedelta(days=44)}
    ]
    cast = case(legs=legs, at=today)

    def home(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.get(reverse("home")).content.decode()

    assert reverse("list_effects") not in home(cast.senior)
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), at=today)
    assert reverse("list_effects") in home(cast.senior)
    assert reverse("list_effects") not in home(cast.reviewer)


@pytest.mark.django_db
def test_seniors_are_told_when_a_version_is_published() -> None:
    cast = case()
    elsewhere = posted(OfficeFactory.create(code="PD"), Role.SENIOR, "7000")
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), at=LATER)
    delivery.deliver(at=LATER)
    told = {
        user: [one for one in Notification.objects.in_bell_of(user.pk) if one.url.endswith(reverse("list_effects"))]
        for user in (cast.senior, cast.second_senior, elsewhere, cast.reviewer)
    }
    assert [len(found) for found in told.values()] == [1, 1, 0, 0], "who has no open cases is not told"
