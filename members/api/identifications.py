"""Identification: a partner says who is in front of the screen, and gets what makes her recognised."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from msgspec import Meta

from config.kernel.api import ApiRequest, ApiView, json_response, operation, read_body
from config.kernel.codes import Code
from config.kernel.errors import NotFound
from members.errors import MemberNotActive, ProgrammeNotActive
from members.identity import Kind, cookie_attributes, cookie_name
from members.models import Partner
from members.selectors import member_by_number, programme_of
from members.services import Opened, session_open


class IdentificationBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who is there. `return_url` is one of the partner's addresses, or beneath one; "" = the member's pages.

    `device` is what members read in their list of sessions, e.g. "Web shop, Firefox".
    """

    member: Code
    return_url: Annotated[str, Meta(max_length=2000)] = ""
    device: Annotated[str, Meta(max_length=80)] = ""


class CookieShown(msgspec.Struct):
    """The member's cookie; `max_age` in seconds."""

    name: str
    value: str
    max_age: int


class BearerShown(msgspec.Struct):
    """A bearer for GET /me; `expires_in` in seconds."""

    access_token: str
    expires_in: int


class Identified(msgspec.Struct):
    """A session with its tokens. `login_url` signs the member's browser in, once, within `login_expires_in` s."""

    session: str
    member: str
    cookie: CookieShown
    login_url: str
    login_expires_in: int
    bearer: BearerShown
    expires_at: datetime


_EXAMPLE_TOKEN = "3f1c9a07.WyIwMTlhZjVkM..."  # noqa: S105 - an example
_EXAMPLE = {
    "session": "019af5d3-7a3c-7c61-9f0e-0b6f2a5e8d11",
    "member": "10042",
    "cookie": {"name": "__Host-member", "value": _EXAMPLE_TOKEN, "max_age": 1800},
    "login_url": f"https://loyalty.example/my/enter/{_EXAMPLE_TOKEN}",
    "login_expires_in": 60,
    "bearer": {"access_token": _EXAMPLE_TOKEN, "expires_in": 300},
    "expires_at": "2026-11-23T21:15:00Z",
}


class IdentificationsView(ApiView):
    required_scopes: ClassVar = {"POST": ("members:identify",)}

    @operation(
        summary="Identify a member",
        body=IdentificationBody,
        answers={201: (Identified, "The session, with a cookie, a one-use login address and a bearer.")},
        failures=[NotFound, MemberNotActive, ProgrammeNotActive],
        parameters=[
            OpenApiParameter(
                "Set-Cookie", str, OpenApiParameter.HEADER, response=[201], description="The same cookie."
            )
        ],
        example={"member": "10042"},
        answer_examples={201: _EXAMPLE},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Say which member is in front of the screen.

        Send her browser to `login_url` (one use, 60 seconds): she arrives signed in, at `return_url` or on
        her own pages. Or use the cookie or the bearer yourself for GET /me. All of them die when the session
        is revoked, by her or by staff.
        """
        body, _ = read_body(request, IdentificationBody)
        programme = programme_of(request.auth)
        opened = session_open(
            partner=Partner.objects.get(pk=request.auth.partner_id),
            member=member_by_number(programme, body.member),
            return_url=body.return_url,
            device=body.device,
            now=timezone.now(),
        )
        response = json_response(_show(request, opened, body.member), 201)
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(cookie_name(), opened.cookie, **cookie_attributes())
        return response


def _show(request: ApiRequest, opened: Opened, number: str) -> Identified:
    return Identified(
        session=str(opened.session.pk),
        member=number,
        cookie=CookieShown(cookie_name(), opened.cookie, Kind.COOKIE.seconds),
        login_url=request.build_absolute_uri(reverse("member-enter", args=[opened.login])),
        login_expires_in=Kind.LOGIN.seconds,
        bearer=BearerShown(opened.bearer, Kind.BEARER.seconds),
        expires_at=opened.session.expires_at,
    )
