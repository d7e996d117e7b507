"""The shapes of members: what is accepted, what is shown."""

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from config.kernel.codes import Code
from config.kernel.flat import FlatObject
from loyalty import answers
from loyalty.selectors import HeldTier, tier_of
from members.models import Member

Name = Annotated[str, Meta(max_length=150)]
Email = Annotated[str, Meta(max_length=254)]
LanguageCode = Annotated[str, Meta(max_length=35)]


class EnrolBody(msgspec.Struct, forbid_unknown_fields=True):
    """A member to enrol; all but the number is optional."""

    member: Code
    first_name: Name = ""
    last_name: Name = ""
    email: Email = ""
    birth_date: date | None = None
    language: LanguageCode = ""
    attributes: FlatObject = {}
    consents: FlatObject = {}
    metadata: FlatObject = {}


class MemberPatch(msgspec.Struct, forbid_unknown_fields=True):
    """Fields to change; a field left out stays. Flat objects are replaced whole."""

    first_name: Name | UnsetType = UNSET
    last_name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    birth_date: date | UnsetType | None = UNSET
    language: LanguageCode | UnsetType = UNSET
    attributes: FlatObject | UnsetType = UNSET
    consents: FlatObject | UnsetType = UNSET
    metadata: FlatObject | UnsetType = UNSET


class NextTier(msgspec.Struct):
    """The next tier, the qualifying points that reach it, and how many are missing."""

    code: str
    name: str
    threshold: int
    missing: int


class TierShown(msgspec.Struct):
    """The tier held now; code and name are null for none.

    `until` is when it ends or is looked at again, null where nothing ends it; `granted` says that staff gave it.
    `qualifying_points` are those of the period that counts now. `next` is null at the top.
    """

    code: str | None
    name: str | None
    since: str | None
    until: str | None
    granted: bool
    qualifying_points: int | None
    next: NextTier | None


class MemberShown(msgspec.Struct):
    """A member; `tier` is null for a member without one in a programme that has no tier rules."""

    member: str
    first_name: str
    last_name: str
    email: str
    birth_date: date | None
    language: str
    attributes: dict[str, Any]
    consents: dict[str, Any]
    metadata: dict[str, Any]
    status: str
    tier: TierShown | None
    enrolled_at: datetime


def show_member(member: Member, now: datetime) -> MemberShown:
    """A member as partners see it."""
    return MemberShown(
        member=member.number,
        first_name=member.first_name,
        last_name=member.last_name,
        email=member.email,
        birth_date=member.birth_date,
        language=member.language,
        attributes=member.attributes,
        consents=member.consents,
        metadata=member.metadata,
        status=member.status,
        tier=show_tier(tier_of(member, now), ZoneInfo(member.programme.time_zone)),
        enrolled_at=member.enrolled_at,
    )


def show_tier(held: HeldTier | None, zone: ZoneInfo) -> TierShown | None:
    """The tier held, in the programme's time."""
    if held is None:
        return None
    higher = held.next
    return TierShown(
        code=held.code or None,
        name=held.name or None,
        since=answers.local(held.since, zone),
        until=answers.local(held.until, zone),
        granted=held.is_granted,
        qualifying_points=held.points,
        next=higher
        and NextTier(
            higher.code, higher.name, higher.threshold or 0, (higher.threshold or 0) - (held.points or 0)
        ),
    )
