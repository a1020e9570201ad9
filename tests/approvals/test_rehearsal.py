"""A draft is run over the requests of the last days before it is published, and says what it would have done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Refused
from accounts.roles import SYSTEM, Actor, Role
from approvals import assessment, batches, queries, rehearsal, workflow
from approvals.models import TravelRequest
from approvals.states import State, Tier
from companies.models import Company
from jobs import work
from jobs.models import Job
from sensitivity import drafting, matching, publishing
from sensitivity.matching import Facts, NamedProject, Place
from sensitivity.models import ListKind, ListVersion, Rehearsal, RehearsedChange
from tests.asserting import nothing_moved
from tests.factories import (
    NOW,
    CompanyFactory,
    OfficeFactory,
    actor,
    drafted,
    employ,
    entry_of,
    entry_values,
    in_state,
    list_in_force,
    list_manager,
    posted,
    published,
    sensitivity_list,
    submitted,
)
from tests.factories.requests import LEGS

LATER = NOW + timedelta(hours=1)
EARLIER = NOW - timedelta(days=7)
LONG = {**LEGS[0], "leaves_on": LEGS[0]["arrives_on"] + timedelta(days=20)}
TO_JAPAN = {**LEGS[0], "country": "JP", "city": "Tokyo", "host": "RIKEN"}


def finished(run: Rehearsal, *, at: Any = LATER) -> Rehearsal:
    """The rehearsal after the worker has done all its batches."""
    assert run.job_id is not None
    while work.run_batch(run.job_id, at=at):
        pass
    run.refresh_from_db()
    return run


def rehearsed(version: ListVersion, by: Actor, *, days: int = 90, at: Any = LATER) -> Rehearsal:
    return finished(rehearsal.start(version.pk, actor=by, at=at, days=days), at=at)


@pytest.fixture
def lin(db: None) -> Actor:
    return list_manager("Lin Author")


@pytest.fixture
def pan(db: None) -> Actor:
    return list_manager("Pan Publisher")


@pytest.fixture
def company(db: None) -> Company:
    return CompanyFactory.create()


@pytest.fixture
def trips(company: Company) -> dict[str, TravelRequest]:
    """Alice's trip about retrieval, Bo's long one, Chen's to Japan."""
    return {
        "alice": submitted(employ("Alice Wang", company)),
        "bo": submitted(employ("Bo Li", company), legs=[LONG]),
        "chen": submitted(employ("Chen Xu", company), legs=[TO_JAPAN], topics=["cs.CR"]),
    }


# ── what it finds ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_says_which_requests_would_have_another_tier_because_of_which_entries(
    trips: dict[str, TravelRequest], lin: Actor
) -> None:
    of = sensitivity_list(ListKind.TECHNOLOGY, owner=lin)
    version = drafted(of, [entry_values("cs.IR", 2, label_en="Retrieval"), entry_values("cs.CL", 3)], by=lin)
    with nothing_moved(apart_from=[Job, Rehearsal, RehearsedChange]):
        run = rehearsed(version, lin)
    assert (run.requests, run.changed, run.content, run.days) == (3, 2, version.content, 90)
    assert run.finished_at == LATER
    assert run.result["tiers"] == {"fast": {"heightened": 1, "fast": 1}, "standard": {"heightened": 1}}
    kept = {one.reference: one for one in run.changes.all()}
    assert kept.keys() == {trips["alice"].reference, trips["bo"].reference}
    alice = kept[trips["alice"].reference]
    assert (alice.request, alice.tier_before, alice.tier_after) == (trips["alice"].pk, "fast", "heightened")
    assert alice.codes == [
        {"code": "cs.IR", "label_zh": "条目 cs.IR", "label_en": "Retrieval", "before": None, "after": 2}
    ]


def test_only_what_the_draft_changes_shows(trips: dict[str, TravelRequest], lin: Actor, pan: Actor) -> None:
    """Another list has come into force since the requests were submitted: it counts on both sides."""
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3))
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    run = rehearsed(version, lin)
    assert run.changed == 0
    assert run.result["tiers"] == {"restricted": {"restricted": 2}, "fast": {"fast": 1}}


