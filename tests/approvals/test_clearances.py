"""Verifying a clearance: what it says to anybody, and when it says that it does not hold."""

import base64
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessEntry
from approvals import clearances, papers, workflow
from approvals.clearances import Standing, Verdict
from approvals.models import Clearance, Paper
from approvals.states import State
from documents import keys, tokens
from tests.asserting import nothing_moved
from tests.factories import DENIAL, NOW, actor, in_state

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)
FIRST, LAST = date(2026, 4, 22), date(2026, 4, 28)
VALID = Verdict(Standing.VALID, FIRST, LAST)
NOT_VALID, UNKNOWN = Verdict(Standing.NOT_VALID), Verdict(Standing.UNKNOWN)


@pytest.fixture
def cleared():
    cast = in_state(State.APPROVED)
    papers.make_due(at=LATER)
    return cast


def token_of(cast) -> str:
    return Clearance.objects.get(request=cast.request.pk).token


def test_a_clearance_in_force_is_valid_for_its_days(cleared):
    assert clearances.verify(token_of(cleared), at=LATER) == VALID


@pytest.mark.parametrize(
    ("moment", "verdict"),
    [
        ("2026-04-28T23:59:59+08:00", VALID),
        ("2026-04-29T00:00:00+08:00", NOT_VALID),  # in the office's zone; elsewhere it is still the 28th
    ],
)
def test_it_expires_at_the_end_of_its_last_day(cleared, moment, verdict):
    assert clearances.verify(token_of(cleared), at=datetime.fromisoformat(moment)) == verdict


def test_after_a_revocation_it_is_not_valid(cleared):
    token, at = token_of(cleared), LATER
    workflow.propose_revocation(cleared.request.pk, actor=actor(cleared.senior, at), at=at, grounds=DENIAL)
    assert clearances.verify(token, at=at) == VALID
    me = actor(cleared.applicant.user, at)
    workflow.reply(cleared.request.pk, actor=me, at=at, text="Please leave it in force.")
    workflow.revoke(cleared.request.pk, actor=actor(cleared.second_senior, at), at=at)
    assert clearances.verify(token, at=at) == NOT_VALID


def test_after_the_trip_was_closed_it_is_not_valid(cleared):
    workflow.close(cleared.request.pk, actor=actor(cleared.applicant.user, LATER), at=LATER)
    assert clearances.verify(token_of(cleared), at=LATER) == NOT_VALID


def test_the_clearance_of_a_decision_that_was_revoked_is_made_late_and_not_valid():
    """The worker may come after the revocation: what it then makes of the first decision holds for nobody."""
    cast = in_state(State.REVOKED)
    papers.make_due(at=LATER)
    assert clearances.verify(token_of(cast), at=LATER) == NOT_VALID


def test_a_refusal_has_no_token():
    in_state(State.DENIED)
    papers.make_due(at=LATER)
    assert not Clearance.objects.exists()


def test_a_signed_token_of_no_clearance_is_not_valid(cleared):
    key = keys.current(at=LATER)
    token = tokens.issue(uuid4(), valid_from=FIRST, valid_until=LAST, key=key)
    assert clearances.verify(token, at=LATER) == NOT_VALID


def test_a_withdrawn_key_makes_it_unknown_and_a_retired_one_does_not(cleared):
    token = token_of(cleared)
    keys.rotate(at=LATER)
    assert clearances.verify(token, at=LATER) == VALID
    keys.withdraw(tokens.key_id_of(token), at=LATER, why="a laptop was stolen")
    assert clearances.verify(token, at=LATER) == UNKNOWN


@pytest.mark.parametrize(
    "pasted",
    [
        "{token}",
        "  {token}\n",
        "https://exit-approvals.example/verify/{token}/",
        "https://exit-approvals.example/verify/{token}",
    ],
)
def test_it_can_be_pasted_as_it_is_found(cleared, pasted):
    assert clearances.verify(pasted.format(token=token_of(cleared)), at=LATER) == VALID


def test_lines_and_places_to_break_between_its_letters_are_nothing(cleared):
    token = token_of(cleared)
    assert clearances.verify("\u200b".join([token[:40], token[40:80] + "\n", token[80:]]), at=LATER) == VALID


@pytest.mark.parametrize("pasted", ["", "hello", "A" * 128, "x" * 1_000_000, "/verify/", "\x00"])
def test_anything_else_is_unknown(cleared, pasted):
    assert clearances.verify(pasted, at=LATER) == UNKNOWN


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def stranger() -> Client:
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def in_april(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat("2026-04-23T12:00:00+08:00"))


