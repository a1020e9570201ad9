"""The rule book's table of transitions, once more, and that the product does this and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django_fsm import FSMField

from accounts.refusals import NotFound, Refused
from accounts.roles import NOBODY, SYSTEM, Actor, Role
from accounts.rules import Rule
from accounts.transitions import transition
from approvals import queries, workflow
from approvals.models import TravelRequest
from approvals.states import State
from approvals.workflow import by_clock
from audit.models import Entry
from authorities.models import Office
from notifications.models import OutboxEvent
from sensitivity.models import ListKind
from tests.approvals.calls import VERBS, call
from tests.asserting import everything, nothing_moved
from tests.factories import (
    CompanyFactory,
    OfficeFactory,
    actor,
    employ,
    entry_values,
    in_state,
    list_in_force,
    officer_of,
    posted,
    with_role,
)

OPEN = "draft, company_review, returned, company_declined, authority_review, information_requested, decision_proposed"
ANY = f"{OPEN}, approved, denied, revoked, closed, withdrawn, lapsed"

# verb, from, to ("": stays), who. As in the rule book, row by row.
RULE_BOOK = [
    ("submit", "draft, returned", "company_review, authority_review", "applicant"),
    ("return_for_changes", "company_review", "returned", "officer"),
    ("endorse", "company_review", "authority_review", "officer"),
    ("object", "company_review", "authority_review", "officer"),
    ("decline", "company_review", "company_declined", "officer"),
    ("refer", "company_declined", "authority_review", "applicant"),
    ("forward", "company_review", "authority_review", "system"),
    ("take", "authority_review", "", "reviewer"),
    ("hand_over", "authority_review", "", "senior"),
    ("ask_information", "authority_review", "information_requested", "reviewer"),
    ("answer", "information_requested", "authority_review", "applicant"),
    ("approve", "authority_review", "approved", "reviewer"),
    ("propose", "authority_review", "decision_proposed", "reviewer"),
    ("reply", "decision_proposed, approved", "", "applicant"),
    ("confirm", "decision_proposed", "approved, denied", "senior"),
    ("reject_proposal", "decision_proposed", "authority_review", "senior"),
    ("extend", "authority_review, decision_proposed", "", "senior"),
    ("deem_approved", "authority_review", "approved", "system"),
    ("withdraw", OPEN, "withdrawn", "applicant"),
    ("lapse", "draft, returned, information_requested", "lapsed", "system"),
    ("reopen", "lapsed", "draft, returned, information_requested", "applicant"),
    ("revoke", "approved", "revoked", "senior"),
    ("overturn", "denied, revoked, approved", "approved", "appeal_reviewer"),
    ("close", "approved", "closed", "applicant, system"),
    # Verbs that the table's other columns speak of: a declared conflict of interest, the senior who agrees to a second
    # information request and who proposes a revocation, reminders and escalation.
    (
        "recuse",
        "authority_review, decision_proposed, approved, denied, revoked",
        "",
        "reviewer, senior, appeal_reviewer",
    ),
    ("agree_information", "authority_review", "", "senior"),
    ("propose_revocation", "approved", "", "senior"),
    ("reject_revocation", "approved", "", "senior"),
    # What persons do to an assessment: "a person can raise or lower one with a reason", possible matches, later lists.
    ("judge_match", "authority_review", "", "reviewer"),
    ("change_tier", "authority_review", "", "reviewer, senior"),
    ("reassess", "authority_review, information_requested", "", "senior"),
    # Fair process, 9: "the applicant can ask for another reviewer once"; 16: a revocation, too, can be given back.
    ("ask_other_reviewer", "authority_review", "", "applicant"),
    ("keep_reviewer", "authority_review", "", "senior"),
    ("reject_revocation", "approved", "", "senior"),
    # Fair process, 22: a change re-asks only what it touches; what changed on the way is reported afterwards.
    ("amend", "company_review, authority_review, information_requested", "", "applicant"),
    ("file_amendment", "approved", "", "applicant"),
    ("withdraw_amendment", "approved", "", "applicant"),
    ("recommend_amendment", "approved", "", "reviewer"),
    ("accept_amendment", "approved", "", "reviewer, senior"),
    ("return_amendment", "approved", "", "reviewer, senior"),
    ("report_change", "approved, closed", "", "applicant"),
    ("note_report", "approved, closed", "", "reviewer, senior"),
    # "A case whose reviewer left goes back to the office's queue."
    ("return_to_queue", "authority_review", "", "system"),
    ("remind", ANY, "", "system"),
    ("escalate", "authority_review, decision_proposed, approved, denied, revoked, closed", "", "system"),
]


def words(text: str) -> list[str]:
    return [word for word in text.split(", ") if word]


def test_the_product_has_exactly_the_transitions_of_the_rule_book() -> None:
    declared = {
        (str(source), verb, str(target))
        for verb, rows in workflow.transitions().items()
        for source, row in rows.items()
        for target in row.targets
    }
    written = {
        (source, verb, target)
        for verb, sources, targets, _who in RULE_BOOK
        for source in words(sources)
        for target in words(targets) or [source]
    }
    assert declared == written


def test_each_verb_belongs_to_exactly_the_roles_of_the_rule_book() -> None:
    declared = {
        (verb, str(role))
        for verb, rows in workflow.transitions().items()
        for row in rows.values()
        for role in row.permission.roles
    }
    assert declared == {(verb, role) for verb, _from, _to, who in RULE_BOOK for role in words(who)}


def test_no_transition_is_without_a_permission_that_names_a_role() -> None:
    for declared in TravelRequest._meta.get_field("state").get_all_transitions(TravelRequest):
        assert isinstance(declared.permission, Rule), declared.name
        assert declared.permission.roles, declared.name
        assert all(isinstance(condition, Rule) for condition in declared.conditions), declared.name


def test_a_transition_cannot_even_be_declared_without_a_permission() -> None:
    with pytest.raises(TypeError, match="permission"):
        transition(FSMField(), source="draft", target="closed")  # type: ignore[call-arg]


def test_the_system_has_no_way_to_deny_or_revoke() -> None:
    refusing = {State.DENIED, State.REVOKED}
    for verb, rows in workflow.transitions().items():
        for row in rows.values():
            if row.targets & refusing and row.source not in refusing:
                assert row.permission.roles == (Role.SENIOR,), verb
            if Role.SYSTEM in row.permission.roles:
                assert row.source in refusing or not row.targets & refusing, verb
    assert not {"denied", "revoked"} & {verb for verb, _prepare in by_clock._BY_CLOCK.values()}


# ── who may do what, in each state ──────────────────────────────────────────────────────────────────────────────────

# With the trip of the factories, a conference, in tier fast; the case is taken by `reviewer`; a denial is proposed and
# its reply window open. What is not here is refused.
MAY: dict[State, dict[str, str]] = {
    State.DRAFT: {"applicant": "submit, withdraw"},
    State.COMPANY_REVIEW: {"applicant": "withdraw, amend", "officer": "return_for_changes, endorse, decline"},
    State.RETURNED: {"applicant": "withdraw"},  # and submit, once the declarations are made again
    State.COMPANY_DECLINED: {"applicant": "refer, withdraw"},
    State.AUTHORITY_REVIEW: {
        "applicant": "withdraw, ask_other_reviewer, amend",
        "reviewer": "ask_information, approve, propose, recuse, change_tier",
        "colleague": "recuse",
        "senior": "hand_over, extend, change_tier, reassess, recuse",
        "second senior": "hand_over, extend, change_tier, reassess, recuse",
        "system": "escalate, return_to_queue",
    },
    State.INFORMATION_REQUESTED: {
        "applicant": "answer, withdraw, amend",
        "senior": "reassess",
        "second senior": "reassess",
    },
    State.DECISION_PROPOSED: {
        "applicant": "reply, withdraw",
        "senior": "reject_proposal, extend, recuse",
        "second senior": "reject_proposal, extend, recuse",
        "system": "escalate",
    },
    State.APPROVED: {
        "applicant": "close, file_amendment",
        "senior": "propose_revocation",
        "second senior": "propose_revocation",
        "system": "escalate",
    },
    State.DENIED: {"applicant": "file_appeal", "system": "escalate"},
    State.REVOKED: {"applicant": "file_appeal", "system": "escalate"},
    State.CLOSED: {"system": "escalate"},
    State.WITHDRAWN: {},
    State.LAPSED: {"applicant": "reopen"},
}


@dataclass
class World:
    """One request and everybody who could want something of it."""

    request: TravelRequest
    at: datetime
    actors: dict[str, Actor]

    def is_seen_by(self, person: Actor) -> bool:
        return queries.visible_to(person).filter(pk=self.request.pk).exists()

    def may(self, who: str) -> set[str]:
        always = {"remind"} if who == "system" else set()
        return always | set(words(MAY[State(self.request.state)].get(who, "")))


def world(state: State) -> World:
    cast = in_state(state)
    request = cast.request
    company, office = request.company, request.office
    # Published after the submission, so that there is something to assess anew.
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR"), at=request.state_since)
    me = cast.applicant.user
    assert me is not None
    at = request.state_since + timedelta(minutes=5)
    if workflow.filing_verb(TravelRequest.unscoped.get(pk=request.pk), actor(me, at), at=at):
        # A change that is written, so that it can be filed.
        workflow.begin_amendment(request.pk, actor=actor(me, at), at=at)
        workflow.save_amendment(
            request.pk, actor=actor(me, at), at=at, section="change", values={"description": "I present two papers."}
        )
    elsewhere: Office = OfficeFactory.create(code="PD", name_en="Pudong office")
    competitor = CompanyFactory.create(name_en="Other Intelligence")
    people = {
        "applicant": cast.applicant.user,
        "officer": cast.officer,
        "reviewer": cast.reviewer,
        "senior": cast.senior,
        "second senior": cast.second_senior,
        "colleague": posted(office, Role.REVIEWER, "0011"),
        "head of office": posted(office, Role.HEAD, "0012"),
        "appeal reviewer of the office": posted(office, Role.APPEAL_REVIEWER, "0013"),
        "fellow employee": employ("Fei Fellow", company).user,
        "officer of another company": officer_of(competitor),
        "employee of another company": employ("Oscar Other", competitor).user,
        "reviewer of another office": posted(elsewhere, Role.REVIEWER, "0021"),
        "senior of another office": posted(elsewhere, Role.SENIOR, "0022"),
        "appeal reviewer of another office": posted(elsewhere, Role.APPEAL_REVIEWER, "0023"),
        "list manager": with_role(Role.LIST_MANAGER),
        "administrator": with_role(Role.ADMINISTRATOR),
        "auditor": with_role(Role.AUDITOR),
    }
    actors = {name: actor(user, at) for name, user in people.items() if user is not None}
    return World(request, at, actors | {"system": SYSTEM, "nobody": NOBODY})


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_whatever_the_rule_book_does_not_say_is_refused_and_nothing_moves(state: State) -> None:
    there = world(state)
    verbs = {who: sorted(set(VERBS) - there.may(who)) for who in there.actors}
    # Whoever does not see the request gets one answer to everything: among them, each verb is tried by two.
    blind = [who for who, person in there.actors.items() if not there.is_seen_by(person)]
    for place, who in enumerate(blind):
        verbs[who] = [verb for index, verb in enumerate(VERBS) if (index + place) % len(blind) < 2]
    with nothing_moved():
        for who, person in there.actors.items():
            for verb in verbs[who]:
                with pytest.raises(Refused) as caught:
                    call(verb, there.request.pk, person, there.at)
                assert str(caught.value), (who, verb)
                assert isinstance(caught.value, NotFound) == (who in blind), (who, verb)


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_whatever_the_rule_book_says_can_be_done_and_is_offered(state: State) -> None:
    there = world(state)
    for who, person in there.actors.items():
        seen = queries.visible_to(person).filter(pk=there.request.pk).first()
        offered = workflow.available_actions(person, seen, at=there.at) if seen else []
        assert set(offered) == there.may(who), who
        for verb in offered:
            _can(there, verb, person)


def _can(there: World, verb: str, person: Actor) -> None:
    """`verb` leads where the rule book says, and leaves one entry in the log and one row in the outbox."""
    before, sequence = everything(), there.request.chain_length
    with transaction.atomic():
        call(verb, there.request.pk, person, there.at)
        now = TravelRequest.unscoped.get(pk=there.request.pk)
        targets = {row[0]: words(row[2]) for row in RULE_BOOK}.get(verb, [])
        assert now.state in (targets or [there.request.state])
        [entry] = Entry.objects.filter(chain=now.pk, sequence__gt=sequence)
        assert (entry.verb, entry.actor_id, entry.sequence) == (verb, person.user_id, sequence + 1)
        assert entry.actor_role in {row[0]: words(row[3]) for row in RULE_BOOK}.get(verb, ["applicant"])
        assert OutboxEvent.objects.filter(subject=now.pk, event=f"request.{verb}", at=there.at).count() == 1
        if now.state != there.request.state:
            assert now.state_since == there.at
        transaction.set_rollback(True)
    assert everything() == before


def test_the_whole_table_can_be_walked() -> None:
    """No verb of the table is there in name only: each of them is done somewhere above or in the other tests."""
    walked = {verb for states in MAY.values() for verbs in states.values() for verb in words(verbs)}
    elsewhere = {
        # When the company's, the applicant's, the office's time is over, the trip is: tests/approvals/test_sweep.py.
        *("forward", "lapse", "deem_approved", "remind"),
        # Personal trips, second questions, heard applicants, two seniors, appeals: tests/approvals/test_refusals.py.
        # A possible match that waits: tests/approvals/test_assessment_by_people.py.
        "judge_match",
        *("object", "take", "agree_information", "confirm", "revoke", "hear_appeal", "uphold", "overturn"),
        # Changes to a trip that the office answers, and what is reported afterwards: test_amendments.py.
        *("withdraw_amendment", "recommend_amendment", "accept_amendment", "return_amendment"),
        *("report_change", "note_report"),
        # A revocation given back, a reviewer kept, what is said in an appeal: test_revocation.py, test_conflicts.py,
        # test_appeals.py.
        *("reject_revocation", "keep_reviewer", "withdraw_appeal", "add_to_appeal", "note_hearing"),
        *("comment_on_hearing", "ask_in_appeal", "answer_in_appeal"),
        # Conditions that are met, or cannot be: test_conditions.py.
        *("report_condition", "cannot_comply", "release_condition", "send_back_condition", "answer_condition"),
        # Restricted cases: test_consultation.py.
        *("consult", "give_opinion"),
    }
    assert walked | elsewhere == set(VERBS)
    assert not walked & elsewhere
