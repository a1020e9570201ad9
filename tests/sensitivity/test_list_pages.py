"""The pages of list managers. Lin writes, Pan publishes, Udo audits; everybody else finds nothing here."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import RoleAssignment, User
from accounts.roles import Actor, Role
from sensitivity import drafting, publishing
from sensitivity.models import ListEntry, ListKind, ListVersion, SensitivityList, VersionState
from tests.asserting import nothing_moved
from tests.factories import (
    CompanyFactory,
    OfficeFactory,
    actor,
    drafted,
    employ,
    entry_of,
    entry_values,
    instrument,
    officer_of,
    posted,
    published,
    rehearsed,
    sensitivity_list,
    with_role,
)

pytestmark = pytest.mark.django_db


@dataclass
class Person:
    """Somebody with a browser."""

    user: User
    client: Client

    @property
    def actor(self) -> Actor:
        return actor(self.user, timezone.now())

    def sees(self, path: str) -> str:
        """The words of the page, tags left out."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return words(answer)


def words(answer: Any) -> str:
    """The words of a page, without tags."""
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def person(user: User) -> Person:
    client = Client()
    client.force_login(user)
    return Person(user, client)


@pytest.fixture
def lin() -> Person:
    return person(with_role(Role.LIST_MANAGER, "Lin Author"))


@pytest.fixture
def pan() -> Person:
    return person(with_role(Role.LIST_MANAGER, "Pan Publisher"))


@pytest.fixture
def udo() -> Person:
    return person(with_role(Role.AUDITOR, "Udo Auditor"))


TREE = (
    entry_values("cs", label_en="Computer science"),
    entry_values("cs.AI", 2, parent="cs", label_zh="人工智能", aliases=["deep learning"]),
    entry_values("cs.AI.LLM", parent="cs.AI", label_en="Large language models"),
    entry_values("stat", valid_until="2020-12-31"),
)


@pytest.fixture
def technologies(lin: Person) -> SensitivityList:
    return sensitivity_list(ListKind.TECHNOLOGY, owner=lin.actor, at=timezone.now())


@pytest.fixture
def draft(technologies: SensitivityList, lin: Person) -> ListVersion:
    """Version 1, a draft by Lin."""
    return drafted(technologies, TREE, by=lin.actor, at=timezone.now())


@pytest.fixture
def in_force(draft: ListVersion, lin: Person, pan: Person) -> ListVersion:
    """Version 1, published by Pan today."""
    return published(draft, author=lin.actor, publisher=pan.actor, at=timezone.now())


@pytest.fixture
def second(in_force: ListVersion, lin: Person) -> ListVersion:
    """Version 2, a draft by Lin with one more entry."""
    more = entry_values("cs.CR", 3, parent="cs", label_en="Cryptography")
    return drafted(in_force.list, [more], by=lin.actor, at=timezone.now())


def at(version: ListVersion, name: str = "list_version", *more: Any) -> str:
    return reverse(name, args=[version.list_id, version.number, *more])


def do(version: ListVersion, verb: str) -> str:
    return at(version, "list_version_do", verb)


def entry_at(version: ListVersion, code: str) -> str:
    return at(version, "list_entry", entry_of(version, code).lineage)


def now(version: ListVersion) -> ListVersion:
    return ListVersion.objects.select_related("list").get(pk=version.pk)


def typed(entry: ListEntry, **values: Any) -> dict[str, Any]:
    """What the browser sends when somebody opened the form of `entry` and typed `values`."""
    said = drafting.values_of(entry)
    form = {name: said[name] for name in ("code", "parent", "label_zh", "label_en", "level", "reason_zh", "reason_en")}
    form |= {name: said[name] or "" for name in ("valid_from", "valid_until")}
    form |= {"aliases": "\n".join(said["aliases"]), "edit": entry.edit, "began": json.dumps(said)}
    return form | values


# ── who sees what ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def strangers() -> list[Person]:
    company, office = CompanyFactory.create(), OfficeFactory.create()
    alice = employ("Alice Wang", company).user
    assert alice
    users = [alice, officer_of(company), *(posted(office, role, f"100{index}") for index, role in enumerate(OFFICE))]
    return [person(user) for user in [*users, with_role(Role.ADMINISTRATOR)]]


OFFICE = (Role.REVIEWER, Role.SENIOR, Role.HEAD, Role.APPEAL_REVIEWER)


def every_page(version: ListVersion) -> list[str]:
    of = [version.list_id]
    return [
        reverse("lists"),
        reverse("list_new"),
        reverse("list", args=of),
        reverse("list_settings", args=of),
        at(version),
        at(version, "list_entry_new"),
        entry_at(version, "cs"),
        reverse("list_diff", args=[*of, 0, version.number]),
        *(do(version, verb) for verb in ("submit_for_review", "send_back", "publish", "renew", "discard")),
    ]


def test_whoever_keeps_no_lists_and_does_not_audit_finds_nothing(draft: ListVersion, strangers: list[Person]) -> None:
    with nothing_moved():
        for stranger in strangers:
            for path in every_page(draft):
                assert stranger.client.get(path).status_code == 404, (stranger.user.name, path)
                assert stranger.client.post(path, {"note": "x"}).status_code in (404, 405), (stranger.user.name, path)
            assert b'"/lists/"' not in stranger.client.get("/").content
    for path in every_page(draft):
        assert Client().get(path).status_code == 302


def test_an_auditor_reads_everything_and_changes_nothing(draft: ListVersion, udo: Person) -> None:
    told = {path: udo.client.get(path).status_code for path in every_page(draft)}
    writes = [reverse("list_new"), reverse("list_settings", args=[draft.list_id]), at(draft, "list_entry_new")]
    own = [do(draft, verb) for verb in ("submit_for_review", "discard")]
    assert {path for path, status in told.items() if status == 403} == {*writes, *own}
    assert {status for path, status in told.items() if path not in {*writes, *own}} == {200, 409}
    entry = entry_of(draft, "cs")
    with nothing_moved():
        for path in every_page(draft):
            assert udo.client.post(path, typed(entry)).status_code in (403, 405, 409), path
        assert udo.client.post(entry_at(draft, "cs"), {"remove": "1", "edit": "0"}).status_code == 403
    assert now(draft).content == draft.content
    page = udo.client.get(at(draft)).content.decode()
    assert "entries/new" not in page
    assert '<form method="post"' not in page.partition("<main")[2]


