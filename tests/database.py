"""A throw-away server for each run of the tests, and in it a database of its own for each worker.

Migrating from zero takes seconds, copying a stopped cluster or cloning a database a tenth of one. So a
cluster with a migrated template database is kept in ``var/test`` under the hash of all migrations; a run
copies it, and every worker clones the template. With ``DATABASE_URL`` set, both are made on that server.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from config.kernel.postgres import Server, project_var

PROJECT = Path(__file__).parents[1]
RUN_VARIABLE = "RISTOURNE_TEST_RUN"  # tells the xdist workers where the run's server lives
KEPT_CLUSTERS = 3


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Run:
    """The server of one run: started by the first worker that needs it, removed by whoever opened the run."""

    def __init__(self) -> None:
        self.folder = project_var() / "test"
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            self._remove_orphans()
            self.name = f"run-{secrets.token_hex(3)}"
            self.owner = (self.folder / f"{self.name}.owner").open("w")
            fcntl.flock(self.owner, fcntl.LOCK_EX)
        os.environ[RUN_VARIABLE] = str(self.folder / self.name)

    def close(self) -> None:
        """Stop the server if it was started, and delete all it has."""
        del os.environ[RUN_VARIABLE]
        self._remove(self.name)
        self.owner.close()

    def _remove(self, name: str) -> None:
        Server(self.folder / name, durable=False).remove()
        for path in self.folder.glob(f"{name}.*"):
            path.unlink()

    def _remove_orphans(self) -> None:
        """A run that was killed leaves its server behind; its owner file is no longer locked."""
        for path in self.folder.glob("run-*.owner"):
            with path.open() as owner, suppress(BlockingIOError):
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._remove(path.stem)


@cache
def migrations_hash() -> str:
    """Changes whenever a database migrated from zero could come out different."""
    paths = [PROJECT / "uv.lock", PROJECT / "config/settings.py", PROJECT / "config/kernel/postgres.py"]
    paths += sorted(path for path in PROJECT.glob("*/migrations/**/*") if path.suffix in {".py", ".sql"})
    digest = hashlib.sha256()
    for path in filter(Path.exists, paths):
        digest.update(f"{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def worker_database(worker: str) -> Iterator[None]:
    """Point Django at a fresh database, for one xdist worker (``gw0``) or a run without (``master``)."""
    settings = connection.settings_dict
    name = settings["NAME"]
    run = os.environ.get(RUN_VARIABLE)
    clone = f"test_{name}" if worker == "master" else f"test_{name}_{worker}"
    template = f"test_{name}_template"
    if run:
        with locked(Path(f"{run}.template")):
            _ensure_migrated_server(Path(run), template)
            _clone_database(template, clone)
    else:
        with _server_wide_lock():
            _ensure_migrated_database(template)
            _clone_database(template, clone)
    settings["NAME"] = clone
    yield
    connection.close()
    settings["NAME"] = name
    _drop_database(clone)


def _ensure_migrated_server(home: Path, template: str) -> None:
    """Start the run's server with a migrated template database, from the kept cluster when there is one."""
    server = Server(home, durable=False)
    kept = home.parent / f"cluster-{migrations_hash()}"
    if not server.data.exists() and kept.exists():
        with locked(home.parent / "lock"), server.locked():
            _copy(kept, server.data)
            os.utime(kept)
    server.start()
    connection.settings_dict.update({key.upper(): value for key, value in server.address.items()})
    if _ensure_migrated_database(template) and not kept.exists():
        server.stop()
        with locked(home.parent / "lock"):
            _keep(server.data, kept)
        server.start()


def _keep(data: Path, kept: Path) -> None:
    if not kept.exists():
        _copy(data, kept)
    by_age = sorted(kept.parent.glob("cluster-*"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-KEPT_CLUSTERS]:
        shutil.rmtree(old)


def _copy(data: Path, target: Path) -> None:
    unfinished = target.with_name(f"unfinished-{target.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(["/bin/cp", "-a", data, unfinished], check=True)
    unfinished.rename(target)


def _ensure_migrated_database(template: str) -> bool:
    """Migrate the template from zero unless it already is at this hash. Returns whether it had to."""
    key = migrations_hash()
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [template]
        )
        if cursor.fetchone() == (key,):
            return False
        _drop_database(template)
        cursor.execute(f'CREATE DATABASE "{template}"')
        settings = connection.settings_dict
        name, settings["NAME"] = settings["NAME"], template
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()
        settings["NAME"] = name
        cursor.execute(f"COMMENT ON DATABASE \"{template}\" IS '{key}'")
    return True


def _clone_database(template: str, clone: str) -> None:
    _drop_database(clone)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{clone}" TEMPLATE "{template}"')


def _drop_database(name: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _server_wide_lock() -> Iterator[None]:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(hashtext('ristourne test template'))")
        yield
