"""Instruments and reason codes for tests: drafted by one administrator, brought into force by another, as in life."""

from datetime import date, datetime
from typing import Any, TypeVar

from accounts.models import User
from accounts.roles import Actor, Grant, Role
from authorities import grounds
from authorities.models import GroundHistory, LegalInstrument, Office, ReasonCode
from tests.factories.people import LONG_AGO

G = TypeVar("G", LegalInstrument, ReasonCode)


def administrator(name: str) -> Actor:
    """Somebody who keeps the law. The role is the actor's only, so that nobody else is told as an administrator."""
    user, _made = User.objects.get_or_create(email=f"{name.lower()}@law.test", defaults={"name": name})
    return Actor(user.pk, name, frozenset({Grant(Role.ADMINISTRATOR)}))


_INSTRUMENT: dict[str, Any] = {
    "title_zh": "出境审批办法（虚构）",
    "title_en": "Measures on exit approvals (fictitious)",
    "article_zh": "第九条",
    "article_en": "Article 9",
    "url": "https://law.example/9",
    "published_on": date(2020, 1, 1),
    "effective_from": date(2020, 1, 1),
}
_CODE: dict[str, Any] = {
    "label_zh": "技术",
    "label_en": "Technology of a published list",
    "points_at": "topic",
    "active_from": date(2020, 1, 1),
}


def drafted_instrument(*, at: datetime = LONG_AGO, **values: Any) -> LegalInstrument:
    """A draft of Dara's. Complete; `values` say something else."""
    return grounds.draft_instrument(actor=administrator("Dara"), at=at, values=_INSTRUMENT | values)


def enacted_instrument(*, at: datetime = LONG_AGO, **values: Any) -> LegalInstrument:
    """An instrument that Dara drafted and Ezra brought into force."""
    return grounds.activate(drafted_instrument(at=at, **values), actor=administrator("Ezra"), at=at)


def drafted_code(code: str = "T1", *, at: datetime = LONG_AGO, **values: Any) -> ReasonCode:
    """A draft of Dara's, of the next version where there is one; on an instrument of its own unless one is given."""
    whole = _CODE | {"code": code, "instrument": values.pop("instrument", None) or enacted_instrument()}
    return grounds.draft_code(actor=administrator("Dara"), at=at, values=whole | values)


def enacted_code(code: str = "T1", *, at: datetime = LONG_AGO, **values: Any) -> ReasonCode:
    """A reason code that Dara drafted and Ezra brought into force."""
    return grounds.activate(drafted_code(code, at=at, **values), actor=administrator("Ezra"), at=at)


def reason_code(code: str = "T1", office: Office | None = None) -> ReasonCode:
    """The reason code of this name in force, made when there is none.

    Nearly every story needs it and hardly any is about it, so it is written as rows, of which the database checks what
    it checks of all, and not brought into force step by step as by `enacted_code`: that took as long as the request.
    """
    known = ReasonCode.objects.filter(code=code).select_related("instrument").first()
    if known is not None:
        return known
    dara, ezra = administrator("Dara").user_id, administrator("Ezra").user_id
    shared = LegalInstrument.objects.filter(title_en=_INSTRUMENT["title_en"]).first()
    instrument = shared or _as_rows(LegalInstrument(**_INSTRUMENT), dara, ezra)
    return _as_rows(ReasonCode(**_CODE, code=code, instrument=instrument, office=office), dara, ezra)


def _as_rows(row: G, drafted_by: int, activated_by: int) -> G:
    row.history = GroundHistory.objects.create()
    row.drafted_by_id, row.drafted_at = drafted_by, LONG_AGO
    row.save(force_insert=True)
    row.activated_by_id, row.activated_at = activated_by, LONG_AGO
    row.save(update_fields=["activated_by", "activated_at"])
    return row