def test_it_is_compared_with_the_version_in_force_of_its_own_list(trips: dict[str, TravelRequest], lin: Actor) -> None:
    old = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3), entry_values("cs.CR", 1))
    author = list_manager("Luo Second author")
    draft = publishing.draft(old.list_id, actor=author, at=NOW)
    drafting.change(
        draft.pk, entry_of(draft, "cs.IR").lineage, actor=author, at=NOW, edit=0, values={"code": "cs.IR2", "level": 1}
    )
    run = rehearsed(draft, author)
    assert run.result["tiers"] == {"restricted": {"standard": 2}, "standard": {"standard": 1}}
    assert [(one["code"], one["before"], one["after"]) for one in run.changes.all()[0].codes] == [("cs.IR2", 3, 1)]


def test_an_unchanged_copy_changes_nothing(trips: dict[str, TravelRequest], lin: Actor) -> None:
    old = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3), entry_values("cs.CR", 1))
    run = rehearsed(publishing.draft(old.list_id, actor=lin, at=NOW), lin)
    assert (run.requests, run.changed, run.changes.count()) == (3, 0, 0)
    assert run.result["days_before"] == run.result["days_after"] > 0


def test_it_counts_the_work_of_each_office_in_reviewer_days(
    trips: dict[str, TravelRequest], lin: Actor, settings: Settings
) -> None:
    settings.REVIEWER_DAYS = {"fast": 0.5, "standard": 1.0, "heightened": 2.0, "restricted": 4.0}
    pudong = CompanyFactory.create(name_en="Pudong Minds", office=OfficeFactory.create(code="PD"))
    submitted(employ("Dong Fan", pudong))
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.CR", 3)], by=lin)
    run = rehearsed(version, lin)
    assert (run.result["days_before"], run.result["days_after"]) == (2.5, 6.0)
    assert run.result["offices"] == {
        "HD": {
            "tiers": {"fast": {"fast": 1, "restricted": 1}, "standard": {"standard": 1}},
            "days_before": 2.0,
            "days_after": 5.5,
        },
        "PD": {"tiers": {"fast": {"fast": 1}}, "days_before": 0.5, "days_after": 0.5},
    }
    assert run.result["reviewer_days"] == settings.REVIEWER_DAYS


def test_it_looks_back_as_many_days_as_asked(company: Company, lin: Actor) -> None:
    submitted(employ("Old Hand", company), at=NOW - timedelta(days=31))
    recent = submitted(employ("Alice Wang", company), at=NOW - timedelta(days=29))
    withdrawn = in_state(State.COMPANY_REVIEW, employee=employ("Wei Withdrawn", company), at=NOW - timedelta(days=5))
    assert withdrawn.applicant.user
    workflow.withdraw(withdrawn.request.pk, actor=actor(withdrawn.applicant.user, NOW), at=NOW)
    in_state(State.DRAFT, employee=employ("Du Draft", company))
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 3)], by=lin)
    run = rehearsed(version, lin, days=30)
    assert (run.requests, run.changed) == (2, 2), "what was withdrawn was submitted all the same"
    assert recent.reference in {one.reference for one in run.changes.all()}
    assert rehearsed(version, lin, days=31).requests == 2
    assert rehearsed(version, lin, days=32).requests == 3


def test_what_was_submitted_counts_and_not_what_is_being_written(company: Company, lin: Actor) -> None:
    cast = in_state(State.RETURNED, employee=employ("Alice Wang", company))
    assert cast.applicant.user
    me = actor(cast.applicant.user, LATER)
    workflow.save_section(cast.request.pk, actor=me, at=LATER, section="topics", values={"topics": ["cs.CR"]})
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    assert rehearsed(version, lin, at=LATER + timedelta(hours=9)).changed == 1


