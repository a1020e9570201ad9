"""Which published entries a trip touches. The database finds candidates; whether one counts is decided here, purely.

Exact on codes (of a technology: the entry and everything above it in its tree; of a place: the country and the
subdivision), on projects of a company, and on names as `names.key` writes them. A name that only resembles one is
a possible match, which counts when a person has confirmed it. Never on a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from functools import lru_cache
from typing import Any, cast

from django.db import connection

from accounts.prepared import execute
from sensitivity import names
from sensitivity.models import ListKind


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a leg leads: a country (ISO 3166-1 alpha-2), and its subdivision (ISO 3166-2) where one was asked for."""

    country: str
    subdivision: str = ""


@dataclass(frozen=True, slots=True, order=True)
class NamedProject:
    """A project by the company (its key) and its code."""

    company_id: int
    code: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a trip is compared with the lists. Sets: order and repetition do not matter. Nothing about the person."""

    subjects: frozenset[str] = frozenset()
    places: frozenset[Place] = frozenset()
    organisations: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    projects: frozenset[NamedProject] = frozenset()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a list in force, with what is told of the list even where its entries are confidential."""

    id: int
    list_id: int
    number: int
    kind: str
    list_zh: str
    list_en: str
    confidential: bool
    basis_zh: str
    basis_en: str
    basis_article_zh: str
    basis_article_en: str
    basis_url: str
    secret_zh: str
    secret_en: str
    secret_article_zh: str
    secret_article_en: str
    secret_url: str
    reviewed_by: str
    reviewed_on: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may count, and the names (keys) by which it is found."""

    version: Version
    entry_id: int
    lineage: str
    code: str
    former_codes: tuple[str, ...]
    path: tuple[str, ...]
    company_id: int | None
    label_zh: str
    label_en: str
    level: int
    reason_zh: str
    reason_en: str
    valid_from: date | None = None
    valid_until: date | None = None
    keys: tuple[str, ...] = ()

    def is_valid(self, on: date) -> bool:
        """Whether the entry counts on `on`."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """One published entry that a trip touches, as it is kept in an assessment: whole, so that it can be read later."""

    kind: str
    list_id: int
    version_id: int
    version: int
    list_zh: str
    list_en: str
    lineage: str
    code: str
    label_zh: str
    label_en: str
    level: int
    reason_zh: str
    reason_en: str
    touched_by: tuple[str, ...] = ()
    """What of the trip it was: codes or names as written."""
    confirmed: bool = False
    """A possible match that a person confirmed; else an exact one."""
    confidential: bool = False
    basis_zh: str = ""
    basis_en: str = ""
    basis_article_zh: str = ""
    basis_article_en: str = ""
    basis_url: str = ""
    secret_zh: str = ""
    secret_en: str = ""
    secret_article_zh: str = ""
    secret_article_en: str = ""
    secret_url: str = ""
    reviewed_by: str = ""
    reviewed_on: str = ""

    def as_data(self) -> dict[str, Any]:
        return asdict(self) | {"touched_by": list(self.touched_by)}

    @property
    def order(self) -> tuple[Any, ...]:
        """Highest level first; the same hits come in the same order, however they were found."""
        return (-self.level, self.kind, self.code, self.list_id, self.lineage)


@dataclass(frozen=True, slots=True)
class PossibleHit:
    """An entry whose name resembles one that was written. It counts when a person has confirmed it."""

    hit: Hit
    written: str
    name: str
    score: float

    @property
    def key(self) -> str:
        """What a person's answer is about: this entry, for this name as written."""
        return f"{self.hit.lineage}:{self.written}"

    def as_data(self) -> dict[str, Any]:
        return {"hit": self.hit.as_data(), "written": self.written, "name": self.name, "score": self.score}


_HIT_FIELDS = frozenset(one.name for one in fields(Hit))
_ONCE = ("basis_article", "secret_article")


def hit_from(data: dict[str, Any]) -> Hit:
    """The hit that `as_data` wrote. Older assessments say less; what they did not say is empty.

    The oldest have an article in one text for both languages.
    """
    once = {f"{name}_{language}": data[name] for name in _ONCE if name in data for language in ("zh", "en")}
    known = once | {name: value for name, value in data.items() if name in _HIT_FIELDS}
    whole: dict[str, Any] = {"list_id": 0, "lineage": ""} | known | {"touched_by": tuple(data.get("touched_by", ()))}
    return Hit(**whole)


