"""pgbench with the product's own statements, 8 clients on 2 threads, each statement prepared."""

import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from django.utils import timezone

from config.kernel.postgres import binary
from loyalty.api.serializers import EarnBody, basket_command
from loyalty.idempotency import claim
from loyalty.models import Account
from loyalty.services import Write, transaction_earn
from members.models import Member
from rewards.services import DeliveryTo, RedemptionCommand, redemption_order
from tests.bench.place import DATABASE, Place
from tests.bench.statements import Recording, overhear, script
from tests.bench.world import World

CLIENTS, THREADS = 8, 2
AT_ITS_BEST = {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
"""Planning is the product's to avoid: what is compared with plans each statement once."""


class Ran(NamedTuple):
    """Transactions and how many a second."""

    count: int
    rate: float


class Pgbench:
    """Scripts made of recordings, each run as often as its weight says, for the members `(first, count)`."""

    def __init__(
        self, place: Place, recordings: Mapping[str, tuple[Recording, int]], members: tuple[int, int]
    ) -> None:
        self.place = place
        self.command = [str(binary("pgbench")), "--no-vacuum", "--protocol=prepared", "--progress=1"]
        self.command += [f"--client={CLIENTS}", f"--jobs={THREADS}"]
        for name, (recording, weight) in recordings.items():
            self._add(name, recording, weight, members)

    def _add(self, name: str, recording: Recording, weight: int, members: tuple[int, int]) -> None:
        text, variables = script(recording, name, members, CLIENTS)
        path = self.place.folder / f"{name}.sql"
        path.write_text(text)
        self.command.append(f"--file={path}@{weight}")
        self.command += [f"--define={key}={value}" for key, value in variables.items()]

    def run(self, seconds: int) -> Ran:
        """The rate leaves out the first second, in which each connection plans its statements.

        Raises RuntimeError when a transaction failed.
        """
        address = self.place.server.address
        where = ["-h", address["host"], "-p", f"{address['port']}", "-U", address["user"], DATABASE]
        command = [*self.command, f"--time={seconds + 1}", *where]
        environment = os.environ | AT_ITS_BEST
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=seconds + 60)
        count = re.search(r"actually processed: (\d+)", done.stdout)
        rates = re.findall(r"^progress: [\d.]+ s, ([\d.]+) tps", done.stderr, re.MULTILINE)
        if done.returncode or not count or len(rates) < 2 or "failed transactions: 0 " not in done.stdout:
            raise RuntimeError(f"pgbench failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return Ran(int(count[1]), statistics.mean(map(float, rates[1:])))


def earns(world: World) -> dict[str, tuple[Recording, int]]:
    """A typical basket that meets the promotion with a budget and one that does not, as often as the baskets
    do. One script for each basket would have every connection plan 16 times as many statements."""
    recordings = [recorded(world, number) for number in range(len(world.baskets))]
    found = {}
    for name in ("budget", "plain"):
        alike = [x for x in recordings if ('"budgets"' in x.post.params["call"]) == (name == "budget")]
        if alike:
            found[name] = typical(alike), len(alike)
    return found


def orders(world: World) -> dict[str, tuple[Recording, int]]:
    """An order of each gift."""
    return {f"gift_{number}": (ordered(world, number), 1) for number in range(len(world.orders))}


def typical(recordings: list[Recording]) -> Recording:
    """The one whose post is nearest to the average size."""
    sizes = [len(recording.post.params["call"]) for recording in recordings]
    average = statistics.mean(sizes)
    return min(zip(recordings, sizes, strict=True), key=lambda pair: abs(pair[1] - average))[0]


def recorded(world: World, number: int) -> Recording:
    """An earn of one basket by one of pgbench's members, booked for the recording."""

    def earn(write: Write, body: Mapping[str, Any]) -> None:
        transaction_earn(write=write, command=basket_command(msgspec.convert(body, EarnBody), write.now))

    return _recorded(world, number, "/api/v1/transactions", world.baskets[number], earn)


def ordered(world: World, number: int) -> Recording:
    """An order of one gift by one of pgbench's members, booked for the recording."""

    def order(write: Write, body: Mapping[str, Any]) -> None:
        to = DeliveryTo(**body["delivery"])
        actor = f"partner:{world.partner.client_id}"
        rest = {name: value for name, value in body.items() if name != "delivery"}
        redemption_order(write=write, command=RedemptionCommand(**rest, actor=actor, delivery=to))

    return _recorded(world, number, "/api/v1/redemptions", world.orders[number], order)


def _recorded(
    world: World,
    number: int,
    path: str,
    asked: Mapping[str, Any],
    book: Callable[[Write, Mapping[str, Any]], None],
) -> Recording:
    member = f"{world.pgbench_first + number}"
    what = path.rpartition("/")[2]
    reference, key = f"RECORDED-{what}-{number}-REFERENCE", f"RECORDED-{what}-{number}-KEY"
    body = {"reference": reference, "member": member, **asked}
    claimed = claim(key, partner_id=world.partner.pk, method="POST", path=path, body=body)
    write = Write(world.programme.pk, timezone.now(), world.partner.pk, claimed)
    person = Member.objects.get(programme=world.programme, number=member)
    before = Account.objects.values().get(member=person)
    gather, post = overhear(lambda: book(write, body))
    return Recording(before, gather, post, reference, key)
