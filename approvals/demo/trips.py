"""Trips of every tier: to real events, to made-up partners, on holiday, to a relative in hospital."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from approvals.demo import events
from sensitivity import names

_DAY = timedelta(days=1)

# Partners and closed events are made up: name, city, country, subjects of which one is chosen, event.
_PARTNERS = (
    ("Fjord Language Lab", "Oslo", "NO", "cs.IR", ""),
    ("Instituto Tejo", "Lisbon", "PT", "cs.CV", ""),
    ("Siam Data House", "Bangkok", "TH", "cs.DB", ""),
    ("Nordlicht Software", "Hamburg", "DE", "cs.SE", ""),
    ("Sakura Vision", "Nagoya", "JP", "cs.CV", ""),
    ("Merlion Analytics", "Singapore", "SG", "cs.IR", ""),
    ("Northwind Compute", "Rotterdam", "NL", "cs.DC cs.DC.training-clusters", ""),
    ("Han River Robotics", "Busan", "KR", "cs.RO cs.RO.manipulation", ""),
    ("北風計算", "Rotterdam", "NL", "cs.DC", ""),
    ("Willow Hand Studio", "Osaka", "JP", "cs.RO cs.RO.legged cs.RO.manipulation", ""),
    ("Taller Andino de Robots", "Valencia", "ES", "cs.RO cs.RO.teleoperation", ""),
    ("Prairie Speech", "Calgary", "CA", "cs.SD", ""),
    ("Dry Lake Models", "Reno", "US", "cs.CL cs.CL.llm.rlhf cs.CL.llm.long-context", ""),
    ("Ashgrove AI Ltd", "Leeds", "GB", "cs.CL.llm.inference cs.CL.llm.distillation", ""),
    ("草原织机", "Winnipeg", "CA", "cs.CL.llm.pretraining.synthetic-data", ""),
    ("Rivebelle IA", "Nantes", "FR", "cs.CL.llm cs.CL.llm.pretraining", ""),
    ("Kestrel Autonomy", "Bristol", "GB", "cs.RO cs.RO.uav", ""),
    ("Alpine Secure Compute", "Zurich", "CH", "cs.CR cs.CR.pqc cs.CR.privacy.fhe", ""),
    ("Grauwald Motion", "Kassel", "DE", "cs.AR.eda cs.RO.humanoid.actuators", ""),
    ("Gulf Systems Council", "Dubai", "AE", "cs.RO", "Closed Forum on Autonomous Systems"),
    ("Orchard Trust", "Cardiff", "GB", "cs.SD cs.SD.voice-cloning", "Orchard Speech Day"),
    ("Meridian Photonics", "Eindhoven", "NL", "cs.ET cs.ET.photonic", ""),
    ("Lumen Consortium", "Grenoble", "FR", "cs.AR cs.AR.chiplets", "Photonic Accelerator Roundtable"),
)
# Hosts written in a way that resembles an entry of the list without being the same: a person says whether it is it.
RESEMBLING = (
    ("Northwind Comput.", "Rotterdam", "NL", "cs.DC", ""),
    ("北风计算中心", "Rotterdam", "NL", "cs.DC", ""),
    ("Kestrell Autonomy", "Bristol", "GB", "cs.CV", ""),
    ("Meridian Photonic Systems", "Eindhoven", "NL", "cs.AR", ""),
    ("Haneul Byul AI", "Seoul", "KR", "cs.CL.llm", ""),
    ("Halcyon Ridge Robotic Labs", "Boise", "US", "cs.LG", ""),
    ("Thistledown Speach", "Leeds", "GB", "cs.LG", ""),
    ("Banyan Gates Cloud", "Singapore", "SG", "cs.LG", ""),
)
# Where the list of destinations names a part of a country.
_PARTS = {
    "US-CA": ("San Francisco", "Los Angeles", "San Jose", "Huntington Beach", "Sacramento", "Monterey"),
    "US-HI": ("Honolulu", "Hilo"),
    "US-CO": ("Denver",),
    "US-DC": ("Washington",),
    "US-FL": ("Orlando",),
    "US-GA": ("Atlanta", "St Simons Island"),
    "US-ID": ("Boise",),
    "US-MD": ("Baltimore",),
    "US-NV": ("Reno",),
    "US-PA": ("Philadelphia", "Pittsburgh"),
    "US-RI": ("Providence",),
    "US-TX": ("Dallas",),
    "US-UT": ("Salt Lake City", "Snowbird"),
    "US-VA": ("Richmond",),
    "US-WA": ("Seattle",),
    "CA-QC": ("Montréal",),
    "CA-AB": ("Calgary",),
    "CA-BC": ("Vancouver",),
    "CA-MB": ("Winnipeg",),
    "CA-ON": ("Toronto",),
    "AE-DU": ("Dubai",),
    "AU-NSW": ("Sydney",),
    "AU-VIC": ("Melbourne",),
}
_PART_OF = {city: part for part, cities in _PARTS.items() for city in cities}
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
    company: str = ""
    """The domain of the traveller's company, whose projects the trip is about."""

    @property
    def departs_on(self) -> date:
        first: date = min(leg["arrives_on"] for leg in self.legs)
        return first

    @property
    def returns_on(self) -> date:
        last: date = max(leg["leaves_on"] for leg in self.legs)
        return last

    @property
    def places(self) -> set[str]:
        """Countries and parts of them."""
        return {place for leg in self.legs for place in (leg["country"], leg["subdivision"]) if place}

    @property
    def hosts(self) -> set[str]:
        """The organisations visited, as names are compared."""
        return {names.key(leg["host"]) for leg in self.legs}

    @property
    def event(self) -> str:
        """The event, as names are compared."""
        return names.key(self.values["event_name"])


def _leg(city: str, country: str, first: date, last: date, host: str = "") -> dict[str, Any]:
    part = _PART_OF.get(city, "")
    return {
        "country": country,
        "subdivision": part,
        "city": city,
        "arrives_on": first,
        "leaves_on": last,
        "host": host,
    }


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
    return _visit(random, random.choice(_PARTNERS), language, first, last)


def _resembling(random: Random, language: str, first: date, last: date) -> Trip:
    return _visit(random, random.choice(RESEMBLING), language, first, last)


def _visit(random: Random, partner: tuple[str, str, str, str, str], language: str, first: date, last: date) -> Trip:
    name, city, country, topics, event = partner
    topic = random.choice(topics.split())
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
    "resembling": _resembling,
    "study": _study,
    "personal": _personal,
    "urgent_humanitarian": _urgent,
}


def make(
    random: Random,
    *,
    purpose: str,
    fits: Callable[[Trip], bool],
    language: str,
    first: date,
    last: date,
    company: str,
    project: str,
) -> Trip | None:
    """A trip that begins from `first` to `last` and `fits`; None when none was found in a few tries.

    One in five business trips is about the traveller's `project`.
    """
    for _attempt in range(40):
        trip = _MAKERS[purpose](random, language, first, last)
        if trip is None:
            continue
        if trip.values["purpose"] == "business" and random.random() < 0.2:
            trip = Trip(trip.values | {"projects": [project]}, trip.legs, company)
        if first <= trip.departs_on <= last and fits(trip):
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
