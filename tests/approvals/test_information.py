"""What the office asks, item by item: asked in one list, written item by item, sent all at once.

Alice asks for clearance, Rui has the case and asks; Olivia is an officer of the company.
"""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from approvals import sweeping, workflow
from approvals.models import Attachment, Clock, InformationAnswer, InformationRequest, ItemDraft, TravelRequest
from approvals.models.information import Answered, Item, ItemKind
from approvals.states import State
from approvals.workflow import Answer
from approvals.workflow.information import answer_key
from authorities.terms import ClockKind
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, in_state
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4 the contract"
LATER = NOW + timedelta(days=1)
LIST = [
    Item(question="Who pays?"),
    Item(question="The contract, please.", kind=ItemKind.DOCUMENT),
    Item(question="Which laptop?", kind=ItemKind.CHOICE, options=("None", "A travel laptop")),
]


def ask(cast: Cast, items: Any = LIST, at: datetime = LATER, **values: Any) -> TravelRequest:
    given = {"items": items, "reason": "To see who the host is."} | values
    return workflow.ask_information(cast.request.pk, actor=actor(cast.reviewer, at), at=at, **given)


def asked(items: Any = LIST, **values: Any) -> Cast:
    cast = in_state(State.AUTHORITY_REVIEW)
    ask(cast, items, **values)
    return cast


def alice(cast: Cast) -> User:
    assert cast.applicant.user is not None
    return cast.applicant.user


def me(cast: Cast, at: datetime = LATER) -> dict[str, Any]:
    return {"actor": actor(alice(cast), at), "at": at}


def key(place: int) -> str:
    return answer_key(InformationRequest.objects.latest("at"), place)


def problems(act: Any) -> list[str]:
    with nothing_moved(), pytest.raises(Invalid) as caught, transaction.atomic():
        act()
    return [problem.field for problem in caught.value.problems]


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_items_of_each_kind_are_asked_in_one_list() -> None:
    asked()
    row = InformationRequest.objects.get()
    assert row.questions == tuple(LIST)
    assert row.working_days == 10


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([], "items"),
        ([" ", Item(question="")], "items"),
        ([Item(question="Which?", kind="choice", options=("One", " One "))], "items-0-options"),
        (["Who pays?", Item(question="", kind="choice", options=("a", "b"))], "items-1-question"),
        ([Item(question="Draw it.", kind="drawing")], "items-0-kind"),
        (["One more?"] * 31, "items"),
    ],
)
def test_a_list_that_cannot_be_answered_is_not_asked(items: Any, field: str) -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    assert problems(lambda: ask(cast, items)) == [field]


def test_the_reviewer_may_give_more_days_within_a_bound() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    for days in (9, 21):
        assert problems(lambda days=days: ask(cast, working_days=days)) == ["working_days"]
    ask(cast, working_days=15)
    clock = Clock.objects.get(request=cast.request, kind=ClockKind.ANSWER)
    # Asked on Wednesday 4 March: the 15th working day is Wednesday 25 March.
    assert clock.due_at == datetime(2026, 3, 26, tzinfo=NOW.tzinfo)


def test_more_days_are_given_again_when_it_is_reopened() -> None:
    cast = asked(working_days=15)
    sweeping.sweep(at=datetime(2026, 3, 26, 1, tzinfo=NOW.tzinfo))
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.LAPSED
    at = datetime(2026, 3, 30, 10, tzinfo=NOW.tzinfo)
    workflow.reopen(cast.request.pk, **me(cast, at))
    clock = Clock.objects.get(request=cast.request, kind=ClockKind.ANSWER, ended_at=None)
    assert clock.due_at is not None
    last = (clock.due_at.astimezone(NOW.tzinfo) - timedelta(seconds=1)).date()
    assert last == date(2026, 4, 21)  # the 15th working day after; 6 April is a holiday


def test_a_second_list_has_its_own_days() -> None:
    cast = asked(["Who pays?"], working_days=15)
    workflow.answer(cast.request.pk, answers=["My company."], **me(cast))
    at = LATER + timedelta(hours=2)
    workflow.agree_information(cast.request.pk, actor=actor(cast.senior, at), at=at)
    ask(cast, ["Which hotel?"], at=at)
    clock = Clock.objects.get(request=cast.request, kind=ClockKind.ANSWER, ended_at=None)
    assert clock.extension_days == 0


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_on_an_item_is_kept_and_sent_with_all_the_others() -> None:
    cast = asked()
    workflow.save_item(cast.request.pk, key=key(0), text="My company, of course", **me(cast))
    workflow.save_item(cast.request.pk, key=key(0), text="My company.", **me(cast))
    file = workflow.attach_to_item(
        cast.request.pk, key=key(1), file=SimpleUploadedFile("contract.pdf", PDF), **me(cast)
    )
    assert problems(lambda: workflow.answer(cast.request.pk, **me(cast))) == ["answers-2"]
    workflow.save_item(cast.request.pk, key=key(2), text="A travel laptop", **me(cast))
    workflow.answer(cast.request.pk, **me(cast))
    named = {"id": str(file.pk), "name": "contract.pdf", "sha256": file.sha256}
    assert InformationAnswer.objects.get().given == (
        Answered(text="My company."),
        Answered(documents=(named,)),
        Answered(text="A travel laptop"),
    )
    assert not ItemDraft.objects.exists()
    assert Attachment.unscoped.get(pk=file.pk).kind == "answer"


