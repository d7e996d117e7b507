"""The catalogue as it is shown now, kept in memory under its number.

One query asks for the number; what is kept is true while the number stays and until the next instant at which
something goes live or ends. A process goes without asking for a lease of at most CATALOGUE_LEASE_SECONDS, and
what staff change is answered only after as long (rewards.middleware): so a change is seen by the next request,
and a second reading costs next to nothing.
"""

import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from config.kernel.sql import rows
from config.kernel.texts import Spoken

_HEAD = "SELECT number FROM rewards_cataloguehead WHERE programme_id = %(programme)s::bigint"

# Until when the pools of uploaded codes have one to give: what the last of its free codes says.
_LASTS = """
    SELECT (SELECT coalesce(f.valid_until, 'infinity') FROM rewards_poolcode f
            WHERE f.pool_id = q.id AND f.redemption_id IS NULL
            ORDER BY f.valid_until DESC NULLS FIRST LIMIT 1) AS lasts
    FROM rewards_codepool q"""

# Every gift that is shown now or was before: the latter have no version, and say to partners that they are gone.
_GIFTS = f"""
SELECT r.id, r.code, r.kind,
       (r.stock IS NULL OR r.stock > 0) AND (r.kind <> 'pool_voucher' OR coalesce(pool.lasts > %(now)s, false)),
       r.limit_per_member, r.limit_per_period, r.period,
       greatest(r.changed_at, past.last_from, past.last_until,
                CASE WHEN pool.lasts <= %(now)s THEN pool.lasts END),
       v.id, v.number, v.name, v.description, v.delivery_terms, v.brand, v.points, v.cash_amount,
       v.face_value, v.face_currency, v.attributes, v.segments, v.tiers, v.categories, v.live_from, v.live_until,
       v.voucher_days, v.has_balance, v.is_returnable, v.shown_from, v.validated_at, v.validated_by,
       (SELECT jsonb_agg(jsonb_build_array(p.files, vp.alt) ORDER BY vp.position)
        FROM rewards_versionpicture vp JOIN rewards_picture p ON p.id = vp.picture_id WHERE vp.version_id = v.id)
FROM (SELECT reward_id,
             max(shown_from) AS last_from,
             max(shown_until) FILTER (WHERE shown_until <= %(now)s) AS last_until
      FROM rewards_rewardversion
      WHERE programme_id = %(programme)s::bigint AND state = 'live' AND shown_from <= %(now)s
      GROUP BY reward_id) past
JOIN rewards_reward r ON r.id = past.reward_id
LEFT JOIN rewards_rewardversion v
    ON v.reward_id = r.id AND r.state = 'active' AND v.state = 'live'
   AND v.shown_from <= %(now)s AND (v.shown_until IS NULL OR v.shown_until > %(now)s)
LEFT JOIN LATERAL ({_LASTS} WHERE q.reward_id = r.id) pool ON true
ORDER BY r.code COLLATE "C"
"""  # noqa: S608

_CATEGORIES = """
SELECT c.id, c.parent_id, c.code, c.position, c.is_active, c.name::json, p.files::json
FROM rewards_category c LEFT JOIN rewards_picture p ON p.id = c.picture_id
WHERE c.programme_id = %(programme)s::bigint ORDER BY c.position, c.code COLLATE "C"
"""

_INSTANTS = f"""
SELECT max(instant) FILTER (WHERE instant <= %(now)s), min(instant) FILTER (WHERE instant > %(now)s)
FROM (
    SELECT unnest(ARRAY[shown_from, shown_until]) AS instant
    FROM rewards_rewardversion WHERE programme_id = %(programme)s::bigint AND state = 'live'
    UNION ALL
    SELECT nullif(lasts, 'infinity')
    FROM ({_LASTS} WHERE q.programme_id = %(programme)s::bigint) pools
) instants
"""  # noqa: S608

_PROGRAMME = """
SELECT time_zone, currency,
       (SELECT coalesce(json_agg(json_build_array(code, fallback, is_default) ORDER BY position, code), '[]')
        FROM members_programmelanguage WHERE programme_id = %(programme)s::bigint)
FROM members_programme WHERE id = %(programme)s::bigint
"""
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


class Gift(NamedTuple):
    """A gift and the version that is shown of it; without one it is gone. Columns as the models explain them.

    Texts, attributes and pictures stay the JSON they are: each language takes from them what it shows.
    """

    id: int
    code: str
    kind: str
    in_stock: bool
    limit_per_member: int | None
    limit_per_period: int | None
    period: str
    updated_at: datetime
    version_id: int | None
    number: int
    name: str
    description: str
    delivery_terms: str
    brand: str
    points: int
    cash_amount: Any
    face_value: Any
    face_currency: str
    attributes: str
    segments: list[str]
    tiers: list[str]
    categories: list[str]
    live_from: datetime | None
    live_until: datetime | None
    voucher_days: int | None
    has_balance: bool
    is_returnable: bool
    shown_from: datetime
    validated_at: datetime
    validated_by: str
    pictures: str | None


