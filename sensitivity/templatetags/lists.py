"""Tags of the pages about lists: {% load lists %}."""

from datetime import date

from django import template
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from interface.tags import tag
from sensitivity.models import ListEntry
from sensitivity.views import wording

register = template.Library()

register.simple_tag(wording.level_tag)


@register.simple_tag
def validity_tag(entry: ListEntry, on: date) -> SafeString | str:
    """That an entry does not count on the day `on`, as a text tag; nothing for one that does."""
    if entry.valid_until is not None and entry.valid_until < on:
        return tag(_("Expired"), "neutral", "clock")
    if entry.valid_from is not None and entry.valid_from > on:
        return tag(_("From %(day)s") % {"day": date_format(entry.valid_from)}, "info", "clock")
    return ""
