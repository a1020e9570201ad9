"""The keys of clearances: one signs, those before verify, a withdrawn one does neither."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.refusals import Invalid, NotFound, NotNow
from accounts.roles import Role
from audit import signing, verification
from audit.models import Entry
from documents import keys
from documents.models import KeyHistory, SigningKey
from tests.factories import with_role

AT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
LATER = AT + timedelta(days=30)

pytestmark = pytest.mark.django_db


def id_of(key) -> str:
    return signing.key_id(key.public_key())


def test_the_first_key_is_made_when_it_is_needed_and_stays():
    first = keys.current(at=AT)
    assert id_of(keys.current(at=LATER)) == id_of(first)
    assert list(keys.trusted()) == [id_of(first)]


def test_the_database_never_sees_the_private_half():
    key = keys.current(at=AT)
    row = SigningKey.objects.get()
    assert key.private_bytes_raw() not in bytes(row.sealed)
    assert len(row.sealed) == 12 + 32 + 16


def test_after_a_rotation_the_one_before_verifies_and_its_private_half_is_gone():
    before = keys.current(at=AT)
    row = keys.rotate(at=LATER)
    assert id_of(keys.current(at=LATER)) == row.key_id != id_of(before)
    assert set(keys.trusted()) == {row.key_id, id_of(before)}
    old = SigningKey.objects.get(key_id=id_of(before))
    assert (old.sealed, old.retired_at) == (None, LATER)


def test_a_key_that_was_withdrawn_is_trusted_no_more_and_another_signs():
    before = id_of(keys.current(at=AT))
    keys.withdraw(before, at=LATER, why="a laptop was stolen")
    assert before not in keys.trusted()
    assert id_of(keys.current(at=LATER)) in keys.trusted()
    with pytest.raises(NotNow):
        keys.withdraw(before, at=LATER, why="again")


def test_withdrawing_an_old_key_leaves_the_one_in_use():
    old = id_of(keys.current(at=AT))
    new = keys.rotate(at=LATER).key_id
    keys.withdraw(old, at=LATER, why="a backup was lost")
    assert list(keys.trusted()) == [new]


def test_what_cannot_be_withdrawn():
    held = id_of(keys.current(at=AT))
    with pytest.raises(NotFound):
        keys.withdraw("0" * 16, at=AT, why="x")
    with pytest.raises(Invalid):
        keys.withdraw(held, at=AT, why="  ")
    assert list(keys.trusted()) == [held]


def test_another_secret_does_not_open_the_key(settings):
    keys.current(at=AT)
    settings.CLEARANCE_KEY_SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    with pytest.raises(keys.NoSealingKey, match="does not open"):
        keys.current(at=AT)


@pytest.mark.parametrize("secret", ["", "short", "x" * 44])
def test_without_a_good_secret_no_key_is_made(settings, secret):
    settings.CLEARANCE_KEY_SECRET = secret
    with pytest.raises(keys.NoSealingKey, match="CLEARANCE_KEY_SECRET"):
        keys.current(at=AT)
    assert not SigningKey.objects.exists()


def test_the_database_lets_one_key_sign_at_a_time():
    keys.current(at=AT)
    with pytest.raises(IntegrityError, match="documents_key_one_signs_at_a_time"), transaction.atomic():
        SigningKey.objects.create(key_id="f" * 16, public=bytes(32), sealed=b"x", made_at=AT)


def test_the_command_lists_rotates_and_withdraws(capsys):
    first = id_of(keys.current(at=AT))
    call_command("keys", "rotate")
    new = id_of(keys.current(at=LATER))
    call_command("keys", "withdraw", first, "--why", "a laptop was stolen")
    with pytest.raises(CommandError, match="no such key"):
        call_command("keys", "withdraw", "0" * 16, "--why", "x")
    call_command("keys", "list")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{new} signs from now on."
    assert lines[1].startswith(f"{first} is withdrawn")
    assert lines[2].startswith(f"{new}  signs since")
    assert lines[3].startswith(f"{first}  withdrawn")
    assert lines[3].endswith("a laptop was stolen")


def said() -> list[tuple[str, dict[str, str | None]]]:
    """What the audit log has of keys, in order."""
    chain = KeyHistory.objects.get()
    found = Entry.objects.filter(chain=chain.pk).order_by("sequence")
    assert (len(found), bytes(found.last().hash)) == (chain.chain_length, bytes(chain.chain_head))
    return [(entry.verb, entry.data) for entry in found]


def test_whatever_is_done_to_a_key_is_in_one_chain_of_the_audit_log():
    first = id_of(keys.current(at=AT))
    keys.current(at=AT)
    second = keys.rotate(at=LATER).key_id
    keys.withdraw(second, at=LATER, why="a laptop was stolen")
    third = id_of(keys.current(at=LATER))
    assert said() == [
        ("key.make", {"key": first}),
        ("key.rotate", {"key": second, "before": first}),
        ("key.withdraw", {"key": second}),
        ("key.make", {"key": third}),
    ]
    assert verification.verify().first_break is None
    with pytest.raises(NotNow):
        keys.withdraw(second, at=LATER, why="again")
    assert len(said()) == 4
    assert [entry.in_words() for entry in keys.entries(first)] == [
        f"The key {first} was made: it signs clearances.",
        f"The key {second} signs clearances from now on; the one before it verifies.",
    ]


def test_administrators_see_which_keys_there_are_and_never_a_private_half():
    private = keys.current(at=AT)
    old, sealed = id_of(private), bytes(SigningKey.objects.get().sealed)
    ada = with_role(Role.ADMINISTRATOR)
    ada.is_staff = True
    ada.save()
    client = Client()
    client.force_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    listed = reverse("admin:documents_signingkey_changelist")
    one = reverse("admin:documents_signingkey_change", args=[old])
    pages = [client.get(listed), client.get(one)]
    keys.rotate(at=LATER)
    pages += [client.get(listed), client.get(one)]
    assert [page.status_code for page in pages] == [200] * 4
    texts = [page.content.decode() for page in pages]
    assert "signs now, until another is made" in texts[0]
    assert "manage.py keys rotate" in texts[0]
    assert "no end" in texts[2]
    assert "the one before it verifies" in texts[3]
    for text in texts:
        for secret in (private.private_bytes_raw(), sealed):
            assert secret.hex() not in text
            assert base64.b64encode(secret).decode() not in text
    assert client.get(reverse("admin:documents_signingkey_add")).status_code == 403
    assert client.post(one, {"withdrawn_because": "x"}).status_code == 403
    assert client.post(reverse("admin:documents_signingkey_delete", args=[old]), {"post": "yes"}).status_code == 403
    assert SigningKey.objects.filter(key_id=old, withdrawn_because="").exists()
