"""manage.py import_transactions: receipts in bulk from a CSV file."""

import csv
import os
import signal
import threading
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from config.kernel.errors import RistourneError
from loyalty.imports import booking, reading, staging
from loyalty.imports.receipts import Reject
from members.models import Programme

MOST_WORKERS = 4


def renamed(text: str) -> tuple[str, str]:
    """A --map: a field and the column it is in."""
    field, _, column = text.partition("=")
    if field not in reading.FIELDS or not column:
        raise ArgumentTypeError(f"write field=column, with a field of {', '.join(reading.FIELDS)}")
    return field, column


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError("a whole number above 0")
    return int(text)


@dataclass(slots=True)
class Summary:
    """What an import did so far."""

    lines: int = 0
    receipts: int = 0
    decided: int = 0
    booked: int = 0
    repeated: int = 0
    rejected: int = 0
    points: int = 0
    longest: float = 0.0

    def count(self, report: booking.Report) -> None:
        self.decided += report.receipts
        self.booked += report.booked
        self.repeated += report.repeated
        self.rejected += len(report.rejects)
        self.points += report.points
        self.longest = max(self.longest, report.seconds)


class Command(BaseCommand):
    """Reads, stages and books; what it says at the end accounts for every receipt of the file."""

    help = (
        "Book receipts from a CSV file, one row a line of a receipt, each receipt once and for ever by its"
        " reference. An import that was stopped is simply started again. Columns: "
        + ", ".join(reading.FIELDS)
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="UTF-8, comma separated, with a header")
        parser.add_argument("--programme", required=True, metavar="CODE")
        parser.add_argument(
            "--dry-run", action="store_true", help="decide everything, book nothing (one worker)"
        )
        parser.add_argument(
            "--map", type=renamed, action="extend", nargs="+", default=[], metavar="FIELD=COLUMN",
            help="which column of the file a field is in, when it is not named after it",
        )  # fmt: skip
        parser.add_argument("--backdate", type=positive, metavar="DAYS", help="accept receipts this old")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="default: FILE.rejects.csv")
        workers = min(os.cpu_count() or 1, MOST_WORKERS)
        parser.add_argument("--workers", type=positive, default=workers, help=f"default here: {workers}")

    def handle(self, *args: Any, **options: Any) -> None:
        programme = Programme.objects.filter(code=options["programme"]).first()
        if programme is None:
            raise CommandError(f"There is no programme {options['programme']}.")
        path = Path(options["file"])
        rejects = Path(options["rejects"] or path.with_name(f"{path.name}.rejects.csv"))
        began = time.perf_counter()
        try:
            columns = reading.columns_of(reading.header_of(path), dict(options["map"]))
            if columns.ignored:
                self.stdout.write(f"Columns not used: {', '.join(columns.ignored)}")
            with staging.staging(programme.pk), rejects_to(rejects) as refuse:
                done = self._import(programme, reading.rows_of(path, columns), refuse, options)
        except RistourneError as error:
            raise CommandError(error.detail) from error
        except BrokenProcessPool as error:
            raise CommandError("A worker died. What is booked stays booked; start again.") from error
        self._sum_up(done, time.perf_counter() - began, rejects, options["dry_run"])

    def _import(
        self,
        programme: Programme,
        read: Iterator[reading.Row],
        refuse: Callable[[Reject], None],
        options: dict[str, Any],
    ) -> Summary:
        done = Summary()

        def referenced() -> Iterator[reading.Row]:
            for row in tqdm(read, "reading", unit=" lines", disable=self._is_quiet(options)):
                done.lines += 1
                if "reference" in row.cells:
                    yield row
                else:
                    done.rejected += 1
                    refuse(Reject("", str(row.position), "unreadable", row.error or "No reference."))

        workers = 1 if options["dry_run"] else options["workers"]
        zone = ZoneInfo(programme.time_zone)
        done.receipts = staging.stage(programme.pk, referenced(), zone, workers)
        job = booking.Job(programme.pk, programme.currency, zone, options["backdate"])
        bar = tqdm(total=done.receipts, desc="booking", unit=" receipts", disable=self._is_quiet(options))
        with bar, stopping() as stop:
            is_dry = options["dry_run"]
            reports = booking.rehearse(job, stop) if is_dry else booking.book(job, workers, stop)
            for report in reports:
                done.count(report)
                bar.update(report.receipts)
                for item in report.rejects:
                    refuse(item)
        return done

    def _is_quiet(self, options: dict[str, Any]) -> bool | None:
        """No progress at verbosity 0; otherwise only where somebody watches."""
        return True if options["verbosity"] == 0 else None

    def _sum_up(self, done: Summary, seconds: float, rejects: Path, is_dry: bool) -> None:
        if is_dry:
            self.stdout.write("Dry run: nothing was booked.")
        rate = done.decided / seconds
        self.stdout.write(
            f"read {done.lines:,} lines, {done.receipts:,} receipts\n"
            f"booked {done.booked:,}\n"
            f"already booked {done.repeated:,}\n"
            f"rejected {done.rejected:,}" + (f" (see {rejects})" if done.rejected else "") + "\n"
            f"points {done.points:,}\n"
            f"{seconds:.1f} seconds, {rate:,.0f} receipts/s, longest chunk {done.longest:.2f} s"
        )
        if done.decided < done.receipts:
            raise CommandError(
                f"{done.receipts - done.decided:,} receipts are left: start again.", returncode=130
            )


@contextmanager
def rejects_to(path: Path) -> Iterator[Callable[[Reject], None]]:
    """A function that writes what was not booked to a CSV file, made anew."""
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}.") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(Reject._fields)
        yield writer.writerow


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Whether to stop: since the first Ctrl-C or SIGTERM. The second stops at once."""
    stop = threading.Event()
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
