"""One database, two roles: `default` is the product's, `owner` migrates."""

from typing import Any


class OneDatabase:
    """Migrates as the owner only. Both aliases are the same rows; a query stays on the alias that it began on."""

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"
