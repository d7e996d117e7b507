"""Loading the year while somebody looks at the clock and at memory."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import cpu
from tests.bench.place import Place
from tests.bench.web import PROJECT

QUARTERS = (25, 50, 75, 100)
RECEIPTS = 155_848
LOOK_SECONDS = 1.0
_PROGRESS = """
SELECT coalesce(sum(a.transactions), 0) FROM loyalty_account a JOIN members_programme p ON p.id = a.programme_id
WHERE p.code = 'complete-journey'"""


@dataclass
class Loaded:
    """Receipts, seconds in all and of the import alone, and the most memory (MB) up to each quarter."""

    receipts: int = 0
    seconds: float = 0.0
    import_seconds: float = 0.0
    peaks: dict[int, float] = field(default_factory=dict)
    printed: str = ""

    @property
    def rate(self) -> float:
        return self.receipts / self.import_seconds

    def lines(self) -> list[str]:
        peaks = ", ".join(f"{quarter} %: {self.peaks.get(quarter, 0):.0f}" for quarter in QUARTERS)
        return [
            f"{self.receipts:,} receipts in {self.import_seconds:.0f} s ({self.rate:,.0f}/s), {self.seconds:.0f} s"
            " with the set-up",
            f"most memory of all processes together, in MB, by quarter: {peaks}",
        ]


def load(place: Place, *arguments: str, whole: int = RECEIPTS) -> Loaded:
    """Run the command in a database where nothing of it is yet. RuntimeError when it fails."""
    command = [sys.executable, "manage.py", "load_complete_journey", *arguments]
    log = place.folder / "journey.log"
    began = time.perf_counter()
    loaded = Loaded()
    with log.open("w") as output, place.connect() as connection:
        running = subprocess.Popen(
            command, cwd=PROJECT, env=place.environment, stdout=output, stderr=subprocess.STDOUT
        )
        peaks: dict[int, float] = {}
        while running.poll() is None:
            time.sleep(LOOK_SECONDS)
            row = connection.execute(_PROGRESS).fetchone()
            done = int(row[0]) if row else 0
            if done:
                quarter = next(x for x in QUARTERS if 100 * done <= x * whole)
                peaks[quarter] = max(peaks.get(quarter, 0.0), memory(running.pid))
        loaded.receipts = done
    loaded.seconds, loaded.peaks, loaded.printed = time.perf_counter() - began, peaks, log.read_text()
    took = re.search(r"^([\d.]+) seconds", loaded.printed, re.MULTILINE)
    if running.returncode or not took:
        raise RuntimeError(f"loading failed:\n{loaded.printed[-3000:]}")
    loaded.import_seconds = float(took[1])
    return loaded


def memory(pid: int) -> float:
    """Megabytes of a process and those it started; what they share counts once."""
    return sum(_proportional(each) for each in cpu.family(pid)) / 1024


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it has ended
    found = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0
