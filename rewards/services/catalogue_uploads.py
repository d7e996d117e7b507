"""Files of gifts: read whole, looked at, then run row by row by a job. What they change waits for validation."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import IO

from django.db import transaction as db_transaction
from django.db.models import Count
from procrastinate.contrib.django import app

from config.kernel.errors import PictureRefused, RistourneError
from config.kernel.pictures import check
from config.kernel.sheets import FileRefused, Sheet, SheetRow, sheet_open
from config.kernel.uploads import locked_upload, undecided
from members.models import Programme
from rewards.archives import Opened, opened
from rewards.models import CataloguePicture, CatalogueRow, CatalogueUpload
from rewards.services.content import names_of
from rewards.services.imports import (
    REFUSED,
    Known,
    change_apply,
    change_of,
    check_change,
    known_gifts,
    pictures_named,
    place_of,
    told,
)
from rewards.services.pictures import picture_store
from rewards.services.sheet import Place, image_names

MAX_ROWS = 10_000
PIECE = 500
"""Rows that are looked at together."""
KEPT_DAYS = 30
"""How long the rows and pictures of a file are kept."""


@db_transaction.atomic
def catalogue_upload_create(
    *, programme: Programme, file: IO[bytes], file_name: str, now: datetime, by: str
) -> CatalogueUpload:
    """Read a file of gifts, CSV or XLSX, alone or in a ZIP with their pictures; no gift is changed yet.

    Raises FileRefused, with nothing kept.
    """
    found, place = opened(file), place_of(programme)
    sheet = sheet_open(
        found.sheet, required=["code"], optional=[name.lower() for name in place.columns()[1:]],
        max_rows=MAX_ROWS,
    )  # fmt: skip
    _check_columns(sheet, place)
    upload = CatalogueUpload.objects.create(
        programme=programme, file_name=file_name[:200], uploaded_by=by[:150], uploaded_at=now
    )
    look, counts = _Look(upload, found, place, now), Counter[str]()
    for piece in _pieces(sheet):
        judged = look.judged(piece)
        CatalogueRow.objects.bulk_create(judged)
        counts.update(row.plan for row in judged)
    upload.total, upload.counts = counts.total(), dict(counts)
    upload.save(update_fields=["total", "counts"])
    return upload


def _check_columns(sheet: Sheet, place: Place) -> None:
    if sheet.ignored:
        unknown = ", ".join(sheet.ignored)[:200]
        raise FileRefused(f"Nobody knows the column {unknown}. Columns are: {', '.join(place.columns())}.")


def _pieces(sheet: Sheet) -> Iterator[list[SheetRow]]:
    piece = list[SheetRow]()
    for row in sheet:
        piece.append(row)
        if len(piece) == PIECE:
            yield piece
            piece = []
    yield piece


class _Look:
    """A first look at the rows of a file: what they would come to, and the pictures they name, kept."""

    def __init__(self, upload: CatalogueUpload, found: Opened, place: Place, now: datetime) -> None:
        self.upload, self.found, self.place, self.now = upload, found, place, now
        self.names = names_of(upload.programme)
        self.seen = dict[str, int]()
        self.kept = dict[str, int]()
        self.judged_pictures = dict[str, str]()

    def judged(self, piece: list[SheetRow]) -> list[CatalogueRow]:
        known = known_gifts(self.upload.programme, [cells["code"] for _, cells in piece])
        named = (name for _, cells in piece for name in image_names(cells.get("images", "")))
        self.kept = pictures_named(self.upload.programme, named) | _own_pictures(known.values())
        return [self.row(number, cells, known) for number, cells in piece]

    def row(self, number: int, cells: dict[str, str], known: Mapping[str, Known]) -> CatalogueRow:
        first = self.seen.setdefault(cells["code"], number)
        plan, why = REFUSED, f"code: repeats row {first}."
        if first == number:
            plan, why = self.plan(cells, known.get(cells["code"]))
        outcome = REFUSED if plan == REFUSED else ""
        return CatalogueRow(
            upload=self.upload, number=number, cells=cells, plan=plan, why=why, outcome=outcome
        )

    def plan(self, cells: dict[str, str], known: Known | None) -> tuple[str, str]:
        try:
            change = change_of(cells, known, self.place, self.resolve)
            check_change(self.upload.programme, change, self.names, self.now)
        except FileRefused:
            raise
        except RistourneError as error:
            return REFUSED, told(error)
        return change.kind, ""

    def resolve(self, name: str) -> int | None:
        """A picture of the ZIP is judged and kept as it is until the job; others are the programme's."""
        key = name.lower()
        if key not in self.found.entries:
            return _known_picture(self.kept, name)
        if key not in self.judged_pictures:
            self.judged_pictures[key] = self.keep(key)
        if why := self.judged_pictures[key]:
            raise PictureRefused(f"images: {name[:100]}: {why}")
        return None

    def keep(self, key: str) -> str:
        content = self.found.picture(key) or b""
        try:
            check(content)
        except PictureRefused as error:
            return error.detail
        CataloguePicture.objects.create(upload=self.upload, name=key, content=content)
        return ""


