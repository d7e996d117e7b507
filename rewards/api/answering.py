"""Between HTTP and the writes of rewards: the key of a request."""

from functools import partial

from django.utils import timezone

from config.kernel.api import ApiRequest, problem
from loyalty.idempotency import claim
from loyalty.services import Write
from rewards import codes


def keyed_write(request: ApiRequest, body: object) -> Write:
    """The write of a request with its Idempotency-Key; IdempotencyKeyMissing without one."""
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


def without_code(request: ApiRequest, body: object) -> object:
    """The body as a key remembers it: with an HMAC in place of the code, which nobody can try codes against."""
    if not isinstance(body, dict):
        return body
    return {**body, "code": codes.lookup(request.auth.programme_id, str(body["code"])).hex()}
