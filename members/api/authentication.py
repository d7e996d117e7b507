"""Who calls: partners by bearer token (RFC 6750, by header only), members by their bearer or cookie."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from config.kernel.errors import InvalidToken
from members.identity import Kind
from members.models import MemberSession
from members.selectors import Caller, caller_of, cookie_of, session_of


class PartnerUser:
    """`request.user` of a partner's call: no person, so no row."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    pk = None


_partner_user = PartnerUser()


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` -> `request.auth`, a Caller. Raises InvalidToken."""

    def authenticate(self, request: HttpRequest) -> tuple[PartnerUser, Caller] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        caller = caller_of(token.strip())
        if caller is None:
            raise InvalidToken(
                "The access token is unknown, expired or revoked.",
                challenge='Bearer realm="api", error="invalid_token"',
            )
        return _partner_user, caller

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="api"'


@dataclass(frozen=True, slots=True)
class MemberCaller:
    """A member who reads her own; counted as a client of her own."""

    session: MemberSession
    scopes: ClassVar[frozenset[str]] = frozenset()

    @property
    def client_id(self) -> str:
        return f"session:{self.session.pk}"

    @property
    def programme_code(self) -> str:
        return self.session.programme.code


class MemberAuthentication(BaseAuthentication):
    """The short bearer of an identification, else the member's cookie -> `request.auth`, a MemberCaller.

    Every token that does not hold is refused alike. Raises InvalidToken.
    """

    def authenticate(self, request: HttpRequest) -> tuple[PartnerUser, MemberCaller]:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "bearer":
            session = session_of(Kind.BEARER, token.strip(), timezone.now())
        else:
            session = session_of(Kind.COOKIE, cookie_of(request), timezone.now())
        if session is None:
            raise InvalidToken("Nobody is identified by this request.")
        return _partner_user, MemberCaller(session)

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="me"'