def test_i_cannot_give_this_because_is_an_answer() -> None:
    cast = asked()
    given = [Answer(cannot="It is secret."), Answer(cannot="It is not signed yet."), Answer(cannot="Not decided.")]
    workflow.answer(cast.request.pk, answers=given, **me(cast))
    assert [one.cannot for one in InformationAnswer.objects.get().given] == [one.cannot for one in given]
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.AUTHORITY_REVIEW


@pytest.mark.parametrize(
    ("answers", "fields"),
    [
        (["My company."], ["answers-1", "answers-2"]),
        ([" ", Answer(cannot="No."), "None"], ["answers-0"]),
        (["I.", Answer(cannot="No."), "A mainframe"], ["answers-2"]),
        (["I.", Answer(documents=["01a20a19-d15c-730e-9f69-bb8d648c92ef"]), "None"], ["answers-1"]),
    ],
)
def test_each_item_without_an_answer_is_named(answers: Any, fields: list[str]) -> None:
    cast = asked()
    assert problems(lambda: workflow.answer(cast.request.pk, answers=answers, **me(cast))) == fields


def test_a_document_can_be_taken_out_until_it_is_sent() -> None:
    cast = asked()
    file = workflow.attach_to_item(cast.request.pk, key=key(1), file=SimpleUploadedFile("c.pdf", PDF), **me(cast))
    with nothing_moved(), pytest.raises(NotFound), transaction.atomic():
        workflow.remove_from_item(cast.request.pk, key=key(0), attachment_id=file.pk, **me(cast))
    workflow.remove_from_item(cast.request.pk, key=key(1), attachment_id=file.pk, **me(cast))
    assert Attachment.unscoped.get(pk=file.pk).removed_at == LATER
    assert ItemDraft.objects.get().documents == []


def test_a_document_is_what_its_content_says() -> None:
    cast = asked()
    file = SimpleUploadedFile("contract.pdf", b"MZ this is no contract")
    assert problems(lambda: workflow.attach_to_item(cast.request.pk, key=key(1), file=file, **me(cast))) == ["file"]


def test_nobody_else_writes_and_nothing_is_written_when_nobody_asks() -> None:
    cast = asked()
    for user in (cast.officer, cast.reviewer):
        with nothing_moved(), pytest.raises(NotAllowed), transaction.atomic():
            workflow.save_item(cast.request.pk, key=key(0), text="x", actor=actor(user, LATER), at=LATER)
    for wrong in ("answer:nothing:0", key(3), "nothing"):
        with nothing_moved(), pytest.raises(NotFound), transaction.atomic():
            workflow.save_item(cast.request.pk, key=wrong, text="x", **me(cast))
    workflow.answer(cast.request.pk, answers=[Answer(cannot="No.")] * 3, **me(cast))
    with nothing_moved(), pytest.raises(NotNow), transaction.atomic():
        workflow.save_item(cast.request.pk, key=key(0), text="x", **me(cast))


def test_what_was_asked_before_items_had_kinds_is_still_read() -> None:
    old = InformationRequest(items=["Who pays?", "Which laptop?"], reason="To know.")
    assert old.questions == (Item(question="Who pays?"), Item(question="Which laptop?"))
    assert InformationAnswer(answers=["I do.", "None."]).given == (Answered(text="I do."), Answered(text="None."))


# ── the pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def fresh(items: Any = LIST) -> Cast:
    """A list that was asked a moment ago, for pages, which read the clock themselves."""
    from django.utils import timezone

    at = timezone.now()
    first = at.date() + timedelta(days=60)
    legs = [
        {
            "country": "BR",
            "city": "Rio de Janeiro",
            "arrives_on": first,
            "leaves_on": first + timedelta(days=6),
            "host": "ICLR Foundation",
        }
    ]
    cast = in_state(State.AUTHORITY_REVIEW, at=at - timedelta(hours=12), legs=legs)
    ask(cast, items, at=at)
    return cast


