"""Lists of any size for the benches: names made of many real words, so that common parts are as common as in life."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from uuid import uuid4

from django.utils import timezone

from accounts.actors import actor_for
from accounts.models import RoleAssignment, User
from accounts.roles import Actor, Role
from approvals.demo.grounds import enacted
from bench import Say
from sensitivity import drafting, names, publishing
from sensitivity.models import NAMED_KINDS, EntryName, ListEntry, ListKind, ListVersion, Rehearsal


def _words(text: str) -> list[str]:
    return text.split()


_PLACES = _words(
    "Northfield Ashford Brindisi Calder Dunmore Eastvale Fenwick Glenrock Harlow Inverleith Juneau Kelso "
    "Lindum Malvern Norwick Oakham Pembroke Quarry Ravenna Selkirk Thornton Ulverston Valdosta Wexford "
    "Yarrow Zelda Aarhus Basel Cadiz Delft Ekaterin Faro Graz Haifa Izmir Jena Kazan Lugano Murcia Nantes "
    "Odessa Parma Quito Rouen Siena Tartu Umea Vigo "
)
_NAMES = _words(
    "Abbot Baker Chandra Duarte Eriksen Fischer Galvani Hoshino Ivanov Jansen Kowalski Larsen Moreau "
    "Nakamura Okafor Petrov Quintana Rossi Sato Tanaka Ueda Vargas Weber Xiong Yamada Zhou Curie Euler "
    "Faraday Gauss Hopper Lovelace "
)
_FIELDS = _words(
    "Quantum Photonic Autonomous Maritime Polar Optical Neural Digital Advanced Applied Molecular "
    "Aerospace Robotic Semiconductor Cryptographic Orbital Marine Thermal Genomic Statistical Industrial "
    "Agricultural Medical Urban "
)
_KINDS = (
    "University",
    "Institute of Technology",
    "Research Centre",
    "Laboratories",
    "Systems Ltd",
    "GmbH",
    "Foundation",
    "Academy of Sciences",
    "Computing Inc",
    "Technologies Co., Ltd.",
)
_ZH = "北东南西华中新海江山云星天光明瑞安泰和兴长远博通达康宁德诚智慧创维芯源动力联合精密量子航空海洋生物"


def organisation(random: Random) -> tuple[str, str]:
    """A made-up organisation: its Chinese and its English name."""
    parts = [random.choice(_PLACES), random.choice(_NAMES), random.choice(_FIELDS)]
    random.shuffle(parts)
    english = f"{' '.join(parts[: random.choice((1, 2, 2, 3))])} {random.choice(_KINDS)}"
    chinese = "".join(random.choice(_ZH) for _ in range(random.choice((3, 4, 5)))) + random.choice(
        ("大学", "研究院", "科技有限公司", "实验室", "集团", "中心")
    )
    return chinese, english


def entries(kind: ListKind, count: int, random: Random) -> Iterator[ListEntry]:
    """So many entries of a kind, not saved and of no version yet. Technologies form a tree, five wide."""
    places = sorted(drafting.places())
    for number in range(count):
        code, parent = f"{kind.value[:3].upper()}-{number}", ""
        label_zh, label_en, aliases = f"条目{number}", f"Entry {number}", []
        path = [code]
        if kind in NAMED_KINDS:
            label_zh, label_en = organisation(random)
            label_en = f"{label_en} {number}" if number % 3 else label_en
            aliases = [f"{label_en.split()[0]} {number}"] if number % 4 == 0 else []
        if kind is ListKind.TECHNOLOGY:
            above, path = number, []
            while above >= 0 and len(path) < 40:
                path.insert(0, f"TEC-{above}")
                above = (above - 1) // 5 if above else -1
            parent = path[-2] if len(path) > 1 else ""
        if kind is ListKind.DESTINATION:
            code = places[number]
        yield ListEntry(
            code=code,
            parent=parent,
            path=path if kind is ListKind.TECHNOLOGY else [],
            label_zh=label_zh,
            label_en=label_en,
            aliases=aliases,
            level=number % 3 + 1,
            reason_zh="需要说明合作内容。",
            reason_en="The purpose of the visit is to be explained first.",
        )


class Keepers:
    """Two people who write and publish lists."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.author, self.publisher = self._somebody("author"), self._somebody("publisher")

    def _somebody(self, name: str) -> Actor:
        user = User.objects.create(email=f"{name}.{uuid4().hex}@bench.example", name=name)
        RoleAssignment.objects.create(user=user, role=Role.LIST_MANAGER, starts_at=self.at)
        return actor_for(user, at=self.at)

    def draft(self, kind: ListKind, count: int, *, random: Random, say: Say) -> ListVersion:
        """A draft of a new list with so many entries, in review and rehearsed: ready to be published."""
        basis = enacted(
            {
                "title_zh": "测",
                "title_en": "Bench",
                "article_zh": "第一条",
                "article_en": "Article 1",
                "url": "https://law.example/",
                "published_on": publishing.today(self.at),
                "effective_from": publishing.today(self.at),
            }
        )
        kept = publishing.found(
            actor=self.author,
            at=self.at,
            values={
                "kind": kind,
                "name_zh": "测",
                "name_en": f"Bench {kind}",
                "owner_id": self.author.user_id,
                "legal_basis": basis,
            },
        )
        version = publishing.draft(kept.pk, actor=self.author, at=self.at)
        batch: list[ListEntry] = []
        done = 0
        for entry in entries(kind, count, random):
            entry.version = version
            batch.append(entry)
            if len(batch) == 10_000:
                done += self._write(batch, kind)
                say(f"  {kind}: {done:,} of {count:,} entries written\n")
                batch = []
        self._write(batch, kind)
        publishing.submit_for_review(version.pk, actor=self.author, at=self.at)
        assert self.author.user_id is not None
        Rehearsal.objects.create(
            version=version, content=0, days=1, by_id=self.author.user_id, at=self.at, finished_at=self.at
        )
        return version

    @staticmethod
    def _write(batch: Sequence[ListEntry], kind: ListKind) -> int:
        made = ListEntry.objects.bulk_create(batch)
        if kind in NAMED_KINDS:
            EntryName.objects.bulk_create(names.rows(made), batch_size=5_000)
        return len(made)

    def publish(self, version: ListVersion) -> ListVersion:
        """Bring it into force today."""
        now = timezone.now()
        return publishing.publish(version.pk, actor=self.publisher, at=now, on=publishing.today(now))