def test_a_tier_that_a_person_set_does_not_blur_it(company: Company, lin: Actor) -> None:
    cast = in_state(State.AUTHORITY_REVIEW, employee=employ("Alice Wang", company))
    at = NOW + timedelta(hours=8)
    senior = actor(cast.senior, at)
    workflow.change_tier(cast.request.pk, actor=senior, at=at, tier=Tier.RESTRICTED, reason="Known host.")
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    assert rehearsed(version, lin, at=at).result["tiers"] == {"fast": {"heightened": 1}}


@pytest.mark.django_db
def test_over_nothing_it_is_finished_at_once(lin: Actor) -> None:
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    run = rehearsed(version, lin)
    assert (run.requests, run.changed, run.finished_at) == (0, 0, LATER)
    assert run.result["tiers"] == {}


# ── names that resemble ─────────────────────────────────────────────────────────────────────────────────────────────


def test_possible_matches_are_numbered_and_count_for_nothing(trips: dict[str, TravelRequest], lin: Actor) -> None:
    names = entry_values("RIKEN-1", 3, label_en="RIKEN Institute", label_zh="理化学研究所", country="JP")
    version = drafted(sensitivity_list(ListKind.ORGANISATION, owner=lin), [names], by=lin)
    alike = len(assessment.matching.find(
        Facts(organisations=frozenset({"RIKEN"})), versions=[matching.version(version.pk)], on=NOW.date()
    ).possible)  # fmt: skip
    run = rehearsed(version, lin)
    assert run.changed == 0
    assert run.result["open_matches"] == {"before": 0, "after": min(alike, 1)}


def test_what_a_person_said_of_a_match_counts_on_both_sides(company: Company, lin: Actor) -> None:
    old = list_in_force(
        ListKind.ORGANISATION, entry_values("ICLR-1", 3, label_en="ICLR Foundations", label_zh="国际学习表征基金会")
    )
    cast = in_state(State.AUTHORITY_REVIEW, employee=employ("Alice Wang", company))
    at = NOW + timedelta(hours=8)
    [one] = cast.request.assessment.possible  # type: ignore[union-attr]
    key = matching.possible_from(one).key
    said = {"confirmed": True, "reason": "It is on their page."}
    workflow.judge_match(cast.request.pk, actor=actor(cast.reviewer, at), at=at, key=key, **said)
    draft = publishing.draft(old.list_id, actor=lin, at=at)
    assert rehearsed(draft, lin, at=at).result["tiers"] == {"restricted": {"restricted": 1}}
    drafting.remove(draft.pk, entry_of(draft, "ICLR-1").lineage, actor=lin, at=at, edit=0)
    assert rehearsed(draft, lin, at=at).result["tiers"] == {"restricted": {"fast": 1}}


# ── in batches ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_goes_on_where_a_worker_died(
    trips: dict[str, TravelRequest], lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 1)
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    run = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
    assert run.job_id
    assert work.run_batch(run.job_id, at=LATER)
    job = Job.objects.get(pk=run.job_id)
    assert (job.done, job.total, job.state) == (1, 3, Job.State.RUNNING)
    rehearsal._at_work.clear()  # another process goes on, and knows nothing of the first one
    finished(run)
    assert (run.requests, run.changed) == (3, 2)
    assert sum(sum(row.values()) for row in run.result["tiers"].values()) == 3


