"""pgbench with the product's own statements, 8 clients on 2 threads, each statement prepared."""

import os
import re
import statistics
import subprocess
from typing import NamedTuple

import msgspec
from django.utils import timezone

from config.kernel.postgres import binary
from loyalty.api.serializers import EarnBody, basket_command
from loyalty.idempotency import claim
from loyalty.models import Account
from loyalty.services import Write, transaction_earn
from members.models import Member
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
    """Two scripts, a typical basket that meets the promotion with a budget and one that does not, as often
    as the baskets do. One for each basket would have every connection plan 16 times as many statements."""

    def __init__(self, place: Place, world: World) -> None:
        self.place = place
        self.command = [str(binary("pgbench")), "--no-vacuum", "--protocol=prepared", "--progress=1"]
        self.command += [f"--client={CLIENTS}", f"--jobs={THREADS}"]
        recordings = [recorded(world, number) for number in range(len(world.baskets))]
        for name in ("budget", "plain"):
            alike = [x for x in recordings if ('"budgets"' in x.post.params["call"]) == (name == "budget")]
            if alike:
                self._add(name, typical(alike), len(alike), (world.pgbench_first, world.half))

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


def typical(recordings: list[Recording]) -> Recording:
    """The one whose post is nearest to the average size."""
    sizes = [len(recording.post.params["call"]) for recording in recordings]
    average = statistics.mean(sizes)
    return min(zip(recordings, sizes, strict=True), key=lambda pair: abs(pair[1] - average))[0]


def recorded(world: World, number: int) -> Recording:
    """An earn of one basket by one of pgbench's members, booked for the recording."""
    member = f"{world.pgbench_first + number}"
    reference, key = f"RECORDED-{number}-REFERENCE", f"RECORDED-{number}-KEY"
    body = {"reference": reference, "member": member, **world.baskets[number]}
    now = timezone.now()
    claimed = claim(key, partner_id=world.partner.pk, method="POST", path="/api/v1/transactions", body=body)
    write = Write(world.programme.pk, now, world.partner.pk, claimed)
    command = basket_command(msgspec.convert(body, EarnBody), now)
    person = Member.objects.get(programme=world.programme, number=member)
    before = Account.objects.values().get(member=person)
    gather, post = overhear(lambda: transaction_earn(write=write, command=command))
    return Recording(before, gather, post, reference, key)
