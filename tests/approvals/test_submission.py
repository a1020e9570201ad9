"""From a draft to a submission: what is missing is said at once, what is submitted never changes."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from approvals import rules, snapshots, workflow
from approvals.models import DraftInput, Leg, Revision, TravelRequest
from approvals.states import EDITABLE, State
from employees.models import Employee
from tests.asserting import nothing_moved
from tests.factories import NOW, CompanyFactory, actor, draft, employ, fill, in_state
from tests.factories.requests import LEGS, TRIP

YESTERDAY = NOW.date() - timedelta(days=1)


def me(request: TravelRequest) -> Any:
    return actor(request.applicant.user, NOW)


def submit(request: TravelRequest) -> TravelRequest:
    return workflow.submit(request.pk, actor=me(request), at=NOW)


def problems_of(act: Callable[[], Any]) -> set[tuple[str, str]]:
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        act()
    return {(problem.section, problem.field) for problem in caught.value.problems}


@pytest.fixture
def alice(db: None) -> Employee:
    return employ("Alice Wang", CompanyFactory.create())


# ── what is missing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_is_missing_is_said_in_one_list(alice: Employee) -> None:
    assert problems_of(lambda: submit(draft(alice))) == {
        ("trip", "title"),
        ("trip", "purpose"),
        ("trip", "description"),
        ("itinerary", ""),
        ("declarations", "declarations"),
    }


@pytest.mark.parametrize(
    ("flaw", "problem"),
    [
        ({"title": ""}, ("trip", "title")),
        ({"purpose": ""}, ("trip", "purpose")),
        ({"description": ""}, ("trip", "description")),
        ({"topics": []}, ("topics", "topics")),
        ({"legs": []}, ("itinerary", "")),
        ({"legs": [{**LEGS[0], "arrives_on": YESTERDAY}]}, ("itinerary", "legs-0-arrives_on")),
        ({"legs": [LEGS[0], {**LEGS[0], "arrives_on": YESTERDAY}]}, ("itinerary", "legs-1-arrives_on")),
        ({"declarations": TRIP["declarations"][1:]}, ("declarations", "declarations")),
    ],
    ids=str,
)
def test_each_thing_that_is_missing(alice: Employee, flaw: dict[str, Any], problem: tuple[str, str]) -> None:
    request = fill(draft(alice), **flaw)
    assert problems_of(lambda: submit(request)) == {problem}
    with nothing_moved():
        assert "submit" not in workflow.available_actions(me(request), request, at=NOW)


def test_a_personal_trip_needs_no_subjects(alice: Employee) -> None:
    assert submit(fill(draft(alice), purpose="personal", topics=[])).state == State.COMPANY_REVIEW


def test_a_trip_may_begin_today(alice: Employee) -> None:
    assert submit(fill(draft(alice), legs=[{**LEGS[0], "arrives_on": NOW.date()}])).departs_on == NOW.date()


def test_an_end_before_a_start_is_a_problem_at_its_field_and_never_kept(alice: Employee) -> None:
    first, last = date(2026, 4, 22), date(2026, 4, 21)
    [problem] = rules.leg_problems(arrives_on=first, leaves_on=last, today=NOW.date(), field="legs-0-")
    assert (problem.section, problem.field) == ("itinerary", "legs-0-leaves_on")
    with pytest.raises(Exception, match="approvals_leg_leaves_after_arrives"), transaction.atomic():
        fill(draft(alice), legs=[{**LEGS[0], "arrives_on": first, "leaves_on": last}])


def test_who_is_not_employed_any_more_submits_nothing(alice: Employee) -> None:
    request = fill(draft(alice))
    Employee.unscoped.filter(pk=alice.pk).update(employed_until=YESTERDAY)
    assert problems_of(lambda: submit(request)) == {("trip", "")}


def test_what_was_typed_and_is_not_valid_keeps_the_request_back(alice: Employee) -> None:
    request = fill(draft(alice))
    typed = {"legs-0-arrives_on": "the 31st of February"}
    workflow.keep_as_typed(request.pk, actor=me(request), at=NOW, section="itinerary", data=typed)
    assert problems_of(lambda: submit(request)) == {("itinerary", "")}
    assert DraftInput.objects.get(request=request).data == typed
    workflow.save_section(request.pk, actor=me(request), at=NOW, section="itinerary", legs=LEGS)
    assert not DraftInput.objects.filter(request=request).exists()
    assert submit(request).state == State.COMPANY_REVIEW


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_declarations_are_about_what_was_written_when_they_were_made(alice: Employee) -> None:
    request = fill(draft(alice))
    changes: list[dict[str, Any]] = [
        {"values": {"title": "Another title"}},
        {"values": {"devices": ["work_phone"]}},
        {"legs": [{**LEGS[0], "city": "São Paulo"}]},
    ]
    for change in changes:
        fill(request)
        saved = workflow.save_section(request.pk, actor=me(request), at=NOW, section="part", **change)
        assert saved.declarations == []
        assert problems_of(lambda: submit(request)) == {("declarations", "declarations")}
    fill(request)
    same = workflow.save_section(
        request.pk, actor=me(request), at=NOW, section="trip", values={"title": TRIP["title"]}, legs=LEGS
    )
    assert same.declarations == TRIP["declarations"]


def test_what_is_saved_is_what_is_given_back(alice: Employee) -> None:
    request = fill(draft(alice))
    two = [LEGS[0], {**LEGS[0], "city": "São Paulo"}]
    saved = workflow.save_section(request.pk, actor=me(request), at=NOW, section="itinerary", legs=two)
    assert [leg.city for leg in saved.itinerary] == ["Rio de Janeiro", "São Paulo"]
    assert [leg.city for leg in Leg.objects.filter(request=request)] == ["Rio de Janeiro", "São Paulo"]


def test_only_what_the_applicant_writes_can_be_written(alice: Employee) -> None:
    request = draft(alice)
    for name in ("state", "tier", "urgent", "office_id", "submitted_at"):
        with nothing_moved(), pytest.raises(ValueError, match=name), transaction.atomic():
            workflow.save_section(request.pk, actor=me(request), at=NOW, section="trip", values={name: "approved"})


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_a_request_is_written_in_only_while_it_is_the_applicants_turn_to_write(state: State) -> None:
    cast = in_state(state)
    acts: list[Callable[[], Any]] = [
        lambda: workflow.save_section(
            cast.request.pk, actor=me(cast.request), at=NOW, section="trip", values={"title": "New"}
        ),
        lambda: workflow.keep_as_typed(cast.request.pk, actor=me(cast.request), at=NOW, section="trip", data={}),
    ]
    for act in acts:
        if state in EDITABLE:
            act()
        else:
            with nothing_moved(), pytest.raises(NotNow, match="cannot be changed now"), transaction.atomic():
                act()


@pytest.mark.django_db
def test_nobody_writes_in_somebody_elses_request() -> None:
    cast = in_state(State.RETURNED)
    stranger = employ("Fei Fellow", cast.request.company)
    values = {"title": "New"}
    with nothing_moved():
        with pytest.raises(NotAllowed):
            workflow.save_section(
                cast.request.pk, actor=actor(cast.officer, NOW), at=NOW, section="trip", values=values
            )
        with pytest.raises(NotFound):
            workflow.save_section(
                cast.request.pk, actor=actor(stranger.user, NOW), at=NOW, section="trip", values=values
            )


# ── what is submitted ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_submission_is_kept_word_for_word(alice: Employee) -> None:
    request = submit(fill(draft(alice)))
    revision = Revision.objects.get(pk=request.revision_id)
    assert (revision.number, revision.by_id, revision.at) == (1, alice.user_id, NOW)
    assert revision.content == {
        **TRIP,
        "event_url": "",
        "materials": "",
        "devices": [],
        "projects": [],
        "legs": [
            {
                "country": "BR",
                "subdivision": "",
                "city": "Rio de Janeiro",
                "arrives_on": "2026-04-22",
                "leaves_on": "2026-04-28",
                "host": "ICLR Foundation",
            }
        ],
        "attachments": [],
    }
    assert bytes(revision.digest) == snapshots.digest(revision.content)
    assert (request.departs_on, request.returns_on, request.days) == (date(2026, 4, 22), date(2026, 4, 28), 7)


@pytest.mark.django_db
def test_a_second_submission_is_a_second_revision_and_the_first_stays() -> None:
    cast = in_state(State.RETURNED)
    fill(cast.request, title="ICLR in Rio, shorter", legs=[{**LEGS[0], "leaves_on": date(2026, 4, 25)}])
    again = submit(cast.request)
    first, second = Revision.objects.filter(request=cast.request).order_by("number")
    assert (first.content["title"], second.content["title"]) == ("ICLR in Rio", "ICLR in Rio, shorter")
    assert (again.revision_id, again.revision_number) == (second.pk, 2)
    assert again.returns_on == date(2026, 4, 25)
    assert again.submitted_at == cast.request.submitted_at  # the receipt is that of the first


def test_urgent_humanitarian_goes_to_the_office_at_once_and_skips_nothing_else(alice: Employee) -> None:
    request = submit(fill(draft(alice), purpose="urgent_humanitarian", topics=[]))
    assert (request.state, request.urgent, request.reached_authority_at) == (State.AUTHORITY_REVIEW, True, NOW)
    assert request.assigned_reviewer_id is None
    assert {"decision", "departure"} == set(request.clocks.filter(ended_at=None).values_list("kind", flat=True))


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
contents = st.dictionaries(words, st.one_of(words, st.lists(words, max_size=3), st.integers(0, 2**40)), max_size=6)


@given(contents)
def test_the_digest_depends_on_what_is_said_and_not_on_the_order(content: dict[str, Any]) -> None:
    assert snapshots.digest(content) == snapshots.digest(dict(reversed(content.items())))
    assert snapshots.digest(content) == snapshots.digest(deepcopy(content))
    assert snapshots.digest(content) != snapshots.digest(content | {"one more": "word"})


# ── unusual and bad input ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["䶮", "𠮷野家", "e\u0301", "🙂 is fine in a text", "'; DROP TABLE x; --", "%s {0} \\"]
)
def test_texts_come_back_as_they_were_written(alice: Employee, text: str) -> None:
    request = submit(fill(draft(alice), title=text, description=text))
    kept = TravelRequest.unscoped.get(pk=request.pk)
    assert (kept.title, kept.description) == (text, text)
    assert Revision.objects.get(request=request).content["title"] == text


@pytest.mark.django_db
def test_a_company_that_is_not_active_begins_nothing() -> None:
    alice = employ("Alice Wang", CompanyFactory.create(is_active=False))

    with pytest.raises(NotAllowed) as refused:
        draft(alice)

    assert str(refused.value).startswith("Your company or its office takes no new requests.")
    assert not TravelRequest.unscoped.exists()
