"""The assessment is changed by people, for reasons that the applicant receives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.refusals import Invalid, NotAllowed, NotNow, Problem
from accounts.roles import Actor
from approvals import assessment, queries, rules
from approvals.models import (
    Assessment,
    MatchJudgement,
    Revision,
    TravelRequest,
)
from approvals.states import Route, Tier
from approvals.workflow.gate import Taking, move, required
from sensitivity import matching


def judge_match(
    request_id: UUID, *, actor: Actor, at: datetime, key: str, confirmed: bool, reason: str
) -> TravelRequest:
    """Say of a possible match (`PossibleHit.key`) whether it is the listed organisation. Confirmed, it is a hit from
    now on, and the tier can rise; dismissed, it counts for nothing. The applicant sees both, with the reason.

    Invalid without a reason, and for a match that is not waiting (any more).
    """
    why = required(reason, "reason", _("Say how you know; the applicant reads it."))

    def prepare(step: Taking) -> Mapping[str, Any]:
        before = _assessment(step)
        waiting = {one.key: one for one in map(matching.possible_from, before.possible)}
        if key not in waiting:
            raise Invalid([Problem("", "key", _("This possible match has an answer already."))])
        one = waiting[key]
        step.add(
            MatchJudgement,
            assessment=before,
            key=key,
            written=one.written,
            name=one.name,
            confirmed=confirmed,
            reason=why,
        )
        finding = assessment.conclude(
            hits=map(matching.hit_from, before.hits),
            possible=waiting.values(),
            answers={key: confirmed},
            departs_on=step.request.departs_on,  # type: ignore[arg-type]
            returns_on=step.request.returns_on,  # type: ignore[arg-type]
        )
        # A match never lowers what a person or the lists have set before.
        tier = max(finding.tier, Tier(step.request.tier), key=list(Tier).index)
        values = finding.as_values() | {
            "tier": tier,
            "route": rules.route_for(tier),
            "versions": before.versions,
            "took_us": None,
        }
        assessed = step.add(
            Assessment, revision_id=before.revision_id, cause=Assessment.Cause.MATCH_JUDGED, reason=why, **values
        )
        step.data |= {"confirmed": confirmed, "tier": tier.value, "assessment": str(assessed.pk)}
        return {"assessment_id": assessed.pk, "tier": tier, "open_matches": len(finding.possible)}

    return move("judge_match", request_id, actor=actor, at=at, prepare=prepare)


def _assessment(step: Taking) -> Assessment:
    """The assessment in force of the request being moved."""
    assert step.request.assessment_id is not None
    return Assessment.objects.get(pk=step.request.assessment_id)


def change_tier(request_id: UUID, *, actor: Actor, at: datetime, tier: Tier, reason: str) -> TravelRequest:
    """Raise or lower the tier of a request, for a reason that the applicant receives. What the lists said stays.

    The due date becomes that of the new tier, counted from the same day. Invalid without a reason and for the tier that
    it has; NotAllowed for the assigned reviewer who would so become the only one to decide (a senior can do it);
    NotNow for raising a case that is overdue: a higher tier does not mend lateness.
    """
    why = required(reason, "reason", _("Give the reason; the applicant receives it."))

    def prepare(step: Taking) -> Mapping[str, Any]:
        request, was = step.request, Tier(step.request.tier)
        if tier == was:
            raise Invalid([Problem("", "tier", _("The request has this tier already."))])
        rises = list(Tier).index(tier) > list(Tier).index(was)
        one_person = rules.route_for(tier) is Route.ONE_REVIEWER
        if one_person and rules.route_for(was) is not Route.ONE_REVIEWER and rules.is_assigned_reviewer(request, actor):
            raise NotAllowed(
                _("Lowered to this tier you would decide alone on your own word. A senior reviewer can lower it.")
            )
        if rises and request.due_at is not None and request.due_at <= at:
            raise NotNow(_("The case is overdue. A higher tier would only hide that it is late."))
        before = _assessment(step)
        assessed = step.add(
            Assessment,
            revision_id=before.revision_id,
            cause=Assessment.Cause.TIER_CHANGED,
            reason=why,
            tier=tier,
            route=rules.route_for(tier),
            days=before.days,
            hits=before.hits,
            possible=before.possible,
            versions=before.versions,
        )
        step.data |= {"tier_before": was.value, "tier": tier.value, "assessment": str(assessed.pk)}
        return {"assessment_id": assessed.pk, "tier": tier}

    return move("change_tier", request_id, actor=actor, at=at, prepare=prepare)


def reassess(request_id: UUID, *, actor: Actor, at: datetime, reason: str = "") -> TravelRequest:
    """Assess a submitted revision anew with the lists in force now: a senior's choice, never the list's (fair
    process, 25). Down at once; up only with a reason, which the applicant receives.

    Invalid without that reason; NotNow when the result is what it is already.
    """

    def prepare(step: Taking) -> Mapping[str, Any]:
        request, before = step.request, _assessment(step)
        assert request.departs_on is not None
        assert request.returns_on is not None
        revision = Revision.objects.get(pk=before.revision_id)
        finding = assessment.assess_facts(
            assessment.facts_from(revision.content, company_id=request.company_id),
            on=request.today,
            departs_on=request.departs_on,
            returns_on=request.returns_on,
            answers=queries.match_answers(request.pk),
        )
        was = Tier(request.tier)
        rises = list(Tier).index(finding.tier) > list(Tier).index(was)
        if finding.tier == was and [hit.as_data() for hit in finding.hits] == before.hits:
            raise NotNow(_("The lists of today say the same as the assessment in force."))
        if rises and not reason.strip():
            raise Invalid(
                [Problem("", "reason", _("The tier would rise. Give the reason; the applicant receives it."))]
            )
        assessed = step.add(
            Assessment,
            revision=revision,
            cause=Assessment.Cause.REASSESSED,
            reason=reason.strip(),
            **finding.as_values(),
        )
        step.data |= {"tier_before": was.value, "tier": finding.tier.value, "assessment": str(assessed.pk)}
        return {"assessment_id": assessed.pk, "tier": finding.tier, "open_matches": len(finding.possible)}

    return move("reassess", request_id, actor=actor, at=at, prepare=prepare)
