"""Sensitivity lists for tests: written, rehearsed and published by two people, as in life."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from accounts.roles import Actor, Role
from authorities.models import LegalInstrument
from sensitivity import drafting, publishing
from sensitivity.models import ListEntry, ListKind, ListVersion, Rehearsal, SensitivityList
from tests.factories.law import drafted_instrument, enacted_instrument
from tests.factories.people import actor, with_role
from tests.factories.requests import NOW

NAMES = {
    ListKind.TECHNOLOGY: ("技术清单", "List of technologies"),
    ListKind.DESTINATION: ("目的地清单", "List of destinations"),
    ListKind.ORGANISATION: ("机构清单", "List of organisations"),
    ListKind.PROJECT: ("项目清单", "List of projects"),
    ListKind.EVENT: ("活动清单", "List of events"),
}


def list_manager(name: str, *, at: datetime = NOW) -> Actor:
    """Somebody who keeps lists."""
    return actor(with_role(Role.LIST_MANAGER, name), at)


def instrument(**values: Any) -> LegalInstrument:
    """An instrument that a list can be kept on; a draft when it is not published."""
    whole = {
        "title_zh": "出境技术清单管理办法",
        "title_en": "Measures on sensitivity lists",
        "article_zh": "第九条",
        "article_en": "Article 9",
        "url": "https://law.example/lists",
    }
    make = enacted_instrument if values.get("published_on", True) else drafted_instrument
    return make(**(whole | values))


def sensitivity_list(kind: ListKind, *, owner: Actor, at: datetime = NOW, **values: Any) -> SensitivityList:
    """A list without versions. `confidential=(basis, reviewer)` makes it confidential."""
    whole = {
        "kind": kind,
        "name_zh": NAMES[kind][0],
        "name_en": NAMES[kind][1],
        "owner_id": owner.user_id,
        "legal_basis": values.pop("legal_basis", None) or instrument(),
    }
    return publishing.found(actor=owner, at=at, values=whole | values)


def entry_values(code: str, level: int = 1, **values: Any) -> dict[str, Any]:
    """What an entry says, complete; `values` say something else."""
    return {
        "code": code,
        "level": level,
        "label_zh": f"条目 {code}",
        "label_en": code,
        "reason_zh": "需要评估。",
        "reason_en": "Needs a look.",
    } | values


def drafted(of: SensitivityList, entries: Iterable[Mapping[str, Any]], *, by: Actor, at: datetime = NOW) -> ListVersion:
    """The next draft of a list, with these entries added to those of the version before."""
    version = publishing.draft(of.pk, actor=by, at=at)
    for values in entries:
        drafting.add(version.pk, actor=by, at=at, values=values)
    return ListVersion.objects.select_related("list").get(pk=version.pk)  # its state is protected from a refresh


def rehearsed(version: ListVersion, *, by: Actor, at: datetime = NOW) -> Rehearsal:
    """A finished rehearsal of the content that `version` has, over no requests."""
    content = ListVersion.objects.get(pk=version.pk).content
    assert by.user_id is not None
    return Rehearsal.objects.create(
        version=version, content=content, days=90, by_id=by.user_id, at=at, finished_at=at, result={}
    )


def published(
    version: ListVersion, *, author: Actor, publisher: Actor, at: datetime = NOW, on: date | None = None
) -> ListVersion:
    """A draft, brought into force on `on` (the day of `at`, when left out)."""
    publishing.submit_for_review(version.pk, actor=author, at=at)
    rehearsed(version, by=author, at=at)
    return publishing.publish(version.pk, actor=publisher, at=at, on=on or publishing.today(at))


def list_in_force(
    kind: ListKind, *entries: Mapping[str, Any], at: datetime = NOW, confidential: bool = False, **values: Any
) -> ListVersion:
    """A list of `kind` whose first version, with these entries, is in force from the day of `at` on."""
    lin, pan = list_manager("Lin Author", at=at), list_manager("Pan Publisher", at=at)
    if confidential:
        values |= {
            "is_confidential": True,
            "confidentiality_basis": instrument(
                title_en="Measures on confidential lists", article_zh="第四条", article_en="Article 4"
            ),
            "confidentiality_reviewed_by_id": pan.user_id,
            "confidentiality_reviewed_on": publishing.today(at) - timedelta(days=10),
        }
    of = sensitivity_list(kind, owner=lin, at=at, **values)
    return published(drafted(of, entries, by=lin, at=at), author=lin, publisher=pan, at=at)


def entry_of(version: ListVersion, code: str) -> ListEntry:
    """The entry of `version` with this code."""
    return version.entries.get(code=code)
