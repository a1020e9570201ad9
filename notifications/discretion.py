"""Addresses that are secrets (calendar feeds, links of mails) stay out of the logs.

Django logs the path of whatever it refuses or fails at. The access log of a server before it is that server's own:
see docs/adr/0027.
"""

import logging
import re
from typing import Any

_SECRET = re.compile(r"(/calendar/|/notifications/unsubscribe/|/notifications/address/)[^/\s\"']+")
_LOGGERS = ("django.request", "django.server", "django.security.csrf")


def without_secrets(text: str) -> str:
    """`text` with the secret part of each such address replaced."""
    return _SECRET.sub(r"\1[secret]", text)


class _WithoutSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = without_secrets(str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(_clean(value) for value in record.args)
        return True


def _clean(value: Any) -> Any:
    return without_secrets(value) if isinstance(value, str) else value


_filter = _WithoutSecrets()


def keep_secrets() -> None:
    """Have the loggers that name addresses leave the secrets out. Safe to repeat."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
