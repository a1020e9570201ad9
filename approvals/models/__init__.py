"""The travel request and everything that happens to it."""

from approvals.models.amendment import Amendment
from approvals.models.appeal import Appeal, AppealDocument, AppealStatement, HearingNote, HearingOffice
from approvals.models.clock import Clock, ClockAction
from approvals.models.conditions import Condition, ConditionStep
from approvals.models.conflicts import Conflict, ConflictDeclaration, OtherReviewerAnswer, OtherReviewerRequest
from approvals.models.decision import (
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
    "Amendment",
    "Appeal",
    "AppealDocument",
    "AppealStatement",
    "Assessment",
    "Assignment",
    "Attachment",
    "Clearance",
    "Clock",
    "ClockAction",
    "CompanyReview",
    "Condition",
    "ConditionStep",
    "Conflict",
    "ConflictDeclaration",
    "Consultation",
    "Decision",
    "DraftInput",
    "Escalation",
    "Extension",
    "HearingNote",
    "HearingOffice",
    "InformationAnswer",
    "InformationRequest",
    "ItemDraft",
    "Leg",
    "MatchJudgement",
    "Opinion",
    "OtherReviewerAnswer",
    "OtherReviewerRequest",
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
