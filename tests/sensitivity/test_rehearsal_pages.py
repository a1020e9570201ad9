"""The pages on which a list manager rehearses a draft and reads what came of it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Actor, Role
from approvals.models import TravelRequest
from approvals.views import rehearsals
from companies.models import Company
from jobs import work
from jobs.models import Job
from sensitivity import drafting
from sensitivity.models import ListKind, ListVersion, Rehearsal
from tests.asserting import nothing_moved
from tests.factories import (
    CompanyFactory,
    drafted,
    employ,
    entry_values,
    list_in_force,
    list_manager,
    sensitivity_list,
    submitted,
    with_role,
)
from tests.factories.requests import LEGS


@pytest.fixture
def now() -> Any:
    return timezone.now()


@pytest.fixture
def lin(db: None, now: Any) -> Actor:
    return list_manager("Lin Author", at=now)


@pytest.fixture
def company(db: None) -> Company:
    return CompanyFactory.create()


@pytest.fixture
def version(lin: Actor, now: Any) -> ListVersion:
    of = sensitivity_list(ListKind.TECHNOLOGY, owner=lin, at=now)
    return drafted(of, [entry_values("cs.IR", 2, label_en="Retrieval")], by=lin, at=now)


def trip(name: str, company: Company, now: Any, **values: Any) -> TravelRequest:
    first = now.date() + timedelta(days=40)
    legs = [{**LEGS[0], "arrives_on": first, "leaves_on": first + timedelta(days=4)}]
    return submitted(employ(name, company), at=now - timedelta(hours=1), legs=legs, **values)


def client_of(who: Actor | User) -> Client:
    client = Client()
    client.force_login(who if isinstance(who, User) else User.objects.get(pk=who.user_id))
    return client


def history(version: ListVersion) -> str:
    return reverse("list_rehearsals", args=[version.list_id, version.number])


def run_to_its_end(run: Rehearsal) -> Rehearsal:
    assert run.job_id
    while work.run_batch(run.job_id, at=timezone.now()):
        pass
    run.refresh_from_db()
    return run


def text(answer: Any) -> str:
    """The words of a page, in one line."""
    body = answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", body[body.index("<main") :]).split())


def rehearse(version: ListVersion, by: Actor, days: int = 90) -> Rehearsal:
    client = client_of(by)
    assert client.post(history(version), {"days": days}).status_code == 302
    return run_to_its_end(Rehearsal.objects.latest("pk"))


def test_a_list_manager_starts_one_watches_it_and_reads_what_came_of_it(
    version: ListVersion, lin: Actor, company: Company, now: Any
) -> None:
    hit, other = trip("Alice Wang", company, now), trip("Bo Li", company, now, topics=["cs.CL"])
    client = client_of(lin)
    assert "Not rehearsed yet" in text(client.get(history(version)))

    answer = client.post(history(version), {"days": 30}, follow=True)

    assert "Waiting to start" in text(answer)
    run = Rehearsal.objects.get()
    assert (run.days, run.by_id, run.version_id) == (30, lin.user_id, version.pk)
    job = reverse("job", args=[run.job_id])
    assert job in answer.content.decode()
    assert client.get(job).status_code == 200
    run_to_its_end(run)
    read = client.get(reverse("list_rehearsal", args=[run.pk]))
    words = text(read)
    assert "Of 2 requests of the last 30 days, 1 would change tier: 1 up, 0 down." in words
    assert "It would cost the offices 0.9 reviewer-days more." in words
    assert "Fast → Heightened" in words
    assert f"{hit.reference} Fast Heightened cs.IR Retrieval: new, level 2" in words
    assert other.reference not in words
    assert "Haidian office 2 1 0 0.2 1.1 +0.9" in words
    assert "Fast 0.1, Standard 0.3, Heightened 1, Restricted 2.5" in words
    assert "Of what it says now" in text(client.get(history(version)))


def test_nobody_learns_whose_request_it_is(version: ListVersion, lin: Actor, company: Company, now: Any) -> None:
    hit = trip("Alice Wang", company, now)
    run = rehearse(version, lin)
    page = client_of(lin).get(reverse("list_rehearsal", args=[run.pk])).content.decode()
    for word in ("Alice", "王爱丽", company.name_en, "ICLR", "Brazil", "Rio"):
        assert word not in page, word
    link = f'href="{reverse("request", args=[hit.reference])}"'
    assert link not in page, "a list manager sees no requests"
    auditor = with_role(Role.AUDITOR, "Aurel Auditor")
    assert link in client_of(auditor).get(reverse("list_rehearsal", args=[run.pk])).content.decode()


def test_a_move_of_the_table_shows_its_requests(version: ListVersion, lin: Actor, company: Company, now: Any) -> None:
    hit = trip("Alice Wang", company, now)
    run = rehearse(version, lin)
    client, here = client_of(lin), reverse("list_rehearsal", args=[run.pk])
    assert "?before=fast&amp;after=heightened#changes" in client.get(here).content.decode()
    assert hit.reference in text(client.get(f"{here}?before=fast&after=heightened"))
    other = text(client.get(f"{here}?before=standard&after=fast"))
    assert hit.reference not in other
    assert "Only those that go from “Standard” to “Fast”." in other
    for senseless in ("before=x&after=y", "from=-1", "from=9" * 20, "from=%C2%B2"):
        assert hit.reference in text(client.get(f"{here}?{senseless}"))


def test_many_changes_come_page_by_page(
    version: ListVersion, lin: Actor, company: Company, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsals, "PAGE", 2)
    trips = [trip(name, company, now) for name in ("Alice Wang", "Bo Li", "Chen Xu")]
    run = rehearse(version, lin)
    client, here = client_of(lin), reverse("list_rehearsal", args=[run.pk])
    first = client.get(here)
    found = re.search(r'rel="next" href="([^"#]+)', first.content.decode())
    assert found
    second = client.get(here + found[1].replace("&amp;", "&"))
    shown = [[one.reference for one in trips if one.reference in text(page)] for page in (first, second)]
    assert [len(one) for one in shown] == [2, 1]
    assert {*shown[0], *shown[1]} == {one.reference for one in trips}


def test_it_warns_when_the_draft_has_changed_since(version: ListVersion, lin: Actor, now: Any) -> None:
    run = rehearse(version, lin)
    client = client_of(lin)
    here = reverse("list_rehearsal", args=[run.pk])
    assert "The draft has changed since" not in text(client.get(here))
    for code in ("cs.CL", "cs.CR"):
        drafting.add(version.pk, actor=lin, at=now, values=entry_values(code))
    words = text(client.get(here))
    assert "There were 2 changes after this rehearsal." in words
    words = text(client.get(history(version)))
    assert "What it says now was not rehearsed" in words
    assert "Of an earlier content" in words


def test_one_that_ended_early_says_why(version: ListVersion, lin: Actor, company: Company, now: Any) -> None:
    trip("Alice Wang", company, now)
    client = client_of(lin)
    client.post(history(version), {"days": 30})
    drafting.add(version.pk, actor=lin, at=now, values=entry_values("cs.CR"))
    run = run_to_its_end(Rehearsal.objects.get())
    why = "The draft was changed while it was being rehearsed. Start the rehearsal again."
    assert why in text(client.get(reverse("list_rehearsal", args=[run.pk])))
    assert why in text(client.get(history(version)))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Say how many days to look back."),
        ("soon", "Enter a whole number of days."),
        ("0", "Look back 1 to 730 days."),
        ("731", "Look back 1 to 730 days."),
    ],
)
def test_what_was_mistyped_is_still_there(version: ListVersion, lin: Actor, typed: str, words: str) -> None:
    with nothing_moved():
        answer = client_of(lin).post(history(version), {"days": typed})
    assert answer.status_code == 200
    assert words in text(answer)
    assert f'value="{typed}"' in answer.content.decode() or not typed
    assert not Job.objects.exists()


def test_who_may_not_start_one(version: ListVersion, lin: Actor, now: Any) -> None:
    auditor = client_of(with_role(Role.AUDITOR, "Aurel Auditor"))
    assert "Start the rehearsal" not in text(auditor.get(history(version)))
    with nothing_moved():
        assert auditor.post(history(version), {"days": 30}).status_code == 403
    stranger = client_of(with_role(Role.ADMINISTRATOR, "Ada Admin"))
    with nothing_moved():
        assert stranger.post(history(version), {"days": 30}).status_code == 404
    fixed = list_in_force(ListKind.EVENT, entry_values("ICLR"), at=now)
    client = client_of(lin)
    assert "Start the rehearsal" not in text(client.get(history(fixed)))
    with nothing_moved():
        assert "This version is published already." in text(client.post(history(fixed), {"days": 30}))


def test_as_many_queries_for_one_change_as_for_three(
    version: ListVersion, lin: Actor, company: Company, now: Any
) -> None:
    client = client_of(lin)
    asked = []
    for names in (["Alice Wang"], ["Bo Li", "Chen Xu"]):
        for name in names:
            trip(name, company, now)
        run = rehearse(version, lin)
        with CaptureQueriesContext(connection) as questions:
            assert client.get(reverse("list_rehearsal", args=[run.pk])).status_code == 200
        with CaptureQueriesContext(connection) as more:
            assert client.get(history(version)).status_code == 200
        asked.append((len(questions), len(more)))
    assert asked[0] == asked[1]
