"""Alice picks what her trip is about by name: subjects, states where a list asks for them, projects of her company.

And Rui and Shan change what the lists said of it: an answer, another tier, the lists of today.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import AccessEntry, User
from approvals import workflow
from approvals.models import Assessment, TravelRequest
from approvals.states import State, Tier
from companies.models import Project
from employees.models import Employee, ProjectAssignment
from sensitivity import drafting, publishing
from sensitivity.models import ListKind, ListVersion
from tests.asserting import nothing_moved
from tests.factories import (
    NOW,
    CompanyFactory,
    actor,
    draft,
    employ,
    entry_of,
    entry_values,
    fill,
    in_state,
    list_in_force,
    list_manager,
    rehearsed,
    submitted,
)
from tests.factories.requests import LEGS, Cast

pytestmark = pytest.mark.django_db

EVENING = NOW + timedelta(hours=9)
TREE = (
    entry_values("cs.CL", 1),
    entry_values("llm", 2, parent="cs.CL", label_en="Large language models", label_zh="大语言模型"),
)


@pytest.fixture(autouse=True)
def _evening(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: EVENING)
    with translation.override("en"):
        yield


@pytest.fixture
def alice() -> Employee:
    return employ("Alice Wang", CompanyFactory.create())


def signed_in(user: User | None) -> Client:
    client = Client()
    assert user is not None
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(answer)))


def section(request: TravelRequest, name: str) -> str:
    return reverse("request_section", args=[request.reference, name])


def send(client: Client, url: str, **data: Any) -> Any:
    return client.post(url, urlencode(data, doseq=True), content_type="application/x-www-form-urlencoded")


def saved(request: TravelRequest) -> TravelRequest:
    return TravelRequest.unscoped.get(pk=request.pk)


def renamed(version: ListVersion, code: str, *, to: str) -> None:
    """The next version of the list, in force from today, in which an entry has another code."""
    mei, ning = list_manager("Mei", at=EVENING), list_manager("Ning", at=EVENING)
    following = publishing.draft(version.list_id, actor=mei, at=EVENING)
    entry = entry_of(following, code)
    drafting.change(following.pk, entry.lineage, actor=mei, at=EVENING, edit=entry.edit, values={"code": to})
    publishing.submit_for_review(following.pk, actor=mei, at=EVENING)
    rehearsed(following, by=mei, at=EVENING)
    publishing.publish(following.pk, actor=ning, at=EVENING, on=publishing.today(EVENING))


# ── subjects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alice_picks_large_language_models_and_never_reads_a_code(alice: Employee) -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE)
    request = draft(alice)
    client = signed_in(alice.user)

    page = text_of(client.get(section(request, "topics")))
    assert "1 finer subject<" in page
    assert "Large language models" in page
    answer = send(client, section(request, "topics"), topics=["llm"], materials="")

    assert answer.status_code == 302
    assert saved(request).topics == ["llm"]
    again = text_of(client.get(section(request, "topics")))
    assert re.search(r'value="llm" id="id_topics_\d+" checked', again)
    assert re.search(r'<details class="subject-below" open>', again)
    for url in (reverse("request_check", args=[request.reference]),):
        assert "Large language models" in words_of(client.get(url))
        assert "llm" not in words_of(client.get(url))


def test_a_subject_that_was_renamed_stays_picked_and_what_is_gone_stays_readable(alice: Employee) -> None:
    version = list_in_force(ListKind.TECHNOLOGY, *TREE, at=NOW - timedelta(days=1))
    request = fill(draft(alice), topics=["llm", "cs.IR", "no.longer"])
    renamed(version, "llm", to="language-models")
    client = signed_in(alice.user)

    page = text_of(client.get(section(request, "topics")))

    assert re.search(r'value="language-models"[^>]* checked', page)
    assert re.search(r'value="no.longer"[^>]* checked', page)
    assert words_of(client.get(reverse("request_check", args=[request.reference]))).count("Large language models") >= 1
    # A page that was open while it was renamed still sends the old code.
    assert send(client, section(request, "topics"), topics=["llm", "no.longer"], materials="").status_code == 302
    assert saved(request).topics == ["language-models", "no.longer"]


def test_a_code_that_nobody_offered_is_kept_as_typed_and_not_stored(alice: Employee) -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("hidden", 3), confidential=True)
    request = draft(alice)
    answer = send(signed_in(alice.user), section(request, "topics"), topics=["hidden"], materials="")
    assert answer.status_code == 200
    assert "Choose subjects of this list." in text_of(answer)
    assert saved(request).topics == []


def test_without_scripts_a_search_saves_what_is_chosen_and_shows_what_fits(alice: Employee) -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE, entry_values("zz", label_en="Zymurgy"))
    request = draft(alice)
    client = signed_in(alice.user)

    answer = send(client, section(request, "topics"), topics=["cs.AI"], materials="", then="find", find="大语言")

    assert answer["Location"].startswith(f"{section(request, 'topics')}?find=")
    page = text_of(client.get(answer["Location"]))
    assert "Large language models" in page
    assert "Zymurgy" not in page
    assert saved(request).topics == ["cs.AI"]


# ── states and provinces ────────────────────────────────────────────────────────────────────────────────────────────


def place(**values: str) -> dict[str, str]:
    given = {
        "country": "US",
        "city": "San Jose",
        "arrives_on": "2026-04-22",
        "leaves_on": "2026-04-28",
        "host": "",
    } | values
    data = {f"legs-0-{name}": value for name, value in given.items()}
    return data | {"legs-INITIAL_FORMS": "0", "legs-TOTAL_FORMS": "1"}


def test_no_state_is_asked_for_while_no_list_names_one(alice: Employee) -> None:
    list_in_force(ListKind.DESTINATION, entry_values("US", 1))
    request = draft(alice)
    assert "State or province" not in text_of(signed_in(alice.user).get(section(request, "itinerary")))
    assert send(signed_in(alice.user), section(request, "itinerary"), **place()).status_code == 302


def test_a_state_is_required_checked_saved_and_shown_in_words(alice: Employee) -> None:
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 2, label_en="California"))
    request = fill(draft(alice))
    client = signed_in(alice.user)
    itinerary = section(request, "itinerary")
    page = text_of(client.get(itinerary))
    assert "Asked for these only, because a list names a part of them: United States of America" in page
    assert '<optgroup label="United States of America">' in page

    assert "Choose the state or province" in text_of(send(client, itinerary, **place()))
    wrong = send(client, itinerary, **place(country="BR", subdivision="US-CA"))
    assert "This state or province lies in another country." in text_of(wrong)
    assert send(client, itinerary, **place(country="BR")).status_code == 302
    assert send(client, itinerary, **place(subdivision="US-CA")).status_code == 302

    (leg,) = saved(request).itinerary
    assert (leg.country.code, leg.subdivision) == ("US", "US-CA")
    check = words_of(client.get(reverse("request_check", args=[request.reference])))
    assert "San Jose, California, United States of America" in check
    assert "Heightened" in check
    assert "Touched by California" in check


# ── projects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alice_ticks_projects_of_her_company_her_own_first(alice: Employee) -> None:
    rows = [Project.objects.create(company=alice.company, code=code, name=f"{code} Search") for code in ("P1", "P2")]
    ProjectAssignment.objects.create(employee=alice, project=rows[1], starts_at=NOW - timedelta(days=3))
    Project.objects.create(company=CompanyFactory.create(name_en="Elsewhere"), code="X9", name="Not theirs")
    listed = entry_values("P2", 2, label_en="Search at scale", company_id=alice.company_id)
    list_in_force(ListKind.PROJECT, listed)
    request = fill(draft(alice))
    client = signed_in(alice.user)

    page = text_of(client.get(section(request, "topics")))
    assert re.findall(r'name="projects" value="(\w+)"', page) == ["P2", "P1"]
    assert send(client, section(request, "topics"), topics=["cs.IR"], materials="", projects=["X9"]).status_code == 200
    assert send(client, section(request, "topics"), topics=["cs.IR"], materials="", projects=["P2"]).status_code == 302

    assert saved(request).projects == ["P2"]
    check = words_of(client.get(reverse("request_check", args=[request.reference])))
    assert "P2 P2 Search" in check
    assert "Touched by P2 P2 Search" in check


def test_a_company_without_projects_is_not_asked(alice: Employee) -> None:
    assert "Which projects" not in text_of(signed_in(alice.user).get(section(draft(alice), "topics")))


def test_projects_and_states_are_part_of_what_changed_between_revisions(alice: Employee) -> None:
    Project.objects.create(company=alice.company, code="P1", name="Search")
    cast = in_state(State.RETURNED, employee=alice)
    assert alice.user is not None
    legs = [{**LEGS[0], "country": "US", "subdivision": "US-CA"}]
    fill(cast.request, at=EVENING, legs=legs, projects=["P1"], topics=["cs.IR", "cs.AI"])
    workflow.submit(cast.request.pk, actor=actor(alice.user, EVENING), at=EVENING)
    page = words_of(signed_in(alice.user).get(reverse("request", args=[cast.request.reference])))
    for words in ("P1 Search", "Rio de Janeiro, California, United States of America", "Artificial intelligence"):
        assert words in page, words


# ── what people change ──────────────────────────────────────────────────────────────────────────────────────────────

HOST = "Northwind Compute Laboratories"
LISTED = entry_values("NWC", 2, label_en="Northwind Compute Laboratory", label_zh="北风计算实验室", country="NO")


def resembling() -> Cast:
    list_in_force(ListKind.ORGANISATION, LISTED, name_en="Partners with care")
    return in_state(State.AUTHORITY_REVIEW, legs=[{**LEGS[0], "host": HOST}])


def do(user: User, cast: Cast, verb: str, **data: Any) -> Any:
    return send(signed_in(user), reverse("request_do", args=[cast.request.reference, verb]), **data)


def test_rui_sees_both_names_side_by_side_and_must_answer_before_deciding() -> None:
    cast = resembling()
    case = signed_in(cast.reviewer).get(reverse("case", args=[cast.request.reference]))
    said = words_of(case)
    for words in (HOST, "Northwind Compute Laboratory", "Norway", "nearly the same name", "Partners with care"):
        assert words in said, words
    link = re.search(r'href="(/requests/[^"]+/do/judge_match/\?match=[^"]+)"', text_of(case))
    assert link
    page = text_of(signed_in(cast.reviewer).get(unescape(link[1])))
    assert re.search(r'name="key"[^>]* checked|checked[^>]* name="key"', page)
    refused = do(cast.reviewer, cast, "approve", text="", conditions="")
    assert refused.status_code == 409
    assert "First say of every possible match whether it is the listed organisation." in words_of(refused)
    assert saved(cast.request).state == State.AUTHORITY_REVIEW


@pytest.mark.parametrize(("answer", "tier"), [("yes", Tier.HEIGHTENED), ("no", Tier.FAST)])
def test_an_answer_is_a_press_of_a_button_with_a_reason(answer: str, tier: Tier) -> None:
    cast = resembling()
    key = f"{Assessment.objects.get(pk=cast.request.assessment_id).possible[0]['hit']['lineage']}:{HOST}"
    with nothing_moved(apart_from=[AccessEntry]):
        missing = do(cast.reviewer, cast, "judge_match", key=key, confirmed=answer, reason=" ")
        unsaid = do(cast.reviewer, cast, "judge_match", key=key, reason="Known.")
    assert (missing.status_code, unsaid.status_code) == (422, 422)
    assert "Say how you know; the applicant reads it." in text_of(missing)
    assert "Say whether it is the same." in text_of(unsaid)

    done = do(cast.reviewer, cast, "judge_match", key=key, confirmed=answer, reason="Its address says so.")

    assert done.status_code == 302
    assert (saved(cast.request).tier, saved(cast.request).open_matches) == (tier, 0)
    case = words_of(signed_in(cast.reviewer).get(reverse("case", args=[cast.request.reference])))
    assert "Its address says so." in case
    with nothing_moved(apart_from=[AccessEntry]):
        again = do(cast.reviewer, cast, "judge_match", key=key, confirmed=answer, reason="Once more.")
    assert again.status_code == 409
    assert "There is no possible match that waits for an answer." in words_of(again)


def test_shan_changes_the_tier_and_alice_reads_why() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    page = text_of(signed_in(cast.senior).get(reverse("request_do", args=[cast.request.reference, "change_tier"])))
    assert re.findall(r'name="tier" value="(\w+)"', page) == ["standard", "heightened", "restricted"]
    assert do(cast.senior, cast, "change_tier", tier="fast", reason="x").status_code == 422
    assert do(cast.senior, cast, "change_tier", tier="heightened", reason="").status_code == 422
    assert do(cast.senior, cast, "change_tier", tier="heightened", reason="A new host.").status_code == 302
    assert saved(cast.request).tier == Tier.HEIGHTENED
    alice = cast.applicant.user
    said = words_of(signed_in(alice).get(reverse("request", args=[cast.request.reference])))
    assert "The tier was “Fast” and is “Heightened” now." in said
    assert "A new host." in said
    olivia = words_of(signed_in(cast.officer).get(reverse("request", args=[cast.request.reference])))
    assert "The tier was “Fast” and is “Heightened” now." in olivia
    assert "A new host." not in olivia


def test_shan_sees_what_would_change_before_it_does() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    here = reverse("request_do", args=[cast.request.reference, "reassess"])
    assert "there is nothing to change" in words_of(signed_in(cast.senior).get(here))
    assert do(cast.senior, cast, "reassess", reason="Look again.").status_code == 409

    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2, label_en="Retrieval at scale"), at=EVENING)
    with nothing_moved(apart_from=[AccessEntry]):
        preview = signed_in(cast.reviewer).get(here)
        assert preview.status_code == 403, "only a senior"
    said = words_of(signed_in(cast.senior).get(here))
    for words in ("Entries that would count now", "Retrieval at scale", "Heightened", "The tier would rise"):
        assert words in said, words
    assert do(cast.senior, cast, "reassess", reason="").status_code == 422
    assert do(cast.senior, cast, "reassess", reason="The list is new.").status_code == 302
    assert saved(cast.request).tier == Tier.HEIGHTENED


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def patch(alice: Employee, request: TravelRequest, body: dict[str, Any]) -> Any:
    address = reverse("api_request", args=[request.reference])
    return signed_in(alice.user).patch(address, body, content_type="application/json")


def test_programs_pick_from_the_same_tree_and_read_the_same_words(alice: Employee) -> None:
    list_in_force(ListKind.TECHNOLOGY, *TREE)
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 2, label_en="California"))
    Project.objects.create(company=alice.company, code="P1", name="Search")
    request = draft(alice)
    leg = {"country": "US", "city": "San Jose", "arrives_on": "2026-04-22", "leaves_on": "2026-04-28"}

    bad = patch(alice, request, {"topics": ["llm", "nope"], "projects": ["P9"], "legs": [leg]})
    assert bad.status_code == 422
    assert [one["pointer"] for one in bad.json()["errors"]] == ["/topics/1", "/projects/0", "/legs/0/subdivision"]
    half = patch(alice, request, {"legs": [{"country": "BR"}]})
    assert [one["pointer"] for one in half.json()["errors"]] == [
        "/legs/0/city",
        "/legs/0/arrives_on",
        "/legs/0/leaves_on",
    ]
    good = patch(alice, request, {"topics": ["llm"], "projects": ["P1"], "legs": [leg | {"subdivision": "US-CA"}]})

    assert good.status_code == 200
    assert good.json()["subjects"] == [{"code": "llm", "label": "Large language models"}]
    assert (good.json()["projects"], good.json()["legs"][0]["subdivision"]) == (["P1"], "US-CA")
    assert good.json()["assessment"] is None


def test_programs_of_reviewers_answer_and_change_and_are_refused_in_problem_documents() -> None:
    cast = resembling()
    client = signed_in(cast.reviewer)

    def act(verb: str, body: dict[str, Any]) -> Any:
        address = reverse("api_action", args=[cast.request.reference, verb])
        return client.post(address, body, content_type="application/json")

    read = client.get(reverse("api_request", args=[cast.request.reference])).json()
    assert {"judge_match", "change_tier"} <= set(read["actions"])
    assert "approve" not in read["actions"]
    (waiting,) = read["assessment"]["possible"]
    with nothing_moved(apart_from=[AccessEntry]):
        refused = act("judge_match", {"key": waiting["key"], "confirmed": False, "reason": ""})
        unknown = act("change_tier", {"tier": "secret", "reason": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/tier")
    said = act("judge_match", {"key": waiting["key"], "confirmed": True, "reason": "The same address."})
    assert (said.status_code, said.json()["tier"]) == (200, "heightened")
    (hit,) = said.json()["assessment"]["hits"]
    assert (hit["code"], hit["confirmed"], hit["touched_by"]) == ("NWC", True, [HOST])
    alone = act("change_tier", {"tier": "fast", "reason": "A public lecture."})
    assert alone.status_code == 403
    assert "you would decide alone" in alone.json()["detail"]


def test_the_page_asks_as_often_for_one_hit_as_for_three() -> None:
    def asked(request: TravelRequest) -> int:
        client = signed_in(request.applicant.user)
        client.get(reverse("request", args=[request.reference]))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("request", args=[request.reference])).status_code == 200
        return len(captured)

    list_in_force(ListKind.TECHNOLOGY, *(entry_values(f"t{index}", 1) for index in range(3)))
    one, three = (
        submitted(employ(name, CompanyFactory.create()), topics=topics)
        for name, topics in (("Alice Wang", ["t0"]), ("Bob Li", ["t0", "t1", "t2"]))
    )
    assert len(Assessment.objects.get(pk=three.assessment_id).hits) == 3
    assert asked(one) == asked(three)
