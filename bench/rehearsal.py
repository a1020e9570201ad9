"""Rehearsing a draft over many requests, against one SQL statement that finds the same tiers for all of them.

Ours: started and done as the worker does it, batch after batch, each its own transaction: revisions as they were
frozen, both sides, tiers, reviewer-days by office, the requests with another tier and the entries that make it so, kept
as rows. Floor: psycopg2 alone, one set-based statement that reads the same revisions and gives the table of tiers and
the requests that change; it writes nothing, does not say because of which entry, and is given how names are compared.
Both must find the same. Also: how costs grow, and a draft of organisations, whose names are looked up for likeness.
"""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection, connections
from uuid_utils.compat import uuid7

from accounts.actors import actor_for
from accounts.models import RoleAssignment, User
from accounts.roles import Actor, Role
from approvals import rehearsal
from approvals.demo.grounds import enacted
from approvals.models import Revision, TravelRequest
from authorities.models import Office
from bench import Result, Say, alternating
from bench.lifecycle import Setting, bare_connection
from jobs import work
from sensitivity import drafting, matching, names, publishing
from sensitivity.models import ListKind, ListVersion, Rehearsal

ROWS = 20_000
DAYS = 90
CODE = "REHEARSAL"
SUBJECTS = 80
COUNTRIES = ("BR", "CA", "CH", "DE", "FR", "GB", "IN", "IT", "JP", "KR", "NL", "SE", "SG", "US", "ZA")
HOSTS, EVENTS = 600, 300
STEMS = ("Curie", "Euler", "Gauss", "Hopper", "Lovelace", "Moreau", "Noether", "Okafor", "Petrov", "Rossi", "Tanaka")


