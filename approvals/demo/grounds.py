"""The law of the demonstration, made up and named as such, and its sensitivity lists."""

from dataclasses import dataclass

from sensitivity.models import ListKind

INSTRUMENT = (
    "人工智能从业人员出境审批办法（虚构）",
    "Measures on Exit Approvals for Personnel in Artificial Intelligence (fictitious)",
)
NOTICE = ("敏感清单管理公告（虚构）", "Notice on the Keeping of Sensitivity Lists (fictitious)")

# code, what it points at, article of the instrument, wording in Chinese, wording in English
REASON_CODES = (
    (
        "TEC-01",
        "topic",
        "第九条 Article 9",
        "拟公开介绍清单所列技术的未公开内容",
        "Unpublished work on a listed technology would be presented",
    ),
    (
        "DST-01",
        "destination",
        "第十条 Article 10",
        "目的地在行程期间有现行限制公告",
        "A restriction for the destination is in force during the trip",
    ),
    (
        "HST-01",
        "host",
        "第十一条 Article 11",
        "接待单位在公布清单之内，且未说明合作内容",
        "The host is on a published list and the purpose of the visit is not explained",
    ),
    (
        "EVT-01",
        "event",
        "第十二条 Article 12",
        "活动含清单所列的非公开环节",
        "The event has a closed session that a published list names",
    ),
    (
        "MAT-01",
        "material",
        "第十三条 Article 13",
        "拟携带未办理出口手续的样机或存储介质",
        "A prototype or storage media without export papers would be carried",
    ),
)


@dataclass(frozen=True, slots=True)
class ListPlan:
    """One list: its kind, its names, the article that it is kept on, and what its versions say is new in them.

    `third` is a version that is not published yet. A confidential list names the article for that, too. What people
    write about a version is read in both languages.
    """

    kind: ListKind
    name_zh: str
    name_en: str
    article: str
    first: str
    second: str
    third: str = ""
    confidential_on: str = ""


LISTS = (
    ListPlan(
        ListKind.DESTINATION,
        "目的地清单（演示）",
        "Destinations (demonstration)",
        "第六条 Article 6",
        "首次公布。 First published.",
        "删去四个入境手续已简化的国家，新增四处。"
        " Four countries whose formalities became simpler are taken off, four places added.",
    ),
    ListPlan(
        ListKind.PROJECT,
        "项目清单（演示）",
        "Projects (demonstration)",
        "第八条 Article 8",
        "首次公布，半年复核一次。 First published, looked at again every half year.",
        "按各公司申报更新。 Brought up to date with what the companies told.",
        confidential_on="第十五条 Article 15",
    ),
    ListPlan(
        ListKind.TECHNOLOGY,
        "技术清单（演示）",
        "Technologies (demonstration)",
        "第五条 Article 5",
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
        "第九条 Article 9",
        "首次公布。 First published.",
        "按年度活动安排更新。 Brought up to date with the events of the year.",
    ),
    ListPlan(
        ListKind.ORGANISATION,
        "机构清单（演示，机构均为虚构）",
        "Organisations (demonstration, all fictitious)",
        "第七条 Article 7",
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
