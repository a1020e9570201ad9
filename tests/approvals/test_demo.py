"""The demonstration data, to look at: true histories, complete, furnished."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from io import StringIO
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.actors import actor_for
from accounts.models import AccessEntry, User
from approvals import demo, workflow
from approvals.assessment import assess_facts, facts_from
from approvals.demo import events, keeping, printed, stories, trips
from approvals.models import Appeal, Assessment, Clock, Decision, MatchJudgement, Opinion, Reply, TravelRequest
from approvals.states import State, Tier
from audit.models import Entry
from audit.verification import verify
from authorities import calendars
from authorities.models import Office
from companies.models import Company
from employees.models import Employee, ProjectAssignment
from notifications.models import Notification, OutboxEvent
from openness import retention
from openness.models import FILES
from sensitivity import publishing
from sensitivity.models import FIXED, ListEntry, ListKind, ListVersion, Rehearsal, Renewal, SensitivityList
from sensitivity.taxonomy import SUBJECTS

pytestmark = pytest.mark.xdist_group("demo")  # loaded on one worker only

TODAY = date(2026, 11, 24)
BEGINNING_OF_TODAY = datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Shanghai"))
# One request of each fate and a few more.
FEW = len(stories.FATES) + 8


@pytest.fixture(scope="module")
def demonstration(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Loaded once for all tests that only look at it."""
    folder = TemporaryDirectory()
    kept = settings.STORAGES["attachments"]
    options = kept["OPTIONS"] | {"location": folder.name}
    with (
        folder,
        django_db_blocker.unblock(),
        override_settings(STORAGES=settings.STORAGES | {"attachments": kept | {"OPTIONS": options}}),
    ):
        mail.outbox = []
        with transaction.atomic():
            demo.load(seed=3, requests=FEW, today=TODAY)
            yield
            transaction.set_rollback(True)


@pytest.fixture
def loaded(demonstration: None, db: None) -> None:
    """The demonstration, to look at."""


def test_files_whose_time_is_over_are_told_of_held_back_and_about_to_go(
    loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: BEGINNING_OF_TODAY)
    policy = retention.in_force(BEGINNING_OF_TODAY)
    assert (policy.version, policy.drafted_by == policy.published_by) == (2, False)
    assert policy.effective_from < BEGINNING_OF_TODAY
    waiting = retention.being_drafted()
    assert waiting is not None
    admin = User.objects.get(email=f"admin@{printed.DOMAIN}")
    assert waiting.drafted_by != admin
    lines = {line.kind: line for line in retention.outlook(BEGINNING_OF_TODAY)}
    assert sum(line.due for kind, line in lines.items() if kind in FILES) > 0
    assert sum(line.to_tell for line in lines.values()) > 0
    assert sum(line.held.get("correction", 0) for line in lines.values()) == 1
    assert verify().first_break is None
    said = StringIO()
    call_command("retention", "--dry-run", stdout=said)
    assert "Policy version 2. Nothing is changed." in said.getvalue()
    assert "1 (open correction request)" in said.getvalue()


def test_every_state_tier_verb_and_appeal_occurs(loaded: None) -> None:
    assert set(TravelRequest.unscoped.values_list("state", flat=True)) == set(State)
    assert set(TravelRequest.unscoped.values_list("tier", flat=True)) >= set(Tier)
    verbs = set(Entry.objects.values_list("verb", flat=True))
    # Nobody of the offices is away for long, so no case goes back by itself. What takes a hit that a change
    # brings, and what happens on the way, are in no story.
    untold = {"return_to_queue", "recommend_amendment", "report_change", "note_report"}
    assert set(workflow.transitions()) - untold <= verbs
    assert {"file_appeal", "hear_appeal", "uphold"} <= verbs
    assert {"report_condition", "send_back_condition", "release_condition", "cannot_comply"} <= verbs
    assert "answer_condition" in verbs
    states = {"filed", "in_review", "upheld", "overturned", "withdrawn"}
    assert set(Appeal.objects.values_list("state", flat=True)) == states
    assert {"consult", "give_opinion"} <= verbs
    assert Opinion.objects.filter(is_late=True).exists()
    assert Decision.objects.filter(deemed=True).exists()
    assert [one for one in Decision.objects.filter(outcome="approved") if one.is_partial and one.appeal_until]
    assert Reply.objects.exclude(attachments=[]).exists()
    assert Reply.objects.exclude(helper_name="").exists()
    assert TravelRequest.unscoped.filter(urgent=True).exists()
    departures = TravelRequest.unscoped.filter(state=State.APPROVED).values_list("departs_on", flat=True)
    assert min(departures) < TODAY < max(departures)


