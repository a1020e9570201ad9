"""Files for drafts: received, read in the worker batch by batch, shown, then taken over whole or not at all.

Reading writes what each row would do (`ImportRow`) and changes no list. Taking over is one transaction of a few
statements, whatever the number of rows, and only while the draft is what it was when the file was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import zip_longest
from typing import IO, Any
from uuid import UUID

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import Count, Exists, Max, OuterRef
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.actors import actor_for
from accounts.refusals import Invalid, NotFound, NotNow, Problem
from accounts.roles import Actor, Role
from jobs import work
from jobs.models import Job, in_each_language
from sensitivity import drafting, files, names, publishing, resources
from sensitivity.files import Row, Shape, Unreadable
from sensitivity.models import NAMED_KINDS, Import, ImportRow, ListEntry, ListKind, ListVersion, SensitivityList

READ, TAKE_OVER = "list-import", "list-takeover"
"""The kinds of job: reading a file, and taking it over where that is too much for a page."""
BATCH = 1000
AT_ONCE = 2000
"""So many changes are taken over while the page waits; more of them in the worker."""
OF_PEOPLE = 0.05
"""A column in which more than this share of the cells are numbers of people makes the file one about people."""

State, Verdict, Mode = Import.State, ImportRow.Verdict, Import.Mode

_GONE = _("This file was discarded, or the draft that it was for.")
_STALE = _("The draft was changed since the file was read. Read the file again to see what it would do now.")


class Stale(NotNow):
    """The draft is not what it was when the file was read."""

    def __init__(self) -> None:
        super().__init__(_STALE)


# ── receiving ───────────────────────────────────────────────────────────────────────────────────────────────────────


def receive(version_id: int, *, actor: Actor, at: datetime, file: File[Any], mode: str = Mode.MERGE) -> Import:
    """Keep `file` and have the worker read it for a draft. Nothing of the draft changes.

    Refuses as `drafting.locked` does, and with Invalid at `file` what by its content or size cannot be a table.
    """
    with transaction.atomic():
        version = drafting.locked(version_id, actor=actor)
        assert actor.user_id is not None
        try:
            found = files.format_of(file)
        except Unreadable as refused:
            raise Invalid([Problem("", "file", refused.sentence)]) from None
        run = Import(
            version=version,
            mode=mode,
            name=_shown_name(file.name or "", found),
            sha256=_digest(file),
            format=found,
            by_id=actor.user_id,
            at=at,
        )
        file.seek(0)
        run.file.save("file", file, save=False)
        _start(run, at=at, by=actor.user_id, first=True)
    return run


def _shown_name(name: str, format: str) -> str:
    plain = "".join(sign for sign in name.replace("\\", "/").rsplit("/", 1)[-1] if sign.isprintable()).strip()
    return plain[-200:] or f"list.{format}"


def _digest(file: File[Any]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _start(run: Import, *, at: datetime, by: int, first: bool = False) -> None:
    run.state, run.content, run.counts, run.unknown, run.why, run.ended_at = State.READING, None, {}, [], {}, None
    run.save(force_insert=first)
    run.job = work.enqueue(READ, by=by, at=at, subject=str(run.pk))
    run.save(update_fields=["job"])


def _locked(import_id: UUID) -> Import:
    run = (
        Import.objects.select_for_update(of=("self",)).select_related("version__list", "job").filter(pk=import_id)
    ).first()
    if run is None:
        raise NotFound(_("There is no such file."))
    return run


def read_again(import_id: UUID, *, actor: Actor, at: datetime) -> Import:
    """Read a file that is kept once more, against the draft as it is now. NotNow for one that is being read, was taken
    over, or is not kept; otherwise refuses as `drafting.locked` does."""
    with transaction.atomic():
        drafting.locked(_version_of(import_id), actor=actor)
        run = _locked(import_id)
        assert actor.user_id is not None
        if run.state == State.APPLIED or not run.file:
            raise NotNow(_("This file cannot be read again. Send it anew."))
        if run.state == State.READING and run.job and not run.job.is_over:
            raise NotNow(_("The file is being read already."))
        run.rows.all().delete()
        _start(run, at=at, by=actor.user_id)
    return run


def discard(import_id: UUID, *, actor: Actor, at: datetime) -> Import:
    """Decide that nothing is taken over from a file. The file and what was found in it are kept."""
    with transaction.atomic():
        drafting.locked(_version_of(import_id), actor=actor)
        run = _locked(import_id)
        if not run.is_open:
            raise NotNow(_("This file is done with already."))
        run.state, run.ended_at = State.DISCARDED, at
        run.save(update_fields=["state", "ended_at"])
    return run


def _version_of(import_id: UUID) -> int:
    found = Import.objects.filter(pk=import_id).values_list("version_id", flat=True).first()
    if found is None:
        raise NotFound(_("There is no such file."))
    return found


# ── reading, in the worker ──────────────────────────────────────────────────────────────────────────────────────────


def read_some(job: Job, at: datetime) -> bool:
    """The next batch of a file: first its shape, then its rows, at last what only all of them together can tell."""
    run = Import.objects.select_for_update(of=("self",)).select_related("version__list").filter(pk=job.subject).first()
    if run is None or run.state != State.READING:
        return True  # discarded meanwhile: nothing is left to do
    try:
        match job.cursor.get("phase"):
            case None:
                _look(run, job)
                return False
            case "rows":
                _read_rows(run, job)
                return False
            case _:
                _conclude(run, at)
                return True
    except Unreadable as refused:
        run.state, run.why, run.ended_at = State.REFUSED, in_each_language(refused.sentence), at
        run.rows.all().delete()
        if isinstance(refused, _OfPeople):
            kept, storage = str(run.file.name), run.file.storage
            transaction.on_commit(lambda: storage.delete(kept))
            run.file = ""
        run.save()
        return True


class _OfPeople(Unreadable):
    def __init__(self, columns: Iterable[str]) -> None:
        super().__init__(
            files.said(
                _(
                    "The file says something of people: %(columns)s. A list names technologies, places, organisations, "
                    "projects and events; never persons. Take these columns out. The file was not kept."
                ),
                columns=", ".join(f"“{name}”" for name in list(columns)[: files.SHOWN]),
            )
        )


_UNKNOWN, _UNNAMED = "", None
"""What stands for a column whose heading means nothing here, and for one without a heading."""


def _column(heading: str, known: Container[str]) -> str | None:
    if not heading:
        return _UNNAMED
    found = resources.field_of(heading)
    return found if found in known else _UNKNOWN


def _look(run: Import, job: Job) -> None:
    kind = run.version.list.kind
    with run.file.open("rb") as file:
        shape = files.examine(file, is_known=lambda word: bool(resources.field_of(word)))
    people = [name for name in shape.header if not resources.field_of(name) and resources.is_about_a_person(name)]
    if people:
        raise _OfPeople(people)
    known = {column.field for column in resources.columns_of(kind)}
    columns = [_column(name, known) for name in shape.header]
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        same = [name for name, field in zip(shape.header, columns, strict=True) if field in twice]
        raise Unreadable(
            files.said(_("Several columns mean the same: %(names)s. Keep one of them."), names=", ".join(same))
        )
    if missing := [
        column for column in resources.COLUMNS if column.field in resources.required_of(kind) - set(columns)
    ]:
        called = [f"{column.zh} / {column.en}" for column in missing]
        raise Unreadable(
            files.said(
                _("A column is missing: %(names)s. Without it no entry is known again."), names=", ".join(called)
            )
        )
    run.encoding = files.name_of_encoding(shape.encoding) if shape.encoding else ""
    run.unknown = [name for name, field in zip(shape.header, columns, strict=True) if field == _UNKNOWN]
    run.content = run.version.content
    run.save(update_fields=["encoding", "unknown", "content"])
    job.total = shape.rows
    job.cursor = {
        "phase": "rows",
        "line": shape.header_line,
        "shape": asdict(shape),
        "columns": columns,
        "people": [[0, 0] for _column in columns],
    }


def _read_rows(run: Import, job: Job) -> None:
    cursor = job.cursor
    shape = Shape(**{**cursor["shape"], "header": tuple(cursor["shape"]["header"])})
    batch = _reading.some(run, job, shape, after=cursor["line"], count=BATCH)
    _count_people(batch, cursor["people"], shape.header)
    ImportRow.objects.bulk_create(_judged(run, batch, cursor["columns"]))
    job.done += len(batch)
    if len(batch) < BATCH:
        job.cursor = {"phase": "whole"}
        _reading.close()
    else:
        job.cursor = cursor | {"line": batch[-1].line}


def _count_people(batch: Sequence[Row], counted: list[list[int]], header: Sequence[str]) -> None:
    """Add to `counted` for each column [numbers of people, cells]; refuse the file when there are too many."""
    for row in batch:
        for count, cell in zip(counted, row.cells, strict=False):
            if cell not in (None, ""):
                count[1] += 1
                count[0] += resources.is_number_of_a_person(cell)
    of_people = [people > OF_PEOPLE * cells for people, cells in counted]
    if any(of_people):
        raise _OfPeople(name or "–" for name, is_it in zip(header, of_people, strict=True) if is_it)


class _Reading:
    """The file that this process is reading, open at the row where the last batch ended.

    What it holds is never needed: a batch that begins elsewhere (another file, a batch that was lost, a worker that
    was killed) opens the file anew and passes over what was read.
    """

    def __init__(self) -> None:
        self._at: tuple[UUID, UUID, int] | None = None
        self._rows: Iterator[Row] = iter(())
        self._file: IO[bytes] | None = None

    def some(self, run: Import, job: Job, shape: Shape, *, after: int, count: int) -> list[Row]:
        """The next `count` rows that begin after this line; fewer at the end of the file."""
        if self._at != (run.pk, job.pk, after):
            self.close()
            self._file = run.file.storage.open(str(run.file.name))
            self._rows = (row for row in files.rows(self._file, shape) if row.line > after)
        try:
            found = [row for _number, row in zip(range(count), self._rows, strict=False)]
        except BaseException:
            self.close()
            raise
        self._at = (run.pk, job.pk, found[-1].line) if found else None
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._at, self._rows = None, iter(())
        if self._file is not None:
            with suppress(ValueError):
                self._file.close()
            self._file = None


_reading = _Reading()


# ── what a row would do ─────────────────────────────────────────────────────────────────────────────────────────────

Key = tuple[str, int | None]


@dataclass(slots=True)
class _Said:
    """One row, understood: what it says, the code that it had before, and what is wrong."""

    line: int
    values: dict[str, Any]
    previous: str
    problems: list[Problem]

    @property
    def key(self) -> Key:
        return self.values.get("code", ""), self.values.get("company_id")


_EMPTY: dict[str, Any] = {
    "code": "",
    "former_codes": [],
    "parent": "",
    "label_zh": "",
    "label_en": "",
    "aliases": [],
    "country": "",
    "company_id": None,
    "level": None,
    "reason_zh": "",
    "reason_en": "",
    "valid_from": None,
    "valid_until": None,
}


def _judged(run: Import, batch: Sequence[Row], columns: Sequence[str | None]) -> list[ImportRow]:
    """The rows of a batch with what each would do to the draft as it is now. Two queries, however many rows."""
    kind = run.version.list.kind
    companies = resources.companies()
    said = [_understood(row, columns, kind, companies) for row in batch]
    codes = {one.values.get("code", "") for one in said} | {one.previous for one in said}
    present: dict[Key, dict[str, Any]] = {}
    renamed: dict[Key, dict[str, Any]] = {}
    for entry in run.version.entries.filter(code__in=codes - {""}):
        present[entry.code, entry.company_id] = drafting.values_of(entry) | {"lineage": entry.lineage}
        for former in entry.former_codes:
            renamed[former, entry.company_id] = present[entry.code, entry.company_id]
    return [_judge(run, one, kind, present, renamed) for one in said]


def _understood(row: Row, columns: Sequence[str | None], kind: str, companies: Mapping[str, int]) -> _Said:
    cells = dict.fromkeys((name for name in columns if name), None) | {
        name: cell for name, cell in zip(columns, row.cells, strict=False) if name
    }
    values, previous, problems = resources.read(kind, cells, companies=companies)
    headless = [cell for name, cell in zip_longest(columns, row.cells, fillvalue=None) if name is _UNNAMED]
    if any(cell not in (None, "") for cell in headless):
        problems.append(Problem("", "", _("A cell of this row stands below no heading.")))
    return _Said(row.line, values, previous, problems)


def _judge(
    run: Import,
    said: _Said,
    kind: str,
    present: Mapping[Key, dict[str, Any]],
    renamed: Mapping[Key, dict[str, Any]],
) -> ImportRow:
    code, company = said.key
    is_renaming = bool(said.previous) and said.previous != code
    found = present.get((said.previous, company)) if is_renaming else present.get((code, company))
    if found is None and is_renaming:
        # Read a second time: it has the new code already, and the previous one among its former codes.
        there = renamed.get((said.previous, company))
        found = there if there and there["code"] == code else None
        if found is None:
            said.problems.append(Problem("", "previous_code", _("No entry of this draft has this previous code.")))
    before = {name: found[name] for name in drafting.FIELDS} if found else None
    values = (before or _EMPTY) | said.values
    if before and values["code"] != before["code"]:
        values["former_codes"] = sorted({*values["former_codes"], before["code"]} - {values["code"]})
    misread = {problem.field for problem in said.problems}
    # What could not be understood is empty here: once said is enough.
    missing = [one for one in drafting.problems(kind, values) if not one.field or one.field not in misread]
    wrong = said.problems + missing
    row = ImportRow(of=run, line=said.line, code=str(values["code"])[:80], values=values, before=before or {})
    row.lineage = found["lineage"] if found else uuid7()
    if wrong:
        row.verdict, row.errors = Verdict.ERROR, [_kept(problem) for problem in wrong]
    elif before is None:
        row.verdict = Verdict.NEW
    elif resources.comparable(values) == resources.comparable(before):
        row.verdict, row.before = Verdict.SAME, {}
        row.values = {name: before[name] for name in ("code", "parent", "company_id", "label_zh", "label_en")}
    else:
        row.verdict = Verdict.CHANGED
    if kind in NAMED_KINDS and row.verdict in (Verdict.NEW, Verdict.CHANGED):
        row.names = names.values(**{name: values[name] for name in ("label_zh", "label_en", "aliases")})
    return row


def _kept(problem: Problem) -> dict[str, Any]:
    return {"field": problem.field, "message": in_each_language(problem.message)}


# ── what only all rows together can tell ────────────────────────────────────────────────────────────────────────────


def _conclude(run: Import, at: datetime) -> None:
    _find_duplicates(run)
    if run.version.list.kind == ListKind.TECHNOLOGY:
        _check_tree(run)
    if run.mode == Mode.REPLACE:
        _find_removed(run)
    run.counts = dict(run.rows.order_by().values_list("verdict").annotate(Count("pk")))
    run.state = State.READ
    run.save()


def _add_problems(run: Import, found: Mapping[int, Sequence[Problem]]) -> None:
    """Say what is wrong at the lines of `found`, beside what is said there already."""
    lines = sorted(found)
    for start in range(0, len(lines), BATCH):
        rows = list(run.rows.filter(line__in=lines[start : start + BATCH]))
        for row in rows:
            row.verdict = Verdict.ERROR
            row.errors = [*row.errors, *map(_kept, found[row.line])]
        ImportRow.objects.bulk_update(rows, ["verdict", "errors"])


_SAME_CODE = """
    SELECT line, first FROM (
        SELECT line, min(line) OVER (PARTITION BY code, "values"->'company_id') AS first
        FROM sensitivity_importrow WHERE of_id = %(run)s AND code <> ''
    ) rows WHERE line <> first
