"""People who can sign in, the roles of the installation, and the log of who looked at what."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Cast, Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.looking import looked_at
from accounts.roles import INSTALLATION_ROLES, Role
from accounts.tenure import Tenure
from audit.models import AppendOnly


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, name: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account. The address is kept in lower case; without a password it can only be reset."""
        user = self.model(email=email.strip().lower(), name=name, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, name: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account for the back office. It gives no role in any case."""
        return self.create_user(email, name, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class Language(models.TextChoices):
    CHINESE = "zh-hans", "简体中文"
    ENGLISH = "en", "English"


class User(AbstractBaseUser, PermissionsMixin):
    """An account. What it may do comes from roles with a start and an end, not from the account."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    language = models.CharField(_("language"), max_length=7, choices=Language.choices, default=Language.CHINESE)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the back office"), default=False)
    date_joined = models.DateTimeField(_("since"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_email_ci")]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class RoleAssignment(Tenure):
    """A role of the installation: list manager, administrator or auditor."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_assignments", verbose_name=_("account"))
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, role.label) for role in INSTALLATION_ROLES])

    class Meta(Tenure.Meta):
        verbose_name = _("role assignment")
        verbose_name_plural = _("role assignments")

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"

    @classmethod
    def grants(cls, user_id: int, at: datetime) -> "models.QuerySet[Any, Any]":
        """Grants in force at `at`, as (role, scope, number)."""
        return (
            cls.objects.in_force(at)
            .filter(user_id=user_id)
            .order_by()
            .values_list(
                F("role"),
                Cast(Value(None), models.BigIntegerField()),
                Value("", output_field=models.CharField()),
            )
        )


class AccessEntry(AppendOnly):
    """Somebody of the staff looked at something held about a person: who, what, when, on which page."""

    at = models.DateTimeField(_("at"))
    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("who"))
    role = models.CharField(_("as"), max_length=20, choices=Role.choices)
    subject = models.UUIDField(_("what"))
    page = models.CharField(_("where"), max_length=60)

    class Meta:
        verbose_name = _("access entry")
        verbose_name_plural = _("access log")
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject", "-id"], name="accounts_access_by_subject")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.user} · {looked_at(self.page)}"
