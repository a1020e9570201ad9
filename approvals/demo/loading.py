"""Bringing the stories about: the verbs called by the people of the story, the clocks acting in between, in time.

Simulated time only goes forward, over all requests together: the next act of a person or step of a clock, whichever is
sooner, happens next. It ends with the day before `today`. Everything is one transaction: all of it is there or nothing.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils.module_loading import autodiscover_modules

from accounts.actors import actor_for
from accounts.models import AccessEntry, User
from accounts.roles import SYSTEM, Actor, Role
from approvals import queries, rules, sweeping, workflow
from approvals.demo import keeping, papers, places, printed, stories, trips
from approvals.demo.keeping import Happening
from approvals.demo.stories import Act, Fate, Telling
from approvals.models import Assessment, Clock, Condition, TravelRequest
from approvals.states import State, Tier
from authorities import calendars
from authorities.models import Office
from employees.models import Employee
from notifications import delivery
from notifications.models import Channel, Notification, OutboxEvent
from sensitivity import matching

ZONE = ZoneInfo("Asia/Shanghai")
# Of these last days people find the notifications under the bell; what is older was told long ago.
BELL_DAYS = 3
_DAY = timedelta(days=1)
# Beat sweeps every minute: a clock acts within the minute after its moment.
_SWEEP = timedelta(seconds=40)
_READS_FIRST = frozenset(
    {"officer", "reviewer", "other_reviewer", "senior", "second_senior", "appeal_reviewer", "specialist"}
)

Progress = Callable[[float], object]
Further = Callable[[datetime], object]
_FURTHER: list[Further] = []


def further(function: Further) -> Further:
    """Have `function`, of the module `demonstration` of another app, load what that app shows. It is called after the
    history of all requests, with the moment at which that ends."""
    _FURTHER.append(function)
    return function


class DemoRefused(Exception):
    """The demonstration may not be loaded here. The message is a sentence for the person at the terminal."""


def load(
    *,
    seed: int = 1,
    requests: int = 600,
    today: date,
    language: str = "en",
    progress: Progress = lambda done: None,
) -> int:
    """Fill an empty installation with the demonstration; gives how many requests there are.

    The same `seed` and `today` give the same people, trips and histories; only keys and reference numbers differ.
    `today` is a day in China; all history lies before it. `language` is that of the printed accounts. `progress` is
    told how much is done, from 0 to 1. Refuses with DemoRefused where demonstrations are not allowed and where there
    are requests or demonstration accounts already: the log of what happened is append-only, nothing could be cleared.
    """
    if not getattr(settings, "DEMO_ALLOWED", False):
        raise DemoRefused("Demonstration data is for development only; DEMO_ALLOWED is off in these settings.")
    if printed.is_loaded() or TravelRequest.unscoped.exists():
        raise DemoRefused(
            "There are requests already, and what happened is never deleted. "
            "For fresh demonstration data start with an empty folder: DATA_DIR=… make run"
        )
    with transaction.atomic():
        random = Random(f"exit-approvals/{seed}")
        world = _World(places.found(random, today=today, language=language), today)
        laid_out = [story for story in _lay_out(world, random, requests) if story is not None]
        _Simulation(world, laid_out, progress).run()
        autodiscover_modules("demonstration")
        for function in _FURTHER:
            function(world.end)
    return len(laid_out)


# ── laying out ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _World:
    places: places.Places
    today: date

    def __post_init__(self) -> None:
        self.calendar = calendars.load(None)
        self.forecast = keeping.Forecast(self.today)
        self.end = datetime.combine(self.today, time.min, ZONE)

    def working_day(self, day: date, back: int) -> date:
        """The working day that lies `back` working days before `day`; 0: the last one before it."""
        found = day - _DAY
        while not self.calendar.is_working(found) or back:
            back -= self.calendar.is_working(found)
            found -= _DAY
        return found


@dataclass
class _Story:
    """One request to come: whose, what they write, and what happens when."""

    employee: Employee
    fate: Fate
    trip: trips.Trip
    random: Random
    language: str
    acts: list[tuple[datetime, Act]]
    cast: dict[str, User]
    request_id: UUID | None = None
    open_matches: int = 0
    told: Iterator[tuple[datetime, Act]] = field(init=False)

    def __post_init__(self) -> None:
        self.told = iter(self.acts)


def _lay_out(world: _World, random: Random, total: int) -> Iterator[_Story | None]:
    fates = stories.shares(total)
    random.shuffle(fates)
    # Those of the printed accounts' applicant come first, so that nobody else's trips stand in their way.
    featured = list(stories.FEATURED)
    fates.sort(key=lambda fate: fate.name not in featured)
    away: dict[int, list[tuple[date, date]]] = {}
    for number, fate in enumerate(fates):
        own = Random(random.random())
        mine = fate.name in featured
        if mine:
            featured.remove(fate.name)
        yield _story(world, own, fate, away, world.places.featured if mine else None, number)


def _story(
    world: _World,
    random: Random,
    fate: Fate,
    away: dict[int, list[tuple[date, date]]],
    employee: Employee | None,
    number: int,
) -> _Story | None:
    for _attempt in range(60):
        who = employee or random.choice(world.places.employees[1:])
        language = "en" if who.user is not None and who.user.language == "en" else "zh"
        first, last = (world.today + days * _DAY for days in fate.departs)
        trip = trips.make(
            random,
            purpose=random.choice(fate.purposes),
            fits=lambda trip: any(world.forecast.tier(trip, on) in fate.tiers for on in world.forecast.regimes()),
            language=language,
            first=first,
            last=last,
            company=world.places.domain(who.company_id),
            project=world.places.projects[who.pk],
        )
        if trip is None:
            continue
        held = away.setdefault(who.pk, [])
        if any(trip.departs_on <= until and since <= trip.returns_on for since, until in held):
            continue
        acts = _happening(world, random, fate, trip, language)
        if acts is None:
            continue
        held.append((trip.departs_on, trip.returns_on))
        return _Story(who, fate, trip, random, language, acts, _cast(world, random, who))
    raise RuntimeError(f"No trip was found for story {number}, {fate.name}.")


def _happening(
    world: _World, random: Random, fate: Fate, trip: trips.Trip, language: str
) -> list[tuple[datetime, Act]] | None:
    """What happens to a trip and when, told for the tier that it has under the lists of the day of its submission."""
    forecast = world.forecast
    content = {**trip.values, "legs": trip.legs}
    for on in forecast.regimes():
        tier = forecast.tier(trip, on)
        if tier not in fate.tiers:
            continue
        acts = _moments(world, random, fate, fate.plot(Telling(random, tier, language, content)), trip)
        if acts is not None and _is_as_told(forecast, trip, tier, on, acts):
            return acts
    return None


def _is_as_told(
    forecast: keeping.Forecast, trip: trips.Trip, tier: Tier, on: date, acts: list[tuple[datetime, Act]]
) -> bool:
    """Whether every submission lies where the lists are those of `on`, and who assesses anew finds another tier."""
    days = [(at.astimezone(ZONE).date(), act.verb) for at, act in acts]
    return all(forecast.same(day, on) for day, verb in days if verb == "submit") and all(
        forecast.tier(trip, day) != tier for day, verb in days if verb == "reassess"
    )


def _cast(world: _World, random: Random, employee: Employee) -> dict[str, User]:
    """Who plays which part. The people of the printed accounts come first in their lists and are busier than others."""
    staff = world.places.offices[employee.company.office_id].by_role
    reviewers = random.sample(staff[Role.REVIEWER], 2)
    if random.random() < 0.25:
        reviewers.sort(key=lambda user: user.pk)
    senior, second = staff[Role.SENIOR]
    assert employee.user is not None
    officers = world.places.officers[employee.company_id]
    return {
        "applicant": employee.user,
        "officer": random.choice((officers[0], *officers)),
        "reviewer": reviewers[0],
        "other_reviewer": reviewers[1],
        "senior": senior,
        "second_senior": second,
        "specialist": _specialist(world),
    }


def _specialist(world: _World) -> User:
    assert world.places.specialists is not None
    return world.places.specialists.by_role[Role.REVIEWER][0]


def _moments(
    world: _World, random: Random, fate: Fate, acts: list[Act], trip: trips.Trip
) -> list[tuple[datetime, Act]] | None:
    """When each act happens, counted so that the last one lies where the fate wants it; None when that cannot be.

    Everybody acts in working hours of working days, applicants in the evening too.
    """
    before, wanted = (
        (world.today, random.randint(*fate.rested))
        if fate.rested is not None
        else (min(trip.departs_on, world.today), random.randint(*fate.lead))
    )
    total = sum(act.gap for act in acts) + wanted
    for further in range(6):  # an act that did not fit into its day any more makes the story a day longer
        found = _forward(world, random, acts, world.working_day(before, total + further))
        if found[-1][0] < datetime.combine(world.working_day(before, wanted) + _DAY, time.min, ZONE):
            submitted = next((at for at, act in found if act.verb == "submit"), None)
            in_time = submitted is None or submitted.astimezone(ZONE).date() <= trip.departs_on
            return found if in_time else None
    return None


def _forward(world: _World, random: Random, acts: list[Act], day: date) -> list[tuple[datetime, Act]]:
    now = datetime.combine(day, time(random.randint(9, 11), random.randint(0, 59), random.randint(0, 59)), ZONE)
    found = []
    for act in acts:
        if act.gap:
            day = world.calendar.add(now.date(), act.gap)
            now = datetime.combine(day, time(random.randint(9, 16), random.randint(0, 59), random.randint(0, 59)), ZONE)
        else:
            now += timedelta(minutes=random.randint(4, 55), seconds=random.randint(0, 59))
            if now.hour >= (22 if act.who == "applicant" else 18):
                day = world.calendar.add(now.date(), 1)
                now = datetime.combine(day, time(9, random.randint(5, 59)), ZONE)
        found.append((now, act))
    return found


# ── happening ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Simulation:
    """One queue of what comes next: acts of stories, and steps of clocks."""

    def __init__(self, world: _World, laid_out: list[_Story], progress: Progress) -> None:
        self.world, self.progress = world, progress
        self.queue: list[tuple[datetime, int, _Story | None, Act | UUID | Happening]] = []
        self.order = count()
        self.due: dict[UUID, datetime] = {}
        self.actors: dict[int, Actor] = {}
        self.read: list[AccessEntry] = []
        self.now = datetime.min.replace(tzinfo=ZONE)
        self.done = 0
        self.expected = sum(len(story.acts) for story in laid_out) + 1
        for story in laid_out:
            self.next_act(story)
        kept = keeping.Keeping(
            keeping.Keepers(*world.places.list_managers),
            world.places.companies,
            today=world.today,
            calendar=world.calendar,
        )
        for at, happening in kept.happenings():
            heapq.heappush(self.queue, (at, next(self.order), None, happening))

    def run(self) -> None:
        """Let everything happen that happens before today."""
        bell = self.world.end - BELL_DAYS * _DAY
        told = False
        while self.queue and self.queue[0][0] < self.world.end:
            at, _order, story, what = heapq.heappop(self.queue)
            self.now = at
            if not told and at >= bell:
                self.told_long_ago()
                told = True
            if story is not None:
                assert isinstance(what, Act)
                self.act(story, what, at)
            elif isinstance(what, UUID):
                self.tick(what, at)
            else:
                assert not isinstance(what, Act)
                what(at)
            if told:
                delivery.deliver(at=at, mails=False)
        if not told:
            self.told_long_ago()
        self.finish()

    def next_act(self, story: _Story) -> None:
        if (following := next(story.told, None)) is not None:
            heapq.heappush(self.queue, (following[0], next(self.order), story, following[1]))

    def watch(self, clocks: Any) -> None:
        """Remember when the clocks of a request want to act next."""
        for clock in clocks:
            if clock.ended_at is None and clock.next_action_at is not None:
                if self.due.get(clock.pk) != clock.next_action_at:
                    self.due[clock.pk] = clock.next_action_at
                    # What a person moved into the past, the next sweep finds.
                    moment = max(clock.next_action_at, self.now) + _SWEEP
                    heapq.heappush(self.queue, (moment, next(self.order), None, clock.pk))
            else:
                self.due.pop(clock.pk, None)

    def tick(self, clock_id: UUID, at: datetime) -> None:
        """A clock's moment, unless it was moved or ended meanwhile."""
        if self.due.get(clock_id, at) > at - _SWEEP or clock_id not in self.due:
            return
        del self.due[clock_id]
        if sweeping.act_on_clock(clock_id, at=at):
            request_id = Clock.objects.values_list("request_id", flat=True).get(pk=clock_id)
            self.watch(Clock.objects.filter(request_id=request_id, ended_at=None))

    def actor(self, user: User, at: datetime) -> Actor:
        """Roles of the demonstration hold throughout, so they are read once. An employment gives its role, too."""
        found = self.actors.get(user.pk)
        if found is None:
            found = self.actors[user.pk] = actor_for(user, at=at)
        return found

    def act(self, story: _Story, act: Act, at: datetime) -> None:
        user = self.who(story, act)
        actor = self.actor(user, at)
        if act.who in _READS_FIRST and story.request_id is not None:
            self.read.append(_looked(story, act, user, at - timedelta(minutes=3)))
        request = _ACTS.get(act.verb, _verb)(story, act, actor, at)
        if request is not None:
            story.request_id, story.open_matches = request.pk, request.open_matches
            self.watch(request.running_clocks.values())
        self.done += 1
        self.progress(self.done / self.expected)
        self.next_act(story)

    def who(self, story: _Story, act: Act) -> User:
        if act.who != "appeal_reviewer":
            return story.cast[act.who]
        assert story.request_id is not None
        request = queries.visible_to(SYSTEM).get(pk=story.request_id)
        assert request.open_appeal is not None
        hearers = self.world.places.offices[request.open_appeal.office_id].by_role[Role.APPEAL_REVIEWER]
        return hearers[0]

    def told_long_ago(self) -> None:
        """What happened until now was told then, by mail, and read."""
        OutboxEvent.objects.filter(done_at=None).update(done_at=F("at"), next_attempt_at=None)

    def finish(self) -> None:
        AccessEntry.objects.bulk_create(sorted(self.read, key=lambda entry: entry.at), batch_size=500)
        mails = Notification.objects.filter(channel=Channel.MAIL, done_at=None)
        mails.update(done_at=F("at"), next_attempt_at=None)
        older = Notification.objects.filter(channel=Channel.BELL, at__lt=self.world.end - 2 * _DAY)
        older.update(read_at=F("at"))
        self.progress(1)


