"""The steps of a gift order after it is made: confirmed, released, cancelled, sent, delivered, returned, lapsed."""

from dataclasses import dataclass, replace
from datetime import datetime

from config.kernel.errors import NotFound, RistourneError
from config.kernel.sql import from_hex
from loyalty.idempotency import Answer
from loyalty.selectors import entries_shown, figures_shown, receipt
from loyalty.services import (
    Call,
    Moved,
    Order,
    Part,
    Write,
    account_expect,
    account_settle,
    answer,
    conclude,
    is_final,
    known,
    points_confirm,
    points_give_back,
    points_release,
    refused,
    repeat,
)
from rewards import answers, gather, lifecycle
from rewards.errors import IllegalStep, ReservationLapsed
from rewards.gather import KnownContext
from rewards.lifecycle import Status
from rewards.models import Redemption
from rewards.records import MoveRow
from rewards.services import issuing
from rewards.services.steps import SYSTEM

AFTER_RESERVING = (Status.EXCHANGED, Status.RELEASED, Status.CANCELLED)
"""What a reservation that ran out is too late for."""


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """A step of the order under `reference`; `actor` is partner:<client id> or staff:<username>."""

    reference: str
    to: Status
    actor: str
    note: str = ""
    tracking: str = ""


def redemption_move(*, write: Write, command: MoveCommand) -> Answer:
    """Take the next step of an order: 200 with the order as it is then, or the refusal, as an answer.

    Raises NotFound and, without a key, IllegalStep (`allowed`) and ReservationLapsed; under a key they are kept
    and returned. A reservation that ran out is written down on the way.
    """
    accounts: list[int] = []

    def attempt() -> Answer:
        context = _context(write.programme_id, command.reference, write)
        accounts[:] = [context.booked.row.member_id]
        first = known(write, context.place.head)
        if first:
            return _sent(first, command, context)
        call = Call(write.now, function="rewards_apply")
        try:
            given = _decide(command, context, call)
        except ReservationLapsed as error:
            return _refused(write, call, error)
        except RistourneError as error:
            unchanged = Call(write.now)
            account_expect(unchanged, context.place.holding)
            return _refused(write, unchanged, error)
        return _sent(conclude(write, call, given), command, context)

    return repeat(write, attempt, lambda: accounts)


def _context(programme_id: int, reference: str, write: Write) -> KnownContext:
    context = gather.known_order(programme_id=programme_id, reference=reference, now=write.now, key=write.key)
    if context is None:
        raise NotFound
    return context


def _sent(given: Answer, command: MoveCommand, context: KnownContext) -> Answer:
    """A confirmed order's answer carries its code; no other step's does."""
    code = issuing.code_of(context.booked) if command.to is Status.EXCHANGED else None
    return issuing.with_code(given, code)


def _refused(write: Write, call: Call, error: RistourneError) -> Answer:
    """Keep the refusal under the key, with what it found on the way; without a key raise it."""
    if not is_final(error):
        raise error
    given = conclude(write, call, refused(write, error))
    if write.key is None:
        raise error
    return given


def _decide(command: MoveCommand, context: KnownContext, call: Call) -> Answer:
    row = context.booked.row
    account = context.place.holding.account
    status = row.status_at_instant(max(call.now, account.settled_at) if account else call.now)
    if row.status is Status.RESERVED and command.to is Status.CANCELLED:
        command = replace(command, to=Status.RELEASED)  # to cancel a reservation is to release it
    if status is Status.LAPSED and command.to in AFTER_RESERVING:
        if row.status is Status.RESERVED:
            _lapse(context, call)
        else:
            account_expect(call, context.place.holding)
        raise ReservationLapsed("The reservation ran out; points and pieces were given back.")
    allowed = answers.allowed(status, context)
    if command.to not in allowed:
        raise IllegalStep(f"{_words(command.to)} does not follow from {_words(status)}.", allowed=[*allowed])
    moved = _take(command, context, call)
    body = answers.shown(context, call.now)
    if body["voucher"]:
        body["voucher"]["code"] = None
    zone = context.place.zone
    return answer(
        200,
        {
            **body,
            "entries": entries_shown(row.member_id, moved.entry if moved else None),
            "balance": figures_shown(moved.figures, call.now, zone) if moved else None,
            "receipt": receipt(moved.entry if moved else None),
        },
    )


def _words(status: Status) -> str:
    return status.replace("_", " ").capitalize()


