"""What a traveller can pick, in words: subjects, states and provinces, projects. And the words for what was picked.

Subjects are arXiv's classes (`taxonomy`) with the published entries of technology lists below and among them: nobody
picks a code. Entries of confidential lists are never offered and never named here. Days are days of the reader's
office; a version counts on a day as `VersionQuerySet.in_force` says.
"""

from __future__ import annotations

import gettext
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pycountry
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import get_language

from authorities.languages import by_language
from companies.models import Project
from employees.models import ProjectAssignment
from sensitivity.models import FIXED, ListEntry, ListKind, ListVersion
from sensitivity.taxonomy import SUBJECTS

MOST_OFFERED = 600
"""More published entries are not offered at once: the upper ones of the tree are, and what is searched for."""


def spoken_order(words: str) -> Any:
    """Sorts `words` as the reader expects: Chinese as it is pronounced, the order of the national character set."""
    if (get_language() or "").startswith("zh"):
        return words.encode("gb18030", "replace")
    return words.casefold()


# ── subjects ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject to pick, by its label, with the finer ones below it."""

    code: str
    label: str
    below: tuple[Subject, ...] = ()

    def walk(self) -> Iterator[Subject]:
        """This one and everything below it, in the order of the page."""
        yield self
        for one in self.below:
            yield from one.walk()


@dataclass(frozen=True, slots=True)
class Subjects:
    """The tree of what can be picked."""

    top: tuple[Subject, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)
    """A code that was picked before → the code that it has now."""
    is_cut: bool = False
    """There is more than is offered here: search for it."""

    def walk(self) -> Iterator[Subject]:
        """Every subject, in the order of the page."""
        for one in self.top:
            yield from one.walk()


def _technologies(on: date) -> QuerySet[ListEntry, ListEntry]:
    """The entries of technology lists that everybody can read and that count on `on`."""
    return ListEntry.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=on),
        Q(valid_until=None) | Q(valid_until__gte=on),
        version__in=ListVersion.objects.in_force(on),
        version__list__kind=ListKind.TECHNOLOGY,
        version__list__is_confidential=False,
    )


def _picked(codes: Iterable[str]) -> Q:
    given = list(codes)
    return Q(code__in=given) | (Q(former_codes__overlap=given) & ~Q(former_codes=[]))


