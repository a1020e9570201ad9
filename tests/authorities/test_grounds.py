"""Instruments and reason codes: drafted by one, brought into force by another, and then as they were for ever."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import RoleAssignment, User
from accounts.refusals import Invalid, NotAllowed, NotNow, Refused
from accounts.roles import Actor, Role
from audit.models import Entry
from authorities import grounds
from authorities.models import GroundHistory, LegalInstrument, Office, ReasonCode
from tests.factories.law import (
    administrator,
    drafted_code,
    drafted_instrument,
    enacted_code,
    enacted_instrument,
)
from tests.factories.people import OfficeFactory
from tests.factories.requests import NOW

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
# At ten in Shanghai on the third of March it is the third everywhere east of it, too.
TOMORROW = TODAY + timedelta(days=1)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


@pytest.fixture
def dara(db: None) -> Actor:
    return administrator("Dara")


@pytest.fixture
def ezra(db: None) -> Actor:
    return administrator("Ezra")


def everything() -> list[Any]:
    """All that a step on a ground could move."""
    return [
        list(model.objects.order_by("pk").values()) for model in (LegalInstrument, ReasonCode, GroundHistory, Entry)
    ]


@contextmanager
def refused(kind: type[Refused], words: str):
    """The block is refused as `kind`, with `words` in the sentence, and nothing moves."""
    before = everything()
    with pytest.raises(kind) as caught:
        yield
    assert words in str(caught.value)
    assert everything() == before


def wordings(names: list[str], office: Office, on: date) -> list[str]:
    return [row.label_en for row in grounds.codes(names, office_id=office.pk, on=on)]


# ── which are in force ──────────────────────────────────────────────────────────────────────────────────────────────


def usable(on: date, office: Office) -> list[str]:
    return [reason.code for reason in grounds.in_force(office.pk, on)]


def test_a_code_can_be_used_from_its_first_to_its_last_day(office: Office) -> None:
    enacted_code("D1", active_from=day(1), active_until=day(9))
    assert [usable(day(number), office) for number in (0, 1, 9, 10)] == [[], ["D1"], ["D1"], []]


def test_a_code_ends_with_its_instrument(office: Office) -> None:
    enacted_code("D1", instrument=enacted_instrument(effective_until=day(5)))
    assert [usable(day(number), office) for number in (5, 6)] == [["D1"], []]


@pytest.mark.parametrize("of", ["code", "instrument"])
def test_only_the_competent_office_may_use_it(office: Office, other_office: Office, of: str) -> None:
    instrument = enacted_instrument(office=office if of == "instrument" else None)
    code = enacted_code("D1", instrument=instrument, office=office if of == "code" else None)
    assert (usable(TODAY, office), usable(TODAY, other_office)) == (["D1"], [])
    assert code.competent == office


def test_drafts_are_no_grounds(office: Office) -> None:
    drafted_code("D1")
    assert usable(TODAY, office) == []
    assert not drafted_instrument().is_in_force(TODAY)


def test_codes_come_in_the_order_given_and_each_once(office: Office) -> None:
    enacted_code("A")
    enacted_code("B", instrument=enacted_instrument(article_zh="B", article_en="B"))
    named = grounds.codes(["B", "A", "B", "NONE"], office_id=office.pk, on=TODAY)
    assert [row.code for row in named] == ["B", "A"]


@pytest.mark.parametrize(("names", "queries"), [([], 0), (["A"], 1), (["A", "B", "C"], 1)])
def test_codes_take_one_query(office: Office, django_assert_num_queries: Any, names: list[str], queries: int) -> None:
    for name in ("A", "B", "C"):
        enacted_code(name)
    with django_assert_num_queries(queries):
        assert [str(row.instrument) for row in grounds.codes(names, office_id=office.pk, on=TODAY)] == [
            "Measures on exit approvals (fictitious), Article 9"
        ] * len(names)


def test_each_reader_reads_the_article_in_their_language() -> None:
    law = enacted_code("A").instrument
    with translation.override("zh-hans"):
        assert (str(law), law.article) == ("出境审批办法（虚构）第九条", "第九条")
    with translation.override("en"):
        assert (str(law), law.article) == ("Measures on exit approvals (fictitious), Article 9", "Article 9")


@pytest.mark.django_db(databases=["default", "owner"])
@pytest.mark.parametrize(
    ("was", "zh", "en"),
    [
        ("第九条 Article 9", "第九条", "Article 9"),
        ("第三十八条第二款 Article 38 (2)", "第三十八条第二款", "Article 38 (2)"),
        ("第九条", "第九条", "第九条"),
        ("Annex 1", "Annex 1", "Annex 1"),
    ],
)
def test_an_article_that_was_one_text_becomes_its_two_halves_though_it_is_in_force(was: str, zh: str, en: str) -> None:
    split = import_module("authorities.migrations.0014_articles_split")
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        # A table of the same name in front of the real one, with the trigger that keeps it as it is.
        cursor.execute(
            """
            CREATE TEMP TABLE authorities_legalinstrument ON COMMIT DROP AS
                SELECT 1 AS id, %s::text AS article_zh, ''::text AS article_en, now() AS activated_at;
            CREATE TRIGGER enacted_stays BEFORE UPDATE ON authorities_legalinstrument
                FOR EACH ROW EXECUTE FUNCTION authorities_enacted_stays('effective_from', 'effective_until');
            """,
            [was],
        )
        cursor.execute(split.SPLIT)
        cursor.execute("SELECT article_zh, article_en FROM authorities_legalinstrument")
        assert cursor.fetchall() == [(zh, en)]
        cursor.execute(split.JOIN)
        cursor.execute("SELECT article_zh FROM authorities_legalinstrument")
        assert cursor.fetchall() == [(was,)]


# ── a draft ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_cannot_be_drafted_without_an_instrument_that_carries_it(office: Office, other_office: Office) -> None:
    unpublished = drafted_instrument(published_on=None)
    theirs = enacted_instrument(office=office)
    late = enacted_instrument(effective_from=day(5))
    for field, values in (
        ("instrument", {"instrument": unpublished}),
        ("office", {"instrument": theirs, "office": other_office}),
        ("active_from", {"instrument": late, "active_from": day(4)}),
        ("points_at", {"points_at": "knowledge"}),
        ("code", {"code": "d 1"}),
        ("label_zh", {"label_zh": ""}),
    ):
        before = everything()
        with pytest.raises(Invalid) as caught:
            drafted_code(**({"code": "D1", "instrument": enacted_or(values)} | values))
        assert {problem.field for problem in caught.value.problems} == {field}
        if "instrument" in values:
            assert everything() == before


def enacted_or(values: dict[str, Any]) -> LegalInstrument:
    return values.get("instrument") or enacted_instrument()


def test_only_administrators_draft(dara: Actor) -> None:
    nobody = Actor(dara.user_id, "Dara")
    with refused(NotAllowed, "Administrators keep instruments and reason codes."):
        grounds.draft_instrument(actor=nobody, at=NOW, values={})


def test_a_draft_is_changed_by_who_drafted_it_and_by_nobody_else(dara: Actor, ezra: Actor) -> None:
    draft = drafted_code("D1")
    with refused(NotAllowed, "Only who drafted this version changes it."):
        grounds.change(draft, actor=ezra, at=NOW, values={"label_en": "Other"})
    assert grounds.change(draft, actor=dara, at=NOW, values={"label_en": "Other"}).label_en == "Other"


def test_a_draft_can_be_thrown_away_and_its_history_says_so(ezra: Actor) -> None:
    draft = drafted_code("D1")
    grounds.discard(draft, actor=ezra, at=NOW)
    assert not ReasonCode.objects.exists()
    assert [entry.verb for entry in Entry.objects.filter(chain=draft.history_id)] == ["ground.draft", "ground.discard"]


# ── into force ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [drafted_instrument, drafted_code])
def test_who_drafted_it_does_not_bring_it_into_force(make: Callable[[], Any], dara: Actor, ezra: Actor) -> None:
    draft = make()
    with refused(NotAllowed, "Another administrator must compare it"):
        grounds.activate(draft, actor=dara, at=NOW)
    assert grounds.activate(draft, actor=ezra, at=NOW).activated_by_id == ezra.user_id
    with refused(NotNow, "This version is in force. Draft the next one."):
        grounds.activate(draft, actor=ezra, at=NOW)


def test_no_instrument_comes_into_force_unpublished(ezra: Actor) -> None:
    draft = drafted_instrument(published_on=None)
    with refused(Invalid, "not published"):
        grounds.activate(draft, actor=ezra, at=NOW)


def test_no_code_comes_into_force_on_a_draft(ezra: Actor) -> None:
    code = drafted_code("D1", instrument=drafted_instrument())
    with refused(Invalid, "is not in force on the first day"):
        grounds.activate(code, actor=ezra, at=NOW)
    with pytest.raises(IntegrityError, match="code_rests"), transaction.atomic():
        ReasonCode.objects.filter(pk=code.pk).update(activated_at=NOW, activated_by_id=ezra.user_id)


def test_a_decision_keeps_the_words_of_its_day(office: Office, dara: Actor, ezra: Actor) -> None:
    first = enacted_code("D1", label_en="First words")
    draft = grounds.next_version(first, actor=dara, at=NOW)
    assert (draft.version, draft.active_from, draft.label_en) == (2, TOMORROW, "First words")
    grounds.change(draft, actor=dara, at=NOW, values={"label_en": "Second words", "active_from": day(10)})
    assert wordings(["D1"], office, day(10)) == ["First words"]
    grounds.activate(draft, actor=ezra, at=NOW)
    assert [wordings(["D1"], office, day(number)) for number in (-90, 9, 10, 900)] == [
        ["First words"],
        ["First words"],
        ["Second words"],
        ["Second words"],
    ]
    assert ReasonCode.objects.get(pk=first.pk).active_until == day(9)
    assert grounds.reworded(["D1"], office_id=office.pk, since=day(0), on=day(9)) == []
    assert grounds.reworded(["D1"], office_id=office.pk, since=day(0), on=day(10)) == ["D1"]
    assert grounds.reworded(["D1"], office_id=office.pk, since=day(10), on=day(11)) == []


def test_a_code_that_ended_is_not_what_it_was(office: Office) -> None:
    enacted_code("D1", active_until=day(3))
    assert grounds.reworded(["D1"], office_id=office.pk, since=day(3), on=day(4)) == ["D1"]


def test_the_next_version_replaces_no_words_of_a_day_that_has_begun_anywhere(ezra: Actor) -> None:
    enacted_code("D1")
    draft = drafted_code("D1", active_from=TODAY)
    with refused(Invalid, "4 March 2026 is the earliest day"):
        grounds.activate(draft, actor=ezra, at=NOW)
    # In the evening in Shanghai the next day has begun in the far east of the world.
    evening = NOW.replace(hour=20)
    late = drafted_code("D1", active_from=TOMORROW)
    with refused(Invalid, "5 March 2026 is the earliest day"):
        grounds.activate(late, actor=ezra, at=evening)


def test_a_version_that_was_overtaken_stays_a_draft(ezra: Actor) -> None:
    enacted_code("D1")
    second, third = drafted_code("D1", active_from=day(8)), drafted_code("D1", active_from=day(5))
    grounds.activate(third, actor=ezra, at=NOW)
    with refused(NotNow, "A later version is in force."):
        grounds.activate(second, actor=ezra, at=NOW)


def test_a_version_begins_after_the_one_that_it_follows(ezra: Actor) -> None:
    enacted_code("D1", active_from=day(20))
    draft = drafted_code("D1", active_from=day(20))
    with refused(Invalid, "24 March 2026 is the earliest day"):
        grounds.activate(draft, actor=ezra, at=NOW)


def test_a_new_version_of_an_instrument_leaves_its_codes_to_be_drafted_anew(
    office: Office, dara: Actor, ezra: Actor
) -> None:
    code = enacted_code("D1")
    draft = grounds.next_version(code.instrument, actor=dara, at=NOW)
    draft = grounds.change(draft, actor=dara, at=NOW, values={"article_en": "Article 10", "effective_from": day(30)})
    with refused(NotNow, "Bring this version into force first"):
        grounds.carry_over(draft, actor=dara, at=NOW)
    instrument = grounds.activate(draft, actor=ezra, at=NOW)
    assert [one.code for one in grounds.orphaned(code.instrument, after=day(29))] == ["D1"]
    assert (usable(day(29), office), usable(day(30), office)) == (["D1"], [])
    (made,) = grounds.carry_over(instrument, actor=dara, at=NOW)
    assert grounds.carry_over(instrument, actor=dara, at=NOW) == []  # somebody is at it
    grounds.activate(made, actor=ezra, at=NOW)
    assert (made.code, made.version, made.active_from, made.instrument) == ("D1", 2, day(30), instrument)
    assert usable(day(30), office) == ["D1"]
    assert grounds.orphaned(code.instrument, after=day(29)) == []


# ── to an end ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_end_is_proposed_by_one_and_confirmed_by_another(office: Office, dara: Actor, ezra: Actor) -> None:
    code = enacted_code("D1")
    grounds.propose_end(code, actor=ezra, at=NOW, last_day=day(4))
    assert usable(day(5), office) == ["D1"]
    with refused(NotAllowed, "You proposed this last day."):
        grounds.end(code, actor=ezra, at=NOW)
    ended = grounds.end(code, actor=dara, at=NOW)
    assert (ended.active_until, ended.ended_by_id, ended.end_is_proposed) == (day(4), dara.user_id, False)
    assert [usable(day(number), office) for number in (4, 5)] == [["D1"], []]
    with refused(NotNow, "No last day is proposed."):
        grounds.end(code, actor=dara, at=NOW)
    with refused(Invalid, "It ends on 7 March 2026 already."):
        grounds.propose_end(code, actor=dara, at=NOW, last_day=day(5))
    # The one who ended it can propose an earlier day, and is then not the one who confirms that.
    grounds.propose_end(code, actor=dara, at=NOW, last_day=day(2))
    assert grounds.end(code, actor=ezra, at=NOW).active_until == day(2)


def test_a_proposed_end_can_be_taken_back(dara: Actor) -> None:
    code = enacted_code("D1")
    with refused(NotNow, "No last day is proposed."):
        grounds.withdraw_end(code, actor=dara, at=NOW)
    grounds.propose_end(code, actor=dara, at=NOW, last_day=day(4))
    assert not grounds.withdraw_end(code, actor=dara, at=NOW).end_is_proposed


def test_no_end_lies_on_a_day_that_is_over(dara: Actor, ezra: Actor) -> None:
    code = enacted_code("D1")
    with refused(Invalid, "3 March 2026 is the earliest day"):
        grounds.propose_end(code, actor=dara, at=NOW, last_day=day(-1))
    grounds.propose_end(code, actor=dara, at=NOW, last_day=TODAY)
    with refused(Invalid, "4 March 2026 is the earliest day"):
        grounds.end(code, actor=ezra, at=NOW + timedelta(days=1))


def test_a_draft_has_no_end(dara: Actor) -> None:
    draft = drafted_code("D1")
    with refused(NotNow, "This is a draft: change it or throw it away."):
        grounds.propose_end(draft, actor=dara, at=NOW, last_day=day(4))


def test_what_is_in_force_is_neither_changed_nor_thrown_away(dara: Actor) -> None:
    code = enacted_code("D1")
    with refused(NotNow, "This version is in force. Draft the next one."):
        grounds.change(code, actor=dara, at=NOW, values={"label_en": "Other"})
    with refused(NotNow, "This version is in force. Draft the next one."):
        grounds.discard(code, actor=dara, at=NOW)


def test_every_step_is_in_the_log(dara: Actor, ezra: Actor) -> None:
    code = enacted_code("D1", at=NOW)
    second = drafted_code("D1", at=NOW, active_from=day(10))
    grounds.activate(second, actor=ezra, at=NOW)
    grounds.propose_end(second, actor=dara, at=NOW, last_day=day(20))
    grounds.withdraw_end(second, actor=dara, at=NOW)
    grounds.propose_end(second, actor=dara, at=NOW, last_day=day(20))
    grounds.end(second, actor=ezra, at=NOW)
    entries = Entry.objects.filter(chain=code.history_id).order_by("sequence")
    assert [(entry.verb, entry.data["version"], entry.actor_id == dara.user_id) for entry in entries] == [
        ("ground.draft", 1, True),
        ("ground.activate", 1, False),
        ("ground.draft", 2, True),
        ("ground.supersede", 1, False),
        ("ground.activate", 2, False),
        ("ground.propose_end", 2, True),
        ("ground.withdraw_end", 2, True),
        ("ground.propose_end", 2, True),
        ("ground.end", 2, False),
    ]
    assert entries[0].in_words() == "A version was drafted."
    history = GroundHistory.objects.get(pk=code.history_id)
    assert (history.chain_length, bytes(history.chain_head)) == (9, bytes(entries[8].hash))


# ── by the database ─────────────────────────────────────────────────────────────────────────────────────────────────


def sql(statement: str, *values: Any) -> None:
    """As the product's own role, past all of our code."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("exit_app",)
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    "change",
    [
        "label_zh = '别的'",
        "label_en = 'Other'",
        "points_at = 'host'",
        "active_from = active_from - 1",
        "office_id = NULL, version = 2",
        "drafted_by_id = activated_by_id",
        "activated_at = NULL, activated_by_id = NULL",
        "active_until = '2099-01-01'",
        "active_until = '2020-06-01', end_on = '2020-06-01'",
        "ended_by_id = activated_by_id, ended_at = now()",
    ],
)
def test_no_statement_changes_a_code_in_force(change: str) -> None:
    code = enacted_code("D1")
    with pytest.raises(IntegrityError, match="enacted_stays"):
        sql(f"UPDATE authorities_reasoncode SET {change} WHERE id = %s", code.pk)
    with pytest.raises(IntegrityError, match="has been in force and is kept"):
        sql("DELETE FROM authorities_reasoncode WHERE id = %s", code.pk)


