"""Anybody reads the figures; the file says what the page says; seniors see like cases decided differently."""

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from figures import tables
from figures.models import QuarterFigures
from figures.suppression import TOTAL
from tests.factories import NOW, OfficeFactory, posted
from tests.figures.numbers import large, published_by

pytestmark = pytest.mark.django_db


class Tables(HTMLParser):
    """The rows of all tables of a page, as words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] = (self.rows[-1][-1] + data).strip()


def published(quarter: str, version: int = 1, seed: int = 1, **values: Any) -> QuarterFigures:
    data = published_by(large(seed))
    return QuarterFigures.objects.create(quarter=quarter, version=version, published_at=NOW, data=data, **values)


def read(path: str, status: int = 200) -> str:
    answer = Client().get(path, headers={"accept-language": "en"})
    assert answer.status_code == status
    return answer.content.decode()


def test_before_the_first_quarter_the_page_says_what_will_be_there() -> None:
    assert "Nothing is published yet" in read("/figures/")
    read("/figures/?quarter=2026Q1", 404)
    read("/figures/2026Q1.csv", 404)
    read("/figures/nonsense.csv", 404)


def test_the_file_says_what_the_page_says() -> None:
    row = published("2026Q1")
    words = Tables(read("/figures/")).rows
    lines = list(csv.DictReader(io.StringIO(read("/figures/2026Q1.csv").removeprefix("\ufeff"))))

    in_file = {(line["office"], line["measure"], line["reason_code"]): line["value"] or "not shown" for line in lines}
    assert len(in_file) == len(lines) == 5 * (14 + 2 + 3)
    seen = set()
    for table in tables.tables(row.data):
        places = [TOTAL, *(one["code"] for one in row.data["offices"])]
        for line in table.lines:
            (shown,) = [cells for cells in words if cells and cells[0].startswith(line.name) and _is(cells, line)]
            if table.key == "reasons":
                keys = [(place, "reason", line.name) for place in places]
            else:
                place = places[[one.name for one in table.lines].index(line.name)]
                columns = {str(label): name for name, label in tables.LABELS.items()}
                keys = [(place, columns[str(one.label)], "") for one in line.figures]
            assert shown[1:] == [in_file[key] for key in keys]
            seen.update(keys)
    assert seen == set(in_file)
    assert {line["status"] for line in lines if not line["value"]} == {"suppressed"}
    assert {line["status"] for line in lines if line["value"]} == {"published"}


def _is(cells: list[str], line: tables.Line) -> bool:
    return cells[1:] == ["not shown" if one.value is None else str(one.value) for one in line.figures]


def test_the_page_shows_no_small_number() -> None:
    published("2026Q1", seed=7)
    rows = Tables(read("/figures/")).rows
    counts = [row for row in rows if row and not row[0].startswith("Office") and "2026Q1" not in row[0]]
    for row in counts:
        assert [cell for cell in row[1:] if re.fullmatch("[1-9]", cell)] == [] or row[0] == "All offices"
    assert any("not shown" in row for row in rows)


def test_a_correction_stands_beside_the_first_version() -> None:
    published("2026Q1")
    published("2026Q1", 2, seed=2, reason_zh="补充浦东。", reason_en="Pudong was missing.")

    newest, first = read("/figures/?quarter=2026Q1"), read("/figures/?quarter=2026Q1&version=1")

    assert "Pudong was missing." in newest
    assert "There is a corrected version" not in newest
    assert "There is a corrected version" in first
    assert read("/figures/2026Q1.csv?version=1") != read("/figures/2026Q1.csv")
    assert ",2," in read("/figures/2026Q1.csv")
    read("/figures/?quarter=2026Q1&version=3", 404)


def test_in_chinese_the_offices_have_their_chinese_names() -> None:
    published("2026Q1")
    page = Client().get("/figures/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "第0办公室" in page
    assert "Office 0" not in page


def test_the_page_takes_the_same_queries_for_one_quarter_and_for_three(django_assert_num_queries: Any) -> None:
    for quarter in ("2026Q1", "2026Q2", "2026Q3"):
        published(quarter)
        with django_assert_num_queries(2):
            page = read("/figures/")
    assert page.count("?quarter=2026Q") == 3


def test_only_seniors_open_the_consistency_view() -> None:
    office = OfficeFactory.create()
    roles = ((Role.SENIOR, 200), (Role.REVIEWER, 403), (Role.HEAD, 403), (Role.APPEAL_REVIEWER, 403))
    for number, (role, status) in enumerate(roles):
        client = Client()
        client.force_login(posted(office, role, f"700{number}"))
        assert client.get("/consistency/").status_code == status
    assert Client().get("/consistency/").status_code == 302
