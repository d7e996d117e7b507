"""Redeem: points for a gift, at once or after a reservation, in one database transaction."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from config.kernel.errors import RistourneError, ValidationFailed
from config.kernel.sql import from_hex, hex_text, rows
from loyalty.errors import ReferenceConflict
from loyalty.idempotency import Answer
from loyalty.services import (
    Call,
    Order,
    Stale,
    Write,
    answer,
    check_member,
    check_programme,
    conclude,
    is_final,
    known,
    points_hold,
    points_redeem,
    refused,
    repeat,
)
from rewards import answers, gather
from rewards.errors import OutOfStock, PriceChanged
from rewards.gather import Booked, NewContext
from rewards.lifecycle import Status
from rewards.records import GiftRow, PoolCodeRow, RedemptionRow, VoucherRow
from rewards.services import issuing
from rewards.services.availability import available, price
from rewards.services.moves import reservations_lapse

RESERVED_FOR = timedelta(minutes=15)
LARGEST_POSTING = 2**53


@dataclass(frozen=True, slots=True)
class DeliveryTo:
    """Where a gift goes: personal data. `address` has name, street, postal_code, city, country, phone."""

    method: str
    email: str = ""
    address: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RedemptionCommand:
    """A gift order; `mode` is commit, hold (a reservation) or dry_run, `actor` who orders.

    `points` is what whoever orders was told it costs, None where nobody was: at another price nothing is ordered.
    """

    reference: str
    member: str
    gift: str
    actor: str
    quantity: int = 1
    mode: str = "commit"
    language: str = ""
    delivery: DeliveryTo | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    points: int | None = None

    def content(self, salt: bytes) -> bytes:
        """Salted SHA-256 of what makes two orders the same; it knows the delivery and tells nothing of it."""
        mode = "commit" if self.mode == "dry_run" else self.mode
        to = self.delivery and (
            self.delivery.method,
            self.delivery.email,
            sorted(self.delivery.address.items()),
        )
        same = (self.member, self.gift, self.quantity, mode, self.language, to)
        return hashlib.sha256(salt + msgspec.json.encode(same)).digest()


@dataclass(slots=True)
class Decided:
    """An answer, and the voucher whose code goes into it when it is sent."""

    given: Answer
    booked: Booked | None = None
    knows_code: bool = True


def redemption_order(*, write: Write, command: RedemptionCommand) -> Answer:
    """Order a gift: 201 booked, 200 for a dry run or a repetition, or the refusal, as an answer.

    Raises NotFound (no such member or gift) and ValidationFailed. Final refusals (InsufficientPoints,
    OutOfStock, LimitReached, GiftNotAvailable, PriceChanged ...) are kept under the key.
    """
    context: list[NewContext] = []

    def attempt() -> Answer:
        found = gather.new_order(
            programme_id=write.programme_id,
            number=command.member,
            gift=command.gift,
            quantity=command.quantity,
            reference=command.reference,
            now=write.now,
            key=write.key,
        )
        context[:] = [found]
        first = known(write, found.place.head)
        if first:
            code = issuing.code_of(found.booked) if _is_same(found, write) and found.booked else None
            return issuing.with_code(first, code)
        call = Call(write.now, function="rewards_apply")
        try:
            decided = _decide(write, command, found, call)
        except RistourneError as error:
            return _refuse(write, command, found, error)
        if command.mode == "dry_run" and decided.booked is None:
            return decided.given
        conclude(write, call, decided.given, holding=found.place.holding)
        code = _code(decided, call) if decided.knows_code else None
        return issuing.with_code(decided.given, code)

    return repeat(
        write,
        attempt,
        lambda: [x.place.holding.person.id for x in context if x.place.holding.person],
        more_locks=lambda: _lock_stock([x.gift.id for x in context if x.gift]),
    )


def _lock_stock(rewards: list[int]) -> None:
    rows(
        "SELECT 1 FROM rewards_reward WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE",
        {"ids": sorted(rewards)},
    )


def _is_same(context: NewContext, write: Write) -> bool:
    return context.booked is not None and context.booked.row.partner_id == write.partner_id


def _code(decided: Decided, call: Call) -> str | None:
    booked = decided.booked
    taken = call.result.get("pool_code")
    if booked and taken:
        booked.pool_code = msgspec.convert(taken, PoolCodeRow)
    return issuing.code_of(booked) if booked else None


def _refuse(write: Write, command: RedemptionCommand, context: NewContext, error: RistourneError) -> Answer:
    """Keep a final refusal under the key, decided for the account as it is; or free what lapsed and try again."""
    if isinstance(error, OutOfStock) and context.gift and context.has_lapsed:
        reservations_lapse(now=write.now, reward_id=context.gift.id)
        raise Stale
    if not write.key or not is_final(error) or command.mode == "dry_run":
        raise error
    return conclude(write, Call(write.now), refused(write, error), holding=context.place.holding)


def _decide(write: Write, command: RedemptionCommand, context: NewContext, call: Call) -> Decided:
    place = context.place
    if context.booked:
        return _repeated(write, command, context, context.booked)
    check_programme(place.head)
    person = check_member(place.holding.person)
    gift = available(context, command.quantity)
    unit_points, promotion = price(context, gift, write.programme_id, write.now)
    row = _row(write, command, person.id, gift, unit_points, promotion)
    if command.points not in (None, row.points):
        raise PriceChanged
    order = Order(row.id, row.reference, from_hex(row.salt), write.programme_id, place.zone, place.grace_days)
    if command.mode == "hold":
        row.reserved_until = write.now + RESERVED_FOR
        moved = points_hold(call, place.holding, order, row.points, row.reserved_until)
    else:
        moved = points_redeem(call, place.holding, order, row.points)
    row.parts, row.balance = list(moved.parts), moved.figures._asdict()
    row.entry_seq = moved.entry.seq if moved.entry else None
    voucher = _book(command, context, gift, row, call)
    booked = Booked(row, gift.code, command.member, moved.entry, voucher, None)
    body = answers.ordered(booked, place.zone)
    if command.mode == "dry_run":
        return Decided(answer(200, _promised(body)))
    return Decided(answer(201, body), booked)


def _promised(body: dict[str, Any]) -> dict[str, Any]:
    """What a dry run says: the order as it would be, without what only a booked one has."""
    return {**body, "status": "dry_run", "entries": [], "receipt": None}


def _repeated(write: Write, command: RedemptionCommand, context: NewContext, booked: Booked) -> Decided:
    if from_hex(booked.row.content) != command.content(from_hex(booked.row.salt)):
        raise ReferenceConflict("This reference is booked with other content.")
    given = answer(200, answers.ordered(booked, context.place.zone), replayed=True)
    return Decided(given, booked, knows_code=_is_same(context, write))


def _row(
    write: Write, command: RedemptionCommand, member_id: int, gift: GiftRow, unit_points: int, promotion: str
) -> RedemptionRow:
    points = unit_points * command.quantity
    if points > LARGEST_POSTING:
        raise ValidationFailed.at("/quantity", "too_many_points", "One posting moves at most 2**53 points.")
    salt = secrets.token_bytes(16)
    identity: UUID = uuid7()
    status = (
        Status.RESERVED
        if command.mode == "hold"
        else Status.DELIVERED
        if gift.is_digital
        else Status.EXCHANGED
    )
    return RedemptionRow(
        id=identity,
        programme_id=write.programme_id,
        member_id=member_id,
        partner_id=write.partner_id,
        reference=command.reference,
        mode=command.mode,
        reward_id=gift.id,
        version_id=gift.version_id or 0,
        quantity=command.quantity,
        unit_points=unit_points,
        points=points,
        promotion=promotion,
        is_digital=gift.is_digital,
        status=status,
        status_at=write.now,
        reserved_until=None,
        recorded_at=write.now,
        language=command.language,
        tracking="",
        parts=[],
        entry_seq=None,
        balance={},
        content=hex_text(command.content(salt)),
        salt=hex_text(salt),
        metadata=command.metadata,
    )


def _book(
    command: RedemptionCommand, context: NewContext, gift: GiftRow, row: RedemptionRow, call: Call
) -> VoucherRow | None:
    """The rows of the order; its voucher unless it is a reservation."""
    issuing.stock(call, gift, -row.quantity)
    call.add("redemptions", row)
    if row.status is not Status.RESERVED:
        issuing.step(call, row, Status.EXCHANGED, command.actor)
    if row.status is not Status.EXCHANGED:
        issuing.step(call, row, row.status, command.actor)
    if command.delivery:
        to = command.delivery
        call.add("deliveries", {"redemption_id": row.id, "programme_id": row.programme_id, "method": to.method,
                                "email": to.email, "address": to.address})  # fmt: skip
    if gift.kind == "pool_voucher":
        call.add("pools", {"pool_id": gift.pool_id, "redemption_id": row.id, "at": call.now})
    if not gift.has_voucher or row.status is Status.RESERVED:
        return None
    return issuing.voucher(call, row, gift, context.place.zone, None)
