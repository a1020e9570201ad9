"""On paper: every submission has its receipt (11), every refusal carries its remedy (18) and what else it rests on."""

import io
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from hashlib import sha256

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import translation
from pyhanko.pdf_utils.reader import PdfFileReader

from approvals import letters, papers, rules, workflow
from approvals.models import Clearance, Condition, Decision, Paper, PaperOrder, Revision, TravelRequest
from approvals.models.paper import paper_storage
from approvals.states import State
from documents import signing
from documents.letters import Letter
from jobs import work
from jobs.models import Job
from notifications import preferences
from tests.factories import NOW, CompanyFactory, actor, employ, in_state, submitted
from tests.factories.requests import LEGS

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)


def words(letter: Letter) -> str:
    """Everything that a letter says, a line for each text."""

    def within(value: object) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, tuple | list):
            return [text for one in value for text in within(one)]
        if is_dataclass(value):
            return within([getattr(value, field.name) for field in fields(value) if field.name != "svg"])
        return []

    return "\n".join(text for text in within(letter) if text)


def decision_letter(request: TravelRequest, language: str = "en") -> str:
    decision = Decision.objects.select_related("revision", "assessment").get(pk=request.decision_id)
    with translation.override(language):
        return words(letters.decision(request.as_of(LATER), decision, None))


# ── 11: every submission gets a dated receipt with a number ─────────────────────────────────────────────────────────


def test_11_every_submission_has_a_receipt_by_whatever_way_it_came():
    """The database orders it with the revision itself: there is no way of submitting that could forget it."""
    alice = in_state(State.RETURNED)
    at = NOW + timedelta(hours=5)
    request = alice.request
    me = actor(alice.applicant.user, at)
    workflow.save_section(
        request.pk,
        actor=me,
        at=at,
        section="all",
        values={"declarations": [code for code, _text in rules.DECLARATIONS]},
    )
    workflow.submit(request.pk, actor=me, at=at)
    revisions = Revision.objects.filter(request=request).order_by("number")
    ordered = PaperOrder.objects.filter(request=request, kind="receipt").order_by("pk")
    assert [order.subject for order in ordered] == [revision.pk for revision in revisions]
    assert [order.at for order in ordered] == [NOW + timedelta(hours=1), at]


def test_11_a_receipt_says_number_moment_revision_digest_and_what_happens_next():
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    revision = request.revision
    said = words(letters.receipt(request, revision))
    assert request.reference in said
    assert "3 March 2026, 10:00 (Beijing time)" in said
    assert bytes(revision.digest).hex() in said
    assert "Revision\n1" in said
    assert "looks at it by" in said
    assert "decides, at the latest by" in said


def test_11_a_receipt_names_the_moment_where_the_applicant_is():
    alice = employ("Alice Wang", CompanyFactory.create())
    request = submitted(alice)
    preferences.save(alice.user_id, {"time_zone": "America/Los_Angeles"}, at=NOW)
    said = words(letters.receipt(request, request.revision))
    assert "3 March 2026, 10:00 (Beijing time)" in said
    assert "2 March 2026, 18:00 (Los Angeles time), where you are" in said


def test_11_receipts_are_made_in_both_languages_signed_and_stored_with_their_digest():
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    assert papers.make_due(at=LATER) == papers.Made(made=1)
    made = Paper.objects.filter(request=request).order_by("language")
    assert [paper.language for paper in made] == ["en", "zh-hans"]
    for paper in made:
        pdf = paper.file.read()
        assert signing.check(pdf).is_good
        assert (len(pdf), sha256(pdf).hexdigest()) == (paper.size, paper.sha256)
        found = PdfFileReader(io.BytesIO(pdf)).root
        assert found["/Lang"] == {"en": "en", "zh-hans": "zh-CN"}[paper.language]
    # Looking again makes nothing more.
    assert papers.make_due(at=LATER) == papers.Made()
    assert Paper.objects.count() == 2


# ── 21: a condition has an owner, a due date, and goes on ───────────────────────────────────────────────────────────


def test_21_the_paper_of_an_accepted_change_repeats_the_conditions_that_go_on():
    cast = in_state(State.AUTHORITY_REVIEW)
    rui, me = actor(cast.reviewer, LATER), actor(cast.applicant.user, LATER)
    owed = [
        workflow.Obligation(text="Send the slides.", owner="company", due="departure", needs_evidence=True),
        workflow.Obligation(text="Report on the journey.", due="departure"),
    ]
    request = workflow.approve(cast.request.pk, actor=rui, at=LATER, conditions=owed)
    first = decision_letter(request)
    assert "Conditions\nSend the slides." in first
    assert "go on" not in first
    released = Condition.objects.get(text="Report on the journey.")
    workflow.release_condition(request.pk, actor=rui, at=LATER, condition=released.pk)
    later = LATER + timedelta(hours=1)
    workflow.begin_amendment(request.pk, actor=me, at=later)
    legs = [LEGS[0] | {"arrives_on": date(2026, 4, 21), "leaves_on": date(2026, 4, 27)}]
    workflow.save_amendment(request.pk, actor=me, at=later, section="itinerary", legs=legs)
    workflow.file_amendment(request.pk, actor=me, at=later, reason="It was moved.")

    request = workflow.accept_amendment(request.pk, actor=rui, at=later)

    said = decision_letter(request)
    assert "Conditions\nThey were imposed with the clearance of 4 March 2026 and go on." in said
    assert "The company, by 21 April 2026." in said
    assert "A document has to show that it was done." in said
    assert "Report on the journey." not in said
    assert "2026年3月4日" in decision_letter(request, "zh-hans")
    # What happens to them afterwards changes no paper.
    after = later + timedelta(hours=1)
    slides = Condition.objects.get(text="Send the slides.")
    workflow.release_condition(request.pk, actor=actor(cast.reviewer, after), at=after, condition=slides.pk)
    assert decision_letter(request) == said


