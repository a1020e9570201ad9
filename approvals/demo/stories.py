"""What becomes of each request: a fate, laid out as acts of people with working days between them.

What only a clock does (forward, lapse, escalate, deem approved, close) is in no story: the clocks do it when the
story leaves them the time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from approvals import workflow
from approvals.demo.grounds import points_at
from approvals.models.decision import Measure
from approvals.models.information import Item
from approvals.states import Tier
from approvals.workflow import Obligation

FAST, STANDARD = Tier.FAST, Tier.STANDARD
ONE_DECIDES = (Tier.FAST, Tier.STANDARD)
TWO_DECIDE = (Tier.HEIGHTENED, Tier.RESTRICTED)
ANY = tuple(Tier)
BUSINESS = ("conference", "conference", "conference", "business", "study")
PERSONAL = ("personal",)
URGENT = ("urgent_humanitarian",)
RESEMBLING = ("resembling",)
MIXED = (*BUSINESS, *BUSINESS, *PERSONAL)

# How many working days a reviewer may take in all before the clock runs out, with a day to spare.
_BUDGET = {Tier.FAST: 2, Tier.STANDARD: 8, Tier.HEIGHTENED: 15, Tier.RESTRICTED: 15}


@dataclass(frozen=True, slots=True)
class Act:
    """One verb, by whom, so many working days after the act before it (0: later on the same day)."""

    verb: str
    who: str
    gap: int = 0
    values: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Telling:
    """What a story is told with: its own random numbers, the tier of the trip, the language of the applicant; and what
    the trip says of itself, where a ground has to point at it."""

    random: Random
    tier: Tier
    language: str
    content: Mapping[str, Any] = field(default_factory=dict)

    def say(self, topic: str) -> str:
        """A sentence on `topic`."""
        return str(self.random.choice(TEXTS[topic])[0 if self.language == "zh" else 1])


Plot = Callable[[Telling], list[Act]]


# What people write: (Chinese, English).
TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    "return": (
        (
            "请补充会议日程，并说明是否介绍未发表的工作。",
            "Please add the programme and say whether unpublished work is shown.",
        ),
        ("返程日期与机票不一致，请更正。", "The day of return does not agree with the ticket; please correct it."),
    ),
    "decline": (
        ("本季度差旅预算已用完。", "The travel budget of this quarter is used up."),
        ("项目交付期间不宜外出。", "The project is being delivered in that week."),
    ),
    "object": (("该员工在此期间负责上线值班。", "The employee is on duty for a release in these days."),),
    "endorse": (("", ""), ("", ""), ("同意，材料已由项目组审阅。", "Supported; the project has reviewed the slides.")),
    "reason": (("需确认接待单位与交流内容。", "To see who the host is and what is discussed."),),
    "question": (
        ("请说明费用由谁承担。", "Who pays for the trip?"),
        ("请提供报告幻灯片。", "Please provide the slides of the talk."),
        ("与接待单位此前有过哪些合作？", "What have you done with the host before?"),
    ),
    "answer": (
        ("由公司承担，合同编号见附件。", "The company pays; the contract is attached."),
        ("幻灯片只含已公开的结果。", "The slides hold published results only."),
        ("此前没有合作。", "Nothing so far."),
    ),
    "approval": (
        ("行程完整，内容均已公开。", "The itinerary is complete and everything is published work."),
        ("未见需限制的内容。", "Nothing that would have to be restricted."),
    ),
    "condition": (
        ("只使用不含工作资料的旅行电脑。", "Use the travel laptop without work data only."),
        ("报告内容以附件中的幻灯片为限。", "The talk keeps to the slides that are attached."),
        ("返程后十日内提交简要说明。", "A short report within ten days of the return."),
    ),
    "change_reason": (
        ("主办方取消了最后一天的议程。", "The organisers cancelled the last day."),
        ("回程航班已取消，改为提前一天返回。", "My return flight was cancelled; I come home a day earlier."),
    ),
    "change_returned": (
        ("变更后的日期已不在会议期间。", "On these days the conference is over."),
        (
            "变更后的行程与所批准的事由不同，请另行申请。",
            "This is another trip than the one cleared; please ask for it anew.",
        ),
    ),
    "obligation": (
        ("出发前向公司提交全部幻灯片。", "Give all slides to the company."),
        ("与安全团队面谈一次。", "Talk to the security team once."),
    ),
    "reported": (
        ("已于昨日完成。", "Done yesterday."),
        ("已提交，公司已确认。", "Sent, and the company confirmed it."),
    ),
    "sent_back": (("缺少第二部分。", "The second part is missing."),),
    "cannot": (("主办方不提供相关材料。", "The organisers do not give it out."),),
    "condition_upheld": (("可用摘要代替，请在期限内完成。", "A summary will do; please meet it in time."),),
    "reply": (
        ("我可以不参加该环节，并提供修改后的日程。", "I can leave out that session and provide a changed programme."),
        ("所述内容已于上月公开发表，链接见附件。", "What is named was published last month; the link is attached."),
    ),
    "consult": (
        ("所述方法是否属于清单所列技术？", "Is what is described among the technologies of the list?"),
        ("请评估现场演示的敏感程度。", "Please assess how sensitive the demonstration on site is."),
    ),
    "opinion": (
        ("内容均已公开，未见需限制之处。", "All of it is published; nothing would have to be restricted."),
        ("在不演示未公开部分的前提下可以成行。", "The trip can be made as long as nothing unpublished is shown."),
    ),
    "reject": (("请再考虑缩短行程的可能。", "Please look again at a shorter trip."),),
    "extension": (("需等待专业办公室的意见。", "The opinion of the specialist office is awaited."),),
    "hand_over": (("原审核人休假。", "The reviewer is on leave."),),
    "recuse": (("与申请人曾为同事。", "A former colleague of the applicant."),),
    "appeal": (
        ("决定所依据的议程已取消，请重新考虑。", "The session that the decision rests on was cancelled."),
        ("内容已公开发表，不属于清单范围。", "The work is published and so not within the list."),
    ),
    "hearing": (
        (
            "申请人说明：该环节已由主办方取消，并出示通知原件。",
            "The applicant explained that the organisers cancelled the session, and showed their notice.",
        ),
    ),
    "comment": (("记录属实；通知日期为上月二十八日。", "The note is right; the notice is of the 28th of last month."),),
    "asked_in_appeal": (("请说明取消通知由谁发出。", "Who sent the notice of the cancellation?"),),
    "answered_in_appeal": (
        ("由会议秘书处发出，联系方式见附件。", "The secretariat of the conference; its address is on it."),
    ),
    "other_reviewer": (
        ("该审查员曾与我在同一项目中有过争议。", "The reviewer and I were at odds in a project years ago."),
    ),
    "reviewer_stays": (
        ("已核实：该审查员与申请人无利害关系。", "It was looked into: there is no conflict of interest that is known."),
    ),
    "revocation_reply": (
        (
            "公告不涉及我要去的城市，请维持许可。",
            "The notice does not concern my city; please leave the clearance in force.",
        ),
    ),
    "clearance_stays": (("公告不涉及本次行程。", "The notice does not concern this trip."),),
    "upheld": (("申诉未提出新的事实，原决定成立。", "The appeal brings no new facts; the decision stands."),),
    "same": (
        (
            "与清单所列为同一单位：官网所载注册号一致。",
            "It is the listed organisation: the registration number on its site agrees.",
        ),
        ("申请人来电确认，只是写法不同。", "The applicant confirmed by telephone that only the spelling differs."),
    ),
    "another": (
        ("注册地与业务均不同，不是清单所列单位。", "Seat and business differ; it is not the listed organisation."),
        (
            "经查为同名的另一家单位，与清单无关。",
            "It is another organisation with a similar name, which no list names.",
        ),
    ),
    "lowered": (
        (
            "报告只含已发表内容，清单所述情形不存在，可按标准程序办理。",
            "The talk holds published work only; what the entry is about does not arise; the standard route will do.",
        ),
        ("申请人不参加相关环节，风险已消除。", "The applicant leaves out the session concerned, which settles it."),
    ),
    "raised": (
        (
            "行程含未列入清单的闭门演示，需由两人审核。",
            "The programme has a closed demonstration that no list names yet; two people should look at it.",
        ),
    ),
    "reassessed": (
        (
            "清单已更新，按现行版本重新评估，以便同类申请同等对待。",
            "The list has changed since; assessed anew so that cases of the same kind are treated alike.",
        ),
    ),
    "overturned": (("经核实，该环节已取消，原理由不再成立。", "The session was cancelled; the ground is gone."),),
}

# (reason code, reasons, facts), each in Chinese and English; then why no milder measure does, in the order of Measure.
_REFUSALS = (
    (
        "TEC-01",
        (
            "拟介绍的训练方法尚未公开，属清单所列技术。",
            "The training method to be shown is not published and is on the list.",
        ),
        ("附件幻灯片第12至15页。", "Slides 12 to 15 of the attachment."),
        (
            ("要求删去该部分后，报告无法成立。", "The talk does not hold without the part that would be left out."),
            ("报告安排在行程第一天。", "The talk is on the first day."),
            ("报告在每个地点都要作。", "The talk is given in every place."),
        ),
    ),
    (
        "EVT-01",
        ("活动第二天为非公开环节。", "The second day of the event is a closed session."),
        ("主办方日程，第二天下午。", "The programme of the organisers, second afternoon."),
        (
            ("主办方不允许旁听者中途退出。", "The organisers let nobody leave the session."),
            ("其余日期没有申请人的安排。", "Nothing is planned for the other days."),
            ("活动只在这一地点举行。", "The event is in this place only."),
        ),
    ),
)
_REVOCATIONS = (
    (
        "DST-01",
        ("批准后目的地发布了新的限制公告。", "A new restriction for the destination was published after the approval."),
        ("公告见公布的目的地清单。", "The notice is in the published list of destinations."),
        (
            ("公告不允许附条件通行。", "The notice knows no exception under conditions."),
            ("公告涵盖全部日期，活动日期固定。", "It covers all days, and those of the event are fixed."),
            ("其余地点经由该地到达。", "The other places are reached through this one."),
        ),
    ),
)


# For a trip without subjects and events: a place it has.
_ELSEWHERE = (
    "DST-01",
    ("目的地在行程期间有现行限制公告。", "A restriction for the destination is in force on the days of the trip."),
    ("公告见公布的目的地清单。", "The notice is in the published list of destinations."),
    (
        ("公告不允许附条件通行。", "The notice knows no exception under conditions."),
        ("公告涵盖全部日期，申请人无法改期。", "It covers all days, and the applicant cannot move them."),
        ("其余地点经由该地到达。", "The other places are reached through this one."),
    ),
)


def _grounds(told: Telling, choices: tuple[Any, ...] = _REFUSALS) -> workflow.Grounds:
    fitting = [one for one in choices if points_at(one[0], told.content)] or [_ELSEWHERE]
    code, text, facts, milder = told.random.choice(fitting)
    index = 0 if told.language == "zh" else 1
    measures = [one for one in Measure.values if one != Measure.OTHER]
    considered = [workflow.Considered(measure=one, why=why[index]) for one, why in zip(measures, milder, strict=True)]
    relied_on = [workflow.Fact(part="place-0", fact=facts[index])]
    return workflow.Grounds(text=text[index], reason_codes=[code], relied_on=relied_on, measures=considered)


# ── pieces of stories ───────────────────────────────────────────────────────────────────────────────────────────────


def _begin(told: Telling) -> list[Act]:
    acts = [Act("start", "applicant"), Act("fill", "applicant")]
    if told.random.random() < 0.3:
        acts.append(Act("attach", "applicant"))
    return acts


def _submitted(told: Telling) -> list[Act]:
    return [*_begin(told), Act("submit", "applicant", told.random.choice((0, 0, 1)))]


def _endorsed(told: Telling) -> list[Act]:
    endorse = Act("endorse", "officer", told.random.choice((0, 1, 1, 2)), {"comment": told.say("endorse")})
    return [*_submitted(told), endorse]


def _take(told: Telling, gap: int | None = None) -> Act:
    return Act("take", "reviewer", told.random.choice((0, 1)) if gap is None else gap, {"no_conflict": True})


def _taken(told: Telling) -> list[Act]:
    return [*_endorsed(told), _take(told)]


def _conditions(told: Telling) -> list[str]:
    return [told.say("condition")] if told.random.random() < 0.3 else []


def question(told: Telling) -> dict[str, Any]:
    """What a specialist office is asked; which, the loading knows."""
    return {"question": told.say("consult")}


def opinion(told: Telling) -> dict[str, Any]:
    """What it answers."""
    outcome = told.random.choice(("favourable", "favourable", "with_conditions", "unfavourable"))
    return {"outcome": outcome, "reasons": told.say("opinion")}


def _consulted(told: Telling) -> list[Act]:
    """A restricted case is put before the specialists, who answer in time; others are not."""
    if told.tier is not Tier.RESTRICTED:
        return []
    asked = Act("consult", "reviewer", 0, question(told))
    return [asked, Act("give_opinion", "specialist", told.random.choice((1, 2, 3)), opinion(told))]


def _decide(told: Telling, *, conditions: list[str] | None = None) -> list[Act]:
    """From taken to approved, the way that the tier asks for."""
    chosen = _conditions(told) if conditions is None else conditions
    gap = told.random.randint(0, max(1, _BUDGET[told.tier] // 2))
    if told.tier in ONE_DECIDES:
        return [
            Act(
                "approve",
                "reviewer",
                min(gap, 1) if told.tier is FAST else gap,
                {"text": told.say("approval"), "conditions": chosen},
            )
        ]
    return [
        *_consulted(told),
        _propose_approval(told, gap, chosen),
        Act("confirm", "senior", told.random.choice((0, 1, 2))),
    ]


def _propose_approval(told: Telling, gap: int, conditions: list[str]) -> Act:
    grounds = workflow.Grounds(text=told.say("approval"))
    return Act("propose", "reviewer", gap, {"outcome": "approved", "grounds": grounds, "conditions": conditions})


def _propose_denial(told: Telling) -> Act:
    return Act("propose", "reviewer", told.random.randint(1, 3), {"outcome": "denied", "grounds": _grounds(told)})


def _ask(told: Telling, items: int = 2) -> Act:
    """Questions to answer in words, and beside them which of two laptops; or, alone, a question in words."""
    place = 0 if told.language == "zh" else 1
    asked: list[Item] = [Item(question=text[place]) for text in told.random.sample(TEXTS["question"], items)]
    if items > 1:
        asked[-1] = Item(question=_LAPTOP[0][place], kind="choice", options=tuple(one[place] for one in _LAPTOP[1:]))
    gap = told.random.choice((0, 1))
    return Act("ask_information", "reviewer", gap, {"items": asked, "reason": told.say("reason")})


_LAPTOP = (
    ("携带哪一台电脑？", "Which laptop do you carry?"),
    ("不含工作资料的旅行电脑", "The travel laptop without work data"),
    ("不携带电脑", "None"),
)


def _answer(told: Telling, items: int = 2) -> Act:
    answers = [told.say("answer") for _item in range(items)]
    if items > 1:
        answers[-1] = told.random.choice(_LAPTOP[1:])[0 if told.language == "zh" else 1]
    return Act("answer", "applicant", told.random.randint(1, 5), {"answers": answers})


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def draft(told: Telling) -> list[Act]:
    return [Act("start", "applicant"), Act(told.random.choice(("fill", "fill_partly", "fill_wrongly")), "applicant")]


def company_review(told: Telling) -> list[Act]:
    return _submitted(told)


def returned(told: Telling) -> list[Act]:
    comment = told.say("return")
    return [*_submitted(told), Act("return_for_changes", "officer", told.random.choice((0, 1)), {"comment": comment})]


def resubmitted(told: Telling) -> list[Act]:
    again = [Act("fill", "applicant", told.random.randint(1, 4)), Act("submit", "applicant")]
    return [*returned(told), *again]


def declined(told: Telling) -> list[Act]:
    return [
        *_submitted(told),
        Act("decline", "officer", told.random.choice((0, 1, 2)), {"comment": told.say("decline")}),
    ]


def referred(told: Telling) -> list[Act]:
    return [*declined(told), Act("refer", "applicant", told.random.randint(1, 6))]


def referred_approved(told: Telling) -> list[Act]:
    return [*referred(told), _take(told), *_decide(told)]


def objected(told: Telling) -> list[Act]:
    return [*_submitted(told), Act("object", "officer", told.random.choice((0, 1)), {"comment": told.say("object")})]


def with_office(told: Telling) -> list[Act]:
    return _endorsed(told)


def taken(told: Telling) -> list[Act]:
    return _taken(told)


def forwarded(told: Telling) -> list[Act]:
    """The company is silent for its three working days; then a reviewer takes the case."""
    return [*_submitted(told), _take(told, gap=4 if told.tier is FAST else 5)]


def information(told: Telling) -> list[Act]:
    return [*_taken(told), _ask(told)]


def answered(told: Telling) -> list[Act]:
    return [*information(told), _answer(told)]


def second_round(told: Telling) -> list[Act]:
    agreed = Act("agree_information", "senior", told.random.choice((0, 1)))
    return [*answered(told), agreed, _ask(told, 1)]


def extended(told: Telling) -> list[Act]:
    values = {"working_days": told.random.randint(3, 10), "reason": told.say("extension")}
    return [*_taken(told), Act("extend", "senior", _BUDGET[told.tier] // 2, values)]


def extended_and_asked(told: Telling) -> list[Act]:
    """Its clock was extended, and stands still."""
    return [*extended(told), _ask(told)]


def handed_over(told: Telling) -> list[Act]:
    return [*_taken(told), Act("hand_over", "senior", told.random.choice((0, 1)), {"reason": told.say("hand_over")})]


def recused(told: Telling) -> list[Act]:
    again = Act("take", "other_reviewer", 0, {"no_conflict": True})
    return [*_taken(told), Act("recuse", "reviewer", 0, {"reason": told.say("recuse")}), again]


def proposed(told: Telling) -> list[Act]:
    gap = told.random.randint(1, 6)
    return [*_taken(told), *_consulted(told), _propose_approval(told, gap, _conditions(told))]


def given_back(told: Telling) -> list[Act]:
    return [*proposed(told), Act("reject_proposal", "senior", told.random.choice((1, 2)), {"note": told.say("reject")})]


def denial_proposed(told: Telling) -> list[Act]:
    return [*_taken(told), *_consulted(told), _propose_denial(told)]


def denial_replied(told: Telling) -> list[Act]:
    return [*denial_proposed(told), _reply(told)]


def _reply(told: Telling) -> Act:
    """Half of them with a document, some with the help of somebody."""
    values: dict[str, Any] = {"text": told.say("reply"), "with_a_file": told.random.random() < 0.5}
    if told.random.random() < 0.3:
        zh = told.language == "zh"
        helper, relation = ("方言律师", "律师") if zh else ("Fang Yan", "lawyer")
        values |= {"helper_name": helper, "helper_relation": relation, "helper_agrees": True}
    return Act("reply", "applicant", told.random.randint(1, 3), values)


def part_proposed(told: Telling) -> list[Act]:
    """Fewer days or places than asked for: proposed, with the grounds for what is left out."""
    values = {"outcome": "approved", "grounds": _grounds(told), "in_part": True}
    return [*_taken(told), *_consulted(told), Act("propose", "reviewer", told.random.randint(1, 3), values)]


def approved_in_part(told: Telling) -> list[Act]:
    return [*part_proposed(told), Act("confirm", "senior", 7)]


def consultation_open(told: Telling) -> list[Act]:
    return [*_taken(told), Act("consult", "reviewer", 1, question(told))]


def opinion_late(told: Telling) -> list[Act]:
    """The five working days of the specialists pass before they answer."""
    return [*consultation_open(told), Act("give_opinion", "specialist", 7, opinion(told))]


def approved(told: Telling) -> list[Act]:
    return [*_taken(told), *_decide(told)]


def approved_with_conditions(told: Telling) -> list[Act]:
    return [*_taken(told), *_decide(told, conditions=[told.say("condition")])]


def approved_after_answer(told: Telling) -> list[Act]:
    return [*answered(told), *_decide(told)]


def cancelled(told: Telling) -> list[Act]:
    """Cleared, and then the applicant stays at home."""
    return [*approved(told), Act("close", "applicant", told.random.randint(1, 5))]


def denied(told: Telling) -> list[Act]:
    """The applicant is heard: with a reply, or by the five working days passing."""
    if told.random.random() < 0.6:
        return [*denial_replied(told), Act("confirm", "senior", told.random.choice((0, 1, 2)))]
    return [*denial_proposed(told), Act("confirm", "senior", told.random.choice((6, 7)))]


def appealed(told: Telling) -> list[Act]:
    return [*denied(told), Act("file_appeal", "applicant", told.random.randint(2, 10), {"text": told.say("appeal")})]


def appeal_heard(told: Telling) -> list[Act]:
    return [*appealed(told), Act("hear_appeal", "appeal_reviewer", told.random.randint(1, 4), {"no_conflict": True})]


def appeal_with_a_hearing(told: Telling) -> list[Act]:
    """A hearing is noted and commented on; a question is answered."""
    heard = "申请人" if told.language == "zh" else "The applicant"
    return [
        *appeal_heard(told),
        Act(
            "note_hearing", "appeal_reviewer", told.random.randint(1, 3), {"heard": heard, "text": told.say("hearing")}
        ),
        Act("comment_on_hearing", "applicant", 1, {"text": told.say("comment")}),
        Act("ask_in_appeal", "appeal_reviewer", 0, {"text": told.say("asked_in_appeal")}),
        Act("answer_in_appeal", "applicant", 1, {"text": told.say("answered_in_appeal")}),
        Act("add_to_appeal", "applicant"),
    ]


def appeal_withdrawn(told: Telling) -> list[Act]:
    return [*appeal_heard(told), Act("withdraw_appeal", "applicant", told.random.randint(1, 4))]


def upheld(told: Telling) -> list[Act]:
    return [
        *appeal_heard(told),
        Act("uphold", "appeal_reviewer", told.random.randint(3, 12), {"text": told.say("upheld")}),
    ]


def overturned(told: Telling) -> list[Act]:
    text = {"text": told.say("overturned")}
    return [*appeal_heard(told), Act("overturn", "appeal_reviewer", told.random.randint(3, 12), text)]


def revocation_proposed(told: Telling) -> list[Act]:
    grounds = {"grounds": _grounds(told, _REVOCATIONS)}
    return [*approved(told), Act("propose_revocation", "second_senior", told.random.randint(2, 8), grounds)]


def revoked(told: Telling) -> list[Act]:
    return [*revocation_replied(told), Act("revoke", "senior", told.random.choice((0, 1)))]


def revocation_replied(told: Telling) -> list[Act]:
    """Heard while the clearance is in force."""
    reply = Act("reply", "applicant", told.random.choice((1, 2)), {"text": told.say("revocation_reply")})
    return [*revocation_proposed(told), reply]


def revocation_rejected(told: Telling) -> list[Act]:
    return [*revocation_replied(told), Act("reject_revocation", "senior", 1, {"note": told.say("clearance_stays")})]


def other_reviewer(told: Telling) -> list[Act]:
    """The applicant asks for another reviewer."""
    return [*_taken(told), Act("ask_other_reviewer", "applicant", 1, {"reason": told.say("other_reviewer")})]


def other_reviewer_granted(told: Telling) -> list[Act]:
    return [*other_reviewer(told), Act("hand_over", "senior", 1, {"reason": told.say("hand_over")})]


def other_reviewer_refused(told: Telling) -> list[Act]:
    return [*other_reviewer(told), Act("keep_reviewer", "senior", 1, {"reason": told.say("reviewer_stays")})]


def revoked_appealed(told: Telling) -> list[Act]:
    return [*revoked(told), Act("file_appeal", "applicant", told.random.randint(1, 4), {"text": told.say("appeal")})]


def withdrawn(told: Telling) -> list[Act]:
    before = told.random.choice((company_review, returned, taken, information, denial_proposed))
    return [*before(told), Act("withdraw", "applicant", told.random.choice((0, 1)))]


def reopened(told: Telling) -> list[Act]:
    """The time to change ran out ten working days after it was returned."""
    return [*returned(told), Act("reopen", "applicant", told.random.randint(13, 18))]


def urgent(told: Telling) -> list[Act]:
    return _begin(told) + [Act("submit", "applicant")]


def urgent_approved(told: Telling) -> list[Act]:
    """Within a working day; no company in between."""
    acts = [*urgent(told), _take(told, gap=0)]
    if told.tier in ONE_DECIDES:
        return [*acts, Act("approve", "reviewer", 0, {"text": told.say("approval")})]
    return [*acts, _propose_approval(told, 0, []), Act("confirm", "senior", 0)]


# ── stories of changes ──────────────────────────────────────────────────────────────────────────────────────────────


def _change(told: Telling, gap: int = 1) -> Act:
    return Act("change", "applicant", gap, {"reason": told.say("change_reason")})


def amended(told: Telling) -> list[Act]:
    """The trip changes while the office looks at it."""
    return [*_taken(told), _change(told, 0)]


def change_open(told: Telling) -> list[Act]:
    return [*approved(told), _change(told)]


def change_accepted(told: Telling) -> list[Act]:
    return [*change_open(told), Act("accept_amendment", "reviewer", 1)]


def change_returned(told: Telling) -> list[Act]:
    return [*change_open(told), Act("return_amendment", "reviewer", 2, {"text": told.say("change_returned")})]


def change_withdrawn(told: Telling) -> list[Act]:
    return [*change_open(told), Act("withdraw_amendment", "applicant", 1)]


# ── stories of conditions ───────────────────────────────────────────────────────────────────────────────────────────


def _obliged(told: Telling, owner: str = "applicant", *, due: str = "departure") -> list[Act]:
    """Cleared, under one condition that somebody has to meet."""
    one = Obligation(text=told.say("obligation"), owner=owner, due=due)
    values = {"text": told.say("approval"), "conditions": [one]}
    return [*_taken(told), Act("approve", "reviewer", 1, values)]


def condition_open(told: Telling) -> list[Act]:
    return _obliged(told, "company")


def condition_reported(told: Telling) -> list[Act]:
    return [*_obliged(told), Act("report_condition", "applicant", 1, {"text": told.say("reported")})]


def condition_sent_back(told: Telling) -> list[Act]:
    return [*condition_reported(told), Act("send_back_condition", "reviewer", 1, {"text": told.say("sent_back")})]


def condition_released(told: Telling) -> list[Act]:
    return [*condition_reported(told), Act("release_condition", "reviewer", 1)]


def condition_impossible(told: Telling) -> list[Act]:
    return [*_obliged(told), Act("cannot_comply", "applicant", 1, {"text": told.say("cannot")})]


def condition_upheld(told: Telling) -> list[Act]:
    answer = {"outcome": "upheld", "text": told.say("condition_upheld")}
    return [*condition_impossible(told), Act("answer_condition", "reviewer", 1, answer)]


def condition_overdue(told: Telling) -> list[Act]:
    """The trip is over, and closed, and the report is still owed."""
    return _obliged(told, due="return")


# ── stories in which people change the assessment ───────────────────────────────────────────────────────────────────


def _judge(told: Telling, *, same: bool) -> Act:
    values = {"confirmed": same, "reason": told.say("same" if same else "another")}
    return Act("judge", "reviewer", told.random.choice((0, 1)), values)


def _conclude(told: Telling) -> list[Act]:
    """To approved, the way that the tier asks for which the request has by then."""
    values = {"text": told.say("approval"), "conditions": _conditions(told)}
    return [Act("conclude", "reviewer", told.random.randint(0, 2), values), Act("confirm_proposed", "senior", 1)]


def match_dismissed(told: Telling) -> list[Act]:
    return [*_taken(told), _judge(told, same=False), *_conclude(told)]


def match_confirmed(told: Telling) -> list[Act]:
    return [*_taken(told), _judge(told, same=True)]


def match_confirmed_approved(told: Telling) -> list[Act]:
    return [*match_confirmed(told), *_conclude(told)]


def tier_lowered(told: Telling) -> list[Act]:
    values = {"tier": STANDARD, "reason": told.say("lowered")}
    return [*_taken(told), Act("change_tier", "senior", told.random.choice((0, 1)), values)]


def tier_lowered_approved(told: Telling) -> list[Act]:
    return [*tier_lowered(told), *_conclude(told)]


def tier_raised(told: Telling) -> list[Act]:
    values = {"tier": Tier.HEIGHTENED, "reason": told.say("raised")}
    return [*_taken(told), Act("change_tier", "reviewer", told.random.choice((0, 1)), values)]


def reassessed(told: Telling) -> list[Act]:
    """The lists change between the submission and the day on which a senior looks at it again."""
    again = Act("reassess", "senior", told.random.randint(4, 7), {"reason": told.say("reassessed")})
    return [*_taken(told), again]


@dataclass(frozen=True, slots=True)
class Fate:
    """A story with its share of all requests and where in time it lies.

    `rested`: working days from its last act to today (from, to). Or `departs`: days from today to the departure
    (negative: past), and then the last act lies `lead` working days before it.
    """

    name: str
    share: int
    plot: Plot
    tiers: tuple[Tier, ...] = ANY
    purposes: tuple[str, ...] = BUSINESS
    rested: tuple[int, int] | None = None
    departs: tuple[int, int] = (20, 130)
    lead: tuple[int, int] = (3, 15)


# The shares are those of about 600 requests.
FATES = (
    Fate("draft", 18, draft, purposes=MIXED, rested=(0, 25)),
    Fate("draft_lapsed", 4, draft, rested=(66, 78), departs=(10, 60)),
    Fate("company_review", 34, company_review, purposes=MIXED, rested=(0, 1)),
    Fate("resubmitted", 6, resubmitted, rested=(0, 1)),
    Fate("returned", 16, returned, purposes=MIXED, rested=(0, 7)),
    Fate("declined", 12, declined, rested=(0, 12)),
    Fate("referred", 5, referred, rested=(0, 1)),
    Fate("referred_approved", 4, referred_approved, rested=(1, 15)),
    Fate("objected", 5, objected, purposes=PERSONAL, rested=(0, 1)),
    Fate("with_office_fast", 14, with_office, tiers=(FAST,), purposes=MIXED, rested=(0, 1)),
    Fate("with_office", 26, with_office, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 7)),
    Fate("taken_fast", 8, taken, tiers=(FAST,), purposes=MIXED, rested=(0, 1)),
    Fate("taken", 26, taken, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 6)),
    Fate("overdue", 7, taken, tiers=TWO_DECIDE, rested=(21, 27), departs=(8, 60)),
    Fate("forwarded", 8, forwarded, purposes=MIXED, rested=(0, 1)),
    Fate("information", 22, information, rested=(0, 8)),
    Fate("answered", 14, answered, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 5)),
    Fate("second_round", 4, second_round, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 5)),
    Fate("extended", 6, extended, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 4)),
    Fate("extended_and_asked", 3, extended_and_asked, tiers=(STANDARD, *TWO_DECIDE), rested=(1, 5)),
    Fate("handed_over", 4, handed_over, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 4)),
    Fate("recused", 3, recused, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 4)),
    Fate("proposed", 14, proposed, tiers=TWO_DECIDE, rested=(0, 3)),
    Fate("given_back", 5, given_back, tiers=TWO_DECIDE, rested=(0, 3)),
    Fate("denial_proposed", 8, denial_proposed, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 3)),
    Fate("part_proposed", 4, part_proposed, tiers=(STANDARD, Tier.HEIGHTENED), rested=(0, 2)),
    Fate("approved_in_part", 6, approved_in_part, tiers=(STANDARD, Tier.HEIGHTENED), rested=(0, 12)),
    Fate("consultation_open", 4, consultation_open, tiers=(Tier.RESTRICTED,), rested=(0, 2)),
    Fate("opinion_late", 3, opinion_late, tiers=(Tier.RESTRICTED,), rested=(0, 2)),
    Fate("denial_window_over", 3, denial_proposed, tiers=TWO_DECIDE, rested=(6, 8)),
    Fate("denial_replied", 6, denial_replied, tiers=TWO_DECIDE, rested=(0, 2)),
    Fate("approved", 55, approved, purposes=MIXED, rested=(0, 25)),
    Fate("approved_with_conditions", 14, approved_with_conditions, rested=(1, 15)),
    Fate("amended", 4, amended, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 3)),
    Fate("change_open", 4, change_open, rested=(0, 3)),
    Fate("change_accepted", 4, change_accepted, rested=(0, 10)),
    Fate("change_returned", 2, change_returned, rested=(0, 10)),
    Fate("change_withdrawn", 2, change_withdrawn, rested=(0, 10)),
    Fate("condition_open", 3, condition_open, tiers=ONE_DECIDES, rested=(0, 3)),
    Fate("condition_reported", 3, condition_reported, tiers=ONE_DECIDES, rested=(0, 2)),
    Fate("condition_sent_back", 2, condition_sent_back, tiers=ONE_DECIDES, rested=(0, 2)),
    Fate("condition_released", 2, condition_released, tiers=ONE_DECIDES, rested=(0, 8)),
    Fate("condition_impossible", 3, condition_impossible, tiers=ONE_DECIDES, rested=(0, 1)),
    Fate("condition_upheld", 2, condition_upheld, tiers=ONE_DECIDES, rested=(0, 4)),
    Fate("condition_overdue", 2, condition_overdue, tiers=ONE_DECIDES, departs=(-40, -25)),
    Fate("approved_after_answer", 10, approved_after_answer, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 15)),
    Fate("away", 24, approved, purposes=MIXED, departs=(-3, -1)),
    Fate("cancelled", 5, cancelled, rested=(0, 20)),
    Fate("travelled", 76, approved, purposes=MIXED, departs=(-160, -20)),
    Fate("travelled_after_answer", 14, approved_after_answer, tiers=(STANDARD, *TWO_DECIDE), departs=(-150, -20)),
    Fate("deemed_approved", 5, with_office, tiers=(FAST,), rested=(9, 14), departs=(-10, 60)),
    Fate("deemed_approved_standard", 2, taken, tiers=(STANDARD,), rested=(16, 20), departs=(5, 60)),
    Fate("denied", 12, denied, tiers=TWO_DECIDE, rested=(1, 30), departs=(5, 110)),
    Fate("denied_for_good", 4, denied, tiers=TWO_DECIDE, rested=(46, 66), departs=(-50, 0)),
    Fate("appealed", 5, appealed, tiers=TWO_DECIDE, rested=(0, 2), departs=(15, 110)),
    Fate("appeal_heard", 5, appeal_heard, tiers=TWO_DECIDE, rested=(0, 10), departs=(15, 110)),
    Fate("upheld", 5, upheld, tiers=TWO_DECIDE, rested=(1, 20), departs=(5, 110)),
    Fate("overturned", 4, overturned, tiers=TWO_DECIDE, rested=(0, 8), departs=(12, 90)),
    Fate("appeal_with_a_hearing", 4, appeal_with_a_hearing, tiers=TWO_DECIDE, rested=(0, 8), departs=(15, 110)),
    Fate("appeal_withdrawn", 3, appeal_withdrawn, tiers=TWO_DECIDE, rested=(0, 20), departs=(15, 110)),
    Fate("revocation_replied", 3, revocation_replied, rested=(0, 2), departs=(20, 90)),
    Fate("revocation_rejected", 2, revocation_rejected, rested=(0, 10), departs=(20, 90)),
    Fate("other_reviewer", 3, other_reviewer, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 3)),
    Fate("other_reviewer_granted", 2, other_reviewer_granted, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 4)),
    Fate("other_reviewer_refused", 2, other_reviewer_refused, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 4)),
    Fate("revocation_proposed", 3, revocation_proposed, rested=(0, 3), departs=(20, 90)),
    Fate("revoked", 5, revoked, rested=(0, 20), departs=(15, 90)),
    Fate("revoked_appealed", 2, revoked_appealed, rested=(0, 3), departs=(15, 90)),
    Fate("withdrawn", 18, withdrawn, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 60), departs=(15, 110)),
    Fate("lapsed_returned", 5, returned, rested=(11, 25)),
    Fate("lapsed_information", 6, information, rested=(11, 22)),
    Fate("reopened", 3, reopened, rested=(0, 4)),
    Fate("match_waiting", 4, with_office, tiers=(STANDARD, *TWO_DECIDE), purposes=RESEMBLING, rested=(0, 2)),
    Fate("match_waiting_taken", 4, taken, tiers=(STANDARD, *TWO_DECIDE), purposes=RESEMBLING, rested=(0, 3)),
    Fate("match_dismissed", 5, match_dismissed, tiers=(STANDARD, *TWO_DECIDE), purposes=RESEMBLING, rested=(0, 20)),
    Fate("match_confirmed", 3, match_confirmed, tiers=(STANDARD, *TWO_DECIDE), purposes=RESEMBLING, rested=(0, 3)),
    Fate(
        "match_confirmed_approved",
        4,
        match_confirmed_approved,
        tiers=(STANDARD, *TWO_DECIDE),
        purposes=RESEMBLING,
        rested=(0, 15),
    ),
    Fate("tier_lowered", 3, tier_lowered, tiers=(Tier.HEIGHTENED,), rested=(0, 3)),
    Fate("tier_lowered_approved", 3, tier_lowered_approved, tiers=(Tier.HEIGHTENED,), rested=(0, 12)),
    Fate("tier_raised", 3, tier_raised, tiers=(STANDARD,), rested=(0, 3)),
    Fate("reassessed", 4, reassessed, tiers=(STANDARD, *TWO_DECIDE), rested=(0, 2)),
    Fate("urgent", 5, urgent, purposes=URGENT, rested=(0, 0), departs=(3, 6)),
    Fate("urgent_approved", 4, urgent_approved, purposes=URGENT, rested=(0, 2), departs=(1, 5)),
    Fate("urgent_travelled", 8, urgent_approved, purposes=URGENT, departs=(-150, -15), lead=(1, 2)),
)

# What the applicant of the printed accounts has on their hands.
FEATURED = (
    "draft",
    "extended_and_asked",
    "denial_proposed",
    "approved_with_conditions",
    "returned",
    "company_review",
    "travelled",
    "denied",
)


def shares(total: int) -> list[Fate]:
    """`total` fates in proportion to their shares, by largest remainder; each at least once where there is room."""
    whole = sum(fate.share for fate in FATES)
    exact = [fate.share * total / whole for fate in FATES]
    counts = [max(int(number), 1 if total >= len(FATES) else 0) for number in exact]
    by_remainder = sorted(range(len(FATES)), key=lambda index: (int(exact[index]) - exact[index], index))
    missing = total - sum(counts)
    while missing > 0:
        for index in by_remainder[:missing]:
            counts[index] += 1
        missing = total - sum(counts)
    while missing < 0:  # the ones that were raised to one are taken from the largest
        counts[counts.index(max(counts))] -= 1
        missing += 1
    return [fate for fate, count in zip(FATES, counts, strict=True) for _time in range(count)]
