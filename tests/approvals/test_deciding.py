"""Proposals fact by fact, clearances of a part, replies with documents, and what the second person sees."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.refusals import Invalid, NotNow
from accounts.roles import SYSTEM
from approvals import particulars, queries, workflow
from approvals.models import Attachment, Decision, Reply, TravelRequest
from approvals.states import State
from notifications.delivery import deliver
from notifications.models import Channel, Notification
from sensitivity.models import ListKind
from tests.approvals.parted import TWO_PLACES
from tests.approvals.staffing import MORNING, signed_in, text_of
from tests.asserting import nothing_moved
from tests.factories import DENIAL, NOW, actor, entry_values, in_state, list_in_force
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

HOUR, LATER = timedelta(hours=1), timedelta(days=20)
AT = NOW + 4 * HOUR
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture
def attachments(settings: Any, tmp_path: Path) -> None:
    """Documents go into a folder of the test."""
    kept = settings.STORAGES["attachments"]
    options = kept["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {"attachments": kept | {"OPTIONS": options}}


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: MORNING)


def reviewed() -> tuple[Cast, list[dict[str, Any]]]:
    """A case of two places that Rui has, and what was asked for."""
    cast = in_state(State.AUTHORITY_REVIEW, legs=TWO_PLACES)
    assert cast.request.revision is not None
    return cast, cast.request.revision.content["legs"]


def propose(cast: Cast, cleared: list[dict[str, Any]] | None, *, at: datetime = AT, **other: Any) -> TravelRequest:
    values: dict[str, Any] = {"outcome": "approved", "grounds": DENIAL, "cleared": cleared} | other
    return workflow.propose(cast.request.pk, actor=actor(cast.reviewer, at), at=at, **values)


def page(cast: Cast, who: Any) -> str:
    return text_of(signed_in(who).get(f"/requests/{cast.request.reference}/", follow=True))


# ── what a fact can point at ────────────────────────────────────────────────────────────────────────────────────────


def test_the_parts_of_a_request_are_what_was_submitted_and_nothing_else() -> None:
    cast, _legs = reviewed()
    content = cast.request.revision.content  # type: ignore[union-attr]

    assert particulars.keys(content) == ["dates", "place-0", "place-1", "host-0", "purpose", "event", "topic-cs.IR"]
    words = particulars.in_words(content)
    assert words["host-0"] == "Host: ICLR Foundation"
    assert words["place-1"] == "Place: Buenos Aires, Argentina"
    shown = page(cast, cast.applicant.user)
    for key in words:
        assert f'id="{particulars.anchor(key)}"' in shown, key


# ── a part ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_part_is_some_of_the_places_in_their_order_on_days_that_were_asked_for() -> None:
    cast, legs = reviewed()
    shorter = legs[0] | {"leaves_on": "2026-04-25"}
    for wrong in (
        [],
        legs,
        [legs[1], legs[0]],
        [legs[0] | {"city": "São Paulo"}],
        [legs[0] | {"arrives_on": "2026-04-21"}],
        [legs[0] | {"leaves_on": "2026-04-29"}],
        [legs[0] | {"arrives_on": "2026-04-26", "leaves_on": "2026-04-25"}],
        [{"city": "Rio de Janeiro"}],
        [legs[0], legs[0]],
    ):
        with nothing_moved(), pytest.raises(Invalid) as refused:
            propose(cast, wrong)
        assert [problem.field for problem in refused.value.problems] == ["cleared"], wrong

    request = propose(cast, [shorter, legs[1]])

    assert request.reply_until is not None
    assert queries.in_full(SYSTEM).get(pk=request.pk).proposal.cleared == [shorter, legs[1]]  # type: ignore[union-attr]


def test_a_part_takes_what_a_refusal_takes_but_only_measures_that_are_milder_than_it() -> None:
    cast, legs = reviewed()
    thin = workflow.Grounds(text="Because.")
    with nothing_moved(), pytest.raises(Invalid) as refused:
        propose(cast, legs[:1], grounds=thin)
    assert {problem.field for problem in refused.value.problems} == {"reason_codes", "facts", "why_not_condition"}

    propose(cast, legs[:1])


def test_what_is_cleared_is_said_wherever_the_clearance_is() -> None:
    cast, legs = reviewed()
    propose(cast, [legs[0] | {"leaves_on": "2026-04-25"}])
    at = NOW + LATER
    done = workflow.confirm(cast.request.pk, actor=actor(cast.senior, at), at=at)
    deliver(at=at)

    decision = Decision.objects.get(pk=done.decision_id)
    assert [leg["city"] for leg in decision.cleared_legs()] == ["Rio de Janeiro"]
    assert (decision.cleared_from, decision.cleared_until) == (date(2026, 4, 22), date(2026, 4, 25))
    alice = cast.applicant.user
    shown = page(cast, alice)
    assert "for a part of the trip: Rio de Janeiro, from 22 April 2026 to 25 April 2026" in shown
    assert "Cleared for fewer days" in shown
    assert "Not cleared" in shown
    told = Notification.objects.get(recipient=alice, event__event="request.confirm", channel=Channel.MAIL)
    words = told.event.words["applicant"]["en"]
    assert "Approved in part" in words["subject"]
    assert "Rio de Janeiro, Brazil: 22 April 2026 to 25 April 2026" in words["body"]
    given = signed_in(alice).get(f"/api/requests/{cast.request.reference}/").json()
    assert [(leg["city"], leg["leaves_on"]) for leg in given["cleared"]] == [("Rio de Janeiro", "2026-04-25")]
    # The days that were asked for stay held: an appeal can give them back.
    assert (done.departs_on, done.returns_on) == (date(2026, 4, 22), date(2026, 5, 2))


def test_all_of_a_trip_is_cleared_without_a_word_of_parts() -> None:
    cast = in_state(State.APPROVED)
    decision = Decision.objects.get(request=cast.request)

    assert (decision.cleared, decision.is_partial) == ([], False)
    assert (decision.cleared_from, decision.cleared_until) == (date(2026, 4, 22), date(2026, 4, 28))
    assert "part of the trip" not in page(cast, cast.applicant.user)


def test_a_part_is_proposed_on_its_page() -> None:
    cast, legs = reviewed()
    url = f"/requests/{cast.request.reference}/do/propose_part/"
    entered = {
        "keep_0": "on",
        "from_0": "2026-04-22",
        "to_0": "2026-04-27",
        "reason_codes": ["T1"],
        "part_0": "place-1",
        "fact_0": "The second place has a closed session.",
        "why_not_condition": "It cannot be watched.",
        "text": "The second place is not needed for the conference.",
    }
    rui = signed_in(cast.reviewer)
    assert "What is cleared" in text_of(rui.get(url))
    refused = rui.post(url, entered | {"keep_0": ""})
    assert refused.status_code == 422
    assert "Clear at least one place" in text_of(refused)

    done = rui.post(url, entered)

    assert done.status_code == 302
    proposal = queries.in_full(SYSTEM).get(pk=cast.request.pk).proposal
    assert proposal is not None
    assert proposal.cleared == [legs[0] | {"leaves_on": "2026-04-27"}]
    assert proposal.relied_on == [{"part": "place-1", "fact": "The second place has a closed session."}]
    assert "It is proposed to clear a part of the trip only." in page(cast, cast.applicant.user)


# ── a reply ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": " "}, "text"),
        ({"helper_name": "Lin"}, "helper_relation"),
        ({"helper_relation": "lawyer", "helper_agrees": True}, "helper_name"),
        ({"helper_name": "Lin", "helper_relation": "lawyer"}, "helper_agrees"),
        ({"files": [ContentFile(b"MZ not a document", name="slides.pdf")]}, "files"),
        ({"files": [ContentFile(PDF, name=f"{number}.pdf") for number in range(6)]}, "files"),
    ],
)
def test_a_reply_that_is_not_in_order_is_not_taken(wrong: dict[str, Any], field: str, attachments: None) -> None:
    cast = in_state(State.DECISION_PROPOSED)
    me = actor(cast.applicant.user, AT)  # type: ignore[arg-type]
    with nothing_moved(), pytest.raises(Invalid) as refused:
        workflow.reply(cast.request.pk, actor=me, at=NOW + 5 * HOUR, **({"text": "Please."} | wrong))
    assert field in [problem.field for problem in refused.value.problems]


def test_a_reply_with_a_document_is_read_by_the_office_and_not_by_the_company(attachments: None) -> None:
    cast = in_state(State.DECISION_PROPOSED)
    file = SimpleUploadedFile("programme.pdf", PDF, content_type="application/pdf")
    sent = signed_in(cast.applicant.user).post(
        f"/requests/{cast.request.reference}/do/reply/", {"text": "The session is open.", "documents": [file]}
    )
    assert sent.status_code == 302
    kept = Attachment.unscoped.get(request=cast.request, kind="reply")
    assert Reply.objects.get(request=cast.request).attachments == [
        {"id": str(kept.pk), "name": "programme.pdf", "kind": "reply", "sha256": kept.sha256}
    ]
    url = f"/requests/{cast.request.reference}/documents/{kept.pk}/"
    for reader in (cast.applicant.user, cast.senior):
        assert url in page(cast, reader)
        assert signed_in(reader).get(url).status_code == 200
    assert url not in page(cast, cast.officer)
    assert signed_in(cast.officer).get(url).status_code == 404


def test_a_proposed_approval_of_all_of_it_asks_for_no_reply() -> None:
    cast, _legs = reviewed()
    request = propose(cast, None)
    assert request.reply_until is None
    me = actor(cast.applicant.user, AT)  # type: ignore[arg-type]
    with nothing_moved(), pytest.raises(NotNow, match="Nothing is proposed"):
        workflow.reply(cast.request.pk, actor=me, at=AT + HOUR, text="Thank you.")


# ── the second person ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_second_person_reads_what_happened_since_the_proposal() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    confirm = f"/requests/{cast.request.reference}/do/confirm/"
    me = actor(cast.applicant.user, AT)  # type: ignore[arg-type]
    assert "Nothing has changed." in text_of(signed_in(cast.senior).get(f"/cases/{cast.request.reference}/"))
    workflow.reply(cast.request.pk, actor=me, at=NOW + 6 * HOUR, text="Please.")
    list_in_force(ListKind.EVENT, entry_values("ICLR"), at=NOW + 7 * HOUR)

    shown = text_of(signed_in(cast.senior).get(confirm))

    since = shown[shown.index("Since it was proposed") :]
    assert "List of events: version 1 was published; this case was assessed before that." in since
    assert "Nothing has changed." not in since


def test_grounds_from_before_there_were_lists_are_still_confirmed_and_shown() -> None:
    cast = in_state(State.DECISION_PROPOSED)
    proposal = cast.request.proposal
    assert proposal is not None
    proposal.relied_on, proposal.measures = [], []

    old = workflow.deciding.grounds_of(proposal)

    assert (old.facts, old.milder_measures) == (proposal.facts, proposal.milder_measures)
    workflow.deciding.check_refusal(cast.request.as_of(MORNING), old)
