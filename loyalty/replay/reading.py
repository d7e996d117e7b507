"""Stored baskets of a period in the order in which they run, a chunk at a time."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from config.kernel.sql import rows
from loyalty.engine import Basket, Line
from loyalty.engine.numbers import QUANTITY, RATE, scaled
from loyalty.records import LineRow

CHUNK = 2_000
"""Baskets read at once: some megabytes, a fraction of a second."""

_COUNT = """
SELECT count(*) FROM loyalty_transaction
WHERE programme_id = %(programme)s AND occurred_at >= %(start)s AND occurred_at < %(end)s
"""

_CHUNK = """
SELECT t.reference, t.account_id, t.occurred_at, t.day, t.channel, t.store, t.lines::text, t.ruleset,
    t.facts::text, t.awards::text, t.points,
    CASE WHEN cardinality(%(segments)s::text[]) > 0 THEN
        (SELECT array_agg(s.code) FROM segments_membership g JOIN segments_segment s ON s.id = g.segment_id
         WHERE g.member_id = t.account_id AND s.code = ANY(%(segments)s::text[])
            AND g.valid_from <= t.occurred_at AND (g.valid_until IS NULL OR t.occurred_at < g.valid_until)) END
FROM loyalty_transaction t
WHERE t.programme_id = %(programme)s AND t.occurred_at < %(end)s
    AND t.occurred_at >= %(after)s AND (t.occurred_at, t.reference COLLATE "C") > (%(after)s, %(reference)s)
ORDER BY t.occurred_at, t.reference COLLATE "C"
LIMIT %(size)s
"""

_lines = msgspec.json.Decoder(list[LineRow])
_facts = msgspec.json.Decoder(dict[str, Any])
_awards = msgspec.json.Decoder(dict[str, dict[str, str]])

# Tills write few different texts: most quantities are 1, and prices repeat.
_quantity = lru_cache(maxsize=65_536)(lambda text: scaled(text, QUANTITY))
_amount = lru_cache(maxsize=65_536)(lambda text: scaled(text, RATE))


class Period(NamedTuple):
    """Instants from `start` (inclusive) until `end` (exclusive)."""

    start: datetime
    end: datetime


class Stored(NamedTuple):
    """A basket as it was posted, its columns of JSON still text; `segments` are those asked for that the
    member was in at `occurred_at`, as known now."""

    reference: str
    account_id: int
    occurred_at: datetime
    day: date
    channel: str
    store: str
    lines: str
    ruleset: str
    facts: str
    awards: str
    points: int
    segments: list[str] | None

    def decoded_lines(self) -> list[LineRow]:
        return _lines.decode(self.lines)

    def decoded_facts(self) -> dict[str, Any]:
        return _facts.decode(self.facts)

    def decoded_awards(self) -> dict[str, dict[str, str]]:
        return _awards.decode(self.awards)

    def basket(self, lines: Sequence[LineRow] = ()) -> Basket:
        """What the engine takes, with as many of the lines as wanted."""
        compiled = tuple(map(_compiled, lines))
        return Basket(self.occurred_at, self.channel or None, self.store or None, compiled)


def _compiled(row: LineRow) -> Line:
    return Line(
        row.line,
        row.sku,
        row.category,
        row.brand,
        _quantity(row.quantity),
        _amount(row.amount),
        row.points_eligible,
    )


def count(programme_id: int, period: Period) -> int:
    """How many baskets the period has."""
    ((found,),) = rows(_COUNT, {"programme": programme_id, "start": period.start, "end": period.end})
    return int(found)


def chunks(
    programme_id: int, period: Period, segments: Sequence[str] = (), size: int = CHUNK
) -> Iterator[list[Stored]]:
    """The period's baskets in (occurred_at, reference) order, `size` in one round trip.

    `segments` are codes whose dated memberships are wanted. Each chunk is a snapshot of its own, so that a long
    run holds back no cleaning of the database; what is posted behind its back is left out.
    """
    params: dict[str, Any] = {
        "programme": programme_id,
        "segments": list(segments),
        "end": period.end,
        "size": size,
        "after": period.start,
        "reference": "",
    }
    while found := [Stored(*row) for row in rows(_CHUNK, params)]:
        yield found
        if len(found) < size:
            return
        params |= {"after": found[-1].occurred_at, "reference": found[-1].reference}
