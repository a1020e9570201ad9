"""Files are what their content says, whatever their name says."""

import io
import struct
import zipfile
import zlib
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from accounts.roles import Role
from approvals import queries, uploads, workflow
from approvals.models import Attachment, TravelRequest
from approvals.states import State
from audit.models import Entry
from tests.asserting import nothing_moved
from tests.factories import NOW, actor, in_state, officer_of, posted

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
EXE = b"MZ\x90\x00" + b"\0" * 60 + b"PE\0\0" + b"\0" * 200


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def archive(compression: int = zipfile.ZIP_STORED, **parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as made:
        for name, data in parts.items():
            made.writestr(name.replace("__", "/"), data)
    return content.getvalue()


def office(part: str, **more: bytes) -> bytes:
    return archive(**{"[Content_Types].xml": b"<Types/>", part.replace("/", "__"): b"<x/>"}, **more)


GOOD = {
    "paper.pdf": (PDF, "application/pdf"),
    "photo.png": (png(), "image/png"),
    "photo.jpg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9", "image/jpeg"),
    "letter.docx": (office("word/document.xml"), "wordprocessingml.document"),
    "sheet.xlsx": (office("xl/workbook.xml"), "spreadsheetml.sheet"),
    "talk.pptx": (office("ppt/presentation.xml"), "presentationml.presentation"),
    "letter.odt": (archive(mimetype=b"application/vnd.oasis.opendocument.text"), "opendocument.text"),
    # The name does not matter, in either direction.
    "virus.exe": (PDF, "application/pdf"),
    "no ending": (png(), "image/png"),
}
SQUEEZED = archive(zipfile.ZIP_DEFLATED, mimetype=b"application/vnd.oasis.opendocument.text")
BAD = {
    "paper.pdf": EXE,
    "photo.png": b"<html><script>alert(1)</script></html>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "notes.txt": b"Just words.",
    "bundle.zip": archive(readme=b"words"),
    "macros.docm": office("word/document.xml", word__vbaProject__bin=b"x").replace(
        b"word/vbaProject/bin", b"word/vbaProject.bin"
    ),
    "broken.docx": office("word/document.xml")[:40],
    "program.odt": archive(mimetype=b"application/x-msdownload"),
    "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
}


def upload(name: str, content: bytes) -> Any:
    return SimpleUploadedFile(name, content)


@pytest.mark.parametrize(("name", "content", "kind"), [(name, *good) for name, good in GOOD.items()], ids=GOOD)
def test_documents_are_known_by_their_content(name: str, content: bytes, kind: str) -> None:
    checked = uploads.check(upload(name, content))
    assert checked.content_type.endswith(kind)
    assert (checked.name, checked.size, checked.sha256) == (name, len(content), sha256(content).hexdigest())


def test_damage_inside_a_compressed_part_is_refused() -> None:
    place = SQUEEZED.index(b"mimetype") + len(b"mimetype")
    damaged = SQUEEZED[:place] + b"\xff\xff\xff" + SQUEEZED[place + 3 :]
    assert uploads.content_type(upload("x.odt", SQUEEZED)) in uploads.OPEN_DOCUMENT
    assert uploads.content_type(upload("x.odt", damaged)) is None


@pytest.mark.parametrize(("name", "content"), BAD.items(), ids=BAD)
def test_everything_else_is_refused_at_the_field(name: str, content: bytes) -> None:
    with pytest.raises(Invalid, match="By its content this is not a PDF, an image or an Office file") as caught:
        uploads.check(upload(name, content))
    assert [(one.section, one.field) for one in caught.value.problems] == [("documents", "file")]


def test_an_empty_file_says_so() -> None:
    with pytest.raises(Invalid, match="The file is empty"):
        uploads.check(upload("paper.pdf", b""))


def test_twenty_megabytes_and_not_one_byte_more() -> None:
    limit = 20 * 1024 * 1024
    uploads.check(upload("paper.pdf", PDF.ljust(limit, b" ")))
    with pytest.raises(Invalid, match="The file has 21 MB; the most is 20 MB"):
        uploads.check(upload("paper.pdf", PDF.ljust(limit + 1, b" ")))


@given(st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"MZ"]), st.binary(max_size=600))
def test_whatever_the_bytes_the_answer_is_a_type_or_none(head: bytes, tail: bytes) -> None:
    kind = uploads.content_type(upload("x", head + tail))
    assert kind is None or kind == uploads.PDF or kind in uploads.IMAGES


@given(st.data())
def test_a_damaged_archive_is_no_accident(data: st.DataObject) -> None:
    """Bytes changed anywhere in an Office file make it refused or leave it one; nothing else can happen."""
    whole = bytearray(data.draw(st.sampled_from([GOOD["letter.docx"][0], GOOD["letter.odt"][0], SQUEEZED])))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(4, len(whole) - 1), st.integers(0, 255)), max_size=6)):
        whole[place] = byte
    kind = uploads.content_type(upload("x.docx", bytes(whole)))
    assert kind is None or kind in uploads.OPEN_DOCUMENT or kind in uploads.OFFICE.values()


