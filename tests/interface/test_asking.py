"""A field that was left empty says what to do there (interface.md), not that something is required."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from config.messages import PACKAGES
from interface.asking import asks
from tests.factories import UserFactory

GENERIC = str(forms.Field.default_error_messages["required"])


def every_form() -> Iterator[type[forms.BaseForm]]:
    """The forms of the product. Those of the sign-in library say it when they are made: see below."""
    for package in PACKAGES:
        if package == "config":
            continue
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found = [forms.BaseForm]
    while found:
        form = found.pop()
        found += form.__subclasses__()
        if form.__module__.partition(".")[0] in PACKAGES and form.__module__ != "accounts.forms":
            yield form


def test_no_form_says_only_that_a_field_is_required() -> None:
    silent = {
        f"{form.__module__}.{form.__name__}.{name}"
        for form in every_form()
        for name, field in getattr(form, "base_fields", {}).items()
        if field.required and str(field.error_messages.get("required")) == GENERIC
    }
    assert silent == set()


def test_a_sentence_for_a_field_that_is_not_there_is_a_mistake() -> None:
    class Sample(forms.Form):
        code = forms.CharField()

    with pytest.raises(KeyError):
        asks(name="Enter a name.")(Sample)
    assert asks(code="Enter the code.")(Sample)({}).errors == {"code": ["Enter the code."]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "sentences"),
    [
        ("account_login", {"Enter your e-mail address.", "Enter your password."}),
        ("account_reset_password", {"Enter your e-mail address."}),
    ],
)
def test_who_signs_in_reads_what_to_do(page: str, sentences: set[str]) -> None:
    answer = Client(headers={"accept-language": "en"}).post(reverse(page), {})
    said = {str(words) for errors in answer.context["form"].errors.values() for words in errors}
    assert said == sentences
    shown = answer.content.decode()
    # Beside the field, and in the summary above.
    assert all(shown.count(sentence) >= 2 for sentence in sentences)
    assert "error-summary" in shown


PASSWORD = "a-good-pass-phrase-9"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "sentences"),
    [
        (
            "account_change_password",
            {
                "Enter the password that you have now.",
                "Choose a new password.",
                "Enter the new password again.",
            },
        ),
        ("account_reauthenticate", {"Enter your password."}),
        ("mfa_activate_totp", {"Enter the six digits that your authenticator app shows."}),
    ],
)
def test_who_changes_how_they_sign_in_reads_what_to_do(page: str, sentences: set[str]) -> None:
    client = Client()
    user: Any = UserFactory.create(password=PASSWORD)
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answer = client.post(reverse(page), {})
    said = {str(words) for errors in answer.context["form"].errors.values() for words in errors}
    assert said == sentences


@pytest.mark.django_db
def test_the_same_in_chinese() -> None:
    answer = Client(headers={"accept-language": "zh-hans"}).post(reverse("account_login"), {})
    assert "请输入您的电子邮件地址。" in answer.content.decode()
    assert "请输入您的密码。" in answer.content.decode()