def test_a_batch_asks_as_many_questions_for_one_request_as_for_three(
    trips: dict[str, TravelRequest], lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_in_force(ListKind.DESTINATION, entry_values("JP", 2))
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    asked = []
    for size in (1, 3):
        monkeypatch.setattr(rehearsal, "BATCH", size)
        run = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
        assert run.job_id
        work.run_batch(run.job_id, at=LATER)  # the first finds out what the baseline is
        Job.objects.filter(pk=run.job_id).update(cursor={**Job.objects.get(pk=run.job_id).cursor, "batch": 0})
        with CaptureQueriesContext(connection) as questions:
            work.run_batch(run.job_id, at=LATER)
        asked.append(len(questions))
        Job.objects.filter(pk=run.job_id).update(state=Job.State.FAILED)
    assert asked[0] == asked[1]


def test_requests_that_come_in_meanwhile_are_not_part_of_it(
    trips: dict[str, TravelRequest], company: Company, lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 2)
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    run = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
    assert run.job_id
    work.run_batch(run.job_id, at=LATER)
    submitted(employ("Late Comer", company), at=LATER + timedelta(minutes=1))
    assert finished(run, at=LATER + timedelta(minutes=2)).requests == 3


def test_a_list_that_is_published_meanwhile_is_not_part_of_it(
    trips: dict[str, TravelRequest], lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 1)
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.XX", 2)], by=lin)
    run = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
    assert run.job_id
    work.run_batch(run.job_id, at=LATER)
    list_in_force(ListKind.DESTINATION, entry_values("BR", 3), entry_values("JP", 3), at=LATER)
    rehearsal._at_work.clear()
    assert finished(run).result["tiers"] == {"fast": {"fast": 2}, "standard": {"standard": 1}}


def test_it_ends_when_the_draft_changes(
    trips: dict[str, TravelRequest], lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 1)
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    run = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
    assert run.job_id
    work.run_batch(run.job_id, at=LATER)
    drafting.add(version.pk, actor=lin, at=LATER, values=entry_values("cs.CR", 3))
    finished(run)
    job = Job.objects.get(pk=run.job_id)
    assert (job.state, run.finished_at) == (Job.State.FAILED, None)
    assert job.sentence == "The draft was changed while it was being rehearsed. Start the rehearsal again."
    again = rehearsed(version, lin)
    assert (again.changed, again.content) == (3, version.content + 1)


def test_it_ends_when_the_draft_is_discarded(trips: dict[str, TravelRequest], lin: Actor) -> None:
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    run = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
    assert run.job_id
    publishing.discard(version.pk, actor=lin, at=LATER)
    assert not work.run_batch(run.job_id, at=LATER)
    assert Job.objects.get(pk=run.job_id).sentence == "The draft was discarded."


# ── who may, and when ───────────────────────────────────────────────────────────────────────────────────────────────


def test_who_starts_it_while_it_runs_gets_the_one_that_runs(lin: Actor, pan: Actor) -> None:
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    first = rehearsal.start(version.pk, actor=lin, at=LATER, days=90)
    assert rehearsal.start(version.pk, actor=pan, at=LATER, days=30) == first
    assert Rehearsal.objects.count() == Job.objects.filter(kind=rehearsal.KIND).count() == 1
    finished(first)
    assert rehearsal.start(version.pk, actor=pan, at=LATER, days=30) != first


@contextmanager
def refused(kind: type[Refused], sentence: str) -> Iterator[None]:
    rehearsals = Rehearsal.objects.count()
    with nothing_moved(), pytest.raises(kind, match=sentence):
        yield
    assert (Rehearsal.objects.count(), Job.objects.count()) == (rehearsals, 0)


def test_who_may_not(lin: Actor) -> None:
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)
    reviewer = actor(posted(OfficeFactory.create(), Role.REVIEWER, "0417"), NOW)
    with refused(NotAllowed, "Only a list manager"):
        rehearsal.start(version.pk, actor=reviewer, at=LATER, days=90)
    with refused(NotFound, "no such version"):
        rehearsal.start(version.pk + 1, actor=lin, at=LATER, days=90)
    for days in (0, rehearsal.MAX_DAYS + 1):
        with refused(Invalid, "1 to 730 days"):
            rehearsal.start(version.pk, actor=lin, at=LATER, days=days)


@pytest.mark.django_db
def test_what_is_published_is_not_rehearsed(lin: Actor) -> None:
    version = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2))
    with refused(NotNow, "published already"):
        rehearsal.start(version.pk, actor=lin, at=LATER, days=90)


