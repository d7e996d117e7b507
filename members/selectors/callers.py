"""Partners by their tokens and secrets."""

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.hashers import check_password
from oauth2_provider.models import get_access_token_model

from members.models import Partner, Programme

TOKEN_CACHE_SECONDS = 15
_TOKEN_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a partner, its programme, and what its token allows."""

    partner_id: int
    client_id: str
    programme_id: int
    programme_code: str
    scopes: frozenset[str]


class _Known(NamedTuple):
    caller: Caller
    until: float


# By token checksum; per process, so that a revoked token dies everywhere within TOKEN_CACHE_SECONDS.
_known_tokens: dict[str, _Known] = {}


def caller_of(token: str) -> Caller | None:
    """Who holds this access token; None if it is unknown, expired or revoked (for at most 15 s already)."""
    checksum = _checksum(token)
    now = time.time()
    known = _known_tokens.get(checksum)
    if known is None or known.until <= now:
        known = _look_up(checksum, now)
        if known is None:
            _known_tokens.pop(checksum, None)
            return None
        _remember(checksum, known)
    return known.caller


def forget_token(token: str) -> None:
    """Make this process look the token up again."""
    _known_tokens.pop(_checksum(token), None)


def forget_tokens() -> None:
    """Make this process look every token up again."""
    _known_tokens.clear()


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def _look_up(checksum: str, now: float) -> _Known | None:
    row = (
        get_access_token_model()
        .objects.filter(token_checksum=checksum, application__isnull=False)
        .values_list(
            "expires",
            "scope",
            "application_id",
            "application__client_id",
            "application__allowed_scopes",
            "application__programme_id",
            "application__programme__code",
        )
        .first()
    )
    if row is None or row[0].timestamp() <= now:
        return None
    expires, scope, partner_id, client_id, allowed_scopes, programme_id, programme_code = row
    scopes = frozenset(scope.split()).intersection(allowed_scopes)
    caller = Caller(partner_id, client_id, programme_id, programme_code, scopes)
    return _Known(caller, min(now + TOKEN_CACHE_SECONDS, expires.timestamp()))


def _remember(checksum: str, known: _Known) -> None:
    while len(_known_tokens) >= _TOKEN_CACHE_SIZE:
        _known_tokens.pop(next(iter(_known_tokens)), None)
    _known_tokens[checksum] = known


def secret_opens(partner: Partner, secret: str, now: datetime) -> bool:
    """Whether the secret is the partner's, or the one before it while that still lives."""
    if check_password(secret, partner.client_secret):
        return True
    expires = partner.previous_secret_expires_at
    return expires is not None and now < expires and check_password(secret, partner.previous_client_secret)


def token_claims(programme: Programme, token: str, now: datetime) -> dict[str, str | int] | None:
    """What a live token of a partner of this programme says (RFC 7662); None for any other token."""
    row = (
        get_access_token_model()
        .objects.filter(token_checksum=_checksum(token), expires__gt=now, application__programme=programme)
        .values_list("scope", "application__client_id", "expires")
        .first()
    )
    if row is None:
        return None
    scope, client_id, expires = row
    return {
        "scope": scope,
        "client_id": client_id,
        "exp": int(expires.timestamp()),
        "token_type": "Bearer",
    }
