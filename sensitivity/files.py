"""Tables that people send and take away, as CSV and XLSX: looked at before they are trusted, read and written by row.

What a file is, is decided by its content, never by its name. Nothing is unpacked before its size is known, no formula
is evaluated, and no row is read into memory together with all the others.
"""

from __future__ import annotations

import codecs
import csv
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO, StringIO, TextIOWrapper
from typing import IO, Any, NoReturn, TypeVar
from xml.sax.saxutils import escape

from charset_normalizer import from_bytes
from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.constants import SHEET_MAIN_NS

from accounts.refusals import Refused, Sentence

CSV, XLSX = "csv", "xlsx"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MAX_COLUMNS = 100
SHOWN = 5
"""How many places of one kind of fault are named; who mends these sees the pattern."""

T = TypeVar("T")
Cell = str | int | float | date | None


class Unreadable(Refused):
    """The file cannot be taken as a table. The sentence says where, and how to mend it."""


def said(sentence: Sentence, **values: object) -> Sentence:
    """`sentence` with `values` in it, in whichever language is active when it is read."""
    found: Sentence = _lazily(sentence, values)
    return found


_lazily: Any = lazy(lambda sentence, values: str(sentence) % values, str)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file turned out to be. `rows` are those below the header that hold something; `last` is the last line."""

    format: str
    header: tuple[str, ...]
    header_line: int
    rows: int
    last: int
    encoding: str = ""
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line of the file (or of the sheet) that it begins on, from 1, and its cells from the left."""

    line: int
    cells: Sequence[Cell]


# ── at the door: what can be said at once ───────────────────────────────────────────────────────────────────────────


