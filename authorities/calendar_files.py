"""The notice of a year as a file: read from CSV and iCalendar with what each line would do, written as iCalendar.

CSV: a header, then a day and what it is on each line. iCalendar: whole-day entries whose name, or category, says
whether they are off or worked, as the calendars that are passed around in China do: “国庆节（休）”, “国庆节（班）”.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

from charset_normalizer import from_bytes
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Invalid, Problem
from authorities.models import CalendarYear
from authorities.working_days import SpecialDay, WorkingDays
from notifications import icalendar

MAX_BYTES = 200_000
# A year has some forty special days. More than the days of a year is a wrong file.
MAX_LINES = 366

_COLUMNS = {
    "day": ("day", "date", "日期", "dtstart"),
    "kind": ("kind", "type", "worked", "类型", "性质", "休班", "是否上班"),
    "name_zh": ("name_zh", "name in chinese", "中文名称", "名称", "节日", "name"),
    "name_en": ("name_en", "name in english", "英文名称"),
}
_OFF = frozenset({"off", "holiday", "day off", "休", "休息", "放假", "假", "假期", "节假日", "0", "no", "false", "否"})
_WORKED = frozenset(
    {
        "worked",
        "working",
        "workday",
        "work",
        "班",
        "上班",
        "补班",
        "调休上班",
        "调休",
        "工作日",
        "1",
        "yes",
        "true",
        "是",
    }
)
# What the name of an entry says: in brackets, or as the last word. “Working day in exchange” is a name, not a mark.
_MARK_WORKED = re.compile(
    r"\s*[（(\[【](?:补班|上班|班|work(?:ed|ing|day)?)[）)\]】]|\s*(?:补班|上班|班)$", re.IGNORECASE
)
_MARK_OFF = re.compile(r"\s*[（(\[【](?:休|放假|假期|off|holiday)[）)\]】]|\s*(?:休|放假|假期)$", re.IGNORECASE)
_NUMBERS = re.compile(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file (or an entry of the calendar): what it says, and what is wrong with it."""

    number: int
    """Its line in the file, from 1; of an entry of several days the line that it begins on."""
    day: SpecialDay | None
    written: str
    """What stands there for the day, as it was written."""
    error: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a line would change of the working days that are in force."""

    line: Line
    was_working: bool
    text: str | Promise

    @property
    def changes(self) -> bool:
        """Whether the day is worked where it was not, or the other way round."""
        return self.line.day is not None and self.line.day.is_working != self.was_working


def read(data: bytes, *, year: int) -> list[Line]:
    """The lines of a notice for `year`, good and bad, in the order of the file.

    Invalid (field `file`) when it is empty, larger than `MAX_BYTES`, not text, or neither CSV with a header that is
    understood nor iCalendar. CSV may be in any encoding that Chinese programs write.
    """
    if not data.strip():
        raise _refusal(_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise _refusal(_("The file is too large for the notice of one year."))
    text = _decoded(data)
    lines = list(_of_calendar(text) if "BEGIN:VCALENDAR" in text[:200].upper() else _of_table(text))
    if not lines:
        raise _refusal(_("There is no day in the file."))
    if len(lines) > MAX_LINES:
        raise _refusal(_("There are more days in the file than in a year."))
    return list(_checked(lines, year))


def _refusal(sentence: str | Promise) -> Invalid:
    return Invalid([Problem("", "file", sentence)])


def _decoded(data: bytes) -> str:
    if b"\0" in data:
        raise _refusal(_("This is not a text file. Save the table as CSV, or export the calendar as iCalendar."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = from_bytes(data, cp_isolation=["gb18030", "big5"]).best()
        if found is None:
            raise _refusal(_("The file is in an encoding that is not known here. Save it as UTF-8.")) from None
        return str(found)


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_table(text: str) -> Iterator[Line]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(StringIO(text, newline=None), delimiter=delimiter)
    try:
        yield from _of_rows(rows)
    except csv.Error:
        raise _refusal(_("This is not a table. Save it as CSV, with a line for each day.")) from None


def _of_rows(rows: Any) -> Iterator[Line]:
    header = [_plain(cell) for cell in next(rows, [])]
    places = {
        column: next(place for place, name in enumerate(header) if name in names)
        for column, names in _COLUMNS.items()
        if any(name in names for name in header)
    }
    if not {"day", "kind"} <= places.keys():
        raise _refusal(_("The first line has to name the columns: day, kind (off or worked), name_zh, name_en."))
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells = {column: row[place].strip() if place < len(row) else "" for column, place in places.items()}
        day, kind = _day(cells["day"]), _plain(cells["kind"])
        error: str | Promise = ""
        if day is None:
            error = _("This is not a day. Write it like 2027-02-06.")
        elif kind not in _OFF | _WORKED:
            error = _("Say whether the day is off or worked.")
        yield Line(
            rows.line_num,
            None
            if error or day is None
            else SpecialDay(day, kind in _WORKED, cells.get("name_zh", ""), cells.get("name_en", "")),
            cells["day"],
            error,
        )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _day(text: str) -> date | None:
    match = _NUMBERS.match(unicodedata.normalize("NFKC", text).replace(" ", ""))
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


# ── iCalendar ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_calendar(text: str) -> Iterator[Line]:
    entry: dict[str, tuple[int, str]] | None = None
    for number, line in _unfolded(text):
        name, _colon, value = line.partition(":")
        name = name.partition(";")[0].upper()
        if (name, value.upper()) == ("BEGIN", "VEVENT"):
            entry = {"": (number, "")}
        elif (name, value.upper()) == ("END", "VEVENT") and entry is not None:
            yield from _of_entry(entry)
            entry = None
        elif entry is not None:
            entry.setdefault(name, (number, value))


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The lines with the number on which each begins; a line that begins with white space goes on with the last."""
    number, kept = 0, ""
    for index, line in enumerate(text.splitlines(), start=1):
        if line[:1] in (" ", "\t"):
            kept += line[1:]
        else:
            if kept:
                yield number, kept
            number, kept = index, line
    if kept:
        yield number, kept


