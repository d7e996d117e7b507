"""What the points endpoints accept, strict about shape, and how it becomes a command."""

import re
from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from config.kernel.codes import Code
from config.kernel.errors import FieldError, ValidationFailed
from config.kernel.flat import FlatObject
from loyalty.records import LineRow
from loyalty.services import AdjustmentCommand, BasketCommand, ReversalCommand

MAX_LINES = 1000
MAX_BATCH = 500

DecimalText = Annotated[str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,6})?$(?!\n)", max_length=17)]
Money = Annotated[str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$(?!\n)", max_length=15)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Place = Annotated[str, Meta(min_length=1, max_length=64)]
Reason = Annotated[str, Meta(max_length=200)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)]
Instant = Annotated[
    str, Meta(description="RFC 3339 with offset", examples=["2026-11-23T10:15:00+01:00"], max_length=40)
]
Points = Annotated[int, Meta(ge=-(2**53), le=2**53)]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


class LineBody(msgspec.Struct, forbid_unknown_fields=True):
    """A line: `amount` is what was paid for it after discounts, `quantity` may be a weight or 0."""

    line: Code
    amount: Money
    quantity: DecimalText
    sku: Code | None = None
    category: Word | None = None
    brand: Word | None = None
    points_eligible: bool = True


Lines = Annotated[list[LineBody], Meta(min_length=1, max_length=MAX_LINES)]


class EvaluationBody(msgspec.Struct, forbid_unknown_fields=True):
    """A basket to evaluate; without `member` (or null) a guest's, without `occurred_at` as of now."""

    currency: Currency
    lines: Lines
    member: Code | None = None
    occurred_at: Instant | None = None
    channel: Place | None = None
    store: Place | None = None
    reference: Code | None = None
    evaluation: str | None = None
    on_unknown_member: Literal["enrol"] | None = None
    metadata: FlatObject = {}


class EarnBody(msgspec.Struct, forbid_unknown_fields=True):
    """A receipt to book; `evaluation` holds it to the points that were promised."""

    reference: Code
    member: Code
    occurred_at: Instant
    currency: Currency
    lines: Lines
    channel: Place | None = None
    store: Place | None = None
    evaluation: str | None = None
    on_unknown_member: Literal["enrol"] | None = None
    metadata: FlatObject = {}


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Receipts to book, each an effect in its own right; those of one member in their order."""

    transactions: Annotated[
        list[dict[str, Any]],
        Meta(
            min_length=1,
            max_length=MAX_BATCH,
            extra_json_schema={"items": {"$ref": "#/components/schemas/EarnBody"}},
        ),
    ]


class ReturnLineBody(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line given back, by `quantity` or by `amount`."""

    line: Code
    quantity: DecimalText | None = None
    amount: Money | None = None


class ReversalBody(msgspec.Struct, forbid_unknown_fields=True):
    """A return; no `lines` = all that is left. `dry_run` shows the outcome and books nothing."""

    reference: Code
    reason: Reason = ""
    lines: Annotated[list[ReturnLineBody], Meta(min_length=1, max_length=MAX_LINES)] | None = None
    dry_run: bool = False
    metadata: FlatObject = {}


class AdjustmentBody(msgspec.Struct, forbid_unknown_fields=True):
    """Points to give (positive) or take (negative), with the reason the member will read."""

    reference: Code
    points: Points
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    expires_at: Instant | None = None
    metadata: FlatObject = {}


class ProductBody(msgspec.Struct, forbid_unknown_fields=True):
    """Category and brand of basket lines that name none."""

    name: Annotated[str, Meta(max_length=200)] = ""
    category: Annotated[str, Meta(max_length=100)] = ""
    brand: Annotated[str, Meta(max_length=100)] = ""


def read_instant(text: str, pointer: str) -> datetime:
    """An RFC 3339 instant in UTC; ValidationFailed at `pointer`."""
    if _RFC3339.fullmatch(text):
        try:
            at = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            at = datetime.max.replace(tzinfo=UTC)
        # The first and the last year are no local time in some zone.
        if MINYEAR < at.year < MAXYEAR:
            return at
    raise ValidationFailed.at(pointer, "invalid_instant", "A time as RFC 3339 with its offset.")


def decimal_text(text: str) -> str:
    """The shortest text of a decimal, so that "2", "2.0" and "02" are the same content."""
    number = Decimal(text).normalize()
    return format(number, "f") if number else "0"


def basket_command(body: EvaluationBody | EarnBody, now: datetime) -> BasketCommand:
    """The normalised command; ValidationFailed for lines named twice or a wrong instant."""
    repeated = _repeated([line.line for line in body.lines])
    if repeated:
        raise ValidationFailed(errors=repeated)
    return BasketCommand(
        member=body.member,
        occurred_at=read_instant(body.occurred_at, "/occurred_at") if body.occurred_at else now,
        currency=body.currency,
        lines=tuple(_line_row(line) for line in body.lines),
        channel=body.channel,
        store=body.store,
        reference=body.reference,
        evaluation=body.evaluation,
        enrol_unknown=body.on_unknown_member is not None,
        metadata=body.metadata,
    )


def _line_row(line: LineBody) -> LineRow:
    return LineRow(
        line=line.line,
        quantity=decimal_text(line.quantity),
        amount=decimal_text(line.amount),
        sku=line.sku,
        category=line.category,
        brand=line.brand,
        points_eligible=line.points_eligible,
    )


def _repeated(names: list[str]) -> list[FieldError]:
    seen: set[str] = set()
    errors = []
    for index, name in enumerate(names):
        if name in seen:
            errors.append(FieldError(f"/lines/{index}/line", "duplicate_line", "Each line comes once."))
        seen.add(name)
    return errors


def reversal_command(transaction: str, body: ReversalBody) -> ReversalCommand:
    """The normalised command; ValidationFailed for lines that say nothing, too much, or come twice."""
    lines = body.lines
    if lines is not None:
        errors = [*_repeated([line.line for line in lines]), *_return_errors(lines)]
        if errors:
            raise ValidationFailed(errors=errors)
    return ReversalCommand(
        transaction=transaction,
        reference=body.reference,
        reason=body.reason,
        lines=None if lines is None else tuple(_return_line(line) for line in lines),
        dry_run=body.dry_run,
        metadata=body.metadata,
    )


def _return_errors(lines: list[ReturnLineBody]) -> Iterator[FieldError]:
    for index, line in enumerate(lines):
        if (line.quantity is None) == (line.amount is None):
            yield FieldError(f"/lines/{index}", "quantity_or_amount", "Give either quantity or amount.")
        elif not Decimal(line.quantity or line.amount or "0"):
            unit = "quantity" if line.amount is None else "amount"
            yield FieldError(f"/lines/{index}/{unit}", "not_positive", "A number above 0.")


def _return_line(line: ReturnLineBody) -> dict[str, str]:
    if line.quantity is not None:
        return {"line": line.line, "quantity": decimal_text(line.quantity)}
    return {"line": line.line, "amount": decimal_text(line.amount or "0")}


def adjustment_command(member: str, body: AdjustmentBody, actor: str) -> AdjustmentCommand:
    """The command; ValidationFailed for 0 points or a wrong instant."""
    if body.points == 0:
        raise ValidationFailed.at("/points", "zero", "An adjustment moves points.")
    return AdjustmentCommand(
        member=member,
        reference=body.reference,
        points=body.points,
        reason=body.reason,
        actor=actor,
        expires_at=read_instant(body.expires_at, "/expires_at") if body.expires_at else None,
        metadata=body.metadata,
    )
