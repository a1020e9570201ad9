"""Who reads what of an assessment. Everything open is told; of a confidential entry only what the law lets one know.

Alice asks, Olivia is her company's officer, Rui has the case, Shan is a senior, Udo audits, Ada administers. The
confidential list is one of organisations: "Northwind Compute Laboratory" stands on it, Alice visits it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core import mail as mail_box
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from approvals import disclosure, workflow
from approvals.models import Assessment, TravelRequest
from approvals.states import State, Tier
from notifications import delivery
from notifications.models import Notification
from sensitivity import matching
from sensitivity.models import ListKind
from tests.factories import NOW, actor, entry_values, in_state, list_in_force, with_role
from tests.factories.people import LONG_AGO
from tests.factories.requests import LEGS, Cast

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=9)
SECRET = entry_values(
    "NWC-77",
    2,
    label_en="Northwind Compute Laboratory",
    label_zh="北风计算实验室",
    reason_en="It builds what is not to be named.",
    reason_zh="不宜公开。",
    aliases=["Northwind Compute Laboratory Trondheim"],
    country="NO",
)
UNSPEAKABLE = ("NWC-77", "北风计算实验室", "It builds what is not to be named.", "不宜公开。")
"""What no page and no answer may ever say to Alice, Olivia or Ada. (The English name, Alice wrote herself.)"""
NAME = "Northwind Compute Laboratory"
CLOSE = "Northwind Compute Laboratories"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    with translation.override("en"):
        yield


def visiting(host: str, state: State = State.AUTHORITY_REVIEW, *, confidential: bool = True) -> Cast:
    list_in_force(ListKind.ORGANISATION, SECRET, confidential=confidential, name_en="Partners with care")
    return in_state(state, legs=[{**LEGS[0], "host": host}])


def alice(cast: Cast) -> User:
    assert cast.applicant.user is not None
    return cast.applicant.user


def opened(user: User, path: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(path, follow=True)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


def pages(request: TravelRequest) -> list[str]:
    return [reverse(name, args=[request.reference]) for name in ("request", "api_request")]


def everything_said_to(user: User, request: TravelRequest) -> str:
    said = ""
    for language in ("en", "zh-hans"):
        User.objects.filter(pk=user.pk).update(language=language)
        user.refresh_from_db()
        said += "\n".join(opened(user, path) for path in pages(request))
    User.objects.filter(pk=user.pk).update(language="en")
    return said


# ── a confidential entry that counts ────────────────────────────────────────────────────────────────────────────────


def test_alice_olivia_and_ada_read_that_it_counted_and_why_it_is_confidential_not_what_it_is() -> None:
    cast = visiting("Northwind Compute Laboratory")
    assert cast.request.tier == Tier.HEIGHTENED
    for user in (alice(cast), cast.officer, with_role(Role.ADMINISTRATOR)):
        said = everything_said_to(user, cast.request)
        for words in UNSPEAKABLE:
            assert words not in said, (user.name, words)
        page = opened(user, pages(cast.request)[0])
        for words in (
            "An entry of a confidential list",
            "An entry of level 2 counted. At least the tier “Heightened”.",
            "Partners with care, version 1",
            "Measures on sensitivity lists, Article 9",
            "Measures on confidential lists, Article 4",
            "Reviewed by Pan Publisher on 21 February 2026",
        ):
            assert words in page, (user.name, words)


def test_rui_shan_and_udo_read_all_of_it() -> None:
    cast = visiting("Northwind Compute Laboratory")
    for user in (cast.reviewer, cast.senior, with_role(Role.AUDITOR)):
        said = everything_said_to(user, cast.request)
        for words in UNSPEAKABLE:
            assert words in said, (user.name, words)


def test_who_looks_at_their_own_request_reads_as_its_applicant_whatever_else_they_are() -> None:
    cast = visiting("Northwind Compute Laboratory")
    RoleAssignment.objects.create(user=alice(cast), role=Role.AUDITOR, starts_at=LONG_AGO)
    said = everything_said_to(alice(cast), cast.request)
    assert not [words for words in UNSPEAKABLE if words in said]


def test_the_check_page_masks_it_before_anything_is_submitted() -> None:
    cast = visiting("Northwind Compute Laboratory", State.DRAFT)
    said = opened(alice(cast), reverse("request_check", args=[cast.request.reference]))
    assert not [words for words in UNSPEAKABLE if words in said]
    assert "An entry of a confidential list" in said
    assert "Heightened" in said


def test_every_kind_of_fact_that_touches_a_confidential_entry_is_masked() -> None:
    """What touched it would name it: it is left out even where it is Alice's own word."""
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 1), confidential=True)
    list_in_force(ListKind.DESTINATION, entry_values("BR", 1), confidential=True)
    list_in_force(ListKind.EVENT, entry_values("iclr", 1, label_en="ICLR"), confidential=True)
    cast = in_state(State.COMPANY_REVIEW)
    found = disclosure.hits_in_words(cast.request.assessment.hits, whole=False)  # type: ignore[union-attr]
    assert len(found) == 3
    assert {(hit.code, hit.label, hit.reason, hit.kind, hit.touched_by) for hit in found} == {("", "", "", "", ())}
    assert all(hit.is_masked and hit.secrecy and hit.reviewed_by for hit in found)
    whole = disclosure.hits_in_words(cast.request.assessment.hits, whole=True)  # type: ignore[union-attr]
    assert sorted(hit.touched_by for hit in whole) == [("Brazil",), ("ICLR",), ("Information retrieval",)]


