"""A case page with forty entries in its history through the whole stack, against the raw SQL of its rows.

Ours: middleware, session, account, roles, the request with its history, the rules for the buttons, the arithmetic of
time, HTML, and the note that somebody looked. Floor: psycopg2 alone, the statements that read the request and its
history, with their values, rows fetched. To reach: at most 10 times the floor.
"""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import User
from accounts.roles import Role
from approvals import workflow
from approvals.models import TravelRequest
from audit.models import Entry
from authorities.models import Posting
from bench import Result, Say, alternating
from bench._requests import Reader, captured
from bench.lifecycle import Case, Setting, bare_connection

ROWS = 40
ROUNDS = 9
CALLS = 10
TRAVELLERS = 10
# Who reads, and the bell: not rows of the case.
NOT_OF_THE_CASE = ("accounts_roleassignment", "notifications_notification", "django_session", "INSERT INTO")


def run(*, rows: int, say: Say) -> Result:
    """`rows` is the number of entries in the history."""
    setting = Setting()
    case, *others = setting.cases(1 + TRAVELLERS)
    _lived(setting, case, others, entries=rows)
    written = Entry.objects.filter(chain=case.request_id).count()
    reader = Reader(setting.reviewer)
    address = f"/cases/{_reference(case)}/"
    reader.get(address)  # calendars and policies are read once for a process

    body = b""

    def read() -> None:
        nonlocal body
        body = reader.get(address)

    seen = captured(read)
    account = next(index for index, (sql, _params) in enumerate(seen) if "accounts_user" in sql)
    of_the_case = [
        (sql, params)
        for index, (sql, params) in enumerate(seen)
        if index != account and not any(word in sql for word in NOT_OF_THE_CASE)
    ]
    bare = bare_connection()

    def floor() -> None:
        with bare.cursor() as cursor:
            for _ in range(CALLS):
                for sql, params in of_the_case:
                    cursor.execute(sql, params)
                    cursor.fetchall()

    def ours() -> None:
        for _ in range(CALLS):
            reader.get(address)

    alternating(floor, ours, rounds=1)
    floor_s, ours_s = (seconds / CALLS * 1000 for seconds in alternating(floor, ours, rounds=ROUNDS))
    bare.close()
    say(f"{written} entries, {TRAVELLERS} others to the event, {len(body) / 1024:.0f} KB\n")
    say(f"{'raw SQL of its rows':<28}{floor_s:8.2f} ms   {len(of_the_case):3d} statements\n")
    say(f"{'the page':<28}{ours_s:8.2f} ms   {len(seen):3d} statements\n")
    say(f"{'ratio':<28}{ours_s / floor_s:8.2f}\n")
    return Result(ratio=ours_s / floor_s, floor=floor_s, ours=ours_s, unit="ms", n=written, queries=len(seen))


def _reference(case: Case) -> str:
    return TravelRequest.unscoped.get(pk=case.request_id).reference


def _lived(setting: Setting, case: Case, others: list[Case], *, entries: int) -> None:
    """Bring `case` so far that its history has `entries` entries: asked, answered, handed over and over, proposed."""
    senior = User.objects.create(email=f"senior@{setting.name}.example", name="Senior reviewer")
    Posting.objects.create(
        user=senior, office=setting.office, role=Role.SENIOR, number="0500", starts_at=datetime(2021, 1, 1, tzinfo=UTC)
    )
    at = timezone.now() - timedelta(days=1)
    for one in [case, *others]:
        workflow.submit(one.request_id, actor=one.applicant, at=at)
        workflow.endorse(one.request_id, actor=one.officer, at=at, comment="Important for our roadmap.")
    shan = actor_for(senior, at=at)
    workflow.take(case.request_id, actor=case.reviewer, at=at, no_conflict=True)
    workflow.ask_information(
        case.request_id, actor=case.reviewer, at=at, items=["Who pays?", "Which laptop?"], reason="To know the host."
    )
    workflow.answer(case.request_id, actor=case.applicant, at=at, answers=["The university.", "A travel laptop."])
    while Entry.objects.filter(chain=case.request_id).count() < entries - 1:
        at += timedelta(minutes=1)
        workflow.hand_over(
            case.request_id, actor=shan, at=at, reviewer_id=setting.reviewer.pk, reason="The load is evened out."
        )
    workflow.propose(
        case.request_id, actor=case.reviewer, at=at, outcome="approved", grounds=workflow.Grounds(text="Nothing found.")
    )
