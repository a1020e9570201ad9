"""The components as template tags. templates/components/README.md shows each in use.

These tags are built in: a template needs no {% load %} for them.
"""

from datetime import date
from typing import Any

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from interface import charts, diffs, errors, navigation, tags

register = template.Library()

register.simple_tag(tags.icon)
register.simple_tag(tags.tag)
register.simple_tag(tags.state_tag)
register.simple_tag(tags.tier_tag)
register.simple_tag(tags.due)
register.simple_tag(diffs.diff)


@register.simple_tag(name="time")
def time_tag(moment: date | None, format_name: str = "") -> SafeString | str:
    """A date or a moment as <time>; nothing for None. `format_name`: e.g. SHORT_DATE_FORMAT."""
    return tags.time_of(moment, format_name) if moment else ""


@register.simple_tag
def time_zone_words() -> str:
    """In which time zone the page shows its times, as a sentence."""
    return tags.time_zone_words()


@register.simple_tag(takes_context=True)
def nav(context: Context) -> list[navigation.Link]:
    """The links of the header for who is reading: {% nav as links %}."""
    request = context.get("request")
    return navigation.links_for(request) if request is not None else []


@register.simple_tag
def url_if_any(name: str) -> str:
    """The address of the page `name`, or nothing where it is not installed: {% url_if_any "inbox" as inbox %}."""
    return navigation.url_or_nothing(name)


@register.simple_tag(takes_context=True)
def error_summary(context: Context, *forms: Any) -> SafeString | str:
    """The list of everything that is wrong with `forms`, linked to the fields; nothing when nothing is."""
    found = errors.mistakes_in(*forms)
    return _component(context, "error_summary", mistakes=found) if found else ""


@register.filter
def whole_form_id(form: Any) -> str:
    """The id under which the mistakes of a whole form are shown."""
    return errors.whole_form_id(form.prefix)


@register.simple_tag(takes_context=True)
def figure(context: Context, bars: list[charts.Bar], title: str, of: str, number: str) -> SafeString:
    """A bar chart with its numbers in a table. `of`, `number`: what the table's two columns are called."""
    return _component(
        context, "figure", bars=bars, title=title, of=of, number=number, chart=charts.bar_chart(bars, title=title)
    )


@register.simple_block_tag(takes_context=True)
def page_header(
    context: Context,
    content: str,
    title: str,
    lede: str = "",
    caption: str = "",
    action_url: str = "",
    action_label: str = "",
) -> SafeString:
    """Breadcrumbs (the content: {% crumb %}s), the page's heading, one sentence, and its main action."""
    return _component(
        context,
        "page_header",
        crumbs=SafeString(content.strip()),
        title=title,
        lede=lede,
        caption=caption,
        action_url=action_url,
        action_label=action_label,
    )


@register.inclusion_tag("components/crumb.html")
def crumb(url: str, label: str) -> dict[str, str]:
    """One step of the way to this page, inside {% page_header %}."""
    return {"url": url, "label": label}


@register.simple_block_tag(takes_context=True)
def panel(context: Context, content: str, heading: str = "", tone: str = "info", level: int = 2) -> SafeString:
    """A notice (info), warning (waiting), failure (bad) or success (good), said in words as well as in colour."""
    if tone not in PANEL_SHAPES:
        raise ValueError(f"no tone {tone!r}: one of {', '.join(PANEL_SHAPES)}")
    return _component(
        context, "panel", content=content, heading=heading, tone=tone, shape=PANEL_SHAPES[tone], level=level
    )


PANEL_SHAPES = {"info": "info", "waiting": "warning", "bad": "warning", "good": "check", "neutral": "info"}


@register.simple_block_tag(takes_context=True)
def card(context: Context, content: str, heading: str = "", id: str = "", level: int = 2) -> SafeString:
    """A part of a page with a heading of its own."""
    return _component(context, "card", content=content, heading=heading, id=id, level=level)


@register.simple_block_tag(takes_context=True)
def empty(context: Context, content: str, heading: str) -> SafeString:
    """Nothing here yet: `heading` says so, the content says what will appear here and how to make it so."""
    return _component(context, "empty", content=content, heading=heading)


@register.simple_block_tag(takes_context=True)
def confirmation(context: Context, content: str, heading: str, number: str = "", number_label: str = "") -> SafeString:
    """It is done: what, under which number; the content says what happens next."""
    return _component(
        context, "confirmation", content=content, heading=heading, number=number, number_label=number_label
    )


def _component(context: Context, name: str, **values: Any) -> SafeString:
    engine = context.template.engine  # type: ignore[union-attr]
    inner = context.new(values)
    inner["csrf_token"] = context.get("csrf_token")
    inner["request"] = context.get("request")
    return SafeString(engine.get_template(f"components/{name}.html").render(inner))
