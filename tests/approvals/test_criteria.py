"""The public criteria: read without an account, in both languages; asked "what if" without leaving a trace.

Nobody is signed in. Lin and Pan keep the lists (see the factories).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sensitivity.models import ListKind
from tests.asserting import nothing_moved
from tests.factories import NOW, OfficeFactory, entry_values, list_in_force

pytestmark = pytest.mark.django_db

PAGE, ASK = reverse("criteria"), reverse("what_if")


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def anybody() -> Client:
    return Client(headers={"accept-language": "en"})


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(answer)))


# ── the lists ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_anybody_reads_tiers_routes_clocks_and_lists(anybody: Client) -> None:
    made = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2), name_en="Technologies")
    said = words_of(anybody.get(PAGE))
    for words in (
        "No published entry is touched, and the trip takes at most 14 days.",
        "One reviewer proposes a decision, a senior reviewer confirms it.",
        "20 working days",
        "Before that the company has 3 working days.",
        "each of these times is 1 working day.",
        "Version 1, from 3 March 2026 until before 3 March 2027",
        "Measures on sensitivity lists, Article 9",
    ):
        assert words in said, words
    assert f"?list={made.list_id}#entries" in text_of(anybody.get(PAGE))


def test_in_chinese_too_by_the_browser_and_by_the_address() -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2, label_zh="信息检索"), name_zh="技术清单（甲）")
    by_browser = Client(headers={"accept-language": "zh-CN"}).get(PAGE)
    by_address = Client(headers={"accept-language": "en"}).get(PAGE, {"language": "zh-hans"})
    for answer in (by_browser, by_address):
        assert '<html lang="zh-hans">' in text_of(answer)
        assert "技术清单（甲）" in text_of(answer)
    assert 'hreflang="zh-Hans"' in text_of(by_address)
    assert "noindex" not in text_of(by_address)


def test_a_confidential_list_is_named_with_both_laws_and_nothing_of_what_is_on_it(anybody: Client) -> None:
    made = list_in_force(
        ListKind.ORGANISATION,
        entry_values("NW-9", 3, label_en="Northwind", reason_en="Secretly."),
        confidential=True,
        name_en="Partners with care",
    )
    for answer in (anybody.get(PAGE), anybody.get(PAGE, {"list": made.list_id})):
        said = words_of(answer)
        for words in ("Partners with care", "Measures on confidential lists, Article 4", "Reviewed by Pan Publisher"):
            assert words in said, words
        for words in ("NW-9", "Northwind", "Secretly."):
            assert words not in said, words


def test_entries_are_searched_filtered_and_paged(anybody: Client) -> None:
    rows = [entry_values(f"t{index:03}", 1 + index % 3, label_en=f"Topic {index:03}") for index in range(60)]
    made = list_in_force(ListKind.TECHNOLOGY, *rows)

    def shown(**asked: Any) -> list[str]:
        return re.findall(r"Topic \d{3}", text_of(anybody.get(PAGE, {"list": made.list_id} | asked)))

    first = shown()
    following = re.search(r'rel="next" href="([^"]+)#entries"', text_of(anybody.get(PAGE, {"list": made.list_id})))
    assert following
    second = re.findall(r"Topic \d{3}", text_of(anybody.get(PAGE + unescape(following[1]))))
    assert first + second == [f"Topic {index:03}" for index in range(60)]
    assert shown(q="topic 01") == [f"Topic {index:03}" for index in range(10, 20)]
    assert shown(q="topic 01", level=3) == ["Topic 011", "Topic 014", "Topic 017"]
    assert shown(q="%") == []
    assert shown(after="nonsense") == first


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow_with_lists_and_entries(anybody: Client, count: int) -> None:
    made = [
        list_in_force(kind, *(entry_values(code) for code in ("JP", "KE", "FR")[:count]))
        for kind in (ListKind.DESTINATION, ListKind.TECHNOLOGY, ListKind.EVENT)[:count]
    ]
    anybody.get(PAGE)
    with CaptureQueriesContext(connection) as asked:
        anybody.get(PAGE, {"list": made[0].list_id})
    assert len(asked) == 2


def test_the_way_here_is_on_the_sign_in_page_and_below_every_page(anybody: Client) -> None:
    assert text_of(anybody.get(reverse("account_login"))).count(f'href="{PAGE}"') == 2


def test_an_empty_page_says_what_will_stand_here(anybody: Client) -> None:
    assert "No list is in force" in words_of(anybody.get(PAGE))


# ── what if ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def trip(**values: Any) -> dict[str, Any]:
    return {
        "places-TOTAL_FORMS": "2",
        "places-INITIAL_FORMS": "0",
        "places-0-country": "BR",
        "places-0-host": "",
        "departs_on": date(2026, 4, 22).isoformat(),
        "returns_on": date(2026, 4, 28).isoformat(),
        "office": OfficeFactory.create().pk,
    } | values


def test_a_free_answer_says_entries_tier_route_who_and_by_when(anybody: Client) -> None:
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.IR", 2, label_en="Retrieval at scale"))
    list_in_force(ListKind.ORGANISATION, entry_values("NW", 1, label_en="Northwind Compute Laboratory"))
    asked = trip(topics=["cs.IR"], **{"places-0-host": "Northwind Compute Laboratories"})

    answer = anybody.post(ASK, asked)

    assert answer.status_code == 200
    said = words_of(answer)
    for words in (
        "Heightened",
        "One reviewer proposes a decision, a senior reviewer confirms it.",
        "Haidian office",
        "Retrieval at scale",
        "Touched by Information retrieval",
        "“Northwind Compute Laboratories” resembles the listed organisation “Northwind Compute Laboratory”.",
        "6 March 2026",
        "3 April 2026",
        "The decision would be due before you leave, if you submitted today.",
    ):
        assert words in said, words
    assert "no-store" in answer["Cache-Control"]


def test_too_late_and_provisional_are_said(anybody: Client) -> None:
    soon = trip(departs_on="2026-03-05", returns_on="2026-03-08")
    assert "The decision may come on the day you leave or later" in words_of(anybody.post(ASK, soon))
    assert "Fast" in words_of(anybody.post(ASK, soon))
    urgent = words_of(anybody.post(ASK, soon | {"urgent": "on"}))
    assert "4 March 2026" in urgent
    assert "The company by" not in urgent


def test_confidential_lists_are_left_out_and_the_page_says_so(anybody: Client) -> None:
    secret = entry_values("cs.IR", 3, label_en="The hidden one", reason_en="Secretly.")
    list_in_force(ListKind.TECHNOLOGY, secret, confidential=True)
    said = words_of(anybody.post(ASK, trip(topics=["cs.IR"])))
    assert "1 confidential list is left out of this answer: an entry of it could raise the tier." in said
    assert "Fast" in said
    assert "No published entry is touched." in said
    assert "The hidden one" not in said


def test_nothing_is_kept_and_nothing_of_it_is_logged(anybody: Client, caplog: pytest.LogCaptureFixture) -> None:
    words = {"places-0-host": "Unmistakable Institute", "event": "Unmistakable Forum"}
    asked = trip(**words)
    with caplog.at_level(logging.DEBUG, logger=""), nothing_moved(), CaptureQueriesContext(connection) as queries:
        answer = anybody.post(ASK, asked)
    assert answer.status_code == 200
    assert not [one["sql"] for one in queries if re.match(r"\s*(INSERT|UPDATE|DELETE)", one["sql"])]
    # The log of statements is the test's own; it is off where the product runs.
    said = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]
    assert not [line for line in said if "Unmistakable" in line]
    assert "Unmistakable" not in str(dict(anybody.session))


def test_it_needs_the_token_that_came_with_the_page() -> None:
    assert Client(enforce_csrf_checks=True).post(ASK, trip()).status_code == 403


def test_a_state_is_asked_for_where_a_list_names_one(anybody: Client) -> None:
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 2, label_en="California"))
    missing = anybody.post(ASK, trip(**{"places-0-country": "US"}))
    assert missing.status_code == 422
    assert "Choose the state or province" in words_of(missing)
    there = anybody.post(ASK, trip(**{"places-0-country": "US", "places-0-subdivision": "US-CA"}))
    assert "Touched by California" in words_of(there)
    elsewhere = anybody.post(ASK, trip(**{"places-0-country": "US", "places-0-subdivision": "US-NY"}))
    assert "No published entry is touched." in words_of(elsewhere)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"places-0-country": ""}, "Choose at least one country or region."),
        ({"departs_on": ""}, "Enter the first day."),
        ({"returns_on": "2026-04-01"}, "The last day is before the first."),
        ({"departs_on": "2026-03-01"}, "This day has passed."),
        ({"topics": ["no.such"]}, "Choose subjects of this list."),
        ({"office": "0"}, "Choose one of the offices of this list."),
    ],
)
def test_mistakes_are_said_and_what_was_typed_stays(anybody: Client, wrong: dict[str, Any], words: str) -> None:
    answer = anybody.post(ASK, trip(event="My forum") | wrong)
    assert answer.status_code == 422
    assert words in words_of(answer)
    assert 'value="My forum"' in text_of(answer)


def test_without_scripts_subjects_are_searched_and_places_added(anybody: Client) -> None:
    below = entry_values("llm", 2, parent="cs.CL", label_en="Large language models")
    list_in_force(ListKind.TECHNOLOGY, entry_values("cs.CL"), below, entry_values("zz", label_en="Zymurgy"))
    found = text_of(anybody.post(ASK, trip(then="find", find="language mod", event="My forum", topics=["cs.AI"])))
    assert "Large language models" in found
    assert "Zymurgy" not in found
    assert 'value="My forum"' in found
    assert re.search(r'value="cs.AI"[^>]* checked', found)
    added = text_of(anybody.post(ASK, trip(then="add")))
    assert 'name="places-2-country"' in added
    assert 'value="2026-04-22"' in added


def test_the_thirty_first_question_of_a_minute_waits(anybody: Client) -> None:
    for _question in range(30):
        assert anybody.post(ASK, {}).status_code == 422
    refused = anybody.post(ASK, trip(event="My forum"))
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "From your address somebody asks very often just now." in words_of(refused)
    assert 'value="My forum"' in text_of(refused)
    assert anybody.get(ASK).status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7", headers={"accept-language": "en"}).post(ASK, trip()).status_code == 200


def test_the_form_is_light_whatever_is_published(anybody: Client) -> None:
    rows = [
        entry_values(f"t{index:03}", label_en=f"A topic with rather a long name {index:03}") for index in range(200)
    ]
    list_in_force(ListKind.TECHNOLOGY, *rows)
    answer = anybody.get(ASK)
    assert "There are more subjects than are shown" in words_of(answer)
    assert len(answer.content) < 75_000
