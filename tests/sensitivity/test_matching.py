"""Which entries count: property tests over the pure part, and that the database finds every candidate."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals import assessment
from approvals.states import Tier
from companies.models import Company
from sensitivity import matching, names
from sensitivity.matching import Candidate, Facts, Found, NamedProject, Place, PossibleHit, Version
from sensitivity.models import EntryName, ListEntry, ListKind, ListVersion
from tests.factories import NOW, CompanyFactory, entry_values, list_in_force

TODAY = NOW.date()
DAY = timedelta(days=1)
ORDER = list(Tier)

CODES = ["a", "b", "c", "d"]
COUNTRIES = ["JP", "US", "US-CA"]
NAMES = ["Northwind Compute", "北风计算", "Kestrel Autonomy"]

# One version has one kind, whatever candidates are drawn.
_KINDS = dict(enumerate(ListKind, start=1))
candidates = st.builds(
    lambda number, entry_id, code, path, level, first, last, former, name: Candidate(
        version=Version(number, number, 1, _KINDS[number], "清单", "List", False, *[""] * 12),
        entry_id=entry_id,
        lineage=f"{number}-{entry_id}",
        code=COUNTRIES[entry_id % 3] if _KINDS[number] == ListKind.DESTINATION else code,
        former_codes=tuple(former),
        path=(*path, code) if _KINDS[number] == ListKind.TECHNOLOGY else (),
        company_id=1 if _KINDS[number] == ListKind.PROJECT else None,
        label_zh=code,
        label_en=code,
        level=level,
        reason_zh="因",
        reason_en="Because",
        valid_from=TODAY + first * DAY if first is not None else None,
        valid_until=TODAY + last * DAY if last is not None else None,
        keys=(names.key(name),) if _KINDS[number] in (ListKind.ORGANISATION, ListKind.EVENT) else (),
    ),
    st.sampled_from(sorted(_KINDS)),
    st.integers(1, 30),
    st.sampled_from(CODES),
    st.lists(st.sampled_from(CODES), max_size=2, unique=True),
    st.integers(1, 3),
    st.none() | st.integers(-2, 2),
    st.none() | st.integers(-2, 2),
    st.lists(st.sampled_from(CODES), max_size=1),
    st.sampled_from(NAMES),
)
facts = st.builds(
    lambda subjects, places, hosts, events, projects: Facts(
        subjects=frozenset(subjects),
        places=frozenset(Place(one[:2], one if "-" in one else "") for one in places),
        organisations=frozenset(hosts),
        events=frozenset(events),
        projects=frozenset(NamedProject(1, code) for code in projects),
    ),
    st.lists(st.sampled_from(CODES), max_size=3),
    st.lists(st.sampled_from(COUNTRIES), max_size=3),
    st.lists(st.sampled_from(NAMES), max_size=2),
    st.lists(st.sampled_from(NAMES), max_size=1),
    st.lists(st.sampled_from(CODES), max_size=2),
)


def tier(said: Facts, found: list[Candidate], days: int = 3) -> int:
    finding = assessment.judge(
        said,
        Found((), tuple(found)),
        on=TODAY,
        departs_on=TODAY,
        returns_on=TODAY + (days - 1) * DAY,
    )
    return ORDER.index(finding.tier)


@given(facts, st.lists(candidates, max_size=6), candidates)
def test_adding_an_entry_never_lowers_a_tier(said: Facts, there: list[Candidate], more: Candidate) -> None:
    taken = {(one.version.id, one.entry_id) for one in there}
    if (more.version.id, more.entry_id) not in taken:
        assert tier(said, [*there, more]) >= tier(said, there)


@given(facts, facts, st.lists(candidates, max_size=6))
def test_saying_more_of_the_trip_never_lowers_a_tier(one: Facts, other: Facts, there: list[Candidate]) -> None:
    both = Facts(
        one.subjects | other.subjects,
        one.places | other.places,
        one.organisations | other.organisations,
        one.events | other.events,
        one.projects | other.projects,
    )
    assert tier(both, there) >= max(tier(one, there), tier(other, there))


@given(facts, st.lists(candidates, max_size=8, unique_by=lambda one: (one.version.id, one.entry_id)), st.randoms())
def test_the_order_of_entries_does_not_matter(said: Facts, there: list[Candidate], random: Any) -> None:
    shuffled = list(there)
    random.shuffle(shuffled)
    doubled = [*shuffled, *there[:3]]
    assert (
        matching.hits(said, there, on=TODAY)
        == matching.hits(said, shuffled, on=TODAY)
        == matching.hits(said, doubled, on=TODAY)
    )


@given(facts, st.lists(candidates, max_size=8))
def test_an_entry_that_is_not_valid_never_counts(said: Facts, there: list[Candidate]) -> None:
    invalid = {one.lineage for one in there if not one.is_valid(TODAY)} - {
        one.lineage for one in there if one.is_valid(TODAY)
    }
    assert not invalid & {hit.lineage for hit in matching.hits(said, there, on=TODAY)}


@given(facts, st.lists(candidates, max_size=8, unique_by=lambda one: (one.version.id, one.entry_id)))
def test_what_is_kept_of_an_assessment_evaluates_to_itself(said: Facts, there: list[Candidate]) -> None:
    span = {"departs_on": TODAY, "returns_on": TODAY + 4 * DAY}
    finding = assessment.judge(said, Found((), tuple(there)), on=TODAY, **span)
    kept = finding.as_values()
    again = assessment.conclude(
        hits=map(matching.hit_from, kept["hits"]), possible=map(matching.possible_from, kept["possible"]), **span
    )
    assert again.as_values() == kept


def test_an_article_that_was_kept_in_one_text_is_read_in_both_languages() -> None:
    kept = dict.fromkeys(("kind", "list_zh", "list_en", "code", "label_zh", "label_en", "reason_zh", "reason_en"), "")
    hit = matching.hit_from(kept | {"version_id": 1, "version": 1, "level": 1, "basis_article": "第九条 Article 9"})
    assert (hit.basis_article_zh, hit.basis_article_en) == ("第九条 Article 9", "第九条 Article 9")
    assert hit.secret_article_zh == ""


@given(st.lists(candidates, min_size=1, max_size=4), st.booleans())
def test_a_possible_match_counts_when_a_person_confirmed_it_and_not_before(
    there: list[Candidate], confirmed: bool
) -> None:
    one = there[0]
    possible = PossibleHit(matching._hit(one, ["Northwind Comp."], confirmed=True), "Northwind Comp.", "n", 0.8)
    span = {"departs_on": TODAY, "returns_on": TODAY}
    before = assessment.conclude(hits=(), possible=[possible], **span)
    assert (before.tier, before.hits, before.possible) == (Tier.FAST, (), (possible,))
    after = assessment.conclude(hits=(), possible=[possible], answers={possible.key: confirmed}, **span)
    assert after.possible == ()
    assert [hit.lineage for hit in after.hits] == ([one.lineage] if confirmed else [])
    assert all(hit.confirmed for hit in after.hits)
    assert ORDER.index(after.tier) >= ORDER.index(before.tier)


# ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────────

trees = st.lists(st.integers(-1, 20), min_size=1, max_size=14)


def _tree(shape: list[int]) -> dict[str, str]:
    return {f"n{i}": f"n{above % i}" if i and above >= 0 else "" for i, above in enumerate(shape)}


def _path(parents: dict[str, str], code: str) -> tuple[str, ...]:
    return (*_path(parents, parents[code]), code) if code else ()


@given(trees, st.integers(0, 13))
def test_an_entry_covers_exactly_what_is_below_it(shape: list[int], picked: int) -> None:
    parents = _tree(shape)
    subject = f"n{picked % len(shape)}"
    version = Version(1, 1, 1, ListKind.TECHNOLOGY, "清单", "List", False, *[""] * 12)
    every = [
        Candidate(version, number, code, code, (), _path(parents, code), None, code, code, 1, "因", "Because")
        for number, code in enumerate(parents)
    ]
    hit = {one.code for one in matching.hits(Facts(subjects=frozenset({subject})), every, on=TODAY)}
    assert hit == set(_path(parents, subject))
    for code in parents:
        below = {other for other in parents if code in _path(parents, other)}
        assert (code in hit) == (subject in below)


# ── the database finds what the pure part would count ───────────────────────────────────────────────────────────────


def _everything(on: date) -> list[Candidate]:
    """Every entry of every version in force, as the slow, obviously right way would look at it."""
    of = {version.id: version for version in matching.in_force(on)}
    keys: dict[int, list[str]] = {}
    for entry_id, key in EntryName.objects.values_list("entry_id", "key"):
        keys.setdefault(entry_id, []).append(key)
    return [
        Candidate(
            of[entry.version_id],
            entry.pk,
            str(entry.lineage),
            entry.code,
            tuple(entry.former_codes),
            tuple(entry.path),
            entry.company_id,
            entry.label_zh,
            entry.label_en,
            entry.level,
            entry.reason_zh,
            entry.reason_en,
            entry.valid_from,
            entry.valid_until,
            tuple(keys.get(entry.pk, ())),
        )
        for entry in ListEntry.objects.filter(version__in=list(of))
    ]


@pytest.fixture
def lists(db: None) -> Company:
    """A list of each kind, with what makes it hard: a tree, renamed codes, other names, subdivisions, validity."""
    company = CompanyFactory.create()
    list_in_force(
        ListKind.TECHNOLOGY,
        entry_values("a", 1),
        entry_values("b", 2, parent="a"),
        entry_values("c", 3, parent="b", former_codes=["d"]),
        entry_values("x", 3, valid_until=TODAY - DAY),
    )
    list_in_force(ListKind.DESTINATION, entry_values("US", 1), entry_values("US-CA", 2), entry_values("JP", 1))
    list_in_force(
        ListKind.ORGANISATION,
        entry_values("O-1", 2, label_zh="北风计算", label_en="Northwind Compute", aliases=["NWC"]),
        entry_values("O-2", 3, label_zh="红隼自主系统", label_en="Kestrel Autonomy"),
        confidential=True,
    )
    list_in_force(
        ListKind.PROJECT,
        entry_values("a", 2, company_id=company.pk),
        entry_values("p2", 3, company_id=company.pk, former_codes=["b"]),
    )
    list_in_force(ListKind.EVENT, entry_values("E-1", 1, label_zh="北风大会", label_en="Northwind Compute"))
    # In force no more, and not yet.
    list_in_force(ListKind.TECHNOLOGY, entry_values("a", 3), at=NOW - timedelta(days=400))
    list_in_force(ListKind.TECHNOLOGY, entry_values("a", 3), at=NOW + DAY)
    return company


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts)
def test_no_entry_that_counts_is_missed_by_the_look_ups(lists: Company, said: Facts) -> None:
    said = Facts(
        said.subjects,
        said.places,
        said.organisations,
        said.events,
        frozenset(NamedProject(lists.pk, project.code) for project in said.projects),
    )
    found = matching.find(said, versions=matching.in_force(TODAY), on=TODAY, resembling=False)
    assert matching.hits(said, found.candidates, on=TODAY) == matching.hits(said, _everything(TODAY), on=TODAY)


def test_what_of_the_trip_touched_an_entry_is_said(lists: Company) -> None:
    said = Facts(
        subjects=frozenset({"c"}),
        places=frozenset({Place("US", "US-CA"), Place("US", "US-NY")}),
        organisations=frozenset({"ＮＷＣ"}),
        projects=frozenset({NamedProject(lists.pk, "b"), NamedProject(lists.pk + 1, "a")}),
    )
    found = matching.find(said, versions=matching.in_force(TODAY), on=TODAY)
    hits = matching.hits(said, found.candidates, on=TODAY)
    assert [(hit.kind, hit.code, hit.level, hit.touched_by, hit.confidential) for hit in hits] == [
        ("project", "p2", 3, ("b",), False),
        ("technology", "c", 3, ("c",), False),
        ("destination", "US-CA", 2, ("US-CA",), False),
        ("organisation", "O-1", 2, ("ＮＷＣ",), True),
        ("technology", "b", 2, ("c",), False),
        ("destination", "US", 1, ("US-CA", "US-NY"), False),
        ("technology", "a", 1, ("c",), False),
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_the_look_ups_are_one_query_however_much_is_asked(lists: Company, count: int) -> None:
    in_force = matching.in_force(TODAY)
    said = Facts(
        subjects=frozenset(CODES[:count]),
        places=frozenset(Place(code) for code in ("JP", "US", "BR")[:count]),
        events=frozenset(NAMES[:count]),
        projects=frozenset(NamedProject(lists.pk, code) for code in CODES[:count]),
    )
    with CaptureQueriesContext(connection) as looked:
        matching.find(said, versions=in_force, on=TODAY)
    assert len(looked) == 1
    with CaptureQueriesContext(connection) as looked:
        assert matching.find(Facts(), versions=in_force, on=TODAY).candidates == ()
    assert len(looked) == 0


def test_a_draft_can_be_asked_as_if_it_were_in_force(lists: Company) -> None:
    [first] = ListVersion.objects.in_force(TODAY).filter(list__kind=ListKind.TECHNOLOGY)
    version = matching.version(first.pk)
    assert (version.kind, version.number, version.list_en) == (ListKind.TECHNOLOGY, 1, "List of technologies")
    with pytest.raises(LookupError):
        matching.version(0)


def test_the_look_ups_say_the_same_when_the_server_keeps_their_plans(lists: Company, settings: Any) -> None:
    said = Facts(
        subjects=frozenset({"c", "d"}),
        places=frozenset({Place("US", "US-CA"), Place("JP")}),
        organisations=frozenset({"NWC", "Northwind Computing", "Kestrel Autonomous"}),
        events=frozenset({"Northwind Compute"}),
        projects=frozenset({NamedProject(lists.pk, "b"), NamedProject(lists.pk, "a")}),
    )

    def asked() -> tuple[Any, ...]:
        found = matching.find(said, versions=matching.in_force(TODAY), on=TODAY)
        listed = matching.subdivided({"US", "JP"}, on=TODAY)
        return matching.hits(said, found.candidates, on=TODAY), found.possible, listed

    settings.PREPARE_STATEMENTS = False
    once = asked()
    assert once[1], "something resembles"
    assert once[2] == {"US"}
    settings.PREPARE_STATEMENTS = True
    # A statement is kept from the fifth time on.
    for _time in range(8):
        assert asked() == once
