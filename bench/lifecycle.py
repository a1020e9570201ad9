"""A case from submission to approval through the workflow, one client, against one bare statement a step.

Ours: submit, endorse, take, approve, each its own transaction, as a page or the API calls them: scope, lock, rules,
assessment, clocks, hash-chained audit, outbox and the hint to the worker; nothing is switched off.
Floor: psycopg2 alone, one compare-and-set statement a step that writes the same rows, values and all: they are taken
from a run of ours that was rolled back, so keys, hashes and due dates are made beforehand. Beside it, to compare, the
same statements kept by the server (PREPARE), which ours uses too. To reach: at least 0.5 of the floor.
"""

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg2
import psycopg2.extras
from django.db import connection, connections, transaction
from django.utils import timezone
from stdnum.cn import uscc
from uuid_utils.compat import uuid7

from accounts.actors import actor_for
from accounts.models import RoleAssignment, User
from accounts.roles import Actor, Role
from approvals import journal, rules, workflow
from approvals.demo.grounds import enacted
from approvals.models import Assessment, Clock, TravelRequest
from approvals.states import State
from audit.models import Entry
from authorities.models import Office, Posting
from bench import Result, Say
from companies.models import Company, Membership
from config.celery import app
from employees.models import Employee
from notifications.models import OutboxEvent
from sensitivity import drafting, publishing
from sensitivity.models import ListKind, Rehearsal

ROWS = 60
ROUNDS = 7
Statement = tuple[str, list[Any]]
# A case of the floor: its four statements. A case of ours: its request, by these people.
FloorCase = list[Statement]


@dataclass(frozen=True)
class Case:
    """A complete draft and the people who bring it to its approval."""

    request_id: UUID
    applicant: Actor
    officer: Actor
    reviewer: Actor

    def run(self) -> None:
        """The four steps, as pages call them."""
        workflow.submit(self.request_id, actor=self.applicant, at=timezone.now())
        workflow.endorse(self.request_id, actor=self.officer, at=timezone.now())
        workflow.take(self.request_id, actor=self.reviewer, at=timezone.now(), no_conflict=True)
        workflow.approve(self.request_id, actor=self.reviewer, at=timezone.now(), text="Nothing to restrict.")


# ── what is there before ────────────────────────────────────────────────────────────────────────────────────────────


