"""Failures as `application/problem+json` (RFC 9457): one table gives each family its status."""

from typing import Any

import psycopg
import structlog
from django import db
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf

from config.kernel import errors
from config.kernel.api.responses import json_response
from config.kernel.errors import Family, RistourneError

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPES = "/api/v1/docs/problems#"

STATUS: dict[Family, int] = {
    Family.MALFORMED: 400,
    Family.UNAUTHENTICATED: 401,
    Family.FORBIDDEN: 403,
    Family.NOT_FOUND: 404,
    Family.METHOD_NOT_ALLOWED: 405,
    Family.NOT_ACCEPTABLE: 406,
    Family.CONFLICT: 409,
    Family.TOO_LARGE: 413,
    Family.UNSUPPORTED_MEDIA_TYPE: 415,
    Family.UNPROCESSABLE: 422,
    Family.THROTTLED: 429,
    Family.INTERNAL: 500,
    Family.UNAVAILABLE: 503,
}

# SQLSTATE: lock and statement time-out, read-only, deadlock, serialization, too many connections, and a
# server that shuts down or starts.
_BUSY_STATES = {"55P03", "57014", "25006", "40P01", "40001", "53300", "57P01", "57P02", "57P03"}
_CONNECTION_CLASS = "08"

_log = structlog.get_logger("api")


def problem(error: RistourneError, request: HttpRequest) -> dict[str, Any]:
    """The problem document of a failure; `instance` is the request id, which the log line carries too."""
    document: dict[str, Any] = {
        "type": PROBLEM_TYPES + error.code,
        "title": error.title,
        "status": STATUS[error.family],
        "detail": error.detail,
        "instance": getattr(request, "request_id", ""),
        "code": error.code,
        "retryable": error.retryable,
        **error.members,
    }
    if error.errors:
        document["errors"] = [field._asdict() for field in error.errors]
    return document


def problem_response(exception: BaseException, request: HttpRequest) -> HttpResponse:
    """The answer to any exception. An unforeseen one is logged with its cause and answers 500 without it."""
    error = as_error(exception)
    if isinstance(error, errors.InternalError):
        _log.error("unexpected_error", exc_info=exception)
    return json_response(
        problem(error, request), STATUS[error.family], error.headers, content_type=PROBLEM_MEDIA_TYPE
    )


def exception_handler(exception: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's hook, for its own views that are no ApiView."""
    return problem_response(exception, context["request"])


def as_error(exception: BaseException) -> RistourneError:
    """What an exception means to the caller."""
    if isinstance(exception, RistourneError):
        return exception
    if isinstance(exception, Http404):
        return errors.NotFound()
    if isinstance(exception, (psycopg.Error, db.Error)):
        return _database_error(exception)
    if isinstance(exception, drf.APIException):
        return _drf_error(exception)
    if isinstance(exception, RequestDataTooBig):
        return errors.PayloadTooLarge()
    if isinstance(exception, (SuspiciousOperation, MultiPartParserError)):
        return errors.MalformedRequest()
    if isinstance(exception, PermissionDenied):
        return errors.InsufficientScope([])
    return errors.InternalError()


def _database_error(exception: psycopg.Error | db.Error) -> RistourneError:
    cause = exception if isinstance(exception, psycopg.Error) else exception.__cause__
    state = getattr(cause, "sqlstate", None)
    # Without a state the server never answered: refused, cut or timed out connections.
    lost = state is None and isinstance(
        exception, (db.OperationalError, db.InterfaceError, psycopg.OperationalError)
    )
    if lost or state in _BUSY_STATES or (state or "").startswith(_CONNECTION_CLASS):
        _log.warning("database_unavailable", sqlstate=state)
        return errors.TemporarilyUnavailable()
    return errors.InternalError()


def _drf_error(exception: drf.APIException) -> RistourneError:
    if isinstance(exception, (drf.NotAuthenticated, drf.AuthenticationFailed)):
        return errors.InvalidToken()
    if isinstance(exception, drf.PermissionDenied):
        return errors.InsufficientScope([])
    if isinstance(exception, drf.NotFound):
        return errors.NotFound()
    if isinstance(exception, drf.ParseError):
        return errors.MalformedRequest()
    if isinstance(exception, drf.MethodNotAllowed):
        return errors.MethodNotAllowed([])
    if isinstance(exception, drf.NotAcceptable):
        return errors.NotAcceptable()
    if isinstance(exception, drf.UnsupportedMediaType):
        return errors.UnsupportedMediaType()
    if isinstance(exception, drf.ValidationError):
        return errors.ValidationFailed()
    return errors.InternalError()
