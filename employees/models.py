"""Employees of a company: who may ask for clearance, and what they work on."""

import unicodedata
from datetime import date, datetime
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import User
from accounts.roles import Actor, Role
from accounts.scoping import ScopedModel, ScopedQuerySet
from accounts.tenure import Tenure
from companies.models import Company, Project


def validate_person_name(value: str) -> None:
    """Letters of any script, marks, spaces, hyphens, apostrophes, full stops and the middle dot; else ValidationError.

    Characters outside the basic plane (rare surname characters) are letters too; emoji and digits are not.
    """
    for character in value:
        if not (unicodedata.category(character)[0] in "LM" or character in " -'’.·•・"):
            raise ValidationError(
                _("“%(character)s” cannot be part of a name. Use letters, spaces, hyphens and the middle dot."),
                code="character",
                params={"character": character},
            )


class EmployeeQuerySet(ScopedQuerySet["Employee"]):
    def visible_to(self, actor: Actor) -> Self:
        """The records that `actor` may see: their own, their company's; all for administrators and auditors."""
        if actor.roles & {Role.SYSTEM, Role.ADMINISTRATOR, Role.AUDITOR}:
            return self.in_scope()
        return self.filter(
            Q(pk__in=actor.scopes(Role.APPLICANT)) | Q(company_id__in=actor.scopes(Role.OFFICER))
        ).in_scope()


class Employee(ScopedModel):
    """A person employed by a company. A former employee keeps the record and can ask for nothing more."""

    user = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="employments", verbose_name=_("account")
    )
    company = models.ForeignKey(Company, models.PROTECT, related_name="employees", verbose_name=_("company"))
    number = models.CharField(_("staff number"), max_length=40)
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True, validators=[validate_person_name])
    name_en = models.CharField(_("name in Latin letters"), max_length=200, validators=[validate_person_name])
    position = models.CharField(_("position"), max_length=200, blank=True)
    employed_from = models.DateField(_("employed from"))
    employed_until = models.DateField(_("employed until"), null=True, blank=True, help_text=_("Last day; empty: open."))

    objects = EmployeeQuerySet.as_manager()
    unscoped = models.Manager["Employee"]()

    class Meta:
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        ordering = ["company", "number"]
        base_manager_name = "unscoped"
        constraints = [
            models.UniqueConstraint(fields=["company", "number"], name="employees_employee_number"),
            models.UniqueConstraint(
                fields=["user", "company"], condition=Q(employed_until=None), name="employees_employee_once"
            ),
            models.CheckConstraint(
                name="employees_employee_until_after_from",
                condition=Q(employed_until=None) | Q(employed_until__gte=F("employed_from")),
                violation_error_message=_("The last day must not be before the first."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Both names, Chinese first, as on a travel document."""
        return f"{self.name_zh} {self.name_en}".strip()

    def clean(self) -> None:
        """Refuse, at the field, an employment that ends before it begins."""
        if self.employed_from and self.employed_until and self.employed_until < self.employed_from:
            raise ValidationError({"employed_until": _("The last day must not be before the first.")})

    def is_employed(self, on: date) -> bool:
        """Whether the employment covers `on`, a day in the office's time zone."""
        return self.employed_from <= on and (self.employed_until is None or on <= self.employed_until)

    @classmethod
    def grants(cls, user_id: int, at: datetime) -> "models.QuerySet[Any, Any]":
        """Every employment of the person, past ones too: a former employee may still read their own requests."""
        return (
            cls.unscoped.filter(user_id=user_id)
            .order_by()
            .values_list(Value(Role.APPLICANT.value, output_field=models.CharField()), F("id"), F("number"))
        )


class TravelDocument(models.Model):
    """That an employee has a document to travel with, and until when. Its number is not needed and not kept."""

    class Kind(models.TextChoices):
        PASSPORT = "passport", _("Passport")
        HK_MACAO_PERMIT = "hk_macao_permit", _("Exit-entry permit for Hong Kong and Macao")
        TAIWAN_PERMIT = "taiwan_permit", _("Travel permit for Taiwan")

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="documents", verbose_name=_("employee"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    issued_by = CountryField(_("issued by"))
    expires_on = models.DateField(_("expires on"))

    class Meta:
        verbose_name = _("travel document")
        verbose_name_plural = _("travel documents")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.expires_on}"


class ProjectAssignment(Tenure):
    """An employee works on a project of the company."""

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="assignments", verbose_name=_("employee"))
    project = models.ForeignKey(Project, models.CASCADE, related_name="assignments", verbose_name=_("project"))

    class Meta(Tenure.Meta):
        verbose_name = _("project assignment")
        verbose_name_plural = _("project assignments")

    def __str__(self) -> str:
        return f"{self.employee} · {self.project}"