"""
_SAME_ENTRY = """
    SELECT line, first FROM (
        SELECT line, code, min(line) OVER w AS first, first_value(code) OVER (w ORDER BY line) AS first_code
        FROM sensitivity_importrow WHERE of_id = %(run)s WINDOW w AS (PARTITION BY lineage)
    ) rows WHERE line <> first AND code <> first_code
"""
_TAKEN = """
    SELECT row.line, 0 FROM sensitivity_importrow row
    JOIN sensitivity_listentry e ON e.version_id = %(version)s AND e.code = row.code
        AND to_jsonb(e.company_id) IS NOT DISTINCT FROM NULLIF(row."values"->'company_id', 'null')
    WHERE row.of_id = %(run)s AND row.verdict IN ('new', 'changed') AND e.lineage <> row.lineage
    AND NOT EXISTS (SELECT FROM sensitivity_importrow other WHERE other.of_id = %(run)s AND other.lineage = e.lineage)
"""


def _find_duplicates(run: Import) -> None:
    found: dict[int, list[Problem]] = {}

    def ask(statement: str, problem: Callable[[int], Problem]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"run": run.pk, "version": run.version_id})
            for line, first in cursor.fetchall():
                found.setdefault(line, []).append(problem(first))

    def same_code(first: int) -> Problem:
        return Problem("", "code", files.said(_("Line %(line)d has this code already."), line=first))

    def same_entry(first: int) -> Problem:
        return Problem("", "previous_code", files.said(_("Line %(line)d changes the same entry."), line=first))

    def taken(_first: int) -> Problem:
        return Problem("", "code", _("Another entry of this version has this code."))

    ask(_SAME_CODE, same_code)
    ask(_SAME_ENTRY, same_entry)
    if run.mode == Mode.MERGE:
        ask(_TAKEN, taken)
    _add_problems(run, found)


def _check_tree(run: Import) -> None:
    """Every parent must be there in the end, and none may be below itself."""
    named = run.rows.exclude(code="").order_by("line")
    rows = list(named.values_list("line", "code", "values__parent", "before__code"))
    final = {code: parent or "" for _line, code, parent, _before in rows}
    if run.mode == Mode.MERGE:
        others = run.version.entries.exclude(_is_named(run)).values_list("code", "parent")
        final = dict(others) | final
    # Who renames an entry need not rename it in every row below it.
    renamed = {old: code for _line, code, _parent, old in rows if old and old != code and old not in final}
    parents = {code: renamed.get(parent, parent) for code, parent in final.items()}
    on_circles = _circles(parents)
    found: dict[int, list[Problem]] = {}
    for line, code, parent, _before in rows:
        if parent and renamed.get(parent, parent) not in parents:
            problem = Problem("", "parent", _("There is no entry with this code in this version."))
        elif code in on_circles:
            around = files.said(
                _("That goes round in a circle: %(codes)s. One of them must be part of something else, or of nothing."),
                codes=" → ".join(on_circles[code]),
            )
            problem = Problem("", "parent", around)
        else:
            continue
        found[line] = [problem]
    _add_problems(run, found)


def _circles(parents: Mapping[str, str]) -> dict[str, list[str]]:
    """Each code that is above itself, with the way round from it up to it again (of a long way: its ends)."""
    done: set[str] = set()
    found: dict[str, list[str]] = {}
    for start in parents:
        way: list[str] = []
        place: dict[str, int] = {}
        code = start
        while code and code in parents and code not in done and code not in place:
            place[code] = len(way)
            way.append(code)
            code = parents[code]
        if code in place:
            circle = way[place[code] :]
            found |= {one: _way_round(circle, at) for at, one in enumerate(circle)}
        done.update(way)
    return found


def _way_round(circle: Sequence[str], at: int) -> list[str]:
    if len(circle) <= 8:
        return [*circle[at:], *circle[: at + 1]]
    ahead, behind = range(at, at + 4), range(at - 3, at + 1)
    return [*(circle[n % len(circle)] for n in ahead), "…", *(circle[n % len(circle)] for n in behind)]


def _is_named(run: Import) -> Exists:
    """Of an entry: whether a row of the file is about it."""
    return Exists(run.rows.filter(lineage=OuterRef("lineage")))


def _find_removed(run: Import) -> None:
    """A row for each entry that the file does not name, after its end."""
    last = run.rows.aggregate(last=Max("line"))["last"] or 0
    # A row with an error may name its entry by its code only.
    mistaken = run.rows.filter(verdict=Verdict.ERROR)
    is_mistaken = Exists(mistaken.filter(code=OuterRef("code")))
    gone = run.version.entries.exclude(_is_named(run)).exclude(is_mistaken).order_by("code", "pk")
    ImportRow.objects.bulk_create(
        (
            ImportRow(
                of=run,
                line=last + number,
                verdict=Verdict.REMOVED,
                code=entry.code,
                lineage=entry.lineage,
                before=drafting.values_of(entry),
            )
            for number, entry in enumerate(gone.iterator(chunk_size=BATCH), 1)
        ),
        batch_size=BATCH,
    )


# ── taking over ─────────────────────────────────────────────────────────────────────────────────────────────────────


def is_for_the_worker(run: Import) -> bool:
    """Whether taking over is so much that a page should not wait for it."""
    return run.changes > AT_ONCE


def take_over_in_worker(import_id: UUID, *, actor: Actor, at: datetime) -> Job:
    """Have the worker do `take_over`. Refuses what it would refuse now."""
    with transaction.atomic():
        run, _version = _ready(import_id, actor=actor)
        run.job = work.enqueue(TAKE_OVER, by=actor.user_id, at=at, subject=str(run.pk))
        run.save(update_fields=["job"])
        return run.job


def take_over_step(job: Job, at: datetime) -> bool:
    """The worker's part of it: one step, because it is one transaction."""
    assert job.by is not None
    take_over(UUID(job.subject), actor=actor_for(job.by, at=at), at=at)
    job.total = job.done = 1
    return True


