"""The year: one queue of what comes next, the verbs called by people who behave like people, the real sweep in between.

Simulated time only goes forward. Nothing here knows what a verb or a clock does: people look at what came back and at
the steps that the sweep took, as they would on their pages, and try things that the gate may refuse. Beat sweeps every
minute; a sweep that finds nothing writes nothing, so only the minutes in which something is due are swept. Beat also
delivers every minute; here the worker delivers once in every hour in which something happened.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from django.db.models import Min

from accounts.actors import actor_for
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Actor, Role
from approvals import rules, sweeping, workflow
from approvals.clocks import Step
from approvals.demo import places, stories, trips
from approvals.demo.stories import TEXTS
from approvals.models import Assessment, Clock, ClockAction, TravelRequest
from approvals.simulation import town as towns
from approvals.simulation.plan import (
    DAY,
    EFFORT,
    ESCALATION_LOOK,
    LEFT_AS_DRAFT,
    OPENS,
    SECOND_LOOK,
    SENIOR_LOOK,
    SILENT_COMPANY,
    URGENT,
    ZONE,
    Plan,
)
from approvals.simulation.town import Worker
from approvals.states import State, Tier
from authorities import calendars
from authorities.terms import ClockKind
from employees.models import Employee
from notifications import delivery
from sensitivity import matching

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_PURPOSES = ("conference",) * 6 + ("business",) * 6 + ("personal",) * 3 + ("study",) * 2 + ("resembling",)
_GROUNDS = workflow.Grounds(
    text="The training method to be shown is not published and is on the list.",
    reason_codes=["TEC-01"],
    relied_on=[workflow.Fact(part="place-0", fact="Slides 12 to 15 of the attachment.")],
    measures=[
        workflow.Considered(measure=one, why="Leaving the part out was considered; the talk would not hold.")
        for one in ("condition", "shorter", "without_place")
    ],
)
Progress = Callable[[float], object]
Event = Callable[[datetime], object]


class SimulationRefused(Exception):
    """There are requests here already. The message is a sentence for the person at the terminal."""


@dataclass(eq=False)
class Case:
    """One request, as the people around it know it."""

    number: int
    employee: Employee
    random: Random
    request_id: UUID | None = None
    state: State = State.DRAFT
    tier: Tier = Tier.FAST
    urgent: bool = False
    due: datetime = datetime.max.replace(tzinfo=UTC)
    open_matches: int = 0
    desk: "Desk | None" = None
    company: str = ""
    asked: bool = False
    waited: bool = False
    proposed: str = ""
    given_back: bool = False
    recused: set[int] = field(default_factory=set)

    @property
    def rank(self) -> tuple[bool, datetime, int]:
        """Its place in a queue: urgent first, then what is due first, as in the inbox of the office."""
        return (not self.urgent, self.due, self.number)

    def user(self) -> User:
        """The account of the applicant."""
        assert self.employee.user is not None
        return self.employee.user


Act = Callable[[Case, "Desk", datetime], None]
Job = tuple[float, Act]
"""Working minutes, and what is done after them. No minutes: as many as a case takes that somebody sees first."""


@dataclass(eq=False)
class Desk:
    """Somebody of the office who does one thing after the other: what is theirs first, then what waits for anybody."""

    worker: Worker
    shared: "Queue"
    own: "Queue"
    at_work: bool = False
    woken: bool = False


class Queue:
    """Cases that wait, the most pressing first, each with what is to be done about it."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[bool, datetime, int], int, Case, Job]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, case: Case, job: Job) -> None:
        heapq.heappush(self._heap, (case.rank, next(self._order), case, job))

    def pop(self) -> tuple[Case, Job]:
        _rank, _order, case, job = heapq.heappop(self._heap)
        return case, job


@dataclass(slots=True)
class Lived:
    """What a year leaves besides the database: what its people counted."""

    plan: Plan
    started: int
    reviewers: list[Worker]
    seniors: list[Worker]
    waiting: list[tuple[date, int, int]]
    """Each working day at its end: how many cases waited for a reviewer, and how many a reviewer had."""
    refused: Counter[str]
    """How often a person tried a verb that the gate refused."""
    sweeps: int
    steps: int
    ended_at: datetime


