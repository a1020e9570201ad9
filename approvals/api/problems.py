"""Errors of the API as problem documents (RFC 9457)."""

import re
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Refused

MEDIA_TYPE = "application/problem+json"

# What a refusal of a verb is over HTTP. The type is a name, not an address to be fetched (RFC 9457, 3.1.1).
_REFUSALS: dict[type[Refused], tuple[HTTPStatus, str]] = {
    NotFound: (HTTPStatus.NOT_FOUND, "not-found"),
    NotNow: (HTTPStatus.CONFLICT, "not-now"),
    NotAllowed: (HTTPStatus.FORBIDDEN, "not-allowed"),
    Invalid: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
}


def _problem(status: int, name: str, detail: str, **more: Any) -> Response:
    return Response(
        {
            "type": f"urn:exit-approvals:problem:{name}",
            "title": HTTPStatus(status).phrase,
            "status": int(status),
            "detail": detail,
            **more,
        },
        status=status,
        content_type=MEDIA_TYPE,
    )


def problem_document(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler: every error that is known becomes a problem document.

    `errors` lists each thing to mend as {"pointer": where, "detail": how}. An unknown error stays one.
    """
    if isinstance(error, Refused):
        status, name = next(found for kind, found in _REFUSALS.items() if isinstance(error, kind))
        if isinstance(error, Invalid):
            mend = [{"pointer": _pointer(p.section, p.field), "detail": str(p.message)} for p in error.problems]
            return _problem(status, name, str(error), errors=mend)
        return _problem(status, name, str(error))
    if isinstance(error, Http404 | exceptions.NotFound):
        return _problem(HTTPStatus.NOT_FOUND, "not-found", _("There is no such request, or it is not yours to see."))
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None:
        return None
    assert isinstance(error, exceptions.APIException)
    if isinstance(error, exceptions.ValidationError):
        shaped = _problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            _("Some of what was sent cannot be used."),
            errors=[{"pointer": pointer, "detail": detail} for pointer, detail in _flat(error.detail)],
        )
    else:
        shaped = _problem(response.status_code, str(error.default_code).replace("_", "-"), str(error.detail))
    for header in ("WWW-Authenticate", "Retry-After", "Allow"):
        if header in response.headers:
            shaped.headers[header] = response.headers[header]
    return shaped


# Verbs name a field of a list as forms do: which list, which of it, which field.
_IN_A_LIST = re.compile(r"^(\w+)-(\d+)-(\w+)$")


def _pointer(section: str, field: str) -> str:
    """Where in what was sent a problem of a verb is."""
    return "/".join(["", *filter(None, (section, _IN_A_LIST.sub(r"\1/\2/\3", field)))])


def _flat(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """The errors of a serializer as (JSON pointer, sentence) pairs."""
    if isinstance(detail, dict):
        return [pair for key, value in detail.items() for pair in _flat(value, f"{path}/{key}")]
    if isinstance(detail, list) and any(isinstance(value, dict | list) for value in detail):
        return [pair for index, value in enumerate(detail) for pair in _flat(value, f"{path}/{index}")]
    return [(path, str(value)) for value in (detail if isinstance(detail, list) else [detail])]
