"""What the API answers about points, from what is stored: the first answer and its repetition are one code."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.engine import Evaluation, Ruleset, evaluate, explain
from loyalty.engine.numbers import POINT, QUANTITY, RATE, plain
from loyalty.ledger import Figures
from loyalty.records import AdjustmentRow, EntryRow, ReversalRow, TransactionRow, facts_from, left

Body = dict[str, Any]


def local(at: datetime | None, zone: ZoneInfo) -> str | None:
    """An instant as RFC 3339 text in the programme's time."""
    return at.astimezone(zone).isoformat() if at else None


def balance(figures: dict[str, int] | Figures, as_of: datetime, zone: ZoneInfo) -> Body:
    """The four figures at an instant."""
    row = figures._asdict() if isinstance(figures, Figures) else figures
    return {**{name: row[name] for name in Figures._fields}, "as_of": local(as_of, zone)}


def ordered(metadata: Body) -> Body:
    """Metadata by name: PostgreSQL keeps no order, and an answer is the same each time."""
    return dict(sorted(metadata.items()))


def receipt(entry: EntryRow | None) -> Body | None:
    """The entry's place in the account's hash chain; None where nothing was entered."""
    if entry is None:
        return None
    return {"seq": entry.seq, "hash": _digest(entry.hash), "prev": _digest(entry.prev_hash)}


def _digest(text: str) -> str:
    return "sha256:" + text[2:]


def entries_shown(account_id: int, entry: EntryRow | None, **more: Any) -> list[Body]:
    """The entry of a booking, if it made one."""
    if entry is None:
        return []
    return [{"id": f"{account_id}-{entry.seq}", "kind": entry.kind, "points": entry.points, **more}]


def evaluation(
    token: str, found: Evaluation, explanation: Body, lines: list[str], ruleset: Ruleset, dates: Body
) -> Body:
    """The answer to a basket evaluation; `dates` holds activates_at and expires_at."""
    return {
        "evaluation": token,
        "points": found.points,
        "wanted": found.wanted,
        **dates,
        "lines": [
            {"line": line, "points": points} for line, points in zip(lines, found.line_points, strict=True)
        ],
        **explanation,
        "ruleset": ruleset.hash,
    }


def explained(row: TransactionRow, ruleset: Ruleset) -> Body:
    """Trace, not_applied and nearly of a transaction, computed again from what is stored with it."""
    basket, facts = row.basket(), facts_from(row.facts)
    return explain(basket, facts, ruleset, evaluate(basket, facts, ruleset))


def earned(
    row: TransactionRow, entry: EntryRow | None, ruleset: Ruleset, explanation: Body | None = None
) -> Body:
    """The answer to an earn, as it was the first time. `explanation` saves computing it again."""
    zone = ruleset.terms.zone
    dates = {"activates_at": local(row.activates_at, zone), "expires_at": local(row.expires_at, zone)}
    return {
        "reference": row.reference,
        "status": "posted",
        "points": row.points,
        "wanted": row.wanted,
        "lines": [
            {"line": line.line, "points": points}
            for line, points in zip(row.lines, row.line_points, strict=True)
        ],
        **(explanation or explained(row, ruleset)),
        "ruleset": row.ruleset,
        "entries": entries_shown(row.account_id, entry, **dates),
        "balance": balance(row.balance, row.recorded_at, zone),
        "receipt": receipt(entry),
        "metadata": ordered(row.metadata),
    }


def transaction(
    row: TransactionRow, entry: EntryRow | None, member: str, ruleset: Ruleset, reversals: list[ReversalRow]
) -> Body:
    """A transaction as it is now: the first answer, the basket, what is left and its returns."""
    zone = ruleset.terms.zone
    body = earned(row, entry, ruleset)
    del body["balance"]
    points = {item["line"]: item["points"] for item in body["lines"]}
    remaining = {line.line: line for line in row.remaining()}
    return {
        **body,
        "status": row.status,
        "member": member,
        "occurred_at": local(row.occurred_at, zone),
        "recorded_at": local(row.recorded_at, zone),
        "channel": row.channel or None,
        "store": row.store or None,
        "currency": ruleset.terms.currency,
        "remaining_points": row.remaining_points,
        "lines": [
            {
                "line": line.line,
                "sku": line.sku,
                "category": line.category,
                "brand": line.brand,
                "quantity": line.quantity,
                "amount": line.amount,
                "points_eligible": line.points_eligible,
                "points": points[line.line],
                "remaining": {
                    "quantity": plain(remaining[line.line].quantity, QUANTITY),
                    "amount": plain(remaining[line.line].amount, RATE, ruleset.terms.digits),
                },
            }
            for line in row.lines
        ],
        "reversals": [
            {
                "reference": item.reference,
                "recorded_at": local(item.recorded_at, zone),
                "reason": item.reason,
                "points": item.points,
                "remaining_points": item.remaining_points,
            }
            for item in reversals
        ],
    }


def reversed_(row: ReversalRow, original: TransactionRow, entry: EntryRow | None, ruleset: Ruleset) -> Body:
    """The answer to a reversal, as it was the first time, with the trace of what remained."""
    zone = ruleset.terms.zone
    basket, facts = original.basket(), facts_from(original.facts)
    basket = basket._replace(lines=left(basket.lines, row.remaining_lines))
    remaining = evaluate(basket, facts, ruleset)
    return {
        "reference": row.reference,
        "transaction": original.reference,
        "points": row.points,
        "original_points": original.points,
        "remaining_points": row.remaining_points,
        "taken_from": row.taken_from,
        "caps_released": row.caps_released,
        "transaction_status": row.transaction_status,
        "entries": entries_shown(row.account_id, entry),
        "balance": balance(row.balance, row.recorded_at, zone),
        "receipt": receipt(entry),
        "trace": explain(basket, facts, ruleset, remaining)["trace"],
        "reason": row.reason,
        "metadata": ordered(row.metadata),
    }


def adjusted(row: AdjustmentRow, entry: EntryRow | None, member: str, zone: ZoneInfo) -> Body:
    """An adjustment: posted, waiting for a second person, or refused by one."""
    dates = {"activates_at": local(row.activates_at, zone), "expires_at": local(row.expires_at, zone)}
    return {
        "reference": row.reference,
        "member": member,
        "status": row.status,
        "points": row.points,
        "reason": row.reason,
        "recorded_at": local(row.recorded_at, zone),
        "entries": entries_shown(row.account_id, entry, **(dates if row.points > 0 else {})),
        "balance": balance(row.balance, row.posted_at or row.recorded_at, zone) if row.balance else None,
        "receipt": receipt(entry),
        "metadata": ordered(row.metadata),
    }


def caps_released(before: dict[str, int], after: dict[str, int]) -> list[dict[str, str]]:
    """Exact points that go back to each promotion's caps."""
    return [
        {"promotion": code, "points": plain(points - after[code], POINT)}
        for code, points in before.items()
        if points != after[code]
    ]
