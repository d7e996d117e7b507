"""Tiers: their rules, and grants by hand."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F

from config.kernel.errors import FieldError, NotFound
from config.kernel.sql import rows
from config.kernel.texts import Texts
from loyalty import gather, standings
from loyalty.apply import Call
from loyalty.engine.calendar import local_day, start_of_day
from loyalty.errors import RuleRefused
from loyalty.idempotency import Answer, Write
from loyalty.models import RulesHead, Tier, TierRules
from loyalty.services.labels import labels_checked
from loyalty.services.writes import answer, conclude, repeat
from loyalty.tiers import CALENDAR, GRANT_ENDED, Change, Progress, granted, ungranted
from members.models import Member, Programme

LONGEST = {"days": 3660, "months": 1200}

_KEEP_TIERS = """
INSERT INTO loyalty_tierstanding
    (member_id, programme_id, tier, since, confirmed_on, valid_until, granted, due_at)
SELECT m.id, m.programme_id, m.tier, %(now)s, %(today)s, x.until, '', x.due
FROM members_member m
JOIN jsonb_to_recordset(%(kept)s::jsonb) AS x(code text, until date, due timestamptz) ON x.code = m.tier
WHERE m.programme_id = %(programme)s
ON CONFLICT (member_id) DO NOTHING RETURNING 1
"""


@transaction.atomic
def tier_create(
    *,
    programme: Programme,
    code: str,
    name: str,
    rank: int,
    threshold: int | None = None,
    labels: Texts | None = None,
) -> Tier:
    """A level of the programme; its multiplier comes with the terms. RuleRefused.

    `threshold` in qualifying points; None = granted by staff only. `labels` are its names for members by language.
    """
    _head_locked(programme)
    said = labels_checked(programme, labels or {})
    tier = Tier(programme=programme, code=code, name=name, rank=rank, threshold=threshold, labels=said)
    tier.save(force_insert=True)
    _publish(programme)
    return tier


@transaction.atomic
def tier_update(
    *, tier: Tier, name: str, rank: int, threshold: int | None = None, labels: Texts | None = None
) -> Tier:
    """Rename or move a level, or ask for other points from now on; without labels they stay. RuleRefused.

    Its code is what rules and members know it by and never changes.
    """
    _head_locked(tier.programme)
    tier.name, tier.rank, tier.threshold = name, rank, threshold
    if labels is not None:
        tier.labels = labels_checked(tier.programme, labels)
    tier.save(update_fields=["name", "rank", "threshold", "labels"])
    _publish(tier.programme)
    return tier


@transaction.atomic
def tier_rules_set(
    *,
    programme: Programme,
    period: str,
    length: int = 1,
    keeps_following: bool = False,
    now: datetime,
) -> TierRules:
    """Say over which period tiers are reached, from now on. RuleRefused.

    Tiers that members hold when a programme gets its first rules are theirs as if reached now.
    """
    _check_period(period, length, keeps_following)
    _head_locked(programme)
    found = TierRules.objects.filter(programme=programme).first()
    rules = found or TierRules(programme=programme)
    rules.period, rules.length, rules.keeps_following = period, length, keeps_following
    rules.save()
    _publish(programme)
    if found is None:
        _keep_tiers(programme, now)
    return rules


def _check_period(period: str, length: int, keeps_following: bool) -> None:
    if period not in TierRules.Period.values:
        raise RuleRefused(errors=[FieldError("/period", "unknown_period", "No such period.")])
    if period in CALENDAR:
        if length != 1:
            error = FieldError("/length", "out_of_range", "A calendar period is looked at one at a time.")
            raise RuleRefused(errors=[error])
    elif keeps_following:
        error = FieldError("/keeps_following", "calendar_only", "Only calendar periods have a following one.")
        raise RuleRefused(errors=[error])
    elif not 1 <= length <= LONGEST[period]:
        error = FieldError("/length", "out_of_range", f"1 to {LONGEST[period]:,} {period}.")
        raise RuleRefused(errors=[error])


def _keep_tiers(programme: Programme, now: datetime) -> None:
    scheme = standings.scheme_of(programme.pk)
    if scheme is None:
        return
    today = local_day(now, scheme.zone)
    ends = {level.code: scheme.until(today, level.code) for level in scheme.levels}
    kept = [
        {"code": code, "until": end, "due": start_of_day(scheme.zone, end) if end else None}
        for code, end in ends.items()
    ]
    rows(
        _KEEP_TIERS,
        {
            "now": now,
            "today": today,
            "programme": programme.pk,
            "kept": msgspec.json.encode(kept).decode(),
        },
    )


def _publish(programme: Programme) -> None:
    """Let every process and the next review know; RuleRefused if a higher tier would need no more points."""
    tiers = list(Tier.objects.filter(programme=programme).order_by("rank").values_list("code", "threshold"))
    asked = [(code, threshold) for code, threshold in tiers if threshold is not None]
    for (_, lower), (code, higher) in pairwise(asked):
        if higher <= lower:
            detail = f"{code} must need more points than the tier below it."
            raise RuleRefused(errors=[FieldError("/threshold", "not_rising", detail)])
    TierRules.objects.filter(programme=programme).update(is_changed=True)
    RulesHead.objects.filter(programme=programme).update(version=F("version") + 1)


def _head_locked(programme: Programme) -> None:
    RulesHead.objects.get_or_create(programme=programme)
    RulesHead.objects.select_for_update().get(programme=programme)


def tier_grant(
    *, member: Member, tier: Tier, reason: str, until: datetime, actor: str, now: datetime
) -> None:
    """Give a tier by hand until an instant; it counts while it is the higher one, in place of any grant before.

    `actor` is `staff:<username>`. RuleRefused without a reason, for an end that is past, for a tier of another
    programme, or in a programme without tier rules.
    """
    if not reason.strip():
        raise RuleRefused(errors=[FieldError("/reason", "required", "A grant needs a reason.")])
    if until <= now:
        raise RuleRefused(errors=[FieldError("/until", "in_the_past", "The end must lie ahead.")])
    if tier.programme_id != member.programme_id:
        raise RuleRefused(errors=[FieldError("/tier", "not_found", "No tier of the member's programme.")])

    def grant(progress: Progress) -> Progress:
        standing, change = granted(progress.standing, progress.days, progress.scheme, tier.code, until, now)
        return progress._replace(standing=standing, changes=(*progress.changes, change))

    _change_one(member, now, grant, {"reason": reason, "actor": actor, "until": until})


def tier_grant_end(*, member: Member, reason: str, actor: str, now: datetime) -> None:
    """End a grant before its time. RuleRefused where there is none."""

    def end(progress: Progress) -> Progress:
        before, scheme = progress.standing, progress.scheme
        if not before.granted:
            raise RuleRefused(errors=[FieldError("/member", "no_grant", "No grant is running.")])
        after = ungranted(before)
        points = scheme.points(progress.days, local_day(now, scheme.zone))
        change = Change(scheme.held(before), scheme.held(after), now, GRANT_ENDED, points)
        return progress._replace(standing=after, changes=(*progress.changes, change))

    _change_one(member, now, end, {"reason": reason, "actor": actor})


def _change_one(member: Member, now: datetime, change: Any, told: dict[str, Any]) -> None:
    """Settle a member's tier and change it, exactly once whoever else writes to the account."""
    write = Write(member.programme_id, now)

    def attempt() -> Answer:
        found = gather.standings(member.programme_id, [member.pk], now)
        if not found:
            raise NotFound
        (context,) = found
        known = context.progress
        if known is None:
            detail = FieldError("/tier", "no_tier_rules", "The programme has no tier rules.")
            raise RuleRefused(errors=[detail])
        call, account = Call(now), context.account(now)
        settled = standings.book(call, account, known.standing, known.at(now))
        standings.book(call, account, known.standing, change(settled), told)
        call.touch(account)
        return conclude(write, call, answer(200, {}))

    repeat(write, attempt, lambda: [member.pk])
