"""What stored baskets would have earned with a draft in their rules, by the engine, in the order of their instants.

Each basket is decided with the ruleset and the facts it was posted with, the draft put in. A draft adds its
own award and may win or lose against the promotions of its exclusivity group, its rivals; every other award
stays as it was posted. So only draft and rivals are evaluated again, and a basket neither can change is
passed over. What the draft gives fills its caps from the first basket on. A rival's room is what its facts
say, less what it gained or more what it lost by the draft in earlier baskets.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from typing import Any, NamedTuple

from loyalty.engine import Basket, Evaluation, Facts, Promotion, Ruleset, conditions, evaluate
from loyalty.engine.model import Room
from loyalty.engine.numbers import POINT, rounded, scaled
from loyalty.engine.ruleset import Link, Links
from loyalty.promotions.drafts import Draft, put_in, ruleset_of
from loyalty.records import facts_from
from loyalty.replay.reading import Stored


class Outcome(NamedTuple):
    """A basket with the draft: whole points, and the exact points (1/10**12) that the draft gave."""

    points: int
    awarded: int


@dataclass(slots=True)
class Used:
    """Points (1/10**12) and uses; of a rival, what it gave more (or less, below 0) than it was posted with."""

    points: int = 0
    uses: int = 0


@dataclass(slots=True)
class Counters:
    """What was given by scope, bucket, promotion and account (0 for the budget)."""

    used: dict[tuple[Any, ...], Used] = field(default_factory=lambda: defaultdict(Used))

    def add(self, promotion: Promotion, stored: Stored, points: int, uses: int) -> None:
        for scope in promotion.caps:
            if scope != "transaction" and (points or uses):
                used = self.used[_bucket(scope, promotion.code, stored)]
                used.points += points
                used.uses += uses

    def of(self, scope: str, code: str, stored: Stored) -> Used | None:
        return self.used.get(_bucket(scope, code, stored))

    def has(self, promotion: Promotion, stored: Stored) -> bool:
        """Whether anything counts against (or for) a cap of the promotion in this basket."""
        found = (self.of(scope, promotion.code, stored) for scope in promotion.caps)
        return any(used is not None and (used.points or used.uses) for used in found)

    def room(
        self, promotion: Promotion, stored: Stored, begun: Callable[[str], Room]
    ) -> Iterator[tuple[str, Room]]:
        """What is left of each cap; `begun` says by scope what there was without what is counted here."""
        for scope in promotion.caps:
            if scope != "transaction":
                used = self.of(scope, promotion.code, stored) or _NOTHING
                room = begun(scope)
                yield scope, Room(_less(room.points, used.points), _less(room.uses, used.uses))


_NOTHING = Used()


def _less(room: int | None, used: int) -> int | None:
    return None if room is None else max(room - used, 0)


def _bucket(scope: str, code: str, stored: Stored) -> tuple[Any, ...]:
    """What a cap of the scope counts together."""
    day: date = stored.day
    if scope == "budget":
        return (scope, code)
    if scope == "month":
        return (scope, code, stored.account_id, day.year, day.month)
    return (scope, code, stored.account_id, day) if scope == "day" else (scope, code, stored.account_id)


class Plan(NamedTuple):
    """What one stored ruleset asks for: the version that the draft replaces, its rivals, and the rules in which
    only draft and rivals are left."""

    own: Promotion | None
    rivals: tuple[Promotion, ...]
    ruleset: Ruleset

    @property
    def decided(self) -> set[str]:
        return {promotion.code for promotion in self.ruleset.promotions}


@dataclass
class Simulation:
    """Decides baskets one after the other. `ruleset_by_hash` gives the ruleset a basket was posted with."""

    draft: Draft
    ruleset_by_hash: Callable[[str], Ruleset]
    counters: Counters = field(default_factory=Counters)
    plans: dict[str, Plan] = field(default_factory=dict)

    @cached_property
    def promotion(self) -> Promotion:
        """The draft, its segments under names of its own: it asks who was in them by their dated memberships,
        the others by what was known when the basket was posted."""
        compiled = self.draft.compiled()
        links = (Link(_own(x.segment), x.include, x.start, x.end) for x in compiled.links.links)
        return replace(compiled, links=Links(tuple(links)))

    @cached_property
    def segments(self) -> list[str]:
        """Codes of the segments it must know the members of."""
        return sorted({link["segment"] for link in self.draft.links})

    def decide(self, stored: Stored) -> Outcome:
        """What the basket would have earned, after those before it."""
        plan = self.plans.get(stored.ruleset) or self._plan(stored.ruleset)
        facts = self._facts(plan, stored)
        basket = self._if_changing(plan, stored, facts)
        if basket is None:
            return Outcome(stored.points, 0)
        result = evaluate(basket, replace(facts, room=self._room(plan, stored, facts)), plan.ruleset)
        return self._outcome(plan, stored, result)

    def _facts(self, plan: Plan, stored: Stored) -> Facts:
        """As posted, with the draft's segments; of the room only the rivals'."""
        known = stored.decoded_facts()
        room = {x.code: known["room"][x.code] for x in plan.rivals if x.code in known["room"]}
        facts = facts_from({**known, "room": room})
        if stored.segments:
            facts = replace(facts, segments=facts.segments.union(map(_own, stored.segments)))
        return facts

    def _plan(self, hash_: str) -> Plan:
        ruleset = self.ruleset_by_hash(hash_)
        own = next((x for x in ruleset.promotions if x.code == self.promotion.code), None)
        groups = {x.group for x in (own, self.promotion) if x and x.group}
        rivals = tuple(x for x in ruleset.promotions if x.group in groups and x is not own)
        plan = Plan(own, rivals, put_in(ruleset_of(ruleset, rivals), self.promotion))
        self.plans[hash_] = plan
        return plan

    def _if_changing(self, plan: Plan, stored: Stored, facts: Facts) -> Basket | None:
        """The basket where the draft may give something, what it replaces did, or a rival has other room."""
        basket = stored.basket()
        applies = conditions.refusal(self.promotion, basket, facts, plan.ruleset.terms) is None
        if not applies and not self._is_moved(plan, stored):
            return None
        basket = stored.basket(stored.decoded_lines())
        counting = [index for index, line in enumerate(basket.lines) if line.counts]
        if applies and conditions.matching(self.promotion, basket.lines, counting):
            return basket
        return basket if self._is_moved(plan, stored) else None

    def _is_moved(self, plan: Plan, stored: Stored) -> bool:
        """Whether the draft's absence here changes anything too."""
        if plan.own and f'"{plan.own.code}"' in stored.awards:
            return True
        return any(self.counters.has(rival, stored) for rival in plan.rivals)

    def _room(self, plan: Plan, stored: Stored, facts: Facts) -> dict[str, dict[str, Room]]:
        """What is left for the rivals, and for the draft of its whole caps."""
        room = {
            rival.code: dict(self.counters.room(rival, stored, partial(rival.room, facts=facts)))
            for rival in plan.rivals
        }
        whole = self.promotion.caps.__getitem__
        return room | {self.promotion.code: dict(self.counters.room(self.promotion, stored, whole))}

    def _outcome(self, plan: Plan, stored: Stored, result: Evaluation) -> Outcome:
        posted = {code: scaled(x["awarded"], POINT) for code, x in stored.decoded_awards().items()}
        now = {award.promotion: award.awarded for award in result.awards}
        for rival in plan.rivals:
            before, after = posted.get(rival.code, 0), now.get(rival.code, 0)
            self.counters.add(rival, stored, after - before, (after > 0) - (before > 0))
        awarded = now.get(self.promotion.code, 0)
        self.counters.add(self.promotion, stored, awarded, int(awarded > 0))
        untouched = sum(points for code, points in posted.items() if code not in plan.decided)
        return Outcome(rounded(result.exact + untouched, plan.ruleset.terms.rounding), awarded)


def _own(segment: str) -> str:
    """A name that no code can have."""
    return f" {segment}"
