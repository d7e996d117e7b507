"""Signing keys: weak, short, default or shared ones stop the start (Points.com 2023)."""

import json
import os
import secrets
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.kernel.keys import KEY_LENGTHS, signing_keys

LENGTHS = {"SECRET_KEY": 50, "EVALUATION_KEY": 32}
GOOD = {"SECRET_KEY": secrets.token_urlsafe(48), "EVALUATION_KEY": secrets.token_urlsafe(48)}
PRODUCTION = {
    "DEBUG": "false",
    "ALLOWED_HOSTS": "points.example",
    "DATABASE_URL": "postgres://nobody@localhost:1/none",
} | {name: secrets.token_urlsafe(48) for name in KEY_LENGTHS}


def test_it_works() -> None:
    assert signing_keys(LENGTHS, GOOD, None) == GOOD


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("SECRET_KEY", secrets.token_urlsafe(48)[:49]),
        ("EVALUATION_KEY", secrets.token_urlsafe(48)[:31]),
        ("SECRET_KEY", "django-insecure-" + secrets.token_urlsafe(48)),
        ("SECRET_KEY", "ChangeMe" * 10),
        ("EVALUATION_KEY", "ab" * 32),
        ("EVALUATION_KEY", GOOD["SECRET_KEY"]),
        ("EVALUATION_KEY", ""),
    ],
    ids=["short secret", "short signer", "default", "placeholder", "repeating", "shared", "empty"],
)
def test_weak_keys_stop_the_start(name: str, key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        signing_keys(LENGTHS, GOOD | {name: key}, None)


def test_generated_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keys.json"
    keys = signing_keys(LENGTHS, {}, path)
    assert signing_keys(LENGTHS, {}, path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    longer = signing_keys(LENGTHS | {"NEW_KEY": 32}, {}, path)
    assert {name: longer[name] for name in keys} == keys
    assert set(json.loads(path.read_text())) == {*LENGTHS, "NEW_KEY"}
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]


def test_the_environment_wins(tmp_path: Path) -> None:
    keys = signing_keys(LENGTHS, {"SECRET_KEY": GOOD["SECRET_KEY"]}, tmp_path / "keys.json")
    assert keys["SECRET_KEY"] == GOOD["SECRET_KEY"]


def test_many_first_starts_at_once_agree(tmp_path: Path) -> None:
    program = (
        "import json, pathlib, sys; from config.kernel.keys import signing_keys;"
        "print(json.dumps(signing_keys({'A_KEY': 32}, {}, pathlib.Path(sys.argv[1]))))"
    )

    def start(_: int) -> str:
        command = [sys.executable, "-c", program, str(tmp_path / "keys.json")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    with ThreadPoolExecutor(4) as starts:
        assert len(set(starts.map(start, range(4)))) == 1


def start_with(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own."""
    command = [sys.executable, "-c", "import config.settings"]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env={"PATH": os.environ["PATH"]} | environment
    )


def test_production_starts() -> None:
    assert start_with(PRODUCTION).returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        pytest.param("EVALUATION_KEY", PRODUCTION["SECRET_KEY"], id="one key for two doors"),
        ("DEBUG", "maybe"),
        ("ALLOWED_HOSTS", ""),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("RISTOURNE_ROLE", "worker"),
        ("LOG_LEVEL", "LOUD"),
        ("API_RATE", "many"),
        ("SECURE_SSL_REDIRECT", "nope"),
    ],
)
def test_production_refuses(name: str, value: str) -> None:
    started = start_with(PRODUCTION | {name: value})
    assert started.returncode != 0
    assert name in started.stderr.splitlines()[-1]
