"""Exact arithmetic on integers: no float, no rounding before the one at the end.

Three scales: amounts, rates and multipliers count in 1/10,000; quantities in 1/1,000,000; points in
1/10**12, which holds amount x rate x multiplier exactly.
"""

from decimal import Decimal

RATE = 10**4
QUANTITY = 10**6
POINT = 10**12
RATE_TO_POINT = 10**8  # a value in 1/10,000 points, in 1/10**12 points
LARGEST_POSTING = 2**53


def scaled(value: str | int | Decimal, scale: int) -> int:
    """`value` in units of 1/`scale`; ValueError when it has more decimals than the scale holds."""
    product = Decimal(value) * scale
    whole = int(product)
    if whole != product:
        raise ValueError(f"{value} has more decimals than 1/{scale} can hold")
    return whole


def plain(value: int, scale: int, digits: int = 0) -> str:
    """The decimal text of `value`/`scale`, trailing zeros cut down to `digits` decimals."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(value, scale)
    decimals = str(rest).rjust(len(str(scale)) - 1, "0").rstrip("0").ljust(digits, "0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def rounded(exact: int, mode: str) -> int:
    """Whole points of `exact` (1/10**12 points, >= 0) by floor, half_up or ceil."""
    if mode == "half_up":
        return (exact + POINT // 2) // POINT
    if mode == "ceil":
        return -(-exact // POINT)
    return exact // POINT


class Shares:
    """What each line gets, as exact fractions over one common denominator."""

    __slots__ = ("denominator", "numerators")

    def __init__(self, numerators: list[int]) -> None:
        self.numerators = numerators
        self.denominator = 1

    def add(self, total: int, indexes: list[int], weights: list[int]) -> None:
        """Spread `total` over the lines `indexes` in proportion to `weights`, exactly."""
        weight = sum(weights)
        if not total or not weight:
            return
        numerators, old = self.numerators, self.denominator
        if weight == total:
            for index, share in zip(indexes, weights, strict=True):
                numerators[index] += share * old
            return
        for index, numerator in enumerate(numerators):
            numerators[index] = numerator * weight
        for index, share in zip(indexes, weights, strict=True):
            numerators[index] += share * total * old
        self.denominator = old * weight

    def apportion(self, points: int) -> list[int]:
        """`points` over the lines: whole points first, the rest to the largest fractions (tie: earlier)."""
        unit = self.denominator * POINT
        parts = [divmod(numerator, unit) for numerator in self.numerators]
        whole = [part[0] for part in parts]
        rest = points - sum(whole)
        if rest:
            for index in sorted(range(len(parts)), key=lambda i: -parts[i][1])[:rest]:
                whole[index] += 1
        return whole
