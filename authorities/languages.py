"""Names that are kept in two languages."""

from django.utils.translation import get_language


def by_language(zh: str, en: str) -> str:
    """`zh` for a reader of Chinese, `en` for everybody else; whichever exists when one is missing."""
    return (zh or en) if (get_language() or "").startswith("zh") else (en or zh)


def law_in_words(*, title_zh: str, title_en: str, article_zh: str, article_en: str) -> str:
    """A law and its article as a decision quotes them: 办法第九条 for a reader of Chinese, Measures, Article 9 for
    everybody else. What is not said in one language is said in the other."""
    title, article = by_language(title_zh, title_en), by_language(article_zh, article_en)
    between = "" if article.startswith("第") else ", "
    return between.join(part for part in (title, article) if part)
