"""Try it: one basket with and without a draft, by the same engine and from the same facts. Nothing is written."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from config.kernel.errors import NotFound
from config.kernel.sql import rows
from loyalty import gather
from loyalty.apply import Call
from loyalty.engine import Basket, Facts, Ruleset, calendar, conditions, evaluate, explain
from loyalty.gather import Ask, BasketContext, Spent, TierAsk
from loyalty.models import PromotionBudget, PromotionUsage, RulesHead
from loyalty.promotions.drafts import Draft, put_in
from loyalty.promotions.lint_facts import RECEIPTS
from loyalty.records import TransactionRow, facts_from
from loyalty.rulesets import Timeline, timeline
from loyalty.services.baskets import (
    BasketCommand,
    check_basket,
    check_member,
    engine_basket,
    facts_of,
    progress_of,
)
from members.models import Programme

SUGGESTED = 8

_RECEIPTS = """
SELECT row_to_json(t)::text, (SELECT m.number FROM members_member m WHERE m.id = t.account_id)
FROM loyalty_transaction t WHERE t.programme_id = %(programme)s AND t.reference = %(word)s
UNION ALL (
SELECT row_to_json(t)::text, m.number FROM members_member m JOIN loyalty_transaction t ON t.account_id = m.id
WHERE m.programme_id = %(programme)s AND m.number = %(word)s AND t.programme_id = %(programme)s
ORDER BY t.occurred_at DESC LIMIT %(limit)s)
"""
_LATEST = """
SELECT row_to_json(t)::text, (SELECT m.number FROM members_member m WHERE m.id = t.account_id)
FROM (SELECT * FROM loyalty_transaction WHERE programme_id = %(programme)s ORDER BY id DESC LIMIT %(limit)s) t
ORDER BY t.id DESC
"""
_transaction = msgspec.json.Decoder(TransactionRow)


@dataclass(frozen=True, slots=True)
class Side:
    """One evaluation: points in all and by line, and its explanation."""

    points: int
    line_points: tuple[int, ...]
    trace: list[dict[str, Any]]
    not_applied: list[dict[str, Any]]
    nearly: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Trial:
    """A basket without and with the draft; `reference` is that of a receipt, None for a typed basket."""

    code: str
    reference: str | None
    member: str | None
    occurred_at: datetime
    without: Side
    with_draft: Side

    @property
    def difference(self) -> int:
        """Points more (or fewer) by the draft."""
        return self.with_draft.points - self.without.points


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored basket to choose."""

    reference: str
    member: str
    occurred_at: datetime
    points: int
    skus: tuple[str, ...]


def receipts_found(programme: Programme, word: str) -> list[Receipt]:
    """The receipt with this reference, or the member's last ones."""
    params = {"programme": programme.pk, "word": word, "limit": SUGGESTED}
    return [_receipt(_transaction.decode(row), member) for row, member in rows(_RECEIPTS, params)]


def receipts_suggested(programme: Programme, draft: Draft) -> list[Receipt]:
    """The last receipts with a line that the draft is about."""
    promotion, found = draft.compiled(), list[Receipt]()
    for text, member in rows(_LATEST, {"programme": programme.pk, "limit": RECEIPTS}):
        row = _transaction.decode(text)
        lines = row.basket().lines
        counting = [index for index, line in enumerate(lines) if line.counts]
        if conditions.matching(promotion, lines, counting):
            found.append(_receipt(row, member))
        if len(found) == SUGGESTED:
            break
    return found


def _receipt(row: TransactionRow, member: str) -> Receipt:
    skus = tuple(dict.fromkeys(line.sku or line.category or line.line for line in row.lines))
    return Receipt(row.reference, member, row.occurred_at, row.points, skus)


