"""The office's inbox page through the whole stack, against the raw SQL of the page's own rows.

Ours: middleware, session, account, roles, rows, counts, HTML, as the web server calls it. Floor: psycopg2 alone, the
same statement that reads the fifty rows. Also: page 400 against page 1, every tab, the search, and how costs grow.
To reach: at most 8 times the floor; page 400 within 20 % of page 1; as many queries for one row as for fifty.
"""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import psycopg2.extras
from django.db import connection
from django.utils import timezone, translation

from accounts.actors import actor_for
from approvals import inbox
from approvals.inbox import Desk, Filters, Key, Kind, Listing
from bench import Result, Say, alternating
from bench._requests import Crowd, Reader, statements
from bench.lifecycle import bare_connection
from companies.models import Membership

ROWS = 100_000
ROUNDS = 9
CALLS = 20
DEEP_PAGE = 400


def run(*, rows: int, say: Say) -> Result:
    """`rows` requests at one office; also a tenth of them, to see how the page grows."""
    with translation.override("en"):
        small = _measure(Crowd(max(rows // 10, 200), say), say, detailed=False)
        large = _measure(Crowd(rows, say), say, detailed=True)
    exponent = math.log(large.ours / small.ours, 10) if rows >= 2000 else 0.0
    say(f"{'growth from a tenth of it':<34}exponent {exponent:+.2f}\n")
    return large


def _measure(crowd: Crowd, say: Say, *, detailed: bool) -> Result:
    reader, actor = Reader(crowd.reviewer), actor_for(crowd.reviewer, at=timezone.now())
    desk = Desk(Kind.OFFICE, crowd.office.pk)
    listing = Listing(desk, _tab(desk, "unassigned"), actor, timezone.now())
    address = f"/inbox/?desk={desk.key}&tab=unassigned"
    bare = bare_connection()
    psycopg2.extras.register_uuid(conn_or_curs=bare)  # type: ignore[no-untyped-call]

    def floor(key: Key | None = None) -> Callable[[], None]:
        sql = inbox.page_sql(listing, key=key)
        parameters = listing.parameters() | ({"key": key.value, "id": key.id} if key else {})

        def read() -> None:
            with bare.cursor() as cursor:
                for _ in range(CALLS):
                    cursor.execute(sql, parameters)
                    assert len(cursor.fetchall()) == inbox.PAGE + 1

        return read

    def ours(at: str) -> Callable[[], None]:
        def read() -> None:
            for _ in range(CALLS):
                reader.get(at)

        return read

    reader.get(address)  # the calendars are read once for a process
    queries = statements(lambda: reader.get(address))
    alternating(floor(), ours(address), rounds=1)
    floor_s, ours_s = (seconds / CALLS for seconds in alternating(floor(), ours(address), rounds=ROUNDS))
    result = Result(
        ratio=ours_s / floor_s, floor=floor_s * 1000, ours=ours_s * 1000, unit="ms", n=crowd.rows, queries=len(queries)
    )
    _line(say, f"page 1 of {crowd.rows:,}", result)
    if detailed:
        body = reader.get(address)
        say(f"{'':<34}{len(queries)} statements, {len(body) / 1024:.0f} KB\n")
        _deep(say, listing, floor, ours, address)
        _one_row(say, reader, address, len(queries))
        _tabs(say, crowd, desk)
        _searches(say, listing)
    bare.close()
    return result


def _tab(desk: Desk, name: str) -> Any:
    return next(tab for tab in inbox.TABS[desk.kind] if tab.name == name)


def _line(say: Say, name: str, result: Result) -> None:
    say(f"{name:<34}{result.floor:8.2f} ms raw {result.ours:8.2f} ms page   ratio {result.ratio:5.2f}\n")


def _deep(say: Say, listing: Listing, floor: Any, ours: Any, address: str) -> None:
    """Page 400, or the last whole one, against page 1."""
    page, before = DEEP_PAGE, None
    with connection.cursor() as cursor:
        while page > 1 and before is None:
            skipped = (page - 1) * inbox.PAGE - 1
            cursor.execute(
                "SELECT urgent, due_at, id FROM approvals_travelrequest WHERE office_id = %s AND"
                " state = 'authority_review' AND assigned_reviewer_id IS NULL"
                " ORDER BY urgent DESC, due_at, id OFFSET %s LIMIT 1",
                [listing.desk.scope, skipped],
            )
            before = cursor.fetchone()
            page = page if before else page // 2
    assert before is not None
    key = Key(before[0], before[1].isoformat(), before[2])
    deep = f"{address}&after={quote(str(key))}"
    first_s, deep_s = (seconds / CALLS for seconds in alternating(ours(address), ours(deep), rounds=ROUNDS))
    raw_first, raw_deep = (seconds / CALLS for seconds in alternating(floor(), floor(key), rounds=ROUNDS))
    say(
        f"{f'page {page} against page 1':<34}{raw_deep / raw_first:8.2f} × raw  {deep_s / first_s:8.2f} × page"
        f"   ({deep_s * 1000:.2f} ms)\n"
    )


def _one_row(say: Say, reader: Reader, address: str, fifty: int) -> None:
    """As many queries for one row (found by its title) as for fifty."""
    one = len(statements(lambda: reader.get(f"{address}&q=San+Francisco+1")))
    say(f"{'queries, filtered and not':<34}{one:8d}          {fifty:8d}\n")


def _tabs(say: Say, crowd: Crowd, desk: Desk) -> None:
    """What each tab's page and all counts cost in the database, and by which index."""
    at = timezone.now()
    for user, kind, scope in (
        (crowd.reviewer, Kind.OFFICE, desk.scope),
        (crowd.senior, Kind.OFFICE, desk.scope),
        (crowd.officer, Kind.COMPANY, _company_of(crowd)),
    ):
        actor = actor_for(user, at=at)
        here = Desk(kind, scope)
        tabs = inbox.tabs_of(here, actor)
        for tab in tabs:
            listing = Listing(here, tab, actor, at)
            if user is crowd.senior and tab.name not in ("confirm", "revocations"):
                continue
            milliseconds, indexes = _explained(inbox.page_sql(listing), listing.parameters())
            say(f"  {f'{kind} · {tab.name}':<32}{milliseconds:8.2f} ms  {', '.join(indexes)}\n")
        parameters = Listing(here, tabs[0], actor, at).parameters()
        milliseconds, indexes = _explained(inbox.counts_sql(here, tabs), parameters)
        say(f"  {f'{kind} · counts':<32}{milliseconds:8.2f} ms  {', '.join(indexes)}\n")


def _company_of(crowd: Crowd) -> int:
    return Membership.objects.get(user=crowd.officer).company_id


def _searches(say: Say, listing: Listing) -> None:
    everything = replace(listing, tab=_tab(listing.desk, "all"))
    for name, filters in {
        "a name that few have": Filters(words="Employee 77"),
        "a word that nobody wrote": Filters(words="nowhere at all"),
        "a rare country": Filters(country="IS"),
        "a common country": Filters(country="US"),
    }.items():
        for one in (listing, everything):
            asked = replace(one, filters=filters)
            milliseconds, _indexes = _explained(inbox.page_sql(asked), asked.parameters())
            say(f"  {f'{name}, {one.tab.name}':<42}{milliseconds:8.2f} ms\n")


def _explained(sql: str, parameters: dict[str, Any]) -> tuple[float, list[str]]:
    """Milliseconds in the database (the second time), and the indexes of the requests' table that were used."""
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}", parameters)
            plan = "\n".join(row[0] for row in cursor.fetchall())
    indexes = re.findall(r"(?:Index (?:Only )?Scan(?: Backward)? using|Bitmap Index Scan on) (approvals_\w+)", plan)
    if "Seq Scan on approvals_travelrequest" in plan:
        indexes.append("SEQUENTIAL")
    planning, execution = (float(found) for found in re.findall(r"(?:Planning|Execution) Time: ([\d.]+)", plan))
    return planning + execution, list(dict.fromkeys(index for index in indexes if "leg" not in index))
