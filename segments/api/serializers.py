"""The shapes of segments."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from config.kernel.codes import Code
from segments.models import Membership, Segment
from segments.services import Operation, Outcome

MAX_OPERATIONS = 1000

Reason = Annotated[str, Meta(max_length=200)]
Instant = Annotated[datetime, Meta(tz=True)]


class MembershipBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why the member is put in, and from when (now unless a later instant is given)."""

    reason: Reason = ""
    valid_from: Instant | None = None


class OperationBody(msgspec.Struct, forbid_unknown_fields=True):
    """Put a member in (`add`) or take them out (`remove`)."""

    op: Literal["add", "remove"]
    member: Code
    reason: Reason = ""
    valid_from: Instant | None = None

    def operation(self) -> Operation:
        return Operation(self.op, self.member, self.reason, self.valid_from)


class OperationsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Operations to run in their order."""

    operations: Annotated[list[OperationBody], Meta(min_length=1, max_length=MAX_OPERATIONS)]


class OperationResult(msgspec.Struct, omit_defaults=True):
    """What became of an operation: added, removed, unchanged or rejected, and then the code of why."""

    index: int
    status: str
    code: str | None = None


class OperationsShown(msgspec.Struct):
    """How many operations changed something, and each one's outcome in their order."""

    applied: int
    unchanged: int
    rejected: int
    results: list[OperationResult]


class SegmentShown(msgspec.Struct):
    """A segment of the programme."""

    segment: str
    name: str
    kind: str
    shown_to_members: bool


class SegmentList(msgspec.Struct):
    """A page of segments by code."""

    items: list[SegmentShown]
    next_cursor: str | None


class SegmentMember(msgspec.Struct):
    """A member of a segment: since when, until when if that is known, why and by whose hand."""

    member: str
    valid_from: datetime
    valid_until: datetime | None
    reason: str
    source: str


class SegmentMemberList(msgspec.Struct):
    """A page of members, latest first."""

    items: list[SegmentMember]
    next_cursor: str | None


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


def show_segment(segment: Segment) -> SegmentShown:
    """A segment as partners see it."""
    return SegmentShown(segment.code, segment.name, segment.kind, segment.is_shown_to_members)


def show_segment_member(membership: Membership) -> SegmentMember:
    """A membership as its segment's partner sees it."""
    return SegmentMember(
        member=membership.member.number,
        valid_from=membership.valid_from,
        valid_until=membership.valid_until,
        reason=membership.reason,
        source=membership.source,
    )


def show_outcomes(outcomes: list[Outcome]) -> OperationsShown:
    """The outcomes of a batch with their counts."""
    results = [OperationResult(index, outcome.status, outcome.code) for index, outcome in enumerate(outcomes)]
    return OperationsShown(
        applied=sum(item.status in {"added", "removed"} for item in results),
        unchanged=sum(item.status == "unchanged" for item in results),
        rejected=sum(item.status == "rejected" for item in results),
        results=results,
    )
