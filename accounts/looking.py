"""What the access log calls the things that are looked at, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# What of a request is opened under which name (`page` in the access log).
LOOKED_AT: Mapping[str, str | Promise] = {
    "request": gettext_lazy("The request"),
    "case": gettext_lazy("The request"),
    "attachment": gettext_lazy("A document, downloaded"),
    "appeal_document": gettext_lazy("A document, downloaded"),
    "paper": gettext_lazy("A paper of the office, downloaded"),
    "api": gettext_lazy("The request, through a program"),
    "back_office": gettext_lazy("The request, in the back office"),
    "export": gettext_lazy("The request, in an export"),
    "answer": gettext_lazy("What was asked and answered"),
    "condition": gettext_lazy("A condition"),
    "conditions": gettext_lazy("The conditions"),
}


def looked_at(page: str) -> str:
    """What was opened, in words; a page for one step where it has no name of its own."""
    return str(LOOKED_AT.get(page) or _("A page for a step"))
