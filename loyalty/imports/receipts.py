"""From the rows of a receipt to the command that books it, under the rules of the API's request body."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.kernel.api.body import convert
from config.kernel.errors import FieldError, RistourneError, ValidationFailed
from loyalty.api.serializers import EarnBody, basket_command, read_instant
from loyalty.imports.reading import Cells, Row
from loyalty.services import BasketCommand

OF_RECEIPT = ("member", "occurred_at", "channel", "store", "currency")
OF_LINE = ("sku", "category", "brand", "quantity", "amount")
TRUTH = {"true": True, "1": True, "false": False, "0": False}

_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_LINE_POINTER = re.compile(r"/lines/(\d+)/?(.*)")


class Receipt(NamedTuple):
    """Rows under one reference in the file's order, at most one more than a receipt may have."""

    reference: str
    rows: list[Row]


class Reject(NamedTuple):
    """A receipt that is not booked: where it stands in the file, the code of the refusal, and why."""

    reference: str
    lines: str
    code: str
    reason: str


def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """The instant in UTC of RFC 3339, or of a local time without offset; ValidationFailed.

    A repeated hour counts as its first, a missing one moves forward (RFC 5545, section 3.3.5).
    """
    if _LOCAL_TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    return read_instant(text.replace(" ", "T", 1), "/occurred_at")


def command_of(receipt: Receipt, currency: str, zone: ZoneInfo, now: datetime) -> BasketCommand:
    """The receipt as the API would have understood it; ValidationFailed.

    `currency` and `zone` are the programme's, for receipts that name none.
    """
    errors = [
        FieldError(f"/lines/{index}", "unreadable", row.error)
        for index, row in enumerate(receipt.rows)
        if row.error
    ]
    errors += _differences(receipt.rows)
    if errors:
        raise ValidationFailed(errors=errors)
    first = receipt.rows[0].cells
    body: dict[str, Any] = {field: first[field] for field in OF_RECEIPT if field in first}
    if "occurred_at" in body:
        body["occurred_at"] = instant_of(body["occurred_at"], zone).isoformat()
    lines = [_line(index, row.cells) for index, row in enumerate(receipt.rows)]
    body = {"currency": currency, **body, "reference": receipt.reference, "lines": lines}
    return basket_command(convert(body, EarnBody), now)


def _differences(rows: Sequence[Row]) -> list[FieldError]:
    """What the rows say of the receipt as a whole, and not all the same."""
    said = {tuple(map(row.cells.get, OF_RECEIPT)) for row in rows}
    return [
        FieldError(f"/{field}", "lines_differ", f"The receipt's lines differ in {field}.")
        for field, values in zip(OF_RECEIPT, zip(*said, strict=True), strict=True)
        if len(set(values)) > 1
    ]


def _line(index: int, cells: Cells) -> dict[str, Any]:
    line: dict[str, Any] = {field: cells[field] for field in OF_LINE if field in cells}
    line["line"] = cells.get("line") or str(index + 1)
    if "points_eligible" in cells:
        eligible = TRUTH.get(cells["points_eligible"].lower())
        if eligible is None:
            pointer = f"/lines/{index}/points_eligible"
            raise ValidationFailed.at(pointer, "invalid", "true or false (or 1 or 0).")
        line["points_eligible"] = eligible
    return line


def reject(receipt: Receipt, error: RistourneError) -> Reject:
    """The receipt with its refusal, in words that name lines as the file counts them."""
    positions = [row.position for row in receipt.rows]
    reasons = [_reason(positions, item) for item in error.errors] or [error.detail]
    return Reject(receipt.reference, ranges(positions), error.code, " ".join(reasons))


def _reason(positions: Sequence[int], error: FieldError) -> str:
    found = _LINE_POINTER.fullmatch(error.pointer)
    where = error.pointer.removeprefix("/")
    if found:
        where = f"line {positions[int(found[1])]} {found[2]}".strip()
    return f"{where}: {error.detail}" if where else error.detail


def ranges(positions: Sequence[int]) -> str:
    """Ascending numbers in short: "3-5 9"."""
    spans: list[list[int]] = []
    for position in positions:
        if spans and spans[-1][1] == position - 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