def test_somebody_whose_role_has_ended_finds_nothing(draft: ListVersion, lin: Person) -> None:
    RoleAssignment.objects.filter(user=lin.user).update(ends_at=timezone.now() - timedelta(minutes=1))
    assert lin.client.get(at(draft)).status_code == 404


def test_numbers_of_another_list_are_not_there(draft: ListVersion, lin: Person) -> None:
    other = sensitivity_list(ListKind.EVENT, owner=lin.actor, at=timezone.now())
    lineage = entry_of(draft, "cs").lineage
    for path in (
        reverse("list_version", args=[other.pk, 1]),
        reverse("list_version", args=[draft.list_id, 7]),
        reverse("list_entry", args=[draft.list_id, 1, "00000000-0000-7000-8000-000000000000"]),
        reverse("list_entry", args=[other.pk, 1, lineage]),
        reverse("list_diff", args=[draft.list_id, 0, 7]),
        reverse("list_diff", args=[draft.list_id, 7, 1]),
        at(draft, "list_version_do", "supersede"),
        at(draft, "list_version_do", "delete"),
    ):
        assert lin.client.get(path).status_code == 404, path


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_lists_yet_says_what_will_be_here(lin: Person, udo: Person) -> None:
    assert "No lists yet" in lin.sees("/lists/")
    assert "New list" in lin.sees("/lists/")
    assert "New list" not in udo.sees("/lists/")


def test_the_list_of_lists_says_what_holds_and_whose_turn_it_is(second: ListVersion, lin: Person, pan: Person) -> None:
    mine = lin.sees("/lists/")
    assert "List of technologies" in mine
    assert "Version 1 until" in mine
    assert "Version 2 Draft Your draft" in mine
    assert "Being written by Lin Author" in pan.sees("/lists/")
    publishing.submit_for_review(second.pk, actor=lin.actor, at=timezone.now())
    assert "Waits for another list manager" in lin.sees("/lists/")
    assert "Waits for a list manager who wrote nothing of it" in pan.sees("/lists/")


def test_a_list_whose_version_ends_soon_or_has_ended_is_said_on_top(technologies: SensitivityList, lin: Person) -> None:
    assert "nothing of it counts" in lin.sees("/lists/")


def published_until(days: int, lin: Person, pan: Person, of: SensitivityList) -> ListVersion:
    """A version whose end is `days` from today."""
    then = timezone.now() - timedelta(days=300)
    version = drafted(of, TREE, by=lin.actor, at=then)
    publishing.submit_for_review(version.pk, actor=lin.actor, at=then)
    rehearsed(version, by=lin.actor, at=then)
    end = publishing.today(timezone.now()) + timedelta(days=days)
    first = publishing.today(then)
    return publishing.publish(version.pk, actor=pan.actor, at=then, on=first, until=end)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (61, ["In force until"]),
        (60, ["Ends soon", "in 60 days", "These lists need somebody"]),
        (0, ["Ended", "does not count any more", "These lists need somebody"]),
    ],
)
def test_how_long_a_version_counts(
    days: int, said: list[str], technologies: SensitivityList, lin: Person, pan: Person
) -> None:
    version = published_until(days, lin, pan, technologies)
    everywhere = lin.sees("/lists/") + lin.sees(at(version))
    for sentence in said:
        assert sentence in everywhere
    assert ("These lists need somebody" in everywhere) == (days <= 60)


def list_form(lin: Person, pan: Person, **values: Any) -> dict[str, Any]:
    basis = instrument()
    return {
        "kind": "event",
        "name_zh": "活动",
        "name_en": "Events",
        "owner": lin.user.pk,
        "legal_basis": basis.pk,
        "confidentiality_basis": basis.pk,
        "confidentiality_reviewed_by": pan.user.pk,
        "confidentiality_reviewed_on": (timezone.localdate() - timedelta(days=1)).isoformat(),
    } | values


def test_a_list_is_founded(lin: Person, pan: Person) -> None:
    answer = lin.client.post("/lists/new/", list_form(lin, pan))
    made = SensitivityList.objects.get()
    assert answer["Location"] == reverse("list", args=[made.pk])
    assert (made.kind, made.owner, made.is_confidential) == ("event", lin.user, False)
    # Nothing is kept of a confidentiality that it does not have.
    assert (made.confidentiality_basis, made.confidentiality_reviewed_by) == (None, None)
    page = lin.sees(reverse("list", args=[made.pk]))
    assert "The list was founded." in page
    assert "Measures on sensitivity lists, Article 9" in page
    assert "No versions yet" in page


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"kind": "person"}, "kind", "not one of the available choices"),
        ({"name_zh": ""}, "name_zh", "Enter the name in Chinese."),
        ({"is_confidential": "on", "confidentiality_basis": ""}, "confidentiality_basis", "needs this"),
        ({"is_confidential": "on", "confidentiality_reviewed_by": ""}, "confidentiality_reviewed_by", "needs this"),
        ({"is_confidential": "on", "confidentiality_reviewed_on": ""}, "confidentiality_reviewed_on", "needs this"),
        ({"is_confidential": "on", "confidentiality_reviewed_by": "lin"}, "confidentiality_reviewed_by", "owner"),
        ({"is_confidential": "on", "confidentiality_reviewed_on": "2099-01-01"}, "confidentiality_reviewed_on", "come"),
        ({"owner": "alice"}, "owner", "not one of the available choices"),
        ({"legal_basis": "unpublished"}, "legal_basis", "not one of the available choices"),
        ({"legal_basis": "over"}, "legal_basis", "not one of the available choices"),
    ],
)
def test_what_a_list_cannot_be(lin: Person, pan: Person, values: dict[str, Any], field: str, sentence: str) -> None:
    long_ago = timezone.localdate() - timedelta(days=400)
    known = {
        "lin": lin.user.pk,
        "alice": employ("Alice Wang", CompanyFactory.create()).user.pk,  # type: ignore[union-attr]
        "unpublished": instrument(published_on=None).pk,
        "over": instrument(effective_until=long_ago).pk,
    }
    values = {name: known.get(value, value) for name, value in values.items()}
    entered = list_form(lin, pan, **values)
    with nothing_moved():
        answer = lin.client.post("/lists/new/", entered)
    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["form"].errors[field])
    assert SensitivityList.objects.count() == 0
    assert 'value="Events"' in answer.content.decode()


