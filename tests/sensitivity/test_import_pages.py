"""The pages of files. Lin keeps lists, Udo audits; what is sent is shown before it is taken over."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.roles import Actor, Role
from jobs import work
from sensitivity import drafting, importing
from sensitivity.models import Import, ListKind, ListVersion
from tests.asserting import nothing_moved
from tests.factories import actor, drafted, entry_values, sensitivity_list, with_role

pytestmark = pytest.mark.django_db

CSV = "code,level\ncs,3\ncs.NEW,\n"
GOOD = "code,level\ncs,3\n"


@pytest.fixture
def lin() -> User:
    user = with_role(Role.LIST_MANAGER)
    User.objects.filter(pk=user.pk).update(language="en")
    return User.objects.get(pk=user.pk)


@pytest.fixture
def acting(lin: User) -> Actor:
    return actor(lin, timezone.now())


@pytest.fixture
def draft(acting: Actor) -> ListVersion:
    of = sensitivity_list(ListKind.TECHNOLOGY, owner=acting, at=timezone.now(), name_en="Technologies")
    return drafted(of, [entry_values("cs"), entry_values("cs.CL", parent="cs")], by=acting, at=timezone.now())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def new_page(draft: ListVersion) -> str:
    return reverse("list_import_new", args=[draft.list_id, draft.number])


def send(client: Client, draft: ListVersion, text: str | bytes, name: str = "entries.csv") -> str:
    """Send a file, have it read; the address of its page."""
    content = text.encode() if isinstance(text, str) else text
    answer = client.post(new_page(draft), {"file": SimpleUploadedFile(name, content), "mode": "merge"})
    assert answer.status_code == 302
    work_off()
    return str(answer.headers["Location"])


def work_off() -> None:
    while work.run_due(clock=timezone.now):
        pass


def test_a_file_is_sent_read_shown_and_taken_over(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    assert "Columns" in client.get(new_page(draft)).content.decode()
    answer = client.post(new_page(draft), {"file": SimpleUploadedFile("a.csv", GOOD.encode()), "mode": "merge"})
    waiting = client.get(answer.headers["Location"]).content.decode()
    assert "Reading the file" in waiting
    assert 'value="take_over"' not in waiting
    work_off()
    page = client.get(answer.headers["Location"]).content.decode()
    assert "1 changed" in page
    assert 'value="take_over"' in page
    assert draft.entries.get(code="cs").level == 1
    client.post(answer.headers["Location"], {"do": "take_over"})
    assert draft.entries.get(code="cs").level == 3
    assert "Taken over" in client.get(answer.headers["Location"]).content.decode()


def test_rows_are_shown_by_verdict_with_before_and_after(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    address = send(client, draft, CSV)
    page = client.get(address).content.decode()
    assert "Give the label in both languages." in page
    assert 'value="take_over"' not in page
    assert "All errors as CSV" in page
    changed = client.get(f"{address}?verdict=changed").content.decode()
    assert "<del>" in changed
    assert "<ins>" in changed


def test_the_report_of_errors_has_line_field_and_what_is_wrong(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    address = send(client, draft, CSV)
    answer: Any = client.get(f"{address}errors/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert rows[0] == ["Line", "Code", "Field", "What is wrong"]
    assert ["3", "cs.NEW", "Level", "The level is 1, 2 or 3."] in rows


def test_a_file_that_is_no_table_is_refused_at_the_form(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    with nothing_moved():
        answer = client.post(new_page(draft), {"file": SimpleUploadedFile("x.csv", b"%PDF-1.7 x"), "mode": "merge"})
        assert answer.status_code == 422
        assert "By its content this is no table" in answer.content.decode()
        assert client.post(new_page(draft), {"mode": "merge"}).status_code == 422
    assert not Import.objects.exists()


def test_an_unreadable_file_says_why(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    page = client.get(send(client, draft, "a,b\n1,2\n")).content.decode()
    assert "None of the words in the first row is a column of a list." in page
    assert 'value="take_over"' not in page


def test_a_draft_that_was_changed_meanwhile_asks_to_read_again(draft: ListVersion, lin: User, acting: Actor) -> None:
    client = signed_in(lin)
    address = send(client, draft, GOOD)
    drafting.add(draft.pk, actor=acting, at=timezone.now(), values=entry_values("cs.AI", parent="cs"))
    with nothing_moved():
        refused = client.post(address, {"do": "take_over"})
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "The draft was changed since the file was read" in page
    assert 'value="read_again"' in page
    client.post(address, {"do": "read_again"})
    work_off()
    client.post(address, {"do": "take_over"})
    assert draft.entries.get(code="cs").level == 3


def test_much_is_taken_over_in_the_worker_with_a_bar(
    draft: ListVersion, lin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 0)
    client = signed_in(lin)
    address = send(client, draft, GOOD)
    client.post(address, {"do": "take_over"})
    page = client.get(address).content.decode()
    assert "Taking the file over" in page
    assert 'value="take_over"' not in page
    work_off()
    assert draft.entries.get(code="cs").level == 3


def test_discarding_keeps_the_report_and_the_file(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    address = send(client, draft, CSV)
    client.post(address, {"do": "discard"})
    page = client.get(address).content.decode()
    assert "Nothing of it was taken over" in page
    assert "Give the label in both languages." in page
    answer: Any = client.get(f"{address}file/")
    assert b"".join(answer.streaming_content) == CSV.encode()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="entries.csv"'


def test_an_auditor_reads_and_moves_nothing(draft: ListVersion, lin: User) -> None:
    address = send(signed_in(lin), draft, GOOD)
    udo = signed_in(with_role(Role.AUDITOR))
    page = udo.get(address).content.decode()
    assert 'value="take_over"' not in page
    assert udo.get(new_page(draft)).status_code == 403
    with nothing_moved():
        for do in ("take_over", "discard", "read_again"):
            assert udo.post(address, {"do": do}).status_code == 403


def test_rows_are_paged_by_line(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    lines = [f"c{n},{n}条,Entry {n},1,因,Because" for n in range(120)]
    address = send(client, draft, "\n".join(["code,label_zh,label_en,level,reason_zh,reason_en", *lines]))
    first = client.get(address).content.decode()
    assert "Entry 0<" in first
    assert "Entry 50<" not in first
    assert "after=51" in first
    second = client.get(f"{address}?verdict=new&after=51").content.decode()
    assert "Entry 50<" in second
    assert "Entry 99<" in second
    assert "Entry 100<" not in second


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_with_one_row_and_with_three(
    draft: ListVersion, lin: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(lin)
    address = send(client, draft, "code,level\n" + "".join(f"x{n},1\n" for n in range(count)))
    client.get(address)
    with django_assert_num_queries(5):  # account, grants, the file, its rows, the bell
        client.get(address)


def test_a_version_is_taken_away_and_can_be_sent_back(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    for format in ("csv", "xlsx"):
        answer: Any = client.get(reverse("list_export", args=[draft.list_id, draft.number, format]))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="technologies-v1.{format}"'
        address = send(client, draft, b"".join(answer.streaming_content), f"x.{format}")
        assert Import.objects.latest("at").counts == {"same": 2}
        assert "Nothing would change" in client.get(address).content.decode()
    assert client.get(reverse("list_export", args=[draft.list_id, draft.number, "pdf"])).status_code == 404


def test_a_difference_is_taken_away_as_a_file(draft: ListVersion, lin: User) -> None:
    client = signed_in(lin)
    answer: Any = client.get(reverse("list_diff_file", args=[draft.list_id, 0, draft.number, "csv"]))
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert rows[0] == ["Entry", "Change", "Field", "Before", "After"]
    assert ["cs.CL", "New", "Part of", "", "cs"] in rows
    answer = client.get(reverse("list_diff_file", args=[draft.list_id, 0, draft.number, "xlsx"]))
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == rows[0]


def test_a_template_is_in_the_readers_language(draft: ListVersion, lin: User) -> None:
    address = reverse("list_template", args=[draft.list_id, "csv"])
    answer: Any = signed_in(lin).get(address)
    assert b"".join(answer.streaming_content).decode("utf-8-sig").startswith("Code,Previous code")
    User.objects.filter(pk=lin.pk).update(language="zh-hans")
    answer = signed_in(User.objects.get(pk=lin.pk)).get(address)
    assert b"".join(answer.streaming_content).decode("utf-8-sig").startswith("代码,原代码")
