"""Tables are looked at before they are trusted: what is wrong is said with its place, and nothing blows up."""

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from pytest_django import Settings

from sensitivity import files, resources
from sensitivity.files import Shape, Unreadable

Table = list[list[Any]]
TABLE: Table = [["code", "中文名称", "Label in English", "level"], ["org-1", "苏黎世联邦理工学院", "ETH Zürich", 2]]


def known(word: str) -> bool:
    return bool(resources.field_of(word))


def csv_file(rows: Iterable[Sequence[object]], encoding: str = "utf-8", delimiter: str = ",") -> io.BytesIO:
    return io.BytesIO("\r\n".join(delimiter.join(map(str, row)) for row in rows).encode(encoding))


def workbook(rows: Iterable[Sequence[Any]], change: Callable[[Workbook], Any] = lambda book: None) -> io.BytesIO:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file


def read(file: io.BytesIO) -> tuple[Shape, Table]:
    shape = files.examine(file, is_known=known)
    return shape, [list(row.cells) for row in files.rows(file, shape)]


def why_not(file: io.BytesIO) -> str:
    with pytest.raises(Unreadable) as refused:
        read(file)
    with translation.override("zh-hans"):
        assert str(refused.value)
    return str(refused.value)


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, found: str, delimiter: str) -> None:
    shape, rows = read(csv_file(TABLE, encoding, delimiter))
    assert (shape.encoding, shape.delimiter) == (found, delimiter)
    assert shape.header == tuple(TABLE[0])
    assert rows == [["org-1", "苏黎世联邦理工学院", "ETH Zürich", "2"]]


def test_gb18030_is_found_when_the_header_is_english() -> None:
    rows = [["code", "label_zh"], *([f"c{n}", "国家超级计算中心及研究院"] for n in range(20))]
    assert read(csv_file(rows, "gb18030"))[0].encoding == "gb18030"


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1252", "ETH Zürich, École, Københavns"), ("big5", "國立臺灣大學資訊工程學系")]
)
def test_an_encoding_that_would_be_mistaken_for_gb18030_is_refused(encoding: str, name: str) -> None:
    rows = [["code", "label_en"], *([f"c{n}", name.replace(",", " ")] for n in range(20))]
    assert "none of UTF-8, UTF-16 and GB 18030" in why_not(csv_file(rows, encoding))


def test_what_cannot_be_decoded_is_said_with_line_and_byte() -> None:
    whole = "code,label_zh\nc1,计算机研究所\nc2,数学研究所\n".encode()
    broken = whole.replace("数".encode(), b"\xe6\x95\xff")
    assert "Byte 4 of line 3 cannot be read as UTF-8" in why_not(io.BytesIO(broken))
    cut = "code,label_zh\nc1,计算机研究所".encode("gb18030") + b"\n\xff\xff,"
    assert "Byte 1 of line 3 cannot be read as GB 18030" in why_not(io.BytesIO(cut))


def test_a_line_end_in_a_cell_does_not_shift_the_lines() -> None:
    file = io.BytesIO(b'code,label_en\nc1,"two\nlines"\n\nc2,one\n')
    shape = files.examine(file, is_known=known)
    assert [(row.line, list(row.cells)) for row in files.rows(file, shape)] == [
        (2, ["c1", "two\nlines"]),
        (5, ["c2", "one"]),
    ]


def test_a_quotation_mark_that_is_not_closed_is_said_with_its_line() -> None:
    assert "Line 3 cannot be read" in why_not(io.BytesIO(b'code,label_en\nc1,x\nc2,"never\nclosed\n'))


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7 ...", b"\x89PNG\r\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04no"]
)
def test_what_is_no_table_is_refused_at_the_door(content: bytes) -> None:
    with pytest.raises(Unreadable):
        files.format_of(io.BytesIO(content))


