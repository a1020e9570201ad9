"""One database, two roles: `default` is the product's, `owner` migrates."""

from typing import Any


class OneDatabase:
    """Sends every query to the product's role and every migration to the owner's."""

    def db_for_read(self, model: type, **hints: Any) -> str:
        return "default"

    def db_for_write(self, model: type, **hints: Any) -> str:
        return "default"

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"
