"""Who is meant to be in a dynamic segment: its criteria, and the pins that win over them, as one query."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db import transaction as db_transaction

from segments.criteria import Node, Query, query
from segments.models import Segment

_PINNED = """SELECT p.member_id AS id FROM segments_pin p
    WHERE p.programme_id = %(programme)s AND p.segment_id = %(segment)s AND """


def wanted(segment: Segment, criteria: Node | None, now: datetime) -> Query:
    """SQL that selects the `id` of each member meant at `now`, once; without criteria only who is pinned in."""
    if criteria is None:
        return Query(f"{_PINNED} p.is_in", {"programme": segment.programme_id, "segment": segment.pk})
    zone = ZoneInfo(segment.programme.time_zone)
    meant = query(criteria, programme_id=segment.programme_id, now=now, zone=zone)
    # Sets, not conditions on each row: however many pins there are, none is looked up per member.
    sql = f"({meant.sql} EXCEPT {_PINNED} NOT p.is_in) UNION {_PINNED} p.is_in"
    return Query(sql, meant.params | {"segment": segment.pk})


@contextmanager
def set_based() -> Iterator[None]:
    """A database transaction without nested loops, for such queries.

    After a bulk load the planner may take a segment or a programme for empty, and loop over all of it.
    """
    with db_transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        cursor.execute("SET LOCAL enable_nestloop = on")
