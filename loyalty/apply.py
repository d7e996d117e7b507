"""Post: one round trip that books what was decided, or says which accounts moved meanwhile.

`Call` collects rows; `send` hands them to the SQL function `loyalty_apply` (migrations/0002_apply.sql),
the only writer of points.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
from django.db import IntegrityError, OperationalError
from uuid_utils.compat import uuid7

from config.kernel.sql import hex_text, rows
from loyalty.engine.model import Room
from loyalty.engine.numbers import POINT, RATE, plain
from loyalty.ledger import Account, Posting

Row = Mapping[str, Any]


class Stale(Exception):
    """What the decision was computed from is no longer true: gather and decide again.

    `accounts` are the ids that moved; empty when the whole call was rolled back or the key was taken.
    """

    def __init__(self, accounts: frozenset[int] = frozenset()) -> None:
        super().__init__("stale")
        self.accounts = accounts


class Activity(msgspec.Struct):
    """What one posting adds to a member's day; `spend` in 1/10,000 of the currency unit."""

    transactions: int = 0
    spend: int = 0
    earned: int = 0
    burned: int = 0
    qualifying: int = 0


@dataclass(slots=True)
class Call:
    """Rows of one call of `loyalty_apply`; postings of one account in their order, each on top of the last.

    `function` is what books them: an app above has one that calls `loyalty_apply` and books rows of its own in
    the same database transaction. `result` is what it answered.
    """

    now: datetime
    key: Row | None = None
    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, list[Any]] = field(default_factory=dict)
    usage: dict[int, dict[tuple[int, date], tuple[int, int]]] = field(default_factory=dict)
    budgets: dict[int, tuple[int, int]] = field(default_factory=dict)
    activity: dict[tuple[int, date], tuple[int, Activity]] = field(default_factory=dict)
    function: str = "loyalty_apply"
    result: dict[str, Any] = field(default_factory=dict)
    lot_rows: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    changed: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    standings: dict[int, Row] = field(default_factory=dict)

    def add(self, table: str, row: Any) -> None:
        """A row of transactions, reversals, adjustments, their `_changes`, tier_changes, budgets or outbox."""
        self.tables.setdefault(table, []).append(row)

    def post(self, posting: Posting) -> None:
        """Everything a Posting changes: account, entries, lots, draws."""
        account = posting.account
        first = self.accounts.get(account.id)
        self.accounts[account.id] = _account_row(account, first["expected"] if first else posting.expected)
        common = {"programme_id": account.programme_id, "account_id": account.id}
        for entry in posting.entries:
            row = {
                **common,
                **entry._asdict(),
                **entry.figures._asdict(),
                "balance_after": entry.figures.balance,
            }
            del row["figures"]
            row |= {x: hex_text(row[x]) for x in ("commitment", "prev_hash", "hash")}
            self.add("entries", row)
            if entry.kind == "expiry":
                self.tell(account, "points.expired", {"points": -entry.points, "entry": entry.seq})
        for draw in posting.draws:
            self.add("draws", {**common, **draw._asdict(), "recorded_at": posting.now})
        for lot in posting.opened:
            self.lot_rows[account.id, lot.seq] = {
                **common,
                "seq": lot.seq,
                "points": lot.points,
                "remaining": lot.remaining,
                "expired": lot.expired,
                "activates_at": lot.activates_at,
                "expires_at": lot.expires_at,
            }
        for seq, lot in posting.touched.items():
            known = self.lot_rows.get((account.id, seq))
            row = known or self.changed.setdefault((account.id, seq), {**common, "seq": seq})
            row |= {"remaining": lot.remaining, "expired": lot.expired, "expires_at": lot.expires_at}
        for hold in posting.held:
            self.add("holds", {**common, **hold._asdict(), "status": "open", "recorded_at": posting.now})
        for hold, status in posting.ended:
            self.add("hold_changes", {**common, "id": hold.id, "status": status, "ended_at": posting.now})

    def expect(self, account: Account) -> None:
        """Book nothing on the account, but only if it still is at this version."""
        self.accounts[account.id] = _account_row(account, account.version)

    def touch(self, account: Account) -> None:
        """Move the account's version without a posting: what else is booked counts on nothing having moved."""
        self.accounts[account.id] = {**_account_row(account, account.version), "version": account.version + 1}

    def use(self, account: Account, promotion_id: int, day: date, points: int, uses: int) -> None:
        """Count what a promotion gave (or, negative, got back): exact points and uses on a programme day."""
        counted = self.usage.setdefault(account.id, {})
        before = counted.get((promotion_id, day), (0, 0))
        counted[promotion_id, day] = (before[0] + points, before[1] + uses)

    def spend(self, account: Account, promotion_id: int, points: int, uses: int, limit: Room) -> None:
        """Count against a promotion's budget over all members; `limit` is the budget it counts on."""
        before = self.budgets.get(promotion_id, (0, 0))
        self.budgets[promotion_id] = (before[0] + points, before[1] + uses)
        row = {
            "promotion_id": promotion_id,
            "account_id": account.id,
            "points": plain(points, POINT),
            "uses": uses,
        }
        limits = {"points_limit": limit.points and plain(limit.points, POINT), "uses_limit": limit.uses}
        self.add("budgets", row | limits)

    def live(self, account: Account, day: date, change: Activity) -> None:
        """Add to the member's activity of a programme day."""
        _, total = self.activity.setdefault((account.id, day), (account.programme_id, Activity()))
        total.transactions += change.transactions
        total.spend += change.spend
        total.earned += change.earned
        total.burned += change.burned
        total.qualifying += change.qualifying

    def tell(self, account: Account, kind: str, body: Row) -> None:
        """News for the outbox; the body holds no personal data."""
        row = {"id": uuid7(), "programme_id": account.programme_id, "member_id": account.id, "type": kind}
        self.add("outbox", {**row, "body": body, "recorded_at": self.now})

    def json(self) -> str:
        """The argument of `loyalty_apply`; tables without rows are left out."""
        tables: dict[str, Any] = {
            **self.tables,
            "accounts": list(self.accounts.values()),
            "new_accounts": [_empty(row) for row in self.accounts.values() if row["expected"] == 0],
            "lots": list(self.lot_rows.values()),
            "lot_changes": list(self.changed.values()),
            "standings": list(self.standings.values()),
            "usage": self._usage(1),
            "usage_returned": self._usage(-1),
            "activity": [
                {
                    "member_id": member_id,
                    "day": day,
                    "programme_id": programme_id,
                    "transactions": total.transactions,
                    "spend": plain(total.spend, RATE),
                    "earned": total.earned,
                    "burned": total.burned,
                    "qualifying": total.qualifying,
                }
                for (member_id, day), (programme_id, total) in self.activity.items()
            ],
        }
        call = {name: table for name, table in tables.items() if table}
        if self.key:
            call["key"] = self.key
        return msgspec.json.encode(call).decode()

    def _usage(self, sign: int) -> list[Row]:
        """Usage that rises (1) or is given back (-1), as positive figures."""
        return [
            {
                "account_id": account_id,
                "promotion_id": promotion_id,
                "day": day,
                "programme_id": self.accounts[account_id]["programme_id"],
                "points": plain(points * sign, POINT),
                "uses": uses * sign,
            }
            for account_id, counted in self.usage.items()
            for (promotion_id, day), (points, uses) in counted.items()
            if (points or uses) and (points < 0 or uses < 0) is (sign < 0)
        ]

    @property
    def is_empty(self) -> bool:
        return not (self.key or self.accounts)


