"""`python -m tests.bench --journey`: the year of The Complete Journey loaded, and recomputed, beside pgbench."""

import argparse
import json
import statistics
import time

from django.core.management import call_command

from tests.bench import baskets, journey_check, loading, world
from tests.bench.pgbench import Pgbench
from tests.bench.place import Place
from tests.bench.report import ROW_SET
from tests.reference.journey import recompute

SECONDS = 10


def run(place: Place, given: argparse.Namespace) -> int:
    """pgbench, load, pgbench, recompute; 1 when a single receipt earned something else."""
    call_command("migrate", verbosity=0, interactive=False)
    ground = world.build(baskets.shop())
    with place.connect() as connection:
        connection.execute("VACUUM ANALYZE")
    pgbench = Pgbench(place, ground)
    seconds = given.seconds or SECONDS
    rates = [pgbench.run(seconds).rate]
    _say(f"pgbench: {rates[0]:,.0f}/s")
    some = ["--baskets", f"{given.baskets}"] if given.baskets else []
    loaded = loading.load(place, *some, whole=given.baskets or loading.RECEIPTS)
    rates.append(pgbench.run(seconds).rate)
    _say(f"pgbench: {rates[1]:,.0f}/s", *loaded.lines())
    ratio = loaded.rate / statistics.mean(rates)
    _say(f"{ratio:.3f} of pgbench, whose earn writes: {ROW_SET}", "Recomputing every receipt ...")
    began = time.perf_counter()
    booked = journey_check.booked()
    lines = (line for line in journey_check.bought() if not some or line.receipt in booked)
    found = journey_check.compare(recompute(lines, journey_check.mailings()), booked)
    _say(*found.lines(), f"recomputed in {time.perf_counter() - began:.0f} s")
    content = {
        "receipts": loaded.receipts,
        "import_seconds": loaded.import_seconds,
        "per_second": round(loaded.rate, 1),
        "pgbench_per_second": [round(rate, 1) for rate in rates],
        "ratio": round(ratio, 4),
        "peak_mb": {quarter: round(peak) for quarter, peak in loaded.peaks.items()},
        "points": found.points,
        "differences": len(found.differences),
    }
    (place.var / "bench-journey.json").write_text(json.dumps(content, indent=2) + "\n")
    return 1 if found.differences else 0


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201
