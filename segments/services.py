"""Writes of segments and of who is in them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError
from django.db import transaction as db_transaction
from django.db.models import Q

from config.kernel.errors import NotFound, TemporarilyUnavailable
from config.kernel.models import check_fields
from members.errors import MemberNotActive, ProgrammeNotActive
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
    NotFound for a member of another programme, ProgrammeNotActive, MemberNotActive, ValidationFailed, and
    BackdatedMembership for a start in the past unless staff or a command says so.
    """
    if member.programme_id != segment.programme_id:
        raise NotFound
    _check_active(segment)
    if member.status != Member.Status.ACTIVE:
        raise MemberNotActive
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

    What was true before now stays true: late receipts still see it. Raises ProgrammeNotActive.
    """
    _check_active(segment)
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


def _check_active(segment: Segment) -> None:
    if segment.programme.status != Programme.Status.ACTIVE:
        raise ProgrammeNotActive


class Operation(NamedTuple):
    """Put the member with this number in (`add`) or take them out (`remove`), with a reason.

    `valid_from` is when an added one starts; None = now.
    """

    op: str
    member: str
    reason: str = ""
    valid_from: datetime | None = None


class Outcome(NamedTuple):
    """What became of an operation: added, removed, unchanged or rejected, and then why."""

    status: str
    code: str | None = None


def memberships_apply(
    *, segment: Segment, operations: Sequence[Operation], source: str, now: datetime
) -> list[Outcome]:
    """Run many operations in their order, in a handful of statements whatever their number.

    Each has an outcome of its own; one that is rejected stops no other. Raises ProgrammeNotActive, and
    TemporarilyUnavailable when others keep changing the same memberships.
    """
    _check_active(segment)
    for _ in range(_ATTEMPTS):
        try:
            with db_transaction.atomic():
                return _Sheet(segment, operations, source, now).run()
        except IntegrityError:
            # Somebody else put one of the members in since we looked: look again.
            continue
    raise TemporarilyUnavailable


class _Sheet:
    """The memberships that operations are about, changed in memory and written at the end."""

    def __init__(self, segment: Segment, operations: Sequence[Operation], source: str, now: datetime) -> None:
        self.segment, self.operations, self.source, self.now = segment, operations, source, now
        numbers = {operation.member for operation in operations}
        members = Member.objects.filter(programme_id=segment.programme_id, number__in=numbers)
        self.members = {member.number: member for member in members}
        current = Membership.objects.filter(
            Q(valid_until=None) | Q(valid_until__gt=now),
            programme_id=segment.programme_id,
            segment=segment,
            member__in=members.values("pk"),
        )
        self.held: dict[int, list[Membership]] = defaultdict(list)
        for membership in current.select_for_update().order_by("pk"):
            self.held[membership.member_id].append(membership)
        self.ended: list[Membership] = []
        self.dropped: list[Membership] = []
        self.news: list[tuple[str, Membership]] = []

    def run(self) -> list[Outcome]:
        """Decide all operations, then write what they change."""
        outcomes = [self._decide(operation) for operation in self.operations]
        Membership.objects.filter(pk__in=[row.pk for row in self.dropped]).delete()
        Membership.objects.bulk_update(self.ended, ["valid_until"], batch_size=1000)
        new = [row for rows in self.held.values() for row in rows if row._state.adding]
        Membership.objects.bulk_create(new)
        OutboxEvent.objects.bulk_create(_event(type_, row, self.now) for type_, row in self.news)
        return outcomes

    def _decide(self, operation: Operation) -> Outcome:
        member = self.members.get(operation.member)
        if member is None:
            return Outcome("rejected", NotFound.code)
        if operation.op == "remove":
            return self._remove(member)
        if member.status != Member.Status.ACTIVE:
            return Outcome("rejected", MemberNotActive.code)
        starts = operation.valid_from or self.now
        if starts < self.now and self.source not in _MAY_BACKDATE:
            return Outcome("rejected", BackdatedMembership.code)
        return self._add(member, starts, operation.reason)

    def _add(self, member: Member, starts: datetime, reason: str) -> Outcome:
        held = self.held[member.pk]
        if any(row.holds_at(starts) for row in held):
            return Outcome("unchanged")
        row = Membership(
            programme_id=self.segment.programme_id,
            segment=self.segment,
            member=member,
            valid_from=starts,
            valid_until=min((row.valid_from for row in held if row.valid_from > starts), default=None),
            reason=reason,
            source=self.source,
        )
        held.append(row)
        self.news.append(("segment.member_added", row))
        return Outcome("added")

    def _remove(self, member: Member) -> Outcome:
        held = self.held.pop(member.pk, [])
        for row in held:
            if row.valid_from < self.now:
                row.valid_until = self.now
                self.ended.append(row)
                self.news.append(("segment.member_removed", row))
            elif row._state.adding:
                self.news = [(type_, other) for type_, other in self.news if other is not row]
            else:
                self.dropped.append(row)
        return Outcome("removed" if held else "unchanged")


def _event(type_: str, membership: Membership, now: datetime) -> OutboxEvent:
    return OutboxEvent(
        programme_id=membership.programme_id,
        member_id=membership.member_id,
        type=type_,
        body={"segment": membership.segment.code},
        recorded_at=now,
    )


def _tell(type_: str, membership: Membership, now: datetime) -> None:
    _event(type_, membership, now).save(force_insert=True)