class Setting:
    """An office, a company, a list, an officer, a reviewer: all new for this run, on whatever else is there."""

    def __init__(self) -> None:
        self.now = timezone.now()
        since = datetime(2021, 1, 1, tzinfo=UTC)
        self.since = since.date()
        # Random throughout: names of earlier runs must not resemble it.
        self.name = uuid4().hex
        self.office = Office.objects.create(code=f"B{self.name[:18].upper()}", name_zh="测", name_en="Bench", city="B")
        base = f"91110108{uuid7().int % 10**9:09d}"
        self.company = Company.objects.create(
            uscc=base + uscc.calc_check_digit(base), name_zh="测", name_en=f"Bench {self.name}", office=self.office
        )
        self.officer, self.reviewer = self._user("officer"), self._user("reviewer")
        Membership.objects.create(user=self.officer, company=self.company, starts_at=since)
        Posting.objects.create(
            user=self.reviewer, office=self.office, role=Role.REVIEWER, number="0417", starts_at=since
        )
        self._list()

    def _user(self, name: str) -> User:
        return User.objects.create(email=f"{name}.{self.name}@bench.example", name=name)

    def _list(self) -> None:
        """A published list with one entry that every case touches, so that each assessment has something to keep."""
        author, publisher = (self._list_manager(name) for name in ("author", "publisher"))
        assert author.user_id is not None
        basis = enacted(
            {
                "title_zh": "测",
                "title_en": "Bench",
                "article_zh": "第一条",
                "article_en": "Article 1",
                "url": "https://law.example/",
                "published_on": self.since,
                "effective_from": self.since,
            }
        )
        kept = publishing.found(
            actor=author,
            at=self.now,
            values={
                "kind": ListKind.ORGANISATION,
                "name_zh": "测",
                "name_en": "Bench",
                "owner_id": author.user_id,
                "legal_basis": basis,
            },
        )
        version = publishing.draft(kept.pk, actor=author, at=self.now)
        texts = {"label_zh": "测", "label_en": "Bench", "aliases": [self.name], "reason_zh": "测", "reason_en": "Bench"}
        drafting.add(version.pk, actor=author, at=self.now, values={"code": self.name, "level": 1} | texts)
        publishing.submit_for_review(version.pk, actor=author, at=self.now)
        Rehearsal.objects.create(
            version=version, content=1, days=1, by_id=author.user_id, at=self.now, finished_at=self.now
        )
        publishing.publish(version.pk, actor=publisher, at=self.now, on=publishing.today(self.now))

    def _list_manager(self, name: str) -> Actor:
        user = self._user(name)
        RoleAssignment.objects.create(user=user, role=Role.LIST_MANAGER, starts_at=self.now)
        return actor_for(user, at=self.now)

    def cases(self, count: int) -> list[Case]:
        """So many complete drafts, each of an employee of its own."""
        officer, reviewer = (actor_for(user, at=self.now) for user in (self.officer, self.reviewer))
        first = timezone.localdate() + timedelta(days=60)
        found = []
        for number in range(count):
            user = self._user(f"applicant{uuid7().hex}")
            employee = Employee(
                user=user, company=self.company, number=uuid7().hex, name_en="Bench", employed_from=date(2021, 1, 1)
            )
            employee.save()
            applicant = actor_for(user, at=self.now)
            request = workflow.start(actor=applicant, at=self.now, employee_id=employee.pk)
            self.fill(request, actor=applicant, number=number, begins=first)
            found.append(Case(request.pk, applicant, officer, reviewer))
        return found

    def fill(self, request: TravelRequest, *, actor: Actor, number: int, begins: date) -> None:
        """Write everything that a draft needs before it can be submitted: six days in one place."""
        workflow.save_section(
            request.pk,
            actor=actor,
            at=self.now,
            section="all",
            values={
                "title": f"ICLR in San Francisco {number}",
                "purpose": "conference",
                "description": "I present our paper on retrieval. " * 10,
                "event_name": "ICLR",
                "topics": ["cs.IR", "cs.LG"],
                "devices": ["travel_laptop"],
                "declarations": [code for code, _text in rules.DECLARATIONS],
            },
            legs=[
                {
                    "country": "US",
                    "city": "San Francisco",
                    "arrives_on": begins,
                    "leaves_on": begins + timedelta(days=5),
                    "host": self.name,
                }
            ],
        )


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def statements_of(case: Case) -> FloorCase:
    """What ours writes in the four steps of `case`: each step's one statement, with the condition on the state before.

    The case is as it was afterwards.
    """
    written: FloorCase = []
    make = journal.statement

    def keep(*rows: Any) -> Any:
        made = make(*rows)
        assert made is not None
        written.append((made[0], list(made[1])))
        return made

    with _rolled_back(), patch.object(journal, "statement", keep):
        case.run()
    before = (State.DRAFT, State.COMPANY_REVIEW, State.AUTHORITY_REVIEW, State.AUTHORITY_REVIEW)
    return [
        (f"{sql} AND state = %s", [*values, state.value]) for (sql, values), state in zip(written, before, strict=True)
    ]


