"""Who is acting: reads a person's grants from every app that gives roles, in one query."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.prepared import Prepared
from accounts.roles import NOBODY, Actor, Grant, Role

GrantSource = Callable[[int, datetime], "QuerySet[Any, Any]"]

_sources: list[GrantSource] = []


def _all_sources(user_id: int, at: datetime) -> "QuerySet[Any, Any]":
    first, *others = [source(user_id, at) for source in _sources]
    return first.union(*others, all=True)


# Read on every page, so compiled once; by then every app has registered its source.
_grants = Prepared[tuple[str, int | None, str]](_all_sources, user_id=int, at=datetime)


def grants_from(source: GrantSource) -> None:
    """Register a source of grants: (user id, aware time) → a values_list of (role, scope, number) in force then."""
    if source not in _sources:
        _sources.append(source)


def actor_for(user: User, *, at: datetime) -> Actor:
    """The actor that `user` is at `at`. An inactive account holds no role."""
    if not user.is_active or user.pk is None:
        return NOBODY
    rows = _grants(user_id=user.pk, at=at)
    grants = frozenset(Grant(Role(role), scope, number or "") for role, scope, number in rows)
    return Actor(user_id=user.pk, name=user.name, grants=grants)
