"""Recognises the member behind a page's request, speaks her language and renews her cookie."""

from collections.abc import Callable
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from config.kernel.middleware import is_api_call
from config.kernel.pages import PAGES
from members.identity import Kind, browser_cookie_attributes, cookie_attributes, cookie_name, is_worn, sign
from members.models import MemberSession
from members.selectors import cookie_of, language_for, session_of
from members.services import claim_of

Response = TypeVar("Response", bound=HttpResponse)


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
        asked = _asked_language(request) if session is None else ""
        with translation.override(asked or _language(request, session)), timezone.override(_zone(session)):
            response = self.get_response(request)
        if asked:
            remember_language(response, asked)
        return _finish(request, response, session, token)


def remember_language(response: Response, language: str) -> Response:
    """Speak one of our languages to strangers in this browser; a member is spoken to in her own."""
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, **browser_cookie_attributes())
    return response


def _asked_language(request: HttpRequest) -> str:
    """What a stranger chose, `?lang=`; "" for nothing and for a language we do not speak."""
    asked = request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else ""


def _language(request: HttpRequest, session: MemberSession | None) -> str:
    """The member's, else what this browser was last spoken to in, else what it asks for."""
    if session is None:
        return translation.get_language_from_request(request)
    return language_for(session.member.language)


def _zone(session: MemberSession | None) -> ZoneInfo | None:
    """Days and hours are the programme's."""
    return ZoneInfo(session.programme.time_zone) if session else None


def _finish(
    request: HttpRequest, response: HttpResponse, session: MemberSession | None, token: str
) -> HttpResponse:
    """A page about a person is nobody else's: never cached. A cookie past half its life is renewed."""
    response.headers.setdefault("Cache-Control", "no-store")
    # A picture or a stylesheet is for everybody: no cache may keep anybody's cookie with it.
    if "public" in response.headers["Cache-Control"]:
        return response
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    if session and is_worn(Kind.COOKIE, token) and cookie_name() not in response.cookies:
        renewed = sign(Kind.COOKIE, claim_of(session, session.member))
        response.set_cookie(cookie_name(), renewed, **cookie_attributes())
    return response
