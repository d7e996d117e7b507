"""Bearer tokens (RFC 6750), by header only."""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication

from config.kernel.errors import InvalidToken
from members.selectors import Caller, caller_of


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
