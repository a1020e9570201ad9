"""What every template, style sheet and script of ours keeps to."""

import gzip
import re
from pathlib import Path

import django_htmx
import pytest
from django.conf import settings

TEMPLATES = sorted(
    path
    for path in Path(settings.BASE_DIR).glob("**/templates/**/*.html")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(settings.BASE_DIR).parts)
)
# Mails are read in mail programs, documents are made into PDF, an archive is opened from a disk: none of them is under
# the pages' policy.
PAGES = [path for path in TEMPLATES if not {"emails", "documents", "archive"} & set(path.parts)]

REFUSED = {
    "a style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a <style> element": re.compile(r"<style\b", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\shx-on[:-]"),
    "code in hx-vals or hx-headers": re.compile(r"hx-(?:vals|headers)\s*=\s*[\"']\s*js:"),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "a script with code": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=[\"']application/json)[^>]*>", re.IGNORECASE),
    "something from another site": re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE),
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_has_what_the_content_security_policy_refuses(path: Path) -> None:
    source = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)

    assert [what for what, pattern in REFUSED.items() if pattern.search(source)] == []


@pytest.mark.parametrize(
    ("what", "sample"),
    [
        ("a style attribute", '<p style="color:red">'),
        ("an event attribute", '<a href="#" onclick="go()">'),
        ("a script with code", "<script>go()</script>"),
        ("hx-on", '<p hx-on:click="go()">'),
        ("something from another site", '<script src="https://cdn.example/x.js"></script>'),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, sample: str) -> None:
    assert REFUSED[what].search(sample)


def test_the_policy_allows_nothing_inline() -> None:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]

    assert "'unsafe-inline'" not in str(directives)
    assert "'unsafe-eval'" not in str(directives)


def test_every_icon_that_is_used_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (settings.BASE_DIR / "static/img/icons.svg").read_text()))
    from interface import tags

    used = {shape for _tone, shape in [*tags.STATES.values(), *tags.TIERS.values()]}
    for path in TEMPLATES:
        used |= set(re.findall(r'{% icon "([\w-]+)" %}', path.read_text()))

    assert used - drawn == set()


def test_dark_answers_every_colour_of_light() -> None:
    css = settings.BASE_DIR / "static/css"
    light, dark = (set(re.findall(r"(--p-[\w-]+):", (css / name).read_text())) for name in ("product.css", "dark.css"))

    assert light - dark == {"--p-header-text"}


def test_the_first_page_is_under_150_kilobytes_over_the_wire() -> None:
    """Everything that base.html asks for, compressed as it is served, with 15 KB left for the page itself."""
    static = settings.BASE_DIR / "static"
    files = [
        static / "vendor/tabler/tabler.min.css",
        static / "css/product.css",
        static / "css/dark.css",
        static / "js/product.js",
        Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js",
    ]

    assert sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) < 135_000