# ── 18: every denial carries the remedy ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [State.DENIED, State.REVOKED])
def test_18_a_refusal_carries_the_remedy_with_office_address_and_its_last_day(state):
    cast = in_state(state)
    office = cast.request.office
    office.address, office.email = "1 Haidian Road, Beijing", "remedies@haidian.example"
    office.save()
    cast.request.office = office
    last = cast.request.decision.appeal_until
    assert last == date(2026, 5, 2)
    said = decision_letter(cast.request)
    assert "If you disagree\nLast day: 2 May 2026" in said
    assert f"In writing to {office.name}: 1 Haidian Road, Beijing, {office.phone}, remedies@haidian.example" in said
    assert f"/requests/{cast.request.reference}/" in said
    assert "2026年5月2日" in decision_letter(cast.request, "zh-hans")


@pytest.mark.parametrize("state", [State.DENIED, State.REVOKED])
def test_03_a_refusal_says_all_that_it_rests_on(state):
    cast = in_state(state)
    decision = cast.request.decision
    said = decision_letter(cast.request)
    for part in (decision.text, decision.relied_on[0]["fact"], *(one["why"] for one in decision.measures)):
        assert part in said
    assert "Grounds\nT1 " in said


@pytest.mark.parametrize(
    ("state", "reply"), [(State.DENIED, "Please reconsider."), (State.REVOKED, "Please leave it in force.")]
)
def test_16_the_reply_is_printed_on_the_decision(state, reply):
    said = decision_letter(in_state(state).request)
    assert "The applicant's reply, part of this decision\n" in said
    assert reply in said


def test_23_people_of_the_office_are_named_by_number_and_never_by_name():
    cast = in_state(State.DENIED)
    said = decision_letter(cast.request)
    for person in (cast.reviewer, cast.senior, cast.officer):
        assert person.name not in said
    numbers = [user.postings.get().number for user in (cast.reviewer, cast.senior)]
    assert f"Decided by\n{cast.request.office.name}, Reviewer, officer {numbers[0]}" in said
    assert f"Confirmed by\n{cast.request.office.name}, Senior reviewer, officer {numbers[1]}" in said


def test_25_a_decision_says_which_revision_and_versions_it_used():
    cast = in_state(State.APPROVED)
    said = decision_letter(cast.request)
    assert f"Revision\n1\n{bytes(cast.request.revision.digest).hex()}" in said
    assert "List versions in force\n" in said
    versions = cast.request.decision.clock_versions
    assert f"calendars {versions['calendar']}" in said


# ── made once, by whoever comes first, and never changed ────────────────────────────────────────────────────────────


def test_papers_cannot_be_changed_or_deleted():
    submitted(employ("Alice Wang", CompanyFactory.create()))
    papers.make_due(at=LATER)
    for statement in ("UPDATE approvals_paper SET size = 1", "DELETE FROM approvals_paper"):
        # The product's role is not even allowed to try; the owner is stopped by the trigger (tests/audit).
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)
    assert Paper.objects.exclude(size=1).count() == 2


def test_every_decision_is_ordered_and_a_clearance_issued_with_an_approval_only():
    approved, denied = in_state(State.APPROVED), in_state(State.DENIED)
    done = papers.make_due(at=LATER)
    assert (done.made, done.failed) == (4, 0)
    assert list(Clearance.objects.values_list("decision_id", flat=True)) == [approved.request.decision_id]
    assert PaperOrder.objects.filter(kind="decision", subject=denied.request.decision_id).exists()


def test_a_missing_glyph_stops_one_paper_and_no_other_and_is_seen():
    odd = submitted(employ("Alice Wang", CompanyFactory.create()), description="与𪚥先生见面。")
    good = submitted(employ("Bo Chen", CompanyFactory.create()))
    assert papers.make_due(at=LATER) == papers.Made(made=1, failed=1)
    assert not Paper.objects.filter(request=odd).exists()
    assert Paper.objects.filter(request=good).count() == 2
    # An administrator sees a job that failed, and why, in both languages.
    work.run_due(clock=lambda: LATER)
    job = Job.objects.get(kind="paper")
    assert job.state == Job.State.FAILED
    assert "“𪚥” (U+2A6A5)" in job.why["en"]
    assert "𪚥" in job.why["zh-hans"]


def test_what_failed_is_made_when_the_job_is_tried_again(settings, tmp_path):
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    settings.PAPER_CERTIFICATE = str(tmp_path / "missing.p12")
    assert papers.make_due(at=LATER) == papers.Made(failed=1)
    settings.PAPER_CERTIFICATE = ""
    work.run_due(clock=lambda: LATER)
    assert Job.objects.get(kind="paper").state == Job.State.DONE
    assert Paper.objects.filter(request=request).count() == 2


def test_without_a_certificate_nothing_is_issued_and_no_file_is_left(settings, tmp_path):
    request = submitted(employ("Alice Wang", CompanyFactory.create()))
    settings.PAPER_CERTIFICATE = str(tmp_path / "missing.p12")
    papers.make_due(at=LATER)
    assert not Paper.objects.exists()
    assert not paper_storage().exists(str(request.pk))
