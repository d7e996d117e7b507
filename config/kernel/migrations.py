"""SQL that a migration runs, kept in files beside it."""

from pathlib import Path

from django.db.migrations import RunSQL


def sql_beside(migration_file: str) -> RunSQL:
    """The operation for `NNNN_name.sql` and its reverse `NNNN_name.reverse.sql` beside `NNNN_name.py`.

    Call it with `__file__`.
    """
    path = Path(migration_file)
    return RunSQL(path.with_suffix(".sql").read_text(), path.with_suffix(".reverse.sql").read_text())
