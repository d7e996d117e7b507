"""Tiers as they are shown: settled at an instant, with the way to the next one. Nothing is written."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from config.kernel.texts import Texts
from loyalty import gather
from loyalty.engine.calendar import local_day, start_of_day
from loyalty.models import Tier, TierChange
from loyalty.selectors.snapshot import Snapshot
from loyalty.standings import scheme_of
from loyalty.tiers import Level, Progress
from members.models import Member


@dataclass(frozen=True, slots=True)
class HeldTier:
    """The tier that counts for a member at an instant ("" = none) and the way to the next one.

    `points` are the qualifying points of the running period, None in a programme without tier rules.
    """

    code: str
    name: str
    labels: Texts = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    is_granted: bool = False
    points: int | None = None
    next: Level | None = None


def tier_of(member: Member, now: datetime) -> HeldTier | None:
    """A member's tier as it is at `now`: what is due and nobody wrote yet is seen, not written.

    None for a member without a tier in a programme without tier rules, and for who was erased.
    """
    scheme = scheme_of(member.programme_id)
    if scheme is None:
        return _given_tier(member) if member.tier else None
    found = gather.standings_under(scheme, member.programme_id, [member.pk], now)
    progress = found[0].progress if found else None
    return held_tier(progress.at(now), now) if progress else None


def tier_in(member: Member, seen: Snapshot) -> HeldTier | None:
    """As `tier_of`, from what was read of the member already."""
    if seen.rules.tiers is None:
        return _given_tier(member) if member.tier else None
    return held_tier(seen.progress, seen.now) if seen.progress else None


def _given_tier(member: Member) -> HeldTier:
    tier = Tier.objects.filter(programme=member.programme_id, code=member.tier).first()
    return HeldTier(member.tier, tier.name, tier.labels) if tier else HeldTier(member.tier, member.tier)


def held_tier(progress: Progress, now: datetime) -> HeldTier:
    """What a settled progress says."""
    scheme, standing = progress.scheme, progress.standing
    code = scheme.held(standing)
    level = next((level for level in scheme.levels if level.code == code), Level(code, code, None))
    is_granted = code != standing.tier
    ends = start_of_day(scheme.zone, standing.valid_until) if standing.valid_until else None
    return HeldTier(
        code=code,
        name=level.name,
        labels=level.labels,
        since=standing.granted_at if is_granted else standing.since,
        until=standing.granted_until if is_granted else ends,
        is_granted=is_granted,
        points=scheme.points(progress.days, local_day(now, scheme.zone)),
        next=scheme.following(code),
    )


def tier_changes(member_id: int) -> QuerySet[TierChange]:
    """What became of a member's tier, newest first."""
    return TierChange.objects.filter(member_id=member_id)
