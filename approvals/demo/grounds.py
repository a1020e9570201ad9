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
    """One list: its kind, its names, and its entries as (code, label zh, label en, level)."""

    kind: ListKind
    name_zh: str
    name_en: str
    reason_zh: str
    reason_en: str
    entries: tuple[tuple[str, str, str, int], ...]


LISTS = (
    ListPlan(
        ListKind.TECHNOLOGY,
        "技术清单（演示）",
        "Technologies (demonstration)",
        "公开内容以外的部分须先说明",
        "Whatever goes beyond published work is to be explained first.",
        (
            ("cs.CL", "大语言模型的训练", "Training of large language models", 1),
            ("cs.DC", "万卡级分布式训练", "Distributed training at the scale of ten thousand accelerators", 1),
            ("cs.RO", "自主机器人", "Autonomous robots", 1),
            ("cs.CR", "密码与安全", "Cryptography and security", 2),
            ("cs.AR", "加速器体系结构", "Accelerator architecture", 2),
            ("cs.ET", "新型计算器件", "Emerging computing devices", 3),
        ),
    ),
    ListPlan(
        ListKind.DESTINATION,
        "目的地清单（演示）",
        "Destinations (demonstration)",
        "入境时可能查验设备，请使用无工作资料的旅行电脑",
        "Devices may be searched on entry; take a travel laptop without work data.",
        (("US", "美国", "United States", 1), ("CA", "加拿大", "Canada", 1), ("AU", "澳大利亚", "Australia", 1)),
    ),
    ListPlan(
        ListKind.ORGANISATION,
        "机构清单（演示，机构均为虚构）",
        "Organisations (demonstration, all fictitious)",
        "合作内容须先说明",
        "The purpose of the visit is to be explained first.",
        (
            ("northwind compute", "北风计算", "Northwind Compute", 1),
            ("kestrel autonomy", "红隼自主系统", "Kestrel Autonomy", 2),
            ("meridian photonics", "子午光子", "Meridian Photonics", 3),
        ),
    ),
    ListPlan(
        ListKind.PROJECT,
        "项目清单（演示）",
        "Projects (demonstration)",
        "项目负责人须先说明",
        "The lead of the project is to explain first.",
        (("p-04", "星轨", "Star Trail", 2), ("p-07", "深谷", "Deep Valley", 3)),
    ),
    ListPlan(
        ListKind.EVENT,
        "活动清单（演示，活动均为虚构）",
        "Events (demonstration, all fictitious)",
        "含非公开环节",
        "Has closed sessions.",
        (
            ("aurora model summit", "极光模型峰会", "Aurora Model Summit", 1),
            ("closed forum on autonomous systems", "自主系统闭门论坛", "Closed Forum on Autonomous Systems", 2),
            ("photonic accelerator roundtable", "光子加速器圆桌会", "Photonic Accelerator Roundtable", 3),
        ),
    ),
)

LEVELS: dict[ListKind, dict[str, int]] = {
    plan.kind: {code: level for code, _zh, _en, level in plan.entries} for plan in LISTS
}
