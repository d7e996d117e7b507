"""What all writers of memberships share: who may write, and the news of it."""

from datetime import datetime

from members.errors import ProgrammeNotActive
from members.models import OutboxEvent, Programme
from segments.models import Membership, Segment

ATTEMPTS = 3
MAY_BACKDATE = {Membership.Source.STAFF, Membership.Source.IMPORT}
ADDED = "segment.member_added"
REMOVED = "segment.member_removed"


def check_active(segment: Segment) -> None:
    """Raises ProgrammeNotActive."""
    if segment.programme.status != Programme.Status.ACTIVE:
        raise ProgrammeNotActive


def event(type_: str, membership: Membership, now: datetime) -> OutboxEvent:
    """The news that a member entered or left."""
    return OutboxEvent(
        programme_id=membership.programme_id,
        member_id=membership.member_id,
        type=type_,
        body={"segment": membership.segment.code},
        recorded_at=now,
    )


def tell(type_: str, membership: Membership, now: datetime) -> None:
    """Write the news."""
    event(type_, membership, now).save(force_insert=True)
