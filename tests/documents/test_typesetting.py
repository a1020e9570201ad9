"""Letters as PDFs: whole, tagged, in the right language, without a hole."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from documents import typesetting
from documents.letters import Facts, Items, Letter, Notice, Paragraph, Quote, Section, Table, Text, quoted

AT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
LETTER = Letter(
    language="zh",
    title="不予批准决定书",
    subtitle="会议：美国",
    sender=("海淀办公室", "北京市海淀区一号路 1 号"),
    reference="EA-2026-000123",
    reference_label="申请编号",
    date="2026年3月3日",
    opening=(Facts((("申请人", (Text("王丽"), Text("Wang Li", "en"))),)), Notice("决定", (Text("不予批准。"),))),
    sections=(
        Section("理由", (Items(((Text("R-01"), Text("Law", "en", "https://law.example/a?b=c")),), is_numbered=True),)),
        Section("陈述意见", (Quote((quoted("I disagree.\nEntirely."),)), Paragraph(Text("完。"), is_small=True))),
        Section("时限", (Table(("时限", "截止"), ((Text("决定"), Text("3月16日")),)),)),
    ),
    closing=(Text("中文、英文两种文本内容一致。"),),
    page_words="第 {page} 页，共 {pages} 页",
)


def root(pdf: bytes):
    return PdfFileReader(io.BytesIO(pdf)).root


def tags(element, found=None):
    """Every structure type in the tree of a tagged PDF, in the order of reading."""
    found = [] if found is None else found
    if isinstance(element, dict) and "/S" in element:
        found.append(str(element["/S"])[1:])
    kids = element.get("/K") if isinstance(element, dict) else None
    for kid in kids if isinstance(kids, list) else [kids] if kids is not None else []:
        kid = kid.get_object() if hasattr(kid, "get_object") else kid
        if isinstance(kid, dict):
            tags(kid, found)
    return found


def test_a_letter_is_tagged_titled_and_in_its_language():
    pdf = typesetting.typeset(LETTER, at=AT)
    found = root(pdf)
    assert found["/Lang"] == "zh-CN"
    assert found["/MarkInfo"]["/Marked"]
    assert found["/ViewerPreferences"]["/DisplayDocTitle"]
    metadata = found["/Metadata"].data.decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "不予批准决定书 · EA-2026-000123" in metadata
    read = tags(found["/StructTreeRoot"])
    assert read.count("H1") == 1
    assert read.count("H2") == 3
    assert {"P", "L", "LI", "Table", "TH", "TD", "BlockQuote", "Link"} <= set(read)


def test_english_letters_say_so():
    assert root(typesetting.typeset(replace(LETTER, language="en"), at=AT))["/Lang"] == "en"


def test_the_same_letter_gives_the_same_bytes():
    assert typesetting.typeset(LETTER, at=AT) == typesetting.typeset(LETTER, at=AT)


def test_a_letter_of_any_moment_can_be_set_and_is_dated_to_the_second():
    inside = AT.replace(microsecond=123_456)
    assert typesetting.typeset(LETTER, at=inside) == typesetting.typeset(LETTER, at=AT.replace(microsecond=0))


# 𫖯, 𬴂 (beyond the basic plane), 㐂, 龘: rare characters of names and places; the others: what people write.
@pytest.mark.parametrize(
    "words", ["𫖯𬴂", "㐂", "龘", "Łódź Þór Ế", "Ελλάδα", "Қазақстан", "ひらがな", "한국", "ไทย", "😀", "№ ½ € ①"]
)
def test_what_people_write_can_be_set(words):
    assert typesetting.typeset(replace(LETTER, subtitle=words), at=AT).startswith(b"%PDF")


@pytest.mark.parametrize(("words", "missing"), [("𪚥先生", "𪚥"), ("𠮷野", "𠮷"), ("𓀀", "𓀀")])
def test_a_missing_glyph_is_an_error_and_named(words, missing):
    with pytest.raises(typesetting.MissingGlyph) as refused:
        typesetting.typeset(replace(LETTER, subtitle=words), at=AT)
    assert refused.value.text == missing
    assert f"U+{ord(missing):04X}" in str(refused.value)


def test_a_character_without_a_meaning_is_an_error():
    with pytest.raises(typesetting.CannotBeSet):
        typesetting.typeset(replace(LETTER, subtitle="\ue000"), at=AT)


def test_nothing_that_somebody_writes_is_markup():
    words = '#panic("x") *b* $x^2$ = H \\ #include "/etc/passwd" <a> @b `c` // d'
    assert typesetting.typeset(replace(LETTER, subtitle=words), at=AT).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("written", "set_"),
    [
        ("a\x00b\x07c", "abc"),
        ("gnp.\u202egpj", "gnp.gpj"),
        ("a\r\nb\tc", "a\nb c"),
        ("e\u0301", "é"),
        ("x" * 23, "x" * 23),
        ("x" * 50, "\u200b".join(["x" * 24, "x" * 24, "xx"])),
        (
            "https://a.example/b/c?d=e&f=g",
            "https:/|/|a.|example/|b/|c?|d=|e&|f=|g".replace("|", "\u200b"),
        ),
    ],
)
def test_words_are_made_fit_for_paper(written, set_):
    assert typesetting.clean(written) == set_


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("王丽", "zh"),
        ("Wang Li", "en"),
        ("東京タワー", "ja"),
        ("서울", "ko"),
        ("ไทย", "th"),
        ("12–14", ""),
        ("NeurIPS 会议", "zh"),
    ],
)
def test_the_script_gives_the_language_away(words, language):
    assert quoted(words) == Text(words, language)
