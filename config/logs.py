"""Logs as events with fields: JSON in production, a line for people in development.

Every line of a page says which request it belongs to, on which route, for which account (its number, not its name) and,
where the route has one, on which case. A hint that the page gives to the worker carries the request's id along, so that
both are found together. What never gets in: addresses as typed (their paths and queries hold tokens), what people
entered, passwords, cookies, headers; `_without_secrets` is the net under that.
"""

import logging
import re
import time
from collections.abc import Callable
from logging.config import dictConfig
from typing import Any

import structlog
from celery import signals
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars
from structlog.types import EventDict, Processor, WrappedLogger
from uuid_utils.compat import uuid7

logger = structlog.stdlib.get_logger("exit_approvals.requests")

REQUEST_ID = "X-Request-ID"
# What a proxy may give us as a request's id; anything else could be a message of somebody's to whoever reads the log.
_GOOD_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

_GONE = "[secret]"
_SECRET_KEYS = re.compile(r"password|passwd|secret|token|authorization|cookie|signature|signing_key|otp", re.IGNORECASE)
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{_GONE}@"),  # in an address: user:password@host
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"']+", re.IGNORECASE), rf"\1 {_GONE}"),
    (
        re.compile(r"((?:password|passwd|secret|token|key)\w*['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]+", re.IGNORECASE),
        rf"\1{_GONE}",
    ),
    (re.compile(r"((?:^|[\s\"'])/[^\s?\"']*)\?[^\s\"']+"), rf"\1?{_GONE}"),  # a query string
    # PostgreSQL says which values a statement was refused for, and those are what people entered.
    (re.compile(r"(DETAIL:\s+)[^\n]+"), rf"\1{_GONE}"),
)


def clean(text: str) -> str:
    """`text` without what looks like a secret."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = _GONE
        elif isinstance(value, str):
            event[key] = clean(value)
    return event


def _of_django(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Django's own loggers name the path of a request, in which calendars and links of mails have their tokens: the
    status is enough, since the route is bound."""
    record = event.get("_record")
    status = getattr(record, "status_code", None)
    if record is not None and record.name.startswith("django.") and status is not None:
        event["event"] = "refused" if status < 500 else "failed"
        event["status"] = status
    return event


BEFORE: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


# Not rich's, which a machine with the test tools would have: it shows the values of variables, and takes a second.
_as_python_does = structlog.dev.plain_traceback


def configuration(*, level: str, as_json: bool) -> dict[str, Any]:
    """The LOGGING of the settings: everything that logs, ours or a library's, goes through the same fields."""
    shown: list[Processor] = [_of_django, structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        shown += [
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    else:
        shown += [_without_secrets, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=_as_python_does)]
    structlog.configure(
        processors=[
            *BEFORE,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": BEFORE, "processors": shown}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"events": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "events"}},
        "root": {"handlers": ["console"], "level": level},
        # Django's own configuration gives these a handler; one line for each event is enough.
        "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
    }


class RequestLog:
    """Middleware, the outermost: gives the request an id, says it to who asked, and leaves one line when it is done."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID, "")
        request_id = given if _GOOD_ID.fullmatch(given) else str(uuid7())
        began = time.perf_counter()
        clear_contextvars()
        with bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            took = round((time.perf_counter() - began) * 1000)
            match = request.resolver_match
            # Those that ask every few seconds would drown the rest.
            quiet = match is not None and (match.url_name or "").startswith(("health_", "metrics"))
            level = logging.DEBUG if quiet and response.status_code < 400 else logging.INFO
            logger.log(level, "answered", method=request.method, status=response.status_code, ms=took)
        clear_contextvars()
        response[REQUEST_ID] = request_id
        return response

    def process_view(self, request: HttpRequest, _view: object, _args: object, kwargs: dict[str, Any]) -> None:
        """Now it is known where it goes, and who it is if that was looked up already."""
        match = request.resolver_match
        bind_contextvars(route=f"/{match.route}" if match else "")
        if reference := kwargs.get("reference"):
            bind_contextvars(case=str(reference)[:20])
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            bind_contextvars(actor=user.pk)


def listen_to_celery() -> None:
    """Have hints carry the id of the request that gives them, and the worker's lines say it. Safe to repeat."""
    signals.setup_logging.connect(_configure, dispatch_uid="logs")
    signals.before_task_publish.connect(_carry, dispatch_uid="logs")
    signals.task_prerun.connect(_bind, dispatch_uid="logs")
    signals.task_postrun.connect(_unbind, dispatch_uid="logs")


def _configure(**_kwargs: Any) -> None:
    # Celery would set handlers of its own unless somebody listens here.
    dictConfig(settings.LOGGING)


def _carry(headers: dict[str, Any], **_kwargs: Any) -> None:
    if request_id := get_contextvars().get("request_id"):
        headers["request_id"] = request_id


def _bind(task_id: str, task: Any, **_kwargs: Any) -> None:
    if task.request.is_eager:
        return  # inside the request that gave the hint
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)
    if request_id := getattr(task.request, "request_id", None):
        bind_contextvars(request_id=request_id)


def _unbind(task: Any, **_kwargs: Any) -> None:
    if not task.request.is_eager:
        clear_contextvars()