_LOOKED_AS = {
    "officer": Role.OFFICER,
    "reviewer": Role.REVIEWER,
    "other_reviewer": Role.REVIEWER,
    "senior": Role.SENIOR,
    "second_senior": Role.SENIOR,
    "appeal_reviewer": Role.APPEAL_REVIEWER,
    "specialist": Role.REVIEWER,
}


def _looked(story: _Story, act: Act, user: User, at: datetime) -> AccessEntry:
    """Who acts on a request has read it before."""
    assert story.request_id is not None
    page = "request" if act.who == "officer" else "case"
    return AccessEntry(at=at, user=user, role=_LOOKED_AS[act.who], subject=story.request_id, page=page)


_ABOUT_A_CONDITION = frozenset(
    {"report_condition", "cannot_comply", "release_condition", "send_back_condition", "answer_condition"}
)


def _verb(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest | None:
    values = dict(act.values or {})
    if act.verb in ("approve", "propose") and story.open_matches:
        # Names resemble one by chance, too. Whoever decides has looked at them before.
        dismissed = {"confirmed": False, "reason": Telling(story.random, Tier.STANDARD, story.language).say("another")}
        _judge(story, Act("judge", act.who, values=dismissed), actor, at - timedelta(minutes=1))
    if act.verb == "propose":
        _before_a_proposal(story, act, actor, at, values)
    if act.verb == "consult":
        values["office_id"] = Office.objects.get(is_specialist=True).pk
    if act.verb == "reply" and values.pop("with_a_file", False):
        values["files"] = [ContentFile(papers.pdf(story.trip.legs[0]["city"], "programme"), name="programme.pdf")]
    if act.verb in _ABOUT_A_CONDITION:
        values["condition"] = Condition.objects.filter(request_id=story.request_id).latest("id").pk
    if act.verb == "add_to_appeal":
        values["files"] = [ContentFile(papers.pdf(story.trip.legs[0]["city"], "notice"), name="notice.pdf")]
    if act.verb == "note_hearing":
        values["held_on"] = at.astimezone(ZONE).date()
    if act.verb == "hand_over":
        values["reviewer_id"] = story.cast["other_reviewer"].pk
    result = getattr(workflow, act.verb)(story.request_id, actor=actor, at=at, **values)
    if isinstance(result, TravelRequest):
        return result
    # A verb about an appeal gives the appeal; its clocks are those of the request.
    request: TravelRequest = result.request
    return request


def _before_a_proposal(story: _Story, act: Act, actor: Actor, at: datetime, values: dict[str, Any]) -> None:
    """A case that became restricted on the way is put before the specialists first; a part is cut out of the trip."""
    request = _now(story)
    if request.tier == Tier.RESTRICTED and request.consulted_at is None:
        told = Telling(story.random, Tier.RESTRICTED, story.language)
        opinion = stories.opinion(told)
        _verb(story, Act("consult", act.who, values=stories.question(told)), actor, at - timedelta(seconds=40))
        expert = actor_for(story.cast["specialist"], at=at)
        _verb(story, Act("give_opinion", "specialist", values=opinion), expert, at - timedelta(seconds=20))
    if values.pop("in_part", False):
        assert request.revision is not None
        if part := _part_of(request.revision.content["legs"]):
            values["cleared"] = part


def _part_of(legs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some of a trip: without its last place, or without its last day; empty for a day in one place."""
    if len(legs) > 1:
        return legs[:-1]
    first, last = (date.fromisoformat(legs[0][name]) for name in ("arrives_on", "leaves_on"))
    return [legs[0] | {"leaves_on": (last - _DAY).isoformat()}] if last > first else []


def _judge(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest | None:
    """Say of every match that waits whether it is the listed organisation."""
    assert story.request_id is not None
    request = None
    for one in map(
        matching.possible_from, Assessment.objects.filter(request_id=story.request_id).latest("pk").possible
    ):
        request = workflow.judge_match(story.request_id, actor=actor, at=at, key=one.key, **(act.values or {}))
    return request


def _conclude(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest | None:
    """Approve, or propose to, as the tier asks for that the request has now."""
    values = dict(act.values or {})
    if _now(story).tier in stories.ONE_DECIDES:
        return _verb(story, Act("approve", act.who, values=values), actor, at)
    grounds = workflow.Grounds(text=values.pop("text"))
    return _verb(story, Act("propose", act.who, values=values | {"outcome": "approved", "grounds": grounds}), actor, at)


def _confirm_proposed(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest | None:
    if _now(story).state != State.DECISION_PROPOSED:
        return None
    return _verb(story, Act("confirm", act.who), actor, at)


def _now(story: _Story) -> TravelRequest:
    assert story.request_id is not None
    return queries.visible_to(SYSTEM).get(pk=story.request_id)


def _change(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest:
    """The applicant comes home a day earlier, or does something else where there is only one day, and files that."""
    assert story.request_id is not None
    begun = at - timedelta(minutes=3)
    workflow.begin_amendment(story.request_id, actor=actor, at=begun)
    *others, last = [dict(leg) for leg in story.trip.legs]
    if last["leaves_on"] > last["arrives_on"]:
        legs = [*others, last | {"leaves_on": last["leaves_on"] - _DAY}]
        workflow.save_amendment(story.request_id, actor=actor, at=begun, section="itinerary", legs=legs)
    else:
        values = {"description": f"{story.trip.values['description']} +"}
        workflow.save_amendment(story.request_id, actor=actor, at=begun, section="change", values=values)
    verb = workflow.filing_verb(_now(story), actor, at=at)
    assert verb is not None
    changed = _verb(story, Act(verb, act.who, values=act.values), actor, at)
    assert changed is not None
    return changed


def _start(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest:
    return workflow.start(actor=actor, at=at, employee_id=story.employee.pk)


def _fill(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest:
    assert story.request_id is not None
    values = dict(story.trip.values)
    if act.gap:  # again, after the company asked for changes
        values["description"] += "（已按单位要求补充日程。）" if story.language == "zh" else " (Programme added.)"
    return workflow.save_section(
        story.request_id, actor=actor, at=at, section="all", values=values, legs=story.trip.legs
    )


def _submit(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest:
    """Declare, check, submit: the declarations are the last thing that is written, documents added withdraw them."""
    assert story.request_id is not None
    declared = {"declarations": [code for code, _text in rules.DECLARATIONS]}
    before = at - timedelta(seconds=50)
    workflow.save_section(story.request_id, actor=actor, at=before, section="declarations", values=declared)
    return workflow.submit(story.request_id, actor=actor, at=at)


def _fill_partly(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest:
    assert story.request_id is not None
    values = {name: story.trip.values[name] for name in ("title", "purpose")}
    return workflow.save_section(story.request_id, actor=actor, at=at, section="trip", values=values)


def _fill_wrongly(story: _Story, act: Act, actor: Actor, at: datetime) -> TravelRequest:
    request = _fill_partly(story, act, actor, at)
    kept = story.trip.values
    typed = {"title": [kept["title"]], "purpose": [kept["purpose"]], "description": [""], "event_url": ["www"]}
    workflow.keep_as_typed(request.pk, actor=actor, at=at, section="trip", data=typed)
    return request


def _attach(story: _Story, act: Act, actor: Actor, at: datetime) -> None:
    assert story.request_id is not None
    zh = story.language == "zh"
    urgent = story.trip.values["purpose"] == rules.URGENT_PURPOSE
    name = ("医院证明.pdf" if zh else "hospital.pdf") if urgent else ("邀请函.pdf" if zh else "invitation.pdf")
    file = ContentFile(papers.pdf(story.trip.legs[0]["city"], f"{story.trip.departs_on}"), name=name)
    kind = "evidence" if urgent else "invitation"
    workflow.attach(story.request_id, actor=actor, at=at, file=file, kind=kind)


_ACTS: dict[str, Callable[[_Story, Act, Actor, datetime], TravelRequest | None]] = {
    "start": _start,
    "fill": _fill,
    "fill_partly": _fill_partly,
    "fill_wrongly": _fill_wrongly,
    "attach": _attach,
    "submit": _submit,
    "judge": _judge,
    "change": _change,
    "conclude": _conclude,
    "confirm_proposed": _confirm_proposed,
}
