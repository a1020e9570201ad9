"""The notice of a year as CSV and iCalendar: what is read, what each line would do, what is wrong with it."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import Invalid
from authorities import calendar_files, calendars
from authorities.calendar_files import Line
from authorities.models import CalendarYear
from authorities.working_days import SpecialDay, WorkingDays
from tests.approvals.test_clocks import SHANGHAI

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CSV = """日期,类型,名称
2027-01-01,休,元旦
2027-01-04,休,元旦
2027-01-09,班,
"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270101
DTEND;VALUE=DATE:20270103
SUMMARY:元旦（休）
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270109
SUMMARY:元旦
 （班）
END:VEVENT
END:VCALENDAR
"""


def days(lines: list[Line]) -> dict[date, tuple[bool, str]]:
    return {line.day.day: (line.day.is_working, line.day.name_zh) for line in lines if line.day}


def errors(lines: list[Line]) -> dict[int, str]:
    return {line.number: str(line.error) for line in lines if line.error}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_in_whatever_encoding_chinese_programs_write(encoding: str) -> None:
    found = calendar_files.read(CSV.encode(encoding), year=2027)
    assert days(found) == {
        date(2027, 1, 1): (False, "元旦"),
        date(2027, 1, 4): (False, "元旦"),
        date(2027, 1, 9): (True, ""),
    }
    assert [line.number for line in found] == [2, 3, 4]
    assert errors(found) == {}


@pytest.mark.parametrize(
    "written", ["2027-02-06", "2027/2/6", "2027.02.06", "2027年2月6日", "20270206", "２０２７-02-06"]
)
def test_days_as_people_write_them(written: str) -> None:
    found = calendar_files.read(f"day;kind\n{written};Worked\n".encode(), year=2027)
    assert days(found) == {date(2027, 2, 6): (True, "")}


def test_each_line_has_its_own_error() -> None:
    text = "day,kind\n2027-02-30,off\n2027-01-01,perhaps\n2028-01-01,off\n2027-01-04,off\n2027-01-04,off\nsoon,off\n"
    found = calendar_files.read(text.encode(), year=2027)
    assert errors(found) == {
        2: "This is not a day. Write it like 2027-02-06.",
        3: "Say whether the day is off or worked.",
        4: "This day is not in the year of the calendar.",
        6: "This day is in the file twice.",
        7: "This is not a day. Write it like 2027-02-06.",
    }
    assert list(days(found)) == [date(2027, 1, 4)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"day,kind\n", "no day in the file"),
        (b"a,b\n1,2\n", "has to name the columns"),
        (b"PK\x03\x04\0\0", "not a text file"),
        (b"x" * 200_001, "too large"),
        (b"day,kind\n" + b"2027-01-01,off\n" * 367, "more days in the file than in a year"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no day in the file"),
    ],
)
def test_what_is_no_notice_is_refused_with_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        calendar_files.read(data, year=2027)
    [problem] = refused.value.problems
    assert why in str(problem.message)
    assert problem.field == "file"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_calendar_of_entries(end: str) -> None:
    found = calendar_files.read(ICS.replace("\n", end).encode(), year=2027)
    assert days(found) == {
        date(2027, 1, 1): (False, "元旦"),
        date(2027, 1, 2): (False, "元旦"),
        date(2027, 1, 9): (True, "元旦"),
    }


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("DTSTART:20270101T093000", "whole days"),
        ("DTSTART;VALUE=DATE:20270101\nDTEND;VALUE=DATE:20270101", "whole days"),
        ("DTSTART;VALUE=DATE:20270101\nRRULE:FREQ=YEARLY", "repeats"),
        ("SUMMARY:off", "whole days"),
    ],
)
def test_entries_that_cannot_be_read(line: str, why: str) -> None:
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{line}\nEND:VEVENT\nEND:VCALENDAR\n"
    [error] = errors(calendar_files.read(text.encode(), year=2027)).values()
    assert why in error


@pytest.mark.parametrize(
    ("summary", "is_working"),
    [
        ("国庆节（休）", False),
        ("国庆节 假期", False),
        ("国庆节(班)", True),
        ("国庆节 补班", True),
        ("National Day (off)", False),
        ("Working day in exchange (worked)", True),
        ("National Day", False),
    ],
)
def test_the_name_says_whether_it_is_worked(summary: str, is_working: bool) -> None:
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20270110\nSUMMARY:{summary}\nEND:VEVENT\nEND:VCALENDAR"
    [line] = calendar_files.read(text.encode(), year=2027)
    assert line.day is not None
    assert line.day.is_working is is_working


def test_what_each_line_would_do() -> None:
    in_force = WorkingDays(version=1, zone=SHANGHAI, special=[SpecialDay(date(2027, 1, 1), False)])
    text = "day,kind\n2027-01-01,off\n2027-01-04,off\n2027-01-09,worked\n2027-01-05,worked\nnever,off\n"
    found = calendar_files.effects(calendar_files.read(text.encode(), year=2027), in_force=in_force)
    assert [(str(effect.text).partition(".")[0], effect.changes) for effect in found] == [
        ("is off already", False),
        ("becomes a day off", True),
        ("becomes a working day", True),
        ("is a working day already", False),
        ("This is not a day", False),
    ]


def test_days_that_the_file_forgets_become_ordinary() -> None:
    special = [
        SpecialDay(date(2027, 1, 1), False),
        SpecialDay(date(2027, 1, 9), True),
        SpecialDay(date(2027, 1, 2), False),
    ]
    in_force = WorkingDays(version=1, zone=SHANGHAI, special=special)
    lines = calendar_files.read(b"day,kind\n2027-01-01,off\n", year=2027)
    assert calendar_files.forgotten(lines, year=2027, in_force=in_force) == [date(2027, 1, 9)]


def test_names_that_the_file_lacks() -> None:
    known = [SpecialDay(date(2027, 1, 1), False, "元旦", "New Year's Day")]
    given_days = [
        SpecialDay(date(2027, 1, 1), False),
        SpecialDay(date(2027, 1, 4), False, "元旦"),
        SpecialDay(date(2027, 1, 9), True),
        SpecialDay(date(2027, 5, 5), False, "立夏"),
    ]
    assert [(day.name_zh, day.name_en) for day in calendar_files.with_names(given_days, known=known)] == [
        ("元旦", "New Year's Day"),
        ("元旦", "New Year's Day"),
        ("调休工作日", "Working day in exchange"),
        ("立夏", "立夏"),
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("year", [2018, 2024, 2026])
def test_what_is_exported_is_imported_again(year: int, language: str) -> None:
    special = calendars.from_library(year)
    row = CalendarYear(year=year, version=3, status="published", published_at=NOW)
    text = calendar_files.as_icalendar(row, special, language=language, at=NOW)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    again = [line.day for line in calendar_files.read(text.encode(), year=year)]
    assert [(day.day, day.is_working) for day in again if day] == [(day.day, day.is_working) for day in special]
    if language == "en":
        assert [day.name_en for day in again if day] == [day.name_en for day in special]
    else:
        assert [day.name_zh for day in again if day] == [day.name_zh for day in special]


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_file_breaks_it(data: bytes) -> None:
    try:
        calendar_files.read(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data + b"\nEND:VEVENT\n", year=2027)
        calendar_files.read(b"day,kind\n" + data, year=2027)
    except Invalid:
        pass
