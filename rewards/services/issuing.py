"""What an order is made of, as rows: steps, vouchers, codes, delivery and news."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from uuid_utils.compat import uuid7

from config.kernel.sql import from_hex, hex_text
from loyalty.idempotency import Answer
from loyalty.services import Call
from rewards import codes
from rewards.gather import Booked
from rewards.lifecycle import Status
from rewards.records import GiftRow, PoolCodeRow, RedemptionRow, VoucherRow


def step(
    call: Call,
    row: RedemptionRow,
    to: Status,
    actor: str,
    note: str = "",
    tracking: str = "",
    at: datetime | None = None,
) -> None:
    """A step of the order, and the news of it."""
    call.add(
        "moves",
        {
            "id": uuid7(),
            "programme_id": row.programme_id,
            "redemption_id": row.id,
            "status": to,
            "actor": actor,
            "at": at or call.now,
            "note": note,
            "tracking": tracking,
        },
    )
    body = {"redemption": row.id, "reference": row.reference, "status": to, "points": row.points}
    news(call, row.programme_id, row.member_id, f"redemption.{to}", body)


def news(call: Call, programme_id: int, member_id: int | None, kind: str, body: Mapping[str, Any]) -> None:
    """A row of the outbox; the body holds no personal data and no code."""
    row = {"id": uuid7(), "programme_id": programme_id, "member_id": member_id, "type": kind, "body": body}
    call.add("news", row | {"recorded_at": call.now})


def stock(call: Call, gift: GiftRow, change: int) -> None:
    """Take pieces from a gift's stock (negative) or put them back; nothing where it is without limit."""
    if gift.stock is not None:
        call.add("stock", {"reward_id": gift.id, "change": change})


def voucher(
    call: Call, row: RedemptionRow, gift: GiftRow, zone: ZoneInfo, code: PoolCodeRow | None
) -> VoucherRow:
    """The voucher of an order: derived, or for the uploaded `code` it took (None: rewards_apply takes one)."""
    value = gift.face_value * row.quantity if gift.face_value is not None else None
    made = VoucherRow(
        id=uuid7(),
        programme_id=row.programme_id,
        redemption_id=row.id,
        pool_code_id=code.id if code else None,
        key_id=code.key_id if code else codes.current_key_id(),
        lookup=code.lookup if code else "",
        status="active",
        value=value,
        currency=gift.face_currency or "" if value is not None else "",
        balance=value,
        has_balance=bool(gift.has_balance) and value is not None,
        valid_until=_valid_until(gift, zone, call.now, code),
        issued_at=call.now,
    )
    if not code:
        text = codes.derived(row.programme_id, made.id, made.key_id)
        made.lookup = hex_text(codes.lookup(row.programme_id, text))
    call.add("vouchers", made)
    return made


def _valid_until(gift: GiftRow, zone: ZoneInfo, now: datetime, code: PoolCodeRow | None) -> datetime | None:
    """Exclusive: the end of the last local day, or what was uploaded with the code."""
    if code and code.valid_until:
        return code.valid_until
    if gift.voucher_days is None:
        return None
    day = now.astimezone(zone).date() + timedelta(days=gift.voucher_days + 1)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def code_of(booked: Booked) -> str | None:
    """The voucher's code, derived or opened again; None where there is none or its key is gone."""
    row, box = booked.voucher, booked.pool_code
    if row is None:
        return None
    if box:
        return code_from(row.programme_id, row.id, box.key_id, from_hex(box.sealed))
    return code_from(row.programme_id, row.id, row.key_id)


def code_from(programme_id: int, voucher_id: UUID, under: str, sealed: bytes | None = None) -> str | None:
    """A voucher's code: `sealed` opened, else derived, with the key `under`; None when that key is gone."""
    try:
        if sealed is not None:
            return codes.opened(programme_id, sealed, under)
        return codes.grouped(codes.derived(programme_id, voucher_id, under))
    except codes.KeyGone:
        return None


def with_code(given: Answer, code: str | None) -> Answer:
    """The answer as it is sent: with the voucher's code, which no kept answer holds."""
    if code is None or given.status >= 300:
        return given
    return Answer(given.status, given.body.replace('"code":null', f'"code":"{code}"', 1), given.replayed)