def subjects(on: date, *, find: str = "", keep: Collection[str] = (), most: int = MOST_OFFERED) -> Subjects:
    """What can be picked on `on`, in the reader's language and order. One query; two when something is searched for.

    `find` leaves only the published entries that hold it in a label, other name or code, with what is above and below
    each. Those picked already (`keep`, by a
    code that they have or had) are offered in any case; of the others at most `most`, the upper ones of the tree first.
    """
    entries = _technologies(on)
    if wanted := find.strip():
        found = Q(label_zh__icontains=wanted) | Q(label_en__icontains=wanted) | Q(code__icontains=wanted)
        matched = entries.filter(found | Q(aliases__icontains=wanted))
        trails = list(matched.values_list("path", flat=True)[:most])
        above = {code for path in trails for code in path}
        around = Q(path__overlap=[path[-1] for path in trails]) | Q(code__in=above)
        entries = entries.filter(around | _picked(keep))
    first = Case(When(_picked(keep), then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = list(
        entries.order_by(first, "path__len", "code", "version__list_id").values_list(
            "code", "path", "former_codes", "label_zh", "label_en"
        )[: most + 1]
    )
    labels = {code: str(label) for code, label in SUBJECTS}
    paths: dict[str, list[str]] = {}
    renamed: dict[str, str] = {}
    for code, path, former, zh, en in rows[:most]:
        if code not in labels:
            labels[code] = by_language(zh, en)
            paths[code] = path
        renamed |= {old: code for old in former if old in keep}
    below: dict[str, list[str]] = {}
    for code in labels:
        below.setdefault(_above(code, paths.get(code, ()), labels), []).append(code)
    return Subjects(
        top=_made("", below, labels),
        renamed={old: code for old, code in renamed.items() if old not in labels},
        is_cut=len(rows) > most,
    )


def _above(code: str, path: Collection[str], labels: Mapping[str, str]) -> str:
    """The nearest subject above `code` that is offered: by the tree of its list, else by the class that its code names.
    Empty at the top."""
    for one in reversed([one for one in path if one != code]):
        if one in labels:
            return one
    if not path:
        return ""
    classes = [one for one, _label in SUBJECTS if code.startswith((f"{one}.", f"{one}-", f"{one}/"))]
    return max(classes, key=len, default="")


def _made(above: str, below: Mapping[str, list[str]], labels: Mapping[str, str]) -> tuple[Subject, ...]:
    codes = sorted(below.get(above, ()), key=lambda code: spoken_order(labels[code]))
    return tuple(Subject(code, labels[code], _made(code, below, labels)) for code in codes)


def known_subjects(codes: Collection[str], *, on: date) -> frozenset[str]:
    """Those of `codes` that can be picked on `on`. No query when all are classes of the taxonomy."""
    classes = {code for code, _label in SUBJECTS}
    more = set(codes) - classes
    published = _technologies(on).filter(code__in=more).values_list("code", flat=True) if more else ()
    return frozenset(set(codes) & classes) | frozenset(published)


def subject_labels(codes: Iterable[str]) -> dict[str, str]:
    """The label of each of `codes` in the reader's language: also of one that was renamed or is not listed any more.

    A code that no open list ever held is its own label. No query when all are classes of the taxonomy.
    """
    classes = dict(SUBJECTS)
    wanted = list(dict.fromkeys(codes))
    more = [code for code in wanted if code not in classes]
    found: dict[str, str] = {}
    if more:
        published = ListEntry.objects.filter(
            _picked(more),
            version__state__in=sorted(FIXED),
            version__list__kind=ListKind.TECHNOLOGY,
            version__list__is_confidential=False,
        ).order_by("version__published_from", "version__number")
        rows = list(published.values_list("code", "former_codes", "label_zh", "label_en"))
        # What a code was once is overruled by what it is.
        found = {old: by_language(zh, en) for _code, former, zh, en in rows for old in former}
        found |= {code: by_language(zh, en) for code, _former, zh, en in rows}
    return {code: str(classes[code]) if code in classes else found.get(code, code) for code in wanted}


def subjects_in_words(codes: Iterable[str], labels: Mapping[str, str] | None = None) -> list[str]:
    """What was picked, in words and in its order; `labels` where they have been looked up already."""
    given = list(codes)
    known = subject_labels(given) if labels is None else labels
    return [known.get(code, code) for code in given]


# ── states and provinces ────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4)
def _spoken_places(language: str) -> gettext.NullTranslations:
    languages = ["zh_CN"] if language.startswith("zh") else ["en"]
    return gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=languages, fallback=True)


def subdivision_name(code: str) -> str:
    """The name of a subdivision (ISO 3166-2) in the reader's language, else as the standard writes it; the code itself
    where the standard knows none; empty for nothing."""
    found = pycountry.subdivisions.get(code=code) if code else None  # type: ignore[no-untyped-call]
    return _spoken_places(get_language() or "").gettext(found.name) if found else code


Subdivided = Mapping[str, tuple[tuple[str, str], ...]]
"""Country → its subdivisions to choose from, as (code, name)."""


def subdivided(on: date) -> Subdivided:
    """The countries (ISO 3166-1 alpha-2) of which a list in force on `on` names a subdivision, each with all of its
    own to choose from: (code, name), by name. One query.

    Confidential lists count too, or they would never be compared: all that shows is that the question is asked.
    """
    named = (
        ListEntry.objects.filter(
            Q(valid_until=None) | Q(valid_until__gte=on),
            Q(valid_from=None) | Q(valid_from__lte=on),
            version__in=ListVersion.objects.in_force(on),
            version__list__kind=ListKind.DESTINATION,
            code__contains="-",
        )
        .values_list("code", flat=True)
        .distinct()
    )
    listed: dict[str, set[str]] = {}
    for code in named:
        listed.setdefault(code.partition("-")[0], set()).add(code)
    return {country: _to_choose_from(country, frozenset(codes)) for country, codes in sorted(listed.items())}


def _to_choose_from(country: str, listed: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """All subdivisions of the first order; with those below them where a list names one of these."""
    every = pycountry.subdivisions.get(country_code=country) or []  # type: ignore[no-untyped-call]
    first = {one.code for one in every if not one.parent_code}
    codes = first if listed <= first else {one.code for one in every} | listed
    named = [(code, subdivision_name(code)) for code in codes]
    return tuple(sorted(named, key=lambda one: (spoken_order(one[1]), one[0])))


# ── projects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def projects(*, company_id: int, employee_id: int, at: datetime) -> list[tuple[str, str]]:
    """The active projects of a company as (code, name), those that the employee works on at `at` first. One query."""
    own = ProjectAssignment.objects.in_force(at).filter(employee_id=employee_id).values("project_id")
    rows = Project.objects.filter(company_id=company_id, is_active=True).annotate(
        rank=Case(When(pk__in=own, then=Value(0)), default=Value(1), output_field=IntegerField())
    )
    return list(rows.order_by("rank", "code").values_list("code", "name"))


def project_names(codes: Collection[str], *, company_id: int) -> list[str]:
    """Projects of a company in words, those that have ended too, in the order given. No query for none."""
    if not codes:
        return []
    named = dict(Project.objects.filter(company_id=company_id, code__in=codes).values_list("code", "name"))
    return [f"{code} {named[code]}" if code in named else code for code in codes]
