"""Which promotions are for a member now, by the engine's own conditions."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loyalty.apply import Call
from loyalty.engine import Facts, Promotion, calendar, conditions
from loyalty.engine.explain import because_of
from loyalty.engine.numbers import POINT, RATE, plain
from loyalty.rulesets import Part, Timeline
from loyalty.selectors.snapshot import Snapshot
from loyalty.services.baskets import facts_of
from members.errors import ProgrammeNotActive

_USED_UP = ("total", "budget")
"""Caps that no later day fills again."""


@dataclass(frozen=True, slots=True)
class MemberOffer:
    """A promotion that lets the member in. `because` is ["everyone"] or what about the member does it;
    `ends_at` when it ends for them; `cap_left` points (exact, decimal text) and uses by scope; `products` the
    stored product set, sorted, None = every product; `rule` the stored rule, for what it asks of a basket.
    `segments` and `tier` are those of the member."""

    promotion: str
    priority: int
    effect: dict[str, str]
    because: list[str]
    ends_at: datetime | None
    cap_left: dict[str, dict[str, Any]]
    products: Part | None
    rule: Part
    currency: str
    segments: frozenset[str]
    tier: str


def member_offers(member: Snapshot) -> list[MemberOffer]:
    """The promotions a member can get something from now, in order of priority and code.

    Weekday, hours, channel, store and minima are the basket's and are not asked. Who closed their membership,
    and a programme without rules, has none.
    """
    now, rules, found, context = member.now, member.rules, member.found, member.context
    person = member.person
    try:
        ruleset = rules.at(now)
    except ProgrammeNotActive:
        return []
    if person.status != "active" or found.head.status != "active":
        return []
    account, day = context.holding.account, calendar.local_day(now, ruleset.terms.zone)
    transactions = account.transactions if account else 0
    if progress := member.progress:
        person = replace(person, tier=progress.tier)
    facts = facts_of(person, context, ruleset, rules, day, transactions, Call(now), found.spent)
    stored, currency = _stored_rules(rules, now), ruleset.terms.currency
    return [
        _offer(promotion, facts, stored[promotion.code], currency, now)
        for promotion in ruleset.promotions
        if conditions.member_refusal(promotion, now, facts, ruleset.terms) is None
        and not _used_up(promotion, facts)
    ]


def _stored_rules(rules: Timeline, now: datetime) -> Mapping[str, tuple[Part, Part | None]]:
    """Each promotion in force with its product set, as stored."""
    bodies = (rules.bodies[hash_] for hash_ in rules.parts[bisect_right(rules.cuts, now)])
    return {
        body["code"]: (body, rules.bodies[body["products"]] if body["products"] else None)
        for body in bodies
        if body["kind"] == "promotion"
    }


def _offer(
    promotion: Promotion, facts: Facts, stored: tuple[Part, Part | None], currency: str, now: datetime
) -> MemberOffer:
    return MemberOffer(
        promotion=promotion.code,
        priority=promotion.priority,
        effect={"type": promotion.effect, "value": plain(promotion.value, RATE)},
        because=because_of(promotion, now, facts) or ["everyone"],
        ends_at=_ends_at(promotion, facts, now),
        cap_left=dict(_left(promotion, facts)),
        products=stored[1],
        rule=stored[0],
        currency=currency,
        segments=facts.segments,
        tier=facts.tier or "",
    )


def _ends_at(promotion: Promotion, facts: Facts, now: datetime) -> datetime | None:
    """The end of its window, or of the last of the links that let the member in, if that is sooner."""
    running = [
        link
        for link in promotion.links.links
        if link.include and link.segment in facts.segments and link.holds(now)
    ]
    ends = [link.end for link in running if link.end is not None]
    through_links = max(ends) if ends and len(ends) == len(running) else None
    return min((at for at in (promotion.end, through_links) if at is not None), default=None)


def _left(promotion: Promotion, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is left of the caps; the budget of all members is nobody's business but the programme's."""
    for scope in promotion.caps:
        if scope != "budget":
            room = promotion.room(scope, facts)
            points = {} if room.points is None else {"points": plain(room.points, POINT)}
            yield scope, points if room.uses is None else {**points, "uses": room.uses}


def _used_up(promotion: Promotion, facts: Facts) -> bool:
    rooms = (promotion.room(scope, facts) for scope in _USED_UP if scope in promotion.caps)
    return any(room.points == 0 or room.uses == 0 for room in rooms)