def test_no_statement_changes_an_instrument_in_force() -> None:
    row = enacted_instrument()
    for change in (
        "title_en = 'Other'",
        "url = 'https://elsewhere.example'",
        "published_on = NULL",
        "article_zh = '1'",
        "article_en = '1'",
    ):
        with pytest.raises(IntegrityError, match="is in force and stays as it is"):
            sql(f"UPDATE authorities_legalinstrument SET {change} WHERE id = %s", row.pk)
    with pytest.raises(IntegrityError, match="has been in force and is kept"):
        sql("DELETE FROM authorities_legalinstrument WHERE id = %s", row.pk)


ACTIVATE = "UPDATE authorities_legalinstrument SET activated_at = %s, activated_by_id = %s WHERE id = %s"


def test_no_statement_brings_into_force_what_one_person_drafted(dara: Actor, ezra: Actor) -> None:
    draft = drafted_instrument()
    for by in (dara.user_id, None):
        with pytest.raises(IntegrityError, match="another person than who drafted it"):
            sql(ACTIVATE, NOW, by, draft.pk)
    with pytest.raises(IntegrityError, match="comes into force as it was drafted"):
        sql(
            "UPDATE authorities_legalinstrument SET activated_at = %s, activated_by_id = %s, article_en = '1'"
            " WHERE id = %s",
            NOW, ezra.user_id, draft.pk,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="stays the draft of who began it"):
        sql("UPDATE authorities_legalinstrument SET drafted_by_id = %s WHERE id = %s", ezra.user_id, draft.pk)
    sql(ACTIVATE, NOW, ezra.user_id, draft.pk)  # without a flaw it is taken: the tests above can fail


