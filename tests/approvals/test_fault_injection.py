"""Clocks that are due while processes are killed, the database dies or hangs, the mail sink is full and time jumps.

Real processes on servers of their own: two that sweep and deliver without pause (two beats, two workers), PostgreSQL
and Valkey under their keeper. After each fault one oracle: every due step happened exactly once, none early, none lost,
each mail was sent at least once and shown once. The same oracle is held against a naive sweep, which it has to catch.

FAULTS_FULL=1 makes the outages as long as they are in the promise (ten seconds); otherwise they are shorter, which
takes the same paths.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import environ
import pytest
from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection, connections
from pytest_django import DjangoDbBlocker

from approvals.models import Clock, ClockAction, CompanyReview, TravelRequest
from approvals.states import State
from audit.models import Entry
from audit.verification import verify
from authorities import calendars, policies
from config import embedded
from config.processes import COMMANDS
from notifications.models import BACK_OFF, Channel, Notification, OutboxEvent
from tests.approvals.test_survival import Process, until
from tests.factories import NOW, CompanyFactory, employ, officer_of, submitted
from tests.notifications.smtp import MailServer, mail_server

pytestmark = pytest.mark.xdist_group("faults")  # its servers and processes are started on one worker only

FULL = os.environ.get("FAULTS_FULL") == "1"
OUTAGE_SECONDS = 10 if FULL else 3
KILLS = 12 if FULL else 4
DUE = 80  # four batches of the sweeper
EARLY = 20
# Everything is there in seconds; a machine that is busy with other things takes longer.
PATIENCE = 240.0
# Three working days after Tuesday 3 March are over; nothing is due of what was asked for on Friday.
OVER = datetime(2026, 3, 7, tzinfo=NOW.tzinfo)
FRIDAY = datetime(2026, 3, 6, 10, tzinfo=NOW.tzinfo)


# ── servers and processes of their own ──────────────────────────────────────────────────────────────────────────────


@dataclass
class Machine:
    """A database, a broker, a mail sink and the processes on them."""

    folder: Path
    environment: dict[str, str]
    mail: MailServer
    stack: ExitStack
    broker: str
    sweepers: list[Process] = field(default_factory=list)

    @property
    def moment(self) -> Path:
        """The file with the moment at which the sweepers act."""
        return self.folder / "moment"

    def at(self, moment: datetime) -> None:
        """Set the machines' clock."""
        beside = self.moment.with_suffix(".new")
        beside.write_text(moment.isoformat())
        beside.replace(self.moment)

    def sweeper(self, *words: str) -> Process:
        """A process that sweeps without pause."""
        command = ["tests.approvals.sweeper", str(self.moment), *words]
        return Process(self.stack, command, self.environment, self.folder / "sweeper.log")

    def postgres(self) -> list[int]:
        """All processes of the database server, the postmaster first."""
        postmaster = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        children = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _parent_of(entry) == postmaster
        ]
        return [postmaster, *children]

    def signal_postgres(self, number: int) -> None:
        for pid in self.postgres():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _parent_of(process: Path) -> int:
    with suppress(OSError):
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return 0


