"""Where a run takes place: a folder, a durable PostgreSQL of its own in it, and the environment that says so."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.kernel.keys import KEY_LENGTHS
from config.kernel.postgres import Server, project_var

DATABASE = "ristourne_bench"


@dataclass(frozen=True)
class Place:
    """A running server, and what processes of the product must know to use it."""

    var: Path
    folder: Path
    server: Server
    environment: dict[str, str]

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(**self.server.address, dbname=DATABASE, autocommit=True)

    @property
    def postmaster(self) -> int:
        """Process id of the server."""
        return int((self.server.data / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def opened() -> Iterator[Place]:
    """A place under var/, on the disk that a private server would use; nothing of it is left afterwards.

    The server is as durable as in production: fsync and synchronous_commit stay on, or the run stops.
    """
    var = project_var()
    var.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=var))
    server = Server(folder / "postgres", durable=True)
    try:
        server.start()
        with psycopg.connect(**server.address, dbname="postgres", autocommit=True) as connection:
            _refuse_careless(connection)
            connection.execute(f"CREATE DATABASE {DATABASE}")
        yield Place(var, folder, server, _environment(folder, server))
    finally:
        server.stop()
        for path in (server.home, server.sockets, folder):
            shutil.rmtree(path, ignore_errors=True)


def _refuse_careless(connection: psycopg.Connection) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        if row != ("on",):
            raise SystemExit(f"{setting} is {row}: figures of a careless server say nothing.")


def _environment(folder: Path, server: Server) -> dict[str, str]:
    """Production's settings, without TLS and with a rate nobody reaches."""
    address = server.address
    return {
        **os.environ,
        "DATABASE_URL": f"postgres://{address['user']}@/{DATABASE}?host={quote(address['host'], safe='')}",
        "DEBUG": "false",
        **{name: secrets.token_urlsafe(48) for name in KEY_LENGTHS},
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "API_RATE": "1000000000/min",
        "RISTOURNE_VAR": str(folder),
    }
