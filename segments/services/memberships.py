"""Members put into static segments and taken out, one by one."""

from datetime import datetime

from django.db import transaction as db_transaction

from config.kernel.errors import NotFound
from config.kernel.models import check_fields
from members.errors import MemberNotActive
from members.models import Member
from members.services import member_locked
from segments.errors import BackdatedMembership, SegmentIsDynamic
from segments.models import Membership, Segment
from segments.selectors import memberships_at
from segments.services.telling import ADDED, MAY_BACKDATE, REMOVED, check_active, tell


def membership_add(
    *,
    segment: Segment,
    member: Member,
    now: datetime,
    valid_from: datetime | None = None,
    reason: str = "",
    source: str = Membership.Source.API,
) -> tuple[Membership, bool]:
    """Put a member into a segment from `valid_from` (now if not given) on; returns the row, and if it is new.

    A member who is in it at that instant is left as they are; a later membership ends the new one. Raises
    NotFound for a member of another programme, ProgrammeNotActive, SegmentIsDynamic, MemberNotActive,
    ValidationFailed, and BackdatedMembership for a start in the past unless staff or a command says so.
    """
    if member.programme_id != segment.programme_id:
        raise NotFound
    check_by_hand(segment)
    if member.status != Member.Status.ACTIVE:
        raise MemberNotActive
    starts = valid_from or now
    if starts < now and source not in MAY_BACKDATE:
        raise BackdatedMembership
    membership = Membership(
        programme_id=segment.programme_id,
        segment=segment,
        member=member,
        valid_from=starts,
        reason=reason,
        source=source,
    )
    check_fields(membership, checks_uniqueness=False)
    with db_transaction.atomic():
        member_locked(member=member)
        existing = memberships_at(segment.programme, starts).filter(segment=segment, member=member).first()
        if existing is not None:
            return existing, False
        membership.valid_until = _next_start(segment, member, starts)
        membership.save(force_insert=True)
        tell(ADDED, membership, now)
    return membership, True


def _next_start(segment: Segment, member: Member, after: datetime) -> datetime | None:
    """When the member's next membership begins, if one is known already."""
    later = Membership.objects.filter(
        programme_id=segment.programme_id, segment=segment, member=member, valid_from__gt=after
    )
    return later.order_by("valid_from").values_list("valid_from", flat=True).first()


@db_transaction.atomic
def membership_remove(
    *,
    segment: Segment,
    member: Member,
    now: datetime,
    reason: str = "",
    source: str = Membership.Source.API,
) -> bool:
    """End the member's membership now, and drop one that has not begun; returns whether there was one.

    What was true before now stays true: late receipts still see it. Raises ProgrammeNotActive and
    SegmentIsDynamic.
    """
    check_by_hand(segment)
    # The database refuses overlapping memberships, but two that are written at once may wait for each other.
    member_locked(member=member)
    own = Membership.objects.filter(programme_id=segment.programme_id, segment=segment, member=member)
    dropped, _ = own.filter(valid_from__gte=now).delete()
    held = list(
        memberships_at(segment.programme, now).filter(segment=segment, member=member).select_for_update()
    )
    for membership in held:
        membership.valid_until, membership.end_reason, membership.end_source = now, reason, source
        membership.save(update_fields=["valid_until", "end_reason", "end_source"])
        tell(REMOVED, membership, now)
    return bool(dropped or held)


def check_by_hand(segment: Segment) -> None:
    """Raises ProgrammeNotActive, and SegmentIsDynamic where criteria decide who is in."""
    check_active(segment)
    if segment.is_dynamic:
        raise SegmentIsDynamic