def test_no_statement_brings_an_unpublished_instrument_into_force(ezra: Actor) -> None:
    with pytest.raises(IntegrityError, match="in_force_is_published"):
        sql(ACTIVATE, NOW, ezra.user_id, drafted_instrument(published_on=None).pk)


def test_nothing_is_entered_that_is_in_force_already() -> None:
    row = enacted_instrument()
    with connection.cursor() as cursor:
        table = connection.introspection.get_table_description(cursor, row._meta.db_table)
    columns = [column.name for column in table]
    copied = ", ".join("9 AS version" if name == "version" else f'"{name}"' for name in columns if name != "id")
    names = ", ".join(f'"{name}"' for name in columns if name != "id")
    with pytest.raises(IntegrityError, match="begins as a draft of somebody"):
        sql(
            f"INSERT INTO authorities_legalinstrument ({names}) SELECT {copied} FROM authorities_legalinstrument"
            " WHERE id = %s",
            row.pk,
        )


def test_no_statement_replaces_the_words_of_a_day_that_has_begun(ezra: Actor) -> None:
    enacted_code("D1", active_until=day(-10))
    draft = drafted_code("D1", active_from=TODAY)
    with pytest.raises(IntegrityError, match="replaces no words of days that have begun"):
        sql(
            "UPDATE authorities_reasoncode SET activated_at = %s, activated_by_id = %s WHERE id = %s",
            NOW, ezra.user_id, draft.pk,
        )  # fmt: skip


