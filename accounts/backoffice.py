"""The back office: who may open it, what they may do there, and the policy of its pages.

Permissions come from the roles of the rule book, not from Django's groups: an administrator configures the
installation, a list manager the sensitivity lists, and nobody a travel request. One sign-in serves the whole product.
"""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from accounts.actors import actor_for
from accounts.http import actor_of
from accounts.models import User
from accounts.roles import Actor, Role

# What each role may change in the back office, by app. Everything else of these apps can be looked at by the others.
CONFIGURED_BY: dict[Role, frozenset[str]] = {
    Role.ADMINISTRATOR: frozenset({"accounts", "authorities", "companies", "employees"}),
    Role.LIST_MANAGER: frozenset({"sensitivity"}),
}
LOOKED_AT_BY: dict[Role, frozenset[str]] = {
    Role.ADMINISTRATOR: frozenset({"sensitivity", "approvals", "documents"}),
    Role.LIST_MANAGER: frozenset(),
}


def _opens(user: Any, actor: Actor) -> bool:
    """Whether `user`, acting as `actor`, may open the back office."""
    return bool(user.is_active and user.is_staff and actor.roles & CONFIGURED_BY.keys())


class BackOfficePermissions(BaseBackend):
    """Answers `has_perm` from the roles in force now. For accounts that may open the back office only."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        app, _, name = perm.partition(".")
        roles = _roles_of(user_obj)
        if any(app in CONFIGURED_BY[role] for role in roles):
            return True
        return name.startswith("view_") and any(app in LOOKED_AT_BY[role] for role in roles)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(app_label in CONFIGURED_BY[role] | LOOKED_AT_BY[role] for role in _roles_of(user_obj))


def _roles_of(user: Any) -> frozenset[Role]:
    """The roles of the back office that `user` holds now. Read once for each page: a page has its own instance."""
    if not isinstance(user, User):
        return frozenset()
    if not hasattr(user, "_back_office_roles"):
        actor = actor_for(user, at=timezone.now())
        held = actor.roles & CONFIGURED_BY.keys() if _opens(user, actor) else frozenset()
        user._back_office_roles = frozenset(held)  # type: ignore[attr-defined]
    roles: frozenset[Role] = user._back_office_roles  # type: ignore[attr-defined]
    return roles


# Unfold's pages bring Alpine, which evaluates expressions, and style attributes. Nothing from elsewhere, no frames;
# every other page of the product keeps the strict policy (docs/adr).
_policy = csp_replace(
    {
        "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "frame-ancestors": [NONE],
    }
)


class BackOffice(UnfoldAdminSite):
    """Django's admin for those who configure, with the sign-in of the product."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and _opens(request.user, actor_of(request))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return _policy(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        """There is one page to sign in. Somebody who is signed in and may not come in is told so (403)."""
        wanted = request.GET.get("next") or reverse("admin:index")
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(wanted)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        return redirect("account_change_password")
