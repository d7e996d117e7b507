"""GET over and over on keep-alive connections: `python -m tests.bench.feed.reading < job.json`."""

import json
import selectors
import socket
import sys
import time
from typing import Any


class Connection:
    """One request under way at a time; answers are counted to their Content-Length and looked at no further."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.socket = socket.create_connection((job["host"], job["port"]), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        headers = {"Host": f"{job['host']}:{job['port']}", **job["headers"]}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.requests = [f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode() for path in job["paths"]]
        self.status = f"HTTP/1.1 {job['status']}".encode()
        self.sent = 0

    def send(self) -> None:
        self.head, self.left = b"", -1
        self.socket.sendall(self.requests[self.sent % len(self.requests)])
        self.sent += 1

    def receive(self) -> bool:
        """Take what has come; whether the answer is complete."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise SystemExit("The server closed a connection.")
        if self.left >= 0:
            self.left -= len(piece)
            return self.left <= 0
        self.head += piece
        end = self.head.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self.head.startswith(self.status):
            raise SystemExit(f"Not as it should be: {self.head[:1000]!r}")
        head = self.head[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self.left = length - (len(self.head) - end - 4)
        return self.left <= 0


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Keep all connections busy for so many seconds."""
    selector = selectors.DefaultSelector()
    for _ in range(job["connections"]):
        connection = Connection(job)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    cpu, start = time.process_time(), time.perf_counter()
    for key in list(selector.get_map().values()):
        key.data.send()
    count, end, under_way = 0, start, job["connections"]
    while under_way:
        for key, _ in selector.select():
            if not key.data.receive():
                continue
            count, end = count + 1, time.perf_counter()
            if end - start < job["seconds"]:
                key.data.send()
            else:
                under_way -= 1
    return {"count": count, "seconds": end - start, "cpu_seconds": time.process_time() - cpu}


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
