"""From a trip and the published lists to a tier: nothing about the person, nothing that is not published."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import Invalid
from approvals import assessment, rules, workflow
from approvals.models import Assessment, TravelRequest
from approvals.states import Route, State, Tier
from sensitivity.matching import Facts, Hit, Place
from sensitivity.models import ListKind
from tests.asserting import nothing_moved
from tests.factories import (
    NOW,
    CompanyFactory,
    actor,
    draft,
    employ,
    entry_values,
    fill,
    in_state,
    list_in_force,
    submitted,
)
from tests.factories.requests import LEGS

TODAY = NOW.date()
levels = st.lists(st.integers(1, 3), max_size=8)
lengths = st.integers(1, 400)
ORDER = list(Tier)


def hit(level: int, code: str = "X") -> Hit:
    return Hit("technology", 1, 1, 1, "清单", "List", code, code, code, code, level, "因", "Because")


# ── the table of tiers ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "days", "tier"),
    [
        ([], 1, Tier.FAST),
        ([], 14, Tier.FAST),
        ([], 15, Tier.STANDARD),
        ([1], 1, Tier.STANDARD),
        ([1, 1, 1], 60, Tier.STANDARD),
        ([2], 1, Tier.HEIGHTENED),
        ([1, 2], 1, Tier.HEIGHTENED),
        ([3], 1, Tier.RESTRICTED),
        ([1, 3, 2], 90, Tier.RESTRICTED),
    ],
)
def test_tiers_of_the_rule_book(found: list[int], days: int, tier: Tier) -> None:
    assert rules.tier_for(found, days=days) == tier


@given(levels, lengths, st.integers(1, 3), st.integers(0, 100))
def test_more_hits_and_more_days_never_lower_the_tier(found: list[int], days: int, more: int, longer: int) -> None:
    tier = ORDER.index(rules.tier_for(found, days=days))
    assert ORDER.index(rules.tier_for([*found, more], days=days)) >= tier
    assert ORDER.index(rules.tier_for(found, days=days + longer)) >= tier


@given(st.lists(st.tuples(st.integers(1, 3), st.text("AB", max_size=2)), max_size=6), st.randoms())
def test_the_order_of_the_hits_does_not_matter(found: list[tuple[int, str]], random: Any) -> None:
    hits = [hit(level, code) for level, code in found]
    shuffled = list(hits)
    random.shuffle(shuffled)
    span = {"departs_on": TODAY, "returns_on": TODAY + timedelta(days=3)}
    one, other = assessment.conclude(hits=hits, **span), assessment.conclude(hits=shuffled, **span)
    assert one == other
    assert (one.days, one.needs_two_people) == (4, max((level for level, _code in found), default=0) >= 2)
    assert [hit.level for hit in one.hits] == sorted((level for level, _code in found), reverse=True)


# ── what is compared ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_subjects_places_hosts_event_and_projects_are_compared_and_nothing_about_the_person() -> None:
    request = in_state(State.COMPANY_REVIEW).request
    facts = assessment.facts_of(request)
    assert facts == Facts(
        subjects=frozenset({"cs.IR"}),
        places=frozenset({Place("BR")}),
        organisations=frozenset({"ICLR Foundation"}),
        events=frozenset({"ICLR"}),
    )
    assert request.revision is not None
    assert assessment.facts_from(request.revision.content, company_id=request.company_id) == facts
    assert set(Facts.__slots__) == {"subjects", "places", "organisations", "events", "projects"}


@pytest.mark.django_db
def test_a_submission_keeps_each_hit_with_its_entry_list_and_version() -> None:
    version = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2), entry_values("cs.CR", 3))
    events = list_in_force(ListKind.EVENT, entry_values("E-1", 1, label_en="ICLR"))
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    assert request.tier == Tier.HEIGHTENED
    kept = Assessment.objects.get(pk=request.assessment_id)
    assert (kept.tier, kept.route, kept.days, kept.possible) == (Tier.HEIGHTENED, Route.TWO_PEOPLE, 7, [])
    assert kept.cause == Assessment.Cause.SUBMITTED
    assert kept.took_us is not None
    assert sorted(kept.versions) == sorted([[version.list_id, version.pk, 1], [events.list_id, events.pk, 1]])
    assert [(one["kind"], one["code"], one["level"], one["touched_by"]) for one in kept.hits] == [
        ("technology", "cs.IR", 2, ["cs.IR"]),
        ("event", "E-1", 1, ["ICLR"]),
    ]
    entry = version.entries.get(code="cs.IR")
    assert kept.hits[0] == {
        "kind": "technology",
        "list_id": version.list_id,
        "version_id": version.pk,
        "version": 1,
        "list_zh": "技术清单",
        "list_en": "List of technologies",
        "lineage": str(entry.lineage),
        "code": "cs.IR",
        "label_zh": "条目 cs.IR",
        "label_en": "cs.IR",
        "level": 2,
        "reason_zh": "需要评估。",
        "reason_en": "Needs a look.",
        "touched_by": ["cs.IR"],
        "confirmed": False,
        "confidential": False,
        "basis_zh": "出境技术清单管理办法",
        "basis_en": "Measures on sensitivity lists",
        "basis_article_zh": "第九条",
        "basis_article_en": "Article 9",
        "basis_url": "https://law.example/lists",
        **dict.fromkeys(
            (
                "secret_zh",
                "secret_en",
                "secret_article_zh",
                "secret_article_en",
                "secret_url",
                "reviewed_by",
                "reviewed_on",
            ),
            "",
        ),
    }


@pytest.mark.django_db
def test_a_later_list_changes_nothing_backwards() -> None:
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3))
    assert Assessment.objects.get(pk=request.assessment_id).hits == []
    assert TravelRequest.unscoped.get(pk=request.pk).tier == Tier.FAST


@pytest.mark.django_db
def test_a_new_revision_is_assessed_with_the_lists_of_its_day() -> None:
    cast = in_state(State.RETURNED)
    assert cast.request.tier == Tier.FAST
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3))
    again = submitted_again(cast.request)
    assert (again.revision_number, again.tier) == (2, Tier.RESTRICTED)
    tiers = Assessment.objects.filter(request=again).order_by("at").values_list("tier", flat=True)
    assert list(tiers) == [Tier.FAST, Tier.RESTRICTED]


def submitted_again(request: TravelRequest) -> TravelRequest:
    user = request.applicant.user
    assert user is not None
    at = request.state_since + timedelta(hours=1)
    fill(request, at=at)
    return workflow.submit(request.pk, actor=actor(user, at), at=at)


@pytest.mark.django_db
def test_a_long_trip_is_not_fast() -> None:
    legs = [{**LEGS[0], "leaves_on": LEGS[0]["arrives_on"] + timedelta(days=14)}]
    assert submitted(employ("Alice Wang", CompanyFactory.create()), legs=legs).tier == Tier.STANDARD


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["ICLR Foundation", "iclr  foundation", "ＩＣＬＲ\u3000Foundation"])
def test_names_match_whatever_their_case_width_and_spacing(host: str) -> None:
    list_in_force(ListKind.ORGANISATION, entry_values("O-1", 2, label_en="ICLR Foundation", label_zh="基金会"))
    legs = [{**LEGS[0], "host": host}]
    assert submitted(employ("Alice Wang", CompanyFactory.create()), legs=legs).tier == Tier.HEIGHTENED


@pytest.mark.django_db
def test_a_project_that_the_trip_is_about_counts_and_only_of_this_company() -> None:
    company, other = CompanyFactory.create(), CompanyFactory.create(name_en="Nanhu Models")
    list_in_force(
        ListKind.PROJECT, entry_values("P-7", 3, company_id=other.pk), entry_values("P-7", 2, company_id=company.pk)
    )
    request = submitted(employ("Alice Wang", company), projects=["P-7"])
    assert request.tier == Tier.HEIGHTENED


@pytest.mark.django_db
def test_a_subdivision_counts_where_it_is_named() -> None:
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 2))
    for subdivision, tier in (("US-CA", Tier.HEIGHTENED), ("US-NY", Tier.FAST)):
        legs = [{**LEGS[0], "country": "US", "subdivision": subdivision}]
        assert submitted(employ("Alice Wang", CompanyFactory.create()), legs=legs).tier == tier


@pytest.mark.django_db
def test_codes_of_one_kind_do_not_match_another() -> None:
    list_in_force(ListKind.DESTINATION, entry_values("JP", 3))
    list_in_force(ListKind.EVENT, entry_values("cs.IR", 3, label_en="BR", label_zh="巴西"))
    assert submitted(employ("Alice Wang", CompanyFactory.create())).tier == Tier.FAST


@pytest.mark.django_db
def test_confidential_lists_can_be_left_out() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3), confidential=True)
    list_in_force(ListKind.DESTINATION, entry_values("BR", 1))
    facts = Facts(subjects=frozenset({"cs.IR"}), places=frozenset({Place("BR")}))
    span = {"on": TODAY, "departs_on": TODAY, "returns_on": TODAY}
    whole, shown = assessment.assess_facts(facts, **span), assessment.assess_facts(facts, **span, open_only=True)
    assert (whole.tier, [hit.level for hit in whole.hits]) == (Tier.RESTRICTED, [3, 1])
    assert (shown.tier, [hit.level for hit in shown.hits], len(shown.versions)) == (Tier.STANDARD, [1], 1)


@pytest.mark.django_db
def test_a_list_that_is_younger_than_the_itinerary_asks_for_the_subdivision_before_it_is_submitted() -> None:
    alice = employ("Alice Wang", CompanyFactory.create())
    legs = [{**LEGS[0], "country": "US"}, {**LEGS[0], "country": "BR"}]
    request = fill(draft(alice), legs=legs)
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 2))
    assert alice.user is not None
    with nothing_moved(), pytest.raises(Invalid) as refused:
        workflow.submit(request.pk, actor=actor(alice.user, NOW), at=NOW)
    assert [(problem.section, problem.field) for problem in refused.value.problems] == [
        ("itinerary", "legs-0-subdivision")
    ]
    fill(request, legs=[{**LEGS[0], "country": "US", "subdivision": "US-NY"}])
    assert workflow.submit(request.pk, actor=actor(alice.user, NOW), at=NOW).tier == Tier.FAST
