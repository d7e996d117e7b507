"""What every gather asks of the programme, the request's key, the member and the account, and how it is read."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from loyalty.engine.calendar import local_day
from loyalty.idempotency import Key, KeyRow
from loyalty.ledger import Account, Hold, Lot
from loyalty.standings import Stands
from loyalty.tiers import Scheme

HEAD = """
    p.status, p.overdraw, p.backdating_days, p.approval_limit, p.on_unknown_member,
    coalesce(h.version, 0),
    (SELECT jsonb_build_object('fingerprint', k.fingerprint, 'status', k.status, 'body', k.body)::text
     FROM loyalty_idempotencykey k WHERE k.partner_id = %(partner)s AND k.key = %(key)s)"""
LOT = "l.seq, l.points, l.remaining, l.activates_at, l.expires_at, l.expired"


_HOLDS = f"""
    CASE WHEN c.held > 0 THEN
        (SELECT jsonb_agg(jsonb_build_array(
             jsonb_build_array(h.id, h.reference, h.points, h.expires_at, h.grace_until, h.parts),
             (SELECT jsonb_agg(jsonb_build_array({LOT})) FROM loyalty_lot l
              WHERE l.account_id = c.id AND l.seq IN
                  (SELECT (held.value->>0)::bigint FROM jsonb_array_elements(h.parts) held))
         ) ORDER BY h.id)::text
         FROM loyalty_hold h WHERE h.account_id = c.id AND h.status = 'open') END"""


MEMBER = f"""
    m.id, m.number, m.status, m.tier, m.birth_date, m.birth_date_changes::text, m.enrolled_at,
    c.version, c.seq, c.draws, c.available, c.pending, c.held, c.debt, c.transactions, c.head, c.settled_at,
    c.next_change_at, {_HOLDS}"""


# Open lots and some that may be used up, each by its own index: with OR every lot of the account would be read.
OPEN_LOTS_AND = """(
    SELECT x.* FROM loyalty_lot x WHERE x.account_id = c.id AND x.remaining > 0
    UNION ALL
    SELECT x.* FROM loyalty_lot x WHERE x.account_id = c.id AND x.remaining = 0 AND x.seq {which}
) l"""


LOTS = f"""
    CASE WHEN %(all_lots)s OR c.next_change_at <= %(now)s THEN
        (SELECT jsonb_agg(jsonb_build_array({LOT}))::text FROM loyalty_lot l
         WHERE l.account_id = c.id AND l.remaining > 0) END"""


# Qualifying points by day reach back to where the period of any decision may begin: the one that `{day}`
# ends, or the one at whose end the tier has to be looked at again.
TIERS = """
    CASE WHEN %(tiered)s AND {lead} THEN (
        SELECT jsonb_build_object(
            'standing', CASE WHEN s.member_id IS NOT NULL THEN jsonb_build_array(
                s.tier, s.since, s.confirmed_on, s.valid_until, s.granted, s.granted_at, s.granted_until) END,
            'days', (
                SELECT jsonb_agg(jsonb_build_array(v.day, v.qualifying)) FROM members_activity v
                WHERE v.member_id = m.id AND v.qualifying <> 0
                AND v.day >= (least({day}, %(today)s::date, s.valid_until, s.granted_until::date - 1)
                              - %(tier_interval)s::interval)::date
            ))::text
        FROM (SELECT 1) one LEFT JOIN loyalty_tierstanding s ON s.member_id = m.id) END"""
HEAD_END = 1 + 7
MEMBER_SIZE = 19


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of the programme and the request's key."""

    programme_id: int
    status: str
    overdraw: str
    backdating_days: int
    approval_limit: int | None
    on_unknown_member: str
    rules_version: int
    key: KeyRow | None


@dataclass(frozen=True, slots=True)
class Person:
    """A member, as far as points depend on it."""

    id: int
    number: str
    status: str
    tier: str | None
    birth_date: date | None
    birth_date_changes: list[tuple[datetime, date | None]]
    enrolled_at: datetime


@dataclass(slots=True)
class Holding:
    """A member with account and lots; `account` is None before the first posting."""

    person: Person | None
    account: Account | None
    lots: list[Lot]


class TierAsk(msgspec.Struct, frozen=True):
    """Whether tiers are gathered, the programme's day, and how far back a period may begin (an interval)."""

    tiered: bool = False
    today: date = date.max
    tier_interval: str = "1 day"

    @classmethod
    def of(cls, scheme: Scheme | None, now: datetime) -> "TierAsk":
        """For a programme's tier rules, or none."""
        return cls(True, local_day(now, scheme.zone), scheme.interval) if scheme else NOTIERS


NOTIERS = TierAsk()
_changes = msgspec.json.Decoder(list[dict[str, Any]])
_LotRow = tuple[int, int, int, datetime, datetime | None, int]
_lots = msgspec.json.Decoder(list[_LotRow])
_holds = msgspec.json.Decoder(list[tuple[Hold, list[_LotRow]]])
_key = msgspec.json.Decoder(KeyRow)
stands_decoder = msgspec.json.Decoder(Stands)


def base_params(programme_id: int, now: datetime, key: Key | None) -> dict[str, Any]:
    return {
        "programme": programme_id,
        "now": now,
        "partner": key.partner_id if key else None,
        "key": key.text if key else None,
    }


def head_of(programme_id: int, row: tuple[Any, ...]) -> Head:
    status, overdraw, backdating_days, approval_limit, on_unknown_member, version, key = row[1:HEAD_END]
    stored = _key.decode(key) if key else None
    return Head(
        programme_id, status, overdraw, backdating_days, approval_limit, on_unknown_member, version, stored
    )


def holding_of(programme_id: int, row: tuple[Any, ...], lots: str | None) -> Holding:
    member_id, number, status, tier, birth_date, changes, enrolled_at, version, *state = row
    if member_id is None:
        return Holding(None, None, [])
    births = [(datetime.fromisoformat(x["at"]), _date(x["was"])) for x in _changes.decode(changes)]
    person = Person(member_id, number, status, tier or None, birth_date, births, enrolled_at)
    if version is None:
        return Holding(person, None, [])
    seq, draws, available, pending, held, debt, transactions, head, settled_at, next_change_at, holding = (
        state
    )
    holds = _holds.decode(holding) if holding else []
    account = Account(
        id=member_id, programme_id=programme_id, version=version, seq=seq, draws=draws,
        available=available, pending=pending, held=held, debt=debt, transactions=transactions,
        head=bytes(head), settled_at=settled_at, next_change_at=next_change_at,
        holds=[hold for hold, _ in holds],
    )  # fmt: skip
    known = [*(_lots.decode(lots) if lots else []), *(lot for _, held in holds for lot in held)]
    return Holding(person, account, [Lot(*lot) for lot in {lot[0]: lot for lot in known}.values()])


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
