"""Saying what is wrong in what is held about oneself: to whom it goes, who answers, and what stays as it was."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import NOBODY, Actor, Role
from approvals.models import Revision, TravelRequest
from approvals.states import State
from audit import verification
from audit.models import Entry
from notifications import delivery
from notifications.models import Notification, OutboxEvent
from openness import corrections
from openness.models import Correction
from tests.asserting import nothing_moved
from tests.factories import NOW, OfficeFactory, actor, employ, in_state, officer_of, posted, with_role
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


@pytest.fixture
def cast(db: None) -> Cast:
    return in_state(State.APPROVED)


def alice_of(cast: Cast) -> User:
    assert cast.applicant.user is not None
    return cast.applicant.user


def ask(cast: Cast, about: str = "request", by: Actor | None = None) -> Correction:
    subject = {"request": cast.request.reference, "employee": str(cast.applicant.pk), "account": ""}[about]
    return corrections.ask(
        actor=by or actor(alice_of(cast), LATER),
        at=LATER,
        about=about,
        subject=subject,
        what="The host says “ICLR Foundation”",
        should_be="International Conference on Learning Representations",
        why="The invitation names it so.",
    )


def told(event: str) -> dict[int, str]:
    delivery.deliver(at=LATER + timedelta(hours=1))
    return {row.recipient_id: row.subject for row in Notification.objects.filter(event__event=event, channel="bell")}


def test_a_correction_of_a_request_goes_to_the_seniors_of_its_office(cast: Cast) -> None:
    elsewhere = posted(OfficeFactory.create(code="PD"), Role.SENIOR, "0021")
    row = ask(cast)
    assert row.due_on == (LATER + timedelta(days=30)).date()
    found = told("correction.asked")
    assert found.keys() == {cast.senior.pk, cast.second_senior.pk}
    assert found[cast.senior.pk] == f"{cast.request.reference}: a correction is asked for"
    for who in (cast.officer, cast.reviewer, elsewhere):
        with pytest.raises(NotFound):
            corrections.get(row.pk, actor=actor(who, LATER))


def test_a_correction_of_the_record_goes_to_the_companys_officers(cast: Cast) -> None:
    rival = officer_of(employ("Bo Other", cast.applicant.company.__class__.objects.get()).company, "Oscar Officer")
    ask(cast, "employee")
    assert told("correction.asked").keys() == {cast.officer.pk, rival.pk}


def test_a_correction_of_the_account_goes_to_the_administrators(cast: Cast) -> None:
    ada = with_role(Role.ADMINISTRATOR, "Ada")
    ask(cast, "account")
    assert told("correction.asked").keys() == {ada.pk}


def test_an_accepted_correction_stands_beside_what_was_submitted(cast: Cast) -> None:
    before = list(Revision.objects.values_list("pk", "content", "digest"))
    trip = TravelRequest.unscoped.values().get(pk=cast.request.pk)
    row = ask(cast)
    at = LATER + timedelta(days=1)

    corrections.answer(
        row.pk, actor=actor(cast.senior, at), at=at, outcome="accepted", reasons="The invitation says so."
    )

    assert list(Revision.objects.values_list("pk", "content", "digest")) == before
    after = TravelRequest.unscoped.values().get(pk=cast.request.pk)
    assert {name for name in after if after[name] != trip[name]} == {"chain_length", "chain_head"}
    assert [one.should_be for one in corrections.beside(cast.request.pk)] == [row.should_be]
    verbs = Entry.objects.filter(chain=cast.request.pk).order_by("sequence").values_list("verb", "actor_role", "data")
    assert list(verbs)[-2:] == [
        ("ask_correction", "applicant", {"correction": str(row.pk)}),
        ("answer_correction", "senior", {"correction": str(row.pk), "outcome": "accepted"}),
    ]
    assert verification.verify().first_break is None


def test_a_refused_one_does_not(cast: Cast) -> None:
    row = ask(cast)
    corrections.answer(
        row.pk, actor=actor(cast.senior, LATER), at=LATER, outcome="refused", reasons="It is the same house."
    )
    assert corrections.beside(cast.request.pk) == []


def test_the_answer_is_told_with_its_reasons_in_both_languages(cast: Cast) -> None:
    row = ask(cast)
    corrections.answer(
        row.pk, actor=actor(cast.senior, LATER), at=LATER, outcome="refused", reasons="It is the same house."
    )
    assert told("correction.answered").keys() == {alice_of(cast).pk}
    words = OutboxEvent.objects.get(event="correction.answered").words["person"]
    assert "It is the same house." in words["en"]["body"]
    assert "It is the same house." in words["zh-hans"]["body"]
    assert words["en"]["subject"] != words["zh-hans"]["subject"]


def test_nobody_answers_their_own(cast: Cast) -> None:
    alice = alice_of(cast)
    officer_of(cast.applicant.company, user=alice)
    row = ask(cast, "employee")
    with nothing_moved(), pytest.raises(NotAllowed):
        corrections.answer(row.pk, actor=actor(alice, LATER), at=LATER, outcome="accepted", reasons="Yes.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.unscoped.filter(pk=row.pk).update(
            outcome="accepted", reasons="Yes.", answered_by=alice, answered_at=LATER
        )


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.LIST_MANAGER])
def test_who_does_not_keep_it_does_not_answer(cast: Cast, role: Role) -> None:
    row = ask(cast)
    other = actor(with_role(role), LATER)
    with nothing_moved(), pytest.raises((NotFound, NotAllowed)):
        corrections.answer(row.pk, actor=other, at=LATER, outcome="accepted", reasons="Yes.")
    assert Correction.unscoped.get().is_open


def test_it_is_answered_once_and_with_reasons(cast: Cast) -> None:
    row, senior = ask(cast), actor(cast.senior, LATER)
    with nothing_moved(), pytest.raises(Invalid) as refusal:
        corrections.answer(row.pk, actor=senior, at=LATER, outcome="maybe", reasons="  ")
    assert [problem.field for problem in refusal.value.problems] == ["reasons", "outcome"]
    corrections.answer(row.pk, actor=senior, at=LATER, outcome="refused", reasons="It is the same house.")
    with nothing_moved(), pytest.raises(NotNow):
        corrections.answer(row.pk, actor=senior, at=LATER, outcome="accepted", reasons="On second thoughts.")


def test_nobody_asks_about_what_is_not_theirs(cast: Cast) -> None:
    bo = employ("Bo Bystander", cast.applicant.company)
    assert bo.user
    for about in ("request", "employee"):
        with nothing_moved(), pytest.raises(Invalid) as refusal:
            ask(cast, about, by=actor(bo.user, LATER))
        assert [problem.field for problem in refusal.value.problems] == ["about"]
    with nothing_moved(), pytest.raises(NotAllowed):
        ask(cast, "account", by=NOBODY)
    assert not Correction.unscoped.exists()


def test_those_who_keep_it_are_reminded_a_week_before_once(cast: Cast) -> None:
    row = ask(cast)
    assert corrections.remind(at=LATER + timedelta(days=22)) == 0
    assert corrections.remind(at=LATER + timedelta(days=23)) == 1
    assert corrections.remind(at=LATER + timedelta(days=24)) == 0
    answered = ask(cast, "account")
    ada = actor(with_role(Role.ADMINISTRATOR), LATER)
    corrections.answer(answered.pk, actor=ada, at=LATER, outcome="accepted", reasons="Mended.")
    assert corrections.remind(at=LATER + timedelta(days=29)) == 0
    assert OutboxEvent.objects.get(event="correction.due").subject == row.pk


# ── the pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def page(user: User, name: str, *args: object) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_both_sides_see_it_and_one_answers_on_the_page(cast: Cast) -> None:
    alice, senior = Client(), Client()
    alice.force_login(alice_of(cast))
    senior.force_login(cast.senior)
    sent = alice.post(
        reverse("correction_new"),
        {
            "about": f"request:{cast.request.reference}",
            "what": "The host",
            "should_be": "ICLR Inc.",
            "why": "The invitation.",
        },
    )
    row = Correction.unscoped.get()
    assert sent["Location"] == reverse("correction", args=[row.pk])
    assert "Your answer" not in page(alice_of(cast), "correction", row.pk)
    assert "The host" in page(cast.senior, "corrections")
    assert "Your answer" in page(cast.senior, "correction", row.pk)

    refused = alice.post(reverse("correction", args=[row.pk]), {"outcome": "accepted", "reasons": "Yes."})
    assert refused.status_code == 403
    assert Correction.unscoped.get().is_open
    senior.post(reverse("correction", args=[row.pk]), {"outcome": "accepted", "reasons": "It is so."})

    assert Correction.unscoped.get().answered_by_id == cast.senior.pk
    assert "It is so." in page(alice_of(cast), "correction", row.pk)


def test_what_is_missing_is_said_at_the_field_and_nothing_typed_is_lost(cast: Cast) -> None:
    client = Client()
    client.force_login(alice_of(cast))
    answer = client.post(
        reverse("correction_new"), {"about": "account", "what": "", "should_be": "Alice W.", "why": ""}
    )
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Alice W." in text
    assert "id_what" in text
    assert not Correction.unscoped.exists()


def test_the_request_page_shows_the_note_beside_the_request(cast: Cast) -> None:
    row = ask(cast)
    assert "What was corrected" not in page(alice_of(cast), "request", cast.request.reference)
    corrections.answer(row.pk, actor=actor(cast.senior, LATER), at=LATER, outcome="accepted", reasons="It is so.")
    shown = page(alice_of(cast), "request", cast.request.reference)
    assert "What was corrected" in shown
    assert row.should_be in shown
    assert row.should_be in page(cast.officer, "request", cast.request.reference)
