"""Hand-written SQL on Django's connection: server-side binding and statements prepared once per connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


def rows(query: str, params: Mapping[str, Any], *, prepare: bool = True) -> list[tuple[Any, ...]]:
    """All rows of a query with `%(name)s` parameters; one round trip. `prepare` is for what comes often.

    It joins the database transaction that is open, if any. Errors come as Django's database errors.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        plain = connection.connection
        cursor = _busy_cursor(plain) if prepare else psycopg.Cursor(plain)
        return cursor.execute(query, params, prepare=prepare).fetchall()


def _busy_cursor(plain: Any) -> "psycopg.Cursor[tuple[Any, ...]]":
    """One cursor for all that comes often on a connection: making one costs more than a small query."""
    cursor: psycopg.Cursor[tuple[Any, ...]] | None = getattr(plain, "busy_cursor", None)
    if cursor is None or cursor.closed:
        cursor = plain.busy_cursor = psycopg.Cursor(plain)
    return cursor


def delete_in_chunks(query: str, params: Mapping[str, Any]) -> int:
    """Repeat a `DELETE ... LIMIT ... RETURNING` until it finds nothing; how many rows are gone.

    Outside a database transaction each chunk is committed by itself, so that nobody waits long for its locks.
    """
    total = 0
    while deleted := len(rows(query, params)):
        total += deleted
    return total


def hex_text(value: bytes) -> str:
    """Bytes as PostgreSQL's text form of bytea."""
    return "\\x" + value.hex()


def from_hex(text: str) -> bytes:
    """The bytes of PostgreSQL's text form of bytea."""
    return bytes.fromhex(text[2:])
