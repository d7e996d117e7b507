"""The review of tiers: what time, ended grants and changed rules make of members nobody touched."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from config.kernel.sql import rows
from loyalty import gather, standings
from loyalty.apply import Call, Stale
from loyalty.engine.calendar import local_day
from loyalty.gather import StandingContext
from loyalty.idempotency import Write
from loyalty.models import RulesHead, TierRules
from loyalty.services.writes import ATTEMPTS, answer, conclude
from loyalty.tiers import Scheme

CHUNK = 500
"""Members reviewed in one database transaction."""

_DUE = """
SELECT programme_id, array_agg(member_id ORDER BY member_id) FROM (
    SELECT programme_id, member_id FROM loyalty_tierstanding
    WHERE due_at <= %(now)s AND member_id > %(after)s ORDER BY member_id LIMIT %(size)s
) due GROUP BY programme_id ORDER BY programme_id
"""

# Whose points of the running period reach more than the tier they hold; and whose tier has no end but needs
# points by now. `%(above)s` says by tier held which points reach a higher one.
_MISPLACED = """
SELECT member_id FROM (
    SELECT v.member_id FROM members_activity v LEFT JOIN loyalty_tierstanding s ON s.member_id = v.member_id
    WHERE v.programme_id = %(programme)s AND v.day >= %(first)s AND v.member_id > %(after)s
    GROUP BY v.member_id, s.tier
    HAVING sum(v.qualifying) >= (%(above)s::jsonb->>coalesce(s.tier, ''))::bigint
    UNION
    SELECT s.member_id FROM loyalty_tierstanding s
    WHERE s.programme_id = %(programme)s AND s.member_id > %(after)s
        AND s.valid_until IS NULL AND s.tier NOT IN ('', %(base)s)
) misplaced ORDER BY member_id LIMIT %(size)s
"""

# The same of those who did something lately: a receipt of the next minutes counts once its day has begun.
_LATELY = """
SELECT v.member_id FROM members_activity v LEFT JOIN loyalty_tierstanding s ON s.member_id = v.member_id
WHERE v.programme_id = %(programme)s AND v.day >= %(first)s AND v.member_id > %(after)s
    AND v.member_id IN (
        SELECT l.member_id FROM members_activity l
        WHERE l.programme_id = %(programme)s AND l.day >= %(lately)s AND l.qualifying <> 0)
GROUP BY v.member_id, s.tier
HAVING sum(v.qualifying) >= (%(above)s::jsonb->>coalesce(s.tier, ''))::bigint
ORDER BY v.member_id LIMIT %(size)s
"""

# Who has not even the tier that needs no points: those enrolled since the last review.
_NEWCOMERS = """
SELECT m.id FROM members_member m
WHERE m.programme_id = %(programme)s AND m.id > %(after)s AND m.tier = '' AND m.status <> 'erased'
ORDER BY m.id LIMIT %(size)s
"""


def tiers_review(*, now: datetime, size: int = CHUNK) -> int:
    """Do what is due about tiers: ends of periods and grants, and what changed rules make of everybody.

    Returns how many members' standings changed. Any number may run at once, beside anything else: a member who
    moved meanwhile is looked at again, and nothing is done twice.
    """
    done = 0
    for programme_id, members in _due(now, size):
        done += _reviewed(programme_id, members, now)
    for rules in TierRules.objects.order_by("programme_id"):
        done += _review_programme(rules, now, size)
    return done


def _review_programme(rules: TierRules, now: datetime, size: int) -> int:
    """Everybody whom changed rules or the lowest tier concern; cheap when nothing changed."""
    programme_id, done = rules.programme_id, 0
    version = RulesHead.objects.values_list("version", flat=True).get(programme_id=programme_id)
    scheme = standings.scheme_of(programme_id)
    if scheme is None:
        return 0
    params = {
        "programme": programme_id,
        "first": scheme.window(local_day(now, scheme.zone)),
        "above": msgspec.json.encode(_above(scheme)).decode(),
        "base": scheme.reached(0),
        "lately": local_day(now, scheme.zone) - timedelta(days=1),
        "size": size,
    }
    for members in _pages(_LATELY, params):
        done += _reviewed(programme_id, members, now)
    if rules.is_changed:
        for members in _pages(_MISPLACED, params):
            done += _reviewed(programme_id, members, now)
        unchanged = TierRules.objects.filter(pk=programme_id, programme__ruleshead__version=version)
        unchanged.update(is_changed=False)
    if params["base"]:
        for members in _pages(_NEWCOMERS, params):
            done += _reviewed(programme_id, members, now)
    return done


def _due(now: datetime, size: int) -> Iterator[tuple[int, list[int]]]:
    after = 0
    while found := rows(_DUE, {"now": now, "after": after, "size": size}):
        yield from found
        after = max(members[-1] for _, members in found)


def _pages(query: str, params: dict[str, Any]) -> Iterator[list[int]]:
    """Member ids page by page, in their order."""
    after = 0
    while found := [member for (member,) in rows(query, {**params, "after": after})]:
        yield found
        after = found[-1]


def _above(scheme: Scheme) -> dict[str, int | None]:
    codes = ["", *(level.code for level in scheme.levels)]
    return {code: (level.threshold if (level := scheme.following(code)) else None) for code in codes}


def _reviewed(programme_id: int, members: Sequence[int], now: datetime) -> int:
    """Review members of one programme in one database transaction; the overtaken ones again."""
    done = 0
    for _ in range(ATTEMPTS):
        call = Call(now)
        for context in gather.standings(programme_id, members, now):
            _review(call, context, now)
        try:
            conclude(Write(programme_id, now), call, answer(200, {}))
        except Stale as error:
            done += len(call.standings.keys() - error.accounts)
            members = sorted(error.accounts) or members
            continue
        return done + len(call.standings)
    return done


def _review(call: Call, context: StandingContext, now: datetime) -> None:
    known = context.progress
    settled = known.at(now) if known else None
    if known and settled and settled.standing != known.standing:
        account = context.account(now)
        standings.book(call, account, known.standing, settled)
        call.touch(account)
