"""Assessing one trip against all lists in force, exact and resembling names, against the same look-ups as bare SQL.

The trip has three places with hosts (one listed, one that resembles a listed one, one unknown), three subjects, an
event and two projects. Ours: facts → candidates → hits → tier, as a submission does it. Floor: the statements of ours,
executed by psycopg2, rows fetched and thrown away. `ours` is in milliseconds; to reach: at most 5 with 100,000 entries,
at most twice that with 1,000,000.
"""

from datetime import timedelta
from random import Random

from django.db import connection, connections
from django.utils import timezone

from approvals import assessment
from bench import Result, Say, alternating
from bench._lists import Keepers
from bench._requests import captured
from sensitivity import matching, publishing
from sensitivity.matching import Facts, NamedProject, Place
from sensitivity.models import ListEntry, ListKind, ListVersion

ROWS = 100_000
TRIPS = 40
# Of so many entries: organisations, technologies, events; destinations are as many as there are countries and states.
_SHARES = {ListKind.ORGANISATION: 0.6, ListKind.TECHNOLOGY: 0.3, ListKind.EVENT: 0.1}
_PLACES = 3_000


def run(*, rows: int, say: Say) -> Result:
    random = Random(7)
    keepers = Keepers(timezone.now())
    versions = [
        keepers.publish(keepers.draft(kind, max(10, int(rows * share)), random=random, say=say))
        for kind, share in _SHARES.items()
    ]
    versions.append(keepers.publish(keepers.draft(ListKind.DESTINATION, _PLACES, random=random, say=say)))
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE sensitivity_listentry, sensitivity_entryname")
    today = publishing.today(timezone.now())
    trips = [_trip(versions, random) for _ in range(TRIPS)]
    first, last = today + timedelta(days=40), today + timedelta(days=45)

    def ours() -> None:
        for facts in trips:
            assessment.assess_facts(facts, on=today, departs_on=first, returns_on=last)

    statements = [
        statement
        for facts in trips
        for statement in captured(lambda facts=facts: matching.find(facts, versions=matching.in_force(today), on=today))
    ]

    def floor() -> None:
        raw = connection.connection
        with raw.cursor() as cursor:
            for sql, params in statements:
                cursor.execute(sql, params)
                cursor.fetchall()

    ours()
    floor()
    bare, whole = (seconds / TRIPS * 1000 for seconds in alternating(floor, ours, rounds=9))
    findings = [assessment.assess_facts(facts, on=today, departs_on=first, returns_on=last) for facts in trips]
    slowest = max(finding.took_us or 0 for finding in findings) / 1000
    entries = ListEntry.objects.count()
    say(f"{entries:,} entries in force, {TRIPS} trips, medians of 9 rounds\n")
    say(f"  bare look-ups      {bare:8.2f} ms a trip\n")
    say(f"  assess             {whole:8.2f} ms a trip, slowest {slowest:.2f} ms\n")
    say(f"  hits {sum(len(one.hits) for one in findings) / TRIPS:.1f} a trip, ")
    say(f"possible matches {sum(len(one.possible) for one in findings) / TRIPS:.1f} a trip\n")
    return Result(
        ratio=whole / bare, floor=bare, ours=whole, unit="ms", n=entries, queries=len(statements) // len(trips)
    )


def _trip(versions: list[ListVersion], random: Random) -> Facts:
    organisations, technologies, events, _destinations = versions

    def one(version: ListVersion) -> ListEntry:
        count = version.entries.count()
        return version.entries.order_by("pk")[random.randrange(count)]

    listed, resembled = one(organisations), one(organisations)
    return Facts(
        subjects=frozenset(one(technologies).code for _ in range(3)),
        places=frozenset({Place("US", "US-CA"), Place("JP"), Place("DE")}),
        organisations=frozenset(
            {listed.label_en, _mistyped(resembled.label_en, random), "Nobody Has Ever Heard of This Society"}
        ),
        events=frozenset({one(events).label_en}),
        projects=frozenset({NamedProject(1, "P-1"), NamedProject(1, "P-2")}),
    )


def _mistyped(name: str, random: Random) -> str:
    """The name with two letters the wrong way round."""
    place = random.randrange(1, max(2, len(name) - 2))
    return name[:place] + name[place + 1 : place + 2] + name[place : place + 1] + name[place + 2 :]