def format_of(file: IO[bytes]) -> str:
    """CSV or XLSX, by the content. Unreadable when empty, too large, of another kind, or unpacking to too much."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    if not size:
        raise Unreadable(_("The file is empty. Choose another one."))
    if size > settings.LIST_FILE_MAX_BYTES:
        raise Unreadable(
            said(
                _("The file has %(size)d MB; the most is %(limit)d MB. Split it."),
                size=-(-size // 1024**2),
                limit=settings.LIST_FILE_MAX_BYTES // 1024**2,
            )
        )
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            _("This is an old Excel file (.xls), or one with a password. Save it as .xlsx without a password.")
        )
    if head.startswith(b"PK"):
        _check_archive(file)
        file.seek(0)
        return XLSX
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise Unreadable(_("By its content this is no table. Send a CSV file or an Excel file (.xlsx)."))
    return CSV


def _check_archive(file: IO[bytes]) -> None:
    """Refuse what is no workbook, or is one that would not fit: by what the archive says before it is unpacked.

    zipfile never gives more of a member than was declared, so a lie about the size ends in a broken file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise Unreadable(_("The file is damaged: it begins like an Excel file and is none.")) from None
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        raise Unreadable(_("By its content this is no table. Send a CSV file or an Excel file (.xlsx)."))
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Unreadable(_("The file holds macros. Save it as .xlsx, without macros."))
    size, limit = sum(member.file_size for member in members), settings.LIST_FILE_MAX_UNPACKED_BYTES
    if size > limit:
        raise Unreadable(
            said(
                _("The file would unpack to %(size)d MB; the most is %(limit)d MB. It was not opened. Split it."),
                size=-(-size // 1024**2),
                limit=limit // 1024**2,
            )
        )


# ── the whole file, once: where the table is and how large ──────────────────────────────────────────────────────────


def examine(file: IO[bytes], *, is_known: Callable[[str], bool]) -> Shape:
    """What the table in `file` looks like; reads all of it once, keeping nothing.

    `is_known` says whether a word of the header is one of ours, which also tells encodings and delimiters apart.
    Unreadable with the place: what cannot be decoded, a formula, merged cells, hidden or several sheets, too many rows
    (then the rest is not read), no header.
    """
    found = _examine_xlsx(file) if format_of(file) == XLSX else _examine_csv(file, is_known)
    if not any(map(is_known, found.header)):
        raise Unreadable(
            _("None of the words in the first row is a column of a list. Begin with the template: it has them all.")
        )
    if not found.rows:
        raise Unreadable(_("There is a header and no row below it."))
    return found


def _too_many() -> NoReturn:
    raise Unreadable(
        said(
            _("The file has more than %(limit)d rows, the most that is taken at once. Split it; nothing was read."),
            limit=settings.LIST_FILE_MAX_ROWS,
        )
    )


def rows(file: IO[bytes], shape: Shape) -> Iterator[Row]:
    """The rows below the header that hold something, in order. Unreadable where the file turns out to be damaged."""
    file.seek(0)
    found = _xlsx_rows(file, shape) if shape.format == XLSX else _csv_rows(file, shape.encoding, shape.delimiter)
    for row in found:
        if row.line > shape.header_line and any(cell not in (None, "") for cell in row.cells):
            yield row


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GB 18030"}
_HEAD = 256 * 1024
_CHUNK = 1024 * 1024
_DELIMITERS = ",;\t|"


def name_of_encoding(encoding: str) -> str:
    """What people call an encoding."""
    return _NAMES.get(encoding, encoding.upper().replace("_", "-"))


def _examine_csv(file: IO[bytes], is_known: Callable[[str], bool]) -> Shape:
    encoding = encoding_of(file, is_known)
    file.seek(0)
    text = TextIOWrapper(file, encoding=encoding, newline="")
    try:
        first = next((line for line in text if line.strip()), "")
    finally:
        text.detach()
    delimiter = max(_DELIMITERS, key=lambda one: _recognised(first, one, is_known))
    header: tuple[str, ...] = ()
    header_line = count = last = 0
    file.seek(0)
    for row in _csv_rows(file, encoding, delimiter):
        if not any(cell.strip() for cell in row.cells if isinstance(cell, str)):
            continue
        if not header:
            header, header_line = tuple(str(cell).strip() for cell in row.cells), row.line
            if len(header) > MAX_COLUMNS:
                _too_wide()
            continue
        count, last = count + 1, row.line
        if count > settings.LIST_FILE_MAX_ROWS:
            _too_many()
    return Shape(CSV, header, header_line, count, last, encoding, delimiter)


def _recognised(line: str, delimiter: str, is_known: Callable[[str], bool]) -> tuple[int, int]:
    words = next(csv.reader([line], delimiter=delimiter), [])
    return sum(map(is_known, words)), len(words)


def _csv_rows(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[Row]:
    text = TextIOWrapper(file, encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(
            said(
                _("Line %(line)d cannot be read: a quotation mark is not closed or stands inside a word (%(error)s)."),
                line=line,
                error=error,
            )
        ) from None
    finally:
        text.detach()


def encoding_of(file: IO[bytes], is_known: Callable[[str], bool]) -> str:
    """UTF-8, UTF-16 or GB 18030: the one that `file` is in. Unreadable, with line and byte, when it is in none."""
    file.seek(0)
    head = file.read(_HEAD)
    if encoding := next((name for mark, name in _BOMS if head.startswith(mark)), ""):
        return _decodable(file, encoding)
    if b"\0" in head:
        # Delimiters and line ends have a zero beside them, always on the same side.
        left, right = head[0::2].count(0), head[1::2].count(0)
        if min(left, right) * 10 > max(left, right):
            raise Unreadable(_("By its content this is no table. Send a CSV file or an Excel file (.xlsx)."))
        return _decodable(file, "utf-16-le" if right > left else "utf-16-be")
    broken = _first_undecodable(file, "utf-8")
    if broken is None:
        return "utf-8"
    if _is_utf8_so_far(file, broken):
        _undecodable(file, broken, "utf-8")
    _decodable(file, "gb18030")
    if not _is_chinese(head, is_known):
        # A page of another language that by chance is GB 18030, too: guessing would turn names into others.
        guess = from_bytes(head[:65536]).best()
        raise Unreadable(
            said(
                _("The file is in none of UTF-8, UTF-16 and GB 18030; it looks like %(guess)s. Save it as UTF-8."),
                guess=name_of_encoding(guess.encoding) if guess else "?",
            )
        )
    return "gb18030"


def _first_undecodable(file: IO[bytes], encoding: str) -> int | None:
    """The offset of the first byte of `file` that is not `encoding`."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    before = 0
    while True:
        chunk = file.read(_CHUNK)
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return before - kept + error.start
        if not chunk:
            return None
        before += len(chunk)


def _decodable(file: IO[bytes], encoding: str) -> str:
    if (broken := _first_undecodable(file, encoding)) is not None:
        _undecodable(file, broken, encoding)
    return encoding


def _undecodable(file: IO[bytes], offset: int, encoding: str) -> NoReturn:
    file.seek(0)
    before = file.read(offset)
    wide = encoding.startswith("utf-16")
    start = before.rfind(b"\n\0" if wide else b"\n") + (2 if wide else 1) if b"\n" in before else 0
    raise Unreadable(
        said(
            _(
                "Byte %(byte)d of line %(line)d cannot be read as %(encoding)s. Open the file where it was made and "
                "save it as UTF-8."
            ),
            byte=offset - start + 1,
            line=before.count(b"\n") + 1,
            encoding=name_of_encoding(encoding),
        )
    )


def _is_utf8_so_far(file: IO[bytes], offset: int) -> bool:
    """Whether what stands before `offset` is written in UTF-8 beyond doubt: with Chinese characters in it."""
    file.seek(0)
    before = file.read(offset).decode("utf-8", "ignore")
    return len(re.findall(r"[\u3400-\u9fff]", before)) >= 2


def _is_chinese(head: bytes, is_known: Callable[[str], bool]) -> bool:
    """Whether the bytes, decodable as GB 18030, mean what that makes of them."""
    text = head.decode("gb18030", "ignore")
    first = next((line for line in text.splitlines() if line.strip()), "")
    words = [word.strip() for delimiter in _DELIMITERS for word in first.split(delimiter)]
    if any(is_known(word) for word in words if not word.isascii()):
        return True
    foreign = [sign for sign in text if not sign.isascii()]
    # The two levels of GB 2312 and its signs are what nearly every text is written in; chance hits all the rest.
    common = sum(_in_gb2312(sign) for sign in foreign)
    if common >= 0.7 * len(foreign):
        return True
    guess = from_bytes(head[:65536], cp_isolation=["gb18030", "big5", "cp1252", "shift_jis", "euc_kr"]).best()
    return guess is not None and guess.encoding == "gb18030"


def _in_gb2312(sign: str) -> bool:
    try:
        return len(sign.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


# ── XLSX ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _too_wide() -> NoReturn:
    raise Unreadable(
        said(_("The table has more than %(limit)d columns. Remove those that say nothing."), limit=MAX_COLUMNS)
    )


_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    DefusedXmlException,
    LookupError,
    SyntaxError,  # what ElementTree's ParseError is
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    OSError,
)


def _damaged(error: Exception) -> Unreadable:
    return Unreadable(
        said(
            _("The Excel file is damaged (%(error)s). Open it, save it again as .xlsx and send that."),
            error=type(error).__name__,
        )
    )


def _open(file: IO[bytes]) -> Any:
    """The workbook, opened to be read row by row. Unreadable unless it has one sheet that everybody can see."""
    file.seek(0)
    try:
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except _DAMAGE as error:
        raise _damaged(error) from None
    sheets: list[Any] = [*book.worksheets, *book.chartsheets]
    names = ", ".join(sheet.title for sheet in sheets[:SHOWN])
    if hidden := [sheet.title for sheet in sheets if sheet.sheet_state != "visible"]:
        raise Unreadable(
            said(_("The file has a hidden sheet: %(names)s. Show or delete it."), names=", ".join(hidden[:SHOWN]))
        )
    if len(book.worksheets) != 1 or len(sheets) != 1:
        raise Unreadable(
            said(
                _("The file has %(count)d sheets (%(names)s). Keep the one with the entries."),
                count=len(sheets),
                names=names,
            )
        )
    return book


def _examine_xlsx(file: IO[bytes]) -> Shape:
    book = _open(file)
    sheet = book.worksheets[0]
    scan = _Scan()
    try:
        with sheet._get_source() as source:
            scan.read(source)
        if scan.merged:
            raise Unreadable(
                said(
                    _("Cells are merged: %(places)s. Undo it, so that every row says everything it means."),
                    places=", ".join(scan.merged[:SHOWN]),
                )
            )
        if scan.formulas:
            raise Unreadable(
                said(
                    _("There are formulas in %(places)s. Replace them by their values: copy, then paste values only."),
                    places=", ".join(scan.formulas[:SHOWN]),
                )
            )
        if scan.errors:
            raise Unreadable(
                said(
                    _("There are errors such as #REF! in %(places)s. Write what is meant there."),
                    places=", ".join(scan.errors[:SHOWN]),
                )
            )
        if not scan.rows:
            return Shape(XLSX, (), 0, 0, 0)
        cells = next(sheet.iter_rows(min_row=scan.first, max_row=scan.first, max_col=MAX_COLUMNS + 1, values_only=True))
    except _DAMAGE as error:
        raise _damaged(error) from None
    header = _trimmed(["" if cell is None else str(cell).strip() for cell in cells])
    if len(header) > MAX_COLUMNS:
        _too_wide()
    return Shape(XLSX, header, scan.first, scan.rows - 1, scan.last)


_PREFIX = rb"<(?:[A-Za-z_][\w.-]*:)?"
_ROW = re.compile(_PREFIX + rb"row(?=[\s/>])")
_NUMBER = re.compile(rb"[^>]*?\sr=[\"'](\d{1,9})[\"']")
_VALUE = re.compile(_PREFIX + rb"(?:v|is)[\s/>]")
_FAULTY = re.compile(_PREFIX + rb"f[\s/>]|\st=[\"']e[\"']")
_CELL = re.compile(_PREFIX + rb"c(?=[\s/>])([^>]*)>(.*?)(?=" + _PREFIX + rb"c[\s/>]|\Z)", re.DOTALL)
_ADDRESS = re.compile(rb"\sr=[\"']([A-Z]{1,3}\d{1,7})[\"']")
_MERGED = re.compile(_PREFIX + rb"mergeCell\s[^>]*?ref=[\"']([A-Z0-9:]+)[\"']")
_LONGEST_ROW = 16 * 1024 * 1024


class _Scan:
    """One fast look at the XML of a sheet, for what openpyxl passes over when it reads row by row.

    It can take something for a fault that is none (in a comment of the XML, say), never the other way round.
    """

    def __init__(self) -> None:
        self.rows = self.first = self.last = 0
        self.merged: list[str] = []
        self.formulas: list[str] = []
        self.errors: list[str] = []
        self._row = 0

    def read(self, source: IO[bytes]) -> None:
        """Look at all of it. ValueError for XML that is not UTF-8, declares a document type, or has no end of rows."""
        kept = source.read(_CHUNK)
        declared = re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([^\"']*)", kept)
        if kept.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in kept[:4]:
            raise ValueError("not UTF-8")
        if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
            raise ValueError("not UTF-8")
        is_head = True
        while True:
            if b"<!DOCTYPE" in kept:
                raise ValueError("a document type is declared")
            *whole, kept = _ROW.split(kept)
            for part in whole:
                if not is_head:
                    self._look(part)
                is_head = False
            if len(kept) > _LONGEST_ROW:
                raise ValueError("a row without an end")
            chunk = source.read(_CHUNK)
            if not chunk:
                break
            # What was cut off begins as a row, unless there was none yet.
            kept = (kept if is_head else b"<row" + kept) + chunk
            is_head = True
        if not is_head:
            self._look(kept)
        self.merged += [found.decode() for found in _MERGED.findall(kept)[:SHOWN]]

    def _look(self, row: bytes) -> None:
        number = _NUMBER.match(row)
        self._row = int(number[1]) if number else self._row + 1
        if _FAULTY.search(row):
            self._find_faults(row)
        if not _VALUE.search(row):
            return
        self.last = self._row
        self.first = self.first or self._row
        self.rows += 1
        if self.rows > settings.LIST_FILE_MAX_ROWS + 1:
            _too_many()

    def _find_faults(self, row: bytes) -> None:
        for attributes, content in _CELL.findall(row):
            found = _ADDRESS.search(attributes)
            place = found[1].decode() if found else str(self._row)
            if re.search(_PREFIX + rb"f[\s/>]", content):
                _note(self.formulas, place)
            elif re.search(rb"\st=[\"']e[\"']", attributes):
                _note(self.errors, place)


def _note(places: list[str], place: str) -> None:
    if len(places) < SHOWN:
        places.append(place)


def _xlsx_rows(file: IO[bytes], shape: Shape) -> Iterator[Row]:
    sheet = _open(file).worksheets[0]
    try:
        found = sheet.iter_rows(min_row=shape.header_line, max_row=shape.last, max_col=MAX_COLUMNS, values_only=True)
        for line, cells in enumerate(found, shape.header_line):
            yield Row(line, _trimmed([_plain(cell) for cell in cells]))
    except _DAMAGE as error:
        raise _damaged(error) from None


def _trimmed(cells: list[T]) -> tuple[T, ...]:
    """Without the empty cells at the end: they are there because something else on the sheet is wider."""
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return tuple(cells)


def _plain(cell: Any) -> Cell:
    """A cell as text, number or day. Numbers that are whole have no decimals; a day has no midnight."""
    match cell:
        case None | str() | int():
            return str(cell).upper() if isinstance(cell, bool) else cell
        case float():
            return int(cell) if cell.is_integer() else cell
        case datetime():
            return cell.date() if cell.time() == time() else cell
        case date():
            return cell
        case _:
            return str(cell)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
# What XML 1.0 cannot hold; a spreadsheet could not open the file.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


_NO_TITLE = re.compile(r"[\[\]:*?/\\']")


def guarded(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula: with an apostrophe before it. See `unguarded`."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` made `text` of."""
    return text[1:] if text.startswith("'") and _DANGEROUS.match(text) else text


def csv_pieces(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A CSV file with these rows (the header is the first): UTF-8 with a mark, which spreadsheets need to know it."""
    yield codecs.BOM_UTF8
    for block in _blocks(rows):
        text = StringIO()
        csv.writer(text, lineterminator="\r\n").writerows([[_written(cell) for cell in row] for row in block])
        yield text.getvalue().encode()


def xlsx_pieces(
    rows: Iterable[Sequence[object]], *, title: str, size: tuple[int, int] | None = None
) -> Iterator[bytes]:
    """An XLSX file with these rows on one sheet, all text but whole numbers, piece by piece as it is written.

    `size`: how many rows and columns it will have, where known: programs then make room before they read.

    openpyxl takes ten times as long for a hundred thousand rows and gives nothing before the last; this is the least
    that the format asks for, and openpyxl reads it in the tests.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(
                name, content.format(title=escape(_NO_TITLE.sub(" ", _clean(title))[:31], {'"': "&quot;"}))
            )
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            room = f'<dimension ref="A1:{_letter(size[1])}{size[0]}"/>' if size else ""
            sheet.write(f"{_SHEET_HEAD}{room}<sheetData>".encode())
            number = 0
            for block in _blocks(rows):
                lines = []
                for row in block:
                    number += 1
                    cells = (_xml(cell, f"{_letter(place)}{number}") for place, cell in enumerate(row, 1))
                    lines.append(f'<row r="{number}">{"".join(cells)}</row>')
                sheet.write("".join(lines).encode())
                yield sink.taken()
            sheet.write(b"</sheetData></worksheet>")
    yield sink.taken()


def pieces(
    format: str, rows: Iterable[Sequence[object]], *, title: str, size: tuple[int, int] | None = None
) -> Iterator[bytes]:
    """A file of `format` with these rows; `title` and `size` as in `xlsx_pieces`."""
    return xlsx_pieces(rows, title=title, size=size) if format == XLSX else csv_pieces(rows)


class _Sink(BytesIO):
    """What a zip file is written to when it goes on at once: it cannot go back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_where: Any) -> int:
        raise OSError("what was written is on its way")

    def tell(self) -> int:
        raise OSError("what was written is on its way")

    def taken(self) -> bytes:
        written = self.getvalue()
        super().seek(0)
        self.truncate()
        return written


def _blocks(rows: Iterable[Sequence[object]], size: int = 1000) -> Iterator[list[Sequence[object]]]:
    block: list[Sequence[object]] = []
    for row in rows:
        block.append(row)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _clean(text: str) -> str:
    return _NO_TEXT.sub("", text)


def _written(cell: object) -> str | int:
    return cell if isinstance(cell, int) else guarded(_clean(str(cell if cell is not None else "")))


_letters: dict[int, str] = {}


def _letter(place: int) -> str:
    return _letters.get(place) or _letters.setdefault(place, get_column_letter(place))


def _xml(cell: object, at: str) -> str:
    written = _written(cell)
    if isinstance(written, int):
        return f'<c r="{at}"><v>{written}</v></c>'
    if not written:
        return ""
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(written)}</t></is></c>'


_DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_HEAD = f'{_DECLARED}<worksheet xmlns="{SHEET_MAIN_NS}">'
_PARTS = {
    "[Content_Types].xml": f'{_DECLARED}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_DECLARED}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_DECLARED}<workbook xmlns="{SHEET_MAIN_NS}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="{title}" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_DECLARED}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
