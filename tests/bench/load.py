"""A load generator that costs the two cores next to nothing: `python -m tests.bench.load < job.json`.

Plain sockets and bytes made beforehand, one request under way on each connection. Prints what happened as
JSON. It reads answers of HTTP/1.1 with a Content-Length, which is what granian gives.
"""

import json
import random
import secrets
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

MEMBER, REFERENCE = "@MEMBER@", "@REFERENCE@"
KEPT_FAILURES = 3


@dataclass
class Requests:
    """Requests of one connection: baskets in turn, members at random or (batches) in turn, new references."""

    job: dict[str, Any]
    connection: int
    sent: int = 0

    def __post_init__(self) -> None:
        self.tag = secrets.token_hex(5)
        self.baskets = [self._split(text) for text in self.job["baskets"]]
        first, count, every = self.job["first_member"], self.job["members"], self.job["connections"]
        self.own = range(first + self.connection, first + count, every)
        self.any = range(first, first + count)
        start = [f"POST {self.job['path']} HTTP/1.1", f"Host: {self.job['host']}:{self.job['port']}"]
        start += ["Content-Type: application/json", "Accept: application/json"]
        start += [f"Authorization: Bearer {self.job['token']}", "Idempotency-Key: "]
        self.start = "\r\n".join(start).encode()

    @staticmethod
    def _split(text: str) -> list[bytes]:
        before, rest = text.split(MEMBER)
        middle, after = rest.split(REFERENCE)
        return [before.encode(), middle.encode(), after.encode()]

    def next(self) -> bytes:
        size = self.job["size"]
        parts = [self._basket(size > 1) for _ in range(size)]
        body = parts[0] if size == 1 else b'{"transactions":[' + b",".join(parts) + b"]}"
        return b"%sK-%s-%d\r\nContent-Length: %d\r\n\r\n%s" % (
            self.start,
            self.tag.encode(),
            self.sent,
            len(body),
            body,
        )

    def _basket(self, is_own: bool) -> bytes:
        self.sent += 1
        before, middle, after = self.baskets[(self.sent + self.connection * 5) % len(self.baskets)]
        member = self.own[self.sent % len(self.own)] if is_own else random.choice(self.any)
        return b"%s%d%s%s-%d%s" % (before, member, middle, self.tag.encode(), self.sent, after)


@dataclass
class Outcome:
    """What came back: `count` good answers, some of the others, and each good one's seconds."""

    count: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def take(self, answer: bytes, seconds: float, expected: bytes) -> None:
        if answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")) and expected in answer:
            self.count += 1
            self.waits.append(seconds)
        else:
            self.failed += 1
            if len(self.failures) < KEPT_FAILURES:
                self.failures.append(answer[:2000].decode(errors="replace"))


class Connection:
    """One keep-alive connection."""

    def __init__(self, job: dict[str, Any], number: int) -> None:
        self.requests = Requests(job, number)
        self.socket = socket.create_connection((job["host"], job["port"]), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.length = 0
        self.upcoming = self.requests.next()

    def send(self) -> None:
        self.answer, self.length = b"", 0
        self.began = time.perf_counter()
        self.socket.sendall(self.upcoming)
        self.upcoming = self.requests.next()  # while the server works

    def receive(self) -> bool:
        """Take what has come; whether the answer is complete."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise SystemExit(f"The server closed a connection after {self.answer!r}")
        self.answer += piece
        if not self.length:
            end = self.answer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self.answer[:end].lower()
            at = head.find(b"content-length:")
            if at < 0:
                raise SystemExit(f"An answer without Content-Length: {head!r}")
            self.length = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        return len(self.answer) >= self.length


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Keep all connections busy for so many seconds, then wait for the last answers."""
    outcome = Outcome()
    expected = job["expected"].encode()
    selector = selectors.DefaultSelector()
    for number in range(job["connections"]):
        connection = Connection(job, number)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    cpu, start = time.process_time(), time.perf_counter()
    for key in list(selector.get_map().values()):
        key.data.send()
    end, under_way = start, job["connections"]
    while under_way:
        for key, _ in selector.select():
            if not key.data.receive():
                continue
            end = time.perf_counter()
            outcome.take(key.data.answer, end - key.data.began, expected)
            if end - start < job["seconds"]:
                key.data.send()
            else:
                under_way -= 1
    waits = sorted(outcome.waits) or [0.0]
    return {
        "count": outcome.count * job["size"],
        "calls": outcome.count,
        "failed": outcome.failed,
        "failures": outcome.failures,
        "seconds": end - start,
        "cpu_seconds": time.process_time() - cpu,
        "ms": {f"p{p}": round(waits[len(waits) * p // 100] * 1000, 2) for p in (50, 95, 99)},
    }


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