def test_publishing_takes_a_rehearsal_of_this_very_content(lin: Actor, pan: Actor) -> None:
    version = drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), [entry_values("cs.IR", 2)], by=lin)

    def publish() -> ListVersion:
        return publishing.publish(version.pk, actor=pan, at=LATER, on=publishing.today(LATER))

    publishing.submit_for_review(version.pk, actor=lin, at=LATER)
    with pytest.raises(NotNow, match="Rehearse this draft first"), nothing_moved():
        publish()
    running = rehearsal.start(version.pk, actor=pan, at=LATER, days=90)
    with pytest.raises(NotNow, match="Rehearse this draft first"), nothing_moved():
        publish()  # it is not finished
    finished(running)
    publishing.send_back(version.pk, actor=pan, at=LATER, why="The level.")
    edit = entry_of(version, "cs.IR")
    drafting.change(version.pk, edit.lineage, actor=lin, at=LATER, edit=edit.edit, values={"level": 3})
    publishing.submit_for_review(version.pk, actor=lin, at=LATER)
    with pytest.raises(NotNow, match="Rehearse this draft first"), nothing_moved():
        publish()  # it was of another content
    rehearsed(version, pan)
    assert publish().state == "published"


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────────────

CODES = {
    ListKind.TECHNOLOGY: ["cs", "cs.IR", "cs.CR", "cs.CL"],
    ListKind.DESTINATION: ["BR", "JP", "US", "US-CA"],
    ListKind.ORGANISATION: ["RIKEN", "ICLR Foundation", "Other"],
    ListKind.EVENT: ["ICLR", "NeurIPS"],
    ListKind.PROJECT: ["P1", "P2"],
}
days = st.sampled_from([None, date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)])


@st.composite
def entries_of(draw: st.DrawFn, kind: ListKind, company_id: int) -> list[dict[str, Any]]:
    """Entries of a list of `kind` that touch some of the trips below, some of them not valid today."""
    found: list[dict[str, Any]] = []
    for code in draw(st.lists(st.sampled_from(CODES[kind]), unique=True, min_size=1)):
        first, last = draw(days), draw(days)
        values = entry_values(f"E{len(found)}", draw(st.integers(1, 3)), label_en=code, label_zh=f"某{code}")
        if kind in (ListKind.TECHNOLOGY, ListKind.DESTINATION, ListKind.PROJECT):
            values |= {"code": code, "company_id": company_id if kind is ListKind.PROJECT else None}
        if kind is ListKind.TECHNOLOGY and code != "cs" and any(one["code"] == "cs" for one in found):
            values |= {"parent": "cs"}
        if first is None or last is None or first <= last:
            values |= {"valid_from": first, "valid_until": last}
        found.append(values)
    return found


def several_trips(company: Company) -> list[TravelRequest]:
    to_california = {**LEGS[0], "country": "US", "subdivision": "US-CA", "host": "Other"}
    other = CompanyFactory.create(name_en="Namesake")
    return [
        submitted(employ("Alice Wang", company), projects=["P1"]),
        submitted(employ("Bo Li", company), legs=[LONG], topics=["cs.CR", "cs.CL"], projects=["P2"]),
        submitted(employ("Chen Xu", company), legs=[TO_JAPAN], event_name="NeurIPS"),
        submitted(employ("Ding Yu", other), legs=[to_california, TO_JAPAN], topics=[], purpose="personal"),
        submitted(employ("Er Ke", other), legs=[{**to_california, "subdivision": ""}], projects=["P1"]),
    ]


