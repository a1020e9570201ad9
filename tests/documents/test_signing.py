"""Signatures of papers: PAdES, checked with pyHanko's validator; a changed copy fails."""

import io
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from documents import certificates, signing, typesetting
from tests.documents.test_typesetting import AT, LETTER


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return typesetting.typeset(LETTER, at=AT)


@pytest.fixture
def signed(unsigned) -> bytes:
    return signing.sign(unsigned, field_words="签名", reason="不予批准决定书")


def test_a_signed_paper_is_good(signed):
    checked = signing.check(signed)
    assert checked.is_good
    assert checked.signer == certificates.TEST_NAME


def test_it_is_pades_and_nothing_may_be_changed_afterwards(signed):
    signature = PdfFileReader(io.BytesIO(signed)).embedded_signatures[0]
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.sig_object["/Reason"] == "不予批准决定书"
    assert signature.docmdp_level.name == "NO_CHANGES"


def test_it_stays_accessible(signed):
    """The field is no part of the page, has a name in words, and its page says in which order it is read."""
    reader = PdfFileReader(io.BytesIO(signed))
    field = reader.embedded_signatures[0].sig_field
    assert field["/TU"] == "签名"
    assert [float(edge) for edge in field["/Rect"]] == [-9999.0] * 4
    assert field["/P"]["/Tabs"] == "/S"
    metadata = reader.root["/Metadata"].data.decode()
    assert 'pdfuaid:part="1"' in metadata
    assert 'pdfaid:part="2" pdfaid:conformance="A"' in metadata


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_a_copy_with_one_bit_changed_fails(signed, unsigned, share):
    copy = bytearray(signed)
    copy[int(len(unsigned) * share)] ^= 1
    assert not signing.check(bytes(copy)).is_good


def test_a_copy_with_something_added_fails(signed):
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    writer.root["/Changed"] = writer.root["/Type"]
    writer.update_root()
    added = io.BytesIO()
    writer.write(added)
    assert not signing.check(added.getvalue()).is_good
    assert not signing.check(signed + b"\n%more").is_good


@pytest.mark.parametrize("what", [b"", b"not a PDF", b"%PDF-1.7\n%%EOF"])
def test_what_is_not_signed_is_not_good(unsigned, what):
    assert signing.check(what) == signing.NOT_SIGNED
    assert signing.check(unsigned) == signing.NOT_SIGNED


def test_a_signature_of_somebody_else_is_not_trusted(unsigned, settings, tmp_path):
    ours = certificates.certificate()
    theirs = tmp_path / "theirs.p12"
    theirs.write_bytes(certificates.made(certificates.TEST_NAME, at=datetime.now(UTC)))
    settings.PAPER_CERTIFICATE = str(theirs)
    copy = signing.sign(unsigned, field_words="签名", reason="x")
    checked = signing.check(copy, trusted=ours)
    assert (checked.is_whole, checked.is_trusted, checked.is_good) == (True, False, False)


def test_the_configured_certificate_is_used_with_its_password(unsigned, settings, tmp_path):
    path = tmp_path / "office.p12"
    path.write_bytes(certificates.made("Haidian", at=datetime.now(UTC), password="four words"))
    settings.PAPER_CERTIFICATE, settings.PAPER_CERTIFICATE_PASSWORD = str(path), "four words"
    assert signing.check(signing.sign(unsigned, field_words="x", reason="x")).signer == "Haidian"
    settings.PAPER_CERTIFICATE_PASSWORD = "another"
    with pytest.raises(certificates.NoCertificate, match="cannot be opened"):
        signing.sign(unsigned, field_words="x", reason="x")


def test_a_certificate_that_is_replaced_is_read_anew(settings, tmp_path):
    path = tmp_path / "office.p12"
    settings.PAPER_CERTIFICATE = str(path)
    for name in ("First", "Second"):
        path.unlink(missing_ok=True)
        path.write_bytes(certificates.made(name, at=datetime.now(UTC)))
        assert certificates.certificate().subject.native["common_name"] == name


@pytest.mark.parametrize("named", ["", "/nowhere/papers.p12"])
def test_without_a_certificate_nothing_is_signed(unsigned, settings, named):
    settings.PAPER_CERTIFICATE, settings.PAPER_CERTIFICATE_MADE = named, ""
    with pytest.raises(ImproperlyConfigured, match="PAPER_CERTIFICATE"):
        signing.sign(unsigned, field_words="x", reason="x")
