"""The tokens that say who a member is: signed with keys of their own, never stored.

`<key id>.<signed payload>`; the payload names session, programme, client, member and the member's identity
version, and each kind of token is signed apart, so that none passes for another. Keys are
`IDENTIFICATION_KEYS`: the first signs, the others (those before it) still open what they signed.
"""

import hashlib
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core import signing

from config.kernel.pages import PAGES


class Kind(Enum):
    """What a token is for, and how long it lives."""

    COOKIE = timedelta(minutes=30)
    BEARER = timedelta(minutes=5)
    LOGIN = timedelta(seconds=60)
    EMAIL = timedelta(minutes=15)

    @property
    def seconds(self) -> int:
        return int(self.value.total_seconds())


class Claim(NamedTuple):
    """What a genuine token says: ids, and the version of the member's identity it was made for."""

    session: UUID
    programme_id: int
    partner_id: int | None
    member_id: int
    version: int


MAX_TOKEN_LENGTH = 512


def sign(kind: Kind, claim: Claim) -> str:
    """A token of this kind; its life begins now."""
    key = settings.IDENTIFICATION_KEYS[0]
    payload = [claim.session.hex, *claim[1:]]
    return f"{key_id(key)}.{signing.dumps(payload, key=key, salt=_salt(kind))}"


def read(kind: Kind, token: str) -> Claim | None:
    """What the token says; None for one that is not genuine, not of this kind, too old or under no known key."""
    payload = _loads(kind, token, kind.value)
    return Claim(UUID(payload[0]), *payload[1:]) if payload else None


def _loads(kind: Kind, token: str, max_age: timedelta) -> list[Any] | None:
    known, _, signed = token.partition(".")
    key = next((key for key in settings.IDENTIFICATION_KEYS if key_id(key) == known), None)
    if key is None or len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        payload: list[Any] = signing.loads(signed, key=key, salt=_salt(kind), max_age=max_age)
    except signing.BadSignature:
        return None
    return payload


def is_worn(kind: Kind, token: str) -> bool:
    """Whether more than half of a token's life is over."""
    return _loads(kind, token, kind.value / 2) is None


def key_id(key: str) -> str:
    """Eight characters that tell keys apart and tell nothing of them."""
    return hashlib.sha256(f"identification key id\0{key}".encode()).hexdigest()[:8]


def cookie_name() -> str:
    """The browser keeps a `__Host-` cookie for this very host, over TLS; without TLS it refuses that name."""
    return "__Host-member" if settings.SESSION_COOKIE_SECURE else "member"


def cookie_attributes() -> dict[str, Any]:
    """How the cookie is set: unreadable to scripts, not sent along from other sites' forms."""
    return {
        "max_age": Kind.COOKIE.seconds,
        "httponly": True,
        "secure": settings.SESSION_COOKIE_SECURE,
        "samesite": "Lax",
        "path": "/",
    }


def browser_cookie_attributes() -> dict[str, Any]:
    """How a cookie is set that outlives the visit: it says nothing of who came, only of how to receive her."""
    return cookie_attributes() | {"max_age": timedelta(days=365), "path": PAGES}


def _salt(kind: Kind) -> str:
    return f"ristourne.member.{kind.name.lower()}"
