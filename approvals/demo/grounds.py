"""The law of the demonstration, made up and named as such, and its sensitivity lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from accounts.models import RoleAssignment, User
from accounts.roles import Actor, Grant, Role
from authorities import grounds
from authorities.models import LegalInstrument, Office, ReasonCode
from sensitivity.models import ListKind

INSTRUMENT = (
    "人工智能从业人员出境审批办法（虚构）",
    "Measures on Exit Approvals for Personnel in Artificial Intelligence (fictitious)",
)
_NUMBERS = "零一二三四五六七八九"


def article(number: int) -> dict[str, str]:
    """Article `number` (1 to 19) in both languages."""
    tens, ones = divmod(number, 10)
    return {
        "article_zh": f"第{'十' * tens}{_NUMBERS[ones] if ones else ''}条",
        "article_en": f"Article {number}",
    }


NOTICE = ("敏感清单管理公告（虚构）", "Notice on the Keeping of Sensitivity Lists (fictitious)")

_PUBLISHED = date(2020, 10, 1)
_FROM = date(2021, 1, 1)
_ENACTED = datetime(2020, 12, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Code:
    """A reason code: what it points at, the article that it rests on, its wording; the code of its only office."""

    code: str
    points_at: str
    article: int
    label_zh: str
    label_en: str
    office: str = ""

    @property
    def url(self) -> str:
        return f"https://law.example/exit-approvals/{self.code.lower()}"

    def values(self, instrument: LegalInstrument, *, since: date, office: Office | None = None) -> dict[str, Any]:
        return {
            "code": self.code,
            "label_zh": self.label_zh,
            "label_en": self.label_en,
            "points_at": self.points_at,
            "instrument": instrument,
            "office": office,
            "active_from": since,
        }


CODES = (
    Code(
        "TEC-01",
        "topic",
        9,
        "拟公开介绍清单所列技术的未公开内容",
        "Unpublished work on a listed technology would be presented",
    ),
    Code(
        "TEC-02",
        "topic",
        9,
        "拟就清单所列技术提供培训或操作指导",
        "Training or hands-on guidance in a listed technology would be given",
    ),
    Code(
        "DST-01",
        "destination",
        10,
        "目的地在行程期间有现行限制公告",
        "A restriction for the destination is in force during the trip",
    ),
    Code(
        "HST-01",
        "host",
        11,
        "接待单位在公布清单之内，且未说明合作内容",
        "The host is on a published list and the purpose of the visit is not explained",
    ),
    Code(
        "EVT-01",
        "event",
        12,
        "活动含清单所列的非公开环节",
        "The event has a closed session that a published list names",
    ),
    Code(
        "EVT-02",
        "event",
        12,
        "活动主办方尚未备案",
        "The organisers of the event have not registered it",
    ),
    Code(
        "MAT-01",
        "material",
        13,
        "拟携带未办理出口手续的样机或存储介质",
        "A prototype or storage media without export papers would be carried",
    ),
    Code(
        "MAT-02",
        "material",
        13,
        "拟经陆路口岸携带清单所列算力设备",
        "Listed computing equipment would be carried across a land border",
        office="SZ-NS",
    ),
    Code(
        "DAT-01",
        "dates",
        14,
        "行程与公告的集中评审期重合，且本人为被评审项目负责人",
        "The dates fall into an announced review of a project that the applicant answers for",
    ),
)
# One of them in other words; one that ended; one that waits for the second person. No story rests on the first: who was
# heard on one wording is not refused on another.
REWORDED = Code(
    "TEC-02",
    "topic",
    9,
    "拟就清单所列技术提供尚未公开的培训或操作指导",
    "Training or hands-on guidance that is not public would be given in a listed technology",
)
REWORDED_DAYS_AGO = 60
ENDED, ENDED_ON = "EVT-02", date(2023, 12, 31)
WAITING = Code(
    "MAT-01",
    "material",
    13,
    "拟携带未办理出口手续的样机，或未加密的存储介质",
    "A prototype without export papers, or storage media without encryption, would be carried",
)
WAITING_DAYS = 30


def _keeper(name: str, email: str) -> Actor:
    """An account that keeps the law of the demonstration, made when it is not there."""
    user, made = User.objects.get_or_create(email=email, defaults={"name": name, "date_joined": _ENACTED})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return Actor(user.pk, user.name, frozenset({Grant(Role.ADMINISTRATOR)}))


def keepers() -> tuple[Actor, Actor]:
    """Who drafts the law of the demonstration, and who compares it and brings it into force."""
    return (
        _keeper("范疏桐 Fan Shutong", "law.drafts@authority.example"),
        _keeper("凌云舟 Ling Yunzhou", "law.compares@authority.example"),
    )


def enacted(values: Mapping[str, Any], *, at: datetime = _ENACTED) -> LegalInstrument:
    """An instrument with these `values` of its fields, brought into force by two people."""
    drafts, compares = keepers()
    row = grounds.draft_instrument(actor=drafts, at=at, values=values)
    return grounds.activate(row, actor=compares, at=at)


def enact(*, today: date, offices: Mapping[str, Office]) -> None:
    """The law of the demonstration: codes in force, one in its second version, one that ended, one that waits.

    `offices` by their codes. Who drafts is an administrator, so that the printed account can be the second person.
    """
    drafts, compares = keepers()
    assert drafts.user_id is not None
    RoleAssignment.objects.get_or_create(
        user_id=drafts.user_id, role=Role.ADMINISTRATOR, defaults={"starts_at": _ENACTED}
    )
    by_article: dict[int, LegalInstrument] = {}
    for code in CODES:
        basis = by_article.get(code.article)
        if basis is None:
            basis = by_article[code.article] = enacted(
                {
                    "title_zh": INSTRUMENT[0],
                    "title_en": INSTRUMENT[1],
                    **article(code.article),
                    "url": code.url,
                    "published_on": _PUBLISHED,
                    "effective_from": _FROM,
                }
            )
        values = code.values(basis, since=_FROM, office=offices.get(code.office))
        row = grounds.draft_code(actor=drafts, at=_ENACTED, values=values)
        row = grounds.activate(row, actor=compares, at=_ENACTED)
        if code.code == ENDED:
            before = _noon(ENDED_ON - timedelta(days=40))
            grounds.propose_end(row, actor=drafts, at=before, last_day=ENDED_ON)
            grounds.end(row, actor=compares, at=before)
    since = today - timedelta(days=REWORDED_DAYS_AGO)
    _version(REWORDED, by_article, since=since, at=_noon(since - timedelta(days=20)), drafts=drafts, compares=compares)
    waits = today + timedelta(days=WAITING_DAYS)
    _version(WAITING, by_article, since=waits, at=_noon(today - timedelta(days=1)), drafts=drafts, compares=None)


def points_at(code: str, content: Mapping[str, Any]) -> bool:
    """Whether the code of the demonstration points at something of a trip that says `content` of itself."""
    named = next(one for one in CODES if one.code == code)
    return bool(grounds.pointed_at(ReasonCode(code=code, points_at=named.points_at), content))


def _version(
    code: Code,
    by_article: Mapping[int, LegalInstrument],
    *,
    since: date,
    at: datetime,
    drafts: Actor,
    compares: Actor | None,
) -> ReasonCode:
    values = code.values(by_article[code.article], since=since)
    row = grounds.draft_code(actor=drafts, at=at, values=values)
    return grounds.activate(row, actor=compares, at=at) if compares else row


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(4), UTC)


@dataclass(frozen=True, slots=True)
class ListPlan:
    """One list: its kind, its names, the article that it is kept on, and what its versions say is new in them.

    `third` is a version that is not published yet. A confidential list names the article for that, too. What people
    write about a version is read in both languages.
    """

    kind: ListKind
    name_zh: str
    name_en: str
    article: int
    first: str
    second: str
    third: str = ""
    confidential_on: int = 0


LISTS = (
    ListPlan(
        ListKind.DESTINATION,
        "目的地清单（演示）",
        "Destinations (demonstration)",
        6,
        "首次公布。 First published.",
        "删去四个入境手续已简化的国家，新增四处。"
        " Four countries whose formalities became simpler are taken off, four places added.",
    ),
    ListPlan(
        ListKind.PROJECT,
        "项目清单（演示）",
        "Projects (demonstration)",
        8,
        "首次公布，半年复核一次。 First published, looked at again every half year.",
        "按各公司申报更新。 Brought up to date with what the companies told.",
        confidential_on=15,
    ),
    ListPlan(
        ListKind.TECHNOLOGY,
        "技术清单（演示）",
        "Technologies (demonstration)",
        5,
        "以 arXiv 学科分类为纲的首版。 The first version, on the subject classes of arXiv.",
        "加速器体系结构一类降级，机器人一类升级，统计学习不再列入；三个代码更名。"
        " Accelerators as a class go down a level and robotics up, statistical learning is taken off;"
        " three codes are renamed.",
        third="密码学一类降级，细化评测与智能体条目。"
        " Cryptography as a class goes down a level; finer entries on evaluation and agents.",
    ),
    ListPlan(
        ListKind.EVENT,
        "活动清单（演示，活动均为虚构）",
        "Events (demonstration, all fictitious)",
        9,
        "首次公布。 First published.",
        "按年度活动安排更新。 Brought up to date with the events of the year.",
    ),
    ListPlan(
        ListKind.ORGANISATION,
        "机构清单（演示，机构均为虚构）",
        "Organisations (demonstration, all fictitious)",
        7,
        "首次公布，收录中英文名称与别名。 First published, with names in both scripts.",
        "新增三家，删去两家，五家的级别或说明更新。 Three are added, two taken off, five read anew.",
        third="新增一家，调整六家级别。 One is added, six levels change.",
    ),
)

SENT_BACK = (
    "请为新增机构补充中文别名，并说明降级的依据。"
    " Please add the Chinese names of what is new, and say why levels go down."
)
RENEWED = (
    "各公司的年度申报尚未收齐，现行条目继续适用；收齐后公布下一版。"
    " The companies' yearly reports are not all in; the entries stand until the next version."
)
