"""A member as she is at one instant, read in one query, for all that a page or an answer asks about her."""

from dataclasses import dataclass
from datetime import datetime

from config.kernel.errors import NotFound
from loyalty.gather import BasketContext, Gathered, Holding, Person
from loyalty.rulesets import Timeline
from loyalty.services.baskets import BasketCommand, progress_of
from loyalty.services.evaluations import gather_baskets
from loyalty.tiers import Progress


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Account with open lots, segments, tier and use of caps of a member at `now`, and the rules then in force."""

    programme_id: int
    now: datetime
    person: Person
    found: Gathered
    rules: Timeline

    @property
    def context(self) -> BasketContext:
        return self.found.contexts[0]

    @property
    def holding(self) -> Holding:
        return self.context.holding

    @property
    def segments(self) -> frozenset[str]:
        """Codes of the segments she is in."""
        return self.context.segments

    @property
    def progress(self) -> Progress | None:
        """Her tier and the way to the next one, settled; None in a programme without tier rules."""
        known = progress_of(self.context.stands, self.rules)
        return known.at(self.now) if known else None


def snapshot_of(programme_id: int, number: str, now: datetime) -> Snapshot:
    """A member by number. NotFound. One query while the rules stay."""
    found, rules = gather_baskets(programme_id, [BasketCommand(number, now, "", ())], now, all_lots=True)
    person = found.contexts[0].holding.person
    if person is None:
        raise NotFound
    return Snapshot(programme_id, now, person, found, rules)