def test_what_a_list_says_of_itself_is_changed_and_its_kind_is_not(
    technologies: SensitivityList, lin: Person, pan: Person
) -> None:
    path = reverse("list_settings", args=[technologies.pk])
    assert "What it holds" not in lin.sees(path)
    form = list_form(lin, pan, name_en="Key technologies", is_confidential="on")
    assert lin.client.post(path, form).status_code == 302
    row = SensitivityList.objects.get()
    assert (row.kind, row.name_en, row.is_confidential) == (ListKind.TECHNOLOGY, "Key technologies", True)
    page = lin.sees(reverse("list", args=[row.pk]))
    assert "What the list says of itself was changed." in page
    assert "Pan Publisher" in page
    assert "Confidential" in lin.sees("/lists/")


def test_saving_what_was_there_already_leaves_no_trace(technologies: SensitivityList, lin: Person, pan: Person) -> None:
    form = list_form(lin, pan, name_zh=technologies.name_zh, name_en=technologies.name_en)
    form["legal_basis"] = technologies.legal_basis_id
    with nothing_moved():
        assert lin.client.post(reverse("list_settings", args=[technologies.pk]), form).status_code == 302


def test_a_draft_is_begun_once(in_force: ListVersion, lin: Person, pan: Person) -> None:
    here = reverse("list", args=[in_force.list_id])
    answer = pan.client.post(here, {"note": "A year on"})
    made = ListVersion.objects.get(number=2)
    assert answer["Location"] == at(made)
    assert (made.author, made.note, made.entries.count()) == (pan.user, "A year on", 4)
    assert "Begin a draft" not in lin.sees(here)
    again = lin.client.post(here, {})
    assert "There is a draft of this list already" in words(again)
    assert ListVersion.objects.count() == 2


def test_the_history_of_a_list_goes_back_page_by_page(technologies: SensitivityList, lin: Person) -> None:
    for number in range(35):
        publishing.settle(technologies.pk, actor=lin.actor, at=timezone.now(), values={"name_en": f"Name {number}"})
    here = reverse("list", args=[technologies.pk])
    first = lin.client.get(here)
    assert words(first).count("was changed") == 30
    assert "The list was founded" not in words(first)
    older = lin.client.get(here + first.context["older_url"].partition("#")[0])
    assert words(older).count("was changed") == 5
    assert "The list was founded" in words(older)


# ── a version ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_technologies_are_a_tree_and_each_branch_says_what_covers_it(draft: ListVersion, lin: Person) -> None:
    page = lin.client.get(at(draft))
    roots = page.context["trees"]
    assert [(node.entry.code, node.size) for node in roots] == [("cs", 2), ("stat", 0)]
    below = roots[0].below[0]
    assert (below.entry.code, below.covered_by, below.below[0].covered_by.code) == ("cs.AI", None, "cs.AI")
    text = words(page)
    assert "cs.AI.LLM Large language models Level 1 level 2 by cs.AI" in text
    assert "stat stat Level 1 Expired" in text
    assert page.content.decode().count("<details open>") == 2


def test_a_tree_that_is_broken_or_goes_round_shows_every_entry(draft: ListVersion, lin: Person) -> None:
    ListEntry.objects.filter(version=draft, code="cs").update(parent="cs.AI.LLM")
    ListEntry.objects.filter(version=draft, code="stat").update(parent="gone")
    text = lin.sees(at(draft))
    for code in ("cs.AI.LLM", "cs.AI", "cs", "stat"):
        assert f"{code} " in text
    assert "4 entries" in text


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("q=LANGUAGE", ["cs.AI.LLM"]),
        ("q=人工", ["cs.AI"]),
        ("q=deep+learn", ["cs.AI"]),
        ("q=cs.ai", ["cs.AI", "cs.AI.LLM"]),
        ("q=%25", []),
        ("level=2", ["cs.AI"]),
        ("validity=expired", ["stat"]),
        ("validity=valid", ["cs", "cs.AI", "cs.AI.LLM"]),
        ("validity=later", []),
        ("level=1&validity=valid&q=large", ["cs.AI.LLM"]),
        ("level=nine", ["cs", "cs.AI", "cs.AI.LLM", "stat"]),
        ("after=nonsense", ["cs", "cs.AI", "cs.AI.LLM", "stat"]),
        ("after=99999999999999999999999,a", []),
    ],
)
def test_entries_are_found(draft: ListVersion, lin: Person, query: str, codes: list[str]) -> None:
    page = lin.client.get(f"{at(draft)}?view=table&{query}")
    assert [entry.code for entry in page.context["entries"]] == codes


def test_a_former_code_is_found(draft: ListVersion, lin: Person) -> None:
    entry = entry_of(draft, "stat")
    drafting.change(draft.pk, entry.lineage, actor=lin.actor, at=timezone.now(), edit=0, values={"code": "statistics"})
    page = lin.client.get(f"{at(draft)}?q=stat")
    assert [found.code for found in page.context["entries"]] == ["statistics"]
    assert "Former codes stat" in lin.sees(entry_at(draft, "statistics"))


