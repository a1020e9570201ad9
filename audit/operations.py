"""Migration operations that make a table append-only, for everybody including its owner."""

from typing import Any

from django.db import router
from django.db.migrations.operations.base import Operation, OperationCategory

# ENABLE ALWAYS: holds for sessions too that replay replicated changes. For each statement, not for each row: then one
# trigger covers TRUNCATE, and an UPDATE is refused even where it would find no row.
_INSTALL = """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
    ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only;
"""
_REMOVE = "DROP TRIGGER append_only ON {table};"

# The trigger's function, made by audit's second migration.
CREATE_FUNCTION = """
    CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'append_only: % refused on %', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
    END
    $$;
"""
DROP_FUNCTION = "DROP FUNCTION audit_append_only();"

# A permit is for one table in one transaction. Nobody but the owner can write one, and the function that erases the
# file of a request writes them for itself, after it has looked at the state, the day and the notice.
CREATE_PERMITS = """
    CREATE TABLE audit_permit (transaction xid8 NOT NULL, relation oid NOT NULL, PRIMARY KEY (transaction, relation));
    CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        permitted boolean := false;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            EXECUTE format(
                'SELECT EXISTS (SELECT FROM %I.audit_permit'
                ' WHERE transaction = pg_current_xact_id() AND relation = $1)',
                TG_TABLE_SCHEMA) INTO permitted USING TG_RELID;
        END IF;
        IF NOT permitted THEN
            RAISE EXCEPTION 'append_only: % refused on %', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END
    $$;
"""
DROP_PERMITS = f"""
    {CREATE_FUNCTION.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")}
    DROP TABLE audit_permit;
"""


class AppendOnlyTable(Operation):
    """Refuse UPDATE, DELETE and TRUNCATE on `table`. The migration depends on ("audit", "0002_append_only").

    The refusal is an IntegrityError (SQLSTATE 23001) whose message begins with `append_only:`.
    """

    reduces_to_sql = True
    reversible = True
    category = OperationCategory.SQL

    def __init__(self, table: str) -> None:
        self.table = table

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Triggers are no part of the models' state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._execute(_INSTALL, app_label, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._execute(_REMOVE, app_label, schema_editor)

    def _execute(self, sql: str, app_label: str, schema_editor: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            schema_editor.execute(sql.format(table=schema_editor.quote_name(self.table)), params=None)

    def describe(self) -> str:
        return f"Make {self.table} append-only"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.table}_append_only"
