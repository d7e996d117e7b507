"""Between HTTP and the writes of loyalty: the key of a request, and its answer."""

from functools import partial

from django.utils import timezone

from config.kernel.api import ApiRequest, problem
from loyalty.idempotency import claim, respond
from loyalty.services import Write

__all__ = ["keyed_write", "respond"]


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
        programme_id=caller.programme_id,
        now=timezone.now(),
        partner_id=caller.partner_id,
        key=key,
        problem=partial(problem, request=request),
    )
