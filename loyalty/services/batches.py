"""Earn, many at a time: each basket an effect in its own right."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from config.kernel.errors import RistourneError, TemporarilyUnavailable
from loyalty.apply import Call, Stale
from loyalty.gather import Gathered
from loyalty.idempotency import BOUND, Answer, Write
from loyalty.services.baskets import BasketCommand
from loyalty.services.desk import Booking, Desk
from loyalty.services.evaluations import gather_baskets
from loyalty.services.transactions import enrolled
from loyalty.services.writes import ATTEMPTS, conclude, known, repeat


def transactions_earn(
    *,
    write: Write,
    commands: Sequence[BasketCommand],
    backdate_days: int | None = None,
    explains: bool = True,
) -> list[Booking | RistourneError]:
    """Book many baskets, each an effect in its own right: a booking or a refusal for each, in their order.

    Baskets of one member run in order. What was overtaken by another request is decided again; what is
    overtaken time after time is TemporarilyUnavailable, and may be sent again like everything else.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = list(range(len(commands)))
    gathered: Gathered | None = None
    for number in range(ATTEMPTS):
        if not waiting:
            break
        batch = Batch(
            write, [commands[index] for index in waiting], backdate_days, explains, gathered=gathered
        )
        repeat(write, batch.attempt, batch.accounts, first=number)
        gathered = batch.gathered
        outcomes |= {
            index: outcome for index, outcome in zip(waiting, batch.outcomes, strict=True) if outcome
        }
        waiting = [index for index in waiting if index not in outcomes]
    return [outcomes.get(index) or TemporarilyUnavailable() for index in range(len(commands))]


Outcome = Booking | RistourneError


@dataclass(slots=True)
class Batch:
    """One round of many baskets; `outcomes` is None for those that were overtaken.

    `gathered` starts as what the round before knew, so that its accounts can be locked.
    """

    write: Write
    commands: Sequence[BasketCommand]
    backdate_days: int | None
    explains: bool
    outcomes: list[Outcome | None] = field(default_factory=list)
    gathered: Gathered | None = None

    def accounts(self) -> list[int]:
        """Accounts to lock once the round was overtaken."""
        contexts = self.gathered.contexts if self.gathered else []
        return [context.holding.person.id for context in contexts if context.holding.person]

    def attempt(self) -> Answer:
        """Gather, decide and post once. Raises Stale when nothing at all was booked."""
        write, commands = self.write, self.commands
        gathered, rules = gather_baskets(write.programme_id, commands, write.now, write.key)
        known(write, gathered.head)
        self.gathered, rules = enrolled(write, commands, gathered, rules)
        desk = Desk(write, self.gathered, rules, Call(write.now), self.backdate_days, self.explains)
        decided = [
            desk.outcome(command, context)
            for command, context in zip(commands, self.gathered.contexts, strict=True)
        ]
        overtaken: frozenset[int] = frozenset()
        try:
            given = conclude(write, desk.call, Answer(BOUND, ""))
        except Stale as error:
            if not error.accounts:
                raise
            overtaken, given = error.accounts, Answer(BOUND, "")
        self.outcomes = [None if _is_overtaken(outcome, overtaken) else outcome for outcome in decided]
        return given


def _is_overtaken(outcome: Outcome, accounts: frozenset[int]) -> bool:
    return isinstance(outcome, Booking) and not outcome.replayed and outcome.row.account_id in accounts
