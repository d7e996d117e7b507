"""What migrations share: SQL kept in files beside them, and a look before a unique index is added."""

from pathlib import Path
from typing import Any

from django.db.migrations import RunPython, RunSQL

LISTED = 20


class DuplicatesFound(Exception):
    """Rows that a unique index to come would refuse; the message lists them."""


def sql_beside(migration_file: str) -> RunSQL:
    """The operation for `NNNN_name.sql` and its reverse `NNNN_name.reverse.sql` beside `NNNN_name.py`.

    Call it with `__file__`.
    """
    path = Path(migration_file)
    return RunSQL(path.with_suffix(".sql").read_text(), path.with_suffix(".reverse.sql").read_text())


def duplicates_refused(table: str, *columns: str) -> RunPython:
    """The operation that goes before a unique index on a table that has rows: DuplicatesFound stops the migration.

    An index that fails by itself names one pair only; this says which rows are to be looked at by hand.
    """

    def look(_apps: Any, schema_editor: Any) -> None:
        quote = schema_editor.connection.ops.quote_name
        names = ", ".join(map(quote, columns))
        filled = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {names}, count(*) FROM {quote(table)} WHERE {filled} "  # noqa: S608 - names, quoted
                f"GROUP BY {names} HAVING count(*) > 1 ORDER BY {names} LIMIT {LISTED + 1}"
            )
            found = cursor.fetchall()
        if found:
            lines = [f"{row[-1]} rows of {', '.join(map(str, row[:-1]))}" for row in found[:LISTED]]
            more = ["and more"] if len(found) > LISTED else []
            told = "\n".join([*lines, *more])
            raise DuplicatesFound(f"{table} ({', '.join(columns)}) is not unique:\n{told}")

    return RunPython(look, RunPython.noop)
