"""A CSV file of receipt lines, row by row: nothing is judged here but what keeps a row from being staged."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from loyalty.errors import FileUnreadable

FIELDS = (
    "reference",
    "member",
    "occurred_at",
    "channel",
    "store",
    "currency",
    "line",
    "sku",
    "category",
    "brand",
    "quantity",
    "amount",
    "points_eligible",
)
REQUIRED = ("reference", "member", "occurred_at", "quantity", "amount")

Cells = dict[str, str]
"""What a row says, by field; an empty cell says nothing."""


class Row(NamedTuple):
    """A row of the file: the number of its first line in the file, and what is wrong with it as a row."""

    position: int
    cells: Cells
    error: str


class Columns(NamedTuple):
    """Which column of the file each field is in, and the columns that no field is in."""

    places: Mapping[str, int]
    width: int
    ignored: Sequence[str]


def columns_of(header: Sequence[str], renamed: Mapping[str, str]) -> Columns:
    """The columns by their names; `renamed` gives the column of a field that is not named after it.

    FileUnreadable for a column that comes twice, is asked for and not there, or is missing.
    """
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise FileUnreadable(f"Columns named twice: {', '.join(twice)}.")
    wanted = {field: renamed.get(field, field) for field in FIELDS}
    places = {field: header.index(name) for field, name in wanted.items() if name in header}
    if missing := [wanted[field] for field in (*REQUIRED, *renamed) if field not in places]:
        raise FileUnreadable(f"Columns not in the file: {', '.join(dict.fromkeys(missing))}.")
    return Columns(places, len(header), [name for name in header if name not in wanted.values()])


def header_of(path: Path) -> list[str]:
    """The names in the file's first line; FileUnreadable for a file that is none, empty or no text."""
    try:
        with _opened(path) as file:
            header = next(csv.reader(file, strict=True))
    except (OSError, csv.Error, StopIteration) as error:
        raise FileUnreadable(f"{path} is no CSV file with a header: {error or 'empty'}.") from error
    if not _is_text("".join(header)):
        raise FileUnreadable(f"{path} is not in UTF-8.")
    return header


def _opened(path: Path) -> TextIO:
    """A byte order mark is skipped; bytes that are no UTF-8 become lone surrogates, to be found row by row."""
    return path.open(newline="", encoding="utf-8-sig", errors="surrogateescape")


def rows_of(path: Path, columns: Columns) -> Iterator[Row]:
    """The rows below the header; empty lines are none. Bytes that are no text make a row with an error."""
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        next(reader)
        while True:
            position = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(position, {}, f"Not CSV: {error}.")
                continue
            if values:
                yield _row(position, values, columns)


def _row(position: int, values: list[str], columns: Columns) -> Row:
    cells = {
        field: values[place]
        for field, place in columns.places.items()
        if place < len(values) and values[place]
    }
    if len(values) != columns.width:
        return Row(position, _as_text(cells), f"{len(values)} columns instead of {columns.width}.")
    if not _is_text("".join(values)):
        return Row(position, _as_text(cells), "Not UTF-8, or a NUL character.")
    return Row(position, cells, "")


def _is_text(text: str) -> bool:
    """Whether PostgreSQL can hold it: no NUL, and no byte that was no UTF-8 (read as a lone surrogate)."""
    return (text.isascii() and "\0" not in text) or not any(
        x == "\0" or "\ud800" <= x <= "\udfff" for x in text
    )


def _as_text(cells: Cells) -> Cells:
    return {
        field: value.encode("utf-8", "replace").decode().replace("\0", "?") for field, value in cells.items()
    }