def test_the_applicant_answers_item_by_item_checks_and_sends() -> None:
    cast = fresh()
    number = cast.request.reference
    client = signed_in(alice(cast))
    listed = client.get(reverse("request_do", args=[number, "answer"]), follow=True)
    assert [task.status for task in listed.context["tasks"]] == ["To do", "To do", "To do"]
    item = reverse("answer_item", args=[number, 1])
    assert client.post(item, {"text": "My comp"}, headers={"HX-Request": "true"}).status_code == 204
    assert "My comp" in client.get(item).content.decode()
    on = client.post(item, {"text": "My company.", "cannot": ""})
    assert on.headers["Location"] == reverse("answer_item", args=[number, 2])
    second = reverse("answer_item", args=[number, 2])
    assert client.post(second, {"cannot": ""}).status_code == 422
    sent = {"then": "upload", "file": [SimpleUploadedFile("contract.pdf", PDF)], "cannot": ""}
    assert client.post(second, sent).status_code == 302
    assert "contract.pdf" in client.get(second).content.decode()
    client.post(second, {"cannot": ""})
    check = reverse("answer_check", args=[number])
    assert client.post(check).status_code == 422
    last = client.post(reverse("answer_item", args=[number, 3]), {"text": "None"})
    assert last.headers["Location"] == check
    assert "contract.pdf" in client.get(check).content.decode()
    client.post(check)
    assert TravelRequest.unscoped.get(pk=cast.request.pk).state == State.AUTHORITY_REVIEW
    office = signed_in(cast.reviewer).get(reverse("case", args=[number])).content.decode()
    for words in ("Who pays?", "My company.", "contract.pdf", "Which laptop?"):
        assert words in office
    company = signed_in(cast.officer).get(reverse("request", args=[number])).content.decode()
    assert "My company." not in company
    assert "contract.pdf" not in company
    file = Attachment.unscoped.get(request=cast.request)
    where = reverse("attachment", args=[number, file.pk])
    statuses = [signed_in(user).get(where).status_code for user in (alice(cast), cast.reviewer, cast.officer)]
    assert statuses == [200, 200, 404]


def test_files_that_were_chosen_and_not_sent_are_named() -> None:
    cast = fresh()
    page = reverse("answer_item", args=[cast.request.reference, 2])
    said = signed_in(alice(cast)).post(page, {"cannot": "", "file": "contract.pdf"})
    assert said.status_code == 422
    assert "were not sent yet" in said.content.decode()


def test_what_was_typed_when_the_session_ended_is_kept() -> None:
    cast = fresh()
    page = reverse("answer_item", args=[cast.request.reference, 1])
    client = Client()
    # As a browser sends it: files go by the button “Add” only.
    sent = urlencode({"text": "My company pays.", "cannot": ""})
    away = client.post(page, sent, content_type="application/x-www-form-urlencoded")
    assert away.status_code == 302
    client.force_login(alice(cast))
    assert "My company pays." in client.get(page).content.decode()
    assert ItemDraft.objects.get().text == "My company pays."


def test_a_reviewer_adds_and_takes_out_items_without_anything_being_checked() -> None:
    from django.utils import timezone

    cast = in_state(State.AUTHORITY_REVIEW, at=timezone.now() - timedelta(hours=12), legs=_legs())
    page = reverse("request_do", args=[cast.request.reference, "ask_information"])
    client = signed_in(cast.reviewer)
    first = {"items-0-question": "Who pays?", "items-0-kind": "text", "items-0-options": "", "reason": "To know."}
    more = client.post(page, first | {"then": "add"})
    assert not InformationRequest.objects.exists()
    assert more.status_code == 200
    assert more.context["form"].count == 2
    assert "Who pays?" in more.content.decode()
    both = first | {"items-1-question": "Which laptop?", "items-1-kind": "choice", "items-1-options": "A\nB"}
    less = client.post(page, both | {"then": "remove-0"})
    assert less.context["form"].count == 1
    assert "Which laptop?" in less.content.decode()
    assert "Who pays?" not in less.content.decode()
    wrong = client.post(page, both | {"items-1-options": "A", "working_days": "10"})
    assert wrong.status_code == 422
    assert "items-1-options" in wrong.context["form"].errors
    assert client.post(page, both | {"working_days": "12"}).status_code == 302
    asked = InformationRequest.objects.get()
    assert [item.kind for item in asked.questions] == ["text", "choice"]
    assert asked.working_days == 12


def _legs() -> list[dict[str, Any]]:
    from django.utils import timezone

    first = timezone.localdate() + timedelta(days=60)
    leg = {"country": "BR", "city": "Rio de Janeiro", "host": "ICLR Foundation"}
    return [leg | {"arrives_on": first, "leaves_on": first + timedelta(days=6)}]


def test_a_program_reads_what_is_asked_and_answers_item_by_item() -> None:
    cast = fresh()
    number = cast.request.reference
    client = signed_in(alice(cast))
    asked = client.get(reverse("api_request", args=[number])).json()["asked"]
    assert [item["kind"] for item in asked["items"]] == ["text", "document", "choice"]
    assert signed_in(cast.officer).get(reverse("api_request", args=[number])).json()["asked"] is None
    action = reverse("api_action", args=[number, "answer"])
    half = client.post(action, {"answers": [{"text": "I."}]}, content_type="application/json")
    assert half.status_code == 422
    answers = [{"text": "I."}, {"cannot": "Not signed yet."}, {"text": "None"}]
    whole = client.post(action, {"answers": answers}, content_type="application/json")
    assert (whole.status_code, whole.json()["state"], whole.json()["asked"]) == (200, "authority_review", None)
