"""Recognises the member behind a page's request, speaks her language and renews her cookie."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from config.kernel.middleware import is_api_call
from members.identity import Kind, cookie_attributes, cookie_name, is_worn, sign
from members.models import MemberSession
from members.selectors import cookie_of, language_for, session_of
from members.services import claim_of

PAGES = "/my/"
"""Where the member's pages are; no other request is looked at."""


class MemberMiddleware:
    """Sets `request.member_session`, None for a stranger, on requests for the member's pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api_call(request) or not request.path_info.startswith(PAGES):
            return self.get_response(request)
        token = cookie_of(request)
        session = session_of(Kind.COOKIE, token, timezone.now()) if token else None
        request.member_session = session  # type: ignore[attr-defined]
        language = session.member.language if session else ""
        with translation.override(language_for(language) if session else _asked_language(request)):
            response = self.get_response(request)
        return _finish(request, response, session, token)


def _asked_language(request: HttpRequest) -> str:
    return translation.get_language_from_request(request)


def _finish(
    request: HttpRequest, response: HttpResponse, session: MemberSession | None, token: str
) -> HttpResponse:
    """A page about a person is nobody else's: never cached. A cookie past half its life is renewed."""
    response.headers.setdefault("Cache-Control", "no-store")
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    if session and is_worn(Kind.COOKIE, token) and cookie_name() not in response.cookies:
        renewed = sign(Kind.COOKIE, claim_of(session, session.member))
        response.set_cookie(cookie_name(), renewed, **cookie_attributes())
    return response