@pytest.fixture(scope="module")
def machine(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("faults")
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        urls = stack.enter_context(embedded.servers(folder))
        mail = stack.enter_context(mail_server())
        stack.enter_context(_connected_to(urls))
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        variables = os.environ | urls.environment()
        variables |= {
            "DJANGO_SETTINGS_MODULE": "tests.survival_settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "AUDIT_SIGNING_KEY": settings.AUDIT_SIGNING_KEY,
            "DATA_DIR": str(folder),
            "MAIL_PORT": str(mail.port),
            "LOG_LEVEL": "WARNING",
        }
        made = Machine(folder, variables, mail, stack, urls.redis)
        made.at(NOW)
        made.sweepers = [made.sweeper(), made.sweeper()]
        yield made
        for sweeper in made.sweepers:
            sweeper.kill()
        connections.close_all()


@contextmanager
def _connected_to(urls: embedded.Urls) -> Iterator[None]:
    """This process works on the servers of the test, too."""
    before = {alias: dict(connections[alias].settings_dict) for alias in ("default", "owner")}
    for alias, url in (("default", urls.database), ("owner", urls.database_owner)):
        connections[alias].close()
        named = {"OPTIONS": {}, **environ.Env.db_url_config(url)}
        connections[alias].settings_dict.update(
            {key: named[key] for key in ("NAME", "USER", "HOST", "PORT", "OPTIONS")}
        )
    calendars.forget()
    policies.forget()
    try:
        yield
    finally:
        for alias, kept in before.items():
            connections[alias].close()
            connections[alias].settings_dict.update(kept)
        calendars.forget()
        policies.forget()


# ── what is due ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Story:
    """Requests whose company has been silent, and some that are asked for later and have time."""

    due: set[UUID]
    early: set[UUID]
    mails_before: int


_COPY = {
    "id": "gen_random_uuid()",
    "reference": "'F' || %(serial)s || '-' || n",
    "departs_on": "departs_on + n * 20",
    "returns_on": "returns_on + n * 20",
    "chain_length": "0",
    "chain_head": r"'\x'::bytea",
}


def _copies(template: TravelRequest, count: int, serial: int) -> set[UUID]:
    """So many copies of a request with its clocks, each with a history of its own that begins now."""
    request = [str(column.column) for column in TravelRequest._meta.concrete_fields]
    clock = [str(column.column) for column in Clock._meta.concrete_fields]
    chosen = ", ".join(_COPY.get(column, f"t.{column}") for column in request)
    clocks = ", ".join(
        {"id": "gen_random_uuid()", "request_id": "made.id"}.get(column, f"c.{column}") for column in clock
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO approvals_travelrequest ({', '.join(request)}) SELECT {chosen}"
            " FROM approvals_travelrequest t, generate_series(1, %(count)s) n WHERE t.id = %(template)s RETURNING id",
            {"serial": serial, "count": count, "template": template.pk},
        )
        made = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            f"INSERT INTO approvals_clock ({', '.join(clock)}) SELECT {clocks} FROM approvals_clock c,"
            " unnest(%(made)s) made(id) WHERE c.request_id = %(template)s AND c.kind = 'company'",
            {"made": made, "template": template.pk},
        )
    return set(made)


_serials = iter(range(1, 1000))


@pytest.fixture
def story(machine: Machine) -> Story:
    machine.at(NOW)  # nothing is due yet
    until(lambda: not OutboxEvent.objects.filter(done_at=None).exists())
    serial = next(_serials)
    company = CompanyFactory.create(name_en=f"Silent Company {serial}")
    officer_of(company)
    late = submitted(employ(f"Alice {serial}", company), at=NOW)
    later = submitted(employ(f"Bo {serial}", company), at=FRIDAY)
    return Story(
        due=_copies(late, DUE, 2 * serial) | {late.pk},
        early=_copies(later, EARLY, 2 * serial + 1) | {later.pk},
        mails_before=len(machine.mail.received),
    )


