"""The bell, the page of notifications, and what administrators see of failures."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from notifications.context_processors import unread_words
from notifications.delivery import Delivered, deliver
from notifications.models import Notification, OutboxEvent
from tests.notifications.conftest import MONDAY, Happen, person
from tests.notifications.smtp import MailServer

pytestmark = pytest.mark.django_db

Page = Callable[..., str]


@pytest.fixture
def alice(client: Client) -> User:
    user = person("Alice")
    client.force_login(user)
    return user


@pytest.fixture
def told(happen: Happen) -> Callable[..., list[Notification]]:
    """Tell somebody of `number` events; their notifications under the bell, the latest first."""

    def told(user: User, number: int, at: datetime = MONDAY) -> list[Notification]:
        for count in range(number):
            happen(user, at=at, number=f"K7-{count}")
        deliver(at=at)
        return list(Notification.objects.in_bell_of(user.pk))

    return told


Told = Callable[..., list[Notification]]


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_page_says_what_will_appear(client: Client, alice: User) -> None:
    html = page(client, reverse("notifications"))
    assert "No notifications yet" in html
    assert "bell-count" not in html


def test_alice_sees_hers_and_nobody_elses(client: Client, alice: User, happen: Happen) -> None:
    happen(alice, number="K7-1")
    happen(person("Bob"), number="K7-2")
    deliver(at=MONDAY)
    html = page(client, reverse("notifications"))
    assert "K7-1 was received" in html
    assert "K7-2" not in html
    assert '<span class="bell-count">1<' in html


@pytest.mark.parametrize(("language", "words"), [("en", "K7-0 was received (en)"), ("zh-hans", "(zh-hans)")])
def test_words_are_those_of_the_readers_language_of_now(
    client: Client, alice: User, told: Told, language: str, words: str
) -> None:
    told(alice, 1)
    User.objects.update(language=language)
    assert words in page(client, reverse("notifications"))


def test_the_number_of_queries_does_not_grow(client: Client, alice: User, told: Told) -> None:
    counts = []
    for number in (1, 2):
        told(alice, number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(client, reverse("notifications"))
        counts.append(len(queries))
    assert counts == [counts[0]] * 2
    assert counts[0] <= 5


def test_the_page_goes_back_and_forth_by_key(client: Client, alice: User, told: Told) -> None:
    everything = [one.pk for one in told(alice, 60)]

    def shown(url: str) -> tuple[list[UUID], str, str]:
        response = client.get(reverse("notifications") + url)
        context = response.context
        return [one.pk for one in context["notifications"]], context["newer_url"], context["older_url"]

    first, none, older = shown("")
    assert (first, none) == (everything[:25], "")
    second, newer, older = shown(older)
    assert second == everything[25:50]
    third, newer, none = shown(older)
    assert (third, none) == (everything[50:], "")
    back, newer, older = shown(newer)
    assert back == everything[25:50]
    assert shown(newer)[0] == everything[:25]
    assert shown("?before=nonsense")[0] == everything[:25]


def test_opening_one_marks_it_as_read_and_leads_to_its_page(client: Client, alice: User, told: Told) -> None:
    newest, older = told(alice, 2)
    response = client.get(reverse("notification", args=[newest.pk]))
    assert response.headers["Location"] == reverse("notifications")
    newest.refresh_from_db()
    older.refresh_from_db()
    assert newest.read_at is not None
    assert older.read_at is None
    before = newest.read_at
    client.get(reverse("notification", args=[newest.pk]))
    newest.refresh_from_db()
    assert newest.read_at == before


@pytest.mark.parametrize("name", ["notification", "notification_read"])
def test_somebody_elses_does_not_exist(client: Client, alice: User, told: Told, name: str) -> None:
    (bobs,) = told(person("Bob"), 1)
    method = client.get if name == "notification" else client.post
    assert method(reverse(name, args=[bobs.pk])).status_code == 404
    bobs.refresh_from_db()
    assert bobs.read_at is None


def test_one_is_marked_as_read(client: Client, alice: User, told: Told) -> None:
    newest, older = told(alice, 2)
    client.post(reverse("notification_read", args=[older.pk]))
    assert list(Notification.objects.in_bell_of(alice.pk).unread()) == [newest]


def test_all_are_marked_but_not_what_came_meanwhile(client: Client, alice: User, told: Told) -> None:
    newest = told(alice, 3)[0]
    (bobs,) = told(person("Bob"), 1)
    meanwhile = told(alice, 1)[0]
    client.post(reverse("notifications_read"), {"newest": newest.pk})
    assert set(Notification.objects.filter(channel="bell").unread()) == {meanwhile, bobs}
    client.post(reverse("notifications_read"), {"newest": "nonsense"})
    assert set(Notification.objects.filter(channel="bell").unread()) == {meanwhile, bobs}


@pytest.mark.parametrize(("unread", "words"), [(0, ""), (1, "1"), (9, "9"), (10, "9+"), (12, "9+")])
def test_the_bell_counts_to_nine(alice: User, told: Told, unread: int, words: str) -> None:
    told(alice, unread)
    with CaptureQueriesContext(connection) as queries:
        assert unread_words(alice.pk) == words
    (query,) = queries.captured_queries
    assert "LIMIT 10" in query["sql"]


def test_the_bell_alone_is_what_htmx_asks_for(client: Client, alice: User, told: Told) -> None:
    told(alice, 2)
    html = page(client, reverse("notifications_bell"))
    assert "<html" not in html
    assert '<span class="bell-count">2<' in html
    assert f'hx-get="{reverse("notifications_bell")}"' in html


def test_htmx_stops_asking_when_nobody_is_signed_in(client: Client) -> None:
    assert client.get(reverse("notifications_bell")).status_code == 286


def test_a_page_without_a_bell_does_not_count(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("account_login"))
    assert not any("notifications_notification" in query["sql"] for query in queries.captured_queries)


def signed_in(client: Client, *roles: Role) -> User:
    user = person("Diana")
    for role in roles:
        RoleAssignment.objects.create(user=user, role=role, starts_at=MONDAY - timedelta(days=99))
    client.force_login(user)
    return user


@pytest.fixture
def given_up(happen: Happen, mails: MailServer) -> tuple[OutboxEvent, Notification]:
    """An event that could not be told and a mail that could not be sent, after all attempts."""
    bob = person("Bob")
    poisoned = happen(bob, poison=True)
    happen(bob)
    mails.refuses, mails.refusal = lambda line: "bob@" in line, "450 mailbox full"
    for days in range(9):
        deliver(at=MONDAY + timedelta(days=days))
    return poisoned, Notification.objects.get(channel="mail")


def test_the_administrator_sees_what_failed_and_tries_again(
    client: Client, given_up: tuple[OutboxEvent, Notification], mails: MailServer
) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    poisoned, mail = given_up
    html = page(client, reverse("notification_failures"))
    assert "ZeroDivisionError: poison" in html
    assert "mailbox full" in html
    assert "Bob" in html

    mails.refuses = lambda line: False
    response = client.post(reverse("notification_try_again"), {"id": mail.pk}, follow=True)
    assert "1 is being tried again." in response.content.decode()
    mail.refresh_from_db()
    assert mail.next_attempt_at is not None
    assert deliver(at=mail.next_attempt_at) == Delivered(mails=1)
    poisoned.refresh_from_db()
    assert poisoned.next_attempt_at is None


def test_all_are_tried_again_at_once(client: Client, given_up: tuple[OutboxEvent, Notification]) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    response = client.post(reverse("notification_try_again"), {"all": "1"}, follow=True)
    html = response.content.decode()
    assert "2 are being tried again." in html
    assert "Nothing has failed" in html
    assert (
        "delivered"
        in client.post(reverse("notification_try_again"), {"id": given_up[1].pk}, follow=True).content.decode()
    )


def test_a_request_that_names_nothing_changes_nothing(
    client: Client, given_up: tuple[OutboxEvent, Notification]
) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    client.post(reverse("notification_try_again"), {"id": "nonsense"})
    assert OutboxEvent.objects.failed().count() == 1


def test_the_auditor_reads_and_changes_nothing(client: Client, given_up: tuple[OutboxEvent, Notification]) -> None:
    signed_in(client, Role.AUDITOR)
    html = page(client, reverse("notification_failures"))
    assert "ZeroDivisionError: poison" in html
    assert reverse("notification_try_again") not in html
    assert client.post(reverse("notification_try_again"), {"all": "1"}).status_code == 403
    assert OutboxEvent.objects.failed().count() == 1


@pytest.mark.parametrize("roles", [(), (Role.LIST_MANAGER,)])
def test_nobody_else_sees_failures(
    client: Client, given_up: tuple[OutboxEvent, Notification], roles: tuple[Role, ...]
) -> None:
    signed_in(client, *roles)
    assert client.get(reverse("notification_failures")).status_code == 403
    assert client.post(reverse("notification_try_again"), {"all": "1"}).status_code == 403
    assert OutboxEvent.objects.failed().count() == 1


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("notifications", "get"),
        ("notifications_read", "post"),
        ("notification_failures", "get"),
        ("notification_try_again", "post"),
    ],
)
def test_strangers_are_asked_to_sign_in(client: Client, name: str, method: str) -> None:
    response = getattr(client, method)(reverse(name))
    assert response.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("name", "method"), [("notifications_read", "get"), ("notification_try_again", "get"), ("notifications", "post")]
)
def test_reading_changes_nothing_and_changing_is_posted(client: Client, alice: User, name: str, method: str) -> None:
    assert getattr(client, method)(reverse(name)).status_code == 405