def test_many_entries_come_page_by_page_each_once(technologies: SensitivityList, lin: Person) -> None:
    codes = [f"t{number:03}" for number in range(120)]
    version = drafted(technologies, [], by=lin.actor, at=timezone.now())
    fill(version, codes)
    path, seen = f"{at(version)}?view=table&level=1", []
    while path:
        page = lin.client.get(path)
        seen += [entry.code for entry in page.context["entries"]]
        assert len(page.context["entries"]) <= 50
        path = at(version) + page.context["next_url"] if page.context["next_url"] else ""
    assert seen == codes


def test_projects_of_two_companies_come_page_by_page_each_once(lin: Person) -> None:
    of = sensitivity_list(ListKind.PROJECT, owner=lin.actor, at=timezone.now())
    version = drafted(of, [], by=lin.actor, at=timezone.now())
    companies = [CompanyFactory.create(name_en="Beichen Intelligence"), CompanyFactory.create(name_en="Nanhai Models")]
    for company in companies:
        fill(version, [f"p{number:02}" for number in range(40)], company=company)
    first = lin.client.get(at(version))
    then = lin.client.get(at(version) + first.context["next_url"])
    seen = [(entry.company_id, entry.code) for page in (first, then) for entry in page.context["entries"]]
    assert len(seen) == len(set(seen)) == 80
    assert seen == sorted(seen)
    assert "Nanhai Models" in words(then)


def fill(version: ListVersion, codes: list[str], **values: Any) -> None:
    """Entries of a draft, many at once."""
    ListEntry.objects.bulk_create(
        ListEntry(version=version, path=[code], **(entry_values(code) | values)) for code in codes
    )


def test_a_tree_too_large_to_read_is_a_table(
    technologies: SensitivityList, lin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensitivity.browsing.TREE_UP_TO", 3)
    monkeypatch.setattr("sensitivity.browsing.COUNT_UP_TO", 2)
    monkeypatch.setattr("sensitivity.views.versions.PAGE", 3)
    version = drafted(technologies, TREE, by=lin.actor, at=timezone.now())
    page = lin.client.get(at(version))
    assert "too many entries to be shown at once" in words(page)
    assert "More than 2 entries" in words(page)
    assert [entry.code for entry in page.context["entries"]] == ["cs", "cs.AI", "cs.AI.LLM"]


def test_what_is_in_review_shows_first_what_is_new(second: ListVersion, lin: Person, pan: Person) -> None:
    assert "Computer science" in lin.sees(at(second))
    publishing.submit_for_review(second.pk, actor=lin.actor, at=timezone.now())
    page = pan.sees(at(second))
    assert "cs.CR Cryptography New" in page
    assert "Computer science" not in page
    assert "What is new since version 1" in page


# ── who may publish, and why not you ────────────────────────────────────────────────────────────────────────────────


def test_who_may_publish_and_why_not_you(second: ListVersion, lin: Person, pan: Person, udo: Person) -> None:
    assert "Not you: Who wrote any of it cannot publish or renew it" in lin.sees(at(second))
    assert "You, once it is handed over" in pan.sees(at(second))
    assert "Pan Publisher" in lin.sees(at(second))
    assert "Not you: Only a list manager can do this." in udo.sees(at(second))
    publishing.submit_for_review(second.pk, actor=lin.actor, at=timezone.now())
    assert "Not now by you: Rehearse this draft first" in pan.sees(at(second))
    rehearsed(second, by=lin.actor, at=timezone.now())
    assert "Who may publish it You." in pan.sees(at(second))
    assert "Not now by you: Who wrote any of it" in lin.sees(at(second))
    assert "Publish" in pan.sees(at(second)).split("What you can do")[1][:20]


def test_an_editor_is_no_publisher_any_more(second: ListVersion, lin: Person, pan: Person) -> None:
    drafting.add(second.pk, actor=pan.actor, at=timezone.now(), values=entry_values("econ"))
    page = pan.sees(at(second))
    assert "Not you" in page
    assert "There is no other list manager who wrote nothing of it" in page


def test_a_rehearsal_counts_for_what_was_rehearsed(second: ListVersion, lin: Person) -> None:
    assert "Not rehearsed" in lin.sees(at(second))
    rehearsed(second, by=lin.actor, at=timezone.now())
    assert "Not rehearsed" not in lin.sees(at(second))
    drafting.add(second.pk, actor=lin.actor, at=timezone.now(), values=entry_values("econ"))
    assert "Not rehearsed" in lin.sees(at(second))


# ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────────

NEW = {
    "code": "cs.CV",
    "label_zh": "视觉",
    "label_en": "Vision",
    "parent": "cs",
    "aliases": "CV\n\n computer vision \nCV",
    "level": "2",
    "reason_zh": "需要评估。",
    "reason_en": "Needs a look.",
    "valid_from": "2026-01-01",
    "valid_until": "",
}


def test_an_entry_is_added(draft: ListVersion, lin: Person) -> None:
    answer = lin.client.post(at(draft, "list_entry_new"), NEW)
    entry = entry_of(draft, "cs.CV")
    assert answer["Location"] == entry_at(draft, "cs.CV")
    assert (entry.path, entry.aliases, entry.level) == (["cs", "cs.CV"], ["CV", "computer vision"], 2)
    assert "Added to version 1" in lin.sees(entry_at(draft, "cs.CV"))
    another = lin.client.post(at(draft, "list_entry_new"), NEW | {"code": "cs.RO", "another": "1"})
    assert another["Location"] == at(draft, "list_entry_new") + "?parent=cs"
    assert 'value="cs"' in lin.client.get(another["Location"]).content.decode()


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"code": "cs.AI"}, "code", "Another entry of this version has this code"),
        ({"code": "two words"}, "code", "no spaces"),
        ({"parent": "nowhere"}, "parent", "no entry with this code"),
        ({"level": "4"}, "level", "not one of the available choices"),
        ({"reason_en": ""}, "reason_en", "both languages"),
        ({"valid_until": "2025-01-01"}, "valid_until", "before the first"),
        ({"valid_until": "soon"}, "valid_until", "valid date"),
        ({"aliases": "\n".join(str(number) for number in range(41))}, "aliases", "at most 40"),
        ({"label_en": "11010519491231002X"}, "__all__", "never persons"),
    ],
)
def test_what_an_entry_cannot_say_is_said_at_its_field_and_what_was_typed_stays(
    draft: ListVersion, lin: Person, values: dict[str, str], field: str, sentence: str
) -> None:
    answer = lin.client.post(at(draft, "list_entry_new"), NEW | values)
    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["form"].errors[field])
    assert "computer vision" in answer.content.decode() or "aliases" in values
    assert now(draft).content == draft.content


