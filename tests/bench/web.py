"""A web server as in production, and calls to it from a generator in a process of its own."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.load import MEMBER, REFERENCE
from tests.bench.place import Place
from tests.bench.world import World

HOST = "127.0.0.1"
WORKERS, THREADS = 2, 2
PROJECT = Path(__file__).parents[2]
START_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Web:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def served(place: Place, settings: str) -> Iterator[Web]:
    """granian with the product's WSGI application under these settings; its log lines go to a file."""
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", f"{port}"]
    command += [
        "--workers",
        f"{WORKERS}",
        "--blocking-threads",
        f"{THREADS}",
        "--no-ws",
        "config.wsgi:application",
    ]
    environment = place.environment | {"DJANGO_SETTINGS_MODULE": settings, "RISTOURNE_ROLE": "web"}
    with (place.folder / f"{settings}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process, Path(log.name))
        yield Web(port, process)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The web server did not start:\n{log.read_text()[-3000:]}")


@dataclass(frozen=True)
class Load:
    """What to call: `size` bodies a call, and bytes that a good answer holds. Without bodies and number of
    members: the world's baskets, by all members of HTTP."""

    path: str
    connections: int = 8
    size: int = 1
    expected: str = '"points"'
    bodies: list[dict[str, Any]] | None = None
    members: int | None = None

    def run(self, web: Web, world: World, seconds: float) -> Mapping[str, Any]:
        """What the generator saw; RuntimeError when one call was not answered as it should be."""
        job = {
            "host": HOST,
            "port": web.port,
            "path": self.path,
            "connections": self.connections,
            "size": self.size,
            "expected": self.expected,
            "seconds": seconds,
            "token": world.token,
            "first_member": world.web_first,
            "members": self.members or world.half,
            "baskets": [_marked(body) for body in self.bodies or world.baskets],
        }
        command = [sys.executable, "-m", "tests.bench.load"]
        done = subprocess.run(
            command, cwd=PROJECT, input=json.dumps(job), capture_output=True, text=True, timeout=seconds + 90
        )
        if done.returncode:
            raise RuntimeError(f"The generator stopped at {self.path}: {done.stderr[-3000:]}")
        outcome: dict[str, Any] = json.loads(done.stdout)
        if outcome["failed"]:
            raise RuntimeError(f"{outcome['failed']} calls of {self.path} failed: {outcome['failures']}")
        return outcome


def _marked(body: Mapping[str, Any]) -> str:
    return json.dumps({"member": MEMBER, "reference": REFERENCE, **body}, separators=(",", ":"))
