"""Which points a basket earns: the rules from lines to rounding, in fractions.

The other parts of the rules stand beside it: `conditions` (when a promotion applies), `clock` (activation,
expiry, birthdays) and `returns`.

Decisions
- Room that the facts do not name is the whole cap (so it is for a guest and the caps per member); negative
  room is none. A cap on uses leaves an award whole or takes it away.
- A promotion whose conditions hold applies, also where its award is 0 (a multiplier on free lines, no
  room left). Within an exclusivity group it loses to any larger award; among all zeros the tie rule holds.
- The one that lost in its group is listed with what it wanted and awarded 0, and in `not_applied`; it adds
  nothing to `wanted`.
- Whole units of quantity are counted on each line (0.5 + 0.5 on two lines are no unit).
- A tier that the terms do not know has no share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

from .clock import activates_at, birthday_days, expires_at
from .conditions import counts, fact, in_product_set, nearly_reached, why_not, why_not_lines
from .returns import Invalid, TooMuch, points_left, return_lines

__all__ = [
    "Award",
    "Invalid",
    "Result",
    "TooMuch",
    "activates_at",
    "birthday_days",
    "evaluate",
    "expires_at",
    "points_left",
    "return_lines",
]

Lines = dict[str, Fraction]


@dataclass(frozen=True)
class Award:
    """What a promotion gives a transaction, in exact points, before and after caps and exclusivity."""

    wanted: Fraction
    awarded: Fraction


@dataclass(frozen=True)
class Result:
    """Points of a basket.

    `points`; `wanted` (points without caps); `lines` (whole points of every line); `qualifying` points for
    tiers; `awards` by promotion; `not_applied` (a word why); `nearly` (amount or quantity still missing).
    """

    points: int
    wanted: int
    lines: dict[str, int]
    qualifying: int
    awards: dict[str, Award]
    not_applied: dict[str, str]
    nearly: dict[str, Fraction]


@dataclass(frozen=True)
class Candidate:
    """A promotion whose conditions hold, with its wanted points by line and its award after caps."""

    promotion: dict[str, Any]
    wanted: Lines
    award: Award

    def share(self) -> Lines:
        """The award by line: capped, it shrinks in proportion."""
        if not self.award.wanted:
            return {}
        return {line: points * self.award.awarded / self.award.wanted for line, points in self.wanted.items()}


def evaluate(
    basket: dict[str, Any],
    facts: dict[str, Any],
    terms: dict[str, Any],
    promotions: list[dict[str, Any]],
    links: dict[str, list[dict[str, Any]]],
) -> Result:
    """Points of a basket under the terms and the promotion versions in force; `links` by promotion code."""
    counting = [line for line in basket["lines"] if counts(line)]
    base = {line["line"]: Fraction(terms["earn_rate"]) * Fraction(line["amount"]) for line in counting}
    multiplier = Fraction(terms["tiers"].get(fact(facts, "tier"), 1))
    tier_share = {line: points * (multiplier - 1) for line, points in base.items()}

    candidates: list[Candidate] = []
    not_applied: dict[str, str] = {}
    nearly: dict[str, Fraction] = {}
    for promotion in sorted(promotions, key=order):
        code = promotion["code"]
        matching = [line for line in counting if in_product_set(line, promotion["products"])]
        reason = why_not(promotion, basket, facts, terms, links.get(code, [])) or why_not_lines(
            promotion, matching
        )
        if reason is None:
            candidates.append(candidate(promotion, matching, base, facts))
            continue
        not_applied[code] = reason
        nearly.update(nearly_reached(promotion, matching) if reason.startswith("minimum") else {})

    applied = after_exclusivity(candidates)
    losers = [entry for entry in candidates if entry not in applied]
    exact = added([base, tier_share, *(entry.share() for entry in applied)])
    wanted = added([base, tier_share, *(entry.wanted for entry in applied)])
    qualifying = [entry.share() for entry in applied if entry.promotion["qualifying"]]
    rounded = ROUNDINGS[terms["rounding"]]
    points = rounded(total(exact))
    return Result(
        points=points,
        wanted=rounded(total(wanted)),
        lines=whole_points(points, [line["line"] for line in basket["lines"]], exact),
        qualifying=rounded(total(added([base, tier_share, *qualifying]))),
        awards={entry.promotion["code"]: entry.award for entry in applied}
        | {entry.promotion["code"]: Award(entry.award.wanted, Fraction(0)) for entry in losers},
        not_applied=not_applied | {entry.promotion["code"]: "exclusivity" for entry in losers},
        nearly=nearly,
    )


def order(promotion: dict[str, Any]) -> tuple[int, str]:
    """Promotions run by priority, then by code (code points compared)."""
    return promotion["priority"], promotion["code"]


# Effects, caps, exclusivity


def candidate(
    promotion: dict[str, Any], matching: list[dict[str, Any]], base: Lines, facts: dict[str, Any]
) -> Candidate:
    """What the promotion wants on each line, and its award after caps."""
    wanted = effect(promotion["effect"], matching, base)
    room = facts.get("room", {}).get(promotion["code"], {})
    return Candidate(promotion, wanted, Award(total(wanted), capped(total(wanted), promotion["caps"], room)))


def effect(effect: dict[str, Any], matching: list[dict[str, Any]], base: Lines) -> Lines:
    """Exact points by matching line."""
    value = Fraction(effect["value"])
    amounts = {line["line"]: Fraction(line["amount"]) for line in matching}
    units = {line["line"]: floor(Fraction(line["quantity"])) for line in matching}
    if effect["type"] == "multiplier":
        return {line: base[line] * (value - 1) for line in amounts}
    if effect["type"] == "rate":
        return {line: value * amount for line, amount in amounts.items()}
    if effect["type"] == "per_item":
        return {line: value * whole for line, whole in units.items()}
    if effect["type"] == "fixed" and total(amounts):
        return {line: value * amount / total(amounts) for line, amount in amounts.items()}
    if effect["type"] == "fixed":
        return {line: value / len(amounts) for line in amounts}
    raise ValueError(f"unknown effect {effect['type']}")


def capped(wanted: Fraction, caps: dict[str, Any], room: dict[str, Any]) -> Fraction:
    """The award after caps: points limit it, no use left takes it away."""
    award = wanted
    for scope, units in caps.items():
        for unit, cap in (units or {}).items():
            if cap is None:
                continue
            left = cap if scope == "transaction" else room.get(scope, {}).get(unit, cap)
            if unit == "points":
                award = min(award, max(Fraction(left), Fraction(0)))
            elif Fraction(left) < 1:
                award = Fraction(0)
    return award


def after_exclusivity(candidates: list[Candidate]) -> list[Candidate]:
    """Of each group only the largest award stays (tie: lower priority number, then code)."""
    winners: dict[str, Candidate] = {}
    for entry in sorted(candidates, key=lambda entry: (-entry.award.awarded, *order(entry.promotion))):
        group = entry.promotion["exclusivity_group"]
        if group is not None:
            winners.setdefault(group, entry)
    return [
        entry
        for entry in candidates
        if entry.promotion["exclusivity_group"] is None
        or winners[entry.promotion["exclusivity_group"]] is entry
    ]


# Sums and rounding

ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "floor": floor,
    "half_up": lambda exact: floor(exact + Fraction(1, 2)),
    "ceil": ceil,
}


def total(points: Lines) -> Fraction:
    """Exact sum over lines."""
    return sum(points.values(), Fraction(0))


def added(parts: list[Lines]) -> Lines:
    """Line by line sum of several parts."""
    lines = {line for part in parts for line in part}
    return {line: sum((part.get(line, Fraction(0)) for part in parts), Fraction(0)) for line in lines}


def whole_points(points: int, lines: list[str], exact: Lines) -> dict[str, int]:
    """Points by line: whole points first, the rest to the largest fractions (tie: earlier line)."""
    shares = {line: exact.get(line, Fraction(0)) for line in lines}
    whole = {line: floor(share) for line, share in shares.items()}
    rest = points - sum(whole.values())
    for line in sorted(lines, key=lambda line: whole[line] - shares[line])[:rest]:
        whole[line] += 1
    return whole
