"""Booking staged receipts: chunk by chunk, each member's in order, as many chunks at once as wanted.

A chunk goes through `transactions_earn`, as a batch of the API does. What stops an import loses at most
the chunks that were not booked yet; the next import finds the others by their references.
"""

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from config.kernel.errors import RistourneError
from loyalty.apply import Call
from loyalty.imports.receipts import Reject, command_of, reject
from loyalty.imports.staging import take
from loyalty.ledger import Posting
from loyalty.services import BasketCommand, Write, transactions_earn
from loyalty.services.batches import Outcome
from loyalty.services.desk import Booking, Desk
from loyalty.services.evaluations import gather_baskets
from loyalty.tiers import Progress

AIM_SECONDS = 0.15
"""How long a chunk should take, gathering and deciding included. Nobody is to wait for an account longer than
half a second; what a chunk takes is the most it may be locked, for one that was overtaken twice runs under
its accounts' locks from start to end."""
FIRST_LINES, FEWEST_LINES, MOST_LINES = 200, 10, 2_000
"""Receipts that are booked already go by quickly; the most is what still is short when they are new."""

Usage = dict[int, dict[tuple[int, date], tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Job:
    """What to import: a programme's staged receipts, with its currency and zone for those that name none.

    `backdate_days` replaces the programme's limit.
    """

    programme_id: int
    currency: str
    zone: ZoneInfo
    backdate_days: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a share to go on, and how many lines to take."""

    share: int
    after: int = 0
    lines: int = FIRST_LINES


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a chunk; `seconds` is how long its accounts may have been locked at most."""

    next: Place
    receipts: int
    booked: int
    repeated: int
    points: int
    seconds: float
    rejects: list[Reject]


Earn = Callable[[Job, Write, Sequence[BasketCommand]], list[Outcome]]


def earn(job: Job, write: Write, commands: Sequence[BasketCommand]) -> list[Outcome]:
    """Book baskets for good."""
    return transactions_earn(write=write, commands=commands, backdate_days=job.backdate_days, explains=False)


@dataclass(slots=True)
class Rehearsal:
    """Decides baskets as `earn` does and books nothing: what it would have left is kept in memory.

    All of it happens at one instant, so that no lot changes between two chunks.
    """

    now: datetime
    postings: dict[int, Posting] = field(default_factory=dict)
    usage: Usage = field(default_factory=dict)
    budgets: dict[int, tuple[int, int]] = field(default_factory=dict)
    tiers: dict[int, Progress] = field(default_factory=dict)

    def earn(self, job: Job, write: Write, commands: Sequence[BasketCommand]) -> list[Outcome]:
        write = replace(write, now=self.now)
        gathered, rules = gather_baskets(write.programme_id, commands, write.now)
        call = Call(write.now, usage=self.usage, budgets=self.budgets)
        desk = Desk(write, gathered, rules, call, job.backdate_days, False, self.postings, tiers=self.tiers)
        pairs = zip(commands, gathered.contexts, strict=True)
        outcomes = [desk.outcome(command, context) for command, context in pairs]
        for posting in self.postings.values():
            posting.lots.clear()  # settled for good: an earn looks at its own lot only
        return outcomes


def book_chunk(job: Job, place: Place, decide: Earn = earn) -> Report | None:
    """Book the receipts at a place; None at the end of the share."""
    chunk = take(job.programme_id, place.share, place.after, place.lines)
    if chunk is None:
        return None
    write = Write(job.programme_id, timezone.now())
    rejects, receipts, commands = [], [], []
    for receipt in chunk.receipts:
        try:
            commands.append(command_of(receipt, job.currency, job.zone, write.now))
            receipts.append(receipt)
        except RistourneError as error:
            rejects.append(reject(receipt, error))
    began = time.perf_counter()
    outcomes = decide(job, write, commands) if commands else []
    seconds = time.perf_counter() - began
    bookings = [outcome for outcome in outcomes if isinstance(outcome, Booking)]
    rejects += [
        reject(receipt, outcome)
        for receipt, outcome in zip(receipts, outcomes, strict=True)
        if isinstance(outcome, RistourneError)
    ]
    fresh = [booking for booking in bookings if not booking.replayed]
    return Report(
        next=Place(place.share, chunk.end, _lines(chunk.end - place.after, seconds)),
        receipts=len(chunk.receipts),
        booked=len(fresh),
        repeated=len(bookings) - len(fresh),
        points=sum(booking.row.points for booking in fresh),
        seconds=seconds,
        rejects=rejects,
    )


def _lines(lines: int, seconds: float) -> int:
    """How many lines to take next so that they take about AIM_SECONDS; at most twice as many as before."""
    factor = min(AIM_SECONDS / max(seconds, 0.001), 2.0)
    return max(FEWEST_LINES, min(MOST_LINES, int(lines * factor)))


Stop = Callable[[], bool]
"""Asked before each chunk whether to leave it and what follows for another time."""


def rehearse(job: Job, stop: Stop) -> Iterator[Report]:
    """What booking the one share would give, with nothing booked."""
    return _one_by_one(job, Rehearsal(timezone.now()).earn, stop)


def book(job: Job, workers: int, stop: Stop) -> Iterator[Report]:
    """Book all shares, of which there are as many as workers; each worker but a single one is a process."""
    return _one_by_one(job, earn, stop) if workers == 1 else _side_by_side(job, workers, stop)


def _one_by_one(job: Job, decide: Earn, stop: Stop) -> Iterator[Report]:
    place = Place(share=0)
    while not stop() and (report := book_chunk(job, place, decide)):
        place = report.next
        yield report


def _side_by_side(job: Job, workers: int, stop: Stop) -> Iterator[Report]:
    """One chunk of each share at a time, so that a member's receipts keep their order.

    BrokenProcessPool when a worker dies.
    """
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker) as pool:
        waiting = {pool.submit(book_chunk, job, Place(share)) for share in range(workers)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for report in filter(None, (future.result() for future in done)):
                if not stop():
                    waiting.add(pool.submit(book_chunk, job, report.next))
                yield report


def _begin_worker() -> None:
    """A connection of its own; the parent decides when to stop, and nobody books for a parent that died."""
    gc.freeze()
    gc.set_threshold(
        100_000
    )  # a chunk makes many rows and no circles: looking for them took a fifth of the time
    connection.connection = None
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
