"""What people are told is what held when it happened, and what they can leave off does no harm to their rights."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.roles import Role
from approvals import notices, queries, sweeping, workflow
from approvals.clocks import Step
from approvals.models import Clock, TravelRequest
from approvals.states import State, Tier
from approvals.views import standing
from audit.models import Entry
from authorities.terms import ClockKind
from notifications import preferences, registry
from notifications.delivery import deliver
from notifications.models import Channel, Notification, OutboxEvent
from tests.factories import CompanyFactory, actor, employ, in_state
from tests.factories.requests import Cast, submitted

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
# However many are told: a transaction, the events, the requests, the people, what they chose, addresses that fail,
# and what is written of it. (The officers of each company are asked besides.)
QUERIES = 11


def do(cast: Cast, verb: str, who: Any, minutes: int = 1, **values: Any) -> OutboxEvent:
    at = cast.request.state_since + minutes * MINUTE
    getattr(workflow, verb)(cast.request.pk, actor=actor(who, at), at=at, **values)
    return OutboxEvent.objects.get(event=f"request.{verb}", subject=cast.request.pk, at=at)


def words(event: OutboxEvent, audience: str, language: str = "en") -> str:
    event.refresh_from_db()
    told = event.words[audience][language]
    return f"{told['subject']}\n{told['body']}"


@pytest.mark.parametrize(("language", "until"), [("en", "by 17 March 2026"), ("zh-hans", "2026年3月17日")])
def test_the_due_date_is_that_of_the_moment_it_happened(language: str, until: str) -> None:
    """Alice is asked for information and answers at once; the worker was away and tells her only then."""
    cast = in_state(State.AUTHORITY_REVIEW)
    deliver(at=cast.request.state_since)
    asked = do(cast, "ask_information", cast.reviewer, items=["Who pays?"], reason="To see who the host is.")
    due = asked.data["due"]
    do(cast, "answer", cast.applicant.user, 2, answers=["My company."])
    now_due = TravelRequest.unscoped.get(pk=cast.request.pk).due_at
    assert now_due is not None
    assert now_due.isoformat() != due
    deliver(at=cast.request.state_since + timedelta(hours=1))
    assert until in words(asked, "applicant", language)


def test_a_reminder_speaks_of_the_date_of_its_own_clock() -> None:
    """The time to reply to a proposed denial ends before that for deciding."""
    cast = in_state(State.DECISION_PROPOSED)
    clock = Clock.objects.get(request=cast.request, kind=ClockKind.REPLY, ended_at=None)
    assert clock.next_step == Step.REMIND
    assert clock.due_at is not None
    at = clock.next_action_at
    assert at is not None
    sweeping.sweep(at=at)
    event = OutboxEvent.objects.get(event="request.remind", data__clock=ClockKind.REPLY)
    assert event.data["due"] == clock.due_at.isoformat()
    assert TravelRequest.unscoped.get(pk=cast.request.pk).due_at != clock.due_at


@pytest.mark.parametrize("requests", [1, 20])
def test_requests_are_read_once_for_all_that_is_said_of_them(requests: int) -> None:
    """To her, to the officers of the company, and in two languages; the officers are asked for each request."""
    company = CompanyFactory.create()
    for number in range(requests):
        submitted(employ(f"Alice {number}", company))
    at = TravelRequest.unscoped.latest("state_since").state_since
    with CaptureQueriesContext(connection) as queries:
        deliver(at=at, mails=False)
    statements = [query["sql"] for query in queries]
    assert sum('FROM "approvals_travelrequest"' in statement for statement in statements) == 1
    assert len(statements) - sum('"companies_membership"' in statement for statement in statements) == QUERIES
    assert Notification.objects.filter(event__event="request.submit", channel=Channel.BELL).count() == requests


def test_tier_and_reason_are_those_of_that_change() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    first = do(cast, "change_tier", cast.senior, 1, tier=Tier.HEIGHTENED, reason="A closed session.")
    second = do(cast, "change_tier", cast.senior, 2, tier=Tier.RESTRICTED, reason="Two closed sessions.")
    deliver(at=second.at)
    assert "Heightened" in words(first, "applicant")
    assert "The reason: A closed session." in words(first, "applicant")
    assert "Restricted" in words(second, "applicant")


def test_everything_that_is_told_is_of_a_kind_that_is_offered() -> None:
    for event in registry.events():
        for notice in registry.notices(event):
            if event.startswith(("request.", "list.")):
                assert registry.kind(notice.kind) is not registry.GENERAL, (event, notice.audience)


# Who is told what may not depend on a switch (fair process, 14, 16, 18, 23).
ALWAYS = {
    ("approve", "applicant"),
    ("confirm", "applicant"),
    ("deem_approved", "applicant"),
    ("revoke", "applicant"),
    ("uphold", "applicant"),
    ("overturn", "applicant"),
    ("propose", "applicant"),
    ("propose_revocation", "applicant"),
    ("return_for_changes", "applicant"),
    ("decline", "applicant"),
    ("ask_information", "applicant"),
    ("extend", "applicant"),
    ("change_tier", "applicant"),
    ("reassess", "applicant"),
    ("lapse", "applicant"),
    ("reopen", "applicant"),
    ("recompute", "applicant"),
    ("recompute", "whose clock"),
    ("release_condition", "owner"),
    ("send_back_condition", "owner"),
    ("answer_condition", "owner"),
    ("remind", "condition"),
    ("remind", "condition overdue"),
    ("remind", "office of a condition"),
    ("remind", "before departure"),
    ("remind", "whose turn"),
    ("remind", "seniors"),
    ("remind", "applicant"),
    ("escalate", "escalated"),
    ("escalate", "administrators"),
    ("accept_amendment", "applicant"),
    ("ask_in_appeal", "applicant"),
    ("keep_reviewer", "applicant"),
    ("note_hearing", "applicant"),
    ("reject_revocation", "applicant"),
    ("remind", "reviewer"),
    ("return_amendment", "applicant"),
}


def test_what_cannot_be_switched_off() -> None:
    always = {
        (verb, audience)
        for verb, audience, *_rest in notices.NOTICES
        if not registry.kind(notices.kind_of(verb, audience)).is_optional
    }
    assert always == ALWAYS


def test_a_new_notice_cannot_be_switched_off_by_an_applicant_until_somebody_says_so() -> None:
    assert not registry.kind(notices.kind_of("something_new", "applicant")).is_optional


def test_an_applicant_who_leaves_off_everything_is_told_of_the_denial_all_the_same() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    alice = cast.applicant.user
    assert alice is not None
    everything = [kind.key for kind in registry.kinds(frozenset(Role))]
    now = cast.request.state_since
    preferences.save(alice.pk, {"mail_off": everything, "bell_off": everything, "digest": True}, at=now)
    deliver(at=now)
    told = {
        (one.event.event, one.channel)
        for one in Notification.objects.filter(recipient=alice).select_related("event")
        if one.event.event != "request.ask_information"
    }
    assert told == {("request.propose", Channel.BELL), ("request.propose", Channel.MAIL)}
    # At once, at any hour, whatever she chose.
    assert [message.to[0] for message in mail.outbox].count(alice.email) == 1


def test_an_urgent_trip_is_told_at_night() -> None:
    request = submitted(employ("Alice Wang", CompanyFactory.create()), purpose="urgent_humanitarian")
    event = OutboxEvent.objects.get(subject=request.pk, event="request.submit")
    assert event.data["urgent"] is True
    deliver(at=request.state_since, mails=False)
    assert set(Notification.objects.filter(event=event).values_list("is_urgent", flat=True)) == {True}


def test_words_are_made_in_both_languages() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    with translation.override("fr"):
        deliver(at=cast.request.state_since)
    for event in OutboxEvent.objects.all():
        for told in event.words.values():
            assert {"zh-hans", "en"} <= told.keys()


# ── what clocks did ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", sorted(notices.STEPS))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_step_of_a_clock_reads_as_what_it_was(step: str, language: str) -> None:
    verb = "escalate" if step in (Step.ESCALATE, Step.ESCALATE_TO_HEAD, Step.REPORT_OVERDUE) else "remind"
    with translation.override(language):
        said = Entry(verb=verb, data={"clock": "reply", "step": step}).in_words()
        others = {str(words) for name, words in notices.STEPS.items() if name != step}
    assert said
    assert said not in others
    assert said.isascii() == (language == "en")
    assert ("Reminder sent" in said) == (step == Step.REMIND and language == "en")


def test_the_steps_that_read_by_themselves_are_those_that_leave_no_verb_of_their_own() -> None:
    """A new step is in the words or in the verbs."""
    assert {*notices.STEPS} == {*Step} - {Step.FORWARD, Step.LAPSE, Step.CLOSE, Step.DEEM_APPROVED}


def test_the_end_of_the_time_to_reply_is_no_reminder_in_the_history() -> None:
    """Alice and the senior both read that the proposal can be confirmed."""
    cast = in_state(State.DECISION_PROPOSED)
    until = cast.request.reply_until
    assert until is not None
    sweeping.sweep(at=until)
    for reader in (cast.applicant.user, cast.senior):
        person = actor(reader, until)
        request = queries.visible_to(person).get(pk=cast.request.pk)
        entry = standing.timeline(request, person, until)[0]
        assert (entry.verb, entry.detail) == ("remind", "Reply to a proposed denial")
        assert entry.words == "The time to reply is over: what is proposed can be confirmed or given back"


def test_before_the_departure_people_are_warned_of_it_not_reminded_of_a_date() -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    Clock.objects.filter(request=cast.request).exclude(kind=ClockKind.DEPARTURE).delete()
    at = Clock.objects.get(request=cast.request, kind=ClockKind.DEPARTURE).next_action_at
    assert at is not None
    sweeping.sweep(at=at)
    deliver(at=at)
    event = OutboxEvent.objects.get(event="request.remind", subject=cast.request.pk)
    [told] = Notification.objects.filter(event=event, channel=Channel.BELL)
    assert (told.recipient, told.audience) == (cast.applicant.user, "before departure")
    assert told.subject == f"{cast.request.reference}: the trip begins on 22 April 2026 and is not decided"
