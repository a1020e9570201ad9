"""Which published entries a trip touches. Exact on codes; names are compared without case, width and spacing."""

import unicodedata
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet

from accounts.prepared import Prepared
from sensitivity.models import ListEntry, ListKind, ListVersion


@dataclass(frozen=True, slots=True)
class Hit:
    """One published entry that a trip touches, as it is kept in an assessment."""

    kind: str
    version_id: int
    version: int
    list_zh: str
    list_en: str
    code: str
    label_zh: str
    label_en: str
    level: int
    reason_zh: str
    reason_en: str

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def normalised(name: str) -> str:
    """A name as it is compared: NFKC, case folded, white space folded to single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@lru_cache(maxsize=256)
def _query(shape: tuple[tuple[ListKind, int], ...]) -> Prepared[tuple[Any, ...]]:
    """The look-up of so many codes of each kind, compiled once."""

    def build(on: date, **codes: str) -> QuerySet[ListEntry, tuple[Any, ...]]:
        wanted = Q()
        for kind, count in shape:
            wanted |= Q(version__list__kind=kind, code__in=[codes[f"{kind}{n}"] for n in range(count)])
        return (
            ListEntry.objects.filter(wanted, version__in=ListVersion.objects.in_force(on))
            .order_by("-level", "version__list__kind", "code")
            .values_list(
                "version__list__kind",
                "version_id",
                "version__number",
                "version__list__name_zh",
                "version__list__name_en",
                "code",
                "label_zh",
                "label_en",
                "level",
                "reason_zh",
                "reason_en",
            )
        )

    gaps: dict[str, Any] = {f"{kind}{n}": str for kind, count in shape for n in range(count)}
    return Prepared(build, on=date, **gaps)


def matches(terms: dict[ListKind, Collection[str]], *, on: date) -> list[Hit]:
    """The hits of `terms` (kind → codes or names) in the list versions in force on `on`, highest level first.

    One query. Codes of organisations, projects and events are kept normalised in the entry.
    """
    wanted = {kind: sorted(set(codes)) for kind, codes in terms.items() if codes}
    if not wanted:
        return []
    values = {f"{kind}{n}": code for kind, codes in wanted.items() for n, code in enumerate(codes)}
    rows = _query(tuple((kind, len(codes)) for kind, codes in wanted.items()))(on=on, **values)
    return [Hit(*row) for row in rows]
