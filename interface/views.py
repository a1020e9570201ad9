"""The language switch and the style guide."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import i18n
from django.views.decorators.http import require_http_methods, require_POST

from interface import styleguide


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the reader's language: in the account when signed in, else in a cookie. Goes back where they were.

    A language that the product does not speak changes nothing.
    """
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        request.user.language = language
        request.user.save(update_fields=["language"])
    return i18n.set_language(request)


@require_http_methods(["GET", "POST"])
def styleguide_page(request: HttpRequest) -> HttpResponse:
    """Every component on one page. Refuses (403) whoever is not of the staff, except under DEBUG.

    A POST is what the sample of autosaving sends; nothing is kept.
    """
    if not (settings.DEBUG or request.user.is_staff):
        raise PermissionDenied
    if request.method == "POST":
        return HttpResponse(status=204)
    return render(request, "styleguide/index.html", styleguide.samples())
