"""The travel request and everything that happens to it."""

from approvals.models.appeal import Appeal
from approvals.models.clock import Clock, ClockAction
from approvals.models.decision import Condition, Decision, Extension, Proposal, ProposalRejection, Reply
from approvals.models.information import InformationAnswer, InformationRequest
from approvals.models.itinerary import Attachment, DraftInput, Leg
from approvals.models.review import (
    Assessment,
    Assignment,
    CompanyReview,
    Escalation,
    MatchJudgement,
    Recusal,
    Revision,
)
from approvals.models.travel_request import TravelRequest

__all__ = [
    "Appeal",
    "Assessment",
    "Assignment",
    "Attachment",
    "Clock",
    "ClockAction",
    "CompanyReview",
    "Condition",
    "Decision",
    "DraftInput",
    "Escalation",
    "Extension",
    "InformationAnswer",
    "InformationRequest",
    "Leg",
    "MatchJudgement",
    "Proposal",
    "ProposalRejection",
    "Recusal",
    "Reply",
    "Revision",
    "TravelRequest",
]