def _ready(import_id: UUID, *, actor: Actor) -> tuple[Import, ListVersion]:
    """The file and its draft, locked like everybody does (list, draft, then the rest), fit to be taken over."""
    version_id = _version_of(import_id)
    of = ListVersion.objects.values("list_id").filter(pk=version_id)
    SensitivityList.objects.select_for_update(of=("self",), no_key=True).get(pk__in=of)
    version = drafting.locked(version_id, actor=actor)
    run = _locked(import_id)
    if run.state != State.READ:
        raise NotNow(_("Only a file that was read, and not yet taken over or discarded, can be taken over."))
    if run.counts.get(Verdict.ERROR):
        raise NotNow(_("There are rows with errors. Mend them in the file and send it again; nothing was taken over."))
    if run.content != version.content:
        raise Stale
    return run, version


def take_over(import_id: UUID, *, actor: Actor, at: datetime) -> Import:
    """Make the draft what the file says: every row of it, or nothing.

    Refuses as `drafting.locked` does, with Stale when the draft was changed since the file was read, and with NotNow
    while rows have errors or when it was taken over before.
    """
    with transaction.atomic():
        run, version = _ready(import_id, actor=actor)
        assert actor.user_id is not None
        if run.changes:
            _apply(run, version, by=actor.user_id, at=at)
            drafting.touched(version)
        publishing.record(
            version.list,
            "list.import",
            actor=actor,
            at=at,
            data={"version": version.number, "file": run.name, "sha256": run.sha256, "rows": run.counts},
        )
        run.state, run.ended_at = State.APPLIED, at
        run.save(update_fields=["state", "ended_at"])
    return run


