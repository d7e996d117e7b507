"""The rows of a file in the database: copied, then folded into receipts in the order in which they run.

Two unlogged tables for each programme, made anew by every import. What is booked is found by its
reference, so nothing needs to survive a stop: the next import simply starts with the file again.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from config.kernel.errors import ValidationFailed
from config.kernel.sql import rows
from loyalty.api.serializers import MAX_LINES
from loyalty.errors import ImportRunning
from loyalty.imports.reading import Row
from loyalty.imports.receipts import Receipt, instant_of

LOCK = 0x1A9047
"""First half of the advisory lock of imports; the second is the programme's id."""

_CREATE = """
DROP TABLE IF EXISTS loyalty_import_line_{id}, loyalty_import_receipt_{id};
CREATE UNLOGGED TABLE loyalty_import_line_{id} (
    position bigint, reference text COLLATE "C", member text COLLATE "C", at timestamptz, row text
)
"""

_FOLD = """
CREATE UNLOGGED TABLE loyalty_import_receipt_{id} AS
WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY reference ORDER BY position) AS nth FROM loyalty_import_line_{id}
), receipt AS (
    SELECT reference, abs(hashtext(min(member)) % {shares}) AS share, min(at) AS at, count(*) AS lines,
           '[' || string_agg(row, ',' ORDER BY nth) FILTER (WHERE nth <= {most}) || ']' AS rows
    FROM numbered GROUP BY reference
)
SELECT share, lines, reference, rows, (sum(lines) OVER earlier - lines)::bigint AS start
FROM receipt WINDOW earlier AS (PARTITION BY share ORDER BY at, reference ROWS UNBOUNDED PRECEDING);
ALTER TABLE loyalty_import_receipt_{id} ADD PRIMARY KEY (share, start);
DROP TABLE loyalty_import_line_{id};
ANALYZE loyalty_import_receipt_{id}
"""

_COUNT = "SELECT count(*) FROM loyalty_import_receipt_{id}"

_TAKE = """
SELECT start + lines, reference, rows FROM loyalty_import_receipt_{id}
WHERE share = %(share)s AND start >= %(after)s AND start < %(after)s::bigint + %(size)s ORDER BY start
"""

_rows = msgspec.json.Decoder(list[Row])


class Chunk(NamedTuple):
    """Receipts that run together, and the number of their share's lines up to the end of them."""

    receipts: list[Receipt]
    end: int


@contextmanager
def staging(programme_id: int) -> Iterator[None]:
    """One import of a programme at a time, with tables of its own; ImportRunning while another runs."""
    lock = {"lock": LOCK, "programme": programme_id}
    if rows("SELECT pg_try_advisory_lock(%(lock)s, %(programme)s::int)", lock) == [(False,)]:
        raise ImportRunning
    try:
        _run(_CREATE, programme_id)
        yield
        _run("DROP TABLE IF EXISTS loyalty_import_line_{id}, loyalty_import_receipt_{id}", programme_id)
    finally:
        rows("SELECT pg_advisory_unlock(%(lock)s, %(programme)s::int)", lock)


def _run(statements: str, programme_id: int, **numbers: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements.format(id=int(programme_id), **numbers))


def stage(programme_id: int, read: Iterable[Row], zone: ZoneInfo, shares: int) -> int:
    """Copy rows, each with a reference, and fold them into receipts, those of one member in one share.

    A share's receipts run in (occurred_at, reference) order; those without a readable time come last.
    Returns how many receipts there are.
    """
    into = "COPY loyalty_import_line_{id} FROM STDIN"
    instant = lru_cache(partial(_sortable, zone))
    with connection.cursor() as cursor, cursor.copy(into.format(id=int(programme_id))) as copy:
        for row in read:
            cells = row.cells
            at = instant(cells.get("occurred_at", ""))
            text = msgspec.json.encode(row).decode()
            copy.write_row((row.position, cells["reference"], cells.get("member", ""), at, text))
    _run(_FOLD, programme_id, shares=shares, most=MAX_LINES + 1)
    ((receipts,),) = rows(_COUNT.format(id=int(programme_id)), {})
    return int(receipts)


def _sortable(zone: ZoneInfo, text: str) -> datetime | None:
    try:
        return instant_of(text, zone)
    except ValidationFailed:
        return None


def take(programme_id: int, share: int, after: int, size: int) -> Chunk | None:
    """The receipts of a share that begin in the `size` lines after the first `after`; None at its end."""
    query = _TAKE.format(id=int(programme_id))
    found = rows(query, {"share": share, "after": after, "size": size})
    if not found:
        return None
    receipts = [Receipt(reference, _rows.decode(staged)) for _, reference, staged in found]
    return Chunk(receipts, int(found[-1][0]))