@pytest.mark.parametrize(
    ("kind", "has"),
    [
        (ListKind.TECHNOLOGY, {"parent"}),
        (ListKind.DESTINATION, set()),
        (ListKind.ORGANISATION, {"country"}),
        (ListKind.PROJECT, {"company_id"}),
        (ListKind.EVENT, {"country"}),
    ],
)
def test_each_kind_has_its_fields(kind: ListKind, has: set[str], lin: Person) -> None:
    of = sensitivity_list(kind, owner=lin.actor, at=timezone.now())
    version = drafted(of, [], by=lin.actor, at=timezone.now())
    fields = set(lin.client.get(at(version, "list_entry_new")).context["form"].fields)
    always = {"code", "label_zh", "label_en", "aliases", "level", "reason_zh", "reason_en", "valid_from", "valid_until"}
    assert fields == always | has | {"edit", "began"}


def test_an_organisation_with_a_country_and_a_project_of_a_company(lin: Person) -> None:
    company = CompanyFactory.create()
    plain = {name: value for name, value in NEW.items() if name != "parent"}
    for kind, more in ((ListKind.ORGANISATION, {"country": "BR"}), (ListKind.PROJECT, {"company_id": company.pk})):
        version = drafted(
            sensitivity_list(kind, owner=lin.actor, at=timezone.now()), [], by=lin.actor, at=timezone.now()
        )
        assert lin.client.post(at(version, "list_entry_new"), plain | more).status_code == 302, kind
    assert ListEntry.objects.get(version__list__kind=ListKind.ORGANISATION).country.code == "BR"
    assert ListEntry.objects.get(version__list__kind=ListKind.PROJECT).company == company
    missing = lin.client.post(at(version, "list_entry_new"), plain | {"code": "other", "company_id": ""})
    assert missing.context["form"].errors["company_id"]


def test_an_entry_is_changed_and_its_history_says_what(second: ListVersion, in_force: ListVersion, lin: Person) -> None:
    entry = entry_of(second, "cs.AI")
    answer = lin.client.post(entry_at(second, "cs.AI"), typed(entry, code="cs.ML", level="3", aliases="ML"))
    assert answer["Location"] == entry_at(second, "cs.ML")
    assert entry_of(second, "cs.AI.LLM").parent == "cs.ML"
    page = lin.sees(entry_at(second, "cs.ML"))
    assert "Changed in version 2" in page
    assert "Level removed: 2 added: 3" in page
    assert "Former codes cs.AI" in page
    # The published version has it as it was, under the same lineage.
    assert "Level 2" in lin.sees(entry_at(in_force, "cs.AI"))


def test_saving_without_a_difference_changes_nothing(second: ListVersion, lin: Person) -> None:
    entry = entry_of(second, "cs.AI")
    answer = lin.client.post(entry_at(second, "cs.AI"), typed(entry), follow=True)
    assert "Nothing was different." in words(answer)
    assert now(second).content == second.content


def test_an_entry_is_removed_after_being_asked(second: ListVersion, in_force: ListVersion, lin: Person) -> None:
    path = entry_at(second, "stat")
    page = lin.client.get(f"{path}?remove=1")
    assert "What will happen" in words(page)
    assert second.entries.filter(code="stat").exists()
    lin.client.post(path, {"remove": "1", "edit": "0"})
    assert not second.entries.filter(code="stat").exists()
    gone = lin.sees(path)
    assert "Not part of this version" in gone
    assert "Removed from version 2" in gone
    assert in_force.entries.filter(code="stat").exists()


def test_an_entry_with_others_below_it_is_not_removed(second: ListVersion, lin: Person) -> None:
    answer = lin.client.post(entry_at(second, "cs"), {"remove": "1", "edit": "0"})
    assert (answer.status_code, second.entries.filter(code="cs").count()) == (422, 1)
    assert "Other entries are part of this one" in words(answer)


def test_what_is_published_or_in_review_is_read_only(second: ListVersion, in_force: ListVersion, lin: Person) -> None:
    publishing.submit_for_review(second.pk, actor=lin.actor, at=timezone.now())
    for version in (in_force, second):
        entry = entry_of(version, "cs.AI")
        page = lin.client.get(entry_at(version, "cs.AI"))
        assert page.context["form"] is None
        assert "What it says" in words(page)
        for path, sent in (
            (entry_at(version, "cs.AI"), typed(entry, label_en="Sneaked in")),
            (entry_at(version, "cs.AI"), {"remove": "1", "edit": "0"}),
            (at(version, "list_entry_new"), NEW | {"label_en": "Sneaked in"}),
        ):
            with nothing_moved():
                answer = lin.client.post(path, sent)
            assert answer.status_code == 409
            assert "not a draft any more" in words(answer)
            assert "remove" in sent or "Sneaked in" in words(answer)  # what was typed is not lost
    assert not ListEntry.objects.filter(label_en="Sneaked in").exists()


# ── two people at once ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def both(second: ListVersion, lin: Person, pan: Person) -> ListEntry:
    """Lin and Pan opened cs.AI; Pan saved another level and another Chinese label."""
    seen = entry_of(second, "cs.AI")
    answer = pan.client.post(entry_at(second, "cs.AI"), typed(seen, level="3", label_zh="智能"))
    assert answer.status_code == 302
    return seen


