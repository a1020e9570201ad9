"""Files that people send: what they are is decided by their content, never by their name."""

import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import puremagic
from django.conf import settings
from django.core.files.base import File
from django.utils.translation import gettext as _

from accounts.refusals import Invalid, Problem

PDF = "application/pdf"
IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff"})
OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
OPEN_DOCUMENT = frozenset(
    {
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
    }
)
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that may be kept: a clean name, the type that its content shows, its size and SHA-256."""

    name: str
    content_type: str
    size: int
    sha256: str


def _refuse(message: str) -> Invalid:
    return Invalid([Problem("documents", "file", message)])


def clean_name(name: str) -> str:
    """A name to show and to download under: no folder, no control or direction characters, at most 200 characters."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    plain = "".join(c for c in plain if unicodedata.category(c)[0] != "C").strip() or "file"
    stem, dot, ending = plain.rpartition(".")
    return plain if len(plain) <= 200 else f"{stem[: 199 - len(ending)]}{dot}{ending}"[:200]


def _zip_type(file: File[Any]) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                kind = archive.read("mimetype").decode("ascii", "replace").strip()
                return kind if kind in OPEN_DOCUMENT else None
            if any(re.search(r"vbaProject\.bin$", name) for name in names):
                return None
            return next((kind for part, kind in OFFICE.items() if part in names), None)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        return None


def content_type(file: File[Any]) -> str | None:
    """The type that the content shows, when it is one of those accepted; else None. Macros are not accepted."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(file)
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        return None
    return found if found in IMAGES else None


def check(file: File[Any]) -> Upload:
    """What `file` is, when it may be kept. Refuses with Invalid, at field `file`: empty, too large, another type."""
    size = file.size or 0
    limit = settings.ATTACHMENT_MAX_BYTES
    if size == 0:
        raise _refuse(_("The file is empty. Choose another one."))
    if size > limit:
        raise _refuse(
            _("The file has %(size)d MB; the most is %(limit)d MB. Make it smaller or split it.")
            % {"size": -(-size // 1024**2), "limit": limit // 1024**2}
        )
    kind = content_type(file)
    if kind is None:
        raise _refuse(_("By its content this is not a PDF, an image or an Office file without macros. Choose another."))
    digest = sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return Upload(clean_name(file.name or ""), kind, size, digest.hexdigest())
