"""Text tags for states, tiers and due dates: words and a shape first, colour only as an addition.

Inbox pages show hundreds of these, so each is made once per language and kept.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from babel import Locale
from babel.dates import get_timezone_location
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext, pgettext

# Below this many working days a due date is marked as near.
NEAR = 2

TONES = frozenset({"neutral", "info", "waiting", "good", "bad"})

# state → (tone, shape)
STATES = {
    "draft": ("neutral", "pencil"),
    "company_review": ("info", "half"),
    "returned": ("waiting", "back"),
    "company_declined": ("bad", "cross"),
    "authority_review": ("info", "half"),
    "information_requested": ("waiting", "question"),
    "decision_proposed": ("info", "most"),
    "approved": ("good", "check"),
    "denied": ("bad", "cross"),
    "revoked": ("bad", "undo"),
    "closed": ("neutral", "dot"),
    "withdrawn": ("neutral", "undo"),
    "lapsed": ("neutral", "clock"),
    # appeals and list versions
    "filed": ("info", "half"),
    "in_review": ("info", "half"),
    "upheld": ("neutral", "dot"),
    "overturned": ("good", "check"),
    "published": ("good", "check"),
    "superseded": ("neutral", "dot"),
}

# tier → (tone, shape): one bar more for each
TIERS = {
    "fast": ("neutral", "bars-1"),
    "standard": ("neutral", "bars-2"),
    "heightened": ("waiting", "bars-3"),
    "restricted": ("bad", "bars-4"),
}


@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """The drawing `name` of static/img/icons.svg, hidden from screen readers: words always stand beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


def tag(label: str, tone: str = "neutral", shape: str = "dot") -> SafeString:
    """A text tag. Refuses (ValueError) a tone that the style sheet does not know."""
    if tone not in TONES:
        raise ValueError(f"no tone {tone!r}: one of {', '.join(sorted(TONES))}")
    return format_html('<span class="tag tag-{}">{}{}</span>', tone, icon(shape), label)


@lru_cache(maxsize=1024)
def _named_tag(kind: str, value: str, label: str) -> SafeString:
    return tag(label, *(TIERS if kind == "tier" else STATES)[value])


def _label_of(value: str, label: object) -> str:
    words = label or getattr(value, "label", "")
    if not words:
        raise ValueError(f"no words for {value!r}: pass the choice itself, or get_…_display as second argument")
    return str(words)


def state_tag(state: str, label: object = "") -> SafeString:
    """The tag of a state: `state` is its value or choice, `label` its words (needed for a bare value)."""
    return _named_tag("state", str(state), _label_of(state, label))


def tier_tag(tier: str, label: object = "") -> SafeString:
    """The tag of a tier, like `state_tag`."""
    return _named_tag("tier", str(tier), _label_of(tier, label))


def time_of(moment: date, format_name: str = "") -> SafeString:
    """`moment` as a <time>: a date as a date, an aware date-time in the reader's time zone with minutes."""
    if isinstance(moment, datetime):
        local = timezone.localtime(moment)
        return _time(local.isoformat(timespec="minutes"), date_format(local, format_name or "DATETIME_FORMAT"))
    return _time(moment.isoformat(), date_format(moment, format_name or "DATE_FORMAT"))


def zone_place(name: str) -> str:
    """What people call the time zone of this IANA name by: its city, in the reader's language (Unicode CLDR).

    All of China has the time that is called Beijing's.
    """
    if name == "Asia/Shanghai":
        return pgettext("time zone", "Beijing")
    locale = Locale.parse(get_language() or "en", sep="-")
    return get_timezone_location(name, locale=locale, return_city=True).rpartition("/")[2]


def time_zone_words() -> str:
    """In which time zone times are shown now, as a sentence: its place, and how far it is from UTC."""
    place = zone_place(timezone.get_current_timezone_name())
    offset = f"{timezone.localtime():%z}"
    return gettext("Times are %(place)s time (UTC%(offset)s).") % {
        "place": place,
        "offset": f"{offset[:3]}:{offset[3:]}",
    }


def _time(machine: str, human: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', machine, human)


def due(at: date, left: int | None = None, *, provisional: bool = False, overdue: bool | None = None) -> SafeString:
    """A due date. `at`: the last day, or an aware `due_at`, which is the first moment after it (current time zone).

    `left`: working days left; negative when overdue by so many. `overdue` says so where days are not counted.
    `provisional`: the calendar of that year is not published yet.
    """
    day = (timezone.localtime(at) - timedelta(microseconds=1)).date() if isinstance(at, datetime) else at
    late = (left is not None and left < 0) if overdue is None else overdue
    return _due(day, left, provisional, late, get_language() or "")


@lru_cache(maxsize=4096)
def _due(day: date, left: int | None, provisional: bool, late: bool, language: str) -> SafeString:
    near = not late and left is not None and left <= NEAR
    kind, shape = ("late", "warning") if late else ("near", "clock") if near else ("calm", "calendar")
    words = _days_left(left, late)
    return format_html(
        '<span class="due due-{}">{}{}{}{}</span>',
        kind,
        icon(shape),
        time_of(day),
        format_html(' <span class="due-left">{}</span>', words) if words else "",
        format_html(' <span class="due-provisional">{}</span>', gettext("provisional")) if provisional else "",
    )


def _days_left(left: int | None, late: bool) -> str:
    if left is None:
        return gettext("overdue") if late else ""
    if late:
        days = abs(left)
        return ngettext("overdue by %(days)d working day", "overdue by %(days)d working days", days) % {"days": days}
    if left == 0:
        return gettext("due today")
    return ngettext("%(days)d working day left", "%(days)d working days left", left) % {"days": left}
