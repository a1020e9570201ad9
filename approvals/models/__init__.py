"""The travel request and everything that happens to it."""

from approvals.models.appeal import Appeal
from approvals.models.clock import Clock, ClockAction
from approvals.models.decision import (
    Condition,
    Consultation,
    Decision,
    Extension,
    Opinion,
    Proposal,
    ProposalRejection,
    Reply,
)
from approvals.models.information import InformationAnswer, InformationRequest, ItemDraft
from approvals.models.itinerary import Attachment, DraftInput, Leg
from approvals.models.paper import Clearance, Paper, PaperKind, PaperOrder
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
    "Clearance",
    "Clock",
    "ClockAction",
    "CompanyReview",
    "Condition",
    "Consultation",
    "Decision",
    "DraftInput",
    "Escalation",
    "Extension",
    "InformationAnswer",
    "InformationRequest",
    "ItemDraft",
    "Leg",
    "MatchJudgement",
    "Opinion",
    "Paper",
    "PaperKind",
    "PaperOrder",
    "Proposal",
    "ProposalRejection",
    "Recusal",
    "Reply",
    "Revision",
    "TravelRequest",
]
