"""Trips of every tier: to real events, to made-up partners, on holiday, to a relative in hospital."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from approvals.demo import events
from approvals.demo.grounds import LEVELS
from approvals.rules import tier_for, trip_days
from approvals.states import Tier
from sensitivity import names
from sensitivity.models import ListKind

_DAY = timedelta(days=1)

# Partners and closed events are made up: name, city, country, a subject, event.
_PARTNERS = (
    ("Fjord Language Lab", "Oslo", "NO", "cs.IR", ""),
    ("Instituto Tejo", "Lisbon", "PT", "cs.CV", ""),
    ("Siam Data House", "Bangkok", "TH", "cs.DB", ""),
    ("Nordlicht Software", "Hamburg", "DE", "cs.SE", ""),
    ("Sakura Vision", "Nagoya", "JP", "cs.CV", ""),
    ("Merlion Analytics", "Singapore", "SG", "cs.IR", ""),
    ("Northwind Compute", "Rotterdam", "NL", "cs.DC", ""),
    ("Han River Robotics", "Busan", "KR", "cs.RO", ""),
    ("Prairie Speech", "Calgary", "CA", "cs.SD", ""),
    ("Dry Lake Models", "Reno", "US", "cs.CL", ""),
    ("Kestrel Autonomy", "Bristol", "GB", "cs.RO", ""),
    ("Alpine Secure Compute", "Zurich", "CH", "cs.CR", ""),
    ("Gulf Systems Council", "Dubai", "AE", "cs.RO", "Closed Forum on Autonomous Systems"),
    ("Meridian Photonics", "Eindhoven", "NL", "cs.ET", ""),
    ("Lumen Consortium", "Grenoble", "FR", "cs.AR", "Photonic Accelerator Roundtable"),
)
_SCHOOLS = (
    ("University of Helsinki", "Helsinki", "FI", "cs.LG"),
    ("National University of Singapore", "Singapore", "SG", "cs.DB"),
    ("University of Bologna", "Bologna", "IT", "cs.CV"),
    ("KTH", "Stockholm", "SE", "cs.NI"),
    ("University of Toronto", "Toronto", "CA", "cs.LG"),
)
_HOLIDAYS = (
    ("Kyoto", "JP"),
    ("Chiang Mai", "TH"),
    ("Nice", "FR"),
    ("Bali", "ID"),
    ("Queenstown", "NZ"),
    ("Vancouver", "CA"),
    ("Barcelona", "ES"),
    ("Hong Kong", "HK"),
)
_RELATIVES = (("Osaka", "JP"), ("Kuala Lumpur", "MY"), ("Milan", "IT"), ("Seattle", "US"), ("Melbourne", "AU"))

# Subjects on which most real events are: for a trip to be of a tier, the subject is chosen among the event's own.
_ATTEND = {
    "zh": "参加{title}，{doing}。只介绍已公开的内容，行程结束后返回单位。",
    "en": "Attending {title}: {doing}. Published work only; I return to work after the event.",
}
_DOING = {
    "zh": ("口头报告一篇已录用的论文", "海报展示", "主持一个研讨会", "旁听并与同行交流"),
    "en": (
        "I give a talk on an accepted paper",
        "I present a poster",
        "I co-organise a workshop",
        "I listen and meet colleagues",
    ),
}


@dataclass(frozen=True, slots=True)
class Trip:
    """What the applicant writes about one trip."""

    values: dict[str, Any]
    legs: list[dict[str, Any]]
    tier: Tier = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tier", _tier(self))

    @property
    def departs_on(self) -> date:
        first: date = min(leg["arrives_on"] for leg in self.legs)
        return first

    @property
    def returns_on(self) -> date:
        last: date = max(leg["leaves_on"] for leg in self.legs)
        return last


def _tier(trip: Trip) -> Tier:
    """The tier that the lists of the demonstration give the trip, so that its story can be laid out beforehand."""
    levels = [LEVELS[ListKind.TECHNOLOGY].get(code, 0) for code in trip.values["topics"]]
    levels.append(LEVELS[ListKind.EVENT].get(names.key(trip.values["event_name"]), 0))
    for leg in trip.legs:
        levels.append(LEVELS[ListKind.DESTINATION].get(leg["country"], 0))
        levels.append(LEVELS[ListKind.ORGANISATION].get(names.key(leg["host"]), 0))
    return tier_for(levels, days=trip_days(trip.departs_on, trip.returns_on))


def _leg(city: str, country: str, first: date, last: date, host: str = "") -> dict[str, Any]:
    return {"country": country, "city": city, "arrives_on": first, "leaves_on": last, "host": host}


def _conference(random: Random, language: str, first: date, last: date) -> Trip | None:
    found = events.between(first + _DAY, last + _DAY)
    if not found:
        return None
    event = random.choice(found)
    doing = random.choice(_DOING[language])
    begins, ends = event.starts_on - _DAY, event.ends_on + _DAY
    legs = [_leg(event.city, event.country, begins, ends, event.host)]
    if random.random() < 0.12:  # a visit to a partner on the way home
        name, city, country, *_rest = random.choice(_PARTNERS[:6])
        legs.append(_leg(city, country, ends + _DAY, ends + random.randint(2, 5) * _DAY, name))
    return Trip(
        {
            "title": f"{event.name}，{event.city}" if language == "zh" else f"{event.name} in {event.city}",
            "purpose": "conference",
            "description": _ATTEND[language].format(title=event.title, doing=doing),
            "event_name": event.name,
            "event_url": event.url,
            "topics": list(event.topics),
            **_luggage(random, language),
        },
        legs,
    )


def _business(random: Random, language: str, first: date, last: date) -> Trip:
    name, city, country, topic, event = random.choice(_PARTNERS)
    begins = _weekday(first + random.randint(0, (last - first).days) * _DAY)
    days = random.choice((3, 4, 5, 5, 8, 18 if country == "JP" else 6))
    title = event or name
    zh = f"与 {name} 的项目会谈：交流进度，商定下一阶段分工。"
    en = f"Project meetings with {name}: progress, and who does what next."
    return Trip(
        {
            "title": f"赴{city}访问 {title}" if language == "zh" else f"{title}, {city}",
            "purpose": "business",
            "description": zh if language == "zh" else en,
            "event_name": event,
            "event_url": "",
            "topics": [topic],
            **_luggage(random, language),
        },
        [_leg(city, country, begins, begins + (days - 1) * _DAY, name)],
    )


def _study(random: Random, language: str, first: date, last: date) -> Trip:
    school, city, country, topic = random.choice(_SCHOOLS)
    begins = _weekday(first + random.randint(0, (last - first).days) * _DAY)
    return Trip(
        {
            "title": f"{school} 短期进修" if language == "zh" else f"Short course at {school}",
            "purpose": "study",
            "description": "参加公开的短期课程。" if language == "zh" else "A short course that is open to the public.",
            "event_name": "",
            "event_url": "",
            "topics": [topic],
            **_luggage(random, language),
        },
        [_leg(city, country, begins, begins + random.choice((11, 25)) * _DAY, school)],
    )


def _personal(random: Random, language: str, first: date, last: date) -> Trip:
    city, country = random.choice(_HOLIDAYS)
    begins = first + random.randint(0, (last - first).days) * _DAY
    return Trip(
        {
            "title": f"{city}休假" if language == "zh" else f"Holiday in {city}",
            "purpose": "personal",
            "description": "与家人休年假。" if language == "zh" else "Annual leave with my family.",
            "event_name": "",
            "event_url": "",
            "topics": [],
            "materials": "",
            "devices": [],
        },
        [_leg(city, country, begins, begins + random.randint(4, 11) * _DAY)],
    )


def _urgent(random: Random, language: str, first: date, last: date) -> Trip:
    city, country = random.choice(_RELATIVES)
    zh, en = random.choice(
        (("父亲住院，需前往照料", "My father is in hospital"), ("妹妹分娩，前往看护", "My sister gives birth"))
    )
    return Trip(
        {
            "title": f"{zh}（{city}）" if language == "zh" else f"{en} ({city})",
            "purpose": "urgent_humanitarian",
            "description": f"{zh}，医院证明已附。" if language == "zh" else f"{en}; the hospital's letter is attached.",
            "event_name": "",
            "event_url": "",
            "topics": [],
            "materials": "",
            "devices": [],
        },
        [_leg(city, country, first, first + random.randint(5, 12) * _DAY)],
    )


_MAKERS = {
    "conference": _conference,
    "business": _business,
    "study": _study,
    "personal": _personal,
    "urgent_humanitarian": _urgent,
}


def make(
    random: Random, *, purpose: str, tiers: tuple[Tier, ...], language: str, first: date, last: date
) -> Trip | None:
    """A trip that begins from `first` to `last` and is of one of `tiers`; None when none was found in a few tries."""
    for _attempt in range(40):
        trip = _MAKERS[purpose](random, language, first, last)
        if trip is not None and first <= trip.departs_on <= last and trip.tier in tiers:
            return trip
    return None


def _weekday(day: date) -> date:
    return day + (7 - day.weekday()) * _DAY if day.weekday() > 4 else day


def _luggage(random: Random, language: str) -> dict[str, Any]:
    devices, zh, en = random.choice(
        (
            (["travel_laptop"], "", ""),
            (["travel_laptop", "work_phone"], "报告幻灯片（已审阅）", "Slides of the talk, reviewed"),
            (["work_phone"], "海报一张", "One poster"),
            (["travel_laptop", "storage"], "公开数据集样例", "Samples of a public data set"),
        )
    )
    return {"devices": devices, "materials": zh if language == "zh" else en}
