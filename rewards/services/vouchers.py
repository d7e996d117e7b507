"""Vouchers at a till: looked at, used whole or in part. What cannot be used has one answer, whatever it is."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from uuid_utils.compat import uuid7

from config.kernel.errors import RistourneError, ValidationFailed
from config.kernel.sql import rows
from loyalty.errors import ReferenceConflict
from loyalty.idempotency import Answer
from loyalty.selectors import HEAD, HEAD_END, Head, base_params, head_of, local
from loyalty.services import Call, Write, answer, check_programme, conclude, known, refused, repeat
from members.models import Programme
from members.models.programmes import digits_of
from rewards import answers, codes
from rewards.errors import VoucherNotUsable
from rewards.models import VoucherIssuer
from rewards.records import VoucherRow
from rewards.services import issuing

_VOUCHER = f"""
SELECT 1, {HEAD}, p.time_zone,
    (to_jsonb(w) || jsonb_build_object('value', w.value::text, 'balance', w.balance::text))::text,
    r.code, o.member_id,
    (SELECT jsonb_build_array(u.partner_id, u.voucher_id, u.amount::text, u.balance::text, u.used_at)::text
     FROM rewards_voucheruse u WHERE u.programme_id = p.id AND u.reference = %(reference)s)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN rewards_voucher w ON w.programme_id = p.id AND w.lookup = ANY(%(lookups)s::bytea[])
LEFT JOIN rewards_redemption o ON o.id = w.redemption_id
LEFT JOIN rewards_reward r ON r.id = o.reward_id
WHERE p.id = %(programme)s
"""

_Use = tuple[int, str, Decimal | None, Decimal | None, datetime]
_voucher = msgspec.json.Decoder(VoucherRow)
_use = msgspec.json.Decoder(_Use)


@dataclass(frozen=True, slots=True)
class UseCommand:
    """A use of a code under the client's own reference; `amount` (decimal text) of a balance voucher."""

    code: str
    reference: str
    amount: str | None = None


@dataclass(slots=True)
class _Found:
    head: Head
    zone: ZoneInfo
    voucher: VoucherRow | None
    gift: str | None
    member_id: int | None
    use: _Use | None


def voucher_check(*, programme_id: int, code: str, now: datetime) -> dict[str, Any]:
    """What a code is worth, without using it; VoucherNotUsable. Nothing is written."""
    found = _find(programme_id, code, "", Write(programme_id, now))
    voucher = found.voucher
    if found.head.status != "active" or voucher is None or not voucher.is_usable(now):
        raise VoucherNotUsable
    return {
        "gift": found.gift,
        "value": answers.money(voucher.value, voucher.currency),
        "balance": answers.money(voucher.balance, voucher.currency),
        "valid_until": local(voucher.valid_until, found.zone),
    }


def voucher_use(*, write: Write, command: UseCommand) -> Answer:
    """Use a voucher: 200, its repetition, or the refusal, as an answer.

    Without `amount` all of it; with one, so much of a balance voucher. Raises ValidationFailed for an amount
    that cannot be. VoucherNotUsable, one for every reason, is kept under the key.
    """

    def attempt() -> Answer:
        found = _find(write.programme_id, command.code, command.reference, write)
        first = known(write, found.head)
        if first:
            return first
        call = Call(write.now, function="rewards_apply")
        try:
            given = _decide(write, command, found, call)
        except (VoucherNotUsable, ReferenceConflict) as error:
            return conclude(write, Call(write.now), refused(write, error))
        return conclude(write, call, given)

    return repeat(write, attempt, list, more_locks=lambda: _lock(write.programme_id, command.code))


def _lock(programme_id: int, code: str) -> None:
    """Hold the voucher until the transaction ends; it comes after the key row."""
    rows(
        "SELECT 1 FROM rewards_voucher WHERE programme_id = %(programme)s AND lookup = ANY(%(lookups)s)"
        " ORDER BY id FOR NO KEY UPDATE",
        {"programme": programme_id, "lookups": codes.lookups(programme_id, code)},
    )