def stands(answer: Any) -> dict[str, tuple[str, str, str]]:
    """The rows of the comparison: field → when I began, saved meanwhile, typed."""
    return {row.label: (row.began, row.now, row.typed) for row in answer.context["differences"]}


def test_the_second_to_save_sees_all_three_and_loses_nothing(both: ListEntry, second: ListVersion, lin: Person) -> None:
    mine = typed(both, level="1", label_en="Machine intelligence")
    answer = lin.client.post(entry_at(second, "cs.AI"), mine)
    assert answer.status_code == 409
    assert entry_of(second, "cs.AI").level == 3  # nothing of mine was saved yet
    assert stands(answer) == {
        "Label in Chinese": ("人工智能", "智能", "人工智能"),
        "Label in English": ("cs.AI", "cs.AI", "Machine intelligence"),
        "Level": ("2", "3", "1"),
    }
    text = words(answer)
    assert "Saved by Pan Publisher" in text
    assert "Both changed it: yours is in the form" in text
    assert "Theirs is in the form" in text
    form = answer.context["form"]
    assert {name: form[name].value() for name in ("label_zh", "label_en", "level", "edit")} == {
        "label_zh": "智能",
        "label_en": "Machine intelligence",
        "level": 1,
        "edit": 1,
    }


def test_saving_again_on_top_keeps_what_the_other_one_changed(
    both: ListEntry, second: ListVersion, lin: Person
) -> None:
    mine = typed(both, label_en="Machine intelligence")
    form = lin.client.post(entry_at(second, "cs.AI"), mine).context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent |= {"aliases": "\n".join(sent["aliases"])}
    sent |= {name: sent[name] or "" for name in ("valid_from", "valid_until")}
    assert lin.client.post(entry_at(second, "cs.AI"), sent).status_code == 302
    entry = entry_of(second, "cs.AI")
    assert (entry.label_en, entry.label_zh, entry.level, entry.edit) == ("Machine intelligence", "智能", 3, 2)


def test_a_third_change_meanwhile_is_shown_too(both: ListEntry, second: ListVersion, lin: Person, pan: Person) -> None:
    form = lin.client.post(entry_at(second, "cs.AI"), typed(both, level="1")).context["form"]
    seen = entry_of(second, "cs.AI")
    pan.client.post(entry_at(second, "cs.AI"), typed(seen, level="2"))
    again = typed(seen, level="1", edit=form["edit"].value(), began=form["began"].value())
    answer = lin.client.post(entry_at(second, "cs.AI"), again)
    assert (answer.status_code, stands(answer)) == (409, {"Level": ("3", "2", "1")})


def test_what_both_wrote_the_same_is_no_conflict_of_theirs(both: ListEntry, second: ListVersion, lin: Person) -> None:
    answer = lin.client.post(entry_at(second, "cs.AI"), typed(both, level="3"))
    assert "Both wrote the same" in words(answer)


def test_somebody_removed_what_i_was_writing(second: ListVersion, lin: Person, pan: Person) -> None:
    path, seen = entry_at(second, "stat"), entry_of(second, "stat")
    pan.client.post(path, {"remove": "1", "edit": "0"})
    answer = lin.client.post(path, typed(seen, label_en="Statistics"))
    assert answer.status_code == 409
    assert "Removed by Pan Publisher" in words(answer)
    assert "Save as a new entry" in words(answer)
    assert at(second, "list_entry_new") in answer.content.decode()
    assert answer.context["form"]["label_en"].value() == "Statistics"


def test_what_somebody_changed_is_not_removed_unseen(both: ListEntry, second: ListVersion, lin: Person) -> None:
    leaf = entry_of(second, "stat")
    drafting.change(second.pk, leaf.lineage, actor=lin.actor, at=timezone.now(), edit=0, values={"level": 3})
    answer = lin.client.post(entry_at(second, "stat"), {"remove": "1", "edit": "0"})
    assert (answer.status_code, second.entries.filter(code="stat").count()) == (409, 1)
    assert "Somebody changed this entry meanwhile" in words(answer)
    assert 'name="edit" value="1"' in answer.content.decode()


@pytest.mark.parametrize("began", ["", "[]", "null", '{"level": {"a": 1}, "code": 7, "company_id": "x"}', "1"])
def test_a_form_that_says_nothing_sensible_of_its_beginning_is_answered_all_the_same(
    both: ListEntry, second: ListVersion, lin: Person, began: str
) -> None:
    answer = lin.client.post(entry_at(second, "cs.AI"), typed(both, level="1", began=began))
    assert answer.status_code == 409
    assert answer.context["form"]["level"].value() == 1


@pytest.mark.parametrize("edit", ["", "-1", "seven", "99999999999999999999"])
def test_without_saying_which_edit_was_seen_nothing_is_saved(second: ListVersion, lin: Person, edit: str) -> None:
    seen = entry_of(second, "stat")
    answer = lin.client.post(entry_at(second, "stat"), typed(seen, level="3", edit=edit))
    assert answer.status_code in (409, 422)
    assert lin.client.post(entry_at(second, "stat"), {"remove": "1", "edit": edit}).status_code == 409
    assert entry_of(second, "stat").level == 1


# ── what is different ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_difference_of_two_versions_field_by_field(second: ListVersion, lin: Person) -> None:
    entry = entry_of(second, "cs.AI")
    lin.client.post(entry_at(second, "cs.AI"), typed(entry, code="cs.ML", level="3"))
    here = reverse("list_diff", args=[second.list_id, 1, 2])
    page = lin.client.get(here)
    assert [(tab["label"], tab["count"]) for tab in page.context["kinds"]] == [
        ("All", 3),
        ("New", 1),
        ("Removed", 0),
        ("Changed", 1),
        ("Renamed", 1),
    ]
    text = words(page)
    assert "From version 1 to version 2" in text
    assert "Level removed: 2 added: 3" in text
    assert [row.change.code for row in lin.client.get(f"{here}?kind=new").context["changes"]] == ["cs.CR"]
    assert [row.change.code for row in lin.client.get(f"{here}?q=crypto").context["changes"]] == ["cs.CR"]
    assert "No such change" in lin.sees(f"{here}?q=nothing+like+it")
    assert "Nothing is different" in lin.sees(reverse("list_diff", args=[second.list_id, 2, 2]))


