"""Alice chooses what she is told, when, and where; time is in the zone where she is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from notifications import preferences, registry
from notifications.delivery import Delivered, deliver
from notifications.models import Channel, LeftOut, Notification, Preferences
from tests.notifications.conftest import MONDAY, Happen, person
from tests.notifications.smtp import MailServer

SHANGHAI, NEW_YORK, APIA = "Asia/Shanghai", "America/New_York", "Pacific/Apia"


def local(zone: str, *moment: int, fold: int = 0) -> datetime:
    # In UTC, because Python takes no two moments of different zones for equal where one comes twice.
    return datetime(*moment, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


def quiet(begin: time, end: time, zone: str = SHANGHAI) -> Preferences:
    return Preferences(user_id=1, time_zone=zone, quiet_from=begin, quiet_until=end)


# ── quiet hours ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ((2026, 3, 2, 21, 59), None),
        ((2026, 3, 2, 22, 0), (2026, 3, 3, 7, 30)),
        ((2026, 3, 2, 23, 59), (2026, 3, 3, 7, 30)),
        ((2026, 3, 3, 0, 0), (2026, 3, 3, 7, 30)),
        ((2026, 3, 3, 7, 29), (2026, 3, 3, 7, 30)),
        ((2026, 3, 3, 7, 30), None),
        ((2026, 2, 28, 23, 0), (2026, 3, 1, 7, 30)),
    ],
)
def test_quiet_hours_go_over_midnight(at: tuple[int, ...], until: tuple[int, ...] | None) -> None:
    chosen = quiet(time(22), time(7, 30))
    assert preferences.quiet_until(chosen, at=local(SHANGHAI, *at)) == (until and local(SHANGHAI, *until))


def test_quiet_hours_within_a_day() -> None:
    chosen = quiet(time(12), time(14))
    assert preferences.quiet_until(chosen, at=local(SHANGHAI, 2026, 3, 2, 13)) == local(SHANGHAI, 2026, 3, 2, 14)
    assert preferences.quiet_until(chosen, at=local(SHANGHAI, 2026, 3, 2, 14)) is None
    assert preferences.quiet_until(chosen, at=local(SHANGHAI, 2026, 3, 2, 11, 59)) is None


def test_quiet_hours_are_those_of_the_persons_zone() -> None:
    at = local(SHANGHAI, 2026, 3, 2, 12)  # 23:00 the day before in New York
    assert preferences.quiet_until(quiet(time(22), time(7), SHANGHAI), at=at) is None
    assert preferences.quiet_until(quiet(time(22), time(7), NEW_YORK), at=at) == local(NEW_YORK, 2026, 3, 2, 7)


def test_the_night_on_which_an_hour_is_skipped() -> None:
    """8 March 2026 in New York: after 01:59 comes 03:00."""
    chosen = quiet(time(22), time(7), NEW_YORK)
    until = preferences.quiet_until(chosen, at=local(NEW_YORK, 2026, 3, 7, 23))
    assert until == datetime(2026, 3, 8, 11, tzinfo=UTC)  # 07:00 in summer time, eight hours on
    # An end that does not exist on that day is over as soon as the clocks are put forward.
    gone = preferences.quiet_until(quiet(time(22), time(2, 30), NEW_YORK), at=local(NEW_YORK, 2026, 3, 8, 1, 59))
    assert gone is not None
    assert datetime(2026, 3, 8, 7, tzinfo=UTC) <= gone <= datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_the_night_on_which_an_hour_comes_twice() -> None:
    """1 November 2026 in New York: after 01:59 comes 01:00 once more."""
    chosen = quiet(time(22), time(1, 30), NEW_YORK)
    first, second = (local(NEW_YORK, 2026, 11, 1, 1, 10, fold=fold) for fold in (0, 1))
    assert preferences.quiet_until(chosen, at=first) == local(NEW_YORK, 2026, 11, 1, 1, 30, fold=0)
    assert preferences.quiet_until(chosen, at=second) == local(NEW_YORK, 2026, 11, 1, 1, 30, fold=1)


# ── the hour of the summary ─────────────────────────────────────────────────────────────────────────────────────────


def daily(hour: int, zone: str) -> Preferences:
    return Preferences(user_id=1, digest=True, digest_hour=hour, time_zone=zone)


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK, APIA, "Australia/Lord_Howe", "Africa/Casablanca"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 8, 23])
def test_there_is_one_summary_on_each_day_of_a_year(zone: str, hour: int) -> None:
    at, days = local(zone, 2026, 1, 1, 0), []
    while len(days) < 365:
        following = preferences.next_digest(daily(hour, zone), at=at)
        assert following > at
        days.append(following.astimezone(ZoneInfo(zone)).date())
        at = following
    assert [later - earlier for earlier, later in zip(days, days[1:], strict=False)] == [timedelta(days=1)] * 364


def test_the_summary_of_an_hour_that_has_just_begun_is_tomorrows() -> None:
    at = local(SHANGHAI, 2026, 3, 2, 8)
    assert preferences.next_digest(daily(8, SHANGHAI), at=at) == local(SHANGHAI, 2026, 3, 3, 8)
    assert preferences.next_digest(daily(8, SHANGHAI), at=at - timedelta(seconds=1)) == at


# ── what becomes of mails ───────────────────────────────────────────────────────────────────────────────────────────

NIGHT = local(SHANGHAI, 2026, 3, 2, 23)
MORNING = local(SHANGHAI, 2026, 3, 3, 7)
EIGHT = local(SHANGHAI, 2026, 3, 3, 8)
QUIET_NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}


def choose(user: User, **values: Any) -> None:
    preferences.save(user.pk, {"time_zone": SHANGHAI} | values, at=MONDAY)


def bell(user: User) -> list[str]:
    return [one.subject for one in Notification.objects.in_bell_of(user.pk).select_related("event")]


@pytest.mark.django_db
def test_a_mail_waits_for_the_morning_and_the_bell_does_not(happen: Happen) -> None:
    alice = person("Alice")
    choose(alice, **QUIET_NIGHT)
    happen(alice, at=NIGHT)
    assert deliver(at=NIGHT) == Delivered(events=1)
    assert bell(alice) == ["K7-2 was received (en)"]
    assert deliver(at=MORNING - timedelta(seconds=1)) == Delivered()
    assert deliver(at=MORNING) == Delivered(mails=1)


@pytest.mark.django_db
def test_what_is_urgent_comes_at_night_and_before_the_summary(happen: Happen) -> None:
    alice = person("Alice")
    choose(alice, digest=True, digest_hour=8, **QUIET_NIGHT)
    happen(alice, at=NIGHT, urgent=True)
    assert deliver(at=NIGHT) == Delivered(events=1, mails=1)


@pytest.mark.django_db
def test_quiet_hours_chosen_after_it_happened_hold_too(happen: Happen) -> None:
    alice = person("Alice")
    happen(alice, at=NIGHT)
    deliver(at=NIGHT, mails=False)
    Preferences.objects.create(user=alice, time_zone=SHANGHAI, **QUIET_NIGHT)
    assert deliver(at=NIGHT) == Delivered()
    assert deliver(at=MORNING) == Delivered(mails=1)


@pytest.mark.django_db
def test_one_mail_a_day_with_all_of_it(happen: Happen) -> None:
    alice, bob = person("Alice"), person("Bob")
    choose(alice, digest=True, digest_hour=19, time_zone=NEW_YORK)  # as it gets eight in Shanghai
    for number in ("K7-1", "K7-2", "K7-3"):
        happen(alice, bob, at=NIGHT, number=number)
    assert deliver(at=NIGHT) == Delivered(events=3, mails=3)
    assert {message.to[0] for message in mail.outbox} == {"bob@lab.example"}

    mail.outbox.clear()
    assert deliver(at=EIGHT) == Delivered(mails=1)
    (summary,) = mail.outbox
    assert (summary.to, summary.subject) == (["alice@lab.example"], "3 pieces of news")
    assert [summary.body.index(number) for number in ("K7-1", "K7-2", "K7-3")] == sorted(
        summary.body.index(number) for number in ("K7-1", "K7-2", "K7-3")
    )
    assert "2 March 2026, 10:00" in summary.body
    assert deliver(at=EIGHT + timedelta(hours=1)) == Delivered()

    happen(alice, at=EIGHT + timedelta(hours=2), number="K7-4")
    assert deliver(at=EIGHT + timedelta(hours=2)) == Delivered(events=1)
    assert deliver(at=EIGHT + timedelta(days=1)) == Delivered(mails=1)


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "subject"), [("en", "1 piece of news"), ("zh-hans", "")])
def test_a_summary_is_in_the_language_of_who_reads_it(happen: Happen, language: str, subject: str) -> None:
    alice = person("Alice", language)
    choose(alice, digest=True, digest_hour=8)
    happen(alice, at=NIGHT)
    deliver(at=NIGHT)
    deliver(at=EIGHT)
    (summary,) = mail.outbox
    (html,) = summary.alternatives  # type: ignore[attr-defined]
    assert f'<html lang="{language}">' in html.content
    assert f"K7-2 was received ({language})" in html.content
    assert subject in summary.subject


@pytest.mark.django_db
def test_a_summary_that_was_missed_for_days_is_one(happen: Happen) -> None:
    alice = person("Alice")
    choose(alice, digest=True, digest_hour=8)
    for day in range(4):
        happen(alice, at=NIGHT + timedelta(days=day))
        deliver(at=NIGHT + timedelta(days=day), mails=False)
    assert deliver(at=NIGHT + timedelta(days=9)) == Delivered(mails=1)


@pytest.mark.django_db
def test_a_summary_that_failed_is_tried_again_as_the_same_mail(happen: Happen, mails: MailServer) -> None:
    alice = person("Alice")
    choose(alice, digest=True, digest_hour=8)
    happen(alice, at=NIGHT)
    happen(alice, at=NIGHT)
    deliver(at=NIGHT)
    mails.hangs_up = True
    assert deliver(at=EIGHT) == Delivered(failures=1)
    mails.hangs_up = False
    assert deliver(at=EIGHT + timedelta(minutes=1)) == Delivered(mails=1)
    latest = Notification.objects.filter(channel=Channel.MAIL).order_by("-id").values_list("pk", flat=True)[0]
    assert [message["Message-ID"] for message in mails.received] == [f"<{latest}.2@localhost>"]


@pytest.mark.django_db
def test_who_wants_each_mail_at_once_after_all_gets_what_waited(happen: Happen) -> None:
    alice = person("Alice")
    choose(alice, digest=True, digest_hour=8)
    happen(alice, at=NIGHT)
    deliver(at=NIGHT)
    preferences.save(alice.pk, {"digest": False}, at=NIGHT + timedelta(minutes=5))
    assert deliver(at=NIGHT + timedelta(minutes=5)) == Delivered(mails=1)


def test_two_workers_make_one_summary(committed: None, happen: Happen, mails: MailServer) -> None:
    people = [person(f"P{number}") for number in range(12)]
    for user in people:
        choose(user, digest=True, digest_hour=8)
    for _number in range(5):
        happen(*people, at=NIGHT)
    deliver(at=NIGHT)
    together = Barrier(4, timeout=20)

    def worker(_number: int) -> Delivered:
        try:
            together.wait()
            return deliver(at=EIGHT)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(worker, range(4)))
    assert sum(run.mails for run in runs) == 12
    assert sorted(message["To"] for message in mails.received) == sorted(user.email for user in people)
    assert {message["Subject"] for message in mails.received} == {"5 pieces of news"}
    assert not Notification.objects.filter(done_at=None).exists()


# ── kinds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("off", "channels"),
    [
        ({"mail_off": ["test-news"]}, {"bell"}),
        ({"bell_off": ["test-news"]}, {"mail"}),
        ({"mail_off": ["test-news"], "bell_off": ["test-news"]}, set()),
        ({"mail_off": ["progress"], "bell_off": ["progress"]}, {"bell", "mail"}),
    ],
)
def test_what_is_switched_off_is_not_told(happen: Happen, off: dict[str, list[str]], channels: set[str]) -> None:
    alice = person("Alice")
    choose(alice, **off)
    happen(alice)
    deliver(at=MONDAY)
    assert set(Notification.objects.values_list("channel", flat=True)) == channels


@pytest.mark.django_db
def test_what_must_be_known_is_told_whatever_was_chosen(happen: Happen) -> None:
    alice = person("Alice")
    choose(alice, mail_off=["test-due"], bell_off=["test-due"])
    happen(alice, event="test_due")
    assert deliver(at=MONDAY) == Delivered(events=1, mails=1)
    assert Notification.objects.count() == 2


@pytest.mark.django_db
def test_a_mail_switched_off_before_it_was_sent_is_not_sent(happen: Happen) -> None:
    alice = person("Alice")
    happen(alice)
    deliver(at=MONDAY, mails=False)
    preferences.switch_off_mail(alice.pk, ["test-news"])
    assert deliver(at=MONDAY) == Delivered()
    assert Notification.objects.get(channel=Channel.MAIL).left_out == LeftOut.SWITCHED_OFF


def test_a_kind_is_registered_once(events: None) -> None:
    with pytest.raises(ValueError, match="'test-news' is a kind already"):
        registry.register_kind(registry.Kind(key="test-news", label="", examples=""))
    assert registry.kind("vanished") is registry.GENERAL
    assert not registry.GENERAL.is_optional


# ── reminders ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_of_reminders_missed_in_an_outage_the_latest_is_told(happen: Happen) -> None:
    alice, bob = person("Alice"), person("Bob")
    case = happen(alice, event="test_due", number="K7-1").subject
    for hours in range(1, 10):
        happen(alice, bob, event="test_due", subject=case, at=MONDAY + timedelta(hours=hours), number=f"after {hours}")
    happen(alice, event="test_due", number="another case")
    deliver(at=MONDAY + timedelta(days=1))
    assert bell(alice) == ["after 9 is due", "another case is due"]
    assert bell(bob) == ["after 9 is due"]
    assert sorted(message.subject for message in mail.outbox) == [
        "after 9 is due",
        "after 9 is due",
        "another case is due",
    ]


@pytest.mark.django_db
def test_a_reminder_that_was_read_stays(happen: Happen) -> None:
    alice = person("Alice")
    case = happen(alice, event="test_due", number="first").subject
    deliver(at=MONDAY)
    Notification.objects.in_bell_of(alice.pk).update(read_at=MONDAY)
    happen(alice, event="test_due", subject=case, number="second")
    deliver(at=MONDAY)
    assert bell(alice) == ["second is due", "first is due"]
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_a_reminder_that_is_told_late_does_not_replace_the_later_one(happen: Happen) -> None:
    alice = person("Alice")
    early = happen(alice, event="test_due", number="early", poison=True)
    happen(alice, event="test_due", subject=early.subject, number="late")
    deliver(at=MONDAY)
    early.refresh_from_db()
    early.data["poison"] = False
    early.save()
    deliver(at=MONDAY + timedelta(minutes=1))
    assert bell(alice) == ["late is due"]
    assert [message.subject for message in mail.outbox] == ["late is due"]


@pytest.mark.django_db
def test_news_are_each_told(happen: Happen) -> None:
    alice = person("Alice")
    case = happen(alice, number="first").subject
    happen(alice, subject=case, number="second")
    deliver(at=MONDAY)
    assert len(bell(alice)) == len(mail.outbox) == 2


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────

CHOSEN = {"digest": "True", "digest_hour": "18", "time_zone": NEW_YORK, "quiet_from": "22:00", "quiet_until": "07:00"}


@pytest.fixture
def alice(client: Client, db: None) -> User:
    user = person("Alice")
    client.force_login(user)
    return user


def test_alice_chooses(client: Client, alice: User, events: None) -> None:
    shown = client.get(reverse("notification_preferences")).content.decode()
    assert "Test news" in shown
    assert "It cannot wait." in shown
    assert "mail-test-due" not in shown
    response = client.post(reverse("notification_preferences"), CHOSEN | {"bell-test-news": "on"}, follow=True)
    assert "Your choices are saved." in response.content.decode()
    kept = Preferences.objects.get(user=alice)
    assert (kept.digest, kept.digest_hour, kept.time_zone) == (True, 18, NEW_YORK)
    assert (kept.quiet_from, kept.quiet_until) == (time(22), time(7))
    assert (kept.mail_off, kept.bell_off) == (["test-news"], [])


def test_what_she_chose_of_other_kinds_is_kept(client: Client, alice: User, events: None) -> None:
    """As when a role is taken from somebody for a while."""
    Preferences.objects.create(user=alice, mail_off=["lists", "test-news"])
    client.post(reverse("notification_preferences"), CHOSEN | {"mail-test-news": "on", "bell-test-news": "on"})
    assert Preferences.objects.get(user=alice).mail_off == ["lists"]


def test_each_is_offered_what_concerns_their_roles(client: Client, alice: User) -> None:
    assert "Sensitivity lists" not in client.get(reverse("notification_preferences")).content.decode()
    RoleAssignment.objects.create(user=alice, role=Role.LIST_MANAGER, starts_at=MONDAY - timedelta(days=9999))
    assert "Sensitivity lists" in client.get(reverse("notification_preferences")).content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quiet_until": ""}, "quiet_until"),
        ({"quiet_from": ""}, "quiet_from"),
        ({"quiet_until": "22:00"}, "quiet_until"),
        ({"quiet_from": "25:00"}, "quiet_from"),
        ({"digest_hour": "24"}, "digest_hour"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"digest": "perhaps"}, "digest"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    client: Client, alice: User, change: dict[str, str], field: str
) -> None:
    response = client.post(reverse("notification_preferences"), CHOSEN | change)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {field}
    assert not Preferences.objects.exists()
