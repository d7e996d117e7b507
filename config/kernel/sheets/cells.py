"""What holds of a cell wherever it is kept: its size, and how a text is kept from being run."""

import re
from collections.abc import Sequence

from config.kernel.errors import Family, RistourneError

MAX_COLUMNS = 200
MAX_CELL = 32_767
"""Characters: what a spreadsheet's cell holds."""

# What spreadsheets take for the start of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?\Z")


class FileRefused(RistourneError):
    """An uploaded file cannot be read as rows; the detail says where and why."""

    code = "file_refused"
    family = Family.UNPROCESSABLE
    title = "The file cannot be read."


def check_size(number: int, row: Sequence[str]) -> None:
    """Raises FileRefused for a row (by its number) with too many cells, or with one that is too long."""
    if len(row) > MAX_COLUMNS:
        raise FileRefused(f"Row {number}: has more than {MAX_COLUMNS} cells.")
    if any(len(cell) > MAX_CELL for cell in row):
        raise FileRefused(f"Row {number}: a cell has more than {MAX_CELL:,} characters.")


def harmless(value: object) -> str:
    """A cell's text that no spreadsheet runs: numbers stay, what looks like a formula gets an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.match(text) else text


def unmarked(text: str) -> str:
    """Without the apostrophe that writing put before what looked like a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
