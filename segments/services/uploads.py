"""Files of members for a static segment: read whole, looked at, then run in pieces by a job."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO

from django.db import connection
from django.db import transaction as db_transaction
from procrastinate.contrib.django import app

from config.kernel.codes import is_code
from config.kernel.sheets import Sheet, sheet_open
from config.kernel.sql import rows
from config.kernel.uploads import locked_upload, undecided
from segments.models import REASON_MAX_LENGTH, Membership, Segment, Upload, UploadRow
from segments.selectors import upload_preview
from segments.services.batches import Operation, memberships_apply
from segments.services.memberships import check_by_hand

PIECE = 1000
"""Rows that are run and committed together."""
KEPT_DAYS = 30
"""How long the rows of a file are kept."""

_COPY = "COPY segments_uploadrow (upload_id, number, member, reason, outcome) FROM STDIN"
_OUTCOMES = """UPDATE segments_uploadrow r SET outcome = n.outcome
    FROM unnest(%(numbers)s::int[], %(outcomes)s::text[]) n(number, outcome)
    WHERE r.upload_id = %(upload)s AND r.number = n.number RETURNING 1"""
_COUNTS = "SELECT outcome, count(*) FROM segments_uploadrow WHERE upload_id = %(upload)s GROUP BY outcome"


@db_transaction.atomic
def upload_create(
    *, segment: Segment, file: IO[bytes], file_name: str, now: datetime, by: str = ""
) -> Upload:
    """Read a file with the columns `member` and, if it has it, `reason`; nobody is put in yet.

    Raises FileRefused, with nothing kept, SegmentIsDynamic and ProgrammeNotActive.
    """
    check_by_hand(segment)
    sheet = sheet_open(file, required=["member"], optional=["reason"])
    upload = Upload.objects.create(
        programme_id=segment.programme_id,
        segment=segment,
        file_name=file_name[:200],
        uploaded_by=by,
        uploaded_at=now,
    )
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for number, member, reason, outcome in _judged(sheet):
            copy.write_row((upload.pk, number, member, reason, outcome))
            upload.total += 1
    upload.counts = upload_preview(upload, now)
    upload.save(update_fields=["total", "counts"])
    return upload


def _judged(sheet: Sheet) -> Iterator[tuple[int, str, str, str]]:
    """The rows with what is wrong with them as rows: malformed, or a repetition of an earlier one."""
    seen = set()
    for number, cells in sheet:
        member, reason = cells["member"], cells.get("reason", "")
        outcome = "repeated" if member in seen else ""
        if not is_code(member) or len(reason) > REASON_MAX_LENGTH:
            outcome = "malformed"
        seen.add(member)
        yield number, member, reason, outcome


@db_transaction.atomic
def upload_confirm(*, upload: Upload, now: datetime) -> Upload:
    """Let a job put the members in. Raises UploadDecided, SegmentIsDynamic and ProgrammeNotActive."""
    locked = undecided(upload)
    check_by_hand(locked.segment)
    locked.status = Upload.Status.WAITING
    locked.save(update_fields=["status"])
    job = app.configure_task("segments.tasks.run_upload", queue="long", lock=f"segment-{locked.segment_id}")
    job.defer(upload=locked.pk)
    return locked


@db_transaction.atomic
def upload_drop(*, upload: Upload) -> None:
    """Forget the file. Raises UploadDecided once it was confirmed."""
    locked = undecided(upload)
    UploadRow.objects.filter(upload=locked).delete()
    locked.status = Upload.Status.DROPPED
    locked.save(update_fields=["status"])


def upload_run(*, upload_id: int, now: datetime) -> Upload:
    """Put the members in, piece by piece, each committed with what became of its rows.

    Whoever runs it again goes on where the last one stopped. Raises ProgrammeNotActive.
    """
    while (upload := _run_piece(upload_id, now)).status == Upload.Status.RUNNING:
        pass
    return upload


@db_transaction.atomic
def _run_piece(upload_id: int, now: datetime) -> Upload:
    upload = locked_upload(Upload, upload_id)
    if not upload.is_pending:
        return upload
    waiting = UploadRow.objects.filter(upload=upload, outcome="").order_by("number")
    piece = list(waiting.values_list("number", "member", "reason")[:PIECE])
    if piece:
        _apply(upload, piece, now)
        upload.status = Upload.Status.RUNNING
        upload.done += len(piece)
    else:
        upload.status, upload.finished_at, upload.done = Upload.Status.DONE, now, upload.total
        upload.counts = dict(rows(_COUNTS, {"upload": upload.pk}))
    upload.save(update_fields=["status", "done", "finished_at", "counts"])
    return upload


def _apply(upload: Upload, piece: list[tuple[int, str, str]], now: datetime) -> None:
    outcomes = memberships_apply(
        segment=upload.segment,
        operations=[
            Operation("add", member, reason or f"File {upload.file_name}"[:200])
            for _, member, reason in piece
        ],
        source=Membership.Source.IMPORT,
        now=now,
    )
    params = {
        "upload": upload.pk,
        "numbers": [number for number, _, _ in piece],
        "outcomes": [outcome.code or outcome.status for outcome in outcomes],
    }
    rows(_OUTCOMES, params)


def uploads_forget(*, now: datetime) -> int:
    """Delete the rows of files from long ago; returns how many went. Their counts stay."""
    count, _ = UploadRow.objects.filter(upload__uploaded_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    return count