def test_a_table_of_something_else_or_without_rows_is_refused() -> None:
    assert "None of the words in the first row" in why_not(io.BytesIO(b"a,b\n1,2\n"))
    assert "no row below it" in why_not(io.BytesIO(b"code,level\n"))


# ── XLSX ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sheet_is_read_with_its_numbers_and_days() -> None:
    shape, rows = read(workbook([["code", "level", "valid_from"], ["c1", 2, date(2026, 3, 3)], [], ["c2", 3.0, "x"]]))
    assert (shape.format, shape.rows, shape.last) == ("xlsx", 2, 4)
    assert rows == [["c1", 2, date(2026, 3, 3)], ["c2", 3, "x"]]


def test_a_formula_is_refused_with_its_cell() -> None:
    assert "formulas in C2, A3" in why_not(
        workbook([["code", "level", "label_en"], ["c1", 1, "=1+1"], ["=A2", 2, "x"]])
    )


def test_merged_cells_are_refused_with_their_range() -> None:
    def merge(book: Workbook) -> None:
        book.active.merge_cells("A2:B2")  # type: ignore[union-attr]

    assert "merged: A2:B2" in why_not(workbook([["code", "level"], ["c1", 1], ["c2", 1]], merge))


def test_a_hidden_sheet_and_several_sheets_are_refused_by_name() -> None:
    def hide(book: Workbook) -> None:
        book.create_sheet("Secret").sheet_state = "hidden"

    assert "hidden sheet: Secret" in why_not(workbook(TABLE, hide))
    assert "2 sheets (Sheet, More)" in why_not(workbook(TABLE, lambda book: book.create_sheet("More")))


def test_an_error_in_a_cell_is_refused_with_its_place() -> None:
    def break_cell(book: Workbook) -> None:
        book.active["B2"].value, book.active["B2"].data_type = "#REF!", "e"  # type: ignore[index,union-attr]

    assert "errors such as #REF! in B2" in why_not(workbook([["code", "level"], ["c1", 1]], break_cell))


def test_macros_are_refused() -> None:
    file = workbook(TABLE)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    assert "macros" in why_not(file)


def test_a_zip_bomb_is_refused_before_it_is_opened(settings: Settings) -> None:
    file = workbook(TABLE)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media.bin", "w") as bomb:
        for _megabyte in range(400):
            bomb.write(b"\0" * 1024 * 1024)
    assert len(file.getvalue()) < 1024 * 1024
    assert "would unpack to 401 MB; the most is 300 MB. It was not opened." in why_not(file)


