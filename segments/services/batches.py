"""Many operations on one segment at once, and the pins of dynamic ones."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError
from django.db import transaction as db_transaction
from django.db.models import Q

from config.kernel.errors import NotFound, TemporarilyUnavailable, ValidationFailed
from members.errors import MemberNotActive
from members.models import Member, OutboxEvent
from segments.errors import BackdatedMembership, SegmentIsDynamic
from segments.models import Membership, Pin, Segment
from segments.services.refreshing import segment_lock
from segments.services.telling import ADDED, ATTEMPTS, MAY_BACKDATE, REMOVED, check_active, event


class Operation(NamedTuple):
    """Put the member with this number in (`add`) or take them out (`remove`), with a reason.

    `valid_from` is when an added one starts; None = now. In a dynamic segment both are pins, `pin` says so and
    a reason is required; `unpin` gives the member back to the criteria, from the next refresh on.
    """

    op: str
    member: str
    reason: str = ""
    valid_from: datetime | None = None
    pin: bool = False


class Outcome(NamedTuple):
    """What became of an operation: added, removed, pinned (was in or out already), unpinned, unchanged, or
    rejected and then why."""

    status: str
    code: str | None = None


def memberships_apply(
    *, segment: Segment, operations: Sequence[Operation], source: str, now: datetime
) -> list[Outcome]:
    """Run many operations in their order, in a handful of statements whatever their number.

    Each has an outcome of its own; one that is rejected stops no other. Raises ProgrammeNotActive, and
    TemporarilyUnavailable when others keep changing the same memberships.
    """
    check_active(segment)
    for _ in range(ATTEMPTS):
        try:
            with db_transaction.atomic():
                if segment.is_dynamic:
                    segment_lock(segment)
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
        # Locked in their order, as the single calls lock theirs: two writers never wait for each other.
        locked = members.select_for_update(no_key=True).order_by("pk")
        self.members = {member.number: member for member in locked}
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
        pins = (
            Pin.objects.filter(segment=segment, member__in=members.values("pk")) if segment.is_dynamic else ()
        )
        self.pins = {pin.member_id: pin for pin in pins}
        self.pinned: dict[int, Pin | None] = {}

    def run(self) -> list[Outcome]:
        """Decide all operations, then write what they change."""
        outcomes = [self._decide(operation) for operation in self.operations]
        Membership.objects.filter(pk__in=[row.pk for row in self.dropped]).delete()
        Membership.objects.bulk_update(
            self.ended, ["valid_until", "end_reason", "end_source"], batch_size=1000
        )
        new = [row for rows in self.held.values() for row in rows if row._state.adding]
        Membership.objects.bulk_create(new)
        OutboxEvent.objects.bulk_create(event(type_, row, self.now) for type_, row in self.news)
        if self.pinned:
            self._write_pins()
        return outcomes

    def _write_pins(self) -> None:
        gone = [member for member, pin in self.pinned.items() if pin is None]
        Pin.objects.filter(segment=self.segment, member__in=gone).delete()
        Pin.objects.bulk_create(
            [pin for pin in self.pinned.values() if pin is not None],
            update_conflicts=True,
            unique_fields=["segment", "member"],
            update_fields=["is_in", "reason", "source", "pinned_at"],
        )

    def _decide(self, operation: Operation) -> Outcome:
        member = self.members.get(operation.member)
        if member is None:
            return Outcome("rejected", NotFound.code)
        if self.segment.is_dynamic:
            return self._pin(member, operation)
        if operation.pin or operation.op == "unpin":
            return Outcome("rejected", ValidationFailed.code)
        if operation.op == "remove":
            return self._remove(member, operation.reason)
        if member.status != Member.Status.ACTIVE:
            return Outcome("rejected", MemberNotActive.code)
        starts = operation.valid_from or self.now
        if starts < self.now and self.source not in MAY_BACKDATE:
            return Outcome("rejected", BackdatedMembership.code)
        return self._add(member, starts, operation.reason)

    def _pin(self, member: Member, operation: Operation) -> Outcome:
        """A hand on a dynamic segment: the pin, and what it changes at once."""
        if operation.op == "unpin":
            was_pinned = self.pins.pop(member.pk, None) is not None
            if was_pinned:
                self.pinned[member.pk] = None
            return Outcome("unpinned" if was_pinned else "unchanged")
        if not operation.pin:
            return Outcome("rejected", SegmentIsDynamic.code)
        if not operation.reason.strip() or operation.valid_from is not None:
            return Outcome("rejected", ValidationFailed.code)
        is_in = operation.op == "add"
        if is_in and member.status != Member.Status.ACTIVE:
            return Outcome("rejected", MemberNotActive.code)
        was_so = member.pk in self.pins and self.pins[member.pk].is_in is is_in
        if not was_so:
            self.pins[member.pk] = self.pinned[member.pk] = self._new_pin(member, is_in, operation.reason)
        moved = (
            self._add(member, self.now, operation.reason) if is_in else self._remove(member, operation.reason)
        )
        return moved if was_so or moved.status != "unchanged" else Outcome("pinned")

    def _new_pin(self, member: Member, is_in: bool, reason: str) -> Pin:
        return Pin(
            programme_id=self.segment.programme_id,
            segment=self.segment,
            member=member,
            is_in=is_in,
            reason=reason,
            source=self.source,
            pinned_at=self.now,
        )

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
        self.news.append((ADDED, row))
        return Outcome("added")

    def _remove(self, member: Member, reason: str) -> Outcome:
        held = self.held.pop(member.pk, [])
        for row in held:
            if row.valid_from < self.now:
                row.valid_until, row.end_reason, row.end_source = self.now, reason, self.source
                self.ended.append(row)
                self.news.append((REMOVED, row))
            elif row._state.adding:
                self.news = [(type_, other) for type_, other in self.news if other is not row]
            else:
                self.dropped.append(row)
        return Outcome("removed" if held else "unchanged")
