"""Fair process 3, 6, 7, 16, 17, 20 and 25, as far as deciding goes: grounds, people, being heard, what is milder."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.core.management import get_commands
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Invalid, NotFound, NotNow, Refused
from accounts.roles import SYSTEM, Actor, Grant, Role
from approvals import queries, workflow
from approvals.api.views import VERBS as OF_THE_API
from approvals.models import Decision, HearingOffice, Reply, TravelRequest
from approvals.models.decision import Outcome
from approvals.states import State, Tier
from approvals.views.actions import PAGES, actions_for
from approvals.views.inbox import BULK
from approvals.workflow import by_clock, gate
from config.celery import app as celery
from sensitivity.models import ListKind
from tests.approvals.parted import TWO_PLACES
from tests.approvals.staffing import signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import DENIAL, NOW, CompanyFactory, actor, employ, entry_values, in_state, list_in_force

pytestmark = pytest.mark.django_db

HOUR, LATER = timedelta(hours=1), timedelta(days=20)
REFUSING = {State.DENIED, State.REVOKED}


def again(request: TravelRequest) -> TravelRequest:
    return queries.in_full(SYSTEM).get(pk=request.pk)


# ── 3: grounds ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lacking", "field"),
    [
        ({"reason_codes": []}, "reason_codes"),
        ({"text": " "}, "text"),
        ({"relied_on": []}, "facts"),
        ({"relied_on": [workflow.Fact(part="place-7", fact="A closed session.")]}, "facts"),
        ({"relied_on": [workflow.Fact(part="dates", fact=" ")]}, "facts"),
        ({"measures": DENIAL.measures[1:]}, "why_not_condition"),
        ({"measures": DENIAL.measures[:1]}, "why_not_shorter"),
    ],
)
def test_03_a_denial_needs_codes_words_facts_of_this_trip_and_every_milder_measure(
    lacking: dict[str, Any], field: str
) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    rui, at = actor(cast.reviewer, NOW + LATER), NOW + 4 * HOUR

    with nothing_moved(), pytest.raises(Invalid) as refused:
        workflow.propose(cast.request.pk, actor=rui, at=at, outcome=Outcome.DENIED, grounds=replace(DENIAL, **lacking))

    assert [problem.field for problem in refused.value.problems] == [field]


def test_03_leaving_out_a_place_is_considered_where_there_are_several() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, legs=TWO_PLACES)
    grounds = replace(DENIAL, measures=DENIAL.measures[:2])

    with pytest.raises(Invalid) as refused:
        workflow.propose(
            cast.request.pk, actor=actor(cast.reviewer, NOW), at=NOW + 4 * HOUR, outcome="denied", grounds=grounds
        )

    assert [problem.field for problem in refused.value.problems] == ["why_not_without_place"]


def test_03_each_fact_links_to_the_part_of_the_request_that_it_is_about() -> None:
    cast = in_state(State.DENIED)

    page = text_of(signed_in(cast.applicant.user).get(f"/requests/{cast.request.reference}/"))

    assert 'href="#part-place-0"' in page
    assert 'id="part-place-0"' in page
    for one in DENIAL.measures:
        assert one.why in page


# ── 6: people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_06_no_door_but_a_person_on_a_page_leads_to_a_denial() -> None:
    refusing = {
        verb
        for verb, rows in workflow.transitions().items()
        for row in rows.values()
        if row.targets & REFUSING and row.source not in REFUSING
    }
    assert refusing == {"confirm", "revoke"}
    # Two verbs refuse, and only seniors take them; what leads there is proposed by one person for another.
    for verb in refusing:
        for row in workflow.transitions()[verb].values():
            assert row.permission.roles == (Role.SENIOR,)
    assert not refusing & {verb for verb, _prepare in by_clock._BY_CLOCK.values()}, "a clock"
    assert not refusing & set(BULK), "a bulk action"
    assert not {page.verb for name, page in PAGES.items() if name in BULK} & refusing, "a bulk action by another name"
    assert not (refusing | {"propose", "propose_revocation", "uphold"}) & set(OF_THE_API), "the API"
    assert {page.verb for page in PAGES.values()} >= refusing, "a page"


def test_06_no_task_and_no_command_names_a_verb_that_refuses() -> None:
    names = {"confirm", "revoke", "denied", "revoked"}
    modules = {
        type(task).__module__ if task.name.startswith("celery.") else task.run.__module__
        for task in celery.tasks.values()
    }
    modules |= {
        f"{app}.management.commands.{name}"
        for name, app in get_commands().items()
        if isinstance(app, str) and not app.startswith(("django.", "allauth", "unfold", "rest_framework"))
    }
    ours = {module for module in modules if module.split(".")[0] in {"approvals", "sensitivity", "employees", "jobs"}}
    assert len(ours) >= 3
    for module in ours:
        code = compile(_source_of(module), module, "exec")
        assert not names & _names_in(code), module


def _source_of(module: str) -> str:
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


def _names_in(code: Any) -> set[str]:
    """The names that some code looks up and the constants that it holds, in it and in what it defines."""
    held = set(code.co_names) | {one for one in code.co_consts if isinstance(one, str)}
    return held.union(*(_names_in(one) for one in code.co_consts if hasattr(one, "co_names")))


def test_06_the_back_office_changes_neither_requests_nor_proposals_nor_decisions() -> None:
    looked = RequestFactory().get("/")
    looked.user = User.objects.create(name="Root", email="root@example.test", is_staff=True, is_superuser=True)
    for model, shown in site._registry.items():
        if model._meta.app_label == "approvals" and model is not HearingOffice:  # which office hears is configured
            assert not shown.has_add_permission(looked), model
            assert not shown.has_change_permission(looked), model
            assert not shown.has_delete_permission(looked), model


def test_06_the_system_is_refused_at_every_step_to_a_denial() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    at = NOW + LATER
    for who in (SYSTEM, Actor(None, "import", frozenset({Grant(Role.SYSTEM)}))):
        with nothing_moved(), pytest.raises(Refused):
            gate.move("confirm", cast.request.pk, actor=who, at=at)
    with nothing_moved(), pytest.raises(NotFound):
        workflow.confirm(cast.request.pk, actor=Actor(None, "nobody"), at=at)
    # The same step by a person, to show that it was there to be taken.
    assert workflow.confirm(cast.request.pk, actor=actor(cast.senior, at), at=at).state == State.DENIED


def _insert(decision: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in decision)
    marks = ", ".join("%s::jsonb" if name in _JSON else "%s" for name in decision)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO approvals_decision ({names}) VALUES ({marks})", list(decision.values()))


_JSON = ("relied_on", "measures", "cleared", "clock_versions")


def _raw(cast: Any, **other: Any) -> dict[str, Any]:
    """The denial that could follow from the proposal of `cast`, as the columns of its row."""
    proposal = cast.request.proposal
    return {
        "id": str(Decision(request=cast.request).pk),
        "at": NOW + LATER,
        "by_id": cast.reviewer.pk,
        "confirmed_by_id": cast.senior.pk,
        "request_id": str(cast.request.pk),
        "revision_id": str(proposal.revision_id),
        "assessment_id": str(proposal.assessment_id),
        "proposal_id": str(proposal.pk),
        "outcome": "denied",
        "text": proposal.text,
        "reason_codes": proposal.reason_codes,
        "facts": proposal.facts,
        "milder_measures": proposal.milder_measures,
        "relied_on": "[]",
        "measures": "[]",
        "cleared": "[]",
        "clock_versions": "{}",
        "deemed": False,
        "appeal_until": date(2026, 6, 1),
    } | other


def test_06_and_16_the_database_takes_a_denial_only_after_the_applicant_was_heard_by_the_proposer() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    other = in_state(State.DECISION_PROPOSED, employee=employ("Bob Li", CompanyFactory.create()))
    unheard = {
        "before the window is over": {"at": NOW + 5 * HOUR},
        "without a proposal": {"proposal_id": None},
        "on the proposal of another case": {"proposal_id": str(other.request.proposal_id)},
        "by somebody who did not propose it": {"by_id": cast.second_senior.pk},
        "that says something else": {"outcome": "revoked"},
    }
    for why, values in unheard.items():
        with nothing_moved(), pytest.raises(DatabaseError, match="applicant_was_heard") as refused:
            _insert(_raw(cast, **values))
        assert "was heard" in str(refused.value), why

    _insert(_raw(cast))  # the control: nothing but these keeps it out

    assert Decision.objects.filter(request=cast.request, outcome="denied").count() == 1


def test_06_the_database_takes_no_part_that_one_person_clears() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    part = '[{"city": "Rio de Janeiro"}]'

    for values in ({"confirmed_by_id": None}, {"confirmed_by_id": cast.reviewer.pk}, {}):
        with nothing_moved(), pytest.raises(DatabaseError):
            _insert(_raw(cast, outcome="approved", cleared=part, **values))


# ── 7: rules only route ─────────────────────────────────────────────────────────────────────────────────────────────


def test_07_the_gravest_hit_asks_for_a_consultation_and_decides_nothing() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 3))
    cast = in_state(State.COMPANY_REVIEW)
    request = workflow.endorse(cast.request.pk, actor=actor(cast.officer, NOW), at=NOW + 2 * HOUR)

    assert (request.tier, request.state) == (Tier.RESTRICTED, State.AUTHORITY_REVIEW)
    assert not Decision.objects.filter(request=request).exists()
    page = text_of(signed_in(cast.applicant.user).get(f"/requests/{request.reference}/"))
    assert "The specialist office is consulted" in page
    assert "cs.IR" in page


# ── 16: heard ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_16_a_denial_waits_for_the_reply_or_the_end_of_its_window_and_the_reply_is_on_the_decision() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    until = cast.request.reply_until
    assert until is not None
    for moment in (NOW + 5 * HOUR, until - timedelta(microseconds=1)):
        with nothing_moved(), pytest.raises(NotNow, match="heard first"):
            workflow.confirm(cast.request.pk, actor=actor(cast.senior, moment), at=moment)
    me = actor(cast.applicant.user, NOW)  # type: ignore[arg-type]
    workflow.reply(
        cast.request.pk,
        actor=me,
        at=NOW + 6 * HOUR,
        text="I can leave before that session.",
        helper_name="Lin Law",
        helper_relation="lawyer",
        helper_agrees=True,
    )

    workflow.confirm(cast.request.pk, actor=actor(cast.senior, NOW), at=NOW + 7 * HOUR)

    decision = Decision.objects.get(request=cast.request)
    assert decision.proposal_id == Reply.objects.get(request=cast.request).proposal_id
    page = text_of(signed_in(cast.applicant.user).get(f"/requests/{cast.request.reference}/"))
    shown = page[page.index('id="decision"') :]
    assert "I can leave before that session." in shown
    assert "written with the help of Lin Law (lawyer)" in shown


def test_16_clearing_a_part_refuses_the_rest_and_is_heard_on_confirmed_and_open_to_appeal_too() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, legs=TWO_PLACES)
    asked = cast.request.revision.content["legs"]  # type: ignore[union-attr]
    rui, shan = actor(cast.reviewer, NOW), actor(cast.senior, NOW)
    workflow.propose(
        cast.request.pk, actor=rui, at=NOW + 4 * HOUR, outcome="approved", grounds=DENIAL, cleared=asked[:1]
    )
    with nothing_moved(), pytest.raises(NotNow, match="heard first"):
        workflow.confirm(cast.request.pk, actor=shan, at=NOW + 5 * HOUR)

    request = workflow.confirm(cast.request.pk, actor=shan, at=NOW + LATER)

    decision = Decision.objects.get(pk=request.decision_id)
    assert (request.state, decision.outcome, decision.is_partial) == (State.APPROVED, "approved", True)
    assert (decision.cleared_from, decision.cleared_until) == (date(2026, 4, 22), date(2026, 4, 28))
    assert decision.appeal_until is not None
    assert decision.reason_codes == ["T1"]
    page = text_of(signed_in(cast.applicant.user).get(f"/requests/{request.reference}/"))
    assert "Not cleared" in page
    assert "If you disagree" in page


# ── 17: urgent first ────────────────────────────────────────────────────────────────────────────────────────────────


def test_17_an_urgent_trip_is_heard_on_and_decided_within_a_working_day_and_nothing_is_skipped() -> None:
    cast = in_state(State.DRAFT, purpose="urgent_humanitarian")
    me = actor(cast.applicant.user, NOW)  # type: ignore[arg-type]
    workflow.submit(cast.request.pk, actor=me, at=NOW)
    rui = actor(cast.reviewer, NOW)
    workflow.take(cast.request.pk, actor=rui, at=NOW, no_conflict=True)

    request = workflow.propose(cast.request.pk, actor=rui, at=NOW, outcome="denied", grounds=DENIAL)

    assert request.reply_until is not None
    assert timezone.localtime(request.reply_until, request.zone).date() == date(2026, 3, 5)  # the end of 4 March
    with pytest.raises(NotNow, match="heard first"):
        workflow.confirm(request.pk, actor=actor(cast.senior, NOW), at=NOW + HOUR)


# ── 20: milder first ────────────────────────────────────────────────────────────────────────────────────────────────


def test_20_what_is_milder_comes_before_a_denial_on_the_page_and_on_the_way_to_it() -> None:
    cast = in_state(State.AUTHORITY_REVIEW, legs=TWO_PLACES)
    rui, at = actor(cast.reviewer, NOW), NOW + 4 * HOUR

    offered = [action.name for action in actions_for(rui, again(cast.request), at=at)]

    milder = ["approve", "propose", "propose_part"]
    assert [name for name in offered if name in (*milder, "propose_denial")] == [*milder, "propose_denial"]
    page = text_of(signed_in(cast.reviewer).get(f"/requests/{cast.request.reference}/do/propose_denial/"))
    form = page.index('<form method="post" novalidate')
    for link in ("Approve with conditions", "Propose to approve a shorter trip", "without one of its places"):
        assert page.index(link) < form
    assert page.index("Why a condition does not do") < page.index("Reason codes in force")


def test_20_a_denial_is_never_one_click() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    url = f"/requests/{cast.request.reference}/do/propose_denial/"

    with nothing_moved(apart_from=_looks()):
        answered = signed_in(cast.reviewer).post(url, {})

    assert answered.status_code == 422
    grave = next(one for one in actions_for(actor(cast.reviewer, NOW), again(cast.request), at=NOW) if one.danger)
    assert (grave.name, grave.opens_page, grave.primary) == ("propose_denial", True, False)


def _looks() -> tuple[Any, ...]:
    from accounts.models import AccessEntry

    return (AccessEntry,)


# ── 25: versions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_25_a_decision_says_which_lists_and_which_terms_of_time_it_was_made_with() -> None:
    version = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR"))
    cast = in_state(State.APPROVED)
    clock = cast.request.clocks.get(kind="decision")

    decision = Decision.objects.select_related("assessment").get(request=cast.request)

    assert decision.clock_versions == {"policy": clock.policy_version, "calendar": clock.calendar_version}
    assert [number for _list, _version, number in decision.assessment.versions] == [version.number]
    # Later lists change nothing of it.
    list_in_force(ListKind.EVENT, entry_values("ICLR", 3), at=NOW + timedelta(days=2))
    assert Decision.objects.get(pk=decision.pk).assessment_id == decision.assessment_id
    assert TravelRequest.unscoped.get(pk=cast.request.pk).tier == Tier.STANDARD