def findings(story: Story, machine: Machine) -> list[str]:
    """What went wrong: steps that are missing, doubled or early, people not told or told twice. Empty: nothing."""
    found = []

    def counted(what: str, rows: Any) -> None:
        count = Counter(rows)
        found.extend(f"{what} {count[key]} times: {key}" for key in story.due if count[key] != 1)
        found.extend(f"{what} early: {key}" for key in story.early if count[key])

    everything = story.due | story.early
    actions = ClockAction.objects.filter(clock__request__in=everything, step="forward")
    counted("action", actions.values_list("clock__request", flat=True))
    found += [f"before its time: {one}" for one in actions if one.at < one.scheduled_at]
    reviews = CompanyReview.objects.filter(request__in=everything, outcome="silent")
    counted("silence", reviews.values_list("request", flat=True))
    counted("entry", Entry.objects.filter(chain__in=everything, verb="forward").values_list("chain", flat=True))
    events = OutboxEvent.objects.filter(subject__in=everything, event="request.forward")
    counted("event", events.values_list("subject", flat=True))
    states = TravelRequest.unscoped.filter(pk__in=everything).values_list("pk", "state")
    found += [
        f"state {state}: {key}" for key, state in states if (state == State.AUTHORITY_REVIEW) != (key in story.due)
    ]
    if (broken := verify().first_break) is not None:
        found.append(f"the log is broken: {broken}")
    notes = Notification.objects.filter(event__in=events)
    shown = Counter(notes.filter(channel=Channel.BELL).values_list("event__subject", "recipient"))
    found += [f"shown {count} times: {key}" for key, count in shown.items() if count != 1]
    found += [f"nobody was told: {key}" for key in story.due - {subject for subject, _person in shown}]
    sent = {str(message["Message-ID"]) for message in machine.mail.received[story.mails_before :]}
    wanted = {f"<{key}@localhost>" for key in notes.filter(channel=Channel.MAIL).values_list("pk", flat=True)}
    found += [f"mail lost: {key}" for key in wanted - sent]
    if not wanted:
        found.append("no mail was to be sent")
    return found


def finished(story: Story) -> bool:
    """Whether nothing is due any more and everybody was told."""
    with suppress(DatabaseError, InterfaceError):
        return (
            not Clock.objects.filter(request__in=story.due, kind="company", ended_at=None).exists()
            and not OutboxEvent.objects.filter(done_at=None, next_attempt_at__isnull=False).exists()
            and not Notification.objects.filter(done_at=None, next_attempt_at__isnull=False).exists()
        )
    connection.close()
    return False


def in_the_middle() -> bool:
    """Whether some of the batches are written and somebody is writing another one."""
    with suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            " AND usename = current_user"
        )
        return bool(cursor.fetchone()[0])
    connection.close()
    return False


def in_the_middle_or_over(story: Story) -> bool:
    return in_the_middle() or finished(story)


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _nothing(machine: Machine, story: Story) -> None:
    """Two beats and two workers at once are enough."""


def _workers_are_killed(machine: Machine, story: Story) -> None:
    for number in range(KILLS):
        until(lambda: in_the_middle_or_over(story), PATIENCE)
        sweeper = machine.sweepers[number % 2]
        sweeper.kill()
        sweeper.start()


