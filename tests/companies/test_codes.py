"""The unified social credit code of a company: GB 32100-2015, check digit included."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from companies.models import Company, validate_uscc
from tests.factories import CompanyFactory, OfficeFactory

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SOUND = "91110000600037341L"
codes = st.integers(0, 10**8 - 1).map(lambda n: (base := f"911101{n:08d}MA1"[:17]) + uscc.calc_check_digit(base))


def test_a_real_code_is_taken() -> None:
    validate_uscc(SOUND)


@given(codes, st.integers(8, 17), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(code: str, place: int, wrong: str) -> None:
    validate_uscc(code)
    typed = code[:place] + wrong + code[place + 1 :]
    if typed != code:
        with pytest.raises(ValidationError) as caught:
            validate_uscc(typed)
        assert caught.value.code in ("checksum", "format")


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ("91110000600037342L", "checksum", "The check digit"),
        (SOUND[:17], "format", "18 digits and capital letters"),
        (SOUND + "0", "format", "18 digits and capital letters"),
        ("9111000060003734IL", "format", "18 digits and capital letters"),
        ("", "format", "18 digits and capital letters"),
        ("９１１１", "format", "18 digits and capital letters"),
    ],
)
def test_the_message_says_what_is_wrong(typed: str, code: str, words: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match=words) as caught:
        validate_uscc(typed)
    assert caught.value.code == code


@pytest.mark.django_db
def test_a_code_is_kept_in_one_form_and_is_one_company() -> None:
    company = Company(uscc=f" {SOUND.lower()} ", name_zh="北辰", name_en="Beichen", office=OfficeFactory.create())
    company.clean()
    assert company.uscc == SOUND
    company.full_clean()
    company.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        CompanyFactory.create(name_en="Another", uscc=SOUND)


@pytest.mark.django_db
def test_a_company_is_called_by_its_name_in_the_language_that_is_spoken() -> None:
    company = CompanyFactory.create()
    with translation.override("en"):
        assert str(company) == "Beichen Intelligence"
    with translation.override("zh-hans"):
        assert str(company) == "北辰智能"