def _columns() -> dict[str, str]:
    """The columns of an entry that a file fills, each with its type in the database."""
    columns = {}
    for name in drafting.FIELDS:
        field = ListEntry._meta.get_field(name.removesuffix("_id"))
        columns[str(field.column)] = str(field.db_type(connection))  # type: ignore[union-attr]
    return columns


def _apply(run: Import, version: ListVersion, *, by: int, at: datetime) -> None:
    version.entries.filter(lineage__in=run.rows.filter(verdict=Verdict.REMOVED).values("lineage")).delete()
    values: dict[str, Any] = {"run": run.pk, "version": version.pk, "by": by, "at": at}
    with connection.cursor() as cursor:
        # The rows were written a moment ago and no statistics know of them: taken for few, each would be looked for
        # among all.
        cursor.execute("SET LOCAL enable_nestloop = off")
        for statement in _statements():
            cursor.execute(statement, values)
        cursor.execute("SET LOCAL enable_nestloop = on")
    if version.list.kind == ListKind.TECHNOLOGY:
        drafting.derive_paths(version.pk)


def _statements() -> list[str]:
    """What makes the draft what the file says, once the entries that are removed are gone."""
    columns = _columns()
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    record = f'jsonb_to_record(row."values") AS said({typed})'
    names, said = ", ".join(columns), ", ".join(f"said.{name}" for name in columns)
    return [
        # What every entry said before and says now, as when somebody had changed each by hand.
        """
        INSERT INTO sensitivity_edit (version_id, lineage, by_id, at, before, after)
        SELECT %(version)s, lineage, %(by)s, %(at)s, CASE WHEN verdict <> 'new' THEN before END,
            CASE WHEN verdict <> 'removed' THEN "values" END
        FROM sensitivity_importrow WHERE of_id = %(run)s AND verdict IN ('new', 'changed', 'removed') ORDER BY line
        """,
        # Two entries may exchange their codes: each lets go of its own first.
        """
        UPDATE sensitivity_listentry e SET code = row.lineage::text FROM sensitivity_importrow row
        WHERE e.version_id = %(version)s AND row.of_id = %(run)s AND row.verdict = 'changed'
            AND e.lineage = row.lineage AND e.code <> row.code
        """,
        f"""
        UPDATE sensitivity_listentry e SET ({names}, edit) = ROW({said}, e.edit + 1)
        FROM sensitivity_importrow row, {record}
        WHERE e.version_id = %(version)s AND row.of_id = %(run)s AND row.verdict = 'changed' AND e.lineage = row.lineage
        """,  # noqa: S608
        f"""
        INSERT INTO sensitivity_listentry (version_id, lineage, path, edit, {names})
        SELECT %(version)s, row.lineage, '{{}}', 0, {said} FROM sensitivity_importrow row, {record}
        WHERE row.of_id = %(run)s AND row.verdict = 'new' ORDER BY row.line
        """,  # noqa: S608
        # Who renames an entry need not rename it in every row below it.
        """
        UPDATE sensitivity_listentry e SET parent = row.code FROM sensitivity_importrow row
        WHERE e.version_id = %(version)s AND row.of_id = %(run)s AND row.verdict = 'changed'
            AND e.parent = row.before->>'code' AND e.parent <> row.code
            AND NOT EXISTS (
                SELECT FROM sensitivity_listentry o WHERE o.version_id = %(version)s AND o.code = e.parent
            )
        """,
        # The names by which entries are found were worked out while the file was read.
        """
        DELETE FROM sensitivity_entryname n USING sensitivity_listentry e, sensitivity_importrow row
        WHERE n.entry_id = e.id AND e.version_id = %(version)s AND e.lineage = row.lineage
            AND row.of_id = %(run)s AND row.verdict = 'changed'
        """,
        """
        INSERT INTO sensitivity_entryname (entry_id, version_id, key, name, form, blocks)
        SELECT e.id, e.version_id, found.key, found.name, found.form, found.blocks
        FROM sensitivity_importrow row
        JOIN sensitivity_listentry e ON e.version_id = %(version)s AND e.lineage = row.lineage,
        jsonb_to_recordset(row.names) AS found(key text, name text, form text, blocks int[])
        WHERE row.of_id = %(run)s AND row.verdict IN ('new', 'changed')
        """,
    ]


# ── the jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _may_see(job: Job, actor: Actor) -> bool:
    return bool(actor.roles & {Role.LIST_MANAGER, Role.AUDITOR})


def _result_url(job: Job) -> str:
    return reverse("list_import", args=[job.subject])


def register() -> None:
    """Make the worker know both kinds of job. Called once, when the app is ready."""
    of_lists: dict[str, Any] = {"result_url": _result_url, "may_see": _may_see}
    work.register(work.Work(kind=READ, label=_("Reading the file"), step=read_some, **of_lists))
    work.register(work.Work(kind=TAKE_OVER, label=_("Taking the file over"), step=take_over_step, **of_lists))
