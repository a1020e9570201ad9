"""The figures as a picture: an SVG file of bar charts, readable in a browser and in print. The same numbers as the table."""

from collections.abc import Callable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from approvals.simulation.figures import Figures, Month
from interface.charts import ROW, Bar, bar_chart

_WIDTH, _GAP, _TOP, _TITLE = 420, 48, 96, 40
# The file stands alone: what the style sheet of the product says to charts, in its light colours.
_STYLE = mark_safe(
    "<style>text{font-family:system-ui,'Noto Sans CJK SC',sans-serif;font-size:15px;fill:#1f2937}"
    ".title{font-size:20px;font-weight:600}.panel{font-size:16px;font-weight:600}"
    ".chart-track{fill:#e5e7eb}.chart-plain{fill:#2f76a8}.chart-good{fill:#2f7d4f}"
    ".chart-waiting{fill:#b7791f}.chart-bad{fill:#b3372f}</style>"
)


def _by_month(figures: Figures, value: Callable[[Month], float], shown: str, tone: str) -> list[Bar]:
    return [Bar(f"{month.first:%Y-%m}", value(month), tone, shown.format(value(month))) for month in figures.months]


def _panels(figures: Figures) -> list[tuple[str, list[Bar]]]:
    loads = [Bar(f"Reviewer {n}", load, "plain", f"{load:.0%}") for n, load in enumerate(figures.reviewers, 1)]
    return [
        ("Decided after the due date", _by_month(figures, lambda m: m.late_share, "{:.1%}", "bad")),
        ("Waiting for a reviewer at the end of a day", _by_month(figures, lambda m: m.waiting, "{:.1f}", "waiting")),
        ("Load of the reviewers together", _by_month(figures, lambda m: m.load, "{:.0%}", "plain")),
        ("Load of each reviewer", loads),
    ]


def draw(years: Sequence[Figures], *, title: str) -> SafeString:
    """A picture of one year, or of several beside each other, a row of charts each."""
    rows = [_panels(figures) for figures in years]
    heights = [max(len(bars) for _name, bars in panels) * ROW + _TITLE + _GAP for panels in rows]
    width = 4 * (_WIDTH + _GAP) + _GAP
    height = _TOP + sum(heights) + len(years) * _TITLE
    parts, top = [], _TOP
    for figures, panels, tall in zip(years, rows, heights, strict=True):
        parts.append(format_html('<text class="title" x="{}" y="{}">{}</text>', _GAP, top, figures.name))
        top += _TITLE
        for place, (name, bars) in enumerate(panels):
            parts.append(
                format_html(
                    '<text class="panel" x="{x}" y="{y}">{name}</text>'
                    '<svg x="{x}" y="{below}" width="{width}" height="{tall}">{chart}</svg>',
                    x=_GAP + place * (_WIDTH + _GAP),
                    y=top,
                    below=top + 16,
                    width=_WIDTH,
                    tall=len(bars) * ROW,
                    name=name,
                    chart=_scaled(bars, name),
                )
            )
        top += tall
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">'
        '<title>{title}</title>{style}<rect width="100%" height="100%" fill="#fff"></rect>'
        '<text class="title" x="{gap}" y="48">{title}</text>{parts}</svg>',
        w=width,
        h=height,
        title=title,
        style=_STYLE,
        gap=_GAP,
        parts=format_html_join("", "{}", ((part,) for part in parts)),
    )


def _scaled(bars: Sequence[Bar], name: str) -> SafeString:
    return bar_chart(bars, title=name)
