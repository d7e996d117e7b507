"""Gathering under the rules in force: what is asked depends on them, and which they are is read in the same query."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol, TypeVar

from loyalty.gather.columns import Head
from loyalty.rulesets import Timeline, latest, timeline


class Headed(Protocol):
    """What a gather answers that read the head of the rules."""

    @property
    def head(self) -> Head: ...


Found = TypeVar("Found", bound=Headed)


def under_rules(programme_id: int, ask: Callable[[Timeline | None], Found]) -> tuple[Found, Timeline]:
    """What `ask` gathers and the rules in force: one query by the rules this process knows (None at first), and
    another one where they have changed."""
    known = latest(programme_id)
    while True:
        found = ask(known)
        if known is not None and known.version == found.head.rules_version:
            return found, known
        known = timeline(programme_id, found.head.rules_version)


def day_under(known: Timeline | None, at: datetime) -> date:
    """The programme's day of an instant, by which limits are counted; its zone never changes once used."""
    return at.astimezone(known.zone if known else None).date()