def _find(programme_id: int, code: str, reference: str, write: Write) -> _Found:
    lookups = codes.lookups(programme_id, code)
    params = base_params(programme_id, write.now, write.key) | {"lookups": lookups, "reference": reference}
    row = rows(_VOUCHER, params)[0]
    zone, voucher, gift, member_id, use = row[HEAD_END:]
    return _Found(
        head_of(programme_id, row),
        ZoneInfo(zone),
        _voucher.decode(voucher) if voucher else None,
        gift,
        member_id,
        _use.decode(use) if use else None,
    )


def _decide(write: Write, command: UseCommand, found: _Found, call: Call) -> Answer:
    check_programme(found.head)
    voucher = found.voucher
    if found.use:
        return _repeated(write, command, found, found.use)
    if voucher is None or not voucher.is_usable(write.now):
        raise VoucherNotUsable
    amount = _amount(command, voucher)
    balance = voucher.balance - amount if voucher.balance is not None and amount is not None else None
    is_used = not balance
    use = {"id": uuid7(), "programme_id": write.programme_id, "voucher_id": voucher.id, "partner_id": write.partner_id,
           "reference": command.reference, "amount": amount, "balance": balance, "used_at": write.now}  # fmt: skip
    call.add("voucher_uses", use)
    call.add("voucher_changes", {"id": voucher.id, "was_status": "active", "was_balance": voucher.balance,
                                 "status": "used" if is_used else "active", "balance": balance})  # fmt: skip
    body = {"voucher": voucher.id, "redemption": voucher.redemption_id, "reference": command.reference}
    issuing.news(call, write.programme_id, found.member_id, "voucher.used", body)
    return answer(200, _used(command.reference, amount, balance, voucher.currency, write.now, found.zone))


def _repeated(write: Write, command: UseCommand, found: _Found, use: _Use) -> Answer:
    """The client's own use again; another client's reference, or other content, is a conflict that tells nothing."""
    partner_id, voucher_id, amount, balance, used_at = use
    voucher = found.voucher
    if partner_id != write.partner_id:
        raise VoucherNotUsable
    asked = Decimal(command.amount) if command.amount else None
    if voucher is None or str(voucher.id) != voucher_id or (asked is not None and asked != amount):
        raise ReferenceConflict("This reference was used for another voucher or amount.")
    body = _used(command.reference, amount, balance, voucher.currency, used_at, found.zone)
    return answer(200, body, replayed=True)


def _used(
    reference: str,
    amount: Decimal | None,
    balance: Decimal | None,
    currency: str,
    at: datetime,
    zone: ZoneInfo,
) -> dict[str, Any]:
    return {
        "reference": reference,
        "used": answers.money(amount, currency),
        "balance": answers.money(balance, currency),
        "used_at": local(at, zone),
    }


def _amount(command: UseCommand, voucher: VoucherRow) -> Decimal | None:
    """How much is used: what was asked of a balance voucher, else all that is left (None: no value)."""
    if command.amount is None:
        return voucher.balance
    amount = Decimal(command.amount)
    if not voucher.has_balance or voucher.balance is None:
        raise _wrong("no_balance", "This voucher is used as a whole: leave amount out.")
    if len(command.amount.partition(".")[2]) > digits_of(voucher.currency) or not amount:
        raise _wrong("invalid_amount", f"An amount in {voucher.currency}, above 0.")
    if amount > voucher.balance:
        raise _wrong("exceeds_balance", "The voucher has less than that left.")
    return amount


def _wrong(code: str, detail: str) -> RistourneError:
    return ValidationFailed.at("/amount", code, detail)


def voucher_issuer_set(
    *, programme: Programme, name: str, address: str, company_number: str, conditions: dict[str, str]
) -> VoucherIssuer:
    """Say who stands for a programme's vouchers; `conditions` is `{language: text}`."""
    issuer, _ = VoucherIssuer.objects.update_or_create(
        programme=programme,
        defaults={
            "name": name,
            "address": address,
            "company_number": company_number,
            "conditions": conditions,
        },
    )
    return issuer
