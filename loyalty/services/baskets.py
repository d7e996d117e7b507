"""From what a partner sent to what the engine takes: normalised lines, facts, and the checks that need now."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from config.kernel.errors import FieldError, NotFound, ValidationFailed
from loyalty.apply import Call
from loyalty.engine import Basket, Facts, Ruleset
from loyalty.engine.calendar import birthday_days
from loyalty.engine.model import Room
from loyalty.engine.numbers import LARGEST_POSTING, POINT, scaled
from loyalty.engine.ruleset import MEMBER_SCOPES, Promotion, Terms
from loyalty.errors import CurrencyMismatch, OccurredAtOutOfWindow
from loyalty.gather import BasketContext, Head, Person, Spent, Used
from loyalty.records import LineRow
from loyalty.rulesets import Timeline
from loyalty.standings import Stands
from loyalty.tiers import Progress
from members.errors import MemberNotActive, ProgrammeNotActive

AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class BasketCommand:
    """A basket as a partner sent it, decimals normalised; `reference` is None for a mere evaluation."""

    member: str | None
    occurred_at: datetime
    currency: str
    lines: tuple[LineRow, ...]
    channel: str | None = None
    store: str | None = None
    reference: str | None = None
    evaluation: str | None = None
    enrol_unknown: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """SHA-256 of what makes two receipts the same: all but reference, evaluation and metadata."""
        content = (self.member, self.occurred_at, self.currency, self.channel, self.store, self.lines)
        return hashlib.sha256(msgspec.json.encode(content)).digest()

    def bought(self) -> bytes:
        """SHA-256 of what an evaluation is about: the lines as sent, where and in which currency."""
        content = (self.currency, self.channel, self.store, self.lines)
        return hashlib.sha256(msgspec.json.encode(content)).digest()

    def skus(self) -> Iterable[str]:
        """SKUs whose category or brand the product list must give."""
        return (line.sku for line in self.lines if line.sku and (line.category is None or line.brand is None))

    def resolved(self, products: Mapping[str, tuple[str, str]]) -> list[LineRow]:
        """The lines with category and brand: their own, else the product list's."""
        return [_resolved(line, products) for line in self.lines]


def _resolved(line: LineRow, products: Mapping[str, tuple[str, str]]) -> LineRow:
    category, brand = products.get(line.sku or "", ("", ""))
    return LineRow(
        line.line,
        line.quantity,
        line.amount,
        line.sku,
        line.category or category or None,
        line.brand or brand or None,
        line.points_eligible,
    )


def check_programme(head: Head) -> None:
    """ProgrammeNotActive for a closed programme."""
    if head.status != "active":
        raise ProgrammeNotActive("The programme is closed.")


def check_basket(command: BasketCommand, terms: Terms) -> None:
    """CurrencyMismatch, or ValidationFailed for amounts with more decimals than the currency has."""
    if command.currency != terms.currency:
        raise CurrencyMismatch(f"The programme's currency is {terms.currency}.")
    errors = [
        FieldError(
            f"/lines/{index}/amount", "too_many_decimals", f"{terms.currency} has {terms.digits} decimals."
        )
        for index, line in enumerate(command.lines)
        if len(line.amount.partition(".")[2]) > terms.digits
    ]
    if errors:
        raise ValidationFailed(errors=errors)


def check_window(occurred_at: datetime, head: Head, now: datetime, backdate_days: int | None = None) -> None:
    """OccurredAtOutOfWindow beyond 5 minutes ahead or the backdating limit (imports may raise it)."""
    days = head.backdating_days if backdate_days is None else backdate_days
    if occurred_at > now + AHEAD:
        raise OccurredAtOutOfWindow("occurred_at lies more than 5 minutes ahead.")
    if occurred_at < now - timedelta(days=days):
        raise OccurredAtOutOfWindow(f"occurred_at lies more than {days} days back.")


def check_member(person: Person | None) -> Person:
    """NotFound for an unknown member, MemberNotActive for a closed one."""
    if person is None:
        raise NotFound
    if person.status != "active":
        raise MemberNotActive("The member is not active.")
    return person


