"""Dynamic segments brought up to date: one statement for who leaves, one for who enters."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction as db_transaction
from procrastinate.contrib.django import app

from config.kernel.sql import rows
from members.models import Programme
from members.models.outbox import new_event_id
from segments.criteria import parse
from segments.errors import SegmentIsStatic
from segments.models import Refresh, Segment
from segments.services.telling import ADDED, REMOVED, check_active
from segments.wanted import set_based, wanted

ENTERED = "Meets the criteria"
LEFT = "No longer meets the criteria"
KEPT_DAYS = 400
"""How long what became of refreshes is kept."""

# News carry ids in the order of time (UUID version 7): a common start, and the rest at random.
_NEWS = """INSERT INTO members_outboxevent (id, programme_id, member_id, type, body, recorded_at)
    SELECT (%(id_start)s::text || substr(gen_random_uuid()::text, 16))::uuid,
           %(programme)s, moved.member_id, %(type)s::text, %(body)s::jsonb, %(now)s FROM moved"""

_LEAVE = """WITH wanted AS MATERIALIZED ({wanted}),
moved AS (
    UPDATE segments_membership s SET valid_until = %(now)s, end_reason = %(reason)s, end_source = 'criteria'
    WHERE s.programme_id = %(programme)s AND s.segment_id = %(segment)s AND s.valid_until IS NULL
      AND s.valid_from < %(now)s AND NOT EXISTS (SELECT FROM wanted w WHERE w.id = s.member_id)
    RETURNING s.member_id),
told AS ({news})
SELECT count(*) FROM moved"""

# Whoever is erased meanwhile is waited for, and does not enter.
_ENTER = """WITH wanted AS MATERIALIZED ({wanted}),
moved AS (
    INSERT INTO segments_membership (programme_id, segment_id, member_id, valid_from, reason, source)
    SELECT %(programme)s, %(segment)s, w.id, %(now)s, %(reason)s, 'criteria'
    FROM wanted w JOIN members_member m ON m.id = w.id
    WHERE m.programme_id = %(programme)s AND m.status <> 'erased' AND NOT EXISTS (
        SELECT FROM segments_membership s
        WHERE s.segment_id = %(segment)s AND s.member_id = w.id AND s.valid_until IS NULL)
    FOR KEY SHARE OF m
    RETURNING member_id),
told AS ({news})
SELECT count(*) FROM moved"""

_SIZE = "SELECT count(*) FROM segments_membership WHERE segment_id = %(segment)s AND valid_until IS NULL"


def segment_lock(segment: Segment) -> None:
    """Let nobody else refresh or pin until the database transaction ends; memberships may still be read."""
    Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)


@db_transaction.atomic
def refresh_request(*, segment: Segment, now: datetime, by: str = "") -> Refresh:
    """Ask for a refresh, run by a job as soon as this commits. Raises SegmentIsStatic, ProgrammeNotActive."""
    check_active(segment)
    if not segment.is_dynamic:
        raise SegmentIsStatic
    refresh = Refresh.objects.create(
        programme_id=segment.programme_id,
        segment=segment,
        status=Refresh.Status.WAITING,
        asked_by=by,
        asked_at=now,
    )
    job = app.configure_task("segments.tasks.refresh_segment", queue="long", lock=f"segment-{segment.pk}")
    job.defer(refresh=refresh.pk)
    return refresh


def refresh_run(*, refresh_id: int, now: datetime) -> Refresh:
    """Bring the segment of a refresh up to date, once: a refresh that is done stays as it is.

    Days are the programme's. Entering and leaving are dated facts from `now` on, each with its news, written
    together or not at all; parallel runs take turns.
    """
    refresh = Refresh.objects.select_related("segment__programme").get(pk=refresh_id)
    if refresh.status == Refresh.Status.DONE:
        return refresh
    Refresh.objects.filter(pk=refresh_id).update(status=Refresh.Status.RUNNING)
    try:
        with set_based():
            segment_lock(refresh.segment)
            _evaluate(refresh, now)
    except Exception:
        Refresh.objects.filter(pk=refresh_id).update(status=Refresh.Status.FAILED)
        raise
    return refresh


def _evaluate(refresh: Refresh, now: datetime) -> None:
    segment = Segment.objects.select_related("programme").get(pk=refresh.segment_id)
    now = max(now, _latest(segment) or now)
    meant = wanted(segment, None if segment.criteria is None else parse(segment.criteria), now)
    params = meant.params | {
        "now": now,
        "segment": segment.pk,
        "body": json.dumps({"segment": segment.code}),
        "id_start": str(new_event_id())[:15],
    }
    refresh.left = _move(_LEAVE, meant.sql, params | {"reason": LEFT, "type": REMOVED})
    refresh.entered = _move(_ENTER, meant.sql, params | {"reason": ENTERED, "type": ADDED})
    refresh.size = _size_of(segment)
    refresh.status, refresh.finished_at = Refresh.Status.DONE, now
    refresh.save(update_fields=["left", "entered", "size", "status", "finished_at"])


def _latest(segment: Segment) -> datetime | None:
    """When others wrote last: a clock that lags behind theirs must not write before it."""
    done = Refresh.objects.filter(segment=segment, status=Refresh.Status.DONE)
    return done.order_by("-id").values_list("finished_at", flat=True).first()


def _move(statement: str, meant: str, params: dict[str, Any]) -> int:
    ((count,),) = rows(statement.format(wanted=meant, news=_NEWS), params, prepare=False)
    return int(count)


def _size_of(segment: Segment) -> int:
    ((count,),) = rows(_SIZE, {"segment": segment.pk})
    return int(count)


def refresh_all(*, now: datetime) -> int:
    """Ask for the refresh of every dynamic segment of active programmes; returns how many.

    One whose last refresh still waits is left alone.
    """
    waiting = Refresh.objects.filter(status=Refresh.Status.WAITING, asked_at__gt=now - timedelta(hours=6))
    due = (
        Segment.objects.filter(kind=Segment.Kind.DYNAMIC, programme__status=Programme.Status.ACTIVE)
        .exclude(pk__in=waiting.values("segment_id"))
        .select_related("programme")
    )
    return len([refresh_request(segment=segment, now=now) for segment in due])


def refreshes_forget(*, now: datetime) -> int:
    """Delete what became of refreshes long ago; returns how many rows went."""
    count, _ = Refresh.objects.filter(asked_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    return count
