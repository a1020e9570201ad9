"""What is held about a person: they see it, they can have it, and it goes when its time is over (24, 26, 27)."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry
from accounts.roles import Role
from approvals.models import Attachment, Leg, TravelRequest
from approvals.states import State
from audit import verification
from audit.models import Entry
from employees.models import TravelDocument
from openness import retention
from openness.models import DEFAULTS, ErasedRequest, Held
from tests.asserting import nothing_moved
from tests.factories import in_state, with_role
from tests.openness.story import LONG_AFTER, ended
from tests.openness.test_download import alice_of, data_of, index, prepared, rows_that_mention

pytestmark = pytest.mark.django_db


# ── 24: everything held about them, and who looked ──────────────────────────────────────────────────────────────────


def test_24_whoever_reads_a_request_is_in_its_access_log_once() -> None:
    cast = in_state(State.APPROVED)
    reference = cast.request.reference
    ada, udo = with_role(Role.ADMINISTRATOR, "Ada"), with_role(Role.AUDITOR, "Udo")
    ada.is_staff = True
    ada.save()
    ways = [
        (cast.officer, reverse("request", args=[reference]), "officer", "request"),
        (cast.reviewer, reverse("case", args=[reference]), "reviewer", "case"),
        (cast.officer, reverse("api_request", args=[reference]), "officer", "api"),
        (udo, reverse("request", args=[reference]), "auditor", "request"),
        (ada, reverse("admin:approvals_travelrequest_change", args=[cast.request.pk]), "administrator", "back_office"),
    ]
    for user, path, role, page in ways:
        before = AccessEntry.objects.count()
        client = Client()
        client.force_login(user)
        assert client.get(path).status_code == 200, path
        assert AccessEntry.objects.count() == before + 1, path
        entry = AccessEntry.objects.latest("pk")
        assert (entry.user_id, entry.role, entry.subject, entry.page) == (user.pk, role, cast.request.pk, page)


def test_24_the_applicant_reads_who_looked_at_what_and_when() -> None:
    leaves = timezone.localdate() + timedelta(days=60)
    legs = [{"country": "BR", "city": "Rio", "arrives_on": leaves, "leaves_on": leaves, "host": "ICLR Foundation"}]
    cast = in_state(State.APPROVED, at=timezone.now() - timedelta(hours=12), legs=legs)
    officer = Client()
    officer.force_login(cast.officer)
    officer.get(reverse("request", args=[cast.request.reference]))
    officer.get(reverse("api_request", args=[cast.request.reference]))
    alice = Client()
    alice.force_login(alice_of(cast))

    page = alice.get(reverse("request", args=[cast.request.reference])).content.decode()

    looks = page[page.index('id="looks"') :]
    assert "Olivia Officer, compliance officer" in looks
    assert "The request, through a program" in looks
    assert "Whoever opens the request is noted here; who only sees it in a list is not." in looks
    assert not AccessEntry.objects.filter(user=alice_of(cast)).exists()


def test_24_everything_held_about_the_applicant_is_in_their_download() -> None:
    cast = in_state(State.DENIED)
    alice = alice_of(cast)
    AccessEntry.objects.create(
        at=timezone.now(), user=cast.reviewer, role="reviewer", subject=cast.request.pk, page="case"
    )

    data = data_of(prepared(alice))

    assert set(rows_that_mention(alice)) - index(data) == set()
    [look] = [row["values"] for row in data["tables"]["accounts.AccessEntry"] if row["kind"] == "record"]
    assert look["user"].startswith("reviewer, officer ")
    assert look["page"] == "case"


# ── 26: append-only, verifiable ─────────────────────────────────────────────────────────────────────────────────────


def test_26_the_access_log_is_never_changed() -> None:
    cast = in_state(State.APPROVED)
    AccessEntry.objects.create(
        at=timezone.now(), user=cast.reviewer, role="reviewer", subject=cast.request.pk, page="case"
    )
    for statement in ("UPDATE accounts_accessentry SET page = ''", "DELETE FROM accounts_accessentry"):
        with nothing_moved(), pytest.raises(ProgrammingError, match="permission denied"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def test_26_the_audit_log_is_whole_after_a_file_was_deleted() -> None:
    cast = ended()
    entries = list(Entry.objects.filter(chain=cast.request.pk).order_by("sequence").values_list("hash", flat=True))
    assert retention.erase(cast.request.pk, at=LONG_AFTER)
    after = list(Entry.objects.filter(chain=cast.request.pk).order_by("sequence").values_list("hash", flat=True))
    assert [bytes(one) for one in after[:-1]] == [bytes(one) for one in entries]
    assert verification.verify().first_break is None


def test_26_what_stays_in_the_audit_log_holds_no_word_of_the_person() -> None:
    cast = ended(State.DENIED, title="Secret wedding", description="My sister marries.")
    said = " ".join(str(entry.data) for entry in Entry.objects.filter(chain=cast.request.pk))
    for word in ("Alice", "Wang", "王爱丽", "Secret wedding", "My sister", "Rio", "ICLR", "@"):
        assert word not in said


# ── 27: deleted on schedule, the minimum ────────────────────────────────────────────────────────────────────────────


def test_27_the_file_goes_when_its_time_is_over_and_nothing_of_it_stays() -> None:
    cast = ended()
    one = retention.standing_of(cast.request.pk, at=LONG_AFTER)
    assert one is not None
    assert one.erase_at - one.ended_at == timedelta(days=DEFAULTS[Held.CLEARED])
    assert retention.erase(cast.request.pk, at=one.erase_at - timedelta(seconds=1)) == 0

    assert retention.erase(cast.request.pk, at=LONG_AFTER) > 10

    assert not TravelRequest.unscoped.exists()
    left = ErasedRequest.objects.values().get()
    assert left.keys() == {"chain_length", "chain_head", "id", "kind", "rows", "erased_at"}


RETENTION_PAGE = Path(settings.BASE_DIR) / "docs" / "retention.md"


def purposes() -> dict[str, str]:
    """`table.field` → what it is needed for, as the page says."""
    rows = re.findall(r"^\| `([A-Za-z]+\.[a-z_0-9]+)` \| (.+?) \|$", RETENTION_PAGE.read_text(), re.MULTILINE)
    return dict(rows)


def test_27_every_field_of_a_request_has_a_purpose_that_is_written_down() -> None:
    fields = {
        f"{model.__name__}.{field.name}"
        for model in (TravelRequest, Leg, Attachment, TravelDocument)
        for field in model._meta.concrete_fields
    }
    written = purposes()
    assert fields - written.keys() == set(), "say in docs/retention.md what these are needed for, or do not ask"
    assert written.keys() - fields == set(), "these are in docs/retention.md and not held any more"
    assert all(len(purpose) > 10 for purpose in written.values())


def test_27_the_days_on_the_page_are_those_of_the_product() -> None:
    text = RETENTION_PAGE.read_text()
    for kind, days in DEFAULTS.items():
        assert re.search(rf"^\| `{kind.value}` \| .+ \| {days} \| .+ \|$", text, re.MULTILINE), kind
