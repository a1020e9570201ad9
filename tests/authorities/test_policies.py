"""Which clock policy is in force, and how one comes into force."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from authorities import policies, rereading
from authorities.models import ClockPolicy, ClockPolicyLine, InForce, Office
from authorities.terms import RULE_BOOK, Terms

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
LATER = NOW + timedelta(days=10)

pytestmark = pytest.mark.django_db


def shorter(days: int) -> dict[tuple[str, str], Terms]:
    return {**RULE_BOOK, ("company", ""): replace(RULE_BOOK["company", ""], days=days)}


def published(office: Office | None, *, days: int, effective_from: datetime) -> ClockPolicy:
    row = policies.draft(office.pk if office else None, effective_from=effective_from, lines=shorter(days))
    return policies.publish(row.pk, at=NOW)


def test_every_installation_begins_with_the_rule_book(office: Office) -> None:
    policy = policies.current(office.pk, NOW)
    assert dict(policy.lines) == dict(RULE_BOOK)
    assert policy.terms("decision", "fast").deem_approved
    assert policy.terms("company", "fast") == Terms(3, remind_at_percent=(50, 80))


def test_before_the_first_there_is_none(office: Office) -> None:
    with pytest.raises(policies.NoPolicy):
        policies.current(office.pk, datetime(2017, 12, 31, tzinfo=UTC))


def test_a_new_version_holds_from_its_day_on_for_new_clocks(office: Office) -> None:
    first = policies.current(office.pk, NOW)
    row = published(None, days=2, effective_from=LATER)
    assert row.version == 2
    assert policies.current(office.pk, LATER - timedelta(seconds=1)) == first
    assert policies.current(office.pk, LATER).terms("company").days == 2
    assert policies.get(first.id).terms("company").days == 3


def test_an_office_can_have_its_own(office: Office, other_office: Office) -> None:
    published(office, days=1, effective_from=NOW - timedelta(days=400))
    published(None, days=2, effective_from=LATER)
    assert policies.current(office.pk, LATER).terms("company").days == 1
    assert policies.current(other_office.pk, LATER).terms("company").days == 2
    assert policies.current(None, NOW).terms("company").days == 3


def test_a_draft_is_not_in_force(office: Office) -> None:
    row = policies.draft(office.pk, effective_from=NOW, lines=shorter(1))
    assert policies.current(office.pk, LATER).terms("company").days == 3
    with pytest.raises(ClockPolicy.DoesNotExist):
        policies.get(row.pk)


def test_nothing_is_left_out(office: Office) -> None:
    row = policies.draft(office.pk, effective_from=LATER)
    row.lines.filter(kind="decision", tier="heightened").delete()
    row.lines.filter(kind="reply").delete()
    with pytest.raises(ValidationError, match="Decision · Heightened, Reply to a proposed denial"):
        policies.publish(row.pk, at=NOW)
    row.refresh_from_db()
    assert row.is_draft


@pytest.mark.parametrize(
    ("effective_from", "why"),
    [(NOW + timedelta(seconds=59), "a minute after"), (NOW - timedelta(days=1), "a minute after")],
)
def test_every_process_knows_a_policy_before_it_takes_effect(effective_from: datetime, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        published(None, days=2, effective_from=effective_from)


def test_versions_take_effect_in_their_order() -> None:
    published(None, days=2, effective_from=LATER)
    with pytest.raises(ValidationError, match="later than this one"):
        published(None, days=1, effective_from=LATER - timedelta(days=1))


def test_what_is_published_does_not_change(office: Office) -> None:
    row = published(office, days=2, effective_from=LATER)
    with pytest.raises(InForce):
        policies.publish(row.pk, at=NOW)
    line = row.lines.first()
    assert line is not None
    for change in (line.save, line.delete):
        with pytest.raises(InForce):
            change()


def test_it_costs_nothing_after_the_first_time(office: Office, django_assert_num_queries: object) -> None:
    policies.current(office.pk, NOW)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert policies.current(office.pk, NOW) is policies.current(office.pk, NOW)


def test_a_policy_published_by_another_process_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert policies.current(None, LATER).terms("company").days == 3
    row = policies.draft(None, effective_from=LATER, lines=shorter(2))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE authorities_clockpolicy SET published_at = now() WHERE id = %s", [row.pk])
    assert policies.current(None, LATER).terms("company").days == 3
    monkeypatch.setattr(rereading, "REREAD_SECONDS", 0)
    assert policies.current(None, LATER).terms("company").days == 2


class TestLines:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"days": 0}, "greater than or equal to 1"),
            ({"extension": 11}, "less than or equal to 10"),
            ({"kind": "company", "tier": "", "extension": 1}, "Only a decision can be extended"),
            ({"kind": "company", "tier": "fast"}, "the same for every tier"),
            ({"tier": "heightened", "deem_approved": True}, "Only a fast or standard decision"),
            ({"head_after": 5, "last_after": 5}, "The last step comes after"),
            ({"remind_at_percent": [100]}, "less than or equal to 99"),
            ({"remind_before": [0]}, "greater than or equal to 1"),
        ],
    )
    def test_what_a_policy_cannot_say(self, changes: dict[str, object], why: str) -> None:
        row = policies.draft(None, effective_from=LATER, lines={})
        line = ClockPolicyLine(**{"policy": row, "kind": "decision", "tier": "fast", "days": 3, **changes})
        with pytest.raises(ValidationError, match=why):
            line.full_clean()

    def test_a_clock_and_a_tier_are_there_once(self) -> None:
        row = policies.draft(None, effective_from=LATER)
        with pytest.raises(IntegrityError), transaction.atomic():
            ClockPolicyLine.objects.create(policy=row, kind="company", days=1)

    def test_the_database_refuses_a_longer_extension_too(self) -> None:
        row = policies.draft(None, effective_from=LATER)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.lines.filter(kind="decision").update(extension=11)
