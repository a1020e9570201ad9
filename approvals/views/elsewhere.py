"""A due date for somebody who lives in another time zone than the office."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from approvals.models import TravelRequest
from interface.tags import zone_place


def due_elsewhere(request: TravelRequest) -> str:
    """When the due day of `request` (read by `queries.in_full`) ends, in the zone of the office and in the reader's.

    That one is among their preferences. Empty when nothing is due, or both clocks show the same.
    """
    own = request.reader_zone
    if request.due_at is None or own is None:
        return ""
    there, here = request.due_at.astimezone(request.zone), request.due_at.astimezone(ZoneInfo(own))
    if there.utcoffset() == here.utcoffset():
        return ""
    last_day = there.date() - timedelta(days=1)
    words = {
        "day": date_format(last_day, "DATE_FORMAT"),
        "office_zone": zone_place(request.office.time_zone),
        "own_zone": zone_place(own),
        "moment": date_format(here, "DATETIME_FORMAT"),
    }
    return _("%(day)s ends at midnight in %(office_zone)s; in %(own_zone)s it is %(moment)s then.") % words
