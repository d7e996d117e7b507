"""One interleaved run: every round measures each contender once, back and forth, and ratios are paired by round."""

import argparse
import os
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

from django.core.management import call_command

from tests.bench import baskets, checks, contenders, cpu, report, world
from tests.bench.contenders import Contender, Result
from tests.bench.naive import world as naive_world
from tests.bench.place import Place
from tests.bench.probes import Probe, is_calm, probe
from tests.bench.web import served

ROUNDS, SECONDS = 5, 4
REDOS = 12
"""How many samples of a run may be taken again because the machine was not calm; none in a smoke."""


@dataclass(frozen=True)
class Sample:
    """One measurement; CPU seconds of the web server, of PostgreSQL and of the generator."""

    result: Result
    seconds: float
    app_cpu: float
    database_cpu: float
    is_calm: bool


@dataclass
class Run:
    """What was measured so far, and the rows that must have come of it."""

    place: Place
    seconds: int
    redos: int
    probes: list[Probe] = field(default_factory=list)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)

    def take(self, contender: Contender) -> None:
        """One sample more, of a calm machine if it can be had."""
        sample = self._sample(contender)
        while self.redos and not sample.is_calm:
            self.redos -= 1
            sample = self._sample(contender)
        self.samples.setdefault(contender.name, []).append(sample)

    def warm_up(self, contender: Contender) -> None:
        self.rows.update(contender.run(1).rows)

    def _sample(self, contender: Contender) -> Sample:
        with self.place.connect() as connection:
            connection.execute("CHECKPOINT")  # so that each sample begins with the same debt
        before = self._probe()
        app, database = self._cpu(contender)
        start = time.perf_counter()
        result = contender.run(self.seconds)
        took = time.perf_counter() - start
        app_now, database_now = self._cpu(contender)
        self.rows.update(result.rows)
        app_cpu = result.app_cpu or app_now - app
        return Sample(result, took, app_cpu, database_now - database, before and self._probe())

    def _probe(self) -> bool:
        found = probe(self.place.server.home)
        calm = is_calm(found, self.probes)
        self.probes.append(found)
        return calm

    def _cpu(self, contender: Contender) -> tuple[float, float]:
        app = cpu.seconds(contender.server) if contender.server else 0.0
        return app, cpu.seconds(self.place.postmaster)


def run(place: Place, given: argparse.Namespace) -> int:
    """Build, measure, check, report; 1 when something was answered or booked wrongly."""
    began = time.perf_counter()
    rounds = given.rounds or (1 if given.smoke else ROUNDS)
    for syncs in (False, True):  # the twin's tables have no migrations, and point to tables that have
        call_command("migrate", run_syncdb=syncs, verbosity=0, interactive=False)
    shop = baskets.shop()
    ground = world.build(shop)
    naive_world.build(ground)
    complaints = naive_world.disagreements(ground)
    with place.connect() as connection:
        connection.execute("VACUUM ANALYZE")  # what autovacuum does within a minute
    seconds = given.seconds or (1 if given.smoke else SECONDS)
    running = Run(place, seconds, 0 if given.smoke else REDOS)
    with ExitStack() as stack:
        entrants = _entrants(place, ground, stack, given.only)
        before = checks.counts()
        for contender in entrants if not given.smoke else []:
            running.warm_up(contender)
        for number in range(rounds):
            for contender in entrants if number % 2 == 0 else entrants[::-1]:
                running.take(contender)
                report.progress(number, rounds, contender, running.samples[contender.name][-1].result)
    complaints += checks.grown(before, running.rows) + checks.add_up()
    complaints += checks.closely(ground.programme, ground.web_first)
    report.write(running, entrants, shop, complaints, time.perf_counter() - began, os.cpu_count() or 0)
    return 1 if complaints else 0


def _entrants(place: Place, ground: world.World, stack: ExitStack, only: set[str]) -> list[Contender]:
    """pgbench and who is asked for (nobody = all)."""

    def wanted(*names: str) -> bool:
        return not only or not only.isdisjoint(names)

    found: list[Contender | None] = [contenders.pgbench(place, ground)]
    if wanted("redeem"):
        found.append(contenders.pgbench_redeem(place, ground))
    if wanted("earn", "evaluate", "redeem", "batch"):
        found += contenders.product(stack.enter_context(served(place, "config.settings")), ground)
    if wanted("naive"):
        found.append(contenders.naive(stack.enter_context(served(place, "tests.bench.settings")), ground))
    if wanted("import"):
        found.append(contenders.imports(place, ground))
    return [x for x in found if x and (not only or x.name in only or x.name == x.base or x.name == "pgbench")]
