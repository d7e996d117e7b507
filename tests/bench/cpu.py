"""Processor time of a process and its descendants, as Linux counts it; 0 elsewhere."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(root: int) -> float:
    """User and system seconds so far, those of children that have ended included."""
    times = _times()
    return sum(times[pid][1] for pid in _family(root, times) if pid in times) / _TICKS


def family(root: int) -> set[int]:
    """A process, what it started, and what those started."""
    return _family(root, _times())


def _times() -> dict[int, tuple[int, int]]:
    """Parent and ticks of each process."""
    times: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        times[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return times


def _family(root: int, times: dict[int, tuple[int, int]]) -> set[int]:
    found = {root}
    while more := {pid for pid, (parent, _) in times.items() if parent in found} - found:
        found |= more
    return found
