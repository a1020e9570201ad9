"""Keeping the roster of a company: who is employed, since when, until when. For its compliance officers.

Each function refuses with PermissionDenied somebody who is not an officer of that company, and with ValidationError (by
field) what cannot be; then nothing has changed.
"""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Actor, Role
from employees.models import Employee

FIELDS = ("number", "name_zh", "name_en", "position", "employed_from", "employed_until")


def _must_be_officer(actor: Actor, company_id: int) -> None:
    if not actor.holds(Role.OFFICER, company_id):
        raise PermissionDenied


def _account(email: str, name: str) -> User:
    """The account with this address. Where there is none a new one, whose owner sets the password while signing in."""
    address = email.strip().lower()
    return User.objects.filter(email=address).first() or User.objects.create_user(address, name)


def _save(employee: Employee) -> Employee:
    employee.full_clean(validate_constraints=False)
    taken = Employee.unscoped.filter(company_id=employee.company_id).exclude(pk=employee.pk)
    if taken.filter(number=employee.number).exists():
        raise ValidationError({"number": _("Another employee of the company has this staff number.")})
    if (
        employee.user_id
        and employee.employed_until is None
        and taken.filter(user_id=employee.user_id, employed_until=None).exists()
    ):
        raise ValidationError({"email": _("The person with this address is employed here already.")})
    employee.save()
    return employee


@transaction.atomic
def admit(*, actor: Actor, company_id: int, email: str, **values: Any) -> Employee:
    """Add an employee to the roster of a company. `values` are of FIELDS; dates are days in the office's time zone.

    The account with `email` becomes the employee's; where there is none it is made.
    """
    _must_be_officer(actor, company_id)
    employee = Employee(company_id=company_id, **values)
    employee.full_clean(exclude=["user"], validate_constraints=False)
    employee.user = _account(email, employee.name)
    return _save(employee)


@transaction.atomic
def change(employee_id: int, *, actor: Actor, **values: Any) -> Employee:
    """Change what the roster says of an employee: `values` of FIELDS. Their account and company stay."""
    employee = Employee.objects.visible_to(actor).select_for_update(of=("self",)).get(pk=employee_id)
    _must_be_officer(actor, employee.company_id)
    for name, value in values.items():
        if name not in FIELDS:
            raise ValueError(f"{name} is not a field of the roster")
        setattr(employee, name, value)
    return _save(employee)


def end(employee_id: int, *, actor: Actor, last_day: date) -> Employee:
    """The employment ends with `last_day`. What was asked for before runs on; nothing new can be submitted after it."""
    return change(employee_id, actor=actor, employed_until=last_day)
