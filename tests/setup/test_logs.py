"""What is in the logs: fields by which a line is found, and nothing that is a secret or that people entered."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from logging.config import dictConfig
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from structlog.contextvars import bound_contextvars, clear_contextvars, get_contextvars

from approvals.states import State
from config import logs
from tests.factories import in_state

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What production would write, parsed."""
    stream = io.StringIO()
    wanted = logs.configuration(level="INFO", as_json=True)
    wanted["handlers"]["console"]["stream"] = stream
    dictConfig(wanted)
    try:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        dictConfig(settings.LOGGING)


@pytest.mark.django_db
def test_a_page_leaves_one_line_by_which_it_is_found(client: Client, lines: Lines) -> None:
    request = in_state(State.AUTHORITY_REVIEW).request
    client.force_login(request.applicant.user)
    answer = client.get(reverse("request", args=[request.reference]), {"q": "sensitive"})
    assert answer.status_code == 200
    (line,) = [line for line in lines() if line["event"] == "answered"]
    assert line.pop("ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "answered",
        "level": "info",
        "logger": "exit_approvals.requests",
        "request_id": answer["X-Request-ID"],
        "route": "/requests/<str:reference>/",
        "case": request.reference,
        "actor": request.applicant.user_id,
        "method": "GET",
        "status": 200,
    }


@pytest.mark.django_db
def test_neither_paths_nor_queries_nor_names_nor_forms_get_in(client: Client, lines: Lines) -> None:
    client.get(reverse("notification_unsubscribe", args=["s3cret-in-a-path"]))
    client.get("/no-such-page/s3cret-in-a-path/?token=s3cret-in-a-query")
    client.post(reverse("account_login"), {"login": "somebody@s3cret.example", "password": "s3cret-password"})
    found = lines()
    assert [line["status"] for line in found if line["event"] == "answered"] == [404, 404, 200]
    assert "s3cret" not in json.dumps(found)


@pytest.mark.parametrize(
    "text",
    [
        "connection to postgres://exit_app:hunter2@db/x failed",
        "redis://:hunter2@redis:6379/0",
        "Authorization: Bearer hunter2",
        "password=hunter2 host=db",
        '{"token": "hunter2"}',
        "GET /calendar/?key=hunter2 HTTP/1.1",
        "duplicate key value\nDETAIL:  Key (email)=(hunter2) already exists.",
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_messages_and_of_errors(text: str, lines: Lines) -> None:
    logging.getLogger("anything").warning("it said: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("anything").exception("again")
    logging.getLogger("anything").warning("with fields", extra={})
    found = lines()
    assert len(found) == 3
    assert "ValueError" in found[1]["exception"]
    assert "hunter2" not in json.dumps(found)


def test_a_field_whose_name_says_secret_is_empty(lines: Lines) -> None:
    logs.logger.info("x", session_token="hunter2", number=7)
    (line,) = lines()
    assert (line["session_token"], line["number"]) == ("[secret]", 7)


@pytest.mark.parametrize(
    ("given", "kept"), [("0123-abcd", True), ("short", False), ("x" * 65, False), ("a b\tc{d}efgh", False)]
)
def test_the_id_that_a_proxy_gives_is_kept_if_it_is_one(client: Client, given: str, kept: bool) -> None:
    answer = client.get(reverse("health_live"), headers={"x-request-id": given})
    assert (answer["X-Request-ID"] == given) is kept
    assert len(answer["X-Request-ID"]) >= 8


def test_nothing_of_one_request_is_left_for_the_next(client: Client) -> None:
    client.get(reverse("health_live"))
    assert get_contextvars() == {}


def test_the_worker_says_which_request_gave_the_hint() -> None:
    headers: dict[str, Any] = {}
    with bound_contextvars(request_id="0123-abcd"):
        logs._carry(headers)
    assert headers == {"request_id": "0123-abcd"}
    task = SimpleNamespace(name="x.y", request=SimpleNamespace(is_eager=False, **headers))
    try:
        logs._bind(task_id="7", task=task)
        assert get_contextvars() == {"task": "x.y", "task_id": "7", "request_id": "0123-abcd"}
        logs._unbind(task=task)
        assert get_contextvars() == {}
    finally:
        clear_contextvars()
