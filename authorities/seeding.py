"""What every installation begins with: China's calendar and the rule book's clock policy, for all offices."""

from typing import Any


def after_migrate(*, using: str, **kwargs: Any) -> None:
    """Put the beginnings into a database that has none. Does nothing the second time."""
