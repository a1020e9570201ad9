"""From a trip and the published lists to a tier: nothing about the person, nothing that is not published."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from approvals import assessment, rules
from approvals.models import Assessment
from approvals.states import State, Tier
from sensitivity.matching import Hit, matches, normalised
from sensitivity.models import ListEntry, ListKind, ListVersion, SensitivityList
from tests.factories import NOW, CompanyFactory, UserFactory, employ, in_state, submitted
from tests.factories.requests import LEGS

TODAY = NOW.date()
levels = st.lists(st.integers(1, 3), max_size=8)
lengths = st.integers(1, 400)
ORDER = list(Tier)


def published(kind: ListKind, *entries: tuple[str, int], **version: Any) -> ListVersion:
    """A version of a list of `kind` that is in force, with `entries` of (code, level)."""
    author, publisher = UserFactory.create(name="Lin List"), UserFactory.create(name="Pu Publisher")
    owner = SensitivityList.objects.create(
        kind=kind, name_zh="清单", name_en=f"List of {kind}", owner=author, legal_basis="Measures, article 3"
    )
    values: dict[str, Any] = {
        "number": 1,
        "state": ListVersion.State.PUBLISHED,
        "author": author,
        "publisher": publisher,
        "published_from": TODAY,
    }
    made = ListVersion.objects.create(list=owner, **(values | version))
    for code, level in entries:
        ListEntry.objects.create(
            version=made, code=code, label_zh=code, label_en=code, level=level, reason_zh="因", reason_en="Because"
        )
    return made


def hit(level: int, code: str = "X") -> Hit:
    return Hit("technology", 1, 1, "清单", "List", code, code, code, level, "因", "Because")


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
def test_subjects_countries_hosts_and_event_are_compared_and_nothing_about_the_person() -> None:
    request = in_state(State.COMPANY_REVIEW).request
    assert assessment.terms_of(request) == {
        ListKind.TECHNOLOGY: ["cs.IR"],
        ListKind.DESTINATION: ["BR"],
        ListKind.ORGANISATION: ["iclr foundation"],
        ListKind.EVENT: ["iclr"],
    }
    assert not {word for kind in ListKind for word in kind.value.split("_")} & {"person", "people", "employee", "name"}


@pytest.mark.django_db
def test_a_submission_keeps_each_hit_with_its_entry_list_and_version() -> None:
    version = published(ListKind.TECHNOLOGY, ("cs.IR", 2), ("cs.CR", 3))
    published(ListKind.EVENT, ("iclr", 1))
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    assert request.tier == Tier.HEIGHTENED
    kept = Assessment.objects.get(pk=request.assessment_id)
    assert kept.tier == Tier.HEIGHTENED
    assert kept.days == 7
    assert [(one["kind"], one["code"], one["level"]) for one in kept.hits] == [
        ("technology", "cs.IR", 2),
        ("event", "iclr", 1),
    ]
    assert kept.hits[0] | {"label_en": "", "label_zh": ""} == {
        "kind": "technology",
        "version_id": version.pk,
        "version": 1,
        "list_zh": "清单",
        "list_en": "List of technology",
        "code": "cs.IR",
        "label_zh": "",
        "label_en": "",
        "level": 2,
        "reason_zh": "因",
        "reason_en": "Because",
    }


@pytest.mark.django_db
def test_a_later_list_changes_nothing_backwards() -> None:
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    published(ListKind.TECHNOLOGY, ("cs.IR", 3))
    assert Assessment.objects.get(pk=request.assessment_id).hits == []
    assert type(request).unscoped.get(pk=request.pk).tier == Tier.FAST


@pytest.mark.django_db
@pytest.mark.parametrize(
    "version",
    [
        {"state": ListVersion.State.DRAFT},
        {"state": ListVersion.State.IN_REVIEW},
        {"state": ListVersion.State.SUPERSEDED},
        {"published_from": TODAY + timedelta(days=1)},
        {"published_from": TODAY - timedelta(days=9), "published_until": TODAY},
    ],
    ids=str,
)
def test_only_a_version_in_force_counts(version: dict[str, Any]) -> None:
    published(ListKind.TECHNOLOGY, ("cs.IR", 3), **version)
    assert submitted(employ("Alice Wang", CompanyFactory.create())).tier == Tier.FAST


@pytest.mark.django_db
def test_a_long_trip_is_not_fast() -> None:
    legs = [{**LEGS[0], "leaves_on": LEGS[0]["arrives_on"] + timedelta(days=14)}]
    assert submitted(employ("Alice Wang", CompanyFactory.create()), legs=legs).tier == Tier.STANDARD


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["ICLR Foundation", "iclr  foundation", "ＩＣＬＲ\u3000Foundation"])
def test_names_match_whatever_their_case_width_and_spacing(host: str) -> None:
    published(ListKind.ORGANISATION, (normalised("ICLR Foundation"), 2))
    legs = [{**LEGS[0], "host": host}]
    assert submitted(employ("Alice Wang", CompanyFactory.create()), legs=legs).tier == Tier.HEIGHTENED


@pytest.mark.django_db
def test_codes_of_one_kind_do_not_match_another() -> None:
    published(ListKind.DESTINATION, ("cs.IR", 3), ("iclr", 3))
    assert submitted(employ("Alice Wang", CompanyFactory.create())).tier == Tier.FAST


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_matching_is_one_query(count: int) -> None:
    published(ListKind.DESTINATION, *[(code, 1) for code in ("BR", "KE", "FR")[:count]])
    with CaptureQueriesContext(connection) as looked:
        found = matches({ListKind.DESTINATION: ["BR", "KE", "FR"], ListKind.EVENT: ["iclr"]}, on=TODAY)
    assert (len(looked), len(found)) == (1, count)
    with CaptureQueriesContext(connection) as looked:
        assert matches({ListKind.DESTINATION: []}, on=date(2026, 1, 1)) == []
    assert len(looked) == 0