def check_not_erased(person: Person | None) -> None:
    """MemberNotActive for a person who was erased: nothing is taken back any more of what they did."""
    if person is not None and person.status == "erased":
        raise MemberNotActive("The person was erased.")


def check_points(points: int) -> int:
    """ValidationFailed when one posting would move more than 2**53 points."""
    if points > LARGEST_POSTING:
        error = FieldError("/lines", "too_many_points", "One posting moves at most 2**53 points.")
        raise ValidationFailed(errors=[error])
    return points


def facts_of(
    person: Person | None,
    context: BasketContext,
    ruleset: Ruleset,
    timeline: Timeline,
    day: date,
    transactions: int,
    call: Call,
    spent: list[Spent],
) -> Facts:
    """The facts of a decision, seeing what earlier baskets of the same call left. None = a guest, of whom
    nothing is known; what others left of a budget counts for a guest too."""
    counters = Counters(person.id if person else 0, day, context.used, spent, call)
    room = {
        promotion.code: left
        for promotion in ruleset.promotions
        if promotion.caps and (left := counters.room(promotion, timeline.promotion_ids[promotion.code]))
    }
    if person is None:
        return Facts(member=False, room=room)
    zone = ruleset.terms.zone
    days = birthday_days(day, person.birth_date, person.birth_date_changes, person.enrolled_at, zone)
    return Facts(True, context.segments, person.tier, transactions == 0, days, room)


def progress_of(stands: Stands | None, timeline: Timeline) -> Progress | None:
    """What is known of a member's tier, where tiers are earned; None elsewhere."""
    return stands.progress(timeline.tiers) if stands and timeline.tiers else None


class Counters:
    """What promotions gave so far: as gathered, plus what this call adds."""

    def __init__(self, account_id: int, day: date, used: list[Used], spent: list[Spent], call: Call) -> None:
        self.day = day
        self.used = {item.promotion_id: item for item in used}
        self.spent = {item.promotion_id: item for item in spent}
        self.added = call.usage.get(account_id, {})
        self.budgets = call.budgets

    def room(self, promotion: Promotion, promotion_id: int) -> dict[str, Room]:
        """What is left of each cap of which something is used (a scope that is missing has it all)."""
        room = {}
        for scope, cap in promotion.caps.items():
            if scope == "transaction":
                continue
            points, uses = (
                self._member(scope, promotion_id) if scope in MEMBER_SCOPES else self._budget(promotion_id)
            )
            if points or uses:
                room[scope] = Room(
                    None if cap.points is None else max(cap.points - points, 0),
                    None if cap.uses is None else max(cap.uses - uses, 0),
                )
        return room

    def _member(self, scope: str, promotion_id: int) -> tuple[int, int]:
        points = uses = 0
        if item := self.used.get(promotion_id):
            gathered = {
                "total": (item.total, item.uses),
                "day": (item.in_day, item.day_uses),
                "month": (item.in_month, item.month_uses),
            }[scope]
            points, uses = scaled(gathered[0], POINT), gathered[1]
        for (added_id, day), (more_points, more_uses) in self.added.items():
            if added_id == promotion_id and self._in_bucket(scope, day):
                points, uses = points + more_points, uses + more_uses
        return points, uses

    def _in_bucket(self, scope: str, day: date) -> bool:
        if scope == "day":
            return day == self.day
        return scope == "total" or (day.year, day.month) == (self.day.year, self.day.month)

    def _budget(self, promotion_id: int) -> tuple[int, int]:
        item = self.spent.get(promotion_id)
        points, uses = (scaled(item.points, POINT), item.uses) if item else (0, 0)
        more = self.budgets.get(promotion_id, (0, 0))
        return points + more[0], uses + more[1]


def engine_basket(command: BasketCommand, lines: list[LineRow]) -> Basket:
    """The engine's basket of resolved lines."""
    return Basket(
        command.occurred_at, command.channel, command.store, tuple(line.compiled() for line in lines)
    )
