"""Reads of segments. Each starts from a programme, or from a row that was found in one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from config.kernel.errors import NotFound
from config.kernel.sql import rows
from members.models import Member, Programme
from segments import dossier, erasure
from segments.criteria import Node
from segments.models import Membership, Pin, Refresh, Segment, Upload
from segments.wanted import set_based, wanted


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


def memberships_shown_to(programme: Programme, member: Member, at: datetime) -> QuerySet[Membership]:
    """The memberships a member is told of, with their segments, the newest first."""
    held = memberships_at(programme, at).filter(member=member, segment__is_shown_to_members=True)
    return held.select_related("segment").order_by("-valid_from")


def segments_shown_to(programme: Programme, member: Member, at: datetime) -> QuerySet[Segment]:
    """The segments a member is told to be in."""
    held = memberships_at(programme, at).filter(member=member).values("segment_id")
    return segments_of(programme).filter(is_shown_to_members=True, pk__in=held)


SAMPLE = 5
"""Members shown of a preview."""

_PREVIEW = """WITH wanted AS MATERIALIZED ({wanted}),
held AS (SELECT s.member_id AS id FROM segments_membership s
    WHERE s.programme_id = %(programme)s AND s.segment_id = %(segment)s AND s.valid_until IS NULL),
entering AS (SELECT id FROM wanted EXCEPT SELECT id FROM held),
leaving AS (SELECT id FROM held EXCEPT SELECT id FROM wanted)
SELECT (SELECT count(*) FROM wanted), ARRAY(SELECT id FROM wanted ORDER BY id LIMIT %(sample)s),
       (SELECT count(*) FROM entering), ARRAY(SELECT id FROM entering ORDER BY id LIMIT %(sample)s),
       (SELECT count(*) FROM leaving), ARRAY(SELECT id FROM leaving ORDER BY id LIMIT %(sample)s)"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many members, and a few of them."""

    count: int
    sample: Sequence[Member]


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would be in a dynamic segment with other criteria, who would enter and who leave."""

    meant: Crowd
    entering: Crowd
    leaving: Crowd


def criteria_preview(segment: Segment, criteria: Node | None, now: datetime) -> Preview:
    """What a refresh with these criteria would do; two queries, nothing is written."""
    meant = wanted(segment, criteria, now)
    sql = _PREVIEW.replace("{wanted}", meant.sql)
    params = meant.params | {"segment": segment.pk, "sample": SAMPLE}
    with set_based():
        ((size, some, enter, in_, leave, out),) = rows(sql, params, prepare=False)
    shown = Member.objects.filter(programme_id=segment.programme_id).in_bulk({*some, *in_, *out})
    return Preview(
        *(
            Crowd(count, [shown[pk] for pk in ids if pk in shown])
            for count, ids in ((size, some), (enter, in_), (leave, out))
        )
    )


_UPLOAD = """SELECT CASE WHEN r.outcome <> '' THEN r.outcome WHEN m.id IS NULL THEN 'not_found'
        WHEN m.status <> 'active' THEN 'member_not_active' WHEN s.id IS NOT NULL THEN 'unchanged'
        ELSE 'added' END AS fate, count(*)
    FROM segments_uploadrow r
    LEFT JOIN members_member m ON m.programme_id = %(programme)s AND m.number = r.member
    LEFT JOIN segments_membership s ON s.segment_id = %(segment)s AND s.member_id = m.id
        AND s.valid_from <= %(now)s AND (s.valid_until IS NULL OR s.valid_until > %(now)s)
    WHERE r.upload_id = %(upload)s GROUP BY 1"""


def upload_preview(upload: Upload, now: datetime) -> dict[str, int]:
    """How many rows of an uploaded file would come to what, by outcome."""
    params = {
        "programme": upload.programme_id,
        "segment": upload.segment_id,
        "upload": upload.pk,
        "now": now,
    }
    return dict(rows(_UPLOAD, params))


REJECTED = ("malformed", "not_found", "member_not_active")
"""Outcomes of rows of a file that put nobody in."""


def upload_rejects(upload: Upload) -> Iterator[tuple[int, str, str, str]]:
    """Row number, member, reason and outcome of each rejected row."""
    found = upload.rows.filter(outcome__in=REJECTED).order_by("number")
    return found.values_list("number", "member", "reason", "outcome").iterator()


def refreshes_done(segment: Segment) -> QuerySet[Refresh]:
    """What became of the segment's refreshes, latest first."""
    return Refresh.objects.filter(segment=segment, status=Refresh.Status.DONE).order_by("-id")


def pin_counts(segment: Segment) -> dict[str, int]:
    """How many members are pinned `inside` and `outside`."""
    pins = Pin.objects.filter(segment=segment)
    return pins.aggregate(
        inside=Count("pk", filter=Q(is_in=True)), outside=Count("pk", filter=Q(is_in=False))
    )


def dossier_of(member: Member) -> Iterator[Section]:
    """All that is held of the member here, read as it is asked for."""
    return dossier.sections(member)


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)
