"""What is left of a basket after a return: by quantity, by amount, or everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.engine.model import Line
from loyalty.engine.numbers import RATE


class Return(NamedTuple):
    """A line given back: exactly one of quantity (1/1,000,000) and amount (1/10,000) is set."""

    line: str
    quantity: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class ReturnRefused(Exception):
    """`code` is "unknown_line" or "exceeds_remaining"; `position` is the index in the request."""

    code: str
    position: int


def remaining_after(lines: Sequence[Line], returns: Sequence[Return], digits: int) -> tuple[Line, ...]:
    """The lines that are left, each with what is left of quantity and amount.

    By quantity the amount goes in proportion, rounded half up to the currency's digits, and the last unit
    takes all that is left; by amount the quantity stays. A line that is used up keeps its place with
    nothing left, so that line numbers never shift. Raises ReturnRefused.
    """
    left = {line.line: line for line in lines}
    for position, item in enumerate(returns):
        if item.line not in left:
            raise ReturnRefused("unknown_line", position)
        line = left[item.line]
        if is_used_up(line):
            raise ReturnRefused("exceeds_remaining", position)
        by = (
            _by_amount(line, item, position)
            if item.quantity is None
            else _by_quantity(line, item, digits, position)
        )
        left[item.line] = _emptied(by) if _leaves(line, by) else by
    return tuple(left[line.line] for line in lines)


def is_used_up(line: Line) -> bool:
    """Whether nothing of the line can be returned any more."""
    return line.amount == 0 and line.quantity == 0


def _leaves(before: Line, after: Line) -> bool:
    return after.amount == 0 if before.amount else after.quantity == 0


def _emptied(line: Line) -> Line:
    return line._replace(quantity=0, amount=0)


def _by_amount(line: Line, item: Return, position: int) -> Line:
    amount = item.amount or 0
    if amount > line.amount:
        raise ReturnRefused("exceeds_remaining", position)
    return line._replace(amount=line.amount - amount)


def _by_quantity(line: Line, item: Return, digits: int, position: int) -> Line:
    quantity = item.quantity or 0
    if quantity > line.quantity:
        raise ReturnRefused("exceeds_remaining", position)
    if quantity == line.quantity:
        return _emptied(line)
    unit = RATE // 10**digits
    share = (2 * line.amount * quantity + line.quantity * unit) // (2 * line.quantity * unit) * unit
    return line._replace(quantity=line.quantity - quantity, amount=line.amount - share)
