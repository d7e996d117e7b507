"""Ask what a basket would earn; nothing is written. The answer carries a signed token of what was promised."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing

from loyalty import answers, gather
from loyalty.apply import Call
from loyalty.engine import Ruleset, calendar, evaluate, explain
from loyalty.errors import EvaluationStale
from loyalty.gather import Ask, Gathered, TierAsk
from loyalty.idempotency import Key
from loyalty.rulesets import Timeline
from loyalty.services.baskets import (
    BasketCommand,
    check_basket,
    check_member,
    check_points,
    check_programme,
    check_window,
    engine_basket,
    facts_of,
    progress_of,
)

LIFETIME_SECONDS = 15 * 60
_SALT = "basket-evaluation"


def gather_baskets(
    programme_id: int,
    commands: Sequence[BasketCommand],
    now: datetime,
    key: Key | None = None,
    *,
    all_lots: bool = False,
) -> tuple[Gathered, Timeline]:
    """Everything about the baskets and the rules in force, in one query unless the rules changed."""
    return gather.under_rules(
        programme_id,
        lambda known: gather.baskets(
            programme_id=programme_id,
            asks=[
                Ask(x.member, x.reference, x.occurred_at, gather.day_under(known, x.occurred_at))
                for x in commands
            ],
            skus=sorted({sku for command in commands for sku in command.skus()}),
            now=now,
            key=key,
            capped=known is not None and known.is_capped,
            budgeted=known is not None and known.is_budgeted,
            tiers=TierAsk.of(known.tiers if known else None, now),
            all_lots=all_lots,
        ),
    )


def basket_evaluate(
    *, programme_id: int, partner_id: int, command: BasketCommand, now: datetime
) -> dict[str, Any]:
    """The points `command` would earn, with trace and token. Raises what the earn would raise."""
    found, rules = gather_baskets(programme_id, [command], now)
    context = found.contexts[0]
    check_programme(found.head)
    ruleset = rules.at(command.occurred_at)
    check_basket(command, ruleset.terms)
    check_window(command.occurred_at, found.head, now)
    enrolling = command.enrol_unknown and found.head.on_unknown_member == "enrol"
    person = context.holding.person
    if command.member is not None and not (person is None and enrolling):
        check_member(person)
    basket = engine_basket(command, command.resolved(found.products))
    account = context.holding.account
    day = calendar.local_day(command.occurred_at, ruleset.terms.zone)
    transactions = account.transactions if account else 0
    if person and (progress := progress_of(context.stands, rules)):
        person = replace(person, tier=progress.at(now).tier)
    facts = facts_of(person, context, ruleset, rules, day, transactions, Call(now), found.spent)
    if person is None and command.member is not None:
        facts = replace(facts, member=True, first=True)
    result = evaluate(basket, facts, ruleset)
    check_points(result.points)
    token = promise(programme_id, partner_id, command, ruleset, result.points)
    explanation = explain(basket, facts, ruleset, result)
    dates = points_dates(command.occurred_at, now, ruleset)
    return answers.evaluation(
        token,
        result,
        explanation,
        [line.line for line in command.lines],
        ruleset,
        {
            name: answers.local(at, ruleset.terms.zone)
            for name, at in zip(("activates_at", "expires_at"), dates, strict=True)
        },
    )


def points_dates(occurred_at: datetime, now: datetime, ruleset: Ruleset) -> tuple[datetime, datetime | None]:
    """When points of a basket activate and expire."""
    terms = ruleset.terms
    active = calendar.activates_at(occurred_at, now, terms.zone, terms.delay_days)
    return active, calendar.expires_at(active, terms.zone, terms.lifetime)


def promise(programme_id: int, partner_id: int, command: BasketCommand, ruleset: Ruleset, points: int) -> str:
    """The signed token of an evaluation: programme, client, member, basket, ruleset and points."""
    basket = base64.b64encode(command.bought()).decode()
    content = [programme_id, partner_id, command.member, basket, ruleset.hash, points]
    return signing.dumps(content, key=settings.EVALUATION_KEY, salt=_SALT, compress=True)


def check_promise(
    token: str, programme_id: int, partner_id: int | None, command: BasketCommand, points: int
) -> None:
    """EvaluationStale unless the token was given to this client for this basket less than 15 minutes ago
    and promised the same points."""
    try:
        content = signing.loads(token, key=settings.EVALUATION_KEY, salt=_SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature as error:
        raise EvaluationStale("The evaluation is expired or was not given by us.", difference={}) from error
    basket = base64.b64encode(command.bought()).decode()
    if content[:4] != [programme_id, partner_id, command.member, basket]:
        raise EvaluationStale("The evaluation was given for another basket, member or client.", difference={})
    if content[5] != points:
        difference = {"points": {"evaluated": content[5], "now": points}}
        raise EvaluationStale("The basket would now earn other points.", difference=difference)
