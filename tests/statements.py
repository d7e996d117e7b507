"""Every statement that goes to PostgreSQL, whoever sends it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg


@contextmanager
def statements() -> Iterator[list[str]]:
    """The texts of the statements sent inside the block, Django's and hand-written ones alike."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def spy(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *args, **more)

    with patch.object(psycopg.Cursor, "execute", spy):
        yield sent
