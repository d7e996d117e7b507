"""The demo: from nothing to a first call, again with the same secrets, and started over."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.conf import settings

from config.demo import place
from config.kernel import postgres
from tests.factories import ProgrammeFactory
from tests.loyalty.worlds import BASKET

PROJECT = Path(__file__).parents[2]
NOT_INHERITED = {"DATABASE_URL", "DEBUG", "DJANGO_SETTINGS_MODULE", "RISTOURNE_ROLE", "LOG_LEVEL"}
PATIENCE_SECONDS = 300


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder of its own for everything the demo makes; its server is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="rt-"))
    folder.chmod(0o755)
    yield folder
    postgres.stop(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "demo", *arguments]


def environment(var: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return {**inherited, "RISTOURNE_VAR": str(var)}


def run(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=PROJECT,
        env=environment(var),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def prepare(var: Path, *arguments: str) -> dict[str, Any]:
    """The secrets after `demo --prepare`."""
    done = run(var, "--prepare", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((var / "demo.json").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(var: Path, *arguments: str) -> Iterator[str]:
    """A running demo; what it printed. It is stopped like by Ctrl-C, and must end well."""
    log = var / "served.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command(*arguments), cwd=PROJECT, env=environment(var), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "Ctrl-C" not in log.read_text():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield log.read_text()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0, log.read_text()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def post(url: str, body: object, **headers: str) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def pasted(printed: str) -> dict[str, Any]:
    """The answer of the printed call, run by a shell."""
    call = printed[printed.index("TOKEN=$(") : printed.index("It earns 117 points")]
    done = subprocess.run(
        ["bash", "-c", call + "\necho\necho $TOKEN"], capture_output=True, text=True, timeout=30
    )
    answer, token = done.stdout.rsplit("\n", 2)[:2]
    return {"token": token.strip(), "evaluation": json.loads(answer)}


def expected_points() -> int:
    """117, and 50 more where it is the weekend in Brussels."""
    return 117 if datetime.now(ZoneInfo("Europe/Brussels")).isoweekday() < 6 else 167


def check_secrets(secrets: dict[str, Any], var: Path) -> None:
    assert stat.S_IMODE((var / "demo.json").stat().st_mode) == 0o600
    assert set(secrets["programmes"]) == {"choco-club", "journey"}
    assert "10042" in secrets["programmes"]["choco-club"]["members"]
    assert len(secrets["programmes"]["journey"]["members"]) == 200
    for programme in secrets["programmes"].values():
        assert len(programme["client_secret"]) >= 100
    assert len(secrets["staff"]["password"]) >= 12


def check_calls(printed: str, base: str) -> None:
    """The printed call and the documented earn give the documented answers."""
    first = pasted(printed)
    assert first["evaluation"]["points"] == expected_points()
    headers = {"Authorization": f"Bearer {first['token']}", "Idempotency-Key": "first"}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    body = {**BASKET, "occurred_at": now, "reference": "POS-77-000123"}
    earned = post(f"{base}/api/v1/transactions", body, **headers)
    assert earned["points"] == expected_points()
    figures = {name: earned["balance"][name] for name in ("available", "pending", "held", "debt")}
    assert figures == {"available": 2510, "pending": expected_points(), "held": 0, "debt": 0}
    assert earned["receipt"]["seq"] == 42


def check_pages(base: str) -> None:
    """Pages open, with assets that the server itself has."""
    for address in ("/", "/api/v1/docs", "/admin/login/"):
        with urllib.request.urlopen(base + address, timeout=10) as page:
            text = page.read().decode()
        assets = re.findall(r'(?:src|href)="([^"]+\.(?:css|js|svg))"', text)
        assert assets, address
        for asset in assets:
            assert asset.startswith("/static/")
            with urllib.request.urlopen(base + asset, timeout=10) as answer:
                assert answer.status == 200


def check_members(printed: str, base: str) -> None:
    """The printed addresses wait for a press of a button; the printed commands sign a browser in, as a member of
    either programme, once."""
    addresses = re.findall(rf"{base}/my/enter-by-email/\S+", printed)
    assert len(addresses) == 2
    for address in addresses:
        with urllib.request.urlopen(address, timeout=10) as page:
            assert "csrfmiddlewaretoken" in page.read().decode()
    commands = re.findall(r"\S+=\S+ \S+ manage.py member_link .+", printed)
    assert len(commands) == 2
    for line, greeting in zip(commands, ("Élise", "/my/history"), strict=True):
        done = subprocess.run(
            ["bash", "-c", line], cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        assert done.stdout.startswith(f"{base}/my/enter/"), done.stderr
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(done.stdout.strip(), timeout=10) as page:
            assert page.url == f"{base}/my/"
            assert greeting in page.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="410"):
            browser.open(done.stdout.strip(), timeout=10)


def check_worker(var: Path) -> None:
    """A worker has registered, and runs the periodic tasks."""
    address = postgres.Server(var / "postgres").address
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(**address, dbname="ristourne", autocommit=True) as database:
        while not database.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE status = 'succeeded'"
            " AND (SELECT count(*) FROM procrastinate_workers) = 1"
        ).fetchone():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def check_refusals(var: Path, port: int) -> None:
    """Neither another start nor a reset disturbs a running demo."""
    second = run(var, "--port", str(port))
    assert second.returncode != 0
    assert f"Port {port}" in second.stderr
    assert f"--port {port + 1}" in second.stderr
    reset = run(var, "--prepare", "--reset")
    assert reset.returncode != 0
    assert "stop the running demo first" in reset.stderr


def test_from_nothing_to_a_first_call_and_over_again(var: Path) -> None:
    secrets = prepare(var)
    check_secrets(secrets, var)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with served(var, "--port", str(port)) as printed:
        assert json.loads((var / "demo.json").read_text()) == {**secrets, "base_url": base}
        check_calls(printed, base)
        check_pages(base)
        check_members(printed, base)
        check_worker(var)
        check_refusals(var, port)
    with served(var, "--port", str(port), "--reset") as printed:
        fresh = json.loads((var / "demo.json").read_text())
        check_secrets(fresh, var)
        assert fresh["staff"]["password"] != secrets["staff"]["password"]
        check_calls(printed, base)


@pytest.mark.django_db
def test_a_database_with_other_programmes_is_left_alone() -> None:
    ProgrammeFactory(code="precious")
    with pytest.raises(place.NotTheDemo, match="precious"):
        place.claim()
    with pytest.raises(place.NotTheDemo, match="precious"):
        place.clear()


@pytest.mark.django_db
def test_a_database_from_outside_is_never_cleared_unless_a_demo_marked_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    with pytest.raises(place.NotTheDemo, match="no demo was ever prepared"):
        place.clear()


def test_secrets_are_for_their_owner_only(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VAR_DIR", var)
    assert place.secrets_read() == {}
    place.secrets_write({"a": 1})
    assert place.secrets_read() == {"a": 1}
    assert stat.S_IMODE(place.secrets_path().stat().st_mode) == 0o600
