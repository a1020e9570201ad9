"""The certificate that signs papers: the one that production names, or a test certificate that a checkout makes."""

import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pyhanko.sign.signers import SimpleSigner

_TEST_YEARS = 10
TEST_NAME = "Exit approvals: test certificate"


class NoCertificate(ImproperlyConfigured):
    """There is no certificate to sign papers with, or it cannot be used. No paper is issued without one."""


def signing_certificate() -> SimpleSigner:
    """The key and certificate of PAPER_CERTIFICATE (a PKCS#12 file, opened with PAPER_CERTIFICATE_PASSWORD).

    Where none is named and PAPER_CERTIFICATE_MADE says where one may be made, a test certificate is made there on first
    use. Refuses with NoCertificate when there is none, or it cannot be opened. A file that is replaced is read anew.
    """
    named = settings.PAPER_CERTIFICATE
    if not named and settings.PAPER_CERTIFICATE_MADE:
        named = settings.PAPER_CERTIFICATE_MADE
        _make_test_certificate(Path(named))
    if not named:
        raise NoCertificate("PAPER_CERTIFICATE is not set: papers cannot be signed, so none is issued.")
    try:
        changed = os.stat(named).st_mtime_ns
    except OSError as error:
        raise NoCertificate(f"PAPER_CERTIFICATE cannot be read: {error.strerror}.") from error
    return _loaded(str(named), settings.PAPER_CERTIFICATE_PASSWORD, changed)


@lru_cache(maxsize=2)
def _loaded(path: str, password: str, _changed: int) -> SimpleSigner:
    try:
        signer: SimpleSigner = SimpleSigner.load_pkcs12_data(
            Path(path).read_bytes(), other_certs=[], passphrase=password.encode() or None
        )
    except (OSError, ValueError) as error:
        raise NoCertificate("PAPER_CERTIFICATE cannot be opened: not a PKCS#12 file, or another password.") from error
    return signer


def certificate() -> asn1_x509.Certificate:
    """The certificate in use, for whoever checks signatures. Refuses with NoCertificate."""
    found = signing_certificate().signing_cert
    assert found is not None
    return found


def _make_test_certificate(path: Path) -> None:
    """Make one that says of itself that it is for tests, unless it is there. Two processes may try at once."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = made(TEST_NAME, at=datetime.now(UTC), password=settings.PAPER_CERTIFICATE_PASSWORD)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(data)
    try:
        os.link(draft, path)  # whoever comes second uses the first one's
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def made(name: str, *, at: datetime, password: str = "") -> bytes:
    """A new key (P-256) and a certificate that it signs itself, as PKCS#12: for development and tests, valid from a day
    before `at` (aware) for ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"), False)
    usage |= dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=365 * _TEST_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    locked = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return serialize_key_and_certificates(name.encode(), key, made, None, locked)
