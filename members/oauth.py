"""How partners get tokens: RFC 6749, client credentials only, on top of django-oauth-toolkit."""

import base64
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauthlib.common import Request

from members.models import Partner
from members.selectors import forget_token, secret_opens, token_claims


class PartnerScopes(BaseScopes):
    """A partner may ask for its allowed scopes, and gets all of them when it asks for none."""

    def get_all_scopes(self) -> dict[str, str]:
        return dict(settings.SCOPES)

    def get_available_scopes(
        self, application: Partner | None = None, request: object = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return list(application.allowed_scopes) if application else []

    def get_default_scopes(
        self, application: Partner | None = None, request: object = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return self.get_available_scopes(application)


class PartnerValidator(OAuth2Validator):
    """Knows partners by either of their live secrets."""

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Whether HTTP Basic or the body names a partner and one of its live secrets (RFC 6749, 2.3.1)."""
        client_id, secret = _basic_credentials(request) or (request.client_id, request.client_secret)
        partner = self._load_application(client_id, request)
        return partner is not None and secret_opens(partner, secret or "", timezone.now())

    def _load_application(self, client_id: str | None, request: Request) -> Partner | None:
        # PostgreSQL knows no NUL; the driver's refusal would be a 500.
        if not client_id or "\x00" in client_id:
            return None
        partner: Partner | None = super()._load_application(client_id, request)
        return partner

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Revoke one of the partner's own tokens, at once here, within the cache's seconds elsewhere."""
        super().revoke_token(token, token_type_hint, request, *args, **kwargs)
        forget_token(token)

    def introspect_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """What a live token of the asking partner's own programme is; None for any other."""
        return token_claims(request.client.programme, token, timezone.now())


def _basic_credentials(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)
