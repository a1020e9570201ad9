"""What has to be there before papers can be issued, said when the product starts and not with the first denial."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from documents import certificates, keys, typesetting


def can_issue(**_kwargs: Any) -> list[CheckMessage]:
    """The fonts, the certificate that signs papers and the secret that seals keys; an error for each that is missing.

    In a checkout that makes its own certificate only the fonts can be missing.
    """
    found: list[CheckMessage] = []
    if not typesetting.has_fonts():
        found.append(
            Warning(
                "The fonts of papers are not installed: no paper can be set.",
                hint="make assets",
                id="documents.W001",
            )
        )
    if settings.PAPER_CERTIFICATE or not settings.PAPER_CERTIFICATE_MADE:
        try:
            certificates.signing_certificate()
        except certificates.NoCertificate as error:
            found.append(Error(str(error), hint="PAPER_CERTIFICATE: a PKCS#12 file.", id="documents.E002"))
    try:
        keys.sealing_key()
    except keys.NoSealingKey as error:
        found.append(Error(str(error), hint="CLEARANCE_KEY_SECRET: openssl rand -base64 32", id="documents.E003"))
    return found