def _empty(row: Row) -> dict[str, Any]:
    account = Account(row["id"], row["programme_id"], settled_at=row["settled_at"])
    return _account_row(account, 0)


def _account_row(account: Account, expected: int) -> dict[str, Any]:
    return {
        "id": account.id,
        "programme_id": account.programme_id,
        "expected": expected,
        "version": account.version,
        "seq": account.seq,
        "draws": account.draws,
        "available": account.available,
        "pending": account.pending,
        "held": account.held,
        "debt": account.debt,
        "transactions": account.transactions,
        "head": hex_text(account.head),
        "settled_at": account.settled_at,
        "next_change_at": account.next_change_at,
    }


def send(call: Call) -> None:
    """Book the call in one database transaction. Raises Stale with what has to be decided again.

    A unique reference that another request booked meanwhile rolls everything back, key row included, and
    counts as stale: the next decision sees it. So does a row above the ledger that is no longer as it was
    (serialization_failure, raised by the function of the app above).
    """
    try:
        ((answer,),) = rows(f"SELECT {call.function}(%(call)s::jsonb)::text", {"call": call.json()})
    except (IntegrityError, OperationalError) as error:
        if getattr(error.__cause__, "sqlstate", None) not in ("23505", "40001"):
            raise
        raise Stale from error
    result = msgspec.json.decode(answer)
    if result.get("key") == "taken":
        raise Stale
    if result["stale"]:
        raise Stale(frozenset(result["stale"]))
    call.result = result


_CLAIM = """
INSERT INTO loyalty_idempotencykey AS k
SELECT * FROM jsonb_populate_record(NULL::loyalty_idempotencykey, %(key)s::jsonb)
ON CONFLICT (partner_id, key) DO UPDATE SET status = k.status
    WHERE k.status = 0 AND k.fingerprint = EXCLUDED.fingerprint
RETURNING 1"""


def lock(programme_id: int, account_ids: list[int], key: Row | None) -> None:
    """Take the locks in their order: key row, accounts, budgets. Inside a database transaction only.

    Used after stale answers, so that the next decision cannot be overtaken. Raises Stale when the key is
    someone else's.
    """
    if key and not rows(_CLAIM, {"key": msgspec.json.encode({**key, "status": None, "body": ""}).decode()}):
        raise Stale
    rows(
        "SELECT 1 FROM loyalty_account WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE",
        {"ids": sorted(account_ids)},
    )
    rows(
        "SELECT 1 FROM loyalty_promotionbudget b WHERE b.promotion_id IN "
        "(SELECT id FROM loyalty_promotion WHERE programme_id = %(programme)s) ORDER BY b.promotion_id FOR UPDATE",
        {"programme": programme_id},
    )