def receipt_try(programme: Programme, draft: Draft, reference: str, version: int, now: datetime) -> Trial:
    """A stored receipt under the rules of its own time, with the facts it was decided from; the draft as if it
    had run then, whatever its window, and nothing of its caps were used. `version` is the programme's rules
    version. NotFound."""
    params = {"programme": programme.pk, "word": reference, "limit": 0}
    found = rows(_RECEIPTS, params)
    if not found:
        raise NotFound
    row, member = _transaction.decode(found[0][0]), found[0][1]
    ruleset = timeline(programme.pk, version).at(row.occurred_at)
    with_draft = put_in(ruleset, draft.throughout(now).compiled())
    basket, facts = row.basket(), facts_from(row.facts)
    room = {code: left for code, left in facts.room.items() if code != draft.code}
    sides = _side(basket, facts, ruleset), _side(basket, replace(facts, room=room), with_draft)
    return Trial(draft.code, row.reference, member, row.occurred_at, *sides)


def basket_try(programme: Programme, draft: Draft, command: BasketCommand, now: datetime) -> Trial:
    """A typed basket under the rules of its time, as the earn would see it after publishing the draft.

    NotFound for an unknown member, MemberNotActive, CurrencyMismatch, ValidationFailed, ProgrammeNotActive.
    """
    zone = ZoneInfo(programme.time_zone)
    day = calendar.local_day(command.occurred_at, zone)
    head = RulesHead.objects.filter(programme=programme).values_list("version", flat=True).first() or 0
    rules = timeline(programme.pk, head)
    asks = [Ask(command.member, None, command.occurred_at, day)]
    found = gather.baskets(
        programme_id=programme.pk,
        asks=asks,
        skus=sorted(set(command.skus())),
        now=now,
        tiers=TierAsk.of(rules.tiers, now),
    )
    ruleset, context = rules.at(command.occurred_at), found.contexts[0]
    check_basket(command, ruleset.terms)
    if command.member is not None:
        check_member(context.holding.person)
    basket = engine_basket(command, command.resolved(found.products))
    spent = [*found.spent, *_spent_before(rules, draft, found.spent)]
    with_draft = put_in(ruleset, draft.compiled())
    # A promotion that was never published has all the room under its caps, and no counters to look at.
    known = with_draft if draft.code in rules.promotion_ids else ruleset
    facts = _facts(context, ruleset, rules, command.occurred_at, spent, now)
    facts_then = _facts(context, known, rules, command.occurred_at, spent, now)
    sides = _side(basket, facts, ruleset), _side(basket, facts_then, with_draft)
    return Trial(draft.code, None, command.member, command.occurred_at, *sides)


def _facts(
    context: BasketContext, ruleset: Ruleset, rules: Timeline, at: datetime, spent: list[Spent], now: datetime
) -> Facts:
    account = context.holding.account
    transactions = account.transactions if account else 0
    day = calendar.local_day(at, ruleset.terms.zone)
    person = context.holding.person
    if person and (progress := progress_of(context.stands, rules)):
        person = replace(person, tier=progress.at(now).tier)
    return facts_of(person, context, ruleset, rules, day, transactions, Call(now), spent)


def _spent_before(rules: Timeline, draft: Draft, spent: list[Spent]) -> list[Spent]:
    """What a promotion that gets its first budget has given so far: publishing counts that as spent."""
    id_ = rules.promotion_ids.get(draft.code)
    if id_ is None or "budget" not in draft.rule.caps or any(x.promotion_id == id_ for x in spent):
        return []
    if PromotionBudget.objects.filter(pk=id_).exists():
        return []
    usage = PromotionUsage.objects.filter(promotion_id=id_).values_list("points", "uses")
    points, uses = zip(*usage, strict=True) if usage else ((), ())
    return [Spent(id_, f"{sum(points):f}", sum(uses))]


def _side(basket: Basket, facts: Facts, ruleset: Ruleset) -> Side:
    result = evaluate(basket, facts, ruleset)
    return Side(result.points, result.line_points, **explain(basket, facts, ruleset, result))
