"""Lists in pages: an opaque cursor names the last row seen, so new rows neither repeat nor hide others."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from config.kernel.errors import ValidationFailed

DEFAULT_LIMIT = 50
MAX_LIMIT = 250

Row = TypeVar("Row", bound=Model)


class PageRequest(NamedTuple):
    """At most `limit` rows after the row whose ordering value is `after` (None = from the start)."""

    limit: int
    after: Any


def paginate(
    rows: QuerySet[Row], request: HttpRequest, *, by: str = "-id", render: Callable[[Row], object]
) -> dict[str, object]:
    """`{"items": [...], "next_cursor": null | "..."}` of the rows in the order of `by`, a unique field.

    Raises ValidationFailed for a wrong `limit` or `cursor`.
    """
    field = by.lstrip("-")
    limit, after = read_page(request.GET, int if field in {"id", "seq"} else str)
    if after is not None:
        rows = rows.filter(**{f"{field}__{'lt' if by.startswith('-') else 'gt'}": after})
    found = list(rows.order_by(by)[: limit + 1])
    return {
        "items": [render(row) for row in found[:limit]],
        "next_cursor": write_cursor(getattr(found[limit - 1], field)) if len(found) > limit else None,
    }


def read_page(query: Mapping[str, str], type_: type = int) -> PageRequest:
    """`limit` and `cursor` of a query; the cursor holds a value of `type_` (int, str, or a tuple of them).

    Raises ValidationFailed.
    """
    return PageRequest(_limit(query.get("limit")), _read_cursor(query.get("cursor"), type_))


def write_cursor(value: object) -> str:
    """The opaque cursor of a row with this ordering value."""
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):
        raise ValidationFailed.at("/limit", "invalid", f"A number from 1 to {MAX_LIMIT}.")
    return int(text)


def _read_cursor(text: str | None, type_: type) -> Any:
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        value: Any = msgspec.json.decode(raw, type=type_)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise ValidationFailed.at("/cursor", "invalid", "Not a cursor of this list.") from None
    if "\\u0000" in raw.decode() or (isinstance(value, int) and abs(value) >= 2**63):
        raise ValidationFailed.at("/cursor", "invalid", "Not a cursor of this list.")
    return value
