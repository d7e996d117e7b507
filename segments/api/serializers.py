"""The shapes of segments."""

from datetime import datetime

import msgspec

from segments.models import Membership


class MemberSegment(msgspec.Struct):
    """A segment the member is in, since when, and until when if that is known."""

    segment: str
    name: str
    valid_from: datetime
    valid_until: datetime | None


class MemberSegmentList(msgspec.Struct):
    """A page of segments; `next_cursor` asks for the next one, null on the last."""

    items: list[MemberSegment]
    next_cursor: str | None


def show_membership(membership: Membership) -> MemberSegment:
    """A membership as its member's partner sees it."""
    return MemberSegment(
        segment=membership.segment.code,
        name=membership.segment.name,
        valid_from=membership.valid_from,
        valid_until=membership.valid_until,
    )
