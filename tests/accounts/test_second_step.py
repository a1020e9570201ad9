"""The pages of the second step and of keys: our words and our layout, in both languages."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "a-good-pass-phrase-9"
# What the library writes itself, in English and in the Chinese that it brings.
THEIRS = ("Two-Factor", "Authenticator App", "Security Keys", "Recovery Codes", "Are you sure", "双因素", "双重认证")


def olivia() -> User:
    found: User = UserFactory.create(name="Olivia", email="olivia@example.test", password=PASSWORD)
    return found


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    User.objects.filter(pk=user.pk).update(language=language)
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def with_an_app(user: User, language: str = "en") -> tuple[Client, list[str]]:
    """Signed in with a recovery code, and confirmed with another; the codes that are left."""
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    first, second, *codes = RecoveryCodes.activate(user).get_unused_codes()
    client = Client(headers={"accept-language": language})
    User.objects.filter(pk=user.pk).update(language=language)
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": first})
    client.post(reverse("mfa_reauthenticate"), {"code": second})
    return client, codes


def with_a_key(user: User) -> Authenticator:
    found: Authenticator = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue key", "credential": {}}
    )
    return found


def shown(client: Client, name: str, **arguments: Any) -> str:
    answer = client.get(reverse(name, kwargs=arguments))
    assert answer.status_code == 200, name
    text = answer.content.decode()
    assert not [words for words in THEIRS if words in text]
    assert 'class="crumbs"' in text or "entrance-card" in text
    return text


def test_what_is_set_up_and_what_can_be() -> None:
    user = olivia()
    text = shown(signed_in(user), "mfa_index")
    for words in ("Two-step sign-in", "Set up an app", "Add a key", "You get them with the first app or key"):
        assert words in text
    client, _codes = with_an_app(user)
    with_a_key(user)
    text = shown(client, "mfa_index")
    for words in (
        "Stop using the app",
        "One key belongs to your account.",
        "8 recovery codes are left.",
        "Show the codes",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Scan this picture", "Key for the app", "Code that the app shows", "Use this app")),
        ("zh-hans", ("请用手机应用扫描此图", "应用密钥", "应用显示的验证码", "使用此应用")),
    ],
)
def test_an_app_is_set_up(language: str, said: tuple[str, ...]) -> None:
    text = shown(signed_in(olivia(), language), "mfa_activate_totp")
    assert all(words in text for words in said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Name of the key", "Sign in with this key alone", "Add the key")),
        ("zh-hans", ("密钥名称", "仅凭此密钥登录", "添加密钥")),
    ],
)
def test_a_key_is_added(language: str, said: tuple[str, ...]) -> None:
    text = shown(signed_in(olivia(), language), "mfa_add_webauthn")
    assert all(words in text for words in said)
    assert "mfa_webauthn_add" in text


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_key_is_renamed_and_removed(language: str) -> None:
    user = olivia()
    client, _codes = with_an_app(user, language)
    key = with_a_key(user)
    renamed = shown(client, "mfa_edit_webauthn", pk=key.pk)
    assert ("Name of the key" in renamed) == (language == "en")
    empty = client.post(reverse("mfa_edit_webauthn", args=[key.pk]), {"name": ""}).content.decode()
    mistake = {"en": "Enter a name by which you know the key.", "zh-hans": "请填写便于您辨认该密钥的名称。"}
    assert mistake[language] in empty
    assert "Blue key" in shown(client, "mfa_remove_webauthn", pk=key.pk)
    assert client.post(reverse("mfa_remove_webauthn", args=[key.pk])).status_code == 302
    assert not Authenticator.objects.filter(pk=key.pk).exists()


@pytest.mark.parametrize(
    ("language", "heading", "mistake"),
    [
        ("en", "Second step", "Enter the code of your authenticator app, or a recovery code."),
        ("zh-hans", "第二步验证", "请输入身份验证器应用中的验证码，或一个恢复码。"),
    ],
)
def test_who_signs_in_is_asked_for_the_second_step(language: str, heading: str, mistake: str) -> None:
    user = olivia()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    client = Client(headers={"accept-language": language})
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("mfa_authenticate")
    text = answer.content.decode()
    assert f"<h1>{heading}</h1>" in text
    assert not [words for words in THEIRS if words in text]
    assert mistake in client.post(reverse("mfa_authenticate"), {"code": ""}).content.decode()


def test_recovery_codes_are_shown_made_anew_and_downloaded() -> None:
    client, codes = with_an_app(olivia())
    text = shown(client, "mfa_view_recovery_codes")
    assert "8 recovery codes are left." in text
    assert all(code in text for code in codes)
    assert "The codes that you have now will not work any more." in shown(client, "mfa_generate_recovery_codes")
    assert "Your password alone will then open your account" in shown(client, "mfa_deactivate_totp")


def test_what_concerns_the_account_is_confirmed_first() -> None:
    text = shown(signed_in(olivia()), "account_reauthenticate")
    assert "Confirm that it is you" in text
    assert "Go on" in text