END = """
    UPDATE authorities_reasoncode SET active_until = %s, end_on = %s, end_drafted_by_id = %s, ended_by_id = %s,
        ended_at = %s WHERE id = %s
"""


def test_no_statement_ends_a_code_by_one_person_or_on_a_day_that_is_over(dara: Actor, ezra: Actor) -> None:
    code = enacted_code("D1")
    one, two = dara.user_id, ezra.user_id
    for values, words in (
        ((day(3), day(3), one, one, NOW), "by another person than who proposed the end"),
        ((day(3), day(3), None, two, NOW), "by another person than who proposed the end"),
        ((day(3), day(4), one, two, NOW), "ends on the day that was proposed"),
        ((day(-1), day(-1), one, two, NOW), "does not end on a day that is over"),
        ((day(3), day(3), one, two, None), "does not end on a day that is over"),
    ):
        with pytest.raises(IntegrityError, match=words):
            sql(END, *values, code.pk)
    sql(END, day(3), day(3), one, two, NOW, code.pk)
    with pytest.raises(IntegrityError, match="can only end earlier"):
        sql(END, day(5), day(5), one, two, NOW, code.pk)


def test_two_versions_are_never_in_force_at_once(ezra: Actor) -> None:
    enacted_code("D1")
    draft = drafted_code("D1", active_from=day(5))
    with pytest.raises(IntegrityError, match="authorities_reason_one_in_force"):
        sql(
            "UPDATE authorities_reasoncode SET activated_at = %s, activated_by_id = %s WHERE id = %s",
            NOW, ezra.user_id, draft.pk,
        )  # fmt: skip