def test_other_two_versions_can_be_chosen(second: ListVersion, lin: Person) -> None:
    here = reverse("list_diff", args=[second.list_id, 1, 2])
    answer = lin.client.get(f"{here}?old=0&new=1")
    assert answer["Location"] == reverse("list_diff", args=[second.list_id, 0, 1])
    assert "All of version 1" in lin.sees(answer["Location"])
    assert lin.client.get(f"{here}?old=9&new=1").status_code == 200


def test_many_changes_come_page_by_page(in_force: ListVersion, lin: Person) -> None:
    version = publishing.draft(in_force.list_id, actor=lin.actor, at=timezone.now())
    codes = [f"t{number:03}" for number in range(70)]
    fill(version, codes)
    here = reverse("list_diff", args=[version.list_id, 1, 2])
    first = lin.client.get(here)
    then = lin.client.get(here + first.context["next_url"])
    assert [row.change.code for page in (first, then) for row in page.context["changes"]] == codes
    assert then.context["next_url"] == ""
    assert lin.client.get(f"{here}?after=nonsense,t010").context["changes"][0].change.code == "t000"


# ── verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_from_a_draft_to_a_version_in_force(
    second: ListVersion, in_force: ListVersion, lin: Person, pan: Person
) -> None:
    lin.client.post(do(second, "submit_for_review"))
    assert now(second).state == VersionState.IN_REVIEW
    assert lin.client.post(do(second, "send_back"), {"why": "Add the reason."}).status_code == 302
    assert "Add the reason." in pan.sees(at(second))
    lin.client.post(do(second, "submit_for_review"))
    rehearsed(second, by=lin.actor, at=timezone.now())
    first = publishing.today(timezone.now()) + timedelta(days=3)
    page = pan.client.get(do(second, "publish"))
    sent = {"on": first.isoformat(), "until": "", "seen": page.context["seen"]}
    asked = pan.client.post(do(second, "publish"), sent)
    assert (asked.status_code, now(second).state) == (200, VersionState.IN_REVIEW)
    assert "You changed the days" in words(asked)
    assert "Version 1 holds until then and is superseded" in words(asked)
    done = pan.client.post(do(second, "publish"), sent | {"seen": asked.context["seen"]})
    assert done["Location"] == at(second)
    assert now(second).published_from == first
    assert now(second).published_until == publishing.last_end(first)
    assert (now(in_force).state, now(in_force).published_until) == (VersionState.SUPERSEDED, first)


def test_publishing_says_what_happens_before_it_does(second: ListVersion, lin: Person, pan: Person) -> None:
    publishing.submit_for_review(second.pk, actor=lin.actor, at=timezone.now())
    rehearsed(second, by=lin.actor, at=timezone.now())
    page = pan.sees(do(second, "publish"))
    assert "Requests that were submitted before that day do not change" in page
    assert "unless it is renewed" in page
    with nothing_moved():
        assert pan.client.post(do(second, "publish"), {"on": "", "until": ""}).status_code == 422


@pytest.mark.parametrize(
    ("days", "until", "field"), [(-1, None, "on"), (1, 1, "until"), (1, 400, "until"), (0, None, "on")]
)
def test_days_on_which_it_cannot_be_published(
    days: int, until: int | None, field: str, second: ListVersion, lin: Person, pan: Person
) -> None:
    """Also not on the day on which another version began that is published already."""
    publishing.submit_for_review(second.pk, actor=lin.actor, at=timezone.now())
    rehearsed(second, by=lin.actor, at=timezone.now())
    day = publishing.today(timezone.now())
    on, end = day + timedelta(days=days), day + timedelta(days=until) if until else None
    seen = f"{on.isoformat()}/{(end or publishing.last_end(on)).isoformat()}"
    with nothing_moved():
        answer = pan.client.post(do(second, "publish"), {"on": on, "until": end or "", "seen": seen})
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert on.isoformat() in answer.content.decode()


def test_a_version_is_renewed_with_a_reason(in_force: ListVersion, lin: Person, pan: Person) -> None:
    version = in_force
    later = {"until": (now(version).published_until or timezone.localdate()) - timedelta(days=1), "reason": "Still so."}
    assert "Renew" in pan.sees(at(version))
    assert lin.client.post(do(version, "renew"), later).status_code == 403
    answer = pan.client.post(do(version, "renew"), later)
    assert answer.context["form"].errors["until"]
    assert "Still so." in answer.content.decode()


def test_a_renewal_lengthens_it(technologies: SensitivityList, lin: Person, pan: Person) -> None:
    version = published_until(20, lin, pan, technologies)
    until = publishing.today(timezone.now()) + timedelta(days=200)
    assert pan.client.post(do(version, "renew"), {"until": until, "reason": ""}).status_code == 422
    assert pan.client.post(do(version, "renew"), {"until": until, "reason": "Still so."}).status_code == 302
    assert now(version).published_until == until
    assert "was renewed until" in pan.sees(reverse("list", args=[version.list_id]))


def test_a_draft_is_discarded(second: ListVersion, lin: Person) -> None:
    assert "This cannot be undone" in lin.sees(do(second, "discard"))
    answer = lin.client.post(do(second, "discard"), follow=True)
    assert not ListVersion.objects.filter(pk=second.pk).exists()
    assert "The draft of version 2 was discarded." in words(answer)


