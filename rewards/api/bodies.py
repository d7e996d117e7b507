"""What the order and voucher endpoints accept, strict about shape, and what they answer."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from config.kernel.codes import Code
from config.kernel.errors import ValidationFailed
from config.kernel.flat import FlatObject
from rewards.lifecycle import Status
from rewards.services import DeliveryTo, RedemptionCommand

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Email = Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$(?!\n)", max_length=254)]
Language = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,35}$(?!\n)", max_length=35)]
Note = Annotated[str, Meta(max_length=500)]
Tracking = Annotated[str, Meta(max_length=100)]
CodeText = Annotated[str, Meta(min_length=1, max_length=100)]
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$(?!\n)", max_length=15)]


class AddressBody(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A postal address; what is not needed is left out."""

    name: Line | None = None
    street: Line | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    city: Line | None = None
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", max_length=2)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class DeliveryBody(msgspec.Struct, forbid_unknown_fields=True):
    """Where the gift goes; kept apart and deleted 90 days after delivery."""

    method: Literal["email", "post", "pickup"]
    email: Email | None = None
    address: AddressBody | None = None


class RedemptionBody(msgspec.Struct, forbid_unknown_fields=True):
    """A gift order. `mode` hold reserves for 15 minutes, dry_run books nothing."""

    reference: Code
    member: Code
    gift: Code
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1
    mode: Literal["commit", "hold", "dry_run"] = "commit"
    language: Language | None = None
    delivery: DeliveryBody | None = None
    metadata: FlatObject = {}


class StepBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why: a note for the order's history."""

    note: Note | None = None


class StatusBody(msgspec.Struct, forbid_unknown_fields=True):
    """The status the order takes now, with a note and the parcel's tracking number."""

    status: Status
    note: Note | None = None
    tracking: Tracking | None = None


class VoucherCheckBody(msgspec.Struct, forbid_unknown_fields=True):
    """A code as it is typed: case, spaces and hyphens do not matter."""

    code: CodeText


class VoucherUseBody(msgspec.Struct, forbid_unknown_fields=True):
    """A use under your own reference; `amount` uses a part of a balance voucher, without it all that is left."""

    code: CodeText
    reference: Code
    amount: Amount | None = None


def redemption_command(body: RedemptionBody, actor: str) -> RedemptionCommand:
    """The order as a command; ValidationFailed for a delivery that leads nowhere."""
    return RedemptionCommand(
        reference=body.reference,
        member=body.member,
        gift=body.gift,
        actor=actor,
        quantity=body.quantity,
        mode=body.mode,
        language=body.language or "",
        delivery=_delivery(body.delivery) if body.delivery else None,
        metadata=body.metadata,
    )


def _delivery(body: DeliveryBody) -> DeliveryTo:
    if body.method == "email" and body.email is None:
        raise ValidationFailed.at("/delivery/email", "required", "Where should the e-mail go?")
    if body.method == "post" and body.address is None:
        raise ValidationFailed.at("/delivery/address", "required", "Where should the parcel go?")
    address: dict[str, str] = msgspec.to_builtins(body.address) if body.address else {}
    return DeliveryTo(body.method, body.email or "", address)


class Money(msgspec.Struct):
    """An amount with the currency's decimals."""

    amount: str
    currency: str


class LotShown(msgspec.Struct):
    """Points that were spent, and when they would have expired."""

    points: int
    expires_at: str | None


class RedemptionEntry(msgspec.Struct):
    """The entry of a movement of points."""

    id: str
    kind: str
    points: int


class RedemptionBalance(msgspec.Struct):
    """The four figures at an instant, in points."""

    available: int
    pending: int
    held: int
    debt: int
    as_of: str


class RedemptionReceipt(msgspec.Struct):
    """The entry's place in the account's hash chain."""

    seq: int
    hash: str
    prev: str


class VoucherIssued(msgspec.Struct):
    """A voucher with its code. `valid_until` is the instant at which it ends; null: never."""

    code: str | None
    value: Money | None
    balance: Money | None
    valid_until: str | None


class VoucherShown(msgspec.Struct):
    """A voucher as it is now, without its code: active, used, expired or cancelled."""

    status: str
    value: Money | None
    balance: Money | None
    valid_until: str | None


class VoucherMoved(msgspec.Struct):
    """A voucher after a step of its order; `code` only where the step issued it."""

    status: str
    code: str | None
    value: Money | None
    balance: Money | None
    valid_until: str | None


class RedemptionMade(msgspec.Struct):
    """A gift order as it was booked."""

    reference: str
    member: str
    gift: str
    quantity: int
    points: int
    promotion: str | None
    status: str
    recorded_at: str
    reserved_until: str | None
    lots: list[LotShown]
    voucher: VoucherIssued | None
    entries: list[RedemptionEntry]
    balance: RedemptionBalance
    receipt: RedemptionReceipt | None
    metadata: dict[str, Any]


class StepShown(msgspec.Struct):
    """A step of an order."""

    status: str
    at: str
    note: str | None
    tracking: str | None


class DeliveryShown(msgspec.Struct):
    """How it is delivered; where is never shown."""

    method: str


class RedemptionShown(msgspec.Struct):
    """A gift order as it is now; `allowed` are the statuses that may follow."""

    reference: str
    member: str
    gift: str
    quantity: int
    points: int
    promotion: str | None
    status: str
    recorded_at: str
    reserved_until: str | None
    lots: list[LotShown]
    voucher: VoucherShown | None
    delivery: DeliveryShown | None
    tracking: str | None
    history: list[StepShown]
    allowed: list[str]
    metadata: dict[str, Any]


class RedemptionMoved(msgspec.Struct):
    """A gift order after a step; `entries`, `balance` and `receipt` where points moved."""

    reference: str
    member: str
    gift: str
    quantity: int
    points: int
    promotion: str | None
    status: str
    recorded_at: str
    reserved_until: str | None
    lots: list[LotShown]
    voucher: VoucherMoved | None
    delivery: DeliveryShown | None
    tracking: str | None
    history: list[StepShown]
    allowed: list[str]
    metadata: dict[str, Any]
    entries: list[RedemptionEntry]
    balance: RedemptionBalance | None
    receipt: RedemptionReceipt | None


class VoucherChecked(msgspec.Struct):
    """What a usable code is worth."""

    gift: str
    value: Money | None
    balance: Money | None
    valid_until: str | None


class VoucherUsed(msgspec.Struct):
    """A use of a voucher; `balance` is what is left."""

    reference: str
    used: Money | None
    balance: Money | None
    used_at: str
