"""JSON out."""

from collections.abc import Mapping

import msgspec
from django.http import HttpResponse

_encode = msgspec.json.Encoder().encode


def json_response(
    body: object,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> HttpResponse:
    """`body` (plain values, dataclasses, msgspec structs) as JSON: Decimal as string, times as RFC 3339."""
    return HttpResponse(_encode(body), content_type=content_type, status=status, headers=headers)
