"""A file is handed to its reader: to be saved, never shown by the browser, kept by nobody on the way."""

from django.core.files.base import File
from django.http import FileResponse


def to_be_saved(file: File[bytes], *, name: str, content_type: str) -> FileResponse:
    """The open `file` as a download called `name`. What somebody sent cannot run as a page of ours, whatever its type
    says, and no cache keeps it. Who may have it is the view's to ask."""
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
