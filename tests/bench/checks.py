"""After the run: is everything there that was answered, once, and does it add up?"""

from collections.abc import Mapping

from django.db import connection

from loyalty.models import Account, Entry, Lot
from members.models import Programme
from tests.bench.world import STOCK
from tests.ledger_checks import chain_faults, figure_faults

LOOKED_AT_CLOSELY = 50

COUNTED = {
    "keys": "SELECT count(*) FROM loyalty_idempotencykey",
    "transactions": "SELECT count(*) FROM loyalty_transaction",
    "entries": "SELECT count(*) FROM loyalty_entry",
    "lots": "SELECT count(*) FROM loyalty_lot",
    "outbox": "SELECT count(*) FROM members_outboxevent WHERE type = 'transaction.posted'",
    "activity": "SELECT coalesce(sum(transactions), 0) FROM members_activity",
    "naive": "SELECT count(*) FROM naive_transaction",
    "redemptions": "SELECT count(*) FROM rewards_redemption",
    "draws": "SELECT count(*) FROM loyalty_draw",
    "moves": "SELECT count(*) FROM rewards_move",
    "deliveries": "SELECT count(*) FROM rewards_delivery",
    "vouchers": "SELECT count(*) FROM rewards_voucher",
    "news": "SELECT count(*) FROM members_outboxevent WHERE type LIKE 'redemption.%'",
}
ADD_UP = {
    "accounts whose figures are not the sum of their entries": """
        SELECT count(*) FROM loyalty_account a
        LEFT JOIN (SELECT account_id, sum(points) AS points, count(*) AS entries, max(seq) AS last
                   FROM loyalty_entry GROUP BY account_id) e ON e.account_id = a.id
        WHERE a.available + a.pending + a.held - a.debt <> coalesce(e.points, 0)
            OR a.seq <> coalesce(e.entries, 0) OR a.seq <> coalesce(e.last, 0)""",
    "accounts whose figures are not what is left in their lots": """
        SELECT count(*) FROM loyalty_account a
        LEFT JOIN (SELECT account_id, sum(remaining) AS points FROM loyalty_lot GROUP BY account_id) l
            ON l.account_id = a.id
        WHERE a.available + a.pending <> coalesce(l.points, 0)""",
    "accounts that count other transactions than they have": """
        SELECT count(*) FROM loyalty_account a
        WHERE a.transactions <> (SELECT count(*) FROM loyalty_transaction t WHERE t.account_id = a.id)""",
    "transactions without the entry of their points": """
        SELECT count(*) FROM loyalty_transaction t LEFT JOIN loyalty_entry e ON e.source = t.id
        WHERE t.points <> coalesce(e.points, 0)""",
    "gift orders without the entry and the draws of their points": """
        SELECT count(*) FROM rewards_redemption o
        LEFT JOIN loyalty_entry e ON e.account_id = o.member_id AND e.seq = o.entry_seq
        WHERE e.source IS DISTINCT FROM o.id OR e.points <> -o.points OR o.points <> (
            SELECT coalesce(sum(d.points), 0) FROM loyalty_draw d
            WHERE d.account_id = o.member_id AND d.entry_seq = o.entry_seq)""",
    "gifts whose stock is not what was not ordered": f"""
        SELECT count(*) FROM rewards_reward r
        WHERE r.stock <> {STOCK} - (SELECT coalesce(sum(o.quantity), 0) FROM rewards_redemption o
                                    WHERE o.reward_id = r.id)""",
    "budgets that are not the sum of their usage": """
        SELECT count(*) FROM loyalty_promotionbudget b
        WHERE b.points_used <> (SELECT coalesce(sum(u.points), 0) FROM loyalty_promotionusage u
                                WHERE u.promotion_id = b.promotion_id)""",
    "naive accounts whose figures are not the sum of their entries": """
        SELECT count(*) FROM naive_account a
        WHERE a.available + a.pending <> (SELECT coalesce(sum(e.points), 0) FROM naive_entry e
                                          WHERE e.account_id = a.id)""",
}


def counts() -> dict[str, int]:
    """Rows there are now."""
    with connection.cursor() as cursor:
        found = {}
        for name, query in COUNTED.items():
            cursor.execute(query)
            found[name] = int(cursor.fetchone()[0])
        return found


def grown(before: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """Complaints about rows that are missing or too many."""
    now = counts()
    return [
        f"{now[name] - before[name]} new {name}, not {more}"
        for name, more in expected.items()
        if now[name] - before[name] != more
    ]


def closely(programme: Programme, first_number: int) -> list[str]:
    """Complaints about some accounts of members from `first_number` on, their chains verified.

    Not those of pgbench's members: it seals its entries with hashes that it makes up.
    """
    numbers = [f"{first_number + n}" for n in range(LOOKED_AT_CLOSELY)]
    complaints = []
    for account in Account.objects.filter(programme=programme, member__number__in=numbers):
        entries = list(Entry.objects.filter(account=account).order_by("seq"))
        lots = list(Lot.objects.filter(account=account))
        faults = [*chain_faults(account, entries), *figure_faults(account, entries, lots)]
        complaints += [f"account {account.pk}: {fault}" for fault in faults]
    return complaints


def add_up() -> list[str]:
    """Complaints about figures that disagree."""
    complaints = []
    with connection.cursor() as cursor:
        for name, query in ADD_UP.items():
            cursor.execute(query)
            if wrong := cursor.fetchone()[0]:
                complaints.append(f"{wrong} {name}")
    return complaints
