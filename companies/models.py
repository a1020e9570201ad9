"""Companies, their projects, and the compliance officers who act for them."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as NumberError

from accounts.models import User
from accounts.roles import Role
from accounts.tenure import Tenure
from authorities.models import Office


def validate_uscc(value: str) -> None:
    """Refuses what is not a unified social credit code (GB 32100-2015), check digit included, with ValidationError."""
    try:
        uscc.validate(value)
    except InvalidChecksum as error:
        raise ValidationError(
            _("The check digit of this unified social credit code is wrong: one of its 18 characters is mistyped."),
            code="checksum",
        ) from error
    except NumberError as error:
        raise ValidationError(
            _("A unified social credit code has 18 digits and capital letters, without I, O, S, V and Z."),
            code="format",
        ) from error


class Company(models.Model):
    """An AI company whose employees need clearance. Its office is the one that is competent for its trips."""

    uscc = models.CharField(
        _("unified social credit code"),
        max_length=18,
        unique=True,
        validators=[validate_uscc],
        help_text="GB 32100-2015",
    )
    name_zh = models.CharField(_("name in Chinese"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    office = models.ForeignKey(Office, models.PROTECT, related_name="companies", verbose_name=_("competent office"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        ordering = ["name_en"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh

    def clean(self) -> None:
        self.uscc = uscc.compact(self.uscc).upper()


class Project(models.Model):
    """A project of a company, which a sensitivity list may name."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="projects", verbose_name=_("company"))
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["company", "code"]
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="companies_project_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Membership(Tenure):
    """A person is a compliance officer of a company, from a day on and until another."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("account"))
    company = models.ForeignKey(Company, models.CASCADE, related_name="memberships", verbose_name=_("company"))

    class Meta(Tenure.Meta):
        verbose_name = _("compliance officer")
        verbose_name_plural = _("compliance officers")
        indexes = [models.Index(fields=["user", "company"], name="companies_membership_user")]

    def __str__(self) -> str:
        return f"{self.user} · {self.company}"

    @classmethod
    def grants(cls, user_id: int, at: datetime) -> "models.QuerySet[Any, Any]":
        """Grants in force at `at`, as (role, scope, number)."""
        return (
            cls.objects.in_force(at)
            .filter(user_id=user_id)
            .order_by()
            .values_list(Value(Role.OFFICER.value, output_field=models.CharField()), F("company_id"), Value(""))
        )
