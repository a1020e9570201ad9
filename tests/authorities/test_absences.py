"""Who may say that somebody is away, and what a page of an office says of it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from authorities import absences
from authorities.models import Absence, Office, Posting
from tests.factories import NOW, actor, posted

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 3, 9), date(2026, 3, 13)


@pytest.fixture
def rui(office: Office) -> User:
    return posted(office, Role.REVIEWER, "4001", "Rui Reviewer")


@pytest.fixture
def ren(office: Office) -> User:
    return posted(office, Role.REVIEWER, "4002", "Ren Reviewer")


@pytest.fixture
def shan(office: Office) -> User:
    return posted(office, Role.SENIOR, "5001", "Shan Senior")


def enter(by: User, who: User, office: Office, **values: Any) -> Absence:
    wanted: dict[str, Any] = {"first_day": FIRST, "last_day": LAST} | values
    return absences.enter(actor=actor(by, NOW), at=NOW, office_id=office.pk, user_id=who.pk, **wanted)


def test_rui_is_away_on_whole_days_of_the_office(office: Office, rui: User, ren: User) -> None:
    row = enter(rui, rui, office, deputy_id=ren.pk)

    assert (row.first_day, row.last_day, row.days) == (FIRST, LAST, 5)
    assert row.starts_at == datetime(2026, 3, 9, tzinfo=office.zone)
    assert row.ends_at == datetime(2026, 3, 14, tzinfo=office.zone)
    instant = timedelta(microseconds=1)
    for at, there in (
        (row.starts_at - instant, [rui.pk]),
        (row.starts_at, [ren.pk]),
        (row.ends_at - instant, [ren.pk]),
        (row.ends_at, [rui.pk]),
    ):
        assert absences.those_there([rui.pk], office_id=office.pk, role=Role.REVIEWER, at=at) == there


def test_seniors_enter_for_others_and_reviewers_for_themselves(
    office: Office, other_office: Office, rui: User, ren: User, shan: User
) -> None:
    elsewhere = posted(other_office, Role.SENIOR, "5002")
    for who in (ren, elsewhere):
        with pytest.raises(NotAllowed):
            enter(who, rui, office)
    assert not Absence.objects.exists()
    assert enter(shan, rui, office).entered_by == shan


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("last_day", {"first_day": LAST, "last_day": FIRST}),
        ("last_day", {"first_day": date(2026, 2, 2), "last_day": date(2026, 3, 2)}),
        ("last_day", {"last_day": date(2036, 3, 13)}),
        ("role", {"role": Role.SENIOR}),
        ("deputy", {"deputy_id": "rui"}),
        ("deputy", {"deputy_id": "shan"}),
        ("first_day", {"first_day": date(2026, 3, 18), "last_day": date(2026, 3, 20)}),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    office: Office, rui: User, shan: User, field: str, values: dict[str, Any]
) -> None:
    """On the 20th Rui is entered as away already; Shan is no reviewer, so cannot stand in for one."""
    enter(rui, rui, office, first_day=date(2026, 3, 20), last_day=date(2026, 3, 25))
    people = {"rui": rui.pk, "shan": shan.pk}
    said = {name: people.get(value, value) if isinstance(value, str) else value for name, value in values.items()}
    said["role"] = values.get("role")
    with pytest.raises(Invalid) as refused:
        enter(rui, rui, office, **said)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert Absence.objects.count() == 1


def test_an_absence_ends_early_or_never_begins(office: Office, rui: User, ren: User) -> None:
    now, soon = enter(rui, rui, office, first_day=date(2026, 3, 2)), enter(ren, ren, office)
    me = actor(rui, NOW)
    with pytest.raises(NotFound):
        absences.end(soon.pk, actor=me, at=NOW)
    absences.end(now.pk, actor=me, at=NOW)
    now.refresh_from_db()
    assert now.ends_at == NOW
    with pytest.raises(NotNow):
        absences.end(now.pk, actor=me, at=NOW)
    absences.end(soon.pk, actor=actor(ren, NOW), at=NOW)
    assert list(Absence.objects.all()) == [now]


def test_offices_in_which_somebody_is_missing_are_named(
    office: Office, other_office: Office, rui: User, ren: User, shan: User
) -> None:
    posted(office, Role.HEAD, "1001")
    Office.objects.filter(pk=other_office.pk).update(is_active=False)
    assert absences.unmanned(at=NOW) == []
    enter(shan, shan, office, first_day=date(2026, 3, 2))
    assert absences.unmanned(at=NOW) == [(office, [Role.SENIOR])]
    enter(rui, rui, office, first_day=date(2026, 3, 2), deputy_id=ren.pk)
    assert absences.unmanned(at=NOW) == [(office, [Role.SENIOR])], "a deputy is there"
    Posting.objects.filter(user=ren).update(ends_at=NOW)
    assert absences.unmanned(at=NOW) == [(office, [Role.REVIEWER, Role.SENIOR])]
    Office.objects.filter(pk=other_office.pk).update(is_active=True)
    assert absences.unmanned(at=NOW)[-1] == (other_office, [Role.REVIEWER, Role.SENIOR, Role.HEAD])


def test_the_page_enters_and_ends(office: Office, rui: User, ren: User) -> None:
    client = Client()
    client.force_login(rui)
    today = timezone.localdate()
    said = {"office": office.pk, "user": rui.pk, "first_day": today, "last_day": today, "deputy": ren.pk, "role": ""}

    wrong = client.post("/absences/", said | {"last_day": today - timedelta(days=1)})
    assert "The last day is before the first" in wrong.content.decode()
    assert client.post("/absences/", said | {"user": ren.pk}).status_code == 200, "Ren is not among the choices"
    assert not Absence.objects.exists()
    assert client.post("/absences/", said).status_code == 302
    row = Absence.objects.get()
    assert (row.user, row.deputy, row.role, row.entered_by) == (rui, ren, "", rui)
    page = client.get("/absences/").content.decode()
    assert "Ren Reviewer" in page
    assert f"/absences/{row.pk}/end/" in page
    others = Client()
    others.force_login(ren)
    assert others.post(f"/absences/{row.pk}/end/").status_code == 404
    assert f"/absences/{row.pk}/end/" not in others.get("/absences/").content.decode()
    assert client.post(f"/absences/{row.pk}/end/").status_code == 302
    row.refresh_from_db()
    assert row.ends_at <= timezone.now()