def test_the_page_says_valid_and_the_days_and_nothing_else(cleared, stranger, in_april):
    for answer in (
        stranger.get(reverse("verify_token", args=[token_of(cleared)])),
        stranger.post(reverse("verify"), {"token": token_of(cleared)}),
    ):
        page = answer.content.decode()
        assert "Valid" in page
        assert "22 April 2026 to 28 April 2026" in page
        request = cleared.request
        person = request.applicant
        for secret in (request.reference, request.title, person.name_en, "Rio", "Brazil", person.company.name):
            assert secret not in page


def test_the_page_does_not_repeat_the_token_and_is_not_kept(cleared, stranger, in_april):
    answer = stranger.post(reverse("verify"), {"token": token_of(cleared)})
    assert token_of(cleared) not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_asking_leaves_nothing_behind(cleared, stranger, in_april, capsys):
    with nothing_moved():
        stranger.get(reverse("verify_token", args=[token_of(cleared)]))
    assert not AccessEntry.objects.filter(subject=cleared.request.pk).exists()
    said = capsys.readouterr()
    assert token_of(cleared) not in said.out + said.err


def test_the_address_never_gets_into_the_log(cleared, stranger, caplog):
    stranger.get(reverse("verify_token", args=[token_of(cleared)]))
    assert caplog.records
    assert not any(token_of(cleared) in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("token", "said"), [("A" * 128, "Not a clearance"), ("", "Put the code here.")])
def test_the_page_says_what_is_wrong(stranger, token, said):
    assert said in stranger.post(reverse("verify"), {"token": token}).content.decode()


def test_the_public_keys_verify_without_us(cleared, stranger):
    """The recipe of docs/clearances.md, with nothing of ours."""
    published = stranger.get(reverse("verification_keys")).json()["keys"]
    raw = base64.urlsafe_b64decode(token_of(cleared))
    key = next(one for one in published if one["id"] == raw[3:11].hex() and one["withdrawn_at"] is None)
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"])).verify(raw[32:], raw[:32])
    assert date(2000, 1, 1) + timedelta(days=int.from_bytes(raw[28:30], "big")) == FIRST


# ── the papers of a request as files ────────────────────────────────────────────────────────────────────────────────


def paper_url(cast, kind: str, language: str = "en") -> str:
    order = cast.request.paper_orders.get(kind=kind)
    return reverse("paper", args=[cast.request.reference, order.pk, language])


def test_the_applicant_downloads_a_paper_as_it_was_issued(cleared, client):
    client.force_login(cleared.applicant.user)
    answer = client.get(paper_url(cleared, "decision"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{cleared.request.reference}-decision-en.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    stored = Paper.objects.get(order__kind="decision", language="en")
    assert b"".join(answer.streaming_content) == stored.file.read()


def test_who_asks_before_the_worker_came_gets_it_all_the_same(client):
    cast = in_state(State.APPROVED)
    client.force_login(cast.applicant.user)
    assert b"".join(client.get(paper_url(cast, "decision", "zh-hans")).streaming_content).startswith(b"%PDF")
    assert papers.make_due(at=LATER).made == 1  # the receipt


def test_the_company_has_the_clearance_and_not_the_refusal(client):
    cleared, denied = in_state(State.APPROVED), in_state(State.DENIED)
    for cast, kind, status in (
        (cleared, "receipt", 200),
        (cleared, "decision", 200),
        (denied, "receipt", 200),
        (denied, "decision", 404),
    ):
        client.force_login(cast.officer)
        assert client.get(paper_url(cast, kind)).status_code == status


def test_who_is_not_the_applicant_leaves_an_entry(cleared, client):
    client.force_login(cleared.reviewer)
    client.get(paper_url(cleared, "decision"))
    entry = AccessEntry.objects.get(subject=cleared.request.pk)
    assert (entry.user_id, entry.page) == (cleared.reviewer.pk, "paper")


def test_a_paper_of_another_request_or_language_is_not_found(cleared, client):
    other = in_state(State.APPROVED)
    client.force_login(cleared.applicant.user)
    theirs = other.request.paper_orders.get(kind="decision").pk
    assert client.get(reverse("paper", args=[cleared.request.reference, theirs, "en"])).status_code == 404
    assert client.get(paper_url(cleared, "decision", "fr")).status_code == 404
    assert client.get(paper_url(other, "decision")).status_code == 404


def test_one_that_cannot_be_made_says_so(settings, tmp_path, client):
    cast = in_state(State.APPROVED)
    settings.PAPER_CERTIFICATE = str(tmp_path / "missing.p12")
    client.force_login(cast.applicant.user)
    answer = client.get(paper_url(cast, "decision"), headers={"accept-language": "en"})
    assert answer.status_code == 503
    assert "is not ready yet" in answer.content.decode()
