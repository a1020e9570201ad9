"""Eight people at one request at the same moment, on real connections: one wins, the others are told what happened."""

from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.refusals import NotAllowed, NotFound, NotNow
from accounts.roles import Actor, Role
from approvals import sweeping, workflow
from approvals.models import Clock, Leg, TravelRequest
from approvals.states import State
from audit.models import Entry
from audit.verification import verify
from notifications.models import OutboxEvent
from tests.approvals.calls import call
from tests.factories import NOW, CompanyFactory, actor, employ, in_state, officer_of, posted
from tests.factories.requests import LEGS, Cast, fill
from tests.threads import Crowd

pytestmark = pytest.mark.usefixtures("committed")

ROUNDS = 200
PEOPLE = 8

# Eight hands each time; whatever comes first makes all others impossible.
AT_THE_COMPANY = ("endorse", "return_for_changes", "decline", "endorse") * 2
AT_THE_OFFICE = ("approve", "withdraw") * 4
OF_THE_REVIEWER = ("approve", "propose", "ask_information", "propose") * 2
# Here the applicant can still withdraw after somebody else was first.
OF_EVERYBODY = ("withdraw", "approve", "ask_information", "propose", "endorse", "extend", "recuse", "hand_over")


def rewind(request: TravelRequest, to: dict[str, Any]) -> None:
    """Put the request back to where it was, for the next round. Its history goes on."""
    TravelRequest.unscoped.filter(pk=request.pk).update(**to)
    Clock.objects.filter(request=request).delete()


def test_of_eight_at_once_exactly_one_wins_two_hundred_times() -> None:
    at_company = in_state(State.COMPANY_REVIEW)
    at_office = in_state(State.AUTHORITY_REVIEW, employee=employ("Bo Li", at_company.request.company))
    at = NOW + timedelta(days=1)
    company, office = _hands(at_company, at), _hands(at_office, at)
    turns = cycle(
        [
            (at_company, company, AT_THE_COMPANY),
            (at_office, office, AT_THE_OFFICE),
            (at_office, office, OF_THE_REVIEWER),
        ]
    )
    deadlocks = _deadlocks()
    with Crowd(PEOPLE) as crowd:
        for round_, (cast, hands, verbs) in enumerate(islice(turns, ROUNDS)):
            _one_round(crowd, cast, hands, verbs, at + timedelta(minutes=round_))
    assert _deadlocks() == deadlocks
    report = verify()
    assert report.first_break is None
    assert report.entries >= ROUNDS


def _one_round(crowd: Crowd, cast: Cast, hands: dict[str, Actor], verbs: tuple[str, ...], at: datetime) -> None:
    before = TravelRequest.unscoped.get(pk=cast.request.pk)
    results = _press(crowd, before.pk, hands, verbs, at)
    [winner] = [place for place, result in enumerate(results) if not isinstance(result, Exception)]
    now = TravelRequest.unscoped.get(pk=before.pk)
    label = str(State(now.state).label)
    for result in [*results[:winner], *results[winner + 1 :]]:
        assert isinstance(result, NotNow), result
        assert label in str(result), result  # the sentence says what happened
    [entry] = Entry.objects.filter(chain=before.pk, sequence__gt=before.chain_length)
    assert entry.verb == verbs[winner]
    assert entry.data["to"] == now.state
    assert now.chain_length == before.chain_length + 1
    assert OutboxEvent.objects.filter(subject=before.pk, at=at).count() == 1
    rewind(now, {name: getattr(before, name) for name in REWOUND})


def _hands(cast: Cast, at: datetime) -> dict[str, Actor]:
    """Whose verb each is."""
    people = {
        "withdraw": cast.applicant.user,
        **dict.fromkeys(("endorse", "return_for_changes", "decline"), cast.officer),
        **dict.fromkeys(("approve", "ask_information", "propose", "recuse"), cast.reviewer),
        **dict.fromkeys(("extend", "hand_over"), cast.senior),
    }
    return {verb: actor(user, at) for verb, user in people.items() if user}


def _press(crowd: Crowd, request_id: UUID, hands: dict[str, Actor], verbs: tuple[str, ...], at: datetime) -> list[Any]:
    return crowd.at_once([lambda verb=verb: call(verb, request_id, hands[verb], at) for verb in verbs])


REWOUND = ("state", "state_since", "declarations", "information_rounds", "decided_by_id", "decided_at")


