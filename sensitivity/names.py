"""How names of organisations and events are compared. Never names of persons.

Two names are the same when their keys are equal: case, width, punctuation, accents, legal forms, "the", "of" and "and",
simplified or traditional characters make no difference. Two names resemble each other when `resemblance` says so; the
database finds those to be compared. What is stored of a name is derived: `rekey` writes it anew.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from sensitivity import resemblance
from sensitivity.models import NAMED_KINDS, EntryName, ListEntry
from sensitivity.resemblance import BY_INITIALS, SIMILAR

MOST = 10
"""At most so many possible matches for one name that was written: what a person can look through."""
_TRIGRAMS = 0.3
"""Less than this share of trigrams is not compared further (the threshold that pg_trgm itself starts with)."""
_COMPARED = 12
"""So many candidates of a reading are compared word by word."""


@dataclass(frozen=True, slots=True)
class Possible:
    """A name that somebody wrote resembles a name of an entry; `score` from 0 to 1. A person says whether it is it."""

    entry_id: int
    written: str
    name: str
    score: float


@lru_cache(maxsize=4_096)
def key(name: str) -> str:
    """The form in which names are compared exactly. Of a key it is the key itself; empty only for a blank name."""
    return resemblance.joined(resemblance.without_legal_form(resemblance.significant(resemblance.words(name))))


def keys(*, label_zh: str, label_en: str, aliases: Iterable[str]) -> list[str]:
    """Every key by which an entry with these names is found, each once, in order."""
    return list(_by_key(label_zh, label_en, aliases))


def _by_key(label_zh: str, label_en: str, aliases: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in (label_zh, label_en, *aliases):
        if written := key(name):
            found.setdefault(written, " ".join(name.split()))
    return found


def values(*, label_zh: str, label_en: str, aliases: Iterable[str]) -> list[dict[str, Any]]:
    """What is stored for an entry with these names: for each key its name, its form and its blocks."""
    found = []
    for written, name in _by_key(label_zh, label_en, aliases).items():
        readings = resemblance.readings(name)
        form = "|".join(one.form for one in readings)
        blocks = resemblance.numbers(resemblance.stored_blocks(readings))
        found.append({"key": written, "name": name, "form": form, "blocks": blocks})
    return found


def rows(entries: Iterable[ListEntry]) -> list[EntryName]:
    """The names of `entries` (saved, of organisation and event lists), as rows that are not saved."""
    return [
        EntryName(entry_id=entry.pk, version_id=entry.version_id, **one)
        for entry in entries
        for one in values(label_zh=entry.label_zh, label_en=entry.label_en, aliases=entry.aliases)
    ]


def rekey(*, batch: int = 2_000) -> Iterator[int]:
    """Write the names of all entries anew, `batch` entries at a time, each batch whole; yields how many are done.

    For when the rules, or the libraries behind them, have changed. Assessments go on meanwhile; one that was made
    stays as it is.
    """
    done, last = 0, 0
    named = ListEntry.objects.filter(version__list__kind__in=NAMED_KINDS).order_by("pk")
    while True:
        with transaction.atomic():
            some = list(named.filter(pk__gt=last).select_for_update(no_key=True, of=("self",))[:batch])
            if not some:
                return
            EntryName.objects.filter(entry__in=some).delete()
            EntryName.objects.bulk_create(rows(some))
        done, last = done + len(some), some[-1].pk
        yield done


_RESEMBLING = """
    SELECT q.at, k.* FROM (VALUES {}) AS q(at, form, key, by_words, by_initials)
    CROSS JOIN LATERAL sensitivity_resembling(q.form, q.key, q.by_words, q.by_initials, {}, {}) k
"""


def possible(written: Collection[str], *, versions: Collection[int]) -> list[Possible]:
    """The entries of `versions` whose names resemble one of `written` without being the same. One query.

    For each name that was written at most `MOST` entries, each once, the most similar first. Never given a person.
    """
    asked = [(name, one) for name in dict.fromkeys(written) for one in resemblance.readings(name)]
    if not asked or not versions:
        return []
    parameters: list[Any] = []
    for at, (name, reading) in enumerate(asked):
        by_words = _array(resemblance.word_blocks(reading), versions)
        by_initials = _array(resemblance.short_blocks(reading), versions)
        parameters += [at, reading.form, key(name), by_words, by_initials]
    places = ", ".join(["(%s, %s, %s, %s::int[], %s::int[])"] * len(asked))
    with connection.cursor() as cursor:
        cursor.execute(_RESEMBLING.format(places, _TRIGRAMS, _COMPARED), parameters)
        found = cursor.fetchall()
    best: dict[tuple[str, int], tuple[float, bool, str]] = {}
    for at, entry_id, entry_name, form, by_initials in found:
        name, reading = asked[at]
        likeness = BY_INITIALS if by_initials else resemblance.score_of_forms(reading.words, form)
        if likeness >= SIMILAR:  # of names that are equally similar, the one in the same script is shown
            this = (round(likeness, 3), entry_name.isascii() == name.isascii(), entry_name)
            best[name, entry_id] = max(this, best.get((name, entry_id), this))
    of_each: dict[str, list[Possible]] = {name: [] for name, _reading in asked}
    for (name, entry_id), (likeness, _script, entry_name) in best.items():
        of_each[name].append(Possible(entry_id, name, entry_name, likeness))
    return [one for some in of_each.values() for one in sorted(some, key=lambda one: (-one.score, one.entry_id))[:MOST]]


def _array(blocks: Iterable[str], versions: Iterable[int]) -> str:
    numbers = resemblance.numbers(blocks)
    mixed = (str(resemblance.in_version(one, version)) for version in versions for one in numbers)
    return f"{{{','.join(mixed)}}}"  # one text, because the driver writes a list of numbers one by one
