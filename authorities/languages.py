"""Names that are kept in two languages."""

from django.utils.translation import get_language


def by_language(zh: str, en: str) -> str:
    """`zh` for a reader of Chinese, `en` for everybody else; whichever exists when one is missing."""
    return (zh or en) if (get_language() or "").startswith("zh") else (en or zh)
