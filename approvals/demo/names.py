"""Names of people who do not exist, in both scripts. Some of their characters are rare ones, as names have them."""

from collections.abc import Iterator
from random import Random

SURNAMES = (
    "王 Wang,李 Li,张 Zhang,刘 Liu,陈 Chen,杨 Yang,黄 Huang,赵 Zhao,吴 Wu,"
    "周 Zhou,徐 Xu,孙 Sun,马 Ma,朱 Zhu,胡 Hu,郭 Guo,何 He,高 Gao,"
    "林 Lin,罗 Luo,郑 Zheng,梁 Liang,谢 Xie,宋 Song,唐 Tang,许 Xu,韩 Han,"
    "冯 Feng,邓 Deng,曹 Cao,彭 Peng,曾 Zeng,肖 Xiao,田 Tian,董 Dong,潘 Pan,"
    "袁 Yuan,蔡 Cai,蒋 Jiang,余 Yu,于 Yu,杜 Du,叶 Ye,程 Cheng,魏 Wei,"
    "苏 Su,吕 Lü,丁 Ding,欧阳 Ouyang,司马 Sima,诸葛 Zhuge,上官 Shangguan"
)
GIVEN = (
    "子涵 Zihan,雨桐 Yutong,浩然 Haoran,欣怡 Xinyi,宇轩 Yuxuan,思远 Siyuan,"
    "佳宁 Jianing,文博 Wenbo,晓琳 Xiaolin,建国 Jianguo,志强 Zhiqiang,丽华 Lihua,"
    "梦洁 Mengjie,俊杰 Junjie,若曦 Ruoxi,天佑 Tianyou,静怡 Jingyi,明哲 Mingzhe,"
    "诗涵 Shihan,晨曦 Chenxi,嘉豪 Jiahao,雅婷 Yating,睿 Rui,媛 Yuan,"
    "磊 Lei,霞 Xia,涛 Tao,颖 Ying,鹏 Peng,倩 Qian,"
    "凯 Kai,薇 Wei,锋 Feng,岚 Lan,逸飞 Yifei,书瑶 Shuyao,"
    "承志 Chengzhi,海燕 Haiyan,一诺 Yinuo,安琪 Anqi,绍辉 Shaohui,亦凡 Yifan,"
    "瑾瑜 Jinyu,沐阳 Muyang"
)
# Characters outside the common sets: extension A, extensions B and later (four bytes in UTF-8), and merely rare ones.
RARE = "䶮 Yan,㛃 Jie,㵘 Man,𬭎 Hong,𣲗 Wei,翀 Chong,頔 Di,喆 Zhe,祎 Yi,骉 Biao"
# Names that are not a family name followed by a given name.
WHOLE = (
    ("阿依努尔·买买提", "Aynur Memet"),
    ("扎西次仁", "Tashi Tsering"),
    ("巴特尔", "Bateer"),
    ("迪丽热巴·艾力", "Dilraba Eli"),
)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(zh, en) for zh, _space, en in (entry.partition(" ") for entry in text.split(","))]


def people(random: Random) -> Iterator[tuple[str, str]]:
    """(name in Chinese, name in Latin letters) without end, none twice. One in twelve has a rare character."""
    surnames, given, rare = _pairs(SURNAMES), _pairs(GIVEN), _pairs(RARE)
    yield from WHOLE
    used: set[str] = set()
    while True:
        family, first = random.choice(surnames), random.choice(rare if random.random() < 1 / 12 else given)
        if family[0] + first[0] not in used:
            used.add(family[0] + first[0])
            yield family[0] + first[0], f"{family[1]} {first[1]}"
