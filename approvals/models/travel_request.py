"""The travel request: its fields, and the one table that says which state may follow which.

Every transition of the rule book is one decorated method; its body sets its own fields and nothing else. Nothing but
`workflow.gate` calls them: django-fsm checks neither permission nor transaction by itself.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField
from uuid_utils.compat import uuid7

from accounts.scoping import ScopedQuerySet
from accounts.transitions import transition
from approvals import rules
from approvals.models.appeal import OPEN_APPEAL, Appeal
from approvals.models.clock import Clock
from approvals.models.conditions import Condition, ConditionNow, ConditionStep, conditions_now, imposed_last
from approvals.models.decision import Decision
from approvals.models.itinerary import Attachment, Leg
from approvals.states import EDITABLE, HOLDS_ITS_DATES, OPEN, State, Tier
from audit.models import Chained
from authorities.models import Office
from companies.models import Company
from employees.models import Employee
from sensitivity.models import CODE_LENGTH


class Purpose(models.TextChoices):
    """What a trip is for. Urgent humanitarian: illness, death or birth in the family."""

    BUSINESS = "business", _("Business")
    CONFERENCE = "conference", _("Conference")
    STUDY = "study", _("Study or training")
    PERSONAL = "personal", _("Personal")
    URGENT_HUMANITARIAN = "urgent_humanitarian", _("Urgent: illness, death or birth in the family")


class Device(models.TextChoices):
    """What an applicant carries."""

    WORK_PHONE = "work_phone", _("Work phone")
    WORK_LAPTOP = "work_laptop", _("Work laptop")
    TRAVEL_LAPTOP = "travel_laptop", _("Travel laptop without work data")
    STORAGE = "storage", _("Storage media")
    PROTOTYPE = "prototype", _("Prototype or accelerator hardware")


class _DateRange(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


class TravelRequest(Chained):
    """One trip that an employee asks clearance for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(_("number"), max_length=16, unique=True, editable=False)
    applicant = models.ForeignKey(Employee, models.PROTECT, related_name="requests", verbose_name=_("applicant"))
    company = models.ForeignKey(Company, models.PROTECT, related_name="requests", verbose_name=_("company"))
    office = models.ForeignKey(Office, models.PROTECT, related_name="requests", verbose_name=_("office"))

    state = FSMField(_("state"), choices=State.choices, default=State.DRAFT, protected=True, max_length=24)
    state_since = models.DateTimeField(_("since"))
    lapsed_from = models.CharField(_("lapsed from"), max_length=24, blank=True, choices=State.choices)

    # What the applicant writes.
    title = models.CharField(_("what the trip is for"), max_length=200, blank=True)
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose.choices, blank=True)
    description = models.TextField(_("what you will do there"), max_length=4000, blank=True)
    event_name = models.CharField(_("event"), max_length=200, blank=True)
    event_url = models.URLField(_("page of the event"), max_length=300, blank=True)
    topics = ArrayField(models.CharField(max_length=CODE_LENGTH), verbose_name=_("subjects"), default=list, blank=True)
    projects = ArrayField(
        models.CharField(max_length=40), verbose_name=_("projects of the company"), default=list, blank=True
    )
    materials = models.TextField(_("materials carried"), max_length=4000, blank=True)
    devices = ArrayField(
        models.CharField(max_length=20, choices=Device.choices),
        verbose_name=_("devices carried"),
        default=list,
        blank=True,
    )
    declarations = ArrayField(models.CharField(max_length=20), verbose_name=_("declarations"), default=list, blank=True)
    created_at = models.DateTimeField(_("begun at"))
    saved_at = models.DateTimeField(_("saved at"))

    # What follows from it.
    urgent = models.BooleanField(_("urgent humanitarian"), default=False)
    continues_as_personal = models.BooleanField(_("continues as a personal trip"), default=False)
    departs_on = models.DateField(_("first day"), null=True)
    returns_on = models.DateField(_("last day"), null=True)
    tier = models.CharField(_("tier"), max_length=12, choices=Tier.choices, blank=True)
    revision = models.ForeignKey("approvals.Revision", models.PROTECT, null=True, related_name="+")
    revision_number = models.PositiveSmallIntegerField(_("revision"), default=0)
    assessment = models.ForeignKey("approvals.Assessment", models.PROTECT, null=True, related_name="+")
    open_matches = models.PositiveSmallIntegerField(_("possible matches without an answer"), default=0)
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    reached_authority_at = models.DateTimeField(_("with the office since"), null=True)
    due_at = models.DateTimeField(_("due at"), null=True)
    due_is_provisional = models.BooleanField(_("due date is provisional"), default=False)

    # Who acts on it.
    assigned_reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("reviewer")
    )
    assigned_number = models.CharField(_("officer number"), max_length=10, blank=True)
    information_rounds = models.PositiveSmallIntegerField(_("times information was requested"), default=0)
    answer_extra_days = models.PositiveSmallIntegerField(_("more working days to answer"), default=0)
    information_agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    extension_days = models.PositiveSmallIntegerField(_("extended by working days"), default=0)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    proposed_outcome = models.CharField(max_length=8, blank=True)
    proposal = models.ForeignKey("approvals.Proposal", models.PROTECT, null=True, related_name="+")
    reply_until = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)
    consulted_at = models.DateTimeField(_("specialist office asked at"), null=True)
    opinion_at = models.DateTimeField(_("opinion received at"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision = models.ForeignKey("approvals.Decision", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided at"), null=True)
    open_conditions = models.PositiveSmallIntegerField(_("conditions not released"), default=0)
    conditions_wait_since = models.DateTimeField(_("a condition waits for the office since"), null=True)
    revocation_proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    refused_in_part = models.BooleanField(_("a part of the trip is not cleared"), default=False)
    open_amendment = models.ForeignKey("approvals.Amendment", models.PROTECT, null=True, related_name="+")
    report_is_open = models.BooleanField(_("something reported waits to be read"), default=False)
    other_reviewer_asked_at = models.DateTimeField(_("another reviewer asked for at"), null=True)
    other_reviewer_answered_at = models.DateTimeField(_("answered at"), null=True)

    objects = ScopedQuerySet["TravelRequest"].as_manager()
    unscoped = models.Manager["TravelRequest"]()

    class Meta:
        verbose_name = _("travel request")
        verbose_name_plural = _("travel requests")
        base_manager_name = "unscoped"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="approvals_request_state", condition=Q(state__in=[s.value for s in State])),
            models.CheckConstraint(
                name="approvals_request_returns_after_departs",
                condition=Q(returns_on=None) | Q(returns_on__gte=F("departs_on")),
            ),
            models.CheckConstraint(
                name="approvals_request_refused_by_two_people",
                condition=~Q(state__in=["denied", "revoked"])
                | (
                    Q(decided_by__isnull=False, confirmed_by__isnull=False, decision__isnull=False)
                    & ~Q(decided_by=F("confirmed_by"))
                ),
            ),
            models.CheckConstraint(
                name="approvals_request_submitted_is_complete",
                condition=Q(submitted_at=None)
                | Q(departs_on__isnull=False, returns_on__isnull=False, revision__isnull=False),
            ),
            ExclusionConstraint(
                name="approvals_request_trips_do_not_overlap",
                expressions=[
                    ("applicant", RangeOperators.EQUAL),
                    (
                        _DateRange(
                            "departs_on", "returns_on", RangeBoundary(inclusive_lower=True, inclusive_upper=True)
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(state__in=sorted(s.value for s in HOLDS_ITS_DATES)),
            ),
        ]
        # Each tab of the inbox is one stretch of one of these (see approvals/inbox.py).
        indexes = [
            models.Index(
                F("office"),
                F("urgent").desc(),
                F("due_at"),
                F("id"),
                name="approvals_unassigned",
                condition=Q(state="authority_review", assigned_reviewer=None),
            ),
            models.Index(
                F("office"),
                F("state"),
                F("urgent").desc(),
                F("due_at"),
                F("id"),
                name="approvals_office_by_state",
                condition=Q(state__in=["authority_review", "decision_proposed", "information_requested"]),
            ),
            models.Index(
                F("assigned_reviewer"),
                F("urgent").desc(),
                F("due_at"),
                F("id"),
                name="approvals_reviewer_inbox",
                condition=Q(state__in=["authority_review", "decision_proposed", "information_requested"]),
            ),
            models.Index(
                F("company"),
                F("state"),
                F("urgent").desc(),
                F("due_at"),
                F("id"),
                name="approvals_company_by_state",
                condition=Q(
                    state__in=[
                        "company_review",
                        "returned",
                        "authority_review",
                        "decision_proposed",
                        "information_requested",
                    ]
                ),
            ),
            models.Index(
                F("office"),
                F("urgent").desc(),
                F("due_at"),
                F("id"),
                name="approvals_changes",
                condition=Q(open_amendment__isnull=False) | Q(report_is_open=True),
            ),
            models.Index(F("applicant"), F("created_at").desc(), name="approvals_by_applicant"),
            models.Index(
                fields=["office", "conditions_wait_since", "id"],
                name="approvals_conditions_waiting",
                condition=Q(conditions_wait_since__isnull=False),
            ),
            models.Index(
                fields=["company", "departs_on", "id"],
                name="approvals_conditions_open",
                condition=Q(open_conditions__gt=0),
            ),
            models.Index(F("company"), F("submitted_at").desc(), F("id"), name="approvals_by_company"),
            models.Index(F("office"), F("reached_authority_at").desc(), F("id"), name="approvals_by_office"),
            models.Index(fields=["event_name"], name="approvals_by_event", condition=~Q(event_name="")),
        ]

    # What the rules look at besides: the moment, and the step of a clock that is being taken. Set by the workflow.
    _now: datetime | None = None
    clock_step: str = ""
    # The time zone of whoever reads it, where that is known; a query for one page fills it in.
    reader_zone: str | None = None

    def __str__(self) -> str:
        return self.reference

    def as_of(self, at: datetime) -> Self:
        """Look at this request at `at` (aware). Rules refuse to judge without it."""
        rules.moment_is_aware(at)
        self._now = at
        return self

    @property
    def now(self) -> datetime:
        """The moment that the rules look at; RuntimeError when the workflow has not set one."""
        if self._now is None:
            raise RuntimeError("as_of(at) was not called")
        return self._now

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the office, in which days begin and end."""
        return ZoneInfo(self.office.time_zone)

    @property
    def today(self) -> date:
        """The day in the office's time zone at the moment that the rules look at."""
        return self.now.astimezone(self.zone).date()

    @property
    def applicant_user_id(self) -> int | None:
        return self.applicant.user_id

    @cached_property
    def itinerary(self) -> list[Leg]:
        """The legs in the order of travel."""
        return sorted(self.legs.all(), key=lambda leg: leg.position)

    @property
    def part(self) -> Decision | None:
        """The decision in force where it clears some of the places or days only; else None."""
        return self.decision if self.decision is not None and self.decision.is_partial else None

    @property
    def travels_from(self) -> date | None:
        """The first day of the trip: the one that is cleared where a part is, else the one asked for."""
        return self.part.cleared_from if self.part else self.departs_on

    @property
    def travels_until(self) -> date | None:
        """The last day of the trip: the one that is cleared where a part is, else the one asked for."""
        return self.part.cleared_until if self.part else self.returns_on

    @property
    def travels_to(self) -> list[tuple[str, str]]:
        """The country code and city of each place in the order of travel: as cleared where a part is."""
        if self.part:
            return [(leg["country"], leg["city"]) for leg in self.part.cleared]
        return [(str(leg.country.code), leg.city) for leg in self.itinerary]

    @cached_property
    def documents(self) -> list[Attachment]:
        """The documents that have not been removed. Whoever holds this request may see them."""
        return list(Attachment.unscoped.filter(request=self, removed_at=None))

    @cached_property
    def sections_as_typed(self) -> list[str]:
        """The sections in which something was typed that is not valid yet."""
        return sorted(self.draft_inputs.values_list("section", flat=True))

    @cached_property
    def open_appeal(self) -> Appeal | None:
        """The appeal that is filed or under review."""
        return next((appeal for appeal in self.appeals.all() if appeal.state in OPEN_APPEAL), None)

    @cached_property
    def conditions_now(self) -> list[ConditionNow]:
        """The conditions in force with what became of each. No query while none is open."""
        if not self.open_conditions:
            return []
        rows = imposed_last(Condition.objects.filter(request=self))
        return conditions_now(rows, ConditionStep.objects.filter(condition__in=rows))

    @cached_property
    def running_clocks(self) -> dict[str, Clock]:
        """The clocks that have not ended, by kind; those of which there are several by `Clock.key`."""
        return {clock.key: clock for clock in self.clocks.all() if clock.ended_at is None}

    def is_running(self, kind: str) -> bool:
        """Whether the clock of this kind runs and is not over at the moment that the rules look at."""
        clock = self.running_clocks.get(kind)
        return clock is not None and clock.due_at is not None and self.now < clock.due_at

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def days(self) -> int:
        """Days away, both ends counted; 0 while there is no itinerary."""
        return rules.trip_days(self.departs_on, self.returns_on) if self.departs_on and self.returns_on else 0

    # ── the transition table ────────────────────────────────────────────────────────────────────────────────────────
    # Rule book, "Transitions": verb, from → to, who, only if. `target=None` stays in the state.

    @transition(
        state,
        source=[State.DRAFT, State.RETURNED],
        target=RETURN_VALUE(State.COMPANY_REVIEW, State.AUTHORITY_REVIEW),
        conditions=[rules.is_complete],
        permission=rules.is_applicant,
    )
    def submit(self, *, revision_id: UUID, assessment_id: UUID, tier: Tier, open_matches: int) -> State:
        self.revision_id = revision_id
        self.assessment_id, self.tier, self.open_matches = assessment_id, tier, open_matches
        self.revision_number += 1
        self.departs_on = min(leg.arrives_on for leg in self.itinerary)
        self.returns_on = max(leg.leaves_on for leg in self.itinerary)
        self.submitted_at = self.submitted_at or self.now
        self.urgent = self.purpose == rules.URGENT_PURPOSE
        return rules.submit_target(urgent=self.urgent)

    @transition(state, source=State.COMPANY_REVIEW, target=State.RETURNED, permission=rules.officer_not_applicant)
    def return_for_changes(self) -> None:
        self.declarations = []

    @transition(
        state, source=State.COMPANY_REVIEW, target=State.AUTHORITY_REVIEW, permission=rules.officer_not_applicant
    )
    def endorse(self) -> None: ...

    @transition(
        state,
        source=State.COMPANY_REVIEW,
        target=State.AUTHORITY_REVIEW,
        conditions=[rules.is_personal_trip],
        permission=rules.officer_not_applicant,
    )
    def object(self) -> None: ...

    @transition(
        state,
        source=State.COMPANY_REVIEW,
        target=State.COMPANY_DECLINED,
        conditions=[rules.is_business_trip],
        permission=rules.officer_not_applicant,
    )
    def decline(self) -> None: ...

    @transition(
        state,
        source=State.COMPANY_DECLINED,
        target=State.AUTHORITY_REVIEW,
        conditions=[rules.can_still_be_referred],
        permission=rules.is_applicant,
    )
    def refer(self) -> None:
        self.continues_as_personal = True

    @transition(
        state,
        source=State.COMPANY_REVIEW,
        target=State.AUTHORITY_REVIEW,
        conditions=[rules.company_time_is_over],
        permission=rules.is_system,
    )
    def forward(self) -> None: ...

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=None,
        conditions=[rules.nobody_has_it],
        permission=rules.reviewer_not_applicant,
    )
    def take(self, *, reviewer_id: int, number: str) -> None:
        self.assigned_reviewer_id, self.assigned_number = reviewer_id, number

    @transition(state, source=State.AUTHORITY_REVIEW, target=None, permission=rules.senior_not_applicant)
    def hand_over(self, *, reviewer_id: int | None, number: str) -> None:
        self.assigned_reviewer_id, self.assigned_number = reviewer_id, number
        if self.other_reviewer_asked_at is not None:
            self.other_reviewer_answered_at = self.other_reviewer_answered_at or self.now

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=None,
        conditions=[rules.somebody_has_it, rules.other_reviewer_was_not_asked_for],
        permission=rules.is_applicant,
    )
    def ask_other_reviewer(self) -> None:
        self.other_reviewer_asked_at = self.now

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=None,
        conditions=[rules.other_reviewer_waits_for_an_answer],
        permission=rules.senior_not_assigned,
    )
    def keep_reviewer(self) -> None:
        self.other_reviewer_answered_at = self.now

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=None,
        conditions=[rules.somebody_has_it],
        permission=rules.is_system,
    )
    def return_to_queue(self) -> None:
        self.assigned_reviewer_id, self.assigned_number = None, ""

    @transition(
        state,
        source=sorted(rules.CAN_BE_RECUSED_IN),
        target=None,
        permission=rules.deals_with_the_case,
    )
    def recuse(self, *, reviewer_id: int) -> None:
        if self.state == State.AUTHORITY_REVIEW and self.assigned_reviewer_id == reviewer_id:
            self.assigned_reviewer_id, self.assigned_number = None, ""

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=None,
        conditions=[rules.has_been_asked, rules.nobody_agreed_to_ask_again],
        permission=rules.senior_not_assigned,
    )
    def agree_information(self, *, senior_id: int) -> None:
        self.information_agreed_by_id = senior_id

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=State.INFORMATION_REQUESTED,
        conditions=[rules.may_ask_again],
        permission=rules.assigned_reviewer,
    )
    def ask_information(self, *, extra_days: int = 0) -> None:
        self.information_rounds += 1
        self.answer_extra_days = extra_days
        self.information_agreed_by_id = None

    @transition(state, source=State.INFORMATION_REQUESTED, target=State.AUTHORITY_REVIEW, permission=rules.is_applicant)
    def answer(self) -> None: ...

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=State.APPROVED,
        conditions=[rules.one_reviewer_decides, rules.matches_are_judged],
        permission=rules.assigned_reviewer,
    )
    def approve(self, *, reviewer_id: int, decision_id: UUID) -> None:
        self.decided_by_id, self.decision_id, self.decided_at = reviewer_id, decision_id, self.now

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=None,
        conditions=[rules.matches_are_open],
        permission=rules.assigned_reviewer,
    )
    def judge_match(self, *, assessment_id: UUID, tier: Tier, open_matches: int) -> None:
        self.assessment_id, self.tier, self.open_matches = assessment_id, tier, open_matches

    @transition(state, source=State.AUTHORITY_REVIEW, target=None, permission=rules.assigned_reviewer_or_senior)
    def change_tier(self, *, assessment_id: UUID, tier: Tier) -> None:
        self.assessment_id, self.tier = assessment_id, tier

    @transition(
        state,
        source=[State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED],
        target=None,
        permission=rules.senior_not_applicant,
    )
    def reassess(self, *, assessment_id: UUID, tier: Tier, open_matches: int) -> None:
        self.assessment_id, self.tier, self.open_matches = assessment_id, tier, open_matches

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=State.DECISION_PROPOSED,
        conditions=[rules.matches_are_judged, rules.specialists_were_heard, rules.other_reviewer_was_answered],
        permission=rules.assigned_reviewer,
    )
    def propose(self, *, reviewer_id: int, proposal_id: UUID, outcome: str, reply_until: datetime | None) -> None:
        self.proposed_by_id, self.proposal_id, self.proposed_outcome = reviewer_id, proposal_id, outcome
        self.reply_until, self.replied_at = reply_until, None

    @transition(
        state,
        source=[State.DECISION_PROPOSED, State.APPROVED],
        target=None,
        conditions=[rules.refusal_is_proposed, rules.reply_window_is_open],
        permission=rules.is_applicant,
    )
    def reply(self) -> None:
        self.replied_at = self.now

    @transition(
        state,
        source=State.DECISION_PROPOSED,
        target=RETURN_VALUE(State.APPROVED, State.DENIED),
        conditions=[rules.applicant_was_heard],
        permission=rules.senior_not_proposer,
    )
    def confirm(self, *, senior_id: int, decision_id: UUID) -> State:
        self.decided_by_id, self.confirmed_by_id = self.proposed_by_id, senior_id
        self.decision_id, self.decided_at = decision_id, self.now
        # A clearance on which the applicant was heard clears a part, and refuses the rest.
        self.refused_in_part = self.proposed_outcome == "approved" and self.reply_until is not None
        return State(self.proposed_outcome)

    @transition(
        state,
        source=State.DECISION_PROPOSED,
        target=State.AUTHORITY_REVIEW,
        permission=rules.senior_not_proposer,
    )
    def reject_proposal(self) -> None:
        self.proposed_by_id, self.proposal_id, self.proposed_outcome = None, None, ""
        self.reply_until, self.replied_at = None, None

    @transition(
        state,
        source=[State.AUTHORITY_REVIEW, State.DECISION_PROPOSED],
        target=None,
        conditions=[rules.was_not_extended],
        permission=rules.senior_not_assigned,
    )
    def extend(self, *, working_days: int) -> None:
        self.extension_days = working_days

    @transition(
        state,
        source=State.AUTHORITY_REVIEW,
        target=State.APPROVED,
        conditions=[rules.one_reviewer_decides, rules.is_deemed_approved],
        permission=rules.is_system,
    )
    def deem_approved(self, *, decision_id: UUID) -> None:
        self.decision_id, self.decided_at = decision_id, self.now

    @transition(state, source=sorted(OPEN), target=State.WITHDRAWN, permission=rules.is_applicant)
    def withdraw(self) -> None: ...

    @transition(
        state,
        source=[State.DRAFT, State.RETURNED, State.INFORMATION_REQUESTED],
        target=State.LAPSED,
        conditions=[rules.applicant_time_is_over],
        permission=rules.is_system,
    )
    def lapse(self) -> None:
        self.lapsed_from = self.state

    @transition(
        state,
        source=State.LAPSED,
        target=RETURN_VALUE(State.DRAFT, State.RETURNED, State.INFORMATION_REQUESTED),
        conditions=[rules.can_still_be_reopened],
        permission=rules.is_applicant,
    )
    def reopen(self) -> State:
        before, self.lapsed_from = State(self.lapsed_from), ""
        return before

    @transition(
        state,
        source=State.APPROVED,
        target=None,
        conditions=[rules.is_before_departure, rules.revocation_is_not_proposed],
        permission=rules.senior_not_applicant,
    )
    def propose_revocation(self, *, senior_id: int, proposal_id: UUID, reply_until: datetime) -> None:
        self.revocation_proposed_by_id, self.proposal_id = senior_id, proposal_id
        self.reply_until, self.replied_at = reply_until, None

    @transition(
        state,
        source=State.APPROVED,
        target=State.REVOKED,
        conditions=[rules.revocation_is_proposed, rules.is_before_departure, rules.heard_about_the_revocation],
        permission=rules.senior_not_revocation_proposer,
    )
    def revoke(self, *, senior_id: int, decision_id: UUID) -> None:
        self.decided_by_id, self.confirmed_by_id = self.revocation_proposed_by_id, senior_id
        self.decision_id, self.decided_at, self.revocation_proposed_by_id = decision_id, self.now, None
        self.open_amendment_id = None

    @transition(
        state,
        source=State.APPROVED,
        target=None,
        conditions=[rules.revocation_is_proposed],
        permission=rules.senior_not_revocation_proposer,
    )
    def reject_revocation(self) -> None:
        self.revocation_proposed_by_id, self.proposal_id = None, None
        self.reply_until, self.replied_at = None, None

    @transition(
        state,
        source=[State.DENIED, State.REVOKED, State.APPROVED],
        target=State.APPROVED,
        conditions=[rules.appeal_is_under_review],
        permission=rules.appeal_reviewer,
    )
    def overturn(self, *, reviewer_id: int, decision_id: UUID) -> None:
        self.decided_by_id, self.confirmed_by_id, self.refused_in_part = reviewer_id, None, False
        self.decision_id, self.decided_at = decision_id, self.now

    @transition(
        state,
        source=[State.COMPANY_REVIEW, State.AUTHORITY_REVIEW, State.INFORMATION_REQUESTED],
        target=None,
        permission=rules.is_applicant,
    )
    def amend(
        self,
        *,
        revision_id: UUID,
        assessment_id: UUID,
        tier: Tier,
        open_matches: int,
        departs_on: date,
        returns_on: date,
    ) -> None:
        self.revision_id, self.revision_number = revision_id, self.revision_number + 1
        self.assessment_id, self.tier, self.open_matches = assessment_id, tier, open_matches
        self.departs_on, self.returns_on = departs_on, returns_on

    @transition(
        state,
        source=State.APPROVED,
        target=None,
        conditions=[rules.trip_has_not_begun, rules.no_amendment_is_open],
        permission=rules.is_applicant,
    )
    def file_amendment(self, *, amendment_id: UUID) -> None:
        self.open_amendment_id = amendment_id

    @transition(
        state, source=State.APPROVED, target=None, conditions=[rules.amendment_is_open], permission=rules.is_applicant
    )
    def withdraw_amendment(self) -> None:
        self.open_amendment_id = None

    @transition(
        state,
        source=State.APPROVED,
        target=None,
        conditions=[rules.amendment_is_open, rules.amendment_waits_for_a_recommendation],
        permission=rules.reviewer_not_applicant,
    )
    def recommend_amendment(self) -> None: ...

    @transition(
        state,
        source=State.APPROVED,
        target=None,
        conditions=[rules.amendment_is_open],
        permission=rules.accepts_the_amendment,
    )
    def accept_amendment(
        self,
        *,
        revision_id: UUID,
        assessment_id: UUID,
        tier: Tier,
        departs_on: date,
        returns_on: date,
        reviewer_id: int,
        senior_id: int | None,
        decision_id: UUID,
    ) -> None:
        self.revision_id, self.revision_number = revision_id, self.revision_number + 1
        self.assessment_id, self.tier = assessment_id, tier
        self.departs_on, self.returns_on = departs_on, returns_on
        self.decided_by_id, self.confirmed_by_id = reviewer_id, senior_id
        self.decision_id, self.decided_at, self.open_amendment_id = decision_id, self.now, None

    @transition(
        state,
        source=State.APPROVED,
        target=None,
        conditions=[rules.amendment_is_open],
        permission=rules.reviewer_or_senior_not_applicant,
    )
    def return_amendment(self) -> None:
        self.open_amendment_id = None

    @transition(
        state,
        source=[State.APPROVED, State.CLOSED],
        target=None,
        conditions=[rules.can_be_reported],
        permission=rules.is_applicant,
    )
    def report_change(self, *, revision_id: UUID, departs_on: date, returns_on: date) -> None:
        self.revision_id, self.revision_number = revision_id, self.revision_number + 1
        self.departs_on, self.returns_on = departs_on, returns_on
        self.report_is_open = True

    @transition(
        state,
        source=[State.APPROVED, State.CLOSED],
        target=None,
        conditions=[rules.report_is_open],
        permission=rules.reviewer_or_senior_not_applicant,
    )
    def note_report(self) -> None:
        self.report_is_open = False

    @transition(state, source=State.APPROVED, target=State.CLOSED, permission=rules.is_applicant_or_clock_after_return)
    def close(self) -> None:
        self.open_amendment_id = None

    # What a clock does without moving the request.

    @transition(state, source=sorted(State), target=None, permission=rules.is_system)
    def remind(self) -> None: ...

    # Of the decision, of an appeal, or of the answer about a condition.
    @transition(
        state,
        source=[
            State.AUTHORITY_REVIEW,
            State.DECISION_PROPOSED,
            State.APPROVED,
            State.DENIED,
            State.REVOKED,
            State.CLOSED,
        ],
        target=None,
        permission=rules.is_system,
    )
    def escalate(self) -> None: ...
