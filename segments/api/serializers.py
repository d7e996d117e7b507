"""The shapes of segments."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest
from msgspec import Meta

from config.kernel.codes import Code
from config.kernel.errors import ValidationFailed
from segments.models import REASON_MAX_LENGTH, Membership
from segments.services import Operation, Outcome

MAX_OPERATIONS = 1000

Reason = Annotated[str, Meta(max_length=REASON_MAX_LENGTH)]
Instant = Annotated[datetime, Meta(tz=True)]


class MembershipBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why the member is put in, and from when (now unless a later instant is given).

    In a dynamic segment `pin` must be true, with a reason: the member is in whatever the criteria say.
    """

    reason: Reason = ""
    valid_from: Instant | None = None
    pin: bool = False


class OperationBody(msgspec.Struct, forbid_unknown_fields=True):
    """Put a member in (`add`) or take them out (`remove`).

    In a dynamic segment with `pin` and a reason: the member stays in or out whatever the criteria say, until
    `unpin` gives them back to the criteria.
    """

    op: Literal["add", "remove", "unpin"]
    member: Code
    reason: Reason = ""
    valid_from: Instant | None = None
    pin: bool = False

    def operation(self) -> Operation:
        return Operation(self.op, self.member, self.reason, self.valid_from, self.pin)


class OperationsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Operations to run in their order."""

    operations: Annotated[list[OperationBody], Meta(min_length=1, max_length=MAX_OPERATIONS)]


class OperationResult(msgspec.Struct, omit_defaults=True):
    """What became of an operation: added, removed, pinned (was in or out already), unpinned, unchanged, or
    rejected and then the code of why."""

    index: int
    status: str
    code: str | None = None


class OperationsShown(msgspec.Struct):
    """How many operations changed something, and each one's outcome in their order."""

    applied: int
    unchanged: int
    rejected: int
    results: list[OperationResult]


class Pins(msgspec.Struct, rename={"in_": "in"}):
    """How many members are pinned into a dynamic segment and out of it."""

    in_: int
    out: int


class SegmentShown(msgspec.Struct):
    """A segment of the programme: static (by hand) or dynamic (by criteria), and then when those were last
    evaluated."""

    segment: str
    name: str
    kind: str
    shown_to_members: bool
    pins: Pins
    evaluated_at: datetime | None


class SegmentList(msgspec.Struct):
    """A page of segments by code."""

    items: list[SegmentShown]
    next_cursor: str | None


class SegmentMember(msgspec.Struct):
    """A member of a segment: since when, until when if that is known, why and by whose hand.

    `pinned`: stays in whatever the criteria say.
    """

    member: str
    valid_from: datetime
    valid_until: datetime | None
    reason: str
    source: str
    pinned: bool


class SegmentMemberList(msgspec.Struct):
    """A page of members, latest first."""

    items: list[SegmentMember]
    next_cursor: str | None


class MemberSegment(msgspec.Struct):
    """A segment the member is in, since when, and until when if that is known; `pinned` as in its list."""

    segment: str
    name: str
    kind: str
    pinned: bool
    valid_from: datetime
    valid_until: datetime | None


class MemberSegmentList(msgspec.Struct):
    """A page of segments; `next_cursor` asks for the next one, null on the last."""

    items: list[MemberSegment]
    next_cursor: str | None


def read_pin(request: HttpRequest) -> tuple[bool, str]:
    """Whether the query asks for a pin, and its reason. Raises ValidationFailed."""
    pin, reason = request.GET.get("pin"), request.GET.get("reason", "")
    if pin not in {None, "true"}:
        raise ValidationFailed.at("/pin", "invalid", "true, or nothing.")
    if len(reason) > REASON_MAX_LENGTH or "\0" in reason:
        raise ValidationFailed.at("/reason", "invalid", f"At most {REASON_MAX_LENGTH} characters.")
    return pin == "true", reason


def show_membership(membership: Any) -> MemberSegment:
    """A membership (`with_pins`) as its member's partner sees it."""
    return MemberSegment(
        segment=membership.segment.code,
        name=membership.segment.name,
        kind=membership.segment.kind,
        pinned=membership.pinned,
        valid_from=membership.valid_from,
        valid_until=membership.valid_until,
    )


def show_segment(segment: Any) -> SegmentShown:
    """A segment (`segments_shown`) as partners see it."""
    return SegmentShown(
        segment=segment.code,
        name=segment.name,
        kind=segment.kind,
        shown_to_members=segment.is_shown_to_members,
        pins=Pins(segment.pinned_in or 0, segment.pinned_out or 0),
        evaluated_at=segment.evaluated_at,
    )


def show_segment_member(membership: Membership, *, pinned: bool) -> SegmentMember:
    """A membership as its segment's partner sees it."""
    return SegmentMember(
        member=membership.member.number,
        valid_from=membership.valid_from,
        valid_until=membership.valid_until,
        reason=membership.reason,
        source=membership.source,
        pinned=pinned,
    )


def show_listed_member(membership: Any) -> SegmentMember:
    """A membership (`members_of`) in its segment's list."""
    return show_segment_member(membership, pinned=membership.pinned)


def show_outcomes(outcomes: list[Outcome]) -> OperationsShown:
    """The outcomes of a batch with their counts."""
    results = [OperationResult(index, outcome.status, outcome.code) for index, outcome in enumerate(outcomes)]
    return OperationsShown(
        applied=sum(item.status not in {"unchanged", "rejected"} for item in results),
        unchanged=sum(item.status == "unchanged" for item in results),
        rejected=sum(item.status == "rejected" for item in results),
        results=results,
    )
