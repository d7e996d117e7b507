"""Rows of orders and vouchers as they travel to and from PostgreSQL as JSON; field names are columns."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from rewards.lifecycle import Status

PartRow = tuple[int, int, datetime | None]
"""A lot, the points drawn from it, and when it was to expire at that time."""


class RedemptionRow(msgspec.Struct, kw_only=True):
    """A row of rewards_redemption."""

    id: UUID
    programme_id: int
    member_id: int
    partner_id: int | None
    reference: str
    mode: str
    reward_id: int
    version_id: int
    quantity: int
    unit_points: int
    points: int
    promotion: str
    is_digital: bool
    status: Status
    status_at: datetime
    reserved_until: datetime | None
    recorded_at: datetime
    language: str
    tracking: str
    parts: list[PartRow]
    entry_seq: int | None
    balance: dict[str, int]
    content: str
    salt: str
    metadata: dict[str, Any]

    def status_at_instant(self, now: datetime) -> Status:
        """Where it stands: a reservation that ran out has lapsed, whether or not that is written."""
        if self.status is Status.RESERVED and self.reserved_until and self.reserved_until <= now:
            return Status.LAPSED
        return self.status


class VoucherRow(msgspec.Struct, kw_only=True):
    """A row of rewards_voucher."""

    id: UUID
    programme_id: int
    redemption_id: UUID
    pool_code_id: int | None
    key_id: str
    lookup: str
    status: str
    value: Decimal | None
    currency: str
    balance: Decimal | None
    has_balance: bool
    valid_until: datetime | None
    issued_at: datetime

    def is_usable(self, now: datetime) -> bool:
        return self.status == "active" and (self.valid_until is None or now < self.valid_until)


class PoolCodeRow(msgspec.Struct, kw_only=True):
    """What is needed of a row of rewards_poolcode; `sealed` is the encrypted code."""

    id: int
    lookup: str
    sealed: str
    key_id: str
    valid_until: datetime | None


class GiftRow(msgspec.Struct, kw_only=True):
    """A gift and, if it has one, the version an order is for (`version_id`)."""

    id: int
    code: str
    kind: str
    state: str
    stock: int | None
    limit_per_member: int | None
    limit_per_period: int | None
    period: str
    version_id: int | None
    name: dict[str, str] | None
    points: int | None
    face_value: Decimal | None
    face_currency: str | None
    segments: list[str] | None
    tiers: list[str] | None
    voucher_days: int | None
    has_balance: bool | None
    is_returnable: bool | None
    returns_points: bool | None
    returns_stock: bool | None
    pool_id: int | None
    prices: list[tuple[str, int]] | None

    @property
    def has_voucher(self) -> bool:
        return self.kind in ("digital_voucher", "pool_voucher")

    @property
    def is_digital(self) -> bool:
        """Delivered with its code, or nothing to send at all."""
        return self.kind != "physical"


class MoveRow(msgspec.Struct, kw_only=True):
    """What is shown of a row of rewards_move."""

    status: Status
    at: datetime
    actor: str
    note: str
    tracking: str
