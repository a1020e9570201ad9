"""The links of the page header, by role. A link whose page is not installed is left out."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Page:
    """A page that the header may link to. No roles: for everybody; `staff`: for those who may open the back office."""

    url_name: str
    label: str | Promise
    roles: frozenset[str] = frozenset()
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is shown. `current`: the reader is on this page or below it."""

    url: str
    label: str | Promise
    current: bool


REVIEWERS = frozenset({"reviewer", "senior", "head", "appeal_reviewer"})

PAGES = (
    Page("home", _("Home")),
    Page("request_list", _("My requests"), frozenset({"applicant"})),
    Page("request_new", _("New request"), frozenset({"applicant"})),
    Page("inbox", _("Inbox"), frozenset({"officer"}) | REVIEWERS),
    Page("office_load", _("Caseload"), frozenset({"senior", "head"})),
    Page("consistency", _("Consistency"), frozenset({"senior"})),
    Page("appeal_figures", _("Appeals"), frozenset({"senior", "head", "appeal_reviewer", "auditor"})),
    Page("absences", _("Absences"), REVIEWERS),
    Page("employees", _("Employees"), frozenset({"officer"})),
    Page("lists", _("Lists"), frozenset({"list_manager", "auditor"})),
    Page("overview", _("Overview"), frozenset({"administrator", "auditor"})),
    Page("operations", _("Operations"), frozenset({"administrator", "auditor"})),
    Page("admin:index", _("Back office"), staff=True),
)


def url_or_nothing(name: str, *args: object) -> str:
    """The address of the page `name` with these `args`, or nothing where no such page is installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def links_for(request: HttpRequest) -> list[Link]:
    """The links of the header for who is reading. Empty for somebody who is not signed in."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    roles = {str(role.value) for role in request.actor.roles}  # type: ignore[attr-defined]
    urls = [
        (url, page.label)
        for page in PAGES
        if (not page.roles or page.roles & roles) and (not page.staff or user.is_staff)
        if (url := url_or_nothing(page.url_name))
    ]
    # The most specific page that the address lies under is the current one: /requests/new/ is not also /requests/.
    home = url_or_nothing("home")
    under = [url for url, _label in urls if request.path == url or (url != home and request.path.startswith(url))]
    current = max(under, key=len, default="")
    return [Link(url, label, url == current) for url, label in urls]
