"""People and the places they belong to."""

from datetime import UTC, date, datetime
from typing import Any

import factory
from stdnum.cn import uscc

from accounts.actors import actor_for
from accounts.models import RoleAssignment, User
from accounts.roles import Actor, Role
from authorities.models import Office, Posting
from companies.models import Company, Membership
from employees.models import Employee

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Person {chr(65 + n % 26)}")
    email = factory.Sequence(lambda n: f"person{n}@example.test")
    language = "en"

    @factory.post_generation
    def password(obj: User, create: bool, extracted: str | None, **kwargs: Any) -> None:  # noqa: N805
        obj.set_password(extracted or "correct horse battery staple")
        obj.save(update_fields=["password"])


class OfficeFactory(factory.django.DjangoModelFactory[Office]):
    class Meta:
        model = Office
        django_get_or_create = ("code",)

    code = "HD"
    name_zh = "海淀办公室"
    name_en = "Haidian office"
    city = "Beijing"
    address = "1 Example Road, Haidian, Beijing"
    phone = "+86 10 5550 0101"
    email = "haidian@authority.example"


def _uscc(number: int) -> str:
    base = f"91110108MA{number:07d}"
    return base + uscc.calc_check_digit(base)


class CompanyFactory(factory.django.DjangoModelFactory[Company]):
    class Meta:
        model = Company
        django_get_or_create = ("name_en",)

    uscc = factory.Sequence(_uscc)
    name_zh = "北辰智能"
    name_en = "Beichen Intelligence"
    office = factory.SubFactory(OfficeFactory)


class EmployeeFactory(factory.django.DjangoModelFactory[Employee]):
    class Meta:
        model = Employee

    user = factory.SubFactory(UserFactory, name=factory.SelfAttribute("..name_en"))
    company = factory.SubFactory(CompanyFactory)
    number = factory.Sequence(lambda n: f"E{n:05d}")
    name_zh = "王爱丽"
    name_en = "Alice Wang"
    position = "Research scientist"
    employed_from = date(2020, 1, 1)

    @classmethod
    def _get_manager(cls, model_class: Any) -> Any:
        return model_class.unscoped


def employ(name: str, company: Company, **values: Any) -> Employee:
    """An employee of `company` who can sign in."""
    return EmployeeFactory.create(name_en=name, company=company, **values)


def officer_of(company: Company, name: str = "Olivia Officer", user: User | None = None) -> User:
    """A compliance officer of `company`."""
    user = user or UserFactory.create(name=name)
    Membership.objects.create(user=user, company=company, starts_at=LONG_AGO)
    return user


def posted(office: Office, role: Role, number: str, name: str = "", user: User | None = None) -> User:
    """Somebody with `role` in `office` under an officer number."""
    user = user or UserFactory.create(name=name or f"{role.label} {number}")
    Posting.objects.create(user=user, office=office, role=role, number=number, starts_at=LONG_AGO)
    return user


def with_role(role: Role, name: str = "") -> User:
    """Somebody with a role of the installation."""
    user = UserFactory.create(name=name or str(role.label))
    RoleAssignment.objects.create(user=user, role=role, starts_at=LONG_AGO)
    return user


def actor(user: User, at: datetime) -> Actor:
    """The actor that `user` is at `at`."""
    return actor_for(user, at=at)