def live(plan: Plan, *, progress: Progress = lambda done: None) -> Lived:
    """Let the year of `plan` happen in the database in use, which must hold no requests and no people yet.

    Every verb and every sweep commits by itself, as in life. SimulationRefused where there is something already.
    """
    if TravelRequest.unscoped.exists() or User.objects.exists():
        raise SimulationRefused("There are people or requests here already; a simulation needs a database of its own.")
    return _Year(plan, towns.found(plan), progress).run()


def _full_minute(at: datetime) -> datetime:
    """The first full minute from `at` on."""
    begun = at.replace(second=0, microsecond=0)
    return begun if begun == at else begun + _MINUTE


class _Year:
    def __init__(self, plan: Plan, town: places.Places, progress: Progress) -> None:
        self.plan, self.town, self.progress = plan, town, progress
        self.agenda: list[tuple[datetime, int, Event]] = []
        self.order = count()
        self.actors: dict[int, Actor] = {}
        self.cases: dict[UUID, Case] = {}
        self.refused: Counter[str] = Counter()
        self.waiting: list[tuple[date, int, int]] = []
        self.now = plan.begins
        self.next_due: datetime | None = None
        self.swept = plan.begins - _MINUTE
        self.untold_since: datetime | None = None
        self.sweeps = self.steps = self.started = 0
        office = sorted(town.offices)[plan.office]
        staff = town.offices[office]
        self.calendar = calendars.load(office)
        self.days = towns.working_days(self.calendar, plan)
        self.queue, self.proposals = Queue(), Queue()
        self.reviewers = self._desks(staff.by_role[Role.REVIEWER], self.queue)
        self.seniors = self._desks(staff.by_role[Role.SENIOR], self.proposals)
        assert town.specialists is not None
        self.specialists = town.specialists
        companies = sorted({employee.company_id for employee in town.employees})
        self.officers = {pk: [self._worker(user) for user in town.officers[pk]] for pk in companies}
        self.projects = {pk: town.domain(pk) for pk in companies}

    def _worker(self, user: User) -> Worker:
        return Worker(user, towns.present(self.days, self.plan.absence, self.plan.random(f"absence {user.email}")))

    def _desks(self, users: Iterable[User], shared: Queue) -> list[Desk]:
        return [Desk(self._worker(user), shared, Queue()) for user in users]

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> Lived:
        for number, at in enumerate(self.plan.arrivals()):
            self.at(at, self._arrival(number))
        for day in self.days:
            self.at(datetime.combine(day, time(17), ZONE), self._count_waiting)
        while self._next():
            pass
        self._deliver(self.plan.ends)
        self.progress(1)
        return Lived(
            self.plan,
            self.started,
            [desk.worker for desk in self.reviewers],
            [desk.worker for desk in self.seniors],
            self.waiting,
            self.refused,
            self.sweeps,
            self.steps,
            self.plan.ends,
        )

    def at(self, at: datetime, act: Event) -> None:
        """Let `act` happen at `at`, after what was planned for the same moment before."""
        if at < self.now:
            raise ValueError(f"{at} is over, it is {self.now}")
        heapq.heappush(self.agenda, (at, next(self.order), act))

    def _next(self) -> bool:
        """Let happen what comes first: a sweep, telling people, or what somebody does. False at the end.

        One thing at a time: what a sweep finds makes people act before what they had planned for later.
        """
        swept_at, told_at, acts_at = self._sweeps_at(), self._tells_at(), self.agenda[0][0] if self.agenda else None
        at = min((moment for moment in (swept_at, told_at, acts_at) if moment is not None), default=self.plan.ends)
        if at >= self.plan.ends:
            return False
        if at == swept_at:
            self._sweep(at)
        elif at == told_at:
            self._deliver(at)
        else:
            _at, _order, act = heapq.heappop(self.agenda)
            self.now = at
            act(at)
        return True

    def _sweeps_at(self) -> datetime | None:
        """The minute in which the sweep finds something: the one that follows the moment; of what a person moved into
        the past, the one that follows now."""
        return self.next_due and _full_minute(max(self.next_due, self.now, self.swept + _MINUTE))

    def _tells_at(self) -> datetime | None:
        """The full hour after the first thing that people are not told of yet."""
        return self.untold_since and self.untold_since.replace(minute=0, second=0, microsecond=0) + _HOUR

    def _sweep(self, minute: datetime) -> None:
        self.now = self.swept = minute
        result = sweeping.sweep(at=minute)
        self.sweeps += 1
        self.steps += result.taken
        self.untold_since = self.untold_since or self.now
        acted = ClockAction.objects.filter(at=minute).values_list("step", "clock__kind", "clock__request_id")
        found = sorted((self.cases[request_id].number, step, kind, request_id) for step, kind, request_id in acted)
        # What failed stays due and is tried again after a wait; `invariants.no_clock_failed` sees it.
        open_clocks = Clock.objects.filter(ended_at=None, retry_at=None)
        self.next_due = open_clocks.aggregate(first=Min("next_action_at"))["first"]
        for _number, step, kind, request_id in found:
            self._seen(self.cases[request_id], Step(step), ClockKind(kind), minute)

    def _deliver(self, at: datetime) -> None:
        if self.untold_since is not None:
            while delivery.deliver(at=at).more:
                pass
            self.untold_since = None

    # ── people call verbs ───────────────────────────────────────────────────────────────────────────────────────────

    def actor(self, user: User, at: datetime) -> Actor:
        """Roles hold throughout the year, so they are read once."""
        found = self.actors.get(user.pk)
        if found is None:
            found = self.actors[user.pk] = actor_for(user, at=at)
        return found

    def do(self, case: Case, verb: str, user: User, at: datetime, **values: Any) -> bool:
        """Let `user` try a verb. Whether it was done; what is refused is counted."""
        assert case.request_id is not None
        try:
            result = getattr(workflow, verb)(case.request_id, actor=self.actor(user, at), at=at, **values)
        except Refused:
            self.refused[verb] += 1
            return False
        self._noted(case, result if isinstance(result, TravelRequest) else result.request)
        return True

    def _noted(self, case: Case, request: TravelRequest) -> None:
        case.state, case.open_matches, case.urgent = State(request.state), request.open_matches, request.urgent
        if request.tier:
            case.tier = Tier(request.tier)
        if request.due_at is not None:
            case.due = request.due_at
        for clock in request.running_clocks.values():
            if clock.next_action_at is not None and (self.next_due is None or clock.next_action_at < self.next_due):
                self.next_due = clock.next_action_at
        self.untold_since = self.untold_since or self.now

    def later(self, case: Case, at: datetime, days: tuple[int, int], act: Callable[[Case, datetime], None]) -> None:
        """Let somebody who keeps no office hours act after so many days, in the daytime or the evening."""
        day = at.astimezone(ZONE).date() + case.random.randint(*days) * DAY
        moment = datetime.combine(day, time(case.random.randint(8, 21), case.random.randint(0, 59)), ZONE)
        self.at(max(moment, at + _MINUTE), lambda now: act(case, now))

    # ── the applicant ───────────────────────────────────────────────────────────────────────────────────────────────

    def _arrival(self, number: int) -> Event:
        def arrive(at: datetime) -> None:
            random = self.plan.random(f"case {number}")
            case = Case(number, random.choice(self.town.employees), random)
            request = workflow.start(actor=self.actor(case.user(), at), at=at, employee_id=case.employee.pk)
            case.request_id = request.pk
            self.cases[request.pk] = case
            self._noted(case, request)
            self.started += 1
            if self.started % 100 == 0:
                self.progress(self.started / self.plan.requests)
            if random.random() >= LEFT_AS_DRAFT:
                self.at(at + 5 * _MINUTE, lambda now: self._fill(case, now))
            elif random.random() < 0.3:
                self.later(case, at, (10, 60), self._fill)

        return arrive

    def _fill(self, case: Case, at: datetime) -> None:
        random = case.random
        urgent = random.random() < URGENT
        purpose = "urgent_humanitarian" if urgent else random.choice(_PURPOSES)
        today = at.astimezone(ZONE).date()
        first, last = (1, 4) if urgent else (14, 70)
        company = self.projects[case.employee.company_id]
        trip = self._trip(random, purpose, today + first * DAY, today + last * DAY, company)
        values = trip.values | {"declarations": [code for code, _text in rules.DECLARATIONS]}
        if not self.do(case, "save_section", case.user(), at, section="all", values=values, legs=trip.legs):
            return
        case.company = trip.values["purpose"]
        self.at(at + 2 * _MINUTE, lambda now: self._submit(case, now))

    def _trip(self, random: Random, purpose: str, first: date, last: date, company: str) -> trips.Trip:
        for wanted in (purpose, "business", "personal"):
            made = trips.make(
                random,
                purpose=wanted,
                fits=lambda trip: True,
                language="en",
                first=first,
                last=last,
                company=company,
                project="P-11",
            )
            if made is not None:
                return made
        raise RuntimeError(f"no trip of any kind from {first} to {last}")

    def _submit(self, case: Case, at: datetime) -> None:
        if not self.do(case, "submit", case.user(), at):
            # The days overlap another trip, or are over: half of them give it up, the others leave it lying.
            if case.random.random() < 0.5:
                self.later(case, at, (0, 3), self._withdraw)
            return
        if case.random.random() < 0.03:
            self.later(case, at, (0, 12), self._withdraw)
        if case.state is State.COMPANY_REVIEW:
            self._to_company(case, at)
        else:
            self._to_office(case, at)

    def _withdraw(self, case: Case, at: datetime) -> None:
        self.do(case, "withdraw", case.user(), at)

    def _change(self, case: Case, at: datetime) -> None:
        declared = {
            "materials": "Programme added.",
            "declarations": [code for code, _text in rules.DECLARATIONS],
        }
        if self.do(case, "save_section", case.user(), at, section="all", values=declared):
            self.at(at + _MINUTE, lambda now: self._submit(case, now))

    def _answer(self, case: Case, at: datetime) -> None:
        if self.do(case, "answer", case.user(), at, answers=[TEXTS["answer"][0][1]] * 2):
            assert case.desk is not None
            self._give(case.desk, case, at, (SECOND_LOOK, self._look))

    def _reopen(self, case: Case, at: datetime) -> None:
        if not self.do(case, "reopen", case.user(), at):
            return
        again = {State.RETURNED: self._change, State.INFORMATION_REQUESTED: self._answer, State.DRAFT: self._fill}
        act = again[case.state]
        self.at(at + 3 * _MINUTE, lambda now: act(case, now))

    def _reply(self, case: Case, at: datetime) -> None:
        if self.do(case, "reply", case.user(), at, text=TEXTS["reply"][0][1]):
            self._propose_to_senior(case, at)

    def _refer(self, case: Case, at: datetime) -> None:
        if self.do(case, "refer", case.user(), at):
            self._to_office(case, at)

    def _close(self, case: Case, at: datetime) -> None:
        self.do(case, "close", case.user(), at)

    def _appeal(self, case: Case, at: datetime) -> None:
        if self.do(case, "file_appeal", case.user(), at, text=TEXTS["appeal"][0][1]):
            self.later(case, at, (1, 6), self._hear)

    # ── the company ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _to_company(self, case: Case, at: datetime) -> None:
        officer = case.random.choice(self.officers[case.employee.company_id])
        if case.random.random() >= SILENT_COMPANY:
            answers_at = officer.after(at, case.random.expovariate(1 / 300))
            self.at(answers_at, lambda now: self._company_answers(case, officer.user, now))

    def _company_answers(self, case: Case, officer: User, at: datetime) -> None:
        roll, business = case.random.random(), case.company in rules.BUSINESS_PURPOSES
        if roll < 0.06:
            done = self.do(case, "return_for_changes", officer, at, comment=TEXTS["return"][0][1])
            if done and case.random.random() < 0.85:
                self.later(case, at, (1, 9), self._change)
            return
        if roll < 0.09 and business:
            if self.do(case, "decline", officer, at, comment=TEXTS["decline"][0][1]) and case.random.random() < 0.4:
                self.later(case, at, (1, 35), self._refer)
            return
        done = (
            self.do(case, "object", officer, at, comment=TEXTS["object"][0][1])
            if roll < 0.12 and not business
            else self.do(case, "endorse", officer, at)
        )
        if done:
            self._to_office(case, at)

    # ── the office ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _to_office(self, case: Case, at: datetime) -> None:
        self.queue.push(case, (0, self._look))
        self._wake_one(self.reviewers, at)

    def _give(self, desk: Desk, case: Case, at: datetime, job: Job) -> None:
        desk.own.push(case, job)
        self._wake(desk, at)

    def _wake_one(self, desks: list[Desk], at: datetime) -> None:
        idle = [desk for desk in desks if not desk.at_work and not desk.woken]
        if idle:
            self._wake(min(idle, key=lambda desk: desk.worker.ready(at)), at)

    def _wake(self, desk: Desk, at: datetime) -> None:
        if not desk.at_work and not desk.woken:
            desk.woken = True
            self.at(desk.worker.ready(at + _MINUTE), lambda now: self._next_job(desk, now))

    def _next_job(self, desk: Desk, at: datetime) -> None:
        """Take up what is most pressing. What waits for anybody has to be taken first, and may be refused."""
        desk.woken = False
        while desk.own or desk.shared:
            case, (minutes, act) = desk.own.pop() if desk.own else desk.shared.pop()
            if desk.shared is self.queue and not minutes:
                if desk.worker.user.pk in case.recused:
                    self._to_another(desk, case, at)
                    continue
                if case.desk is not None or not self.do(case, "take", desk.worker.user, at, no_conflict=True):
                    continue
                case.desk = desk
                if case.random.random() < 0.01:
                    self._recuse(desk, case, at)
                    continue
                minutes = EFFORT[case.tier] * case.random.uniform(0.5, 1.5)
            self._work(desk, case, at, minutes, act)
            return

    def _to_another(self, desk: Desk, case: Case, at: datetime) -> None:
        others = [other for other in self.reviewers if other.worker.user.pk not in case.recused]
        if others:
            chosen = min(others, key=lambda other: (len(other.own), other.worker.ready(at)))
            self._give(chosen, case, at, (0, self._look))

    def _recuse(self, desk: Desk, case: Case, at: datetime) -> None:
        if self.do(case, "recuse", desk.worker.user, at, reason=TEXTS["recuse"][0][1]):
            case.recused.add(desk.worker.user.pk)
            case.desk = None
            self._to_another(desk, case, at)

    def _work(self, desk: Desk, case: Case, at: datetime, minutes: float, act: Act) -> None:
        desk.at_work = True
        desk.worker.spend(at, minutes)

        def done(now: datetime) -> None:
            desk.at_work = False
            act(case, desk, now)
            self._wake(desk, now)

        self.at(desk.worker.after(at + 4 * _MINUTE, minutes), done)

    def _look(self, case: Case, desk: Desk, at: datetime) -> None:
        """The reviewer has read the case and does what it asks for."""
        if case.state is not State.AUTHORITY_REVIEW or case.desk is not desk:
            return  # withdrawn, deemed approved or handed over meanwhile
        reviewer, random = desk.worker.user, case.random
        if not case.asked and random.random() < 0.12:
            case.asked = True
            questions = [TEXTS["question"][0][1], TEXTS["question"][1][1]]
            asked = self.do(case, "ask_information", reviewer, at, items=questions, reason=TEXTS["reason"][0][1])
            if asked and random.random() < 0.9:
                self.later(case, at, (1, 12), self._answer)
            return
        self._judge(case, reviewer, at)
        if case.tier is Tier.RESTRICTED and not case.waited:
            self._wait_for_the_specialists(case, desk, at)
            return
        two = case.tier not in stories.ONE_DECIDES
        if random.random() < (0.15 if two else 0.015):
            if self.do(case, "propose", reviewer, at, outcome="denied", grounds=_GROUNDS):
                case.proposed = "denied"
                if random.random() < 0.6:
                    self.later(case, at, (1, 5), self._reply)
            return
        conditions = [TEXTS["condition"][0][1]] if random.random() < 0.2 else []
        text = TEXTS["approval"][0][1]
        if two:
            grounds = workflow.Grounds(text=text)
            values = {"outcome": "approved", "grounds": grounds, "conditions": conditions}
            if self.do(case, "propose", reviewer, at, **values):
                case.proposed = "approved"
                self._propose_to_senior(case, at)
        elif self.do(case, "approve", reviewer, at, text=text, conditions=conditions):
            self._approved(case, at)

    def _wait_for_the_specialists(self, case: Case, desk: Desk, at: datetime) -> None:
        """The specialist office is asked, and the reviewer looks again when its opinion is there or its time is over.
        Sometimes a senior gives more time."""
        case.waited = True
        asked = {"office_id": self.specialists.office.pk, "question": TEXTS["consult"][0][1]}
        if not self.do(case, "consult", desk.worker.user, at, **asked):
            return
        if case.random.random() < 0.3:
            senior = case.random.choice(self.seniors).worker
            self.at(
                senior.ready(at + 30 * _MINUTE),
                lambda now: self.do(case, "extend", senior.user, now, working_days=5, reason=TEXTS["extension"][0][1]),
            )
        today, days = at.astimezone(ZONE).date(), case.random.randint(2, 6)
        if days <= 5:
            said = {"outcome": "favourable", "reasons": TEXTS["opinion"][0][1]}
            expert = self.specialists.by_role[Role.REVIEWER][0]
            moment = datetime.combine(self.calendar.add(today, days - 1), time(OPENS + 4), ZONE)
            self.at(moment, lambda now: self.do(case, "give_opinion", expert, now, **said))
        back = datetime.combine(self.calendar.add(today, days), time(OPENS), ZONE)
        self.at(back, lambda now: self._give(desk, case, now, (SECOND_LOOK, self._look)))

    def _judge(self, case: Case, reviewer: User, at: datetime) -> None:
        if case.open_matches:
            for row in Assessment.objects.filter(request_id=case.request_id).latest("pk").possible:
                confirmed = case.random.random() < 0.2
                reason = TEXTS["same" if confirmed else "another"][0][1]
                key = matching.possible_from(row).key
                self.do(case, "judge_match", reviewer, at, key=key, confirmed=confirmed, reason=reason)

    def _propose_to_senior(self, case: Case, at: datetime) -> None:
        self.proposals.push(case, (SENIOR_LOOK, self._confirm))
        self._wake_one(self.seniors, at)

    def _confirm(self, case: Case, desk: Desk, at: datetime) -> None:
        if case.state is not State.DECISION_PROPOSED:
            return
        senior = desk.worker.user
        if not case.given_back and case.random.random() < 0.06:
            case.given_back = True
            if self.do(case, "reject_proposal", senior, at, note=TEXTS["reject"][0][1]):
                assert case.desk is not None
                self._give(case.desk, case, at, (SECOND_LOOK, self._look))
            return
        if self.do(case, "confirm", senior, at):
            if case.proposed == "approved":
                self._approved(case, at)
            elif case.random.random() < 0.25:
                self.later(case, at, (2, 30), self._appeal)

    def _escalated(self, case: Case, desk: Desk, at: datetime) -> None:
        """What is overdue and lies with somebody who is away is given to whoever is there and has least to do."""
        today = at.astimezone(ZONE).date()
        if case.state is not State.AUTHORITY_REVIEW or case.desk is None or case.desk.worker.is_there(today):
            return
        there = [
            other
            for other in self.reviewers
            if other.worker.is_there(today) and other.worker.user.pk not in case.recused
        ]
        if there:
            chosen = min(there, key=lambda other: len(other.own))
            reason = TEXTS["hand_over"][0][1]
            values = {"reviewer_id": chosen.worker.user.pk, "reason": reason}
            if self.do(case, "hand_over", desk.worker.user, at, **values):
                case.desk = chosen
                self._give(chosen, case, at, (SECOND_LOOK, self._look))

    def _approved(self, case: Case, at: datetime) -> None:
        roll = case.random.random()
        if roll < 0.04:
            self.later(case, at, (1, 10), self._close)
        elif roll < 0.045:
            self.later(case, at, (1, 5), self._take_back)

    def _take_back(self, case: Case, at: datetime) -> None:
        one, two = self.seniors[0].worker, self.seniors[1].worker

        def propose(now: datetime) -> None:
            if self.do(case, "propose_revocation", one.user, now, grounds=_GROUNDS):
                # When the time for a reply is over; too late before the departure it comes to nothing.
                until = self._page(case).reply_until
                assert until is not None
                self.at(two.ready(until), lambda then: self._revoke(case, two.user, then))

        self.at(one.ready(at), propose)

    def _revoke(self, case: Case, senior: User, at: datetime) -> None:
        if self.do(case, "revoke", senior, at) and case.random.random() < 0.5:
            self.later(case, at, (1, 20), self._appeal)

    # ── another office hears appeals ────────────────────────────────────────────────────────────────────────────────

    def _hearer(self, case: Case) -> User:
        request = self._page(case)
        assert request.open_appeal is not None
        return self.town.offices[request.open_appeal.office_id].by_role[Role.APPEAL_REVIEWER][0]

    def _hear(self, case: Case, at: datetime) -> None:
        if self.do(case, "hear_appeal", self._hearer(case), at, no_conflict=True):
            self.later(case, at, (3, 40), self._judge_appeal)

    def _judge_appeal(self, case: Case, at: datetime) -> None:
        verb = "overturn" if case.random.random() < 0.3 else "uphold"
        hearer = self._hearer(case)
        if not self.do(case, verb, hearer, at, text=TEXTS["overturned" if verb == "overturn" else "upheld"][0][1]):
            self.do(case, "uphold", hearer, at, text=TEXTS["upheld"][0][1])  # the days went to another trip

    # ── what people see of the steps of clocks ──────────────────────────────────────────────────────────────────────

    def _seen(self, case: Case, step: Step, kind: ClockKind, at: datetime) -> None:
        match step:
            case Step.FORWARD:
                self._look_up(case)
                self._to_office(case, at)
            case Step.LAPSE:
                self._look_up(case)
                if case.random.random() < 0.25:
                    self.later(case, at, (2, 35), self._reopen)
            case Step.DEEM_APPROVED | Step.CLOSE:
                self._look_up(case)
            case Step.OPEN_CONFIRMATION if case.proposed == "denied" and case.state is State.DECISION_PROPOSED:
                self._propose_to_senior(case, at)
            case Step.ESCALATE if kind is ClockKind.DECISION:
                self.proposals.push(case, (ESCALATION_LOOK, self._escalated))
                self._wake_one(self.seniors, at)

    def _look_up(self, case: Case) -> None:
        """What the page of the request says now."""
        request = self._page(case)
        case.state = State(request.state)
        if request.due_at is not None:
            case.due = request.due_at

    def _page(self, case: Case) -> TravelRequest:
        assert case.request_id is not None
        return TravelRequest.unscoped.get(pk=case.request_id)

    def _count_waiting(self, at: datetime) -> None:
        waits = had = 0
        for case in self.cases.values():
            if case.state is State.AUTHORITY_REVIEW:
                waits += case.desk is None
                had += case.desk is not None
        self.waiting.append((at.date(), waits, had))