def run(*, rows: int, say: Say) -> Result:
    """`rows` requests of one time, and a tenth of them."""
    small = _measure(max(rows // 10, 100), say)
    large = _measure(rows, say)
    exponent = math.log(large.ours / small.ours, 10) if rows >= 1000 else 0.0
    say(f"{'growth from a tenth of it':<34}exponent {exponent:+.2f}\n")
    return large


def _measure(rows: int, say: Say) -> Result:
    world = World(rows, say)
    bare = bare_connection()
    found: dict[str, Any] = {}

    def floor() -> None:
        with bare.cursor() as cursor:
            cursor.execute(_FLOOR, world.values(world.technologies))
            found["floor"] = cursor.fetchall()

    def ours() -> None:
        found["ours"] = world.rehearse(world.technologies)

    alternating(floor, ours, rounds=1)
    _same(found["floor"], found["ours"])
    floor_s, ours_s = alternating(floor, ours)
    queries = world.statements_of_a_batch()
    result = Result(ratio=ours_s / floor_s, floor=floor_s, ours=ours_s, unit="s", n=rows, queries=queries)
    changed = found["ours"].changed
    say(
        f"{f'{rows:,} requests':<34}{floor_s:8.3f} s floor {ours_s:8.3f} s ours   ratio {result.ratio:5.2f}"
        f"   {rows / ours_s:,.0f} requests/s, {changed:,} with another tier\n"
    )
    begin = time.perf_counter()
    alike = world.rehearse(world.organisations)
    seconds = time.perf_counter() - begin
    say(
        f"  {'a draft of organisations':<32}{seconds:25.3f} s ours   {alike.result['open_matches']['after']:,} requests"
        f" with a possible match, {HOSTS} hosts\n"
    )
    bare.close()
    return result


def _same(floor: Sequence[tuple[str, str, int, list[Any] | None]], ours: Rehearsal) -> None:
    """RuntimeError unless both found the same."""
    tiers: dict[str, dict[str, int]] = {}
    changed: set[str] = set()
    for before, after, number, ids in floor:
        tiers.setdefault(before, {})[after] = number
        changed |= {str(one) for one in ids or ()}
    kept = {str(one) for one in ours.changes.values_list("request", flat=True)}
    if (tiers, changed) != (ours.result["tiers"], kept):
        raise RuntimeError(f"floor and ours differ: {tiers} and {ours.result['tiers']}")


# ── what is there before ────────────────────────────────────────────────────────────────────────────────────────────


class World:
    """Lists in force, drafts of two of them, and requests that were submitted: all in a time of their own.

    Each is two years after the one before, long before anything else, so that no other request or list plays a part.
    """

    def __init__(self, rows: int, say: Say) -> None:
        self.rows, self.random = rows, Random(rows)
        before = Office.objects.filter(code__startswith=CODE).count()
        self.at = datetime(1950 + 2 * before, 6, 1, tzinfo=UTC)
        self.on = publishing.today(self.at)
        self.office = Office.objects.create(code=f"{CODE}{before}", name_zh="测", name_en="Bench", city="B")
        self.author, self.publisher = self._list_manager("author"), self._list_manager("publisher")
        say(f"writing lists and {rows:,} requests …\n")
        begun = self.at - timedelta(days=30)
        self.hosts = [self._name("Institute", number) for number in range(HOSTS)]
        self.events = [self._name("Symposium", number) for number in range(EVENTS)]
        tree = [self._entry(f"TEC-{n}", parent=f"TEC-{(n - 1) // 3}" if n else "") for n in range(SUBJECTS // 2)]
        listed = self.hosts[: HOSTS // 10]
        self.first = {
            ListKind.TECHNOLOGY: self._published(ListKind.TECHNOLOGY, tree, begun),
            ListKind.DESTINATION: self._published(ListKind.DESTINATION, map(self._entry, COUNTRIES[:5]), begun),
            ListKind.EVENT: self._published(ListKind.EVENT, self._named(self.events[:30]), begun),
            ListKind.ORGANISATION: self._published(ListKind.ORGANISATION, self._named(listed), begun),
        }
        self.technologies = self._draft(ListKind.TECHNOLOGY)
        self.organisations = self._draft(ListKind.ORGANISATION)
        self._requests()

    def _name(self, what: str, number: int) -> str:
        return f"{STEMS[number % len(STEMS)]} {what} {number}"

    def _list_manager(self, name: str) -> Actor:
        user = User.objects.create(email=f"{name}.{uuid7().hex}@bench.example", name=name)
        RoleAssignment.objects.create(user=user, role=Role.LIST_MANAGER, starts_at=self.at - timedelta(days=365))
        return actor_for(user, at=self.at)

    def _entry(self, code: str, *, parent: str = "", label: str = "") -> dict[str, Any]:
        return {
            "code": code,
            "parent": parent,
            "label_zh": f"条目 {code}",
            "label_en": label or code,
            "level": self.random.choice((1, 1, 1, 2, 2, 3)),
            "reason_zh": "测",
            "reason_en": "Bench",
        }

    def _named(self, several: Sequence[str]) -> list[dict[str, Any]]:
        return [self._entry(f"N-{number}", label=name) for number, name in enumerate(several)]

    def _published(self, kind: ListKind, entries: Any, at: datetime) -> ListVersion:
        assert self.author.user_id is not None
        basis = enacted(
            {
                "title_zh": "测",
                "title_en": "Bench",
                "article_zh": "第一条",
                "article_en": "Article 1",
                "url": "https://law.example/",
                "published_on": publishing.today(at),
                "effective_from": publishing.today(at),
            }
        )
        values = {"kind": kind, "name_zh": "测", "name_en": "Bench", "legal_basis": basis}
        of = publishing.found(actor=self.author, at=at, values=values | {"owner_id": self.author.user_id})
        version = publishing.draft(of.pk, actor=self.author, at=at)
        for entry in entries:
            drafting.add(version.pk, actor=self.author, at=at, values=entry)
        content = ListVersion.objects.values_list("content", flat=True).get(pk=version.pk)
        publishing.submit_for_review(version.pk, actor=self.author, at=at)
        Rehearsal.objects.create(
            version=version, content=content, days=1, by_id=self.author.user_id, at=at, finished_at=at
        )
        return publishing.publish(version.pk, actor=self.publisher, at=at, on=publishing.today(at))

    def _draft(self, kind: ListKind) -> ListVersion:
        """The next version: a quarter of the entries has another level."""
        draft = publishing.draft(self.first[kind].list_id, actor=self.author, at=self.at)
        for entry in draft.entries.order_by("code"):
            if self.random.random() < 0.25:
                drafting.change(
                    draft.pk,
                    entry.lineage,
                    actor=self.author,
                    at=self.at,
                    edit=entry.edit,
                    values={"level": entry.level % 3 + 1},
                )
        return ListVersion.objects.select_related("list").get(pk=draft.pk)

    def _requests(self) -> None:
        [case] = Setting().cases(1)
        case.run()
        template = TravelRequest.unscoped.get(pk=case.request_id)
        given = {
            "id": "made.request",
            "reference": f"'{self.office.pk}-' || made.n",
            "office_id": "%(office)s",
            "state": "'closed'",
            "revision_id": "made.revision",
            "submitted_at": "%(at)s::timestamptz - made.n %% %(days)s * interval '1 day' - interval '1 hour'",
        }
        columns = [str(field.column) for field in TravelRequest._meta.concrete_fields]
        kept = [str(field.column) for field in Revision._meta.concrete_fields]
        copied = {"id": "made.revision", "request_id": "made.request", "content": "made.content"}
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH made AS MATERIALIZED (SELECT n, gen_random_uuid() AS request, gen_random_uuid() AS revision,"
                f" (SELECT content FROM approvals_revision WHERE id = %(template_revision)s) || {_CONTENT} AS content"
                f" FROM generate_series(1, %(rows)s) n), requests AS ("
                f" INSERT INTO approvals_travelrequest ({', '.join(columns)})"
                f" SELECT {', '.join(given.get(column, f't.{column}') for column in columns)}"
                f" FROM made, approvals_travelrequest t WHERE t.id = %(template)s)"
                f" INSERT INTO approvals_revision ({', '.join(kept)})"
                f" SELECT {', '.join(copied.get(column, f'r.{column}') for column in kept)}"
                f" FROM made, approvals_revision r WHERE r.id = %(template_revision)s",
                {
                    "rows": self.rows,
                    "template": template.pk,
                    "template_revision": template.revision_id,
                    "office": self.office.pk,
                    "at": self.at,
                    "days": DAYS,
                    "subjects": SUBJECTS,
                    "countries": list(COUNTRIES),
                    "hosts": self.hosts,
                    "events": self.events,
                },
            )
        with connections["owner"].cursor() as cursor:
            for table in ("approvals_travelrequest", "approvals_revision", "sensitivity_listentry"):
                cursor.execute(f"VACUUM ANALYZE {table}")
        connections["owner"].close()

    # ── the two ways ────────────────────────────────────────────────────────────────────────────────────────────────

    def rehearse(self, draft: ListVersion) -> Rehearsal:
        """From the start to the last batch."""
        begun = rehearsal.start(draft.pk, actor=self.publisher, at=self.at, days=DAYS)
        assert begun.job_id is not None
        while work.run_batch(begun.job_id, at=self.at):
            pass
        done = Rehearsal.objects.get(pk=begun.pk)
        if done.requests != self.rows:
            raise RuntimeError(f"{done.requests} of {self.rows} requests were rehearsed")
        return done

    def statements_of_a_batch(self) -> int:
        """How many statements the first batch takes, that of the beginning too."""
        begun = rehearsal.start(self.technologies.pk, actor=self.publisher, at=self.at, days=DAYS)
        assert begun.job_id is not None
        seen = 0

        def tally(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal seen
            seen += "SAVEPOINT" not in sql
            return execute(sql, params, many, context)

        with connection.execute_wrapper(tally):
            work.run_batch(begun.job_id, at=self.at)
        while work.run_batch(begun.job_id, at=self.at):
            pass
        return seen

    def values(self, draft: ListVersion) -> dict[str, Any]:
        """What the floor is given: versions by kind, and how each name is compared."""
        in_force = {version.kind: version.id for version in matching.in_force(self.on)}
        written = [*self.hosts, *self.events]
        return {
            "since": self.at - timedelta(days=DAYS),
            "at": self.at,
            "on": self.on,
            "technologies": [in_force[ListKind.TECHNOLOGY], draft.pk],
            "destinations": [in_force[ListKind.DESTINATION]],
            "organisations": [in_force[ListKind.ORGANISATION]],
            "events": [in_force[ListKind.EVENT]],
            "draft": draft.pk,
            "replaced": in_force[ListKind(draft.list.kind)],
            "written": written,
            "keys": [names.key(name) for name in written],
        }


# Two subjects, one or two places, a host each, an event: as spread as in life, the same for each run.
_LEG = (
    "jsonb_build_object('country', (%(countries)s::text[])[1 + {0} %% cardinality(%(countries)s::text[])],"
    " 'subdivision', '', 'city', 'C', 'arrives_on', '2030-05-01',"
    " 'leaves_on', CASE WHEN n %% 11 = 0 THEN '2030-05-20' ELSE '2030-05-06' END,"
    " 'host', (%(hosts)s::text[])[1 + {0} %% cardinality(%(hosts)s::text[])])"
)
_CONTENT = (
    "jsonb_build_object("
    "'topics', jsonb_build_array('TEC-' || n * 7 %% %(subjects)s, 'TEC-' || n * 13 %% %(subjects)s),"
    f" 'legs', CASE WHEN n %% 4 = 0 THEN jsonb_build_array({_LEG.format('n * 17')}, {_LEG.format('n * 31')})"
    f" ELSE jsonb_build_array({_LEG.format('n * 17')}) END,"
    " 'event_name', (%(events)s::text[])[1 + n * 19 %% cardinality(%(events)s::text[])],"
    " 'projects', '[]'::jsonb)"
)

_FLOOR = """
    WITH trip AS MATERIALIZED (
        SELECT r.id, v.content FROM approvals_travelrequest r JOIN approvals_revision v ON v.id = r.revision_id
        WHERE r.submitted_at > %(since)s AND r.submitted_at <= %(at)s
    ), leg AS MATERIALIZED (
        SELECT t.id, l.country, l.subdivision, l.host, l.arrives_on, l.leaves_on FROM trip t CROSS JOIN
            jsonb_to_recordset(t.content->'legs')
            AS l(country text, subdivision text, host text, arrives_on date, leaves_on date)
    ), written AS MATERIALIZED (
        SELECT * FROM unnest(%(written)s::text[], %(keys)s::text[]) AS w(name, key)
    ), entry AS MATERIALIZED (
        SELECT id, version_id, code, path, level FROM sensitivity_listentry
        WHERE version_id = ANY(%(technologies)s::bigint[] || %(destinations)s::bigint[] || %(organisations)s::bigint[]
                               || %(events)s::bigint[])
          AND (valid_from IS NULL OR valid_from <= %(on)s) AND (valid_until IS NULL OR valid_until >= %(on)s)
    ), hit AS (
        SELECT t.id, above.version_id, above.level
        FROM trip t CROSS JOIN jsonb_array_elements_text(t.content->'topics') AS topic(code)
        JOIN entry picked ON picked.version_id = ANY(%(technologies)s) AND picked.code = topic.code
        CROSS JOIN unnest(picked.path) AS p(code)
        JOIN entry above ON above.version_id = picked.version_id AND above.code = p.code
        UNION ALL
        SELECT l.id, e.version_id, e.level FROM leg l
        JOIN entry e ON e.version_id = ANY(%(destinations)s) AND e.code IN (l.country, l.subdivision)
        UNION ALL
        SELECT l.id, e.version_id, e.level FROM leg l JOIN written w ON w.name = l.host
        JOIN sensitivity_entryname n ON n.key = w.key AND n.version_id = ANY(%(organisations)s)
        JOIN entry e ON e.id = n.entry_id
        UNION ALL
        SELECT t.id, e.version_id, e.level FROM trip t JOIN written w ON w.name = t.content->>'event_name'
        JOIN sensitivity_entryname n ON n.key = w.key AND n.version_id = ANY(%(events)s)
        JOIN entry e ON e.id = n.entry_id
    ), highest AS (
        SELECT id, max(level) FILTER (WHERE version_id <> %(draft)s) AS before,
            max(level) FILTER (WHERE version_id <> %(replaced)s) AS after
        FROM hit GROUP BY id
    ), long AS (
        SELECT id, max(leaves_on) - min(arrives_on) + 1 > 14 AS is_long FROM leg GROUP BY id
    ), tier AS (
        SELECT l.id,
            CASE WHEN h.before = 3 THEN 'restricted' WHEN h.before = 2 THEN 'heightened'
                WHEN h.before = 1 OR l.is_long THEN 'standard' ELSE 'fast' END AS before,
            CASE WHEN h.after = 3 THEN 'restricted' WHEN h.after = 2 THEN 'heightened'
                WHEN h.after = 1 OR l.is_long THEN 'standard' ELSE 'fast' END AS after
        FROM long l LEFT JOIN highest h ON h.id = l.id
    )
    SELECT before, after, count(*), array_agg(id) FILTER (WHERE before <> after) FROM tier GROUP BY before, after
"""