# ── a name that only resembles it ───────────────────────────────────────────────────────────────────────────────────


def test_what_resembles_a_confidential_entry_is_told_without_saying_which_name_it_was() -> None:
    cast = visiting(CLOSE)
    (waiting,) = cast.request.assessment.possible  # type: ignore[union-attr]
    assert waiting["written"] == CLOSE
    for user in (alice(cast), cast.officer):
        said = everything_said_to(user, cast.request)
        assert not [words for words in (*UNSPEAKABLE, NAME, waiting["hit"]["lineage"]) if words in said], user.name
        page = opened(user, pages(cast.request)[0])
        assert "A name that you wrote resembles an entry of the confidential list “Partners with care”." in page
        assert f"“{CLOSE}” resembles" not in page
        assert "until then it counts for nothing" in page


def test_what_resembles_a_published_entry_is_told_by_name() -> None:
    cast = visiting(CLOSE, confidential=False)
    page = opened(alice(cast), pages(cast.request)[0])
    assert f"“{CLOSE}” resembles the listed organisation “Northwind Compute Laboratory”." in page
    assert cast.request.tier == Tier.FAST
    assert "No published entry is touched." in page


def judge(cast: Cast, *, confirmed: bool, at: datetime, reason: str = "The address is the same.") -> None:
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    (waiting,) = Assessment.objects.get(pk=request.assessment_id).possible
    key = matching.possible_from(waiting).key
    rui = actor(cast.reviewer, at)
    workflow.judge_match(request.pk, actor=rui, at=at, key=key, confirmed=confirmed, reason=reason)


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_answer_about_a_confidential_entry_is_told_without_its_name(confirmed: bool) -> None:
    cast = visiting(CLOSE)
    judge(cast, confirmed=confirmed, at=LATER)
    for user in (alice(cast), cast.officer):
        said = everything_said_to(user, cast.request)
        assert not [words for words in (*UNSPEAKABLE, NAME) if words in said], user.name
    page = opened(alice(cast), pages(cast.request)[0])
    is_it = "is" if confirmed else "is not"
    assert f"A name that you wrote {is_it} that of an entry of the confidential list “Partners with care”." in page
    assert "The address is the same." in page
    assert "The address is the same." not in opened(cast.officer, pages(cast.request)[0])
    whole = opened(cast.reviewer, pages(cast.request)[0])
    assert f"“{CLOSE}” {is_it} the listed organisation “Northwind Compute Laboratory”." in whole


def test_no_message_says_more_than_the_pages() -> None:
    cast = visiting(CLOSE)
    judge(cast, confirmed=True, at=LATER)
    delivery.deliver(at=LATER)
    assert Notification.objects.filter(recipient=alice(cast)).exists()
    sent = [mail for mail in mail_box.outbox if alice(cast).email in mail.to]
    said = "\n".join(f"{mail.subject}\n{mail.body}\n{mail.alternatives}" for mail in sent)  # type: ignore[attr-defined]
    assert "The address is the same." in said
    assert not [words for words in (*UNSPEAKABLE, NAME) if words in said]
    assert NAME not in opened(alice(cast), reverse("notifications"))


# ── the history of the assessment ───────────────────────────────────────────────────────────────────────────────────


def test_each_assessment_says_who_changed_what_and_why() -> None:
    cast = visiting(CLOSE, confidential=False)
    judge(cast, confirmed=True, at=LATER)
    shan = actor(cast.senior, LATER)
    workflow.change_tier(
        cast.request.pk, actor=shan, at=LATER + timedelta(minutes=5), tier=Tier.STANDARD, reason="A public lecture."
    )
    page = opened(alice(cast), pages(cast.request)[0])
    section = page[page.index('id="assessment"') :]
    section = section[: section.index("</section>")]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section))
    for said in (
        "How it came to this",
        "A person changed the tier (in force)",
        "A public lecture.",
        "A possible match was answered",
        "The address is the same.",
        "Submitted",
        "Senior reviewer, officer",
        "confirmed by a person",
        "Compared with Partners with care, version 1.",
    ):
        assert said in words, said
    assert "A public lecture." not in opened(cast.officer, pages(cast.request)[0])


def api(user: User, request: TravelRequest) -> dict[str, Any]:
    client = Client()
    client.force_login(user)
    answer: dict[str, Any] = client.get(pages(request)[1]).json()
    return answer


def test_the_api_says_the_same_as_the_pages() -> None:
    cast = visiting("Northwind Compute Laboratory")
    (masked,) = api(alice(cast), cast.request)["assessment"]["hits"]
    (whole,) = api(cast.reviewer, cast.request)["assessment"]["hits"]
    assert (masked["is_masked"], masked["code"], masked["label"], masked["reason"], masked["touched_by"]) == (
        True,
        "",
        "",
        "",
        [],
    )
    assert masked["secrecy"] == {
        "words": "Measures on confidential lists, Article 4",
        "url": "https://law.example/lists",
    }
    assert (masked["reviewed_by"], masked["reviewed_on"], masked["level"]) == ("Pan Publisher", "2026-02-21", 2)
    assert (whole["is_masked"], whole["code"], whole["touched_by"]) == (
        False,
        "NWC-77",
        ["Northwind Compute Laboratory"],
    )