def _the_database_is_killed(machine: Machine, story: Story) -> None:
    for _kill in range(KILLS // 2):
        until(lambda: in_the_middle_or_over(story), PATIENCE)
        machine.signal_postgres(signal.SIGKILL)
        connection.close()
        until(_answers, PATIENCE)


def _answers() -> bool:
    try:
        connection.close()
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True


def _the_database_hangs(machine: Machine, story: Story) -> None:
    until(lambda: in_the_middle_or_over(story), PATIENCE)
    machine.signal_postgres(signal.SIGSTOP)
    time.sleep(OUTAGE_SECONDS)
    machine.signal_postgres(signal.SIGCONT)


def _the_mail_sink_is_full(machine: Machine, story: Story) -> None:
    sink = machine.mail
    sink.refuses, sink.refusal = (lambda address: True), "452 4.3.1 insufficient system storage"
    try:
        until(lambda: Notification.objects.filter(attempts__gt=0, event__subject__in=story.due).exists(), PATIENCE)
        assert len(sink.received) == story.mails_before
    finally:
        sink.refuses = lambda address: False
    # The next attempts are due after their distance.
    machine.at(OVER + sum(BACK_OFF[:3], timedelta()))


def _the_clock_is_set_back_an_hour(machine: Machine, story: Story) -> None:
    until(lambda: ClockAction.objects.filter(clock__request__in=story.due).exists(), PATIENCE)
    machine.at(OVER - timedelta(hours=1))
    time.sleep(1)
    machine.at(OVER)


def _nobody_strikes_for_a_day(machine: Machine, story: Story) -> None:
    for sweeper in machine.sweepers:
        sweeper.kill()
    machine.at(OVER + timedelta(days=1))
    time.sleep(0.2)
    for sweeper in machine.sweepers:
        sweeper.start()


FAULTS: list[Callable[[Machine, Story], None]] = [
    _nothing,
    _workers_are_killed,
    _the_database_is_killed,
    _the_database_hangs,
    _the_mail_sink_is_full,
    _the_clock_is_set_back_an_hour,
    _nobody_strikes_for_a_day,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_every_due_step_happens_exactly_once(machine: Machine, story: Story, fault: Any) -> None:
    machine.at(OVER)
    fault(machine, story)
    until(lambda: finished(story), PATIENCE)
    assert findings(story, machine) == []


def test_the_broker_forgets_everything(machine: Machine, story: Story) -> None:
    """Twenty hints wait when Valkey is emptied; the tick of the next minute is one hint more, for a real worker."""
    for sweeper in machine.sweepers:
        sweeper.kill()
    # A worker reads the real clock, which is later than the story's: other stories are over.
    Clock.objects.exclude(request__in=story.due | story.early).update(ended_at=OVER, next_action_at=None)
    with ExitStack() as stack:
        beat = Celery(broker=machine.broker)
        for _hint in range(20):
            beat.send_task("approvals.tasks.sweep_clocks", retry=False)
        with beat.connection_for_write() as broker:
            client = broker.default_channel.client
            assert client.llen("celery") >= 20
            client.flushall()
        worker = Process(stack, COMMANDS["worker"], machine.environment, machine.folder / "worker.log")
        ticking = threading.Event()

        def tick() -> None:
            while not ticking.wait(0.5):
                for task in ("approvals.tasks.sweep_clocks", "notifications.tasks.deliver"):
                    beat.send_task(task, retry=False)

        hands = threading.Thread(target=tick, daemon=True)
        hands.start()
        try:
            until(in_the_middle, PATIENCE)
            os.killpg(worker.process.pid, signal.SIGKILL)  # and the worker too, in the middle
            worker.process.wait()
            worker.start()
            until(lambda: finished(story), PATIENCE)
        finally:
            ticking.set()
            hands.join()
    # By the real clock the others have run out, too.
    story.due, story.early = story.due | story.early, set()
    until(lambda: finished(story), PATIENCE)
    for sweeper in machine.sweepers:
        sweeper.start()
    assert findings(story, machine) == []


@pytest.mark.parametrize("kills", [0, 3], ids=["two at once", "killed in the middle"])
def test_the_oracle_catches_a_naive_sweep(machine: Machine, story: Story, kills: int) -> None:
    """Without claim and unique row steps are doubled or lost; an oracle that does not see it proves nothing."""
    for sweeper in machine.sweepers:
        sweeper.kill()
    naive = [machine.sweeper("naive") for _number in range(1 if kills else 2)]
    machine.at(OVER)
    for _kill in range(kills):
        before = CompanyReview.objects.filter(request__in=story.due).count()
        until(lambda before=before: CompanyReview.objects.filter(request__in=story.due).count() > before + 5, PATIENCE)  # type: ignore[misc]
        naive[0].kill()
        naive[0].start()
    until(lambda: not Clock.objects.filter(request__in=story.due, kind="company", ended_at=None).exists(), PATIENCE)
    for process in naive:
        process.kill()
    for sweeper in machine.sweepers:
        sweeper.start()
    until(lambda: finished(story), PATIENCE)
    found = findings(story, machine)
    doubled = [one for one in found if one.startswith(("silence 2", "event 2", "silence 3", "event 3"))]
    lost = [one for one in found if one.startswith(("silence 0", "event 0"))]
    assert doubled or lost, found[:5]