def _of_entry(entry: dict[str, tuple[int, str]]) -> Iterator[Line]:
    begin = entry[""][0]
    number, start = entry.get("DTSTART", (begin, ""))
    first, end = _moment(start), _moment(entry["DTEND"][1]) if "DTEND" in entry else None
    if first is None or ("DTEND" in entry and (end is None or end <= first)):
        yield Line(number, None, start, _("This is not a day. An entry begins and ends on whole days."))
        return
    if "RRULE" in entry or "DURATION" in entry:
        yield Line(number, None, start, _("An entry that repeats, or gives a duration, cannot be read. Name its days."))
        return
    summary = re.sub(r"\\n", " ", entry.get("SUMMARY", (0, ""))[1], flags=re.IGNORECASE)
    summary = re.sub(r"\\(.)", r"\1", summary).strip()
    category = _plain(entry.get("CATEGORIES", (0, ""))[1])
    worked = category in _WORKED or bool(_MARK_WORKED.search(summary))
    name = (_MARK_WORKED if worked else _MARK_OFF).sub("", summary).strip()
    chinese = any("\u4e00" <= character <= "\u9fff" for character in name)
    # The end is the first day that is not part of it.
    for n in range(min((end - first).days if end else 1, MAX_LINES + 1)):
        day = first + timedelta(days=n)
        yield Line(number, SpecialDay(day, worked, name if chinese else "", "" if chinese else name), f"{day}")


def _moment(text: str) -> date | None:
    """The day of a DATE; of a DATE-TIME only midnight, because anything else is not a whole day."""
    try:
        return datetime.strptime(text.strip().removesuffix("Z").removesuffix("T000000"), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


# ── what is wrong, and what it does ─────────────────────────────────────────────────────────────────────────────────


def _checked(lines: Iterable[Line], year: int) -> Iterator[Line]:
    seen: dict[date, SpecialDay] = {}
    for line in lines:
        if line.day is None:
            yield line
        elif line.day.day.year != year:
            yield Line(line.number, None, line.written, _("This day is not in the year of the calendar."))
        elif line.day.day in seen:
            yield Line(line.number, None, line.written, _("This day is in the file twice."))
        else:
            seen[line.day.day] = line.day
            yield line


_EFFECTS = {
    # (is worked today, will be)
    (True, False): _("becomes a day off"),
    (False, True): _("becomes a working day"),
    (True, True): _("is a working day already"),
    (False, False): _("is off already"),
}


def effects(lines: Iterable[Line], *, in_force: WorkingDays) -> list[Effect]:
    """What each line would change of the calendar that is in force."""
    found = []
    for line in lines:
        was = in_force.is_working(line.day.day) if line.day else False
        found.append(Effect(line, was, line.error or _EFFECTS[was, bool(line.day and line.day.is_working)]))
    return found


def forgotten(lines: Iterable[Line], *, year: int, in_force: WorkingDays) -> list[date]:
    """Days of `year` that differ from the week today and that the file does not name: they become ordinary days."""
    named = {line.day.day for line in lines if line.day}
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(date(year, 12, 31).timetuple().tm_yday))
    return [day for day in days if day not in named and in_force.is_working(day) != (day.weekday() < 5)]


# Names that files leave out.
_WORKED_IN_EXCHANGE = ("调休工作日", "Working day in exchange")


def with_names(days: Iterable[SpecialDay], *, known: Iterable[SpecialDay]) -> list[SpecialDay]:
    """The days with a name in both languages. What the file lacks comes from `known`, by the day or the other name."""
    by_day = {day.day: day for day in known}
    english = {day.name_zh: day.name_en for day in by_day.values()}
    chinese = {day.name_en: day.name_zh for day in by_day.values()}
    named = []
    for day in days:
        same = by_day.get(day.day)
        zh, en = day.name_zh, day.name_en
        if day.is_working:
            zh, en = zh or _WORKED_IN_EXCHANGE[0], en or _WORKED_IN_EXCHANGE[1]
        elif not zh and not en and same is not None and not same.is_working:
            zh, en = same.name_zh, same.name_en
        named.append(SpecialDay(day.day, day.is_working, zh or chinese.get(en, en), en or english.get(zh, zh)))
    return named


def as_icalendar(calendar: CalendarYear, days: Iterable[SpecialDay], *, language: str, at: datetime) -> str:
    """One version of a year as iCalendar, an entry a day, that `read` understands and calendars on phones show."""
    chinese = language.startswith("zh")
    entries = []
    for day in days:
        name = day.name_zh if chinese else day.name_en
        mark = ("（班）" if day.is_working else "（休）") if chinese else (" (worked)" if day.is_working else " (off)")
        entries.append(
            icalendar.Entry(
                key=f"working-days-{calendar.office_id or 'national'}-{day.day}",
                first=day.day,
                last=day.day,
                summary=f"{name}{mark}",
                sequence=calendar.version,
                changed_at=calendar.published_at or at,
                is_tentative=calendar.status != CalendarYear.Status.PUBLISHED,
                is_free=not day.is_working,
            )
        )
    return icalendar.written(entries, name=str(calendar), language=language)
