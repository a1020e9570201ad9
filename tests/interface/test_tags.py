"""Tags and due dates say in words what they show in colour."""

import re
from datetime import UTC, date, datetime

import pytest
from django.utils import timezone, translation

from approvals.states import State, Tier
from interface import tags


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_tag_with_its_words_and_a_shape(state: State) -> None:
    with translation.override("en"):
        html = tags.state_tag(state)

    assert _words(html) == state.label
    assert "icons.svg#" in html


@pytest.mark.parametrize("tier", Tier)
def test_every_tier_has_a_tag(tier: Tier) -> None:
    with translation.override("en"):
        assert _words(tags.tier_tag(tier)) == tier.label


def test_outcomes_differ_in_shape_not_only_in_colour() -> None:
    shapes = {tags.STATES[state][1] for state in ("approved", "denied", "revoked", "information_requested", "draft")}

    assert len(shapes) == 5


def test_a_bare_value_needs_its_words() -> None:
    assert _words(tags.state_tag("draft", "Entwurf")) == "Entwurf"
    with pytest.raises(ValueError, match="no words"):
        tags.state_tag("draft")


def test_unknown_states_and_tones_are_refused() -> None:
    with pytest.raises(KeyError):
        tags.state_tag("nowhere", "Nowhere")
    with pytest.raises(ValueError, match="no tone"):
        tags.tag("x", "purple")


@pytest.mark.parametrize(
    ("left", "extra", "words", "kind"),
    [
        (8, {}, "16 March 2026 8 working days left", "calm"),
        (2, {}, "16 March 2026 2 working days left", "near"),
        (1, {}, "16 March 2026 1 working day left", "near"),
        (0, {}, "16 March 2026 due today", "near"),
        (-3, {}, "16 March 2026 overdue by 3 working days", "late"),
        (None, {}, "16 March 2026", "calm"),
        (None, {"overdue": True}, "16 March 2026 overdue", "late"),
        (9, {"provisional": True}, "16 March 2026 9 working days left provisional", "calm"),
    ],
)
def test_due(left: int | None, extra: dict[str, bool], words: str, kind: str) -> None:
    with translation.override("en"):
        html = tags.due(date(2026, 3, 16), left, **extra)

    assert _words(html) == words
    assert f"due-{kind}" in html


def test_a_due_moment_is_the_first_after_the_last_day_in_the_current_time_zone() -> None:
    end_of_day_in_beijing = datetime(2026, 3, 16, 16, 0, tzinfo=UTC)

    with translation.override("en"), timezone.override("Asia/Shanghai"):
        assert 'datetime="2026-03-16"' in tags.due(end_of_day_in_beijing, 3)
    with translation.override("en"), timezone.override("Asia/Tokyo"):
        assert 'datetime="2026-03-17"' in tags.due(end_of_day_in_beijing, 3)


def test_what_is_kept_for_one_language_is_not_shown_in_the_other() -> None:
    with translation.override("en"):
        english = tags.due(date(2026, 3, 16), 5)
    with translation.override("zh-hans"):
        chinese = tags.due(date(2026, 3, 16), 5)

    assert "March" in english
    assert "2026年3月16日" in chinese


def test_words_are_escaped() -> None:
    assert "<i>" not in tags.tag("<i>")


@pytest.mark.parametrize(
    ("language", "zone", "words"),
    [
        ("en", "Asia/Shanghai", "Times are Beijing time (UTC+08:00)."),
        ("zh-hans", "Asia/Shanghai", "时间均为北京时间（UTC+08:00）。"),
        ("en", "Asia/Kolkata", "Times are Kolkata time (UTC+05:30)."),
        ("zh-hans", "Asia/Tokyo", "时间均为东京时间（UTC+09:00）。"),
        ("en", "America/Argentina/Buenos_Aires", "Times are Buenos Aires time (UTC-03:00)."),
        ("en", "UTC", "Times are UTC time (UTC+00:00)."),
    ],
)
def test_the_zone_of_the_times_is_said(language: str, zone: str, words: str) -> None:
    with translation.override(language), timezone.override(zone):
        assert tags.time_zone_words() == words
