"""Whether the test of every page would find English on a page in Chinese."""

import pytest
from playwright.sync_api import Browser

from tests.browser.reading import english

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-zh")]


def test_english_would_be_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        """<html lang="zh-hans"><title>出境审批</title><body>
        <p>申请 <b>Not translated</b></p><img alt="An alternative"><p lang="en">Marked as English</p>
        <p>Alice Wang 提交了 PDF 文件</p><p hidden>Not shown yet</p></body></html>"""
    )

    assert english(page, ["Alice Wang"]) == ["Not translated", "An alternative"]
