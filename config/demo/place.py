"""Where the demo lives: a database that is its own, and the secrets of those who sign in to it."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import connection

MARK = "Ristourne demo"
"""The comment on the demo's database, by which it is known again."""
PROGRAMMES = ("choco-club", "journey")


class NotTheDemo(CommandError):
    """The database belongs to somebody else, or is being used."""


def secrets_path() -> Path:
    """The file of the demo's secrets, mode 0600."""
    return settings.VAR_DIR / "demo.json"


def secrets_read() -> dict[str, Any]:
    """The secrets of the demo; empty before its first start."""
    path = secrets_path()
    return json.loads(path.read_text()) if path.exists() else {}


def secrets_write(content: dict[str, Any]) -> None:
    """Replace the secrets, all at once."""
    path = secrets_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    os.replace(draft, path)


def claim() -> None:
    """Mark the database as the demo's. NotTheDemo if it holds programmes of somebody else."""
    if _mark() == MARK:
        return
    _refuse_strangers()
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(_name())
        cursor.execute(f"COMMENT ON DATABASE {name} IS '{MARK}'")


def clear() -> None:
    """Drop everything in the demo's database, and its secrets.

    NotTheDemo, and nothing is touched: for a database that DATABASE_URL names and no demo has marked, for one
    with programmes of somebody else, and while anybody is connected to it.
    """
    if _mark() != MARK:
        if "DATABASE_URL" in os.environ:
            raise NotTheDemo("DATABASE_URL names a database that no demo was ever prepared in.")
        _refuse_strangers()
    _refuse_while_used()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()
    secrets_path().unlink(missing_ok=True)


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _mark() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        )
        (mark,) = cursor.fetchone()
    return mark


def _refuse_strangers() -> None:
    with connection.cursor() as cursor:
        if "members_programme" not in connection.introspection.table_names(cursor):
            return
        cursor.execute("SELECT code FROM members_programme WHERE code <> ALL(%s)", [list(PROGRAMMES)])
        strangers = sorted(code for (code,) in cursor.fetchall())
    if strangers:
        raise NotTheDemo(
            f"The database {_name()} holds other programmes: {', '.join(strangers[:5])}."
            " Give the demo a folder of its own: RISTOURNE_VAR=/path/to/folder."
        )


def _refuse_while_used() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        (others,) = cursor.fetchone()
    if others:
        raise NotTheDemo(f"{others} others are connected to the database: stop the running demo first.")