def test_what_can_follow_each_other_follows_each_other() -> None:
    """Where one step allows the next, several succeed: one after the other, each from where the one before led."""
    company = CompanyFactory.create()
    at = NOW + timedelta(days=1)
    casts = [in_state(State.AUTHORITY_REVIEW, employee=employ(f"Person {n}", company)) for n in "ABCDE"]
    with Crowd(PEOPLE) as crowd:
        for cast in casts:
            results = _press(crowd, cast.request.pk, _hands(cast, at), OF_EVERYBODY, at)
            losers = [result for result in results if isinstance(result, Exception)]
            assert all(isinstance(result, NotNow | NotAllowed | NotFound) for result in losers), losers
            before = cast.request.chain_length
            entries = list(Entry.objects.filter(chain=cast.request.pk, sequence__gt=before).order_by("sequence"))
            assert len(entries) == PEOPLE - len(losers)
            state: str = State.AUTHORITY_REVIEW
            for entry in entries:
                assert entry.data["from"] == state
                state = entry.data["to"]
            assert TravelRequest.unscoped.get(pk=cast.request.pk).state == state
    assert verify().first_break is None


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_eight_reviewers_reach_for_one_case() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    at = cast.request.state_since + timedelta(minutes=5)
    workflow.hand_over(cast.request.pk, actor=actor(cast.senior, at), at=at, reviewer_id=None, reason="Leave.")
    hands = [actor(posted(cast.request.office, Role.REVIEWER, f"000{n}"), at) for n in range(PEOPLE)]
    with Crowd(PEOPLE) as crowd:
        results = crowd.at_once(
            [lambda who=who: workflow.take(cast.request.pk, actor=who, at=at, no_conflict=True) for who in hands]
        )
    [winner] = [who for who, result in zip(hands, results, strict=True) if not isinstance(result, Exception)]
    losers = [result for result in results if isinstance(result, Exception)]
    assert {str(sentence) for sentence in losers} == {
        "A reviewer has the case already; a senior reviewer can hand it over."
    }
    assert TravelRequest.unscoped.get(pk=cast.request.pk).assigned_reviewer_id == winner.user_id
    assert Entry.objects.filter(chain=cast.request.pk, verb="take").count() == 2  # the first one, and this


def test_a_person_and_the_clock_meet() -> None:
    """The officer endorses in the second in which the clock forwards: it happens once."""
    cast = in_state(State.COMPANY_REVIEW)
    at = cast.request.due_at
    assert at is not None
    clock_id = cast.request.clocks.get(kind="company").pk
    officers = [actor(officer_of(cast.request.company), at) for _n in range(4)]
    with Crowd(PEOPLE) as crowd:
        results = crowd.at_once(
            [lambda who=who: workflow.endorse(cast.request.pk, actor=who, at=at) for who in officers]
            + [lambda: sweeping.act_on_clock(clock_id, at=at)] * 4
        )
    won = [result for result in results if result is True or isinstance(result, TravelRequest)]
    lost = [result for result in results if not (result is True or isinstance(result, TravelRequest))]
    assert len(won) == 1
    assert all(result is False or isinstance(result, NotNow) for result in lost), lost
    assert Entry.objects.filter(chain=cast.request.pk, verb__in=["endorse", "forward"]).count() == 1


def test_numbers_are_unique_when_all_begin_at_once() -> None:
    company = CompanyFactory.create()
    people = [employ(f"Person {name}", company) for name in "ABCDEFGH"]
    starters = [(person.pk, actor(person.user, NOW)) for person in people if person.user]

    def begin(employee_id: int, who: Actor) -> list[str]:
        return [workflow.start(actor=who, at=NOW, employee_id=employee_id).reference for _n in range(10)]

    with Crowd(PEOPLE) as crowd:
        results = crowd.at_once([lambda one=one: begin(*one) for one in starters])
    references = [reference for made in results for reference in made]
    assert len(set(references)) == len(references) == 80


def test_submitting_twice_makes_one_submission() -> None:
    """The button is pressed eight times, on eight pages."""
    cast = in_state(State.DRAFT)
    who = actor(cast.applicant.user, NOW)
    with Crowd(PEOPLE) as crowd:
        results = crowd.at_once([lambda: workflow.submit(cast.request.pk, actor=who, at=NOW)] * PEOPLE)
    assert sum(isinstance(result, TravelRequest) for result in results) == 1
    assert sum(isinstance(result, NotNow) for result in results) == PEOPLE - 1
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert (request.revision_number, request.revisions.count(), request.assessments.count()) == (1, 1, 1)


def test_who_leaves_a_case_meets_who_hands_it_over() -> None:
    """Whatever comes first: whoever declared a conflict of interest does not end up with the case."""
    cast = in_state(State.AUTHORITY_REVIEW)
    at = cast.request.state_since + timedelta(minutes=5)
    colleagues = [posted(cast.request.office, Role.REVIEWER, f"001{n}") for n in range(4)]
    senior = actor(cast.senior, at)

    def hand_over_to(user_id: int) -> Any:
        return workflow.hand_over(cast.request.pk, actor=senior, at=at, reviewer_id=user_id, reason="Balance.")

    def recuse(who: Actor) -> Any:
        return workflow.recuse(cast.request.pk, actor=who, at=at)

    with Crowd(PEOPLE) as crowd:
        crowd.at_once(
            [lambda who=who: recuse(actor(who, at)) for who in colleagues]
            + [lambda who=who: hand_over_to(who.pk) for who in colleagues]
        )
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    conflicted = set(request.recusals.values_list("by_id", flat=True))
    assert len(conflicted) == 4
    assert request.assigned_reviewer_id not in conflicted
    for who in colleagues:
        with pytest.raises(NotFound):
            workflow.take(request.pk, actor=actor(who, at), at=at, no_conflict=True)


def test_typing_in_two_windows_loses_nothing_of_the_last() -> None:
    cast = in_state(State.DRAFT)
    legs = [[{**LEGS[0], "city": f"City {n}"}] for n in range(PEOPLE)]
    with Crowd(PEOPLE) as crowd:
        results = crowd.at_once([lambda one=one: fill(cast.request, legs=one) for one in legs])
    assert all(isinstance(result, TravelRequest) for result in results), results
    [leg] = Leg.objects.filter(request=cast.request)
    assert leg.city in {f"City {n}" for n in range(PEOPLE)}