def test_every_history_is_true(loaded: None) -> None:
    """Every chain verifies, time only goes forward, the future is untouched, no clock that was due was left alone."""
    assert verify().first_break is None
    for request in TravelRequest.unscoped.all():
        moments = list(Entry.objects.filter(chain=request.pk).order_by("sequence").values_list("at", flat=True))
        assert moments == sorted(moments)
        assert moments[-1] < BEGINNING_OF_TODAY
    late = Clock.objects.filter(ended_at=None, next_action_at__lt=BEGINNING_OF_TODAY - timedelta(minutes=1))
    assert not late.exists()
    assert not Clock.objects.exclude(last_error="").exists()


def test_the_stories_end_in_the_states_that_they_are_told_for(loaded: None) -> None:
    states = Counter(TravelRequest.unscoped.values_list("state", flat=True))
    assert states[State.AUTHORITY_REVIEW] >= 10
    assert states[State.DENIED] >= 5
    assert states[State.LAPSED] >= 3
    me = TravelRequest.unscoped.filter(applicant__user__email="applicant@demo.example")
    mine = set(me.values_list("state", flat=True))
    assert mine >= {State.DRAFT, State.INFORMATION_REQUESTED, State.DECISION_PROPOSED, State.APPROVED, State.DENIED}
    to_reply = me.get(state=State.DECISION_PROPOSED)
    assert to_reply.proposed_outcome == "denied"
    assert to_reply.reply_until is not None
    assert to_reply.reply_until > BEGINNING_OF_TODAY


def test_people_are_told_under_the_bell_and_nobody_is_sent_a_mail(loaded: None) -> None:
    assert not mail.outbox
    assert not OutboxEvent.objects.filter(done_at=None).exists()
    assert not Notification.objects.filter(done_at=None).exists()
    recent = Notification.objects.filter(channel="bell", read_at=None)
    assert recent.exists()
    assert min(recent.values_list("at", flat=True)) >= BEGINNING_OF_TODAY - timedelta(days=3)


def test_the_house_is_furnished(loaded: None) -> None:
    assert Office.objects.count() == 4
    assert Employee.unscoped.count() == 200
    assert Employee.unscoped.filter(name_zh__contains="䶮").exists()
    assert set(ListEntry.objects.values_list("version__list__kind", flat=True)) == set(ListKind)
    for company in Company.objects.all():
        company.full_clean()
    for employee in Employee.unscoped.all():
        employee.clean_fields()
    assert AccessEntry.objects.filter(role="reviewer").exists()


def test_the_lists_have_two_published_versions_and_what_is_to_come(loaded: None) -> None:
    for kept in SensitivityList.objects.all():
        fixed = kept.versions.filter(state__in=FIXED)
        assert [version.state for version in fixed] == ["published", "superseded"]
        for version in fixed:
            assert version.publisher_id not in version.editors
            rehearsed = version.rehearsals.finished().get(content=version.content)
            assert rehearsed.job is not None
            assert rehearsed.requests == 0 or version.number == 2
    entries = ListEntry.objects.filter(version__state="published").count()
    assert entries >= 300
    assert Rehearsal.objects.filter(version__state="published", changed__gt=0).exists()
    draft = ListVersion.objects.get(state="draft")
    assert draft.list.kind == ListKind.TECHNOLOGY
    assert len(draft.editors) == 2
    assert not draft.rehearsals.filter(content=draft.content).exists()
    waiting = ListVersion.objects.get(state="in_review")
    publisher = actor_for(User.objects.get(email="publisher@demo.example"), at=BEGINNING_OF_TODAY)
    assert "publish" in publishing.available_actions(publisher, waiting)
    assert waiting.list.versions.get(state="published").number == 2


def test_one_list_is_confidential_one_was_renewed_and_one_ends_soon(loaded: None) -> None:
    confidential = SensitivityList.objects.get(is_confidential=True)
    assert confidential.confidentiality_reviewed_by_id not in (None, confidential.owner_id)
    assert Renewal.objects.get().version.list == confidential
    ending = ListVersion.objects.get(state="published", published_until__lte=TODAY + timedelta(days=30))
    assert set(ending.reminders.values_list("days", flat=True)) == {60, 30}
    told = Notification.objects.filter(channel="bell", read_at=None, event__event="list.ends_soon")
    assert told.get().recipient.email == "lists@demo.example"


