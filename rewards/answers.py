"""What the API answers about gift orders and vouchers: the first answer and its repetition are one code.

No answer that is kept holds a voucher's code: it is put in when the answer is sent.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.selectors import entries_shown, figures_shown, local, metadata_shown, receipt
from members.models.programmes import digits_of
from rewards.gather import Booked, KnownContext
from rewards.lifecycle import Status, following
from rewards.records import PartRow, VoucherRow

Body = dict[str, Any]


def money(amount: Decimal | None, currency: str) -> Body | None:
    """An amount with the currency's decimals; None for none."""
    if amount is None:
        return None
    return {"amount": f"{amount:.{digits_of(currency)}f}", "currency": currency}


def ordered(booked: Booked, zone: ZoneInfo) -> Body:
    """The answer to an order as it was the first time, without the voucher's code."""
    row = booked.row
    is_hold = row.mode == "hold"
    entry = None if is_hold else booked.entry
    first = Status.RESERVED if is_hold else Status.DELIVERED if row.is_digital else Status.EXCHANGED
    voucher = None if is_hold or booked.voucher is None else voucher_first(booked.voucher, zone)
    return {
        **_what(booked),
        "status": first,
        "recorded_at": local(row.recorded_at, zone),
        "reserved_until": local(row.reserved_until, zone),
        "lots": lots(row.parts, zone),
        "voucher": voucher,
        "entries": entries_shown(row.member_id, entry),
        "balance": figures_shown(row.balance, row.recorded_at, zone),
        "receipt": receipt(entry),
        "metadata": metadata_shown(row.metadata),
    }


def _what(booked: Booked) -> Body:
    row = booked.row
    return {
        "reference": row.reference,
        "member": booked.member,
        "gift": booked.gift_code,
        "quantity": row.quantity,
        "points": row.points,
        "promotion": row.promotion or None,
    }


def shown(context: KnownContext, now: datetime) -> Body:
    """An order as it is now, with every step."""
    booked, zone, row = context.booked, context.place.zone, context.booked.row
    status = row.status_at_instant(now)
    steps = [
        {
            "status": move.status,
            "at": local(move.at, zone),
            "note": move.note or None,
            "tracking": move.tracking or None,
        }
        for move in context.moves
    ]
    if status is not row.status:
        steps.append(
            {"status": status, "at": local(row.reserved_until, zone), "note": None, "tracking": None}
        )
    return {
        **_what(booked),
        "status": status,
        "recorded_at": local(row.recorded_at, zone),
        "reserved_until": local(row.reserved_until, zone),
        "lots": lots(row.parts, zone),
        "voucher": voucher_shown(booked.voucher, zone, now) if booked.voucher else None,
        "delivery": {"method": context.delivery} if context.delivery else None,
        "tracking": row.tracking or None,
        "history": steps,
        "allowed": allowed(status, context),
        "metadata": metadata_shown(row.metadata),
    }


def allowed(status: Status, context: KnownContext) -> list[Status]:
    """The steps that can be asked for now: a gift that does not come back is not returned, time alone lapses.

    None for a person who was erased.
    """
    person = context.place.holding.person
    if person is None or person.status == "erased":
        return []
    return [
        to
        for to in following(status, is_digital=context.booked.row.is_digital)
        if to is not Status.LAPSED and (to is not Status.RETURN_REQUESTED or may_return(context))
    ]


def may_return(context: KnownContext) -> bool:
    """Whether the gift may come back: its terms say so, and nothing of its voucher is used."""
    return bool(context.gift.is_returnable) and not context.is_used


def lots(parts: list[PartRow], zone: ZoneInfo) -> list[Body]:
    """Which points were spent, and when they would have expired."""
    return [{"points": points, "expires_at": local(expires_at, zone)} for _, points, expires_at in parts]


def voucher_first(row: VoucherRow, zone: ZoneInfo) -> Body:
    """A voucher as it was issued; `code` is put in when the answer is sent."""
    value = money(row.value, row.currency)
    return {"code": None, "value": value, "balance": value, "valid_until": local(row.valid_until, zone)}


def voucher_shown(row: VoucherRow, zone: ZoneInfo, now: datetime) -> Body:
    """A voucher as it is now, never with its code."""
    is_expired = row.status == "active" and not row.is_usable(now)
    return {
        "status": "expired" if is_expired else row.status,
        "value": money(row.value, row.currency),
        "balance": money(row.balance, row.currency),
        "valid_until": local(row.valid_until, zone),
    }