def test_an_instrument_is_published_before_it_is_in_force_and_ends_after_it_starts() -> None:
    row = drafted_instrument()
    for change in ({"published_on": date(2026, 1, 2)}, {"effective_until": date(2019, 12, 31)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LegalInstrument.objects.filter(pk=row.pk).update(**change)


def test_it_is_worded_in_the_readers_language() -> None:
    code = enacted_code("D1", label_zh="目的地", label_en="Destination")
    with translation.override("zh-hans"):
        assert str(code) == "D1 目的地"
    with translation.override("en"):
        assert str(code) == "D1 Destination"


def test_the_form_says_what_does_not_fit(office: Office) -> None:
    code = drafted_code("D1")
    code.points_at = "knowledge"
    with pytest.raises(ValidationError):
        code.full_clean()


# ── for everybody ───────────────────────────────────────────────────────────────────────────────────────────────────


class TestPublicPage:
    @pytest.fixture(autouse=True)
    def _morning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NOW)

    def codes_in(self, response: Any) -> dict[str, list[str]]:
        return {part: [one.code.code for one in response.context[part]] for part in ("now", "to_come", "ended")}

    def test_it_shows_what_is_in_force_what_comes_and_what_was(self, client: Client, office: Office) -> None:
        enacted_code("NOW-1", instrument=enacted_instrument(office=office))
        enacted_code("NOW-2", active_until=day(0))
        enacted_code("SOON", active_from=day(1))
        enacted_code("OVER", active_until=day(-1))
        enacted_code("LAW-OVER", instrument=enacted_instrument(effective_until=day(-1)))
        drafted_code("DRAFT")
        response = client.get(reverse("grounds"), {"language": "en"})
        assert self.codes_in(response) == {
            "now": ["NOW-1", "NOW-2"],
            "to_come": ["SOON"],
            "ended": ["LAW-OVER", "OVER"],
        }
        text = text_of(response)
        for words in ("Technology of a published list", "Article 9", "https://law.example/9", "Haidian office"):
            assert words in text
        assert "From 1 January 2020" in text
        assert "DRAFT" not in text
        assert "技术" in text_of(client.get(reverse("grounds"), {"language": "zh-hans"}))

    def test_a_code_that_goes_on_in_other_words_is_not_among_those_that_ended(
        self, client: Client, ezra: Actor
    ) -> None:
        enacted_code("D1")
        second = drafted_code("D1", active_from=day(1), label_en="Second words")
        grounds.activate(second, actor=ezra, at=NOW)
        assert self.codes_in(client.get(reverse("grounds"))) == {"now": ["D1"], "to_come": ["D1"], "ended": []}

    def test_without_any_it_says_what_follows(self, client: Client) -> None:
        assert "no trip can be refused" in text_of(client.get(reverse("grounds"), {"language": "en"}))

    def test_a_code_that_never_was_in_force_has_no_page(self, client: Client) -> None:
        drafted_code("DRAFT")
        for code in ("DRAFT", "NONE"):
            assert client.get(reverse("ground", args=[code])).status_code == 404

    def test_the_footer_leads_there(self, client: Client) -> None:
        assert f'href="{reverse("grounds")}"' in text_of(client.get(reverse("criteria")))

    @pytest.mark.parametrize("count", [1, 3])
    def test_one_query_however_many(self, client: Client, django_assert_num_queries: Any, count: int) -> None:
        for number in range(count):
            enacted_code(f"D{number}", office=OfficeFactory.create(code=f"O{number}"))
        with django_assert_num_queries(1):
            client.get(reverse("grounds"))


# ── the back office ─────────────────────────────────────────────────────────────────────────────────────────────────


def back_office(name: str) -> Client:
    user = User.objects.create_user(f"{name.lower()}@example.test", name, language="en", is_staff=True)
    RoleAssignment.objects.create(user=user, role=Role.ADMINISTRATOR, starts_at=datetime(2020, 1, 1, tzinfo=UTC))
    client = Client()
    client.force_login(user)
    return client


def page(row: Any, step: str = "change") -> str:
    return reverse(f"admin:authorities_{row._meta.model_name}_{step}", args=[row.pk])


def text_of(response: Any) -> str:
    return str(response.content.decode())


class TestBackOffice:
    def test_from_the_first_draft_to_the_last_day(self) -> None:
        ada, ben = back_office("Ada"), back_office("Ben")
        instrument, today = enacted_instrument(), timezone.localdate()
        form = {
            "code": "NEW-1",
            "label_zh": "措辞",
            "label_en": "Wording",
            "points_at": "host",
            "instrument": instrument.pk,
            "office": "",
            "active_from": f"{today}",
            "active_until": "",
        }
        said = ada.post(reverse("admin:authorities_reasoncode_add"), form, follow=True)
        assert "Another administrator compares it and brings it into force." in text_of(said)
        code = ReasonCode.objects.get()
        assert ada.post(page(code), form | {"label_en": "Better wording"}).status_code == 302
        assert ben.post(page(code), form | {"label_en": "Bens"}).status_code == 403
        assert "It waits for another administrator" in text_of(ben.get(page(code)))

        assert ada.post(page(code, "activate_this")).status_code == 403
        listed = reverse("admin:authorities_reasoncode_changelist")
        data = {"action": "bring_into_force", "_selected_action": [code.pk]}
        assert "You drafted this version." in text_of(ada.post(listed, data, follow=True))
        shown = text_of(ben.get(page(code, "activate_this")))
        assert "Better wording" in shown
        assert ReasonCode.objects.get().is_draft  # to look is not to do
        assert "brought into force" in text_of(ben.post(page(code, "activate_this"), follow=True))
        assert not ReasonCode.objects.get().is_draft

        assert ada.post(page(code), form).status_code == 403
        assert ada.post(page(code, "delete"), {"post": "yes"}).status_code == 403
        wrong = ada.post(page(code, "end_this"), {"last_day": f"{today - timedelta(days=9)}"})
        assert "is the earliest day" in text_of(wrong)
        last = today + timedelta(days=40)
        ada.post(page(code, "end_this"), {"last_day": f"{last}"})
        assert ada.get(page(code, "confirm_end_of_this")).status_code == 403
        assert "After that no refusal can rest on it." in text_of(ben.get(page(code, "confirm_end_of_this")))
        ben.post(page(code, "confirm_end_of_this"))
        assert ReasonCode.objects.get().active_until == last
        history = text_of(ben.get(page(code)))
        for words in ("A version was drafted. Ada", "brought into force. Ben", "The last day was confirmed. Ben"):
            assert words in history

    def test_a_draft_is_thrown_away_with_an_entry(self) -> None:
        ada, draft = back_office("Ada"), drafted_instrument()
        assert ada.post(page(draft, "delete"), {"post": "yes"}).status_code == 302
        assert not LegalInstrument.objects.exists()
        assert Entry.objects.get(chain=draft.history_id, verb="ground.discard").data["version"] == 1

    def test_an_instrument_in_its_next_version_with_its_codes(self) -> None:
        ada, ben = back_office("Ada"), back_office("Ben")
        code = enacted_code("D1")
        assert "A draft was made" in text_of(ada.post(page(code.instrument, "next_of_this"), follow=True))
        draft = LegalInstrument.objects.get(version=2)
        assert "end with it unless they get a next version" in text_of(ben.get(page(draft, "activate_this")))
        ben.post(page(draft, "activate_this"))
        assert "1 draft was made." in text_of(ada.post(page(draft, "carry_codes_over"), follow=True))
        assert ReasonCode.objects.get(version=2).instrument_id == draft.pk

    def test_a_proposed_end_is_taken_back(self) -> None:
        ada, code = back_office("Ada"), enacted_code("D1")
        ada.post(page(code, "end_this"), {"last_day": f"{timezone.localdate() + timedelta(days=9)}"})
        assert "proposed" in text_of(ada.get(page(code)))
        ada.post(page(code, "withdraw_end_of_this"))
        assert not ReasonCode.objects.get().end_is_proposed

    @pytest.mark.parametrize(
        ("wanted", "shown"), [("waits", {"W1", "E1"}), ("in_force", {"F1", "E1"}), ("past", {"P1"})]
    )
    def test_what_waits_is_found(self, wanted: str, shown: set[str], dara: Actor) -> None:
        ada, today = back_office("Ada"), timezone.localdate()
        drafted_code("W1", active_from=today)
        enacted_code("F1")
        enacted_code("P1", active_until=today - timedelta(days=1))
        ending = enacted_code("E1")
        grounds.propose_end(ending, actor=dara, at=timezone.now(), last_day=today + timedelta(days=9))
        response = ada.get(reverse("admin:authorities_reasoncode_changelist"), {"standing": wanted})
        assert {row.code for row in response.context["cl"].queryset} == shown