class CategoryRow(NamedTuple):
    """A category as it is stored; `files` are those of its picture."""

    id: int
    parent_id: int | None
    code: str
    position: int
    is_active: bool
    name: dict[str, str]
    files: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """All of a programme's catalogue as it is shown from `since` until `until`, by code."""

    programme_id: int
    number: int
    since: datetime
    until: datetime
    languages: tuple[Spoken, ...]
    zone: str
    currency: str
    gifts: tuple[Gift, ...]
    gone: tuple[Gift, ...]
    categories: tuple[CategoryRow, ...]
    feeds: dict[Any, Any]
    views: dict[Any, Any]
    """What was made of this shelf and dies with it: see rewards.feed and rewards.api.catalogue."""

    def holds(self, number: int, now: datetime) -> bool:
        """Whether it still tells the truth."""
        return self.number == number and self.since <= now < self.until

    @property
    def tag(self) -> str:
        """What names this state of the catalogue, the same in every process."""
        return (
            f"{self.number}.{self.since.timestamp():.6f}" if self.since > _BEGINNING else f"{self.number}.0"
        )

    def place_after(self, code: str) -> int:
        """Where the gifts with a greater code begin."""
        return bisect_right(self.gifts, code, key=lambda gift: gift.code)

    def find(self, code: str) -> int | None:
        """Where the gift with this code is, if it is shown."""
        place = self.place_after(code) - 1
        return place if place >= 0 and self.gifts[place].code == code else None


_shelves: dict[int, Shelf] = {}
_MAX_SHELVES = 64
_building = Lock()


# By programme: its number, and until when (monotonic) this process may believe it.
_leases: dict[int, tuple[int, float]] = {}


def shelf_of(programme_id: int, now: datetime) -> Shelf:
    """The catalogue of a programme at `now`; at most one query if nothing changed since the last time."""
    number = _number(programme_id)
    shelf = _shelves.get(programme_id)
    if shelf is not None and shelf.holds(number, now):
        return shelf
    with _building:
        # Whoever waited finds what the other one built.
        shelf = _shelves.get(programme_id)
        if shelf is None or not shelf.holds(number, now):
            shelf = _build(programme_id, number, now)
            _shelves.pop(programme_id, None)
            while len(_shelves) >= _MAX_SHELVES:
                _shelves.pop(next(iter(_shelves)))
            _shelves[programme_id] = shelf
    return shelf


def _number(programme_id: int) -> int:
    """The catalogue's number, as it was asked for less than a lease ago; a transaction asks for what it sees."""
    number, until = _leases.get(programme_id, (0, 0.0))
    # Counted from before the question: who changed something waits as long from after the commit.
    asked = time.monotonic()
    if asked < until and not connection.in_atomic_block:
        return number
    found = rows(_HEAD, {"programme": programme_id})
    number = found[0][0] if found else 0
    if not connection.in_atomic_block:
        _leases[programme_id] = number, asked + settings.CATALOGUE_LEASE_SECONDS
    return number


def forget_shelves() -> None:
    """Make this process build every catalogue again."""
    _leases.clear()
    _shelves.clear()


def _build(programme_id: int, number: int, now: datetime) -> Shelf:
    # The number was read before: what is newer than it is replaced by the next request, what is older never is.
    at = {"programme": programme_id, "now": now}
    of = {"programme": programme_id}
    ((since, until),) = rows(_INSTANTS, at, prepare=False)
    known = [Gift(*row) for row in rows(_GIFTS, at, prepare=False)]
    ((zone, currency, languages),) = rows(_PROGRAMME, of, prepare=False)
    categories = [CategoryRow(*row) for row in rows(_CATEGORIES, of, prepare=False)]
    return Shelf(
        programme_id=programme_id,
        number=number,
        since=since or _BEGINNING,
        until=until or _END,
        languages=tuple(Spoken(*language) for language in languages),
        zone=zone,
        currency=currency,
        gifts=tuple(gift for gift in known if gift.version_id is not None),
        gone=tuple(gift for gift in known if gift.version_id is None),
        categories=_tree(categories),
        feeds={},
        views={},
    )


def _tree(categories: Sequence[CategoryRow]) -> tuple[CategoryRow, ...]:
    """The categories as a client reads them: each before what is below it, in the client's order."""
    below: dict[int | None, list[CategoryRow]] = {}
    for category in categories:
        below.setdefault(category.parent_id, []).append(category)
    ordered: list[CategoryRow] = []

    def walk(parent: int | None) -> None:
        for category in below.get(parent, []):
            ordered.append(category)
            walk(category.id)

    walk(None)
    return tuple(ordered)