def test_people_changed_assessments_and_matches_wait(loaded: None) -> None:
    assert set(MatchJudgement.objects.values_list("confirmed", flat=True)) == {True, False}
    assert set(Assessment.objects.values_list("cause", flat=True)) == set(Assessment.Cause)
    waiting = TravelRequest.unscoped.filter(state=State.AUTHORITY_REVIEW, open_matches__gt=0)
    assert waiting.filter(assigned_reviewer=None).exists()
    assert waiting.exclude(assigned_reviewer=None).exists()


def test_the_lists_say_what_was_foretold(loaded: None) -> None:
    """The tier of each submission, as the lists in the database gave it, is the one that its story was laid out for."""
    forecast = keeping.Forecast(TODAY)
    domains = dict(ProjectAssignment.objects.values_list("employee_id", "employee__number"))
    by_prefix = {"TI": "tianshu", "MI": "mingyan", "LA": "lantu", "YU": "yunque", "TU": "tuochuan", "HE": "hengyun"}
    first = Assessment.objects.filter(cause="submitted").select_related("revision", "request")
    assert first.count() > len(stories.FATES) / 2
    for assessed in first:
        content = assessed.revision.content
        days = ("arrives_on", "leaves_on")
        legs = [leg | {name: date.fromisoformat(leg[name]) for name in days} for leg in content["legs"]]
        trip = trips.Trip(content, legs, by_prefix[domains[assessed.request.applicant_id][:2]])
        assert forecast.tier(trip, publishing.today(assessed.at)) == assessed.tier


@pytest.mark.django_db
@pytest.mark.parametrize("today", [date(2026, 10, 9) + timedelta(days=day) for day in range(7)] + [date(2026, 2, 24)])
def test_lists_are_kept_in_order_whatever_day_it_is(today: date) -> None:
    """Also after the long holidays, when much falls on the last working day before them."""
    nobody = User()
    kept = keeping.Keeping(
        keeping.Keepers(nobody, nobody, nobody), {}, today=today, calendar=calendars.load(None)
    ).happenings()
    per_list: list[list[datetime]] = [[]]
    for at, what in kept:
        if isinstance(what, partial) and what.func.__name__ == "_found":
            per_list.append([])
        if isinstance(what, partial):
            per_list[-1].append(at)
            if what.func.__name__ == "_publish":
                assert publishing.today(at) < today - timedelta(days=what.args[1])
    assert len(per_list) == 1 + len(ListKind)
    for moments in per_list:
        assert moments == sorted(set(moments))
        assert all(at < datetime.combine(today, datetime.min.time(), BEGINNING_OF_TODAY.tzinfo) for at in moments)


def test_open_cases_would_now_be_assessed_otherwise(loaded: None) -> None:
    found = []
    for request in TravelRequest.unscoped.filter(state__in=[State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED]):
        assert request.revision is not None
        assert request.departs_on is not None
        assert request.returns_on is not None
        facts = facts_from(request.revision.content, company_id=request.company_id)
        now = assess_facts(facts, on=TODAY, departs_on=request.departs_on, returns_on=request.returns_on)
        found.append(now.tier != request.tier)
    assert any(found)


@pytest.mark.parametrize("account", printed.ACCOUNTS, ids=lambda account: account.email)
def test_each_account_signs_in_and_holds_its_role(loaded: None, account: Any) -> None:
    user = User.objects.get(email=account.email)
    assert user.check_password(demo.PASSWORD)
    assert account.role in actor_for(user, at=BEGINNING_OF_TODAY).roles
    assert account in demo.accounts()


@pytest.mark.parametrize("total", [1, 40, len(stories.FATES), 600])
def test_the_shares_add_up(total: int) -> None:
    fates = stories.shares(total)
    assert len(fates) == total
    if total >= len(stories.FATES):
        assert set(fates) == set(stories.FATES)


def test_events_keep_their_weekdays_when_they_are_shifted() -> None:
    real = {event.name: event for event in events.real()}
    for first in (date(2026, 1, 1), date(2026, 11, 24), date(2028, 2, 29)):
        found = events.between(first, first + timedelta(days=363))
        assert len(found) == len(real)
        for event in found:
            assert event.starts_on.weekday() == real[event.name].starts_on.weekday()
            assert event.ends_on - event.starts_on == real[event.name].ends_on - real[event.name].starts_on
            assert bool(event.url) == (event.starts_on == real[event.name].starts_on)
            assert set(event.topics) <= {code for code, _label in SUBJECTS}
