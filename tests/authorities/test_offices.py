"""Offices and the people posted there."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.actors import actor_for
from accounts.models import User
from accounts.roles import Grant, Role
from authorities.models import Office, Posting
from tests.factories.people import UserFactory

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ruth() -> User:
    return UserFactory.create(name="Ruth")


@pytest.fixture
def sam() -> User:
    return UserFactory.create(name="Sam")


def post(
    user: User, office: Office, *, number: str = "0417", role: Role = Role.REVIEWER, **when: datetime | None
) -> Posting:
    return Posting.objects.create(user=user, office=office, role=role, number=number, **{"starts_at": START, **when})


class TestOffice:
    def test_its_name_is_spoken_in_the_readers_language(self, office: Office) -> None:
        with translation.override("zh-hans"):
            assert office.name == "海淀办公室"
        with translation.override("en"):
            assert str(office) == "Haidian office"

    @pytest.mark.parametrize("zone", ["Asia/Peking", "UTC+8", "../etc/passwd", ""])
    def test_its_time_zone_is_known(self, office: Office, zone: str) -> None:
        office.time_zone = zone
        with pytest.raises(ValidationError) as refused:
            office.full_clean()
        assert set(refused.value.message_dict) == {"time_zone"}

    @pytest.mark.parametrize("code", ["bj", "BJ_HD", "BJ-", "BJ\n"])
    def test_its_code_can_be_read_out(self, office: Office, code: str) -> None:
        office.code = code
        with pytest.raises(ValidationError):
            office.clean_fields()


class TestPosting:
    def test_it_gives_a_role_in_the_office_under_a_number_while_it_lasts(self, ruth: User, office: Office) -> None:
        post(ruth, office, ends_at=END)
        assert actor_for(ruth, at=START).grants == {Grant(Role.REVIEWER, office.pk, "0417")}
        assert actor_for(ruth, at=START - timedelta(seconds=1)).grants == frozenset()
        assert actor_for(ruth, at=END).grants == frozenset()

    def test_a_senior_is_not_a_reviewer_unless_posted_as_one(self, ruth: User, office: Office) -> None:
        post(ruth, office, role=Role.SENIOR)
        assert not actor_for(ruth, at=START).holds(Role.REVIEWER, office.pk)
        post(ruth, office, role=Role.REVIEWER)
        assert actor_for(ruth, at=START).roles == {Role.SENIOR, Role.REVIEWER}

    def test_one_number_is_one_person_at_a_time(
        self, ruth: User, sam: User, office: Office, other_office: Office
    ) -> None:
        post(ruth, office, ends_at=END)
        for role in (Role.REVIEWER, Role.SENIOR):
            with pytest.raises(IntegrityError), transaction.atomic():
                post(sam, office, role=role)
        post(sam, other_office)
        post(sam, office, starts_at=END)

    def test_a_role_is_held_once_at_a_time(self, ruth: User, office: Office) -> None:
        post(ruth, office, ends_at=END)
        with pytest.raises(IntegrityError), transaction.atomic():
            post(ruth, office, number="0418", starts_at=END - timedelta(days=1))
        post(ruth, office, number="0418", starts_at=END)

    def test_the_person_at_the_form_is_told_who_is_in_the_way(self, ruth: User, sam: User, office: Office) -> None:
        post(ruth, office)
        with pytest.raises(ValidationError, match="Somebody else of this office has this number"):
            Posting(user=sam, office=office, role=Role.REVIEWER, number="0417", starts_at=START).full_clean()

    @pytest.mark.parametrize("number", ["417", "04171", "041a", "０４１７"])
    def test_a_number_has_four_digits(self, ruth: User, office: Office, number: str) -> None:
        with pytest.raises(ValidationError):
            Posting(user=ruth, office=office, role=Role.REVIEWER, number=number, starts_at=START).clean_fields()
        with pytest.raises(IntegrityError), transaction.atomic():
            # The column is too short for five; what fits is checked all the same.
            post(ruth, office, number=number[:4] if number != "04171" else "0 17")

    def test_it_ends_after_it_starts(self, ruth: User, office: Office) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            post(ruth, office, ends_at=START)
