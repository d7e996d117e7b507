"""`python -m tests.bench.feed`: the gift feed against an endpoint that does nothing, in one interleaved run.

5,000 gifts in three languages, two web workers. Ratios are of requests a second, paired by round.
"""

import argparse
import http.client
import importlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import django

from tests.bench import place

LINES = {"Accept": "application/x-ndjson"}
GZIP = {"Accept-Encoding": "gzip"}
BARS = {"page": 0.6, "page, gzip": 0.6, "all, gzip": 0.6, "304": 0.8}
BUILD_SECONDS = 2.0


def jobs(token: str, port: int) -> dict[str, dict[str, Any]]:
    """What is measured, by name; the feed in its three languages by turns."""
    languages = [f"/api/v1/gifts?lang={code}" for code in ("fr", "nl", "en")]
    common = {"host": "127.0.0.1", "port": port, "connections": 8, "status": 200}
    bearer = {"Authorization": f"Bearer {token}"}

    def job(paths: list[str], **headers: str) -> dict[str, Any]:
        return {**common, "paths": paths, "headers": {**bearer, **headers}}

    tag = fetch(port, languages[0], bearer)[1]["etag"]
    return {
        "trivial": job(["/api/v1/trivial"]),
        "bare": job(["/api/v1/bare"]),
        "page": job(languages),
        "page, gzip": job(languages, **GZIP),
        "page of 250, gzip": job([f"{path}&limit=250" for path in languages], **GZIP),
        "all, gzip": job(languages, **LINES, **GZIP),
        "all": job(languages, **LINES),
        "304": job(languages[:1], **{"If-None-Match": tag}) | {"status": 304},
    }


def fetch(port: int, path: str, headers: dict[str, str]) -> tuple[bytes, dict[str, str], float]:
    """Body, headers and seconds of one call; stops the run if it is not 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body[:500]!r}")
    return body, {name.lower(): value for name, value in answer.getheaders()}, took


def measure(job: dict[str, Any], seconds: float) -> float:
    """Requests a second."""
    command = [sys.executable, "-m", "tests.bench.feed.reading"]
    asked = json.dumps(job | {"seconds": seconds})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=seconds + 90)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    outcome = json.loads(done.stdout)
    return outcome["count"] / outcome["seconds"]


def run(here: place.Place, rounds: int, seconds: float) -> bool:
    """Build, measure, report; whether all bars are met."""
    world = importlib.import_module("tests.bench.feed.world")
    web = importlib.import_module("tests.bench.web")
    importlib.import_module("django.core.management").call_command("migrate", verbosity=0)
    _, token = world.build()
    with here.connect() as connection:
        connection.execute("VACUUM ANALYZE")
    with web.served(here, "tests.bench.feed.settings") as server:
        bearer = {"Authorization": f"Bearer {token}"}
        builds = [
            fetch(server.port, f"/api/v1/gifts?lang={code}", bearer | LINES) for code in ("fr", "nl", "en")
        ]
        print("first reads of the whole feed, nothing built:", *(f"{took:.2f} s" for _, _, took in builds))
        print(f"{world.GIFTS} gifts, {len(builds[0][0]):,} bytes of NDJSON a language")
        found: dict[str, list[float]] = {}
        todo = jobs(token, server.port)
        for name in todo:
            measure(todo[name], 1)
        for number in range(rounds):
            for name in list(todo) if number % 2 == 0 else list(todo)[::-1]:
                found.setdefault(name, []).append(measure(todo[name], seconds))
    ratios = {
        name: statistics.median(a / b for a, b in zip(rates, found["trivial"], strict=True))
        for name, rates in found.items()
    }
    for name, rates in found.items():
        bar = f"  bar {BARS[name]:.0%}" if name in BARS else ""
        print(f"{name:20} {statistics.median(rates):8,.0f}/s  {ratios[name]:6.1%} of trivial{bar}")
    return max(took for _, _, took in builds) < BUILD_SECONDS and all(ratios[x] >= BARS[x] for x in BARS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.feed", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with place.opened() as here:
        os.environ.update(here.environment | {"DJANGO_SETTINGS_MODULE": "tests.bench.feed.settings"})
        Path(here.environment["RISTOURNE_VAR"]).mkdir(exist_ok=True)
        django.setup()
        print("all bars met" if run(here, given.rounds, given.seconds) else "a bar is missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
