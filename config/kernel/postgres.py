"""The private PostgreSQL: a real server for a laptop or a test run, with nothing to install.

A server lives in one folder (its *home*) and is reached through a Unix socket that only its owner can open;
it never listens on the network. Whoever connects first starts it, and it outlives that process. PostgreSQL
refuses to run as root, so under root it runs as ``postgres`` or ``nobody``.

``python -m config.kernel.postgres stop`` stops the one in ``var/``.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import pq, sql

from config.kernel.postgres_programs import (
    ROOTS_STORE,
    Account,
    PrivateServerError,
    account_for_root,
    binary,
    make_folder,
    make_roots_store,
    run,
)

__all__ = ["Address", "PrivateServerError", "Server", "binary", "ensure", "forget", "project_var", "stop"]

PORT = 5432
SUPERUSER = "ristourne"
LONGEST_SOCKET_FOLDER = 93  # sun_path holds 107 bytes, "/.s.PGSQL.5432" takes 14 of them
START_PATIENCE_SECONDS = 15

SETTINGS = {"listen_addresses": "", "port": str(PORT), "timezone": "UTC", "log_timezone": "UTC", "jit": "off"}
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
INITDB = (
    "--auth=trust",
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",
    # The builtin provider orders by code point on every machine and still knows the upper case of é.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
THROWAWAY_INITDB = ("--no-sync", "--no-data-checksums", "--wal-segsize=1")


class Address(TypedDict):
    """What psycopg or libpq needs to reach a private server."""

    host: str
    port: int
    user: str


def project_var() -> Path:
    """The folder of all that is made at run time: ``RISTOURNE_VAR``, else ``var/`` of the project."""
    return Path(os.environ.get("RISTOURNE_VAR") or Path(__file__).parents[2] / "var").absolute()


@dataclass(frozen=True)
class Server:
    """A private server and the folder it was asked to live in.

    ``durable``: its rows survive a power cut, and a folder that looks wrong is refused. Otherwise it is fast,
    and a folder that looks wrong is wiped.
    """

    where: Path
    durable: bool = True

    @cached_property
    def account(self) -> Account | None:
        """Whom to run as. Under root the owner of existing rows, else ``postgres``, else ``nobody``."""
        if os.geteuid() != 0:
            return None
        for data in (self.where / "data", self._aside / "data"):
            if data.exists() and (owner := data.stat()).st_uid != 0:
                return Account(owner.st_uid, owner.st_gid)
        return account_for_root()

    @property
    def _aside(self) -> Path:
        return ROOTS_STORE / f"{self.where.name}-{_path_hash(self.where)}"

    @cached_property
    def home(self) -> Path:
        """The folder it lives in: ``where``, or one under /var/lib when its account cannot reach that."""
        if self.account is None or (self.where / "data").exists():
            return self.where
        make_folder(self.where.parent)
        if self.account.can("-x", self.where.parent):
            return self.where
        make_roots_store()
        return self._aside

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def marker(self) -> Path:
        """Written when initdb has finished, so that half a cluster is never taken for a whole one."""
        return self.data / "ristourne.complete"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def sockets(self) -> Path:
        beside = self.home / "sockets"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            return beside
        return Path(tempfile.gettempdir()) / f"ristourne-{_path_hash(self.home)}"

    @property
    def address(self) -> Address:
        return {"host": str(self.sockets), "port": PORT, "user": SUPERUSER}

    def answers(self) -> bool:
        """Whether it takes connections now: the socket alone opens too early."""
        conninfo = psycopg.conninfo.make_conninfo(**self.address, dbname="postgres", connect_timeout=5)
        return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK

    def start(self) -> None:
        """Start it unless it answers, with a new cluster if it has none; many processes may call at once.

        Raises PrivateServerError when it cannot run here.
        """
        if self.answers():
            return
        with self.locked():
            if self.answers():
                return
            self._own_socket_folder()
            if not self.marker.exists():
                self._make_cluster()
            self._start_until_it_answers()

    def stop(self) -> None:
        """Stop it if it runs; its clients are disconnected, its rows stay."""
        if not (self.data / "postmaster.pid").exists():
            return
        with self.locked():
            run(self.account, "pg_ctl", "stop", f"--pgdata={self.data}", "--mode=fast", "--wait")

    def remove(self) -> None:
        """Stop a throw-away server and delete its folders. Raises PrivateServerError for a durable one."""
        if self.durable:
            raise PrivateServerError(f"{self.home} keeps rows that somebody may want: delete it yourself.")
        self.stop()
        for folder in (self.home, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock under which a server is made, started and stopped."""
        self._own_folder(self.home)
        lock = os.open(self.home / "lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _own_socket_folder(self) -> None:
        if len(os.fsencode(self.sockets)) > LONGEST_SOCKET_FOLDER:
            raise PrivateServerError(
                f"The path of the socket folder {self.sockets} is longer than {LONGEST_SOCKET_FOLDER} bytes:"
                " set RISTOURNE_VAR or TMPDIR to a shorter folder."
            )
        self._own_folder(self.sockets)

    def _own_folder(self, folder: Path) -> None:
        """Make a folder that only the server's account can open; refuse one that is there and is not so."""
        uid = self.account.uid if self.account else os.geteuid()
        if make_folder(folder, mode=0o700) and self.account:
            os.chown(folder, uid, self.account.gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) != 0o700:
            raise PrivateServerError(
                f"{folder} is not a folder of mode 0700 of user {uid}, who runs the private PostgreSQL."
                " Work as the user who made it, remove it if nobody needs it, or set RISTOURNE_VAR."
            )

    def _make_cluster(self) -> None:
        if self.data.exists():
            if self.durable and any(self.data.iterdir()):
                raise PrivateServerError(
                    f"{self.data} is not a complete cluster of ours ({self.marker.name} is missing) and is"
                    " left alone. Restore it, move it away if nobody needs it, or set RISTOURNE_VAR."
                )
            shutil.rmtree(self.data)
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = INITDB if self.durable else INITDB + THROWAWAY_INITDB
        made = run(self.account, "initdb", f"--pgdata={unfinished}", *options)
        if made.returncode:
            raise PrivateServerError(f"initdb could not make {unfinished}:\n{made.stdout}{made.stderr}")
        (unfinished / self.marker.name).touch()
        unfinished.rename(self.data)

    def _start_until_it_answers(self) -> None:
        """Start, and again while the children of a killed predecessor hold its files; never delete those."""
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while True:
            log_start = self.log.stat().st_size if self.log.exists() else 0
            started = run(self.account, "pg_ctl", "start", *self._start_arguments(), "--wait", "--silent")
            if started.returncode == 0 and self.answers():
                return
            complaint = started.stderr + self._log_from(log_start)
            in_the_way = any(word in complaint for word in ("postmaster.pid", "shared memory", "lock file"))
            if not in_the_way or time.monotonic() > deadline:
                raise PrivateServerError(f"PostgreSQL did not start in {self.home}:\n{complaint}")
            time.sleep(0.25)

    def _start_arguments(self) -> tuple[str, ...]:
        settings = SETTINGS if self.durable else SETTINGS | THROWAWAY_SETTINGS
        folders = '"' + str(self.sockets).replace('"', '""') + '"'  # the setting is a list, in quotes
        given = settings | {"unix_socket_directories": folders}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in given.items())
        return (f"--pgdata={self.data}", f"--log={self.log}", f"--options={options}")

    def _log_from(self, position: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open(errors="replace") as log:
            log.seek(position)
            return log.read(4000)


def _path_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


_ready: set[tuple[Server, str]] = set()


def ensure(where: Path | None = None, *, database: str = "postgres", durable: bool = True) -> Address:
    """Start the server of a folder (default: ``postgres`` in ``project_var()``) and make its database.

    Cheap once it has succeeded in this process; ``forget`` makes it look again. Raises PrivateServerError.
    """
    server = Server((where or project_var() / "postgres").absolute(), durable)
    if (server, database) not in _ready:
        server.start()
        _create_database(server.address, database)
        _ready.add((server, database))
    return server.address


def forget() -> None:
    """Let the next ``ensure`` look again at what it found running: a connection has failed."""
    _ready.clear()


def stop(where: Path | None = None) -> None:
    """Stop the server of a folder (default: ``postgres`` in ``project_var()``) if it runs."""
    forget()
    Server((where or project_var() / "postgres").absolute()).stop()


def _create_database(address: Address, name: str) -> None:
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            # Another process may be faster.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python -m config.kernel.postgres stop")
    stop()