def test_after_is_what_an_assessment_finds_once_it_is_published(company: Company, lin: Actor, pan: Actor) -> None:
    """Whatever the lists say: before is what `assess` finds today, after what it finds when the draft is in force."""
    requests = several_trips(company)

    def assessed() -> dict[str, Tier]:
        return {
            one.reference: assessment.assess(
                queries.in_full(SYSTEM).get(pk=one.pk), on=publishing.today(LATER), answers={}
            ).tier
            for one in requests
        }

    @examples(max_examples=15, deadline=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(ListKind))
        with transaction.atomic():
            of = sensitivity_list(kind, owner=lin)
            if data.draw(st.booleans()):
                first = drafted(of, data.draw(entries_of(kind, company.pk)), by=lin, at=EARLIER)
                published(first, author=lin, publisher=pan, at=EARLIER)
                draft = publishing.draft(of.pk, actor=lin, at=NOW)
                for entry in draft.entries.exclude(parent="").order_by("-pk") or draft.entries.all():
                    verb = data.draw(st.sampled_from(["keep", "level", "remove"]))
                    if verb == "remove":
                        drafting.remove(draft.pk, entry.lineage, actor=lin, at=NOW, edit=entry.edit)
                    elif verb == "level":
                        values = {"level": data.draw(st.integers(1, 3))}
                        drafting.change(draft.pk, entry.lineage, actor=lin, at=NOW, edit=entry.edit, values=values)
                if not draft.entries.exists():
                    drafting.add(draft.pk, actor=lin, at=NOW, values=data.draw(entries_of(kind, company.pk))[0])
            else:
                draft = drafted(of, data.draw(entries_of(kind, company.pk)), by=lin)
            before = assessed()
            publishing.submit_for_review(draft.pk, actor=lin, at=LATER)
            run = rehearsed(draft, pan)
            publishing.publish(draft.pk, actor=pan, at=LATER, on=publishing.today(LATER))
            after = assessed()
            expected = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
            found = {one.reference: (one.tier_before, one.tier_after) for one in run.changes.all()}
            assert found == expected
            assert all(one.codes for one in run.changes.all())
            assert sum(sum(row.values()) for row in run.result["tiers"].values()) == run.requests == len(requests)
            for side, tiers in (("before", before), ("after", after)):
                cost = sum(run.result["reviewer_days"][tier] for tier in tiers.values())
                assert run.result[f"days_{side}"] == pytest.approx(cost)
            transaction.set_rollback(True)

    check()


PLACES = st.sampled_from([Place("BR"), Place("US"), Place("US", "US-CA"), Place("US", "US-NY"), Place("JP")])
FACTS = st.builds(
    Facts,
    subjects=st.frozensets(st.sampled_from(["cs", "cs.IR", "cs.CR", "math"])),
    places=st.frozensets(PLACES),
    organisations=st.frozensets(st.sampled_from(["RIKEN", "riken ", "ICLR Foundation", "Nobody"])),
    events=st.frozensets(st.sampled_from(["ICLR", "iclr", "NeurIPS"])),
    projects=st.frozensets(st.builds(NamedProject, st.sampled_from([1, 2]), st.sampled_from(["P1", "P2"]))),
)


def test_a_trip_among_many_is_touched_by_what_touches_it_alone(company: Company) -> None:
    other = CompanyFactory.create(name_en="Namesake")
    list_in_force(
        ListKind.TECHNOLOGY, entry_values("cs", 1), entry_values("cs.IR", 2, parent="cs"), entry_values("cs.CR", 3)
    )
    list_in_force(ListKind.DESTINATION, *[entry_values(code) for code in ("US", "US-CA", "JP")])
    list_in_force(ListKind.ORGANISATION, entry_values("R", 2, label_en="RIKEN"))
    list_in_force(ListKind.EVENT, entry_values("I", 2, label_en="ICLR"))
    list_in_force(
        ListKind.PROJECT, *[entry_values("P1", level, company_id=one.pk) for level, one in ((1, company), (3, other))]
    )
    on = NOW.date()
    versions = matching.in_force(on)

    def at_home(facts: Facts) -> Facts:
        ids = {1: company.pk, 2: other.pk}
        projects = frozenset(NamedProject(ids[one.company_id], one.code) for one in facts.projects)
        return Facts(facts.subjects, facts.places, facts.organisations, facts.events, projects)

    @examples(max_examples=40, deadline=None)
    @given(st.lists(FACTS.map(at_home), min_size=1, max_size=4))
    def check(several: list[Facts]) -> None:
        crowd = [batches.Trip(TravelRequest().pk, facts, 5) for facts in several]
        said = batches.Said(crowd, versions=versions, on=on)
        for trip in crowd:
            alone = matching.find(trip.facts, versions=versions, on=on, resembling=False)
            expected = {(hit.list_id, hit.lineage) for hit in matching.hits(trip.facts, alone.candidates, on=on)}
            found = said.hits(trip.facts)
            assert {(hit.list_id, hit.lineage) for hit in found} == expected
            assert len(found) == len(expected)

    check()