def possible_from(data: dict[str, Any]) -> PossibleHit:
    """The possible match that `as_data` wrote."""
    return PossibleHit(hit_from(data["hit"]), data["written"], data["name"], data["score"])


# ── pure ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def hits(facts: Facts, candidates: Iterable[Candidate], *, on: date) -> tuple[Hit, ...]:
    """The hits of `facts` among `candidates` on `on`, highest level first.

    Neither the order of the candidates nor candidates that do not count change anything. An entry that is not valid on
    `on` never counts, but what is above it in its tree does.
    """
    every = list({(one.version.id, one.entry_id): one for one in candidates}.values())
    written = {
        ListKind.ORGANISATION: _by_key(facts.organisations),
        ListKind.EVENT: _by_key(facts.events),
    }
    covered = _covered(facts.subjects, every)
    found = []
    for one in every:
        by = _touched_by(facts, one, written, covered)
        if by and one.is_valid(on):
            found.append(_hit(one, by))
    return tuple(sorted(found, key=lambda hit: hit.order))


def _by_key(written: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in written:
        found.setdefault(names.key(name), []).append(name)
    return found


def _covered(subjects: Collection[str], candidates: Iterable[Candidate]) -> dict[tuple[int, str], set[str]]:
    """(version, code) → the subjects that lie at or below that entry of the tree."""
    found: dict[tuple[int, str], set[str]] = {}
    for one in candidates:
        if one.version.kind != ListKind.TECHNOLOGY:
            continue
        picked = [code for code in (one.code, *one.former_codes) if code in subjects]
        for above in one.path or (one.code,):
            found.setdefault((one.version.id, above), set()).update(picked)
    return found


def _touched_by(
    facts: Facts,
    one: Candidate,
    written: dict[ListKind, dict[str, list[str]]],
    covered: dict[tuple[int, str], set[str]],
) -> list[str]:
    kind = ListKind(one.version.kind)
    if kind is ListKind.TECHNOLOGY:
        return sorted(covered.get((one.version.id, one.code), ()))
    codes = {one.code, *one.former_codes}
    if kind is ListKind.DESTINATION:
        return sorted(
            place.subdivision or place.country for place in facts.places if codes & {place.country, place.subdivision}
        )
    if kind is ListKind.PROJECT:
        return sorted(p.code for p in facts.projects if p.company_id == one.company_id and p.code in codes)
    return sorted(name for key in one.keys for name in written[kind].get(key, ()))


def _hit(one: Candidate, touched_by: Sequence[str], *, confirmed: bool = False) -> Hit:
    version = one.version
    return Hit(
        kind=version.kind,
        list_id=version.list_id,
        version_id=version.id,
        version=version.number,
        list_zh=version.list_zh,
        list_en=version.list_en,
        lineage=one.lineage,
        code=one.code,
        label_zh=one.label_zh,
        label_en=one.label_en,
        level=one.level,
        reason_zh=one.reason_zh,
        reason_en=one.reason_en,
        touched_by=tuple(dict.fromkeys(touched_by)),
        confirmed=confirmed,
        confidential=version.confidential,
        basis_zh=version.basis_zh,
        basis_en=version.basis_en,
        basis_article_zh=version.basis_article_zh,
        basis_article_en=version.basis_article_en,
        basis_url=version.basis_url,
        secret_zh=version.secret_zh,
        secret_en=version.secret_en,
        secret_article_zh=version.secret_article_zh,
        secret_article_en=version.secret_article_en,
        secret_url=version.secret_url,
        reviewed_by=version.reviewed_by,
        reviewed_on=version.reviewed_on,
    )


# ── from the database ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Found:
    """What the lists in force say to some facts: their versions, the candidates, the possible matches."""

    versions: tuple[Version, ...]
    candidates: tuple[Candidate, ...]
    possible: tuple[PossibleHit, ...] = field(default=())


_VERSIONS = """
    SELECT v.id, v.list_id, v.number, l.kind, l.name_zh, l.name_en, l.is_confidential,
        b.title_zh, b.title_en, b.article_zh, b.article_en, b.url,
        coalesce(c.title_zh, ''), coalesce(c.title_en, ''), coalesce(c.article_zh, ''), coalesce(c.article_en, ''),
        coalesce(c.url, ''),
        coalesce(u.name, ''), coalesce(l.confidentiality_reviewed_on::text, '')
    FROM sensitivity_listversion v
    JOIN sensitivity_sensitivitylist l ON l.id = v.list_id
    JOIN authorities_legalinstrument b ON b.id = l.legal_basis_id
    LEFT JOIN authorities_legalinstrument c ON c.id = l.confidentiality_basis_id AND l.is_confidential
    LEFT JOIN accounts_user u ON u.id = l.confidentiality_reviewed_by_id AND l.is_confidential
"""
_IN_FORCE = _VERSIONS + (
    "WHERE v.state IN ('published', 'superseded') AND v.published_from <= %(on)s AND v.published_until > %(on)s "
    "ORDER BY l.kind, v.list_id"
)


def in_force(on: date) -> tuple[Version, ...]:
    """The versions that count on `on`, a day by the legal time of lists. One query."""
    return tuple(Version(*row) for row in _rows(_IN_FORCE, {"on": on}))


def version(version_id: int) -> Version:
    """A version as it would count if it were published now: for a rehearsal. LookupError when there is none."""
    rows = _rows(_VERSIONS + "WHERE v.id = %(id)s", {"id": version_id})
    if not rows:
        raise LookupError(version_id)
    return Version(*rows[0])


@lru_cache(maxsize=64)
def _positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """`sql` with its named gaps as plain ones, and their names in order: so the server can keep its plan."""
    return re.sub(r"%\((\w+)\)s", "%s", sql), tuple(re.findall(r"%\((\w+)\)s", sql))


def _rows(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    text, names_in_order = _positional(sql)
    with connection.cursor() as cursor:
        execute(cursor, (text, [values[name] for name in names_in_order]))
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


# Each arm is a look-up by an index. What was renamed is found by its former codes too.
_ARMS = {
    ListKind.TECHNOLOGY: (
        "SELECT a.id FROM sensitivity_listentry p CROSS JOIN unnest(p.path) AS above(code) "
        "JOIN sensitivity_listentry a ON a.version_id = p.version_id AND a.code = above.code "
        "WHERE p.version_id = ANY(%(technology)s) AND p.code = ANY(%(subjects)s)",
        "SELECT a.id FROM sensitivity_listentry p CROSS JOIN unnest(p.path) AS above(code) "
        "JOIN sensitivity_listentry a ON a.version_id = p.version_id AND a.code = above.code "
        "WHERE p.version_id = ANY(%(technology)s) AND p.former_codes && %(subjects)s::varchar[] "
        "AND p.former_codes <> '{}'",
    ),
    ListKind.DESTINATION: (
        "SELECT e.id FROM sensitivity_listentry e "
        "WHERE e.version_id = ANY(%(destination)s) AND e.code = ANY(%(places)s)",
    ),
    ListKind.PROJECT: (
        "SELECT e.id FROM sensitivity_listentry e "
        "JOIN unnest(%(companies)s::bigint[], %(projects)s::varchar[]) AS p(company, code) "
        "ON e.company_id = p.company AND e.code = p.code WHERE e.version_id = ANY(%(project)s)",
        "SELECT e.id FROM sensitivity_listentry e WHERE e.version_id = ANY(%(project)s) "
        "AND e.former_codes && %(projects)s::varchar[] AND e.former_codes <> '{}'",
    ),
    ListKind.ORGANISATION: (
        "SELECT n.entry_id FROM sensitivity_entryname n "
        "WHERE n.version_id = ANY(%(organisation)s) AND n.key = ANY(%(hosts)s)",
    ),
    ListKind.EVENT: (
        "SELECT n.entry_id FROM sensitivity_entryname n "
        "WHERE n.version_id = ANY(%(event)s) AND n.key = ANY(%(events)s)",
    ),
}
_ENTRIES = """
    SELECT e.version_id, e.id, e.lineage::text, e.code, e.former_codes, e.path, e.company_id, e.label_zh, e.label_en,
        e.level, e.reason_zh, e.reason_en, e.valid_from, e.valid_until,
        ARRAY(SELECT n.key FROM sensitivity_entryname n WHERE n.entry_id = e.id AND n.key = ANY(%(keys)s::text[]))
    FROM sensitivity_listentry e WHERE e.id IN ({})
"""


def find(facts: Facts, *, versions: Collection[Version], on: date, resembling: bool = True) -> Found:
    """What `versions` say to `facts`: every entry that may count, and with `resembling` the possible matches on `on`.

    One query for the entries; one or two more when organisations are named.
    """
    of: dict[str, list[int]] = {kind: [] for kind in ListKind}
    for one in versions:
        of[one.kind].append(one.id)
    projects = sorted(facts.projects)
    hosts = {names.key(name) for name in facts.organisations}
    events = {names.key(name) for name in facts.events}
    asked: dict[ListKind, Collection[Any]] = {
        ListKind.TECHNOLOGY: facts.subjects,
        ListKind.DESTINATION: facts.places,
        ListKind.PROJECT: projects,
        ListKind.ORGANISATION: hosts,
        ListKind.EVENT: events,
    }
    arms = [arm for kind, some in asked.items() if some and of[kind] for arm in _ARMS[kind]]
    values: dict[str, Any] = {
        **{kind.value: of[kind] for kind in ListKind},
        "subjects": sorted(facts.subjects),
        "places": sorted({code for place in facts.places for code in (place.country, place.subdivision) if code}),
        "companies": [project.company_id for project in projects],
        "projects": [project.code for project in projects],
        "hosts": sorted(hosts),
        "events": sorted(events),
        "keys": sorted(hosts | events),
    }
    candidates = _candidates(" UNION ".join(arms), values, versions) if arms else ()
    possible: tuple[PossibleHit, ...] = ()
    if resembling and facts.organisations and of[ListKind.ORGANISATION]:
        possible = _possible(facts, of[ListKind.ORGANISATION], values, versions, candidates, on)
    return Found(tuple(versions), candidates, possible)


def _candidate(of: dict[int, Version], version_id: int, *row: Any) -> Candidate:
    entry_id, lineage, code, former, path, company_id, zh, en, level, reason_zh, reason_en, first, last, keys = row
    return Candidate(
        version=of[version_id],
        entry_id=entry_id,
        lineage=lineage,
        code=code,
        former_codes=tuple(former),
        path=tuple(path),
        company_id=company_id,
        label_zh=zh,
        label_en=en,
        level=level,
        reason_zh=reason_zh,
        reason_en=reason_en,
        valid_from=first,
        valid_until=last,
        keys=tuple(keys),
    )


def _candidates(ids: str, values: dict[str, Any], versions: Iterable[Version]) -> tuple[Candidate, ...]:
    of = {one.id: one for one in versions}
    return tuple(_candidate(of, *row) for row in _rows(_ENTRIES.format(ids), values))


def _possible(
    facts: Facts,
    version_ids: list[int],
    values: dict[str, Any],
    versions: Iterable[Version],
    exact: Iterable[Candidate],
    on: date,
) -> tuple[PossibleHit, ...]:
    resembling = names.possible(sorted(facts.organisations), versions=version_ids)
    if not resembling:
        return ()
    hit_already = {(one.entry_id, key) for one in exact for key in one.keys}
    ids = sorted({one.entry_id for one in resembling})
    entries = {
        one.entry_id: one for one in _candidates("SELECT unnest(%(ids)s::bigint[])", values | {"ids": ids}, versions)
    }
    found: dict[str, PossibleHit] = {}
    for one in sorted(resembling, key=lambda one: -one.score):
        if (one.entry_id, names.key(one.written)) in hit_already:
            continue
        if not entries[one.entry_id].is_valid(on):
            continue
        made = PossibleHit(_hit(entries[one.entry_id], [one.written], confirmed=True), one.written, one.name, one.score)
        found.setdefault(made.key, made)
    return tuple(found.values())


_SUBDIVIDED = """
    SELECT DISTINCT split_part(e.code, '-', 1)
    FROM sensitivity_listversion v
    JOIN sensitivity_sensitivitylist l ON l.id = v.list_id AND l.kind = 'destination'
    JOIN sensitivity_listentry e ON e.version_id = v.id
    WHERE v.state IN ('published', 'superseded') AND v.published_from <= %(on)s AND v.published_until > %(on)s
        AND (e.valid_from IS NULL OR e.valid_from <= %(on)s) AND (e.valid_until IS NULL OR e.valid_until >= %(on)s)
        AND e.code LIKE ANY(%(parts)s)
"""


def subdivided(countries: Collection[str], *, on: date) -> frozenset[str]:
    """Those of `countries` (ISO 3166-1 alpha-2) of which a list in force on `on` names a subdivision. One query."""
    if not countries:
        return frozenset()
    parts = [f"{code}-%" for code in sorted(countries)]
    return frozenset(row[0] for row in _rows(_SUBDIVIDED, {"on": on, "parts": parts}))
