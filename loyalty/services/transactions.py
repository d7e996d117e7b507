"""Earn: from a basket to a booked transaction, exactly once by reference."""

from collections.abc import Sequence

from config.kernel.errors import RistourneError, TemporarilyUnavailable
from loyalty.apply import Call
from loyalty.gather import BasketContext, Gathered
from loyalty.idempotency import Answer, Write
from loyalty.rulesets import Timeline
from loyalty.services.baskets import (
    BasketCommand,
    check_basket,
    check_window,
)
from loyalty.services.desk import Desk, repeated
from loyalty.services.evaluations import gather_baskets
from loyalty.services.writes import answer, conclude, is_final, known, refused, repeat
from members.models import Programme
from members.services import member_enrol


def transaction_earn(*, write: Write, command: BasketCommand) -> Answer:
    """Book one basket: 201 with the points and why, 200 for a repetition, or the refusal.

    Final refusals are kept under the key and returned as answers; all other errors are raised.
    """
    accounts: list[int] = []

    def attempt() -> Answer:
        gathered, rules = gather_baskets(write.programme_id, [command], write.now, write.key)
        first = known(write, gathered.head)
        if first:
            return first if first.body else again(first, command, gathered.contexts[0], write.programme_id)
        gathered, rules = enrolled(write, [command], gathered, rules)
        context = gathered.contexts[0]
        accounts[:] = [context.holding.person.id] if context.holding.person else []
        desk = Desk(write, gathered, rules, Call(write.now))
        try:
            booking = desk.decide(command, context)
        except RistourneError as error:
            if write.key and is_final(error):
                return conclude(write, Call(write.now), refused(write, error), holding=context.holding)
            raise
        given = answer(200 if booking.replayed else 201, booking.body(), replayed=booking.replayed)
        return conclude(write, desk.call, given, holding=context.holding, keeps_body=False)

    return repeat(write, attempt, lambda: accounts)


def again(first: Answer, command: BasketCommand, context: BasketContext, programme_id: int) -> Answer:
    """The first answer under a key, made again of the transaction, which keeps all it is made of."""
    if context.booked is None:
        raise TemporarilyUnavailable
    booking = repeated(command, context.booked, programme_id)
    return answer(first.status, booking.body(), replayed=True)


def enrolled(
    write: Write, commands: Sequence[BasketCommand], gathered: Gathered, rules: Timeline
) -> tuple[Gathered, Timeline]:
    """Enrol unknown members where command and programme allow it, and gather again."""
    head = gathered.head
    missing = [
        command
        for command, context in zip(commands, gathered.contexts, strict=True)
        if command.enrol_unknown and context.holding.person is None and context.booked is None
    ]
    if not missing or head.on_unknown_member != "enrol" or head.status != "active":
        return gathered, rules
    programme = Programme.objects.get(pk=write.programme_id)
    for command in missing:
        try:
            check_basket(command, rules.at(command.occurred_at).terms)
            check_window(command.occurred_at, head, write.now)
        except RistourneError:
            continue
        member_enrol(programme=programme, number=command.member or "", now=write.now)
    return gather_baskets(write.programme_id, commands, write.now, write.key)
