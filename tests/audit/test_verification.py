"""Somebody who owns the database takes the triggers off and changes history: each kind of change is named."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AccessEntry, User
from audit import signing
from audit.checkpoints import chained_models, sign
from audit.models import Chained, Checkpoint, CheckpointHead, Entry, link_hash
from audit.verification import Break, Fault, Report, verify
from tests.audit.conftest import MONDAY, Happen, Trip, without_triggers

TUESDAY = MONDAY + timedelta(days=1)
KEPT = ["audit_entry", "audit_checkpoint", "audit_checkpointhead", "accounts_accessentry"]


def check(**options: Any) -> Report:
    return verify(chained=[Trip], **options)


@pytest.fixture
def history(happen: Happen) -> tuple[Trip, Trip]:
    """Alice's trip: three entries on Monday, signed; one on Tuesday, signed; one more. Bob's: one on Monday."""
    alice, bob = sorted((Trip(), Trip()), key=lambda trip: trip.pk)
    user = User.objects.create_user("carol@office.example", "Carol")
    for days in (1, 2, 3):
        happen(alice, "test_extended", days=days)
    happen(bob)
    AccessEntry.objects.create(at=MONDAY, user=user, role="reviewer", subject=alice.pk, page="request")
    sign(at=MONDAY, chained=[Trip])
    happen(alice, "test_extended", TUESDAY, days=4)
    AccessEntry.objects.create(at=TUESDAY, user=user, role="reviewer", subject=bob.pk, page="request")
    sign(at=TUESDAY, chained=[Trip])
    happen(alice, "test_extended", TUESDAY, days=5)
    return alice, bob


def test_an_untouched_log_is_whole(history: tuple[Trip, Trip]) -> None:
    assert check() == Report(entries=6, chains=2, checkpoints=2, first_break=None)
    # Bob's chain did not move on Tuesday.
    assert [checkpoint.chains for checkpoint in Checkpoint.objects.all()] == [2, 1]


def test_an_empty_log_is_whole(trips: None) -> None:
    assert check() == Report()


@pytest.mark.parametrize(
    "column",
    [
        "at = at + interval '1 microsecond'",
        "verb = 'test_asked'",
        "actor_id = 8",
        "actor_id = NULL",
        "actor_role = 'reviewer'",
        """data = '{"days": 20}'""",
        """data = '{"days": 2.5}'""",
        "chain = '018f4e2a-0000-7000-8000-000000000001', sequence = 1, previous = ''",
    ],
)
def test_a_changed_entry(history: tuple[Trip, Trip], column: str) -> None:
    alice, _bob = history
    with without_triggers("audit_entry") as cursor:
        cursor.execute(f"UPDATE audit_entry SET {column} WHERE chain = %s AND sequence = 2", [alice.pk])
    moved = column.startswith("chain")  # Alice's chain comes later and then lacks the entry
    found = check().first_break
    assert found is not None
    assert found.fault is Fault.HASH
    assert (found.chain == alice.pk, found.sequence) == (not moved, 1 if moved else 2)


def rewritten(chain: Any, sequence: int, **changes: Any) -> None:
    """What somebody does who knows how the hashes are made: change an entry and make all later hashes anew."""
    entries = list(Entry.objects.filter(chain=chain, sequence__gte=sequence).order_by("sequence"))
    previous = bytes(entries[0].previous)
    with without_triggers("audit_entry") as cursor:
        for entry in entries:
            names = ("chain", "sequence", "at", "verb", "actor_id", "actor_role", "data")
            said = {name: getattr(entry, name) for name in names}
            if entry.sequence == sequence:
                said |= changes
            digest = link_hash(previous, **said)
            cursor.execute(
                "UPDATE audit_entry SET verb = %s, previous = %s, hash = %s WHERE id = %s",
                [said["verb"], previous, digest, entry.pk],
            )
            previous = digest
    Trip.objects.filter(pk=chain).update(chain_head=previous)


def with_triggers_off(statement: str) -> Callable[[Trip, Trip], None]:
    def change(alice: Trip, bob: Trip) -> None:
        with without_triggers(*KEPT) as cursor:
            cursor.execute(statement.replace("ALICE", f"'{alice.pk}'").replace("BOB", f"'{bob.pk}'"))

    return change


CHANGES: list[tuple[str, Callable[[Trip, Trip], None], Callable[[Trip, Trip], Break]]] = [
    (
        "an entry in the middle is gone",
        with_triggers_off("DELETE FROM audit_entry WHERE chain = ALICE AND sequence = 2"),
        lambda alice, bob: Break(Fault.GAP, alice.pk, 3),
    ),
    (
        "the first entry is gone",
        with_triggers_off("DELETE FROM audit_entry WHERE chain = ALICE AND sequence = 1"),
        lambda alice, bob: Break(Fault.GAP, alice.pk, 2),
    ),
    (
        "an entry is gone and the later ones were numbered anew",
        with_triggers_off(
            "DELETE FROM audit_entry WHERE chain = ALICE AND sequence = 4;"
            "UPDATE audit_entry SET sequence = 4 WHERE chain = ALICE AND sequence = 5"
        ),
        lambda alice, bob: Break(Fault.PREVIOUS, alice.pk, 4),
    ),
    (
        "the previous hash is another one",
        with_triggers_off("UPDATE audit_entry SET previous = sha256('x') WHERE chain = ALICE AND sequence = 3"),
        lambda alice, bob: Break(Fault.PREVIOUS, alice.pk, 3),
    ),
    (
        "the last entry is gone",
        with_triggers_off("DELETE FROM audit_entry WHERE chain = ALICE AND sequence = 5"),
        lambda alice, bob: Break(Fault.HEAD, alice.pk, 4),
    ),
    (
        "the trip's head was changed",
        with_triggers_off("UPDATE audit_tests_trip SET chain_head = sha256('x') WHERE id = BOB"),
        lambda alice, bob: Break(Fault.HEAD, bob.pk, 1),
    ),
    (
        "the trip's length was changed",
        with_triggers_off("UPDATE audit_tests_trip SET chain_length = 9 WHERE id = BOB"),
        lambda alice, bob: Break(Fault.HEAD, bob.pk, 1),
    ),
    (
        "the trip is gone",
        with_triggers_off("DELETE FROM audit_tests_trip WHERE id = BOB"),
        lambda alice, bob: Break(Fault.SUBJECT, bob.pk, 1),
    ),
    (
        "all entries of a trip are gone",
        with_triggers_off("DELETE FROM audit_entry WHERE chain = BOB"),
        lambda alice, bob: Break(Fault.HEAD, bob.pk, 0),
    ),
    (
        "the trip and all its entries are gone",
        with_triggers_off("DELETE FROM audit_entry WHERE chain = BOB; DELETE FROM audit_tests_trip WHERE id = BOB"),
        lambda alice, bob: Break(Fault.SHORTER, bob.pk, 0, MONDAY.date()),
    ),
    (
        "signed history was rewritten with new hashes",
        lambda alice, bob: rewritten(alice.pk, 2, verb="test_asked"),
        lambda alice, bob: Break(Fault.UNSIGNED_HISTORY, alice.pk, 3, MONDAY.date()),
    ),
    (
        "signed heads were removed",
        with_triggers_off("DELETE FROM audit_checkpointhead WHERE chain = BOB"),
        lambda alice, bob: Break(Fault.HEADS, day=MONDAY.date()),
    ),
    (
        "a checkpoint was removed",
        with_triggers_off("DELETE FROM audit_checkpoint WHERE day = '2026-03-02'"),
        lambda alice, bob: Break(Fault.CHECKPOINT_GAP, day=TUESDAY.date()),
    ),
    (
        "the last checkpoint was removed",
        with_triggers_off("DELETE FROM audit_checkpoint WHERE day = '2026-03-03'"),
        lambda alice, bob: Break(Fault.HEADS, day=TUESDAY.date()),
    ),
    (
        "a checkpoint was changed",
        with_triggers_off("UPDATE audit_checkpoint SET chains = 1 WHERE day = '2026-03-02'"),
        lambda alice, bob: Break(Fault.CONTENT, day=MONDAY.date()),
    ),
    (
        "a signature was changed",
        with_triggers_off("UPDATE audit_checkpoint SET signature = sha512('x') WHERE day = '2026-03-02'"),
        lambda alice, bob: Break(Fault.SIGNATURE, day=MONDAY.date()),
    ),
    (
        "an access was struck from the log",
        with_triggers_off("DELETE FROM accounts_accessentry WHERE subject = BOB"),
        lambda alice, bob: Break(Fault.LOG, day=TUESDAY.date(), table="accounts_accessentry"),
    ),
    (
        "an access was changed",
        with_triggers_off("UPDATE accounts_accessentry SET page = 'none' WHERE subject = ALICE"),
        lambda alice, bob: Break(Fault.LOG, day=MONDAY.date(), table="accounts_accessentry"),
    ),
]


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_the_first_break_is_named(
    history: tuple[Trip, Trip], change: Callable[[Trip, Trip], None], expected: Callable[[Trip, Trip], Break]
) -> None:
    change(*history)
    assert check().first_break == expected(*history)


def test_cutting_a_chain_and_its_head_is_seen_by_the_checkpoint(history: tuple[Trip, Trip]) -> None:
    alice, _bob = history
    third = Entry.objects.get(chain=alice.pk, sequence=3)
    with without_triggers("audit_entry") as cursor:
        cursor.execute("DELETE FROM audit_entry WHERE chain = %s AND sequence > 3", [alice.pk])
    Trip.objects.filter(pk=alice.pk).update(chain_length=3, chain_head=third.hash)
    assert check().first_break == Break(Fault.SHORTER, alice.pk, 3, TUESDAY.date())


def test_a_checkpoint_made_with_another_key_is_not_trusted(history: tuple[Trip, Trip], settings: Any) -> None:
    retired = signing.public_key_text()
    settings.AUDIT_SIGNING_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert check().first_break == Break(Fault.KEY, day=MONDAY.date())
    assert check(retired_keys=[retired]).first_break is None


def test_history_can_be_checked_while_people_work(history: tuple[Trip, Trip], happen: Happen) -> None:
    """Separate reads would see an entry of now and the head of a moment ago."""
    stop = Event()

    def work() -> None:
        try:
            while not stop.is_set():
                for trip in history:
                    happen(trip)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            reports = [check() for _round in range(30)]
        finally:
            stop.set()
        working.result()
    assert [report.first_break for report in reports] == [None] * 30
    assert reports[0].entries < reports[-1].entries


def test_the_command_says_what_it_checked(history: tuple[Trip, Trip], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.verification.chained_models", lambda: [Trip])
    out = StringIO()
    call_command("audit", "verify", stdout=out)
    assert out.getvalue() == "The audit log is whole: 6 entries in 2 chains, 2 signed checkpoints.\n"


def test_the_command_names_the_break_and_fails(history: tuple[Trip, Trip], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.verification.chained_models", lambda: [Trip])
    alice, _bob = history
    with without_triggers("audit_entry") as cursor:
        cursor.execute("UPDATE audit_entry SET actor_id = 8 WHERE chain = %s AND sequence = 2", [alice.pk])
    with pytest.raises(CommandError) as refusal:
        call_command("audit", "verify")
    assert str(refusal.value) == (
        f"The audit log is broken at chain {alice.pk}, entry 2: its hash is not that of what it says."
    )
    assert refusal.value.returncode == 1


def test_the_command_prints_the_public_key() -> None:
    out = StringIO()
    call_command("audit", "public-key", stdout=out)
    assert out.getvalue() == "3qVtPzfOBr1lt4dq5GPzW55MDSCoL6ncyYfPRo14nX8=\n" or len(out.getvalue()) == 45


def test_every_model_with_a_chain_is_checked() -> None:
    assert set(chained_models()) == {model for model in apps.get_models() if issubclass(model, Chained)}


def test_breaks_read_as_sentences(history: tuple[Trip, Trip]) -> None:
    alice, _bob = history
    assert str(Break(Fault.SHORTER, alice.pk, 3, TUESDAY.date())) == (
        f"chain {alice.pk}, entry 3, checkpoint 2026-03-03: the chain is shorter than the checkpoint says"
    )
    assert CheckpointHead.objects.count() == 3
