"""Returns: what is left of each line of a basket, and of the points of its transaction.

Decisions
- A line that is used up stays in the answer with quantity 0 and amount 0: it no longer counts for the
  engine, and returning it once more is "more than is left" rather than an unknown line.
- A line of quantity 0 returned by quantity is "more than is left"; "whole" is its whole amount, or a
  request without lines.
- A line that has no amount is returned by quantity; any amount of it is more than is left.
- An amount with more digits than the currency has is invalid; so is a line named twice in one request, and
  a request that names no line at all ([]; None means everything).
- Returning everything when nothing is left is "more than is left".
- Lines that earn no points (points_eligible false) are returned like all others.
- Taking a promotion's line away may let what remains evaluate to more than the transaction still has: then
  nothing is posted and it keeps what it had.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any


class TooMuch(Exception):
    """More is returned than is left."""


class Invalid(Exception):
    """The request names a line or a number that cannot be returned at all."""


def return_lines(
    remaining: Sequence[dict[str, Any]], request: Sequence[dict[str, Any]] | None, digits: int
) -> list[dict[str, Any]]:
    """What is left of each line after a return, in basket order; the lines given are not changed.

    `remaining`: basket lines with what is left of `quantity` and `amount`; `request`: lines with either
    `quantity` or `amount`, None for all that is left; `digits`: of the currency. Quantities and amounts are
    answered as plain decimal text. Raises TooMuch or Invalid.
    """
    if request is None:
        if not any(Fraction(line["quantity"]) or Fraction(line["amount"]) for line in remaining):
            raise TooMuch("nothing is left")
        return [left_of(line, Fraction(0), Fraction(0), digits) for line in remaining]
    asked = requested_by_line(remaining, request, digits)
    return [
        return_line(line, *asked[line["line"]], digits) if line["line"] in asked else dict(line)
        for line in remaining
    ]


def requested_by_line(
    remaining: Sequence[dict[str, Any]], request: Sequence[dict[str, Any]], digits: int
) -> dict[str, tuple[str, Fraction]]:
    """By line what is returned: ("quantity" or "amount", how much). Raises Invalid."""
    known = {line["line"] for line in remaining}
    asked = {item["line"]: unit_and_number(item, digits) for item in request}
    if not request or len(asked) < len(request) or not asked.keys() <= known:
        raise Invalid("no line, an unknown line or one line twice")
    return asked


def unit_and_number(item: dict[str, Any], digits: int) -> tuple[str, Fraction]:
    """The unit a line is returned by, and how much of it."""
    units = [unit for unit in ("quantity", "amount") if item.get(unit) is not None]
    if len(units) != 1:
        raise Invalid("either quantity or amount")
    unit, number = units[0], positive(item[units[0]])
    if unit == "amount" and half_up(number, digits) != number:
        raise Invalid("more digits than the currency has")
    return unit, number


def return_line(line: dict[str, Any], unit: str, returned: Fraction, digits: int) -> dict[str, Any]:
    """One line after its return by quantity or by amount."""
    quantity, amount = Fraction(line["quantity"]), Fraction(line["amount"])
    if returned > Fraction(line[unit]):
        raise TooMuch(unit)
    if unit == "amount":
        return left_of(line, quantity, amount - returned, digits)
    all_units = returned == quantity
    returned_amount = amount if all_units else half_up(amount * returned / quantity, digits)
    return left_of(line, quantity - returned, amount - returned_amount, digits)


def left_of(line: dict[str, Any], quantity: Fraction, amount: Fraction, digits: int) -> dict[str, Any]:
    """The line with what is left of it; used up means no amount, or no quantity where it never had one."""
    was_free = Fraction(line["amount"]) == 0
    used_up = quantity == 0 if was_free else amount == 0
    left = (Fraction(0), Fraction(0)) if used_up else (quantity, amount)
    return {**line, "quantity": decimal_text(left[0]), "amount": decimal_text(left[1], digits)}


def positive(text: str) -> Fraction:
    """A number above zero, or Invalid."""
    try:
        number = Fraction(text)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise Invalid(f"{text!r} is no number") from error
    if number <= 0:
        raise Invalid("zero or negative")
    return number


def half_up(number: Fraction, digits: int) -> Fraction:
    """Rounded half up to a number of decimals."""
    return Fraction(floor(number * 10**digits + Fraction(1, 2)), 10**digits)


def decimal_text(number: Fraction, digits: int = 0) -> str:
    """Plain decimal text with at least `digits` decimals, exact."""
    while (number * 10**digits).denominator != 1:
        digits += 1
        if digits > 60:
            raise ValueError(f"{number} has no finite decimal text")
    scaled = str(int(number * 10**digits)).rjust(digits + 1, "0")
    return f"{scaled[:-digits]}.{scaled[-digits:]}" if digits else scaled


def points_left(had: int, evaluated: int) -> int:
    """Points of the transaction after a return: what remains evaluates to, never more than it still had."""
    return min(had, evaluated)