def test_a_document_type_and_another_encoding_in_the_xml_are_refused() -> None:
    good = workbook(TABLE)

    def with_sheet(change: Callable[[bytes], bytes]) -> io.BytesIO:
        changed = io.BytesIO()
        with zipfile.ZipFile(good) as old, zipfile.ZipFile(changed, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(name, change(content) if name.endswith("sheet1.xml") else content)
        return changed

    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert "damaged" in why_not(with_sheet(lambda xml: bomb + xml))
    assert "damaged" in why_not(with_sheet(lambda xml: xml.decode().encode("utf-16")))
    assert "damaged" in why_not(with_sheet(lambda xml: xml[: len(xml) // 2]))


def test_a_formula_on_the_border_of_two_pieces_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Table = [["code", "level"], *([f"c{n}", 1] for n in range(200)), ["=1+1", 1], ["x", 1]]
    file = workbook(rows)
    for size in (97, 100, 113, 1000):
        monkeypatch.setattr(files, "_CHUNK", size)
        assert "formulas in A202" in why_not(file)


# ── too much ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_million_rows_are_refused_and_the_rest_is_not_read(settings: Settings) -> None:
    lines = (b"code,level\n" + b"".join(b"c%d,1\n" % number for number in range(1_000_000)),)
    assert "more than 200000 rows" in why_not(io.BytesIO(lines[0]))


@pytest.mark.parametrize("make", [csv_file, workbook])
def test_as_many_rows_as_allowed_are_taken_and_one_more_is_not(
    settings: Settings, make: Callable[[Table], io.BytesIO]
) -> None:
    settings.LIST_FILE_MAX_ROWS = 5
    rows: Table = [["code", "level"], *([f"c{n}", 1] for n in range(6))]
    assert read(make(rows[:6]))[0].rows == 5
    assert "more than 5 rows" in why_not(make(rows))


def test_too_large_and_too_wide_files_are_refused(settings: Settings) -> None:
    assert "more than 100 columns" in why_not(csv_file([["code", *map(str, range(100))], ["c1"]]))
    assert "more than 100 columns" in why_not(workbook([["code", *map(str, range(100))], ["c1"]]))
    settings.LIST_FILE_MAX_BYTES = 10
    assert "the most is 0 MB" in why_not(csv_file(TABLE))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

cells = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(cells)
def test_what_is_guarded_is_no_formula_and_is_read_as_it_was(text: str) -> None:
    guarded = files.guarded(text)
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert files.unguarded(guarded) == text


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@given(rows=st.lists(st.lists(cells, min_size=3, max_size=3), max_size=5))
def test_what_is_written_is_read(format: str, rows: Table) -> None:
    table = [["code", "label_zh", "label_en"], *rows, ["end", "终", "end"]]
    file = io.BytesIO(b"".join(files.pieces(format, table, title="A/B: [x] & <y>", size=(len(table), 3))))
    _shape, found = read(file)
    assert [[files.unguarded(cell or "") for cell in [*row, "", ""][:3]] for row in found] == [
        row for row in table[1:] if any(row)
    ]


def test_a_written_workbook_is_whole_for_others_too() -> None:
    file = io.BytesIO(b"".join(files.xlsx_pieces([["code", "级别"], ["=1+1", 3]], title="清单", size=(2, 2))))
    sheet = load_workbook(file).active
    assert sheet is not None
    assert (sheet.title, sheet["A1"].value, sheet["A2"].value, sheet["B2"].value) == ("清单", "code", "'=1+1", 3)
    assert sheet["A2"].data_type == "s"


def test_a_large_file_is_written_in_pieces() -> None:
    def rows() -> Iterable[list[object]]:
        for number in range(20_000):
            yield [f"code-{number}", "x" * 50]

    for format in ("csv", "xlsx"):
        sizes = [len(piece) for piece in files.pieces(format, rows(), title="t")]
        assert len(sizes) > 15
        assert max(sizes) < 200_000


# ── columns and people ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "heading",
    [
        "姓名",
        "身份证号",
        "护照号码",
        "Passport No.",
        "full_name",
        "Date of birth",
        "dob",
        "ID card",
        "出生日期",
        "Surname",
    ],
)
def test_headings_about_people_are_known(heading: str) -> None:
    assert resources.is_about_a_person(heading)


def test_no_heading_of_ours_is_about_people() -> None:
    for column in resources.COLUMNS:
        for word in (column.field, column.zh, column.en, *column.others):
            assert resources.field_of(word) == column.field
            assert not resources.is_about_a_person(word)


@pytest.mark.parametrize(
    "cell", ["11010519491231002X", "110105 19491231 002x", "E12345678", "EA1234567", 110105194912310000]
)
def test_numbers_of_people_are_known(cell: files.Cell) -> None:
    assert resources.is_number_of_a_person(cell)


@pytest.mark.parametrize(
    "cell", ["110105194912310021", "cs.CL", "US-CA", "91110108MA01TMPL05", "Q12345678", 2, None, date(1990, 1, 1)]
)
def test_other_cells_are_not_taken_for_numbers_of_people(cell: files.Cell) -> None:
    assert not resources.is_number_of_a_person(cell)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip).filter(bool), max_size=5
    )
)
def test_several_names_in_a_cell_are_read_as_they_were(names: list[str]) -> None:
    widget = resources.Names()
    once = resources.one_line_each(names)
    assert widget.clean(files.guarded(widget.render(names))) == once