@given(st.text(max_size=400))
def test_a_name_is_clean_short_and_never_empty(name: str) -> None:
    clean = uploads.clean_name(name)
    assert 1 <= len(clean) <= 200
    assert not set(clean) & set("/\\\0\n\r\t\u202e")
    assert uploads.clean_name(clean) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\alice\\邀请函.pdf", "邀请函.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("", "file"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
    ],
)
def test_names_are_kept_without_what_could_mislead(name: str, clean: str) -> None:
    assert uploads.clean_name(name) == clean


# ── on a request ────────────────────────────────────────────────────────────────────────────────────────────────────


def attach(request: TravelRequest, who: Any, content: bytes = PDF, name: str = "paper.pdf") -> Attachment:
    at = request.state_since + timedelta(minutes=5)
    return workflow.attach(request.pk, actor=actor(who, at), at=at, file=upload(name, content), kind="paper")


@pytest.mark.django_db
def test_a_document_is_kept_under_its_own_key_and_withdraws_the_declarations() -> None:
    cast = in_state(State.DRAFT)
    document = attach(cast.request, cast.applicant.user, name="../../邀请函.pdf")
    assert (document.name, document.content_type, document.size) == ("邀请函.pdf", "application/pdf", len(PDF))
    assert document.file.name == f"{cast.request.pk}/{document.pk}"
    with document.file.open() as kept:
        assert kept.read() == PDF
    assert TravelRequest.unscoped.get(pk=cast.request.pk).declarations == []
    entry = Entry.objects.filter(chain=cast.request.pk).latest("sequence")
    assert (entry.verb, entry.data) == (
        "attach",
        {"attachment": str(document.pk), "sha256": sha256(PDF).hexdigest()},
    )


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_documents_are_added_while_the_applicant_writes_or_answers(state: State) -> None:
    cast = in_state(state)
    if state in (State.DRAFT, State.RETURNED, State.INFORMATION_REQUESTED):
        declared = cast.request.declarations
        attach(cast.request, cast.applicant.user)
        now = TravelRequest.unscoped.get(pk=cast.request.pk)
        # What was submitted stays declared: an answer is not a new submission.
        assert now.declarations == (declared if state == State.INFORMATION_REQUESTED else [])
    else:
        with nothing_moved(), pytest.raises(NotNow, match="documents cannot be added now"), transaction.atomic():
            attach(cast.request, cast.applicant.user)


@pytest.mark.django_db
def test_only_the_applicant_adds_and_removes() -> None:
    cast = in_state(State.RETURNED)
    document = attach(cast.request, cast.applicant.user)
    reviewer = posted(cast.request.office, Role.REVIEWER, "0011")
    with nothing_moved():
        with pytest.raises(NotAllowed):
            attach(cast.request, cast.officer)
        with pytest.raises(NotAllowed):
            workflow.remove_attachment(document.pk, actor=actor(cast.officer, NOW), at=NOW)
        for stranger in (reviewer, officer_of(_competitor())):
            with pytest.raises(NotFound):
                attach(cast.request, stranger)
            with pytest.raises(NotFound):
                workflow.remove_attachment(document.pk, actor=actor(stranger, NOW), at=NOW)


def _competitor() -> Any:
    from tests.factories import CompanyFactory

    return CompanyFactory.create(name_en="Other Intelligence")


@pytest.mark.django_db
def test_what_was_submitted_with_a_document_stays_as_it_was_submitted() -> None:
    cast = in_state(State.RETURNED)
    me = actor(cast.applicant.user, NOW)
    document = attach(cast.request, cast.applicant.user)
    at = cast.request.state_since + timedelta(minutes=6)
    from tests.factories.requests import fill

    fill(cast.request, at=at)
    submitted = workflow.submit(cast.request.pk, actor=me, at=at)
    revision = submitted.revisions.latest("number")
    assert revision.content["attachments"] == [
        {"id": str(document.pk), "name": "paper.pdf", "kind": "paper", "sha256": sha256(PDF).hexdigest()}
    ]
    with nothing_moved(), pytest.raises(NotNow):
        workflow.remove_attachment(document.pk, actor=me, at=at)
    workflow.return_for_changes(cast.request.pk, actor=actor(cast.officer, at), at=at, comment="Without the paper.")
    workflow.remove_attachment(document.pk, actor=me, at=at)
    assert not queries.attachments_visible_to(me).filter(pk=document.pk).exists()
    assert submitted.revisions.latest("number").content["attachments"][0]["id"] == str(document.pk)
    assert document.file.storage.exists(document.file.name)
