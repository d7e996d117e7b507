"""How the machine is at this moment: a loop for the processor, fdatasync for the disk."""

import os
import statistics
import time
from pathlib import Path
from typing import NamedTuple

SYNCS = 60
LOOPS = 300_000
TOLERANCE = 1.35
"""A probe this many times slower than the median of the run means that somebody else was at work."""


class Probe(NamedTuple):
    """Seconds of the loop, and of one fdatasync (median)."""

    loop: float
    sync: float


def probe(folder: Path) -> Probe:
    """`folder` is on the disk that the database is on."""
    start = time.perf_counter()
    number = 0
    for step in range(LOOPS):
        number = (number * 31 + step) & 0xFFFFFF
    loop = time.perf_counter() - start
    return Probe(loop, statistics.median(_syncs(folder / "probe")))


def _syncs(path: Path) -> list[float]:
    took = []
    with path.open("wb") as file:
        for _ in range(SYNCS):
            file.write(bytes(8192))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - start)
    path.unlink()
    return took


def is_calm(one: Probe, others: list[Probe]) -> bool:
    """Whether a probe is no outlier; nobody can say before there are three."""
    if len(others) < 3:
        return True
    return all(
        getattr(one, name) <= TOLERANCE * statistics.median(getattr(other, name) for other in others)
        for name in Probe._fields
    )
