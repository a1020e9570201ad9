"""Files for drafts. Lin keeps the lists and sends files; Mo keeps them too; the worker reads."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.refusals import NotAllowed, NotNow
from accounts.roles import Actor
from audit.models import Entry
from jobs import work
from jobs.models import Job
from sensitivity import drafting, files, importing, publishing, resources
from sensitivity.models import Edit, EntryName, Import, ImportRow, ListEntry, ListKind, ListVersion
from tests.factories import (
    NOW,
    CompanyFactory,
    UserFactory,
    actor,
    drafted,
    entry_values,
    list_manager,
    sensitivity_list,
)
from tests.factories import rehearsed as rehearse
from tests.sensitivity.test_files import workbook

pytestmark = pytest.mark.django_db

Rows = Sequence[Mapping[str, Any]]


@pytest.fixture
def lin() -> Actor:
    return list_manager("Lin Author")


@pytest.fixture
def tree(lin: Actor) -> ListVersion:
    """A draft of technologies: cs, below it cs.CL and cs.CR, below cs.CL cs.CL.llm."""
    entries = [
        entry_values("cs"),
        entry_values("cs.CL", 2, parent="cs"),
        entry_values("cs.CR", 3, parent="cs"),
        entry_values("cs.CL.llm", 3, parent="cs.CL", aliases=["LLM"]),
    ]
    return drafted(sensitivity_list(ListKind.TECHNOLOGY, owner=lin), entries, by=lin)


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> list[list[Any]]:
    """Rows of a file: the columns that any of them says, and what each says."""
    kept = [dict(row) for row in rows]
    named = list(columns) or list(dict.fromkeys(name for row in kept for name in row))
    return [named, *([row.get(name, "") for name in named] for row in kept)]


def as_csv(cells: Iterable[Sequence[Any]]) -> ContentFile[bytes]:
    return ContentFile(b"".join(files.csv_pieces(cells)), name="entries.csv")


def work_off() -> None:
    while work.run_due(clock=lambda: NOW):
        pass


def read(
    version: ListVersion, lin: Actor, cells: Iterable[Sequence[Any]] | ContentFile[bytes], mode: str = "merge"
) -> Import:
    """The file, sent and read by the worker."""
    file = cells if isinstance(cells, ContentFile) else as_csv(cells)
    run = importing.receive(version.pk, actor=lin, at=NOW, file=file, mode=mode)
    work_off()
    run = Import.objects.select_related("version__list", "job").get(pk=run.pk)
    assert run.job is not None
    assert (run.job.state, run.job.last_error) == (Job.State.DONE, "")
    return run


def errors(run: Import) -> dict[int, list[tuple[str, str]]]:
    """Line → (field, sentence) of each error."""
    return {
        row.line: [(error["field"], error["message"]["en"]) for error in row.errors]
        for row in run.rows.filter(verdict="error").order_by("line")
    }


def draft_of(version: ListVersion) -> dict[str, Any]:
    """Everything that an import could have moved."""
    return {
        "entries": list(ListEntry.objects.filter(version=version).order_by("pk").values()),
        "names": list(EntryName.objects.filter(version=version).order_by("pk").values()),
        "edits": Edit.objects.filter(version=version).count(),
        "content": ListVersion.objects.get(pk=version.pk).content,
        "audit": Entry.objects.count(),
    }


def said(version: ListVersion) -> dict[str, tuple[str, int]]:
    """Code → (parent, level) of each entry of the draft."""
    return {entry.code: (entry.parent, entry.level) for entry in version.entries.all()}


# ── the dry run ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_says_what_it_would_do_and_nothing_is_done(tree: ListVersion, lin: Actor) -> None:
    before = draft_of(tree)
    rows = [
        entry_values("cs"),
        entry_values("cs.CL", 3, parent="cs"),
        entry_values("cs.AI", 1, parent="cs"),
        entry_values("cs.XX", 7, parent="cs", label_zh=""),
    ]
    run = read(tree, lin, table(rows))
    assert run.state == "read"
    assert run.counts == {"same": 1, "changed": 1, "new": 1, "error": 1}
    assert list(run.rows.order_by("line").values_list("line", "verdict", "code")) == [
        (2, "same", "cs"),
        (3, "changed", "cs.CL"),
        (4, "new", "cs.AI"),
        (5, "error", "cs.XX"),
    ]
    changed = run.rows.get(line=3)
    assert (changed.before["level"], changed.values["level"]) == (2, 3)
    assert errors(run) == {5: [("label_zh", "Give the label in both languages."), ("level", "The level is 1, 2 or 3.")]}
    assert draft_of(tree) == before


def test_errors_are_kept_in_both_languages(tree: ListVersion, lin: Actor) -> None:
    with translation.override("zh-hans"):
        run = read(tree, lin, table([entry_values("cs.AI", parent="nowhere")]))
    message = run.rows.get(verdict="error").errors[0]["message"]
    assert message["en"] == "There is no entry with this code in this version."
    assert message["zh-hans"]


def test_a_column_that_is_left_out_leaves_what_is_said(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["Code", "级别"], ["cs.CL.llm", "1"]])
    importing.take_over(run.pk, actor=lin, at=NOW)
    entry = tree.entries.get(code="cs.CL.llm")
    assert (entry.level, entry.aliases, entry.parent, entry.path) == (1, ["LLM"], "cs.CL", ["cs", "cs.CL", "cs.CL.llm"])


def test_unknown_columns_are_named_and_not_kept(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["code", "levle", "level"], ["cs", "3", "1"]])
    assert (run.unknown, run.counts) == (["levle"], {"same": 1})


def test_what_a_cell_cannot_mean_is_said_at_its_field(lin: Actor) -> None:
    company = CompanyFactory.create()
    version = drafted(sensitivity_list(ListKind.PROJECT, owner=lin), [], by=lin)
    day = {"valid_from": "2026年3月3日", "valid_until": "soon"}
    cells = table([entry_values("P1", 2, company=company.uscc) | day, entry_values("P2", "2.5", company="no such")])
    assert errors(read(version, lin, cells)) == {
        2: [("valid_until", "This is no day. Write it as 2026-03-31.")],
        3: [
            ("level", "The level is 1, 2 or 3."),
            ("company_id", "There is no company with this unified social credit code."),
        ],
    }


def test_a_code_that_a_spreadsheet_made_a_day_of_is_refused(tree: ListVersion, lin: Actor) -> None:
    file = ContentFile(workbook([["code", "level"], [date(2026, 2, 1), 1]]).getvalue(), name="x.xlsx")
    assert errors(read(tree, lin, file))[2][0] == (
        "code",
        "This cell holds a date. Format the column as text and write it again.",
    )


def test_a_cell_without_a_heading_is_not_passed_over(tree: ListVersion, lin: Actor) -> None:
    assert errors(read(tree, lin, ContentFile(b"code,level\ncs,1,3\n", name="x.csv"))) == {
        2: [("", "A cell of this row stands below no heading.")]
    }


def test_columns_that_mean_the_same_or_are_missing_are_refused(tree: ListVersion, lin: Actor) -> None:
    assert (
        "Several columns mean the same: Level, 级别"
        in read(tree, lin, [["code", "Level", "级别"], ["cs", 1, 2]]).sentence
    )
    assert "A column is missing: 代码 / Code" in read(tree, lin, [["level"], [1]]).sentence


# ── bad files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def gb18030_cut() -> bytes:
    return "code,label_zh\ncs,计算机".encode("gb18030") + b"\xff\n"


def formula() -> bytes:
    return workbook([["code", "level"], ["cs", "=1+1"]]).getvalue()


def merged() -> bytes:
    return workbook([["code", "level"], ["cs", 1]], lambda book: book.active.merge_cells("A2:A3")).getvalue()  # type: ignore[union-attr]


def million() -> bytes:
    return b"code,level\n" + b"c,1\n" * 1_000_000


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gb18030_cut, "Byte 10 of line 2 cannot be read as GB 18030"),
        (formula, "formulas in B2"),
        (merged, "merged: A2:A3"),
        (million, "more than 200000 rows"),
        (lambda: b"name,price\nx,1\n", "None of the words in the first row"),
    ],
)
def test_a_bad_file_is_reported_and_nothing_of_it_is_taken(
    tree: ListVersion, lin: Actor, content: Callable[[], bytes], sentence: str
) -> None:
    before = draft_of(tree)
    run = read(tree, lin, ContentFile(content(), name="bad"))
    assert run.state == "refused"
    assert sentence in run.sentence
    assert set(run.why) == {"en", "zh-hans"}
    assert run.file.storage.exists(run.file.name)
    assert not run.rows.exists()
    with pytest.raises(NotNow):
        importing.take_over(run.pk, actor=lin, at=NOW)
    assert draft_of(tree) == before


def test_codes_that_come_twice_are_named_with_the_first_line(tree: ListVersion, lin: Actor) -> None:
    before = draft_of(tree)
    cells = [["code", "level"], ["cs", 2], ["cs.CL", 2], ["cs", 3], ["cs.CL", 1]]
    run = read(tree, lin, cells)
    assert errors(run) == {
        4: [("code", "Line 2 has this code already.")],
        5: [("code", "Line 3 has this code already.")],
    }
    with pytest.raises(NotNow, match="rows with errors"):
        importing.take_over(run.pk, actor=lin, at=NOW)
    assert draft_of(tree) == before


def test_a_circle_is_said_with_the_way_round(tree: ListVersion, lin: Actor) -> None:
    before = draft_of(tree)
    run = read(tree, lin, [["code", "parent"], ["cs", "cs.CL.llm"], ["cs.CR", ""]])
    ((line, ((field, sentence),)),) = errors(run).items()
    assert (line, field) == (2, "parent")
    assert "cs → cs.CL.llm → cs.CL → cs" in sentence
    with pytest.raises(NotNow):
        importing.take_over(run.pk, actor=lin, at=NOW)
    assert draft_of(tree) == before


def test_a_circle_within_the_file_is_said_at_each_of_its_rows(tree: ListVersion, lin: Actor) -> None:
    rows = [entry_values("a", parent="b"), entry_values("b", parent="a"), entry_values("c", parent="a")]
    found = errors(read(tree, lin, table(rows)))
    assert set(found) == {2, 3}
    assert "a → b → a" in found[2][0][1]


def test_a_parent_that_is_nowhere_is_an_error_and_one_further_down_is_none(tree: ListVersion, lin: Actor) -> None:
    rows = [entry_values("x.1", parent="x"), entry_values("x"), entry_values("y.1", parent="y")]
    assert errors(read(tree, lin, table(rows))) == {
        4: [("parent", "There is no entry with this code in this version.")]
    }


@pytest.mark.parametrize("heading", ["姓名", "Passport number"])
def test_a_column_about_people_is_refused_and_its_file_not_kept(
    tree: ListVersion, lin: Actor, heading: str, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = importing.receive(tree.pk, actor=lin, at=NOW, file=as_csv([["code", heading], ["cs", "x"]]))
        kept = str(run.file.name)
        work_off()
    run.refresh_from_db()
    assert run.state == "refused"
    assert f"“{heading}”" in run.sentence
    assert "never persons" in run.sentence
    assert not run.file
    assert not Import._meta.get_field("file").storage.exists(kept)  # type: ignore[union-attr]


def test_numbers_of_people_are_refused_whatever_the_column_is_called(tree: ListVersion, lin: Actor) -> None:
    few = [["code", "note"], ["cs", "11010519491231002X"], *([f"c{n}", "x"] for n in range(30))]
    assert read(tree, lin, few).state == "read"
    many = [
        ["code", "note"],
        *([f"c{n}", f"E1234567{n}"] for n in range(2)),
        *([f"d{n}", "x"] for n in range(30)),
    ]
    run = read(tree, lin, many)
    assert run.state == "refused"
    assert "“note”" in run.sentence
    assert not run.rows.exists()


def test_an_identity_number_in_a_single_cell_is_an_error_of_its_row(tree: ListVersion, lin: Actor) -> None:
    rows = [entry_values("x", reason_en="Asked by 11010519491231002X."), *(entry_values(f"y{n}") for n in range(30))]
    assert "never persons" in errors(read(tree, lin, table(rows)))[2][0][1]


# ── renaming ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_renamed_code_keeps_its_history_and_what_is_below_it(tree: ListVersion, lin: Actor) -> None:
    lineage = tree.entries.get(code="cs.CL").lineage
    cells = [["code", "previous_code"], ["cs.NLP", "cs.CL"]]
    run = read(tree, lin, cells)
    assert run.counts == {"changed": 1}
    importing.take_over(run.pk, actor=lin, at=NOW)
    entry = tree.entries.get(code="cs.NLP")
    assert (entry.lineage, entry.former_codes, entry.edit) == (lineage, ["cs.CL"], 1)
    assert tree.entries.get(code="cs.CL.llm").path == ["cs", "cs.NLP", "cs.CL.llm"]
    assert read(tree, lin, cells).counts == {"same": 1}


def test_rows_below_a_renamed_entry_may_still_name_its_old_code(tree: ListVersion, lin: Actor) -> None:
    cells = [["code", "previous_code", "parent", "level"], ["cs.NLP", "cs.CL", "cs", 2], ["cs.CL.llm", "", "cs.CL", 1]]
    run = read(tree, lin, cells, "merge")
    assert errors(run) == {}
    importing.take_over(run.pk, actor=lin, at=NOW)
    assert said(tree)["cs.CL.llm"] == ("cs.NLP", 1)


def test_two_entries_exchange_their_codes(tree: ListVersion, lin: Actor) -> None:
    lineages = {entry.code: entry.lineage for entry in tree.entries.all()}
    run = read(tree, lin, [["code", "previous_code"], ["cs.CR", "cs.CL"], ["cs.CL", "cs.CR"]])
    importing.take_over(run.pk, actor=lin, at=NOW)
    now = {entry.code: entry.lineage for entry in tree.entries.all()}
    assert (now["cs.CR"], now["cs.CL"]) == (lineages["cs.CL"], lineages["cs.CR"])
    assert said(tree)["cs.CL.llm"][0] == "cs.CL"


def test_renaming_what_is_not_there_or_to_what_is_there_is_an_error(tree: ListVersion, lin: Actor) -> None:
    cells = [["code", "previous_code"], ["x", "no.such"], ["cs.CR", "cs.CL"]]
    found = errors(read(tree, lin, cells))
    assert ("previous_code", "No entry of this draft has this previous code.") in found[2]
    assert found[3] == [("code", "Another entry of this version has this code.")]
    twice = errors(read(tree, lin, [["code", "previous_code"], ["x", "cs.CL"], ["cs.CL", ""]]))
    assert twice == {3: [("previous_code", "Line 2 changes the same entry.")]}


# ── taking over ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_taking_over_is_one_change_of_the_draft_with_one_edit_for_each_entry(tree: ListVersion, lin: Actor) -> None:
    rehearse(tree, by=lin)
    edits = tree.edits.count()
    content = ListVersion.objects.get(pk=tree.pk).content
    run = read(
        tree,
        lin,
        table([entry_values("cs", 3), entry_values("cs.AI", 2, parent="cs"), entry_values("cs.CR", 3, parent="cs")]),
    )
    importing.take_over(run.pk, actor=lin, at=NOW)
    run.refresh_from_db()
    version = ListVersion.objects.get(pk=tree.pk)
    assert (run.state, version.content) == ("applied", content + 1)
    assert said(version) == {
        "cs": ("", 3),
        "cs.CL": ("cs", 2),
        "cs.CR": ("cs", 3),
        "cs.CL.llm": ("cs.CL", 3),
        "cs.AI": ("cs", 2),
    }
    assert version.entries.get(code="cs.AI").path == ["cs", "cs.AI"]
    made = list(version.edits.order_by("pk")[edits:])
    assert [(edit.before and edit.before["level"], edit.after and edit.after["level"]) for edit in made] == [
        (1, 3),
        (None, 2),
    ]
    assert {edit.by_id for edit in made} == {lin.user_id}
    audit = Entry.objects.filter(verb="list.import").get()
    assert audit.data["rows"] == {"changed": 1, "new": 1, "same": 1}
    assert audit.data["sha256"] == run.sha256
    publishing.submit_for_review(version.pk, actor=lin, at=NOW)
    version = ListVersion.objects.get(pk=tree.pk)
    refused = publishing.refusal(version, "publish", list_manager("Pan Publisher"))
    assert refused is not None
    assert "Rehearse this draft" in str(refused)


def test_what_is_taken_over_is_what_changing_by_hand_gives(lin: Actor) -> None:
    by_hand = drafted(sensitivity_list(ListKind.ORGANISATION, owner=lin), [entry_values("o1", 1)], by=lin)
    by_file = drafted(sensitivity_list(ListKind.ORGANISATION, owner=lin), [entry_values("o1", 1)], by=lin)
    new = entry_values("o2", 2, label_zh="苏黎世联邦理工学院", label_en="ETH Zürich", aliases=["ETHZ"], country="CH")
    drafting.add(by_hand.pk, actor=lin, at=NOW, values=new)
    entry = by_hand.entries.get(code="o1")
    drafting.change(by_hand.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"label_en": "Renamed Institute"})
    run = read(
        by_file,
        lin,
        table([new | {"aliases": "ETHZ"}, {"code": "o1"} | entry_values("o1", 1, label_en="Renamed Institute")]),
    )
    importing.take_over(run.pk, actor=lin, at=NOW)

    def rows(version: ListVersion) -> list[Any]:
        skipped = {"id", "version_id", "lineage", "entry_id"}
        entries = [
            {k: v for k, v in row.items() if k not in skipped} for row in version.entries.order_by("code").values()
        ]
        names = EntryName.objects.filter(version=version).order_by("entry__code", "key").values()
        return [entries, [{k: v for k, v in row.items() if k not in skipped} for row in names]]

    assert rows(by_file) == rows(by_hand)


def test_replacing_removes_what_the_file_does_not_name(tree: ListVersion, lin: Actor) -> None:
    rows = [entry_values("cs"), entry_values("cs.AI", 1, parent="cs")]
    run = read(tree, lin, table(rows), "replace")
    assert run.counts == {"same": 1, "new": 1, "removed": 3}
    importing.take_over(run.pk, actor=lin, at=NOW)
    assert set(said(tree)) == {"cs", "cs.AI"}
    gone = tree.edits.filter(after__isnull=True)
    assert {edit.before["code"] for edit in gone if edit.before} == {"cs.CL", "cs.CR", "cs.CL.llm"}


def test_replacing_does_not_leave_an_entry_without_what_it_is_below(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["code"], ["cs"], ["cs.CL.llm"]], "replace")
    assert errors(run) == {3: [("parent", "There is no entry with this code in this version.")]}


def test_a_draft_that_was_changed_meanwhile_is_not_overwritten(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["code", "level"], ["cs", 3]])
    mo = list_manager("Mo Manager")
    drafting.change(tree.pk, tree.entries.get(code="cs.CR").lineage, actor=mo, at=NOW, edit=0, values={"level": 1})
    before = draft_of(tree)
    with pytest.raises(importing.Stale, match="changed since the file was read"):
        importing.take_over(run.pk, actor=lin, at=NOW)
    assert draft_of(tree) == before
    importing.read_again(run.pk, actor=lin, at=NOW)
    work_off()
    importing.take_over(run.pk, actor=lin, at=NOW)
    assert said(tree)["cs"] == ("", 3)
    assert said(tree)["cs.CR"] == ("cs", 1)


def test_a_file_is_taken_over_once(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["code", "level"], ["cs", 3]])
    importing.take_over(run.pk, actor=lin, at=NOW)
    before = draft_of(tree)
    for again in (importing.take_over, importing.read_again, importing.discard):
        with pytest.raises(NotNow):
            again(run.pk, actor=lin, at=NOW)
    assert draft_of(tree) == before


def test_only_list_managers_bring_files_and_only_into_drafts(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["code", "level"], ["cs", 3]])
    stranger = actor(UserFactory.create(), at=NOW)
    file = as_csv([["code"], ["cs"]])
    before = draft_of(tree)
    for refused in (
        lambda: importing.receive(tree.pk, actor=stranger, at=NOW, file=file),
        lambda: importing.take_over(run.pk, actor=stranger, at=NOW),
        lambda: importing.discard(run.pk, actor=stranger, at=NOW),
        lambda: importing.read_again(run.pk, actor=stranger, at=NOW),
    ):
        with pytest.raises(NotAllowed):
            refused()
    publishing.submit_for_review(tree.pk, actor=lin, at=NOW)
    with pytest.raises(NotNow):
        importing.take_over(run.pk, actor=lin, at=NOW)
    assert draft_of(tree)["entries"] == before["entries"]


def test_an_error_in_the_middle_of_taking_over_leaves_nothing(
    tree: ListVersion, lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read(tree, lin, table([entry_values("cs.AI", parent="cs"), entry_values("cs", 3)]))
    before = draft_of(tree)
    # What no file can hold, the database refuses as its last word: here a level that was changed behind its back.
    ImportRow.objects.filter(of=run, verdict="new").update(values=run.rows.get(verdict="new").values | {"level": 9})
    with pytest.raises(Exception, match="sensitivity_entry_level"), transaction.atomic():
        importing.take_over(run.pk, actor=lin, at=NOW)
    assert draft_of(tree) == before
    run.refresh_from_db()
    assert run.state == "read"


def test_discarding_keeps_the_file_and_what_was_found(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, [["code", "level"], ["cs", 3]])
    importing.discard(run.pk, actor=lin, at=NOW)
    run.refresh_from_db()
    assert run.state == "discarded"
    assert run.file.storage.exists(run.file.name)
    assert run.rows.count() == 1


def test_discarding_while_it_is_read_ends_the_reading(tree: ListVersion, lin: Actor) -> None:
    run = importing.receive(tree.pk, actor=lin, at=NOW, file=as_csv([["code"], ["cs"]]))
    importing.discard(run.pk, actor=lin, at=NOW)
    work_off()
    run.refresh_from_db()
    assert (run.state, run.rows.count()) == ("discarded", 0)
    assert Job.objects.get(pk=run.job_id).state == Job.State.DONE


# ── much ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def many(count: int) -> list[list[Any]]:
    return table(entry_values(f"c{n}", n % 3 + 1) for n in range(count))


def test_reading_goes_on_where_it_stopped(tree: ListVersion, lin: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    run = importing.receive(tree.pk, actor=lin, at=NOW, file=as_csv(many(25)))
    assert run.job_id
    for _look_and_first_two in range(3):
        work.run_batch(run.job_id, at=NOW)
    job = Job.objects.get(pk=run.job_id)
    assert (job.done, job.total) == (20, 25)
    importing._reading.close()  # as another worker would find it
    work_off()
    assert ImportRow.objects.filter(of=run).count() == 25
    assert run.rows.count() == run.rows.values("line").distinct().count()


def test_a_batch_that_is_lost_is_read_again_whole(
    tree: ListVersion, lin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    run = importing.receive(tree.pk, actor=lin, at=NOW, file=as_csv(many(25)))
    assert run.job_id
    work.run_batch(run.job_id, at=NOW)
    with transaction.atomic():
        work.run_batch(run.job_id, at=NOW)
        transaction.set_rollback(True)
    work_off()
    assert list(run.rows.order_by("line").values_list("line", flat=True)) == list(range(2, 27))


@pytest.mark.parametrize("rows", [1, 3])
def test_a_batch_costs_the_same_whatever_its_rows(
    tree: ListVersion, lin: Actor, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = importing.receive(tree.pk, actor=lin, at=NOW, file=as_csv(many(rows)))
    assert run.job_id
    work.run_batch(run.job_id, at=NOW)
    with django_assert_num_queries(8):  # two savepoints, the job twice, the file, its draft's entries, companies, rows
        work.run_batch(run.job_id, at=NOW)


def test_much_is_taken_over_in_the_worker(tree: ListVersion, lin: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    run = read(tree, lin, many(3))
    assert importing.is_for_the_worker(run)
    importing.take_over_in_worker(run.pk, actor=lin, at=NOW)
    work_off()
    run.refresh_from_db()
    assert run.state == "applied"
    assert {"c0", "c1", "c2"} < set(said(tree))


def test_the_worker_refuses_in_both_languages_what_a_page_would_refuse(tree: ListVersion, lin: Actor) -> None:
    run = read(tree, lin, many(3))
    importing.take_over_in_worker(run.pk, actor=lin, at=NOW)
    drafting.add(tree.pk, actor=lin, at=NOW, values=entry_values("new"))
    before = draft_of(tree)
    work_off()
    job = Job.objects.get(kind=importing.TAKE_OVER)
    assert job.state == Job.State.FAILED
    assert set(job.why) == {"en", "zh-hans"}
    assert "Read the file again" in job.why["en"]
    assert draft_of(tree) == before


# ── there and back ──────────────────────────────────────────────────────────────────────────────────────────────────

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=30).filter(
    resources.tidy
)
codes = st.from_regex(r"[A-Za-z0-9.=@+_-]{1,12}", fullmatch=True)
days = st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    first, last = draw(days), draw(days)
    if first and last and last < first:
        first, last = last, first
    return {
        "former_codes": draw(st.lists(codes, max_size=2)),
        "label_zh": draw(texts),
        "label_en": draw(texts),
        "aliases": draw(st.lists(texts, max_size=3)),
        "country": draw(st.sampled_from(["", "JP", "AT"])),
        "level": draw(st.integers(1, 3)),
        "reason_zh": draw(texts),
        "reason_en": draw(texts),
        "valid_from": first,
        "valid_until": last,
    }


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_what_is_exported_is_the_same_when_it_comes_back(lin: Actor, format: str, language: str) -> None:
    of = sensitivity_list(ListKind.ORGANISATION, owner=lin)
    version = drafted(of, [], by=lin)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(codes, entries(), min_size=1, max_size=4))
    def there_and_back(whole: dict[str, dict[str, Any]]) -> None:
        with transaction.atomic(), translation.override(language):
            ListEntry.objects.bulk_create(
                drafting.fill(ListEntry(version=version), values | {"code": code}) for code, values in whole.items()
            )
            columns = resources.columns_of(of.kind)
            rows = resources.written(version.entries.order_by("code"), columns, codes={})
            file = io.BytesIO(b"".join(files.pieces(format, rows, title=of.name, size=(len(whole) + 1, len(columns)))))
            run = read(version, lin, ContentFile(file.getvalue(), name="back"), "replace")
            assert (run.why, errors(run)) == ({}, {})
            assert run.counts == {"same": len(whole)}
            transaction.set_rollback(True)

    there_and_back()


@pytest.mark.parametrize("kind", ListKind.values)
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_the_template_is_a_file_that_can_be_taken_over(lin: Actor, kind: str, format: str) -> None:
    CompanyFactory.create(uscc="91110108MA01TMPL05")
    entries = [entry_values("cs.CL")] if kind == ListKind.TECHNOLOGY else []
    version = drafted(sensitivity_list(ListKind(kind), owner=lin), entries, by=lin)
    content = b"".join(files.pieces(format, resources.template(kind), title="t"))
    run = read(version, lin, ContentFile(content, name=f"t.{format}"))
    assert (run.why, errors(run), run.unknown) == ({}, {}, [])
    assert run.counts == {"new": 1}
    importing.take_over(run.pk, actor=lin, at=NOW)
    assert isinstance(version.entries.latest("pk").lineage, UUID)
