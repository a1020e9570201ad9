"""The verbs. Every change to a travel request is one function here, called by pages, API, tasks and clocks alike.

Each verb promises to do all of it or nothing: the request, its history rows, its clocks, one audit entry and one outbox
row are written in one transaction. Each refuses with NotFound (not in the actor's scope), NotNow (state or condition),
NotAllowed (not this actor), Invalid (the input), and then nothing has moved. `at` is an aware datetime: the clock is
passed in, never read.
"""

from approvals.workflow.appeals import file_appeal, hear_appeal, overturn, uphold
from approvals.workflow.assessing import change_tier, judge_match, reassess
from approvals.workflow.by_clock import clock_step, forward, lapse
from approvals.workflow.company import decline, endorse, object, return_for_changes
from approvals.workflow.completeness import overlapping, problems
from approvals.workflow.consulting import consult, give_opinion
from approvals.workflow.deciding import Considered, Fact, Grounds, approve, confirm, propose, reject_proposal, reply
from approvals.workflow.gate import BESIDE, Made, available_actions, refusal, transitions
from approvals.workflow.information import Answer, agree_information, answer, ask_information
from approvals.workflow.items import attach_to_item, remove_from_item, save_item
from approvals.workflow.office import extend, hand_over, recuse, return_to_queue, take
from approvals.workflow.revoking import propose_revocation, revoke
from approvals.workflow.writing import (
    DRAFT_FIELDS,
    attach,
    close,
    keep_as_typed,
    refer,
    remove_attachment,
    reopen,
    save_section,
    start,
    submit,
    withdraw,
)

__all__ = [
    "BESIDE",
    "DRAFT_FIELDS",
    "Answer",
    "Considered",
    "Fact",
    "Grounds",
    "Made",
    "agree_information",
    "answer",
    "approve",
    "ask_information",
    "attach",
    "attach_to_item",
    "available_actions",
    "change_tier",
    "clock_step",
    "close",
    "confirm",
    "consult",
    "decline",
    "endorse",
    "extend",
    "file_appeal",
    "forward",
    "give_opinion",
    "hand_over",
    "hear_appeal",
    "judge_match",
    "keep_as_typed",
    "lapse",
    "object",
    "overlapping",
    "overturn",
    "problems",
    "propose",
    "propose_revocation",
    "reassess",
    "recuse",
    "refer",
    "refusal",
    "reject_proposal",
    "remove_attachment",
    "remove_from_item",
    "reopen",
    "reply",
    "return_for_changes",
    "return_to_queue",
    "revoke",
    "save_item",
    "save_section",
    "start",
    "submit",
    "take",
    "transitions",
    "uphold",
    "withdraw",
]
