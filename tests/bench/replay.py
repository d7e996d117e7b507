"""`python -m tests.bench --replay`: a draft over a year of baskets, engine and reading together.

The year is the sample of tests/data again and again, a few days earlier each time; `--replay CODE` takes the
baskets of a programme that is there already (DATABASE_URL, or the private server of RISTOURNE_VAR). The bar is
baskets a second of one core: CPU seconds of the replay and of PostgreSQL's process for it together.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.core.management import call_command
from django.db import connection

from config import journey
from config.kernel.sql import rows
from loyalty.models import Replay, Transaction
from loyalty.promotions.drafts import Draft
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.services import replay_ask, replay_run
from members.models import Programme

BAR = 5_000
COPIES = 88
"""With the sample itself 155,483 baskets, as many as a year of The Complete Journey has."""
STEP = timedelta(days=4, minutes=3)
TICKS = os.sysconf("SC_CLK_TCK")

GROCERY = ProductSetRule(categories=("GROCERY",))
DRAFTS = {
    "7 points for everybody": PromotionRule("fixed", "7"),
    "category, all caps, budget": PromotionRule(
        "multiplier",
        "2",
        products=GROCERY,
        caps={
            "transaction": Cap("25"),
            "day": Cap("20.5"),
            "month": Cap("40", 9),
            "total": Cap(uses=100),
            "budget": Cap("500000"),
        },
    ),
    "in a group with others": PromotionRule(
        "fixed", "6", exclusivity_group="BRAND", caps={"month": Cap(points="40")}
    ),
    "one store, weekends": PromotionRule("fixed", "6", stores=("367",), weekdays=(6, 7)),
}


class Seen(NamedTuple):
    """One replay, measured."""

    name: str
    baskets: int
    changed: int
    wall: float
    app: float
    database: float

    @property
    def a_core(self) -> float:
        """Baskets a second of one core, engine and reading together."""
        return self.baskets / (self.app + self.database)


def run(code: str | None) -> int:
    """Measure and report; 1 when the bar is missed."""
    programme = Programme.objects.get(code=code) if code else build()
    seen = [measured(programme, name, rule) for name, rule in DRAFTS.items()]
    lines = [
        f"{'':28}{'baskets':>9}{'changed':>9}{'wall s':>8}{'app s':>7}{'db s':>7}{'/s wall':>9}{'/s core':>9}"
    ]
    for x in seen:
        lines.append(
            f"{x.name:28}{x.baskets:>9,}{x.changed:>9,}{x.wall:>8.1f}{x.app:>7.1f}{x.database:>7.1f}"
            f"{x.baskets / x.wall:>9,.0f}{x.a_core:>9,.0f}"
        )
    least = min(x.a_core for x in seen)
    lines.append(
        f"Replay, baskets/s of one core: {least:,.0f}, bar {BAR:,}: {'met' if least >= BAR else 'missed'}"
    )
    print("\n".join(lines))  # noqa: T201
    return int(least < BAR)


def build() -> Programme:
    """The sample's programme with a year of baskets. The copies have transactions only: a replay reads no more."""
    programme = journey.journey_create()
    call_command(
        "import_transactions",
        str(journey.RECEIPTS),
        programme=programme.code,
        map=[*journey.COLUMNS.items()],
        backdate=36_500,
        rejects=Path(os.devnull),
        verbosity=0,
        workers=1,
    )
    _copy(programme)
    return programme


def _copy(programme: Programme) -> None:
    changed = {
        "id": "gen_random_uuid()",
        "reference": "reference || '-' || n",
        "occurred_at": "occurred_at - n * %(step)s::interval",
        "day": "(occurred_at - n * %(step)s::interval)::date",
    }
    columns = [field.column for field in Transaction._meta.concrete_fields]
    values = [changed.get(column, column) for column in columns]
    query = f"""
        INSERT INTO loyalty_transaction ({", ".join(columns)}) SELECT {", ".join(values)}
        FROM loyalty_transaction, generate_series(1, %(copies)s) n WHERE programme_id = %(programme)s
        RETURNING 1"""
    rows(query, {"step": STEP, "copies": COPIES, "programme": programme.pk})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measured(programme: Programme, name: str, rule: PromotionRule) -> Seen:
    """Ask for it and run it, as a worker would."""
    replay = replay_ask(
        programme=programme,
        draft=Draft("BENCH", rule),
        first_day=_first_day(programme),
        last_day=date(2018, 12, 31),
        is_throughout=True,
        actor="bench",
        now=datetime.now(UTC),
    )
    ((process,),) = rows("SELECT pg_backend_pid()", {})
    clocks: tuple[Callable[[], float], ...] = (
        time.perf_counter,
        time.process_time,
        lambda: _backend_seconds(int(process)),
    )
    before = [clock() for clock in clocks]
    if not replay_run(replay_id=replay.pk):
        raise RuntimeError("the replay was stopped")
    wall, app, database = (clock() - start for clock, start in zip(clocks, before, strict=True))
    result = Replay.objects.get(pk=replay.pk).result or {}
    return Seen(name, result["baskets"], result["changed"], wall, app, database)


def _first_day(programme: Programme) -> date:
    first = (
        Transaction.objects.filter(programme=programme).order_by("occurred_at").values_list("day", flat=True)
    )
    return first[0]


def _backend_seconds(process: int) -> float:
    """User and system seconds of PostgreSQL's process for our connection; 0 where it runs elsewhere."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / TICKS
