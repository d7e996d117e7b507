"""Same key, same answer; same key with other content, refusal.

The key row is written in the same database transaction as the effect (see `loyalty.apply`), with the first
answer: 2xx and final refusals. Rules: RULES of idempotency in docs/rules.md; the header follows
draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import ApiRequest, problem
from config.kernel.api.problems import PROBLEM_MEDIA_TYPE
from config.kernel.errors import FieldError, RistourneError, ValidationFailed
from config.kernel.sql import from_hex, hex_text
from loyalty.errors import IdempotencyKeyMissing, IdempotencyKeyReused

KEY = re.compile(r"[\x20-\x7e]{1,255}")
BOUND = 0
"""Status of a key that is bound to its content and keeps no answer: a batch, whose items answer by reference."""


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key with the fingerprint of the request it came with."""

    partner_id: int
    text: str
    fingerprint: bytes

    def row(
        self, programme_id: int, now: datetime, status: int | None, body: str, accounts: Collection[int]
    ) -> dict[str, Any]:
        """The row of loyalty_idempotencykey that `loyalty_apply` writes; `accounts` are those it is about.

        A kept answer names its account, so that it goes when the person is erased. A bound key keeps none, and
        must not: its batch may wait for the account while it holds this row, and the erasure comes the other way.
        """
        about = accounts if status != BOUND and len(accounts) == 1 else ()
        return {
            "partner_id": self.partner_id,
            "key": self.text,
            "programme_id": programme_id,
            "fingerprint": hex_text(self.fingerprint),
            "status": status,
            "body": body,
            "account_id": next(iter(about), None),
            "created_at": now,
        }


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes, when, under which key. `problem` renders a refusal, so that its first answer can be kept."""

    programme_id: int
    now: datetime
    partner_id: int | None = None
    key: Key | None = None
    problem: Callable[[RistourneError], Mapping[str, Any]] = lambda error: {"code": error.code}

    def key_row(self, status: int | None, body: str, accounts: Collection[int]) -> dict[str, Any] | None:
        return self.key.row(self.programme_id, self.now, status, body, accounts) if self.key else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers: status, JSON text, and whether it is a repetition of the first answer."""

    status: int
    body: str
    replayed: bool = False


class KeyRow(msgspec.Struct):
    """What is stored under a key."""

    fingerprint: str
    status: int | None
    body: str


def claim(header: str | None, *, partner_id: int, method: str, path: str, body: object) -> Key:
    """The key of a request; IdempotencyKeyMissing without one, ValidationFailed for one that is no key.

    The fingerprint is SHA-256 of method, resolved path and canonical body.
    """
    if not header:
        raise IdempotencyKeyMissing("Writes need an Idempotency-Key header.")
    if not KEY.fullmatch(header):
        error = FieldError(
            "", "invalid_idempotency_key", "Idempotency-Key is 1-255 printable ASCII characters."
        )
        raise ValidationFailed(errors=[error])
    canonical = msgspec.json.encode([method, path, body], order="sorted")
    return Key(partner_id, header, hashlib.sha256(canonical).digest())


def keyed_write(request: ApiRequest, body: object) -> Write:
    """The write of a partner's request; IdempotencyKeyMissing without a key. `body` is what the key is bound to."""
    caller = request.auth
    key = claim(
        request.headers.get("Idempotency-Key"),
        partner_id=caller.partner_id,
        method=request.method or "",
        path=request.path,
        body=body,
    )
    return Write(
        caller.programme_id, timezone.now(), caller.partner_id, key, partial(problem, request=request)
    )


def replay(key: Key, stored: KeyRow) -> Answer | None:
    """The first answer under the key; None where the key keeps none. IdempotencyKeyReused for other content."""
    if from_hex(stored.fingerprint) != key.fingerprint:
        raise IdempotencyKeyReused("This key came with another request before.")
    if not stored.status:
        return None
    return Answer(stored.status, stored.body, replayed=True)


def respond(given: Answer) -> HttpResponse:
    """The answer as it was decided or kept; repetitions say so."""
    content_type = PROBLEM_MEDIA_TYPE if given.status >= 400 else "application/json"
    headers = {"Idempotent-Replayed": "true"} if given.replayed else None
    return HttpResponse(given.body, content_type=content_type, status=given.status, headers=headers)
