"""Writes of segments and of who is in them."""

from datetime import datetime

from django.db import IntegrityError
from django.db import transaction as db_transaction
from django.db.models import Q

from config.kernel.errors import NotFound
from config.kernel.models import check_fields
from members.models import Member, OutboxEvent, Programme
from segments.errors import BackdatedMembership, SegmentExists
from segments.models import Membership, Segment
from segments.selectors import memberships_at

_MAY_BACKDATE = {Membership.Source.STAFF, Membership.Source.IMPORT}


def segment_create(
    *, programme: Programme, code: str, name: str, is_shown_to_members: bool = False
) -> Segment:
    """Create a static segment. Raises ValidationFailed, and SegmentExists for a code that is taken."""
    segment = Segment(programme=programme, code=code, name=name, is_shown_to_members=is_shown_to_members)
    check_fields(segment, checks_uniqueness=False)
    try:
        with db_transaction.atomic():
            segment.save(force_insert=True)
    except IntegrityError:
        raise SegmentExists from None
    return segment


def segment_update(*, segment: Segment, name: str, is_shown_to_members: bool) -> Segment:
    """Rename a segment or show it to its members. Raises ValidationFailed."""
    segment.name = name
    segment.is_shown_to_members = is_shown_to_members
    check_fields(segment, checks_uniqueness=False)
    segment.save(update_fields=["name", "is_shown_to_members"])
    return segment


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

    A member who is in it then, or will be later, is left as they are. Raises NotFound for a member of another
    programme, BackdatedMembership for a start in the past unless staff or a command says so, ValidationFailed.
    """
    if member.programme_id != segment.programme_id:
        raise NotFound
    starts = valid_from or now
    if starts < now and source not in _MAY_BACKDATE:
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
    existing = _open_at_or_after(segment, member, starts)
    if existing is not None:
        return existing, False
    try:
        with db_transaction.atomic():
            membership.save(force_insert=True)
            _tell("segment.member_added", membership, now)
    except IntegrityError:
        # Somebody else put the member in since we looked.
        existing = _open_at_or_after(segment, member, starts)
        if existing is None:
            raise
        return existing, False
    return membership, True


def _open_at_or_after(segment: Segment, member: Member, at: datetime) -> Membership | None:
    """The membership that a new one without end, starting then, would overlap."""
    ends_later = Q(valid_until__isnull=True) | Q(valid_until__gt=at)
    found = Membership.objects.filter(ends_later, segment=segment, member=member)
    return found.order_by("valid_from").first()


@db_transaction.atomic
def membership_remove(*, segment: Segment, member: Member, now: datetime) -> bool:
    """End the member's membership now, and drop one that has not begun; returns whether there was one.

    What was true before now stays true: late receipts still see it.
    """
    own = Membership.objects.filter(programme_id=segment.programme_id, segment=segment, member=member)
    dropped, _ = own.filter(valid_from__gte=now).delete()
    held = list(
        memberships_at(segment.programme, now).filter(segment=segment, member=member).select_for_update()
    )
    for membership in held:
        membership.valid_until = now
        membership.save(update_fields=["valid_until"])
        _tell("segment.member_removed", membership, now)
    return bool(dropped or held)


def _tell(type_: str, membership: Membership, now: datetime) -> None:
    OutboxEvent.objects.create(
        programme_id=membership.programme_id,
        member_id=membership.member_id,
        type=type_,
        body={"segment": membership.segment.code},
        recorded_at=now,
    )
