"""The forms of the sign-in library, with what to do where a field was left empty."""

from collections.abc import Mapping
from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django.forms import BaseForm
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

_EMAIL = _("Enter your e-mail address.")
_PASSWORD = _("Enter your password.")
_CODE = _("Enter the code of your authenticator app, or a recovery code.")
_NEW = {"password1": _("Choose a new password."), "password2": _("Enter the new password again.")}


class _Asking(BaseForm):
    """A form that says of each field in `asks` what to do there, and calls those in `labels` and `hints` in our words.
    The library makes some of its fields late."""

    asks: ClassVar[Mapping[str, Any]] = {}
    labels: ClassVar[Mapping[str, Any]] = {}
    hints: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in self.asks:
                field.error_messages["required"] = self.asks[name]
            if name in self.labels:
                field.label = self.labels[name]
                field.widget.attrs.pop("placeholder", None)
            field.help_text = self.hints.get(name, field.help_text)


class LoginForm(_Asking, account.LoginForm):
    asks: ClassVar = {"login": _EMAIL, "password": _PASSWORD}


class ResetPasswordForm(_Asking, account.ResetPasswordForm):
    asks: ClassVar = {"email": _EMAIL}


class ResetPasswordKeyForm(_Asking, account.ResetPasswordKeyForm):
    asks: ClassVar = _NEW


class ChangePasswordForm(_Asking, account.ChangePasswordForm):
    asks: ClassVar = {"oldpassword": _("Enter the password that you have now."), **_NEW}


class SetPasswordForm(_Asking, account.SetPasswordForm):
    asks: ClassVar = _NEW


class AddEmailForm(_Asking, account.AddEmailForm):
    asks: ClassVar = {"email": _("Enter the new e-mail address.")}


class ChangeEmailForm(_Asking, account.ChangeEmailForm):
    asks: ClassVar = {"email": _("Enter the new e-mail address.")}


class ReauthenticateForm(_Asking, account.ReauthenticateForm):
    asks: ClassVar = {"password": _PASSWORD}


class SecondStepForm(_Asking, mfa.AuthenticateForm):
    asks: ClassVar = {"code": _CODE}
    labels: ClassVar = {"code": pgettext_lazy("second step", "Code")}
    hints: ClassVar = {"code": _("The six digits that your authenticator app shows, or a recovery code.")}


class SecondStepAgainForm(_Asking, mfa.ReauthenticateForm):
    asks: ClassVar = {"code": _CODE}
    labels: ClassVar = {"code": pgettext_lazy("second step", "Code")}
    hints: ClassVar = {"code": _("The six digits that your authenticator app shows, or a recovery code.")}


class ActivateAppForm(_Asking, ActivateTOTPForm):
    asks: ClassVar = {"code": _("Enter the six digits that your authenticator app shows.")}
    labels: ClassVar = {"code": _("Code that the app shows")}


class AddKeyForm(_Asking, AddWebAuthnForm):
    labels: ClassVar = {"name": _("Name of the key"), "passwordless": _("Sign in with this key alone")}
    hints: ClassVar = {
        "name": _("By which you know it, such as the phone it is on. Empty: a number."),
        "passwordless": _(
            "As a passkey: it asks for your fingerprint, your face or its own code, and for no password."
        ),
    }


class RenameKeyForm(_Asking, EditWebAuthnForm):
    asks: ClassVar = {"name": _("Enter a name by which you know the key.")}
    labels: ClassVar = {"name": _("Name of the key")}
