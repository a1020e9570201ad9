"""Public pages have an address for each language, for links and for search engines."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

Page = Callable[..., HttpResponse]


def in_either_language(page: Page) -> Page:
    """`?language=en` and `?language=zh-hans` name the page in one language; any other word changes nothing."""

    @wraps(page)
    def spoken(http: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        wanted = http.GET.get("language", "")
        if wanted in dict(settings.LANGUAGES):
            translation.activate(wanted)  # until the middleware of the next request chooses anew
            http.LANGUAGE_CODE = wanted
        return page(http, *args, **kwargs)

    return spoken


def alternates(http: HttpRequest) -> list[tuple[str, str]]:
    """(language tag, address) of this page in each language."""
    address = f"{settings.PUBLIC_URL.rstrip('/')}{http.path}"
    return [("zh-Hans" if code == "zh-hans" else code, f"{address}?language={code}") for code, _n in settings.LANGUAGES]