def _take(command: MoveCommand, context: KnownContext, call: Call) -> Moved | None:
    """Book the step; None where no points move."""
    row, to, was = context.booked.row, command.to, context.booked.row.status
    moved = _points(to, context, call)
    if lifecycle.gives_stock_back(to, returns_stock=bool(context.gift.returns_stock)):
        issuing.stock(call, context.gift, row.quantity)
    if to is Status.RELEASED and context.booked.pool_code:
        call.add("pools_back", row.id)
    if to in (Status.CANCELLED, Status.RETURNED):
        _cancel_voucher(context, call)
    if to is Status.EXCHANGED:
        row.entry_seq = moved.entry.seq if moved and moved.entry else None
        if context.gift.has_voucher:
            context.booked.voucher = issuing.voucher(
                call, row, context.gift, context.place.zone, context.booked.pool_code
            )
    steps = [to, Status.DELIVERED] if to is Status.EXCHANGED and row.is_digital else [to]
    for status in steps:
        issuing.step(call, row, status, command.actor, command.note, command.tracking)
        context.moves.append(MoveRow(status=status, at=call.now, actor=command.actor, note=command.note,
                                     tracking=command.tracking))  # fmt: skip
    row.tracking = command.tracking or row.tracking
    _change(context, call, was, steps[-1], call.now)
    return moved


def _points(to: Status, context: KnownContext, call: Call) -> Moved | None:
    row, holding, order = context.booked.row, context.place.holding, order_of(context)
    if to is Status.EXCHANGED:
        return points_confirm(call, holding, order)
    if to is Status.RELEASED:
        return points_release(call, holding, order)
    if lifecycle.gives_points_back(to, returns_points=bool(context.gift.returns_points)):
        parts = tuple(Part(*part) for part in row.parts)
        return points_give_back(call, holding, order, parts, f"redemption_{to}")
    account_expect(call, holding)
    return None


def _cancel_voucher(context: KnownContext, call: Call) -> None:
    voucher = context.booked.voucher
    if voucher and voucher.status == "active":
        call.add("voucher_changes", {"id": voucher.id, "was_status": voucher.status, "was_balance": voucher.balance,
                                     "status": "cancelled", "balance": voucher.balance})  # fmt: skip
        voucher.status = "cancelled"


def _change(context: KnownContext, call: Call, was: Status, status: Status, at: datetime) -> None:
    row = context.booked.row
    row.status, row.status_at = status, at
    call.add("redemption_changes", {"id": row.id, "was": was, "status": status, "status_at": at,
                                    "tracking": row.tracking, "entry_seq": row.entry_seq})  # fmt: skip


def order_of(context: KnownContext) -> Order:
    """The order as the ledger knows it."""
    row, place = context.booked.row, context.place
    salt = from_hex(row.salt)
    return Order(row.id, row.reference, salt, row.programme_id, place.zone, place.grace_days)


def _lapse(context: KnownContext, call: Call) -> None:
    _end(context, call, Status.LAPSED, SYSTEM, context.booked.row.reserved_until or call.now)


def _end(context: KnownContext, call: Call, to: Status, actor: str, at: datetime) -> None:
    """A reservation whose points are, or now become, free by themselves; pieces and code are free too."""
    row = context.booked.row
    account_settle(call, context.place.holding, order_of(context))
    issuing.stock(call, context.gift, row.quantity)
    if context.booked.pool_code:
        call.add("pools_back", row.id)
    issuing.step(call, row, to, actor, at=at)
    _change(context, call, row.status, to, at)


def reservation_end(*, programme_id: int, reference: str, actor: str, now: datetime) -> None:
    """Write down that a reservation whose hold has ended is released, or lapsed if that was before.

    The caller holds the account.
    """
    write = Write(programme_id, now)
    context, call = _context(programme_id, reference, write), Call(now, function="rewards_apply")
    if context.booked.row.status_at_instant(now) is Status.LAPSED:
        _lapse(context, call)
    else:
        _end(context, call, Status.RELEASED, actor, now)
    conclude(write, call, answer(200, {}))


def reservations_lapse(*, now: datetime, reward_id: int | None = None, limit: int = 500) -> int:
    """Write down reservations that ran out, oldest first: points and pieces are free again; how many."""
    due = Redemption.objects.filter(status=Status.RESERVED, reserved_until__lte=now)
    if reward_id is not None:
        due = due.filter(reward_id=reward_id)
    found = due.order_by("reserved_until").values_list("programme_id", "reference")[:limit]
    return sum(_lapse_one(programme_id, reference, now) for programme_id, reference in list(found))


def _lapse_one(programme_id: int, reference: str, now: datetime) -> bool:
    write, accounts = Write(programme_id, now), list[int]()
    done: list[bool] = []

    def attempt() -> Answer:
        context = _context(programme_id, reference, write)
        accounts[:] = [context.booked.row.member_id]
        done[:] = [context.booked.row.status is Status.RESERVED]
        call = Call(now, function="rewards_apply")
        if done[0]:
            _lapse(context, call)
        return conclude(write, call, answer(200, {}))

    try:
        repeat(write, attempt, lambda: accounts)
    except NotFound:  # the person was erased meanwhile, and the reservation has ended with that
        return False
    return done[0]
