"""A prepared query gives what its query set gives, with other values each time; the server may keep it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts.prepared import Prepared, execute, rows_from, rows_with
from accounts.roles import NOBODY, SYSTEM, Role
from approvals import queries, workflow
from approvals.models import Clock, Leg, TravelRequest
from approvals.states import State
from companies.models import Company
from tests.factories import NOW, CompanyFactory, actor, employ, in_state, posted, submitted, with_role

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["planned each time", "kept by the server"])
def either_way(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.PREPARE_STATEMENTS = request.param
    return bool(request.param)


def kept_by_the_server() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


def test_the_gaps_take_other_values_each_time(either_way: bool) -> None:
    requests = [submitted(employ(name, CompanyFactory.create())) for name in ("Alice Wang", "Bob Li")]
    found = Prepared(
        lambda pk, day: TravelRequest.unscoped.filter(pk=pk, departs_on__gte=day).select_related("applicant__company"),
        pk=UUID,
        day=date,
    )
    before = kept_by_the_server()
    for _time in range(8):
        for request in requests:
            (row,) = found(pk=request.pk, day=date(2026, 1, 1))
            plain = TravelRequest.unscoped.select_related("applicant__company").get(pk=request.pk)
            assert row == plain
            assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == {
                f.attname: getattr(plain, f.attname) for f in plain._meta.concrete_fields
            }
            assert row.applicant.company.name_en == plain.applicant.company.name_en
            assert not row._state.adding
            assert found(pk=request.pk, day=date(2099, 1, 1)) == []
    assert (kept_by_the_server() > before) == either_way


def test_values_come_as_tuples(either_way: bool) -> None:
    company = CompanyFactory.create()
    found = Prepared(lambda code: Company.objects.filter(uscc=code).values_list("pk", "name_en"), code=str)
    for _time in range(6):
        assert found(code=company.uscc) == [(company.pk, company.name_en)]
        assert found(code="100% %s") == []


def test_a_gap_that_the_query_has_no_place_for_is_refused() -> None:
    query = Prepared(lambda pk, day: Leg.objects.filter(request_id=pk), pk=UUID, day=date)
    with pytest.raises(ValueError, match="day"):
        query(pk=UUID(int=1), day=date(2026, 1, 1))


def test_what_nothing_can_fulfil_gives_nothing() -> None:
    assert Prepared(lambda pk: Leg.objects.filter(pk__in=[], request_id=pk), pk=UUID)(pk=UUID(int=1)) == []


def test_rows_come_with_a_row_as_they_are_in_their_table(either_way: bool) -> None:
    cast = in_state(State.INFORMATION_REQUESTED)
    for model in (Clock, Leg):
        rows = TravelRequest.unscoped.annotate(_rows=rows_with(model, "request_id = %s", cast.request.pk))
        (json,) = rows.filter(pk=cast.request.pk).values_list("_rows", flat=True)
        found = {row.pk: row for row in rows_from(model, json)}
        plain = list(model._default_manager.filter(request=cast.request))
        assert found.keys() == {row.pk for row in plain}
        for row in plain:
            for field in model._meta.concrete_fields:
                assert getattr(found[row.pk], field.attname) == getattr(row, field.attname), field
    assert rows_from(Leg, None) == []


def test_what_runs_before_is_seen_after_it(either_way: bool) -> None:
    company = CompanyFactory.create(is_active=True)
    for active in (False, True) * 4:
        with transaction.atomic(), connection.cursor() as cursor:
            change = "UPDATE companies_company SET is_active = %s WHERE id = %s"
            execute(
                cursor,
                (change, [active, company.pk]),
                ("SELECT is_active FROM companies_company WHERE id = %s", [company.pk]),
            )
            assert cursor.fetchone() == (active,)


def test_a_claim_sees_exactly_what_the_scope_sees(either_way: bool) -> None:
    """For everybody in the story: `claim`, compiled for their kind of actor, agrees with `visible_to`."""
    cast = in_state(State.AUTHORITY_REVIEW)
    stranger = employ("Bob Li", CompanyFactory.create(name_en="Elsewhere"))
    recused = posted(cast.request.office, Role.REVIEWER, "0999", "Rita Recused")
    workflow.recuse(cast.request.pk, actor=actor(recused, NOW), at=cast.request.state_since)
    people = [cast.applicant.user, cast.officer, cast.reviewer, cast.senior, stranger.user, recused]
    people += [with_role(Role.AUDITOR), with_role(Role.ADMINISTRATOR), with_role(Role.LIST_MANAGER)]
    two_roles = posted(cast.request.office, Role.SENIOR, "0998", "Two Roles")
    posted(cast.request.office, Role.REVIEWER, "0998", user=two_roles)
    people.append(two_roles)
    seen = []
    for _time in range(2):
        for who in [*(actor(user, NOW) for user in people if user is not None), SYSTEM, NOBODY]:
            with transaction.atomic():
                claimed = queries.claim(who, cast.request.pk)
            assert (claimed is not None) == queries.visible_to(who).filter(pk=cast.request.pk).exists(), who
            seen.append(claimed is not None)
    assert True in seen
    assert False in seen


def test_a_claim_brings_what_the_rules_look_at(django_assert_num_queries: Any) -> None:
    cast = in_state(State.RETURNED)
    alice = actor(cast.applicant.user, NOW)  # type: ignore[arg-type]
    with transaction.atomic():
        with django_assert_num_queries(1):
            request = queries.claim(alice, cast.request.pk, whole=True)
            assert request is not None
            assert set(request.running_clocks) == {"change", "departure"}
            assert [leg.city for leg in request.itinerary] == ["Rio de Janeiro"]
            assert (request.documents, request.sections_as_typed) == ([], [])
            assert request.applicant.company_id
            assert request.office.time_zone
    plain = TravelRequest.unscoped.get(pk=request.pk)
    assert request.running_clocks == plain.running_clocks
    assert request.itinerary == plain.itinerary


def test_threads_keep_their_statements_apart(settings: Any) -> None:
    """A worker of the web server has several threads, each with a connection: what one has kept the other has not."""
    settings.PREPARE_STATEMENTS = True

    def asked_often() -> list[int]:
        found = []
        for number in range(8):
            with connection.cursor() as cursor:
                execute(cursor, ("SELECT %s::int + 0", [number]))
                found.append(cursor.fetchone()[0])
        return found

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        try:
            for thread in (one, other, one, other):
                assert thread.submit(asked_often).result() == list(range(8))
        finally:
            for thread in (one, other):
                thread.submit(lambda: connection.close()).result()  # of the thread, not of the test
