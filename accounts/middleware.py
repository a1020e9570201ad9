"""Puts the actor on the request, read once and only when asked for; and the person's language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from accounts.actors import actor_for
from accounts.roles import NOBODY, Actor


def _actor_of(request: HttpRequest) -> Actor:
    return actor_for(request.user, at=timezone.now()) if request.user.is_authenticated else NOBODY


class ActorMiddleware:
    """`request.actor`: who acts, with the roles in force now. The language of the account wins over the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor_of(request))  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            # Stays active like LocaleMiddleware's choice, which every request makes anew.
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
