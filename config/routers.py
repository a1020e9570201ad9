"""One database, two roles: `default` is the product's, `owner` migrates."""

from typing import Any


class OneDatabase:
    """Migrates as the owner only. Rows of both aliases are rows of one database; queries stay on the alias they began on,
    which is the product's unless somebody names the other."""

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"
