"""Members kept in a dynamic segment, or out of it, whatever its criteria say."""

from datetime import datetime

from config.kernel.errors import NotFound, ValidationFailed
from members.errors import MemberNotActive
from members.models import Member
from segments.errors import SegmentIsStatic
from segments.models import Membership, Segment
from segments.selectors import memberships_at
from segments.services.batches import Operation, Outcome, memberships_apply


def member_pin(
    *,
    segment: Segment,
    member: Member,
    reason: str,
    now: datetime,
    source: str = Membership.Source.API,
) -> tuple[Membership, bool]:
    """Keep the member in from now on; returns the membership, and whether it is new.

    Raises NotFound for a member of another programme, ProgrammeNotActive, SegmentIsStatic, MemberNotActive,
    and ValidationFailed without a reason.
    """
    outcome = _apply(segment, member, Operation("add", member.number, reason, pin=True), source, now)
    found = memberships_at(segment.programme, now).select_related("member")
    return found.get(segment=segment, member=member), outcome.status == "added"


def member_pin_out(
    *,
    segment: Segment,
    member: Member,
    reason: str,
    now: datetime,
    source: str = Membership.Source.API,
) -> None:
    """Keep the member out from now on. Raises as `member_pin` does, but takes a closed member too."""
    _apply(segment, member, Operation("remove", member.number, reason, pin=True), source, now)


def member_unpin(*, segment: Segment, member: Member, now: datetime) -> bool:
    """Give the member back to the criteria, from the next refresh on; returns whether there was a pin."""
    operation = Operation("unpin", member.number, reason="unpinned")
    return _apply(segment, member, operation, Membership.Source.STAFF, now).status == "unpinned"


def _apply(segment: Segment, member: Member, operation: Operation, source: str, now: datetime) -> Outcome:
    if member.programme_id != segment.programme_id:
        raise NotFound
    if not segment.is_dynamic:
        raise SegmentIsStatic
    if not operation.reason.strip():
        raise ValidationFailed.at("/reason", "required", "A pin needs a reason.")
    (outcome,) = memberships_apply(segment=segment, operations=[operation], source=source, now=now)
    if outcome.status == "rejected":
        # The number is nobody's when the person was erased meanwhile.
        raise NotFound if outcome.code == NotFound.code else MemberNotActive
    return outcome
