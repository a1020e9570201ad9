"""The token on a clearance: what it says, and that nothing else passes for it."""

import base64
from datetime import date
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit import signing
from documents import tokens

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {signing.key_id(KEY.public_key()): KEY.public_key()}
NUMBER = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
FIRST, LAST = date(2026, 4, 2), date(2026, 4, 9)
TOKEN = tokens.issue(NUMBER, valid_from=FIRST, valid_until=LAST, key=KEY)


def test_a_token_says_the_days_and_a_random_number_and_nothing_else():
    assert tokens.verify(TOKEN, KEYS) == tokens.Token(NUMBER, tokens.Outcome.CLEARED, FIRST, LAST, "56475aa75463474c")
    assert len(TOKEN) == 128


def test_its_bytes_are_as_documented():
    raw = base64.urlsafe_b64decode(TOKEN)
    assert raw[:3] == b"EC1"
    assert raw[3:11].hex() == signing.key_id(KEY.public_key())
    assert raw[11:27] == NUMBER.bytes
    assert raw[27] == 1
    assert int.from_bytes(raw[28:30], "big") == (FIRST - date(2000, 1, 1)).days
    assert int.from_bytes(raw[30:32], "big") == (LAST - date(2000, 1, 1)).days
    KEY.public_key().verify(raw[32:], raw[:32])


@given(st.integers(0, 96 * 8 - 1))
def test_with_any_bit_flipped_it_is_refused(bit):
    raw = bytearray(base64.urlsafe_b64decode(TOKEN))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(tokens.BadToken):
        tokens.verify(base64.urlsafe_b64encode(bytes(raw)).decode(), KEYS)


@given(st.integers(0, 127), st.characters())
def test_with_any_letter_changed_it_is_refused(place, letter):
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if changed != TOKEN:
        with pytest.raises(tokens.BadToken):
            tokens.verify(changed, KEYS)


@given(st.text() | st.text("ABCDEFGHabcdefgh0123-_", min_size=128, max_size=128))
def test_anything_else_is_refused_quietly(text):
    with pytest.raises(tokens.BadToken):
        tokens.verify(text, KEYS)


@pytest.mark.parametrize("text", ["", TOKEN[:-1], TOKEN + "A", TOKEN + "\n", TOKEN + "=", " " + TOKEN, TOKEN.lower()])
def test_a_token_has_one_spelling(text):
    with pytest.raises(tokens.BadToken):
        tokens.verify(text, KEYS)


def test_one_that_somebody_else_signed_is_refused():
    forger = Ed25519PrivateKey.generate()
    theirs = tokens.issue(NUMBER, valid_from=FIRST, valid_until=LAST, key=forger)
    with pytest.raises(tokens.BadToken):
        tokens.verify(theirs, KEYS)
    # Nor does it help to claim to have signed with our key.
    raw = bytearray(base64.urlsafe_b64decode(theirs))
    raw[3:11] = bytes.fromhex(next(iter(KEYS)))
    with pytest.raises(tokens.BadToken):
        tokens.verify(base64.urlsafe_b64encode(bytes(raw)).decode(), KEYS)


def test_without_the_key_it_is_refused():
    with pytest.raises(tokens.BadToken):
        tokens.verify(TOKEN, {})


@given(st.dates(date(2000, 1, 1), date(2179, 6, 6)), st.dates(date(2000, 1, 1), date(2179, 6, 6)), st.uuids())
def test_days_come_back_as_they_went_in(one, other, number):
    first, last = sorted((one, other))
    token = tokens.verify(tokens.issue(number, valid_from=first, valid_until=last, key=KEY), KEYS)
    assert (token.id, token.valid_from, token.valid_until) == (number, first, last)
    assert token.holds_on(first)
    assert token.holds_on(last)


@pytest.mark.parametrize(("first", "last"), [(LAST, FIRST), (date(1999, 12, 31), LAST), (FIRST, date(2179, 6, 7))])
def test_days_that_have_no_place_are_refused(first, last):
    with pytest.raises(ValueError, match=r"ends after|has no place"):
        tokens.issue(NUMBER, valid_from=first, valid_until=last, key=KEY)
