"""What happens to every request, and what happens to pages only.

Calls of the API (/api/, /oauth/) know no session, cookie, form or message, so the middleware of pages steps
aside for them: each class here adds nothing but that to the one of its name.
"""

import ipaddress
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
import uuid_utils
from axes import middleware as axes
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware import clickjacking, common, csrf
from django_htmx import middleware as htmx
from django_otp import middleware as otp
from simple_history.middleware import HistoryRequestMiddleware as _HistoryRequestMiddleware
from structlog.contextvars import bind_contextvars, clear_contextvars

from config.kernel import errors
from config.kernel.api.problems import problem_response
from config.kernel.api.requests import ApiRequest

GetResponse = Callable[[HttpRequest], HttpResponse]

_API_PREFIXES = ("/api/", "/oauth/")
_sane_request_id = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = structlog.get_logger("request")

_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# unfold's Alpine evaluates expressions and its templates carry inline scripts and styles.
_ADMIN_POLICY = (
    _PAGE_POLICY + "; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
)
# Swagger UI and Redoc style inline, and Redoc starts a worker from a blob.
_DOCS_POLICY = _PAGE_POLICY + "; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:"

_WITHOUT_BODY = {204, 304}

# What Django itself answers before or around a view, as the error the API calls it.
_BY_STATUS: dict[int, Callable[[], errors.RistourneError]] = {
    400: errors.MalformedRequest,
    404: errors.NotFound,
    413: errors.PayloadTooLarge,
}


def is_api_call(request: HttpRequest) -> bool:
    """Whether the request is a partner's call, not a page."""
    return request.path_info.startswith(_API_PREFIXES)


def _see_through_proxy(request: HttpRequest) -> None:
    """Who asks is whom the proxy saw: the last it added, whatever others claimed before."""
    *_, seen = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")
    with suppress(ValueError):  # asked without the proxy, such as by a health check
        request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(seen.strip()))


class RequestMiddleware:
    """Request id, security policy, problem documents for what no view answered, and one log line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.log = _log.bind()  # once: binding costs more than the line

    def __call__(self, request: ApiRequest) -> HttpResponse:
        started = time.perf_counter()
        if settings.TRUST_PROXY:
            _see_through_proxy(request)
        request.request_id = request_id = _request_id(request)
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            response = self._finish(request, response)
            self.log.info("request", **_line(request, response, started))
        finally:
            clear_contextvars()
        response.headers["X-Request-Id"] = request_id
        return response

    def _finish(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_html = response.headers.get("Content-Type", "").startswith("text/html")
        if is_html and response.status_code >= 400 and is_api_call(request):
            return problem_response(_BY_STATUS.get(response.status_code, errors.InternalError)(), request)
        if not response.streaming and response.status_code not in _WITHOUT_BODY:
            response.headers["Content-Length"] = str(len(response.content))
        if is_html:
            response.headers.setdefault("Content-Security-Policy", _policy(request.path_info))
        return response


def _request_id(request: HttpRequest) -> str:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _sane_request_id.fullmatch(given) else str(uuid_utils.uuid7())


def _policy(path: str) -> str:
    if path.startswith("/admin/"):
        return _ADMIN_POLICY
    return _DOCS_POLICY if path in {"/api/v1/docs", "/api/v1/redoc"} else _PAGE_POLICY


def _line(request: HttpRequest, response: HttpResponse, started: float) -> dict[str, Any]:
    """Who, what and how long; the route, never the path, whose numbers name people."""
    match = request.resolver_match
    line: dict[str, Any] = {
        "method": request.method,
        "route": match.route if match else None,
        "status": response.status_code,
        "ms": round((time.perf_counter() - started) * 1000, 2),
    }
    caller = getattr(request, "auth", None)
    if caller is not None:
        line |= {"client": caller.client_id, "programme": caller.programme_code}
    return line


class _PagesOnly:
    """Steps aside for calls of the API."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_api_call(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_PagesOnly, sessions.SessionMiddleware):
    pass


class CommonMiddleware(_PagesOnly, common.CommonMiddleware):
    pass


class CsrfViewMiddleware(_PagesOnly, csrf.CsrfViewMiddleware):
    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponseForbidden | None:
        return None if is_api_call(request) else super().process_view(request, *args)


class AuthenticationMiddleware(_PagesOnly, auth.AuthenticationMiddleware):
    pass


class OTPMiddleware(_PagesOnly, otp.OTPMiddleware):
    pass


class MessageMiddleware(_PagesOnly, messages.MessageMiddleware):
    pass


class XFrameOptionsMiddleware(_PagesOnly, clickjacking.XFrameOptionsMiddleware):
    pass


class AxesMiddleware(_PagesOnly, axes.AxesMiddleware):
    pass


class HtmxMiddleware(_PagesOnly, htmx.HtmxMiddleware):
    pass


class HistoryRequestMiddleware:
    """Tells simple-history who changed a configuration row."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.with_history = _HistoryRequestMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return (self.get_response if is_api_call(request) else self.with_history)(request)
