"""Reads of segments. Each starts from a programme."""

from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from config.kernel.errors import NotFound
from members.models import Member, Programme
from segments.models import Membership, Pin, Refresh, Segment


def segments_of(programme: Programme) -> QuerySet[Segment]:
    """The programme's segments."""
    return Segment.objects.filter(programme=programme)


def segment_by_code(programme: Programme, code: str) -> Segment:
    """The programme's segment with this code. Raises NotFound, whoever else may have it."""
    try:
        segment = segments_of(programme).get(code=code)
    except Segment.DoesNotExist:
        raise NotFound from None
    segment.programme = programme
    return segment


def valid_at(at: datetime) -> Q:
    """Memberships that hold at an instant: start inclusive, end exclusive."""
    return Q(valid_from__lte=at) & (Q(valid_until__isnull=True) | Q(valid_until__gt=at))


def memberships_at(programme: Programme, at: datetime) -> QuerySet[Membership]:
    """The programme's memberships that hold at an instant."""
    return Membership.objects.filter(valid_at(at), programme=programme)


def with_pins(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Memberships that say whether they are `pinned`."""
    pins = Pin.objects.filter(segment=OuterRef("segment"), member=OuterRef("member"), is_in=True)
    return memberships.annotate(pinned=Exists(pins))


def members_of(segment: Segment, at: datetime) -> QuerySet[Membership]:
    """Who is in the segment at an instant, with their members and whether they are pinned."""
    found = memberships_at(segment.programme, at).filter(segment=segment)
    return with_pins(found).select_related("member")


def segments_shown(programme: Programme) -> QuerySet[Segment]:
    """The programme's segments with how many members are pinned in and out, and when they were evaluated."""
    done = Refresh.objects.filter(segment=OuterRef("pk"), status=Refresh.Status.DONE).order_by("-id")
    pins = Pin.objects.filter(segment=OuterRef("pk")).order_by().values("segment")
    return segments_of(programme).annotate(
        pinned_in=Subquery(pins.filter(is_in=True).values(count=Count("pk"))),
        pinned_out=Subquery(pins.filter(is_in=False).values(count=Count("pk"))),
        evaluated_at=Subquery(done.values("finished_at")[:1]),
    )


def segment_codes_at(programme: Programme, member: Member, at: datetime) -> list[str]:
    """The codes of the segments the member is in at an instant, sorted by code point."""
    found = memberships_at(programme, at).filter(member=member)
    return sorted(found.values_list("segment__code", flat=True))


def memberships_shown_to(programme: Programme, member: Member, at: datetime) -> QuerySet[Membership]:
    """The memberships a member is told of, with their segments, the newest first."""
    held = memberships_at(programme, at).filter(member=member, segment__is_shown_to_members=True)
    return held.select_related("segment").order_by("-valid_from")


def segments_shown_to(programme: Programme, member: Member, at: datetime) -> QuerySet[Segment]:
    """The segments a member is told to be in."""
    held = memberships_at(programme, at).filter(member=member).values("segment_id")
    return segments_of(programme).filter(is_shown_to_members=True, pk__in=held)
