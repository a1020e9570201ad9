import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from threading import Barrier, Event
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, connections, transaction

from accounts.models import AccessEntry, User
from audit import checkpoints, signing, tasks
from audit.checkpoints import StillWriting, checkpoint_hash, log_models, sign
from audit.models import Checkpoint, CheckpointHead
from audit.verification import verify
from tests.audit.conftest import MONDAY, Happen, Trip

DAY = timedelta(days=1)


def sign_trips(at: datetime) -> Checkpoint | None:
    return sign(at=at, chained=[Trip])


def looked_at(at: datetime = MONDAY) -> AccessEntry:
    user, _new = User.objects.get_or_create(email="carol@office.example", defaults={"name": "Carol"})
    return AccessEntry.objects.create(at=at, user=user, role="reviewer", subject=Trip().pk, page="request")


def closing(work: Callable[[], Any]) -> Any:
    """Do `work` in a thread, and close the thread's connection."""
    try:
        return work()
    finally:
        connection.close()


def test_a_day_is_signed_once(happen: Happen) -> None:
    happen(Trip())
    first = sign_trips(MONDAY)
    assert first is not None
    assert sign_trips(MONDAY + timedelta(hours=3)) is None
    assert sign_trips(MONDAY - DAY) is None
    assert Checkpoint.objects.get() == first


def test_the_day_is_that_of_the_installation(trips: None) -> None:
    late = sign_trips(datetime(2026, 3, 2, 16, 30, tzinfo=UTC))  # half past midnight in Shanghai
    assert late is not None
    assert late.day == date(2026, 3, 3)


def test_days_on_which_nobody_signed_are_caught_up(happen: Happen) -> None:
    trip = Trip()
    happen(trip)
    sign_trips(MONDAY)
    happen(trip, at=MONDAY + DAY)
    other = Trip()
    happen(other, at=MONDAY + 2 * DAY)
    caught_up = sign_trips(MONDAY + 5 * DAY)
    assert caught_up is not None
    assert set(CheckpointHead.objects.filter(day=caught_up.day).values_list("chain", "length")) == {
        (trip.pk, 2),
        (other.pk, 1),
    }


def test_two_signers_at_once_make_one_checkpoint(happen: Happen) -> None:
    happen(Trip())
    together = Barrier(2, timeout=20)

    def signer() -> Checkpoint | None:
        together.wait()
        return sign_trips(MONDAY)

    with ThreadPoolExecutor(2) as pool:
        made = [run.result() for run in [pool.submit(closing, signer) for _number in range(2)]]
    assert sorted(one is None for one in made) == [False, True]
    assert verify(chained=[Trip]).first_break is None


def test_an_outsider_can_check_the_signature(happen: Happen) -> None:
    happen(Trip())
    sign_trips(MONDAY)
    kept = Checkpoint.objects.get()
    outsiders_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signing.public_key_text()))
    outsiders_key.verify(bytes(kept.signature), checkpoint_hash(kept))


def test_the_access_log_is_signed_with_its_columns(trips: None) -> None:
    looked_at()
    first = sign_trips(MONDAY)
    looked_at()
    looked_at()
    second = sign_trips(MONDAY + DAY)
    assert first is not None
    assert second is not None
    (was,), (now,) = (
        [log for log in checkpoint.logs if log["table"] == "accounts_accessentry"] for checkpoint in (first, second)
    )
    assert AccessEntry in log_models()
    assert was["table"] == "accounts_accessentry"
    assert sorted(was["columns"]) == ["at", "id", "page", "role", "subject", "user_id"]
    assert (was["after"], was["count"], now["after"], now["count"]) == (0, 1, was["upto"], 2)


def test_a_column_added_later_does_not_break_what_was_signed(trips: None) -> None:
    looked_at()
    sign_trips(MONDAY)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_accessentry ADD COLUMN why text")
    assert verify(chained=[Trip]).first_break is None


def test_a_row_still_on_its_way_is_waited_for(trips: None) -> None:
    """Numbers are given out before rows are committed: the second row is there before the first."""
    looked_at()
    written, go_on = Event(), Event()

    def slow() -> None:
        with transaction.atomic():
            looked_at()
            written.set()
            go_on.wait(20)

    with ThreadPoolExecutor(2) as pool:
        slow_one = pool.submit(closing, slow)
        try:
            assert written.wait(20)
            looked_at()
            signing_one = pool.submit(closing, lambda: sign_trips(MONDAY))
            with connection.cursor() as cursor:  # until the signer has found somebody to wait for
                waiting = 1
                while waiting == 1 and not signing_one.done():
                    cursor.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%virtualtransaction = ANY%'"
                    )
                    waiting = cursor.fetchone()[0]
            assert not signing_one.done()
        finally:
            go_on.set()
        slow_one.result()
        made = signing_one.result()
    assert made is not None
    assert made.logs[0]["count"] == 3
    assert verify(chained=[Trip]).first_break is None


def test_nothing_is_signed_while_somebody_does_not_finish(trips: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_SECONDS_TO_SETTLE", 0.0)
    looked_at()
    with transaction.atomic():
        looked_at()
        with ThreadPoolExecutor(1) as pool, pytest.raises(StillWriting, match="accounts_accessentry"):
            pool.submit(closing, lambda: sign_trips(MONDAY)).result()
    assert not Checkpoint.objects.exists()
    assert not CheckpointHead.objects.exists()
    assert sign_trips(MONDAY) is not None


@pytest.mark.parametrize("key", ["", "short", "!" * 44])
def test_a_missing_or_odd_key_is_said_so(settings: Any, key: str) -> None:
    settings.AUDIT_SIGNING_KEY = key
    with pytest.raises(ImproperlyConfigured, match="AUDIT_SIGNING_KEY must be 32 bytes in base64"):
        signing.private_key()


@pytest.mark.django_db
def test_the_task_and_the_command_sign_todays_checkpoint() -> None:
    tasks.sign_checkpoint()
    tasks.sign_checkpoint()
    assert Checkpoint.objects.count() == 1
    out = StringIO()
    call_command("audit", "checkpoint", stdout=out)
    assert out.getvalue() == "Today's checkpoint is signed already.\n"