@pytest.mark.parametrize(
    ("state", "who", "verb", "status", "sentence"),
    [
        ("draft", "lin", "publish", 409, "the version is in the state “Draft”"),
        ("draft", "lin", "send_back", 409, "the version is in the state “Draft”"),
        ("draft", "lin", "renew", 409, "Only the newest published version"),
        ("draft", "pan", "renew", 409, "Only the newest published version"),
        ("review", "lin", "publish", 403, "Who wrote any of it"),
        ("review", "pan", "publish", 409, "Rehearse this draft first"),
        ("review", "lin", "submit_for_review", 409, "the version is in the state “In review”"),
        ("review", "lin", "discard", 409, "Only a draft can be discarded."),
        ("published", "pan", "discard", 409, "Only a draft can be discarded."),
        ("published", "lin", "renew", 403, "Who wrote any of it"),
        ("published", "lin", "send_back", 409, "the version is in the state “Published”"),
        ("draft", "udo", "discard", 403, "Only a list manager"),
        ("review", "udo", "send_back", 403, "Only a list manager"),
    ],
)
def test_every_refusal_is_a_sentence_and_nothing_moves(
    state: str,
    who: str,
    verb: str,
    status: int,
    sentence: str,
    in_force: ListVersion,
    second: ListVersion,
    lin: Person,
    pan: Person,
    udo: Person,
) -> None:
    version = in_force if state == "published" else second
    if state == "review":
        publishing.submit_for_review(version.pk, actor=lin.actor, at=timezone.now())
    somebody = {"lin": lin, "pan": pan, "udo": udo}[who]
    before = ListVersion.objects.values().get(pk=version.pk)
    typed = {"why": "Because of this", "on": timezone.localdate(), "until": timezone.localdate(), "reason": "Because"}
    with nothing_moved():
        answers = [somebody.client.get(do(version, verb)), somebody.client.post(do(version, verb), typed)]
    for answer in answers:
        assert answer.status_code == status
        assert sentence in words(answer)
        assert "Look at the version" in words(answer)
    if verb in ("send_back", "renew"):
        assert "Because" in words(answers[1])  # what was typed is not lost
    assert ListVersion.objects.values().get(pk=version.pk) == before


def test_an_empty_version_cannot_be_published(technologies: SensitivityList, lin: Person, pan: Person) -> None:
    empty = drafted(technologies, [], by=lin.actor, at=timezone.now())
    publishing.submit_for_review(empty.pk, actor=lin.actor, at=timezone.now())
    answer = pan.client.get(do(empty, "publish"))
    assert (answer.status_code, "without entries" in words(answer)) == (409, True)


# ── how much the database is asked ──────────────────────────────────────────────────────────────────────────────────


def queries(who: Person, path: str) -> int:
    who.client.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert who.client.get(path).status_code == 200
    return len(asked)


def test_the_list_of_lists_asks_as_much_for_many(second: ListVersion, lin: Person, pan: Person) -> None:
    one = queries(lin, "/lists/")
    for kind in (ListKind.EVENT, ListKind.ORGANISATION, ListKind.DESTINATION):
        of = sensitivity_list(kind, owner=pan.actor, at=timezone.now())
        drafted(of, [], by=lin.actor, at=timezone.now())
    assert queries(lin, "/lists/") == one <= 7


@pytest.mark.parametrize("view", ["tree", "table", "changes"])
@pytest.mark.parametrize("kind", [ListKind.TECHNOLOGY, ListKind.PROJECT])
def test_a_version_asks_as_much_for_fifty_entries_as_for_one(view: str, kind: ListKind, lin: Person) -> None:
    version = drafted(sensitivity_list(kind, owner=lin.actor, at=timezone.now()), [], by=lin.actor, at=timezone.now())
    company = CompanyFactory.create() if kind == ListKind.PROJECT else None
    fill(version, ["a"], company=company)
    one = queries(lin, f"{at(version)}?view={view}")
    fill(version, [f"b{number}" for number in range(49)], company=company)
    assert queries(lin, f"{at(version)}?view={view}") == one <= 18


def test_a_comparison_and_an_entry_ask_a_fixed_number(second: ListVersion, lin: Person) -> None:
    here = reverse("list_diff", args=[second.list_id, 1, 2])
    one, entry = queries(lin, here), queries(lin, entry_at(second, "cs"))
    fill(second, [f"b{number}" for number in range(49)], parent="cs")
    assert queries(lin, here) == one <= 10
    assert queries(lin, entry_at(second, "cs")) == entry <= 13


def test_no_page_of_a_version_counts_without_an_end(draft: ListVersion, lin: Person) -> None:
    fill(draft, [f"b{number}" for number in range(60)])
    with CaptureQueriesContext(connection) as asked:
        lin.client.get(f"{at(draft)}?view=table")
    counting = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"].upper()]
    assert counting
    assert all("LIMIT 10001" in sql for sql in counting)


def test_the_way_there(lin: Person, udo: Person, draft: ListVersion) -> None:
    for somebody in (lin, udo):
        assert 'href="/lists/"' in somebody.client.get("/").content.decode()
    home = lin.sees("/")
    assert "Your drafts" in home
    assert re.search(r"Your drafts 1|1 Your drafts", home)


def test_the_back_office_looks_and_does_not_touch(draft: ListVersion, lin: Person) -> None:
    User.objects.filter(pk=lin.user.pk).update(is_staff=True)
    for name in ("sensitivitylist", "listversion", "listentry"):
        listed = reverse(f"admin:sensitivity_{name}_changelist")
        assert lin.client.get(listed).status_code == 200, name
        assert lin.client.get(reverse(f"admin:sensitivity_{name}_add")).status_code == 403, name
    with nothing_moved():
        for name, key in (("sensitivitylist", draft.list_id), ("listversion", draft.pk)):
            change = reverse(f"admin:sensitivity_{name}_change", args=[key])
            assert lin.client.get(change).status_code == 200, name
            assert lin.client.post(change, {"name_en": "x"}).status_code == 403, name
            assert lin.client.post(change.replace("change", "delete"), {"post": "yes"}).status_code == 403, name
