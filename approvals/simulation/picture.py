"""The figures as a picture: bar charts in an SVG file, for a browser and for print, with the numbers of the table."""

from collections.abc import Callable, Sequence
from itertools import cycle

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from approvals.simulation.figures import Figures, Month
from interface.charts import ROW, Bar, bar_chart

_WIDTH, _GAP, _TOP = 420, 48, 104
# The file stands alone: what the style sheet of the product says to charts, in its light and its dark colours.
_STYLE = mark_safe(
    "<style>text{font-family:system-ui,'Noto Sans CJK SC',sans-serif;font-size:15px;fill:#1f2937}"
    ".title{font-size:20px;font-weight:600}.panel{font-size:16px;font-weight:600}"
    ".chart-track{fill:#e5e7eb}.chart-plain{fill:#2f76a8}.chart-good{fill:#2f7d4f}"
    ".chart-waiting{fill:#b7791f}.chart-bad{fill:#b3372f}.ground{fill:#fff}"
    "@media (prefers-color-scheme:dark){text{fill:#e5e7eb}.ground{fill:#111827}.chart-track{fill:#374151}"
    ".chart-plain{fill:#6aaedb}.chart-good{fill:#63b98a}.chart-waiting{fill:#e0b050}.chart-bad{fill:#e3867f}}</style>"
)


_TONES = ("plain", "good", "waiting", "bad")


def _by_month(years: Sequence[Figures], value: Callable[[Month], float], shown: str) -> list[Bar]:
    """The same month of every year under each other: they are compared on one scale."""
    return [
        Bar(_label(f"{months[0].first:%Y-%m}", figures, years), value(month), tone, shown.format(value(month)))
        for months in zip(*(figures.months for figures in years), strict=True)
        for month, figures, tone in zip(months, years, cycle(_TONES), strict=False)
    ]


def _label(text: str, figures: Figures, years: Sequence[Figures]) -> str:
    return f"{text} · {figures.name}" if len(years) > 1 else text


def _panels(years: Sequence[Figures]) -> list[tuple[str, list[Bar]]]:
    loads = [
        Bar(_label(f"Reviewer {number}", figures, years), load, tone, f"{load:.0%}")
        for figures, tone in zip(years, cycle(_TONES), strict=False)
        for number, load in enumerate(figures.reviewers, 1)
    ]
    return [
        ("Decided after the due date", _by_month(years, lambda month: month.late_share, "{:.1%}")),
        ("Waiting for a reviewer at the end of a day", _by_month(years, lambda month: month.waiting, "{:.1f}")),
        ("Load of the reviewers together", _by_month(years, lambda month: month.load, "{:.0%}")),
        ("Load of each reviewer", loads),
    ]


def draw(years: Sequence[Figures], *, title: str) -> SafeString:
    """A picture of one year, or of several that are compared: a chart for each question, longer bars are more."""
    panels = _panels(years)
    width = len(panels) * (_WIDTH + _GAP) + _GAP
    height = _TOP + max(len(bars) for _name, bars in panels) * ROW + _GAP
    parts = format_html_join(
        "",
        '<text class="panel" x="{}" y="{}">{}</text><svg x="{}" y="{}" width="{}" height="{}">{}</svg>',
        (
            (left, _TOP - 14, name, left, _TOP, _WIDTH, len(bars) * ROW, bar_chart(bars, title=name))
            for left, (name, bars) in ((_GAP + place * (_WIDTH + _GAP), panel) for place, panel in enumerate(panels))
        ),
    )
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">'
        '<title>{title}</title>{style}<rect class="ground" width="100%" height="100%"></rect>'
        '<text class="title" x="{gap}" y="44">{title}</text>{parts}</svg>',
        w=width,
        h=height,
        title=title,
        style=_STYLE,
        gap=_GAP,
        parts=parts,
    )
