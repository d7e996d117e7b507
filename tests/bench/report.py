"""What was seen, as a table and as var/bench.json."""

import json
import platform
import statistics
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from django.db import connection

from tests.bench.baskets import Shop
from tests.bench.contenders import Contender, Result
from tests.bench.web import THREADS, WORKERS
from tests.bench.world import MEMBERS

if TYPE_CHECKING:
    from tests.bench.run import Run

DREAM, NAIVE_BAR = 0.35, 12.0
ROW_SET = "key, account, entry, lot, transaction, usage (budget in 1 of 8), activity, outbox"
ORDER_ROWS = "key, account, entry, draw, lot, stock, order, 2 moves, delivery, voucher, activity, 2 outbox"
PACKAGES = ("django", "djangorestframework", "granian", "psycopg", "msgspec")


def progress(number: int, rounds: int, contender: Contender, result: Result) -> None:
    print(f"round {number + 1} of {rounds}: {contender.title}: {result.rate:,.0f}/s", flush=True)  # noqa: T201


def write(
    running: "Run", entrants: list[Contender], shop: Shop, complaints: list[str], seconds: float, cores: int
) -> None:
    """Print the table and keep it with all samples."""
    measured = {contender.name: _measured(running, contender) for contender in entrants}
    bars = _bars(running, entrants, measured)
    content = {
        "machine": {"cores": cores, "python": platform.python_version(), "system": platform.platform()},
        "versions": {name: version(name) for name in PACKAGES} | {"postgresql": _postgresql()},
        "row_set": ROW_SET,
        "world": f"{MEMBERS} members, {len(shop.products)} products, 10 live promotions",
        "baskets": f"{len(shop.baskets)} of {statistics.mean(map(len, shop.baskets)):.1f} lines, {shop.source}",
        "server": f"granian, {WORKERS} workers, {THREADS} threads each",
        "measured": measured,
        "bars": bars,
        "probes": {name: [getattr(probe, name) for probe in running.probes] for name in ("loop", "sync")},
        "complaints": complaints,
        "seconds": round(seconds, 1),
    }
    (running.place.var / "bench.json").write_text(json.dumps(content, indent=2) + "\n")
    print("\n".join(_lines(content, entrants)))  # noqa: T201


def _measured(running: "Run", contender: Contender) -> dict[str, Any]:
    samples = running.samples[contender.name]
    base = running.samples[contender.base]
    ratios = [one.result.rate / other.result.rate for one, other in zip(samples, base, strict=True)]
    each = [1e6 / sample.result.count for sample in samples]
    return {
        "title": contender.title,
        "per_second": [round(sample.result.rate, 1) for sample in samples],
        "ratio": round(statistics.median(ratios), 4),
        "ratios": [round(ratio, 4) for ratio in ratios],
        "app_cpu_us": _median(sample.app_cpu * x for sample, x in zip(samples, each, strict=True)),
        "database_cpu_us": _median(sample.database_cpu * x for sample, x in zip(samples, each, strict=True)),
        "generator_share_of_a_core": round(
            statistics.median(sample.result.client_cpu / sample.seconds for sample in samples), 3
        ),
        "ms": samples[-1].result.ms,
        "not_calm": sum(not sample.is_calm for sample in samples),
    }


def _median(values: Any) -> int:
    return round(statistics.median(values))


def _bars(running: "Run", entrants: list[Contender], measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    bars = [
        {"what": contender.title, "bar": contender.bar, "seen": measured[contender.name]["ratio"]}
        for contender in entrants
        if contender.bar
    ]
    if {"earn", "naive"} <= measured.keys():
        pairs = zip(running.samples["earn"], running.samples["naive"], strict=True)
        times = [earn.result.rate / naive.result.rate for earn, naive in pairs]
        bars.append(
            {"what": "HTTP earn to naive", "bar": NAIVE_BAR, "seen": round(statistics.median(times), 1)}
        )
    return [bar | {"met": bar["seen"] >= bar["bar"]} for bar in bars]


def _lines(content: dict[str, Any], entrants: list[Contender]) -> list[str]:
    lines = ["", f"{'':32}{'per second':>11}{'to pgbench':>12}{'app us':>9}{'db us':>8}{'p95 ms':>9}"]
    for contender in entrants:
        seen = content["measured"][contender.name]
        rate = statistics.median(seen["per_second"])
        spread = f"   {min(seen['ratios']):.2f}-{max(seen['ratios']):.2f}"
        lines.append(
            f"{contender.title:32}{rate:>11,.0f}{seen['ratio']:>12.3f}{seen['app_cpu_us']:>9,}"
            f"{seen['database_cpu_us']:>8,}{seen['ms'].get('p95', 0):>9}{spread}"
            + (f"   {seen['not_calm']} not calm" if seen["not_calm"] else "")
        )
    for bar in content["bars"]:
        verdict = "met" if bar["met"] else "missed"
        dream = f" (dream {DREAM})" if bar["what"] == "HTTP earn" else ""
        lines.append(f"{bar['what']}: {bar['seen']}, bar {bar['bar']}{dream}: {verdict}")
    if not any(contender.name == "import" for contender in entrants):
        lines.append("The import was not measured.")
    share = max(seen["generator_share_of_a_core"] for seen in content["measured"].values())
    lines += [
        f"Rows of an earn: {content['row_set']}.",
        f"Rows of a gift order: {ORDER_ROWS}.",
        f"Baskets: {content['baskets']}. {content['world']}.",
        f"{content['server']}; the generator took {share:.0%} of a core at most.",
        ", ".join(f"{name} {number}" for name, number in content["versions"].items()),
        f"{content['seconds']} s in all. Figures a second are of this machine and hour; compare ratios.",
    ]
    return lines + [f"WRONG: {complaint}" for complaint in content["complaints"]]


def _postgresql() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])
