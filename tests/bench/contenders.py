"""What is measured, each as a function of the seconds it may take."""

import csv
import re
import resource
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.core.management import get_commands

from tests.bench.pgbench import Pgbench, earns, orders
from tests.bench.place import Place
from tests.bench.web import PROJECT, Load, Web
from tests.bench.world import RICH, World

BOOKING = ("transactions", "entries", "lots", "outbox", "activity")
ORDERING = {
    **dict.fromkeys(("keys", "redemptions", "entries", "draws", "deliveries", "vouchers"), 1),
    "moves": 2,
    "news": 2,
}
"""Rows of a gift order: a digital voucher is exchanged and delivered at once."""
IMPORTED_A_SECOND = 1_500
"""Receipts in the file of the import, for each second it may take."""


@dataclass(frozen=True)
class Result:
    """`count` baskets at `rate` a second; the rows that must be there since; CPU seconds of the
    generator, and of a product that is no server."""

    count: int
    rate: float
    rows: Mapping[str, int]
    client_cpu: float = 0.0
    app_cpu: float = 0.0
    ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """`bar` is the ratio to `base` (a contender) that it must reach, `server` the process whose CPU time it takes."""

    name: str
    title: str
    run: Callable[[int], Result]
    bar: float | None = None
    server: int | None = None
    base: str = "pgbench"


def pgbench(place: Place, world: World) -> Contender:
    """The product's two statements of one earn, without the product."""
    bench = Pgbench(place, earns(world), (world.pgbench_first, world.half))

    def run(seconds: int) -> Result:
        ran = bench.run(seconds)
        return Result(ran.count, ran.rate, dict.fromkeys(("keys", *BOOKING), ran.count))

    return Contender("pgbench", "pgbench, gather and post", run)


def pgbench_redeem(place: Place, world: World) -> Contender:
    """The product's two statements of one gift order, without the product."""
    bench = Pgbench(place, orders(world), (world.pgbench_first, RICH))

    def run(seconds: int) -> Result:
        ran = bench.run(seconds)
        return Result(ran.count, ran.rate, _ordered(ran.count))

    return Contender("pgbench-redeem", "pgbench, gift order", run, base="pgbench-redeem")


def _ordered(count: int) -> dict[str, int]:
    return {name: each * count for name, each in ORDERING.items()}


def over_http(
    name: str,
    title: str,
    web: Web,
    world: World,
    load: Load,
    rows: Callable[[Any], Mapping[str, int]],
    **more: Any,
) -> Contender:
    """Calls from a generator; `rows` says what its outcome must have left in the database."""

    def run(seconds: int) -> Result:
        outcome = load.run(web, world, seconds)
        rate = outcome["count"] / outcome["seconds"]
        return Result(outcome["count"], rate, rows(outcome), outcome["cpu_seconds"], ms=outcome["ms"])

    return Contender(name, title, run, server=web.process.pid, **more)


def product(web: Web, world: World) -> list[Contender]:
    """The product over HTTP."""
    one, batch = "/api/v1/transactions", "/api/v1/transactions/batch"
    full = Load(batch, connections=2, size=500, expected='"booked":500,"repeated":0,"refused":0')

    def earned(outcome: Mapping[str, Any]) -> Mapping[str, int]:
        return dict.fromkeys(BOOKING, outcome["count"]) | {"keys": outcome["calls"]}

    return [
        over_http("earn", "HTTP earn", web, world, Load(one), earned, bar=0.25),
        over_http("evaluate", "HTTP evaluate", web, world, Load("/api/v1/basket-evaluations"), lambda _: {}),
        over_http(
            "redeem",
            "HTTP redeem",
            web,
            world,
            Load("/api/v1/redemptions", expected='"status":"delivered"', bodies=world.orders, members=RICH),
            lambda outcome: _ordered(outcome["count"]),
            bar=0.25,
            base="pgbench-redeem",
        ),
        over_http("batch", "HTTP batch, 500 a call", web, world, full, earned, bar=0.8),
    ]


def naive(web: Web, world: World) -> Contender:
    """The twin over HTTP."""
    load = Load("/api/v1/transactions")
    return over_http(
        "naive", "naive HTTP earn", web, world, load, lambda outcome: {"naive": outcome["count"]}
    )


def imports(place: Place, world: World) -> Contender | None:
    """`manage.py import_transactions`, by the receipts/s it says itself (the start of Python is not in it)."""
    if "import_transactions" not in get_commands():
        return None
    numbers = count()

    def run(seconds: int) -> Result:
        path = place.folder / f"receipts-{next(numbers)}.csv"
        receipts = _write_receipts(path, world, IMPORTED_A_SECOND * seconds)
        command = [sys.executable, "manage.py", "import_transactions", "--verbosity=0", "--programme=bench"]
        environment = place.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        before = _children_cpu()
        done = subprocess.run(
            [*command, f"{path}"], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300
        )
        rate = re.search(r"([\d,]+) receipts/s", done.stdout)
        if done.returncode or not rate or f"booked {receipts:,}\n" not in done.stdout:
            raise RuntimeError(f"The import failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        path.unlink()
        cpu = _children_cpu() - before
        rows = dict.fromkeys(BOOKING, receipts)
        return Result(receipts, float(rate[1].replace(",", "")), rows, app_cpu=cpu)

    return Contender("import", "manage.py import_transactions", run, bar=1.0)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write_receipts(path: Any, world: World, wanted: int) -> int:
    """Receipts of all baskets in turn, by all members in turn."""
    tag = secrets.token_hex(4)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "reference",
                "member",
                "occurred_at",
                "channel",
                "store",
                "currency",
                "line",
                "sku",
                "quantity",
                "amount",
            ]
        )
        for n in range(wanted):
            body = world.baskets[n % len(world.baskets)]
            shared = [f"I-{tag}-{n}", world.web_first + n % world.half]
            shared += [body[name] for name in ("occurred_at", "channel", "store", "currency")]
            writer.writerows([*shared, *line.values()] for line in body["lines"])
    return wanted
