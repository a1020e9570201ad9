"""Bar charts as SVG made on the server: no script, no inline style, the same in print.

A chart is never alone: the component `figure` shows its numbers in a table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

ROW = 44  # pixels from one bar to the next: a line of words, then the bar
TEXT = 16
BAR = 14
TONES = frozenset({"plain", "good", "waiting", "bad"})


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `value` must not be negative; `shown` replaces the number, e.g. "3.5 days" or "fewer than 5"."""

    label: str | Promise
    value: float
    tone: str = "plain"
    shown: str | Promise = ""

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("a bar has no negative length")
        if self.tone not in TONES:
            raise ValueError(f"no tone {self.tone!r}: one of {', '.join(sorted(TONES))}")

    @property
    def words(self) -> str:
        """The value as people read it, in the current language."""
        return str(self.shown) or number_format(self.value, decimal_pos=None if self.value % 1 else 0)


def bar_chart(bars: Sequence[Bar], *, title: str | Promise) -> SafeString:
    """Horizontal bars, as long as their share of the largest. `title` is what a screen reader says for the picture."""
    largest = max((bar.value for bar in bars), default=0) or 1
    rows = format_html_join(
        "",
        '<text class="chart-label" x="0" y="{}">{}</text>'
        '<text class="chart-value" x="100%" y="{}" text-anchor="end">{}</text>'
        '<rect class="chart-track" x="0" y="{}" width="100%" height="{}" rx="2"></rect>'
        '<rect class="chart-bar chart-{}" x="0" y="{}" width="{}%" height="{}" rx="2"></rect>',
        (
            (
                top + TEXT - 3,
                bar.label,
                top + TEXT - 3,
                bar.words,
                top + TEXT + 3,
                BAR,
                bar.tone,
                top + TEXT + 3,
                f"{100 * bar.value / largest:.2f}",
                BAR,
            )
            for top, bar in ((place * ROW, bar) for place, bar in enumerate(bars))
        ),
    )
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-label="{}" focusable="false">{}</svg>',
        max(len(bars), 1) * ROW,
        title,
        rows,
    )
