"""Signatures in PDFs: PAdES baseline B-B (ETSI EN 319 142-1), made and checked with pyHanko.

A signed paper stays PDF/A-2 and PDF/UA-1: the signature shows nothing on the page, its field lies outside of it and has
a name in words, and the page says in which order its annotations are read (ISO 14289-1, 7.18.3).
"""

import io
from dataclasses import dataclass

from asn1crypto import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext

from documents import certificates

_FIELD = "Signature"


def sign(pdf: bytes, *, field_words: str, reason: str) -> bytes:
    """`pdf` with a signature over all of it, after which nothing may be changed, made now with the certificate in use.

    `field_words` names the signature for who hears the paper, `reason` says what was signed. Refuses with
    `certificates.NoCertificate` when there is none.
    """
    signer = certificates.signing_certificate()
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.find_page_for_modification(0)[0].get_object()  # type: ignore[no-untyped-call]
    page["/Tabs"] = generic.NameObject("/S")
    writer.update_container(page)
    metadata = signers.PdfSignatureMetadata(
        field_name=_FIELD,
        reason=reason,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    field = SigFieldSpec(
        sig_field_name=_FIELD,
        readable_field_name=field_words,
        invis_sig_settings=InvisSigSettings(set_print_flag=True, box_out_of_bounds=True),
    )
    signed = signers.PdfSigner(metadata, signer=signer, new_field_spec=field).sign_pdf(writer)
    return bytes(signed.getvalue())


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a PDF's signature. `is_whole`: nothing was changed or added since."""

    is_whole: bool
    is_trusted: bool
    signer: str
    covers_all: bool

    @property
    def is_good(self) -> bool:
        """Whether it is what was signed, all of it, by somebody who is trusted."""
        return self.is_whole and self.is_trusted and self.covers_all


NOT_SIGNED = Checked(is_whole=False, is_trusted=False, signer="", covers_all=False)


def check(pdf: bytes, *, trusted: x509.Certificate | None = None) -> Checked:
    """What pyHanko's validator says of the signature of `pdf`, trusting one certificate (the one in use, where none is
    given). A file that is no PDF, or has none or several signatures, is not signed."""
    root = trusted or certificates.certificate()
    context = ValidationContext(trust_roots=[root], allow_fetching=False)
    try:
        found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        if len(found) != 1:
            return NOT_SIGNED
        status = validate_pdf_signature(found[0], signer_validation_context=context)
    except (PdfError, SignatureValidationError, SigningError, ValueError):
        return NOT_SIGNED
    return Checked(
        is_whole=bool(status.intact and status.valid),
        is_trusted=bool(status.trusted),
        signer=str(status.signing_cert.subject.native.get("common_name", "")),
        covers_all=status.coverage is not None and status.coverage.name == "ENTIRE_FILE",
    )
