"""The HTTP request as the middleware leaves it: with the actor on it."""

from typing import cast

from django.http import HttpRequest

from accounts.models import User
from accounts.roles import Actor


class ActorRequest(HttpRequest):
    """An HTTP request of somebody; `user` is the account of a page that requires signing in."""

    actor: Actor
    user: User


def actor_of(request: HttpRequest) -> Actor:
    """The actor of `request`, where a library's types say HttpRequest."""
    return cast(ActorRequest, request).actor
