"""Rows that are written once: what the programmer, the product's role and the owner of the schema are told."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connections, transaction
from django.db.migrations.state import ProjectState

from audit.grants import grant_to_product
from audit.models import AppendOnly, AppendOnlyViolation, Chained, Entry
from audit.operations import AppendOnlyTable
from tests.audit.conftest import MONDAY, Happen, Trip

KEPT = [model for model in apps.get_models() if issubclass(model, AppendOnly)]
BOTH = pytest.mark.django_db(databases=["default", "owner"])
FORBIDDEN = ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]


@pytest.fixture
def entry(happen: Happen) -> Entry:
    return happen(Trip(), origin="web")


def test_a_kept_row_is_not_changed_by_our_own_code(entry: Entry) -> None:
    entry.verb = "test_extended"
    for attempt in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(verb="x"),
        lambda: Entry.objects.bulk_update([entry], ["verb"]),
        lambda: Entry.objects.update_or_create(pk=entry.pk, defaults={"verb": "x"}),
        lambda: Entry.objects.bulk_create([entry], update_conflicts=True, unique_fields=["id"], update_fields=["verb"]),
    ):
        with pytest.raises(AppendOnlyViolation, match="append-only"):
            attempt()  # type: ignore[operator]
    assert Entry.objects.get().verb == "test_asked"


def test_a_new_row_with_the_key_of_a_kept_one_is_no_way_to_change_it(entry: Entry) -> None:
    copy = Entry(pk=entry.pk, chain=entry.chain, sequence=9, at=MONDAY, verb="x", actor_role="", previous=b"", hash=b"")
    with pytest.raises(IntegrityError):
        copy.save()
    assert Entry.objects.get().verb == "test_asked"


@BOTH
@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize("model", KEPT, ids=lambda model: model._meta.db_table)
def test_the_product_may_not(model: type[AppendOnly], statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(statement.format(model._meta.db_table))


@BOTH
@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize("model", KEPT, ids=lambda model: model._meta.db_table)
def test_the_owner_is_refused_by_the_trigger(model: type[AppendOnly], statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="^append_only: (UPDATE|DELETE|TRUNCATE) refused on "),
        transaction.atomic("owner"),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute(statement.format(model._meta.db_table))


@BOTH
def test_the_trigger_also_fires_for_replicated_changes() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'A'"
        )
        assert {table for (table,) in cursor.fetchall()} == {model._meta.db_table for model in KEPT}


@BOTH
def test_the_operation_can_be_reversed() -> None:
    operation = AppendOnlyTable("audit_entry")
    state = ProjectState()
    with connections["owner"].schema_editor() as editor:
        operation.database_backwards("audit", editor, state, state)
        editor.execute("DELETE FROM audit_entry")
        operation.database_forwards("audit", editor, state, state)
    with pytest.raises(IntegrityError, match="append_only"), connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM audit_entry")


def privileges() -> dict[str, set[str]]:
    product = settings.DATABASES["default"]["USER"]
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(privilege_type::text) FROM information_schema.role_table_grants"
            " WHERE grantee = %s GROUP BY 1",
            [product],
        )
        return {table: set(granted) for table, granted in cursor.fetchall()}


@BOTH
def test_the_product_has_exactly_what_it_needs() -> None:
    reads, writes = {"SELECT", "INSERT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    assert privileges() == {
        "django_migrations": {"SELECT"},
        **{model._meta.db_table: reads if issubclass(model, AppendOnly) else writes for model in models},
    }


@BOTH
def test_granting_again_takes_back_what_was_given_besides() -> None:
    before = privileges()
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE loose (id int)")
        cursor.execute("GRANT ALL ON loose, audit_entry, django_migrations TO exit_app")
    assert privileges() != before
    grant_to_product()
    assert privileges() == before


@BOTH
def test_nothing_is_granted_where_there_is_one_role(settings: object) -> None:
    before = privileges()
    with connections["owner"].cursor() as cursor:
        cursor.execute("GRANT UPDATE ON django_migrations TO exit_app")
    grant_to_product(using="default")
    assert privileges() == {**before, "django_migrations": {"SELECT", "UPDATE"}}


@BOTH
def test_the_product_owns_nothing_and_bypasses_nothing() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute("CREATE TABLE mine (id int)")


def test_the_travel_request_has_a_chain() -> None:
    assert issubclass(apps.get_model("approvals", "TravelRequest"), Chained)