def count_statements(case: Case) -> int:
    """How many statements one case takes, BEGIN and COMMIT not counted. The case is as it was afterwards."""
    seen = 0

    def tally(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += "SAVEPOINT" not in sql
        return execute(sql, params, many, context)

    with _rolled_back(), connection.execute_wrapper(tally):
        case.run()
    return seen


# ── the two ways ────────────────────────────────────────────────────────────────────────────────────────────────────


def run_ours(cases: Sequence[Case]) -> None:
    for case in cases:
        case.run()


def bare_connection() -> Any:
    """psycopg2 alone, on the same database as the same role, each statement its own transaction."""
    where = connection.get_connection_params()
    bare = psycopg2.connect(**{name: value for name, value in where.items() if name != "cursor_factory"})
    bare.autocommit = True
    psycopg2.extras.register_uuid(conn_or_curs=bare)  # type: ignore[no-untyped-call]
    return bare


def run_floor(cases: Sequence[FloorCase], *, bare: Any) -> None:
    with bare.cursor() as cursor:
        for case in cases:
            for sql, values in case:
                cursor.execute(sql, values)
                assert cursor.rowcount == 1


def prepare(cases: Sequence[FloorCase], *, bare: Any) -> list[FloorCase]:
    """The same cases as calls of statements that the server keeps for this connection."""
    calls: dict[str, str] = {}
    with bare.cursor() as cursor:
        for sql in {sql for case in cases for sql, _values in case}:
            parts = sql.replace("%%", "%").split("%s")
            numbered = parts[0] + "".join(f"${n}{part}" for n, part in enumerate(parts[1:], 1))
            name = f"floor_{uuid7().hex}"
            cursor.execute(f"PREPARE {name} AS {numbered}")
            calls[sql] = f"EXECUTE {name} ({', '.join(['%s'] * (len(parts) - 1))})"
    return [[(calls[sql], values) for sql, values in case] for case in cases]


# ── clients ─────────────────────────────────────────────────────────────────────────────────────────────────────────


OURS, FLOOR, KEPT = "through the workflow", "one bare statement a step", "the same, kept by the server"
Batches = dict[str, list[Any]]


def _client(pipe: Any, batches: Batches) -> None:
    """One client in a process of its own: runs the batch that it is told to, with connections of its own."""
    bare = bare_connection()
    connection.ensure_connection()
    kept = [prepare(batch, bare=bare) for batch in batches[KEPT]]
    pipe.send("ready")
    while (told := pipe.recv()) is not None:
        way, number = told
        if way == OURS:
            run_ours(batches[OURS][number])
        else:
            run_floor((kept if way == KEPT else batches[FLOOR])[number], bare=bare)
        pipe.send("done")
    connections.close_all()
    os._exit(0)


class Clients:
    """So many processes that run their batches at once."""

    def __init__(self, count: int, batches: Batches) -> None:
        """`batches` holds for each way a batch for each round; every client does its part of each."""
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        self.pipes = []
        for number in range(count):
            mine, theirs = fork.Pipe()
            parts = {way: [batch[number::count] for batch in rounds] for way, rounds in batches.items()}
            fork.Process(target=_client, args=(theirs, parts), daemon=True).start()
            theirs.close()  # so that a client that died is noticed
            self.pipes.append(mine)
        for pipe in self.pipes:
            pipe.recv()

    def run(self, way: str, number: int) -> float:
        """Seconds until the last client has done its part of batch `number`."""
        begin = time.perf_counter()
        for pipe in self.pipes:
            pipe.send((way, number))
        for pipe in self.pipes:
            pipe.recv()
        return time.perf_counter() - begin

    def stop(self) -> None:
        for pipe in self.pipes:
            pipe.send(None)


def _vacuum() -> None:
    """What rolled-back runs left behind must not weigh on either side."""
    with connections["owner"].cursor() as cursor:
        for model in (TravelRequest, Clock, Assessment, Entry, OutboxEvent):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    connections["owner"].close()


def measure(*, rows: int, clients: int, say: Say) -> Result:
    """`rows` cases a round on each side, in `clients` processes, alternating; medians of the rounds."""
    setting = Setting()
    rounds = ROUNDS + 1  # the first one warms all sides up and does not count
    ours = [setting.cases(rows) for _ in range(rounds)]
    queries = count_statements(ours[0][0])
    batches: Batches = {OURS: ours}
    for way in (FLOOR, KEPT):
        batches[way] = [[statements_of(case) for case in setting.cases(rows)] for _ in range(rounds)]
    for batch in ours:  # rolled back once, like the cases of the floor
        for case in batch:
            statements_of(case)
    _vacuum()
    group = Clients(clients, batches)
    taken: dict[str, list[float]] = {way: [] for way in batches}
    for number in range(rounds):
        # Who begins changes, so that what one leaves to do for the server meets all.
        for way in sorted(taken, reverse=bool(number % 2)):
            taken[way].append(group.run(way, number))
    group.stop()
    app.control.purge()
    approved = TravelRequest.unscoped.filter(company=setting.company, state=State.APPROVED).count()
    assert approved == len(batches) * rounds * rows, f"{approved} cases arrived"
    rate = {way: rows / statistics.median(seconds[1:]) for way, seconds in taken.items()}
    ratio = {
        way: statistics.median(theirs / mine for theirs, mine in zip(seconds[1:], taken[OURS][1:], strict=True))
        for way, seconds in taken.items()
    }
    say(f"{clients} client{'s' if clients > 1 else ''}, {ROUNDS} rounds of {rows} cases, medians\n")
    say(f"{FLOOR:<32}{rate[FLOOR]:8.1f} cases/s   {4:3d} statements a case   ratio {ratio[FLOOR]:.2f}\n")
    say(f"{KEPT:<32}{rate[KEPT]:8.1f} cases/s   {4:3d} statements a case   ratio {ratio[KEPT]:.2f}\n")
    say(f"{OURS:<32}{rate[OURS]:8.1f} cases/s   {queries:3d} statements a case\n")
    return Result(ratio=ratio[FLOOR], floor=rate[FLOOR], ours=rate[OURS], unit="cases/s", n=rows, queries=queries)


run = partial(measure, clients=1)
