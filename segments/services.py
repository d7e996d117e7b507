"""Writes of segments and of who is in them."""

from datetime import datetime

from django.db import IntegrityError
from django.db import transaction as db_transaction

from config.kernel.errors import NotFound, TemporarilyUnavailable
from config.kernel.models import check_fields
from members.models import Member, OutboxEvent, Programme
from segments.errors import BackdatedMembership, SegmentExists
from segments.models import Membership, Segment
from segments.selectors import memberships_at

_ATTEMPTS = 3
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

    A member who is in it at that instant is left as they are; a later membership ends the new one. Raises
    NotFound for a member of another programme, ValidationFailed, and BackdatedMembership for a start in the
    past unless staff or a command says so.
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
    for _ in range(_ATTEMPTS):
        existing = memberships_at(segment.programme, starts).filter(segment=segment, member=member).first()
        if existing is not None:
            return existing, False
        membership.valid_until = _next_start(segment, member, starts)
        try:
            with db_transaction.atomic():
                membership.save(force_insert=True)
                _tell("segment.member_added", membership, now)
        except IntegrityError:
            # Somebody else put the member in since we looked: look again.
            continue
        return membership, True
    raise TemporarilyUnavailable


def _next_start(segment: Segment, member: Member, after: datetime) -> datetime | None:
    """When the member's next membership begins, if one is known already."""
    later = Membership.objects.filter(
        programme_id=segment.programme_id, segment=segment, member=member, valid_from__gt=after
    )
    return later.order_by("valid_from").values_list("valid_from", flat=True).first()


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