def _own_pictures(known: Iterable[Known]) -> dict[str, int]:
    """The pictures of gifts by file name, as an export writes it."""
    rows = (row for one in known if one.version for row in one.version.pictures.all())
    return {row.picture.files[0]["name"]: row.picture_id for row in rows}


def _known_picture(kept: Mapping[str, int], name: str) -> int:
    if (found := kept.get(name)) is None:
        raise PictureRefused(f"images: no picture {name[:100]} was uploaded with the file, or before.")
    return found


@db_transaction.atomic
def catalogue_upload_confirm(*, upload: CatalogueUpload) -> CatalogueUpload:
    """Let a job write the drafts. Raises UploadDecided."""
    locked = undecided(upload)
    locked.status = CatalogueUpload.Status.WAITING
    locked.save(update_fields=["status"])
    lock = f"catalogue-{locked.programme_id}"
    app.configure_task("rewards.tasks.run_catalogue_upload", queue="long", lock=lock).defer(upload=locked.pk)
    return locked


@db_transaction.atomic
def catalogue_upload_drop(*, upload: CatalogueUpload) -> None:
    """Forget the file. Raises UploadDecided once it was confirmed."""
    locked = undecided(upload)
    locked.rows.all().delete()
    locked.pictures.all().delete()
    locked.status = CatalogueUpload.Status.DROPPED
    locked.save(update_fields=["status"])


def catalogue_upload_run(*, upload_id: int, now: datetime) -> CatalogueUpload:
    """Write what the rows want, each committed with what became of it.

    Whoever runs it again goes on where the last one stopped.
    """
    while (upload := _run_next(upload_id, now)).status == CatalogueUpload.Status.RUNNING:
        pass
    return upload


@db_transaction.atomic
def _run_next(upload_id: int, now: datetime) -> CatalogueUpload:
    """Run one row: a gift is locked before the catalogue's number, so two in a transaction could block others."""
    upload = locked_upload(CatalogueUpload, upload_id)
    if not upload.is_pending:
        return upload
    row = upload.rows.filter(outcome="").order_by("number").first()
    if row is None:
        return _finish(upload, now)
    row.outcome, row.why = _run(upload, row.cells, now)
    CatalogueRow.objects.filter(upload=upload, number=row.number).update(outcome=row.outcome, why=row.why)
    upload.status = CatalogueUpload.Status.RUNNING
    upload.done += 1
    upload.save(update_fields=["status", "done"])
    return upload


def _run(upload: CatalogueUpload, cells: dict[str, str], now: datetime) -> tuple[str, str]:
    programme = upload.programme

    def resolve(name: str) -> int:
        own = upload.pictures.filter(name=name.lower()).first()
        if own is None:
            return _known_picture(pictures_named(programme, [name]), name)
        return picture_store(programme=programme, content=bytes(own.content), now=now).pk

    try:
        with db_transaction.atomic():
            known = known_gifts(programme, [cells["code"]]).get(cells["code"])
            change = change_of(cells, known, place_of(programme), resolve)
            change_apply(programme, change, upload.uploaded_by, now)
    except RistourneError as error:
        return REFUSED, told(error)
    return change.kind, ""


def _finish(upload: CatalogueUpload, now: datetime) -> CatalogueUpload:
    counts = upload.rows.order_by().values_list("outcome").annotate(Count("number"))
    upload.status, upload.finished_at = CatalogueUpload.Status.DONE, now
    upload.done, upload.counts = upload.total, dict(counts)
    upload.save(update_fields=["status", "done", "finished_at", "counts"])
    upload.pictures.all().delete()
    return upload


def catalogue_uploads_forget(*, now: datetime) -> int:
    """Delete rows and pictures of files from long ago; returns how many rows went. Their counts stay."""
    before = now - timedelta(days=KEPT_DAYS)
    CataloguePicture.objects.filter(upload__uploaded_at__lt=before).delete()
    count, _ = CatalogueRow.objects.filter(upload__uploaded_at__lt=before).delete()
    return count
