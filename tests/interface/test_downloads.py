"""A file that somebody sent is handed on to be saved, and to nobody's cache."""

from io import BytesIO

from django.core.files.base import File

from interface.downloads import to_be_saved


def test_a_page_that_somebody_sent_as_a_document_is_saved_and_never_run() -> None:
    answer = to_be_saved(File(BytesIO(b"<script>1</script>")), name="论文.html", content_type="text/html")
    assert b"".join(answer) == b"<script>1</script>"
    assert dict(answer.headers) == {
        "Content-Type": "text/html",
        "Content-Length": "18",
        "Content-Disposition": "attachment; filename*=utf-8''%E8%AE%BA%E6%96%87.html",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
