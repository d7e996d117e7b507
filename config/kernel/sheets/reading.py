"""An uploaded file, whatever it is, as rows of named cells."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, NamedTuple

from config.kernel.sheets.cells import FileRefused
from config.kernel.sheets.text import csv_rows, delimiters, encoding_of
from config.kernel.sheets.workbooks import check_archive, xlsx_rows

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000

Rows = Callable[[], Iterator[tuple[int, list[str]]]]
"""Reads a file from its start: every row's number and trimmed cells, blank ones too."""

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file: save it as .xlsx or CSV",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "compressed: unpack it first",
    b"{\\rtf": "a word processor's file",
}


class SheetRow(NamedTuple):
    """A row: its number in the file (the header is row 1) and its cells as trimmed texts by column."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A file whose header was read: the asked columns that it has, those it has besides, and how it was written.

    Iterating reads the rows that are not blank, from the start each time. Raises FileRefused at the first row
    that cannot be read.
    """

    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    _header: tuple[str, ...]
    _header_number: int
    _rows: "Rows"
    _max_rows: int

    def __iter__(self) -> Iterator[SheetRow]:
        wanted = {name: self._header.index(name) for name in self.columns}
        count = 0
        for number, cells in self._rows():
            if number <= self._header_number or not any(cells):
                continue
            count += 1
            if count > self._max_rows:
                raise FileRefused(f"The file has more than {self._max_rows:,} rows.")
            if any(cells[len(self._header) :]):
                raise FileRefused(f"Row {number}: has more cells than the header has columns.")
            yield SheetRow(
                number,
                {name: cells[index] if index < len(cells) else "" for name, index in wanted.items()},
            )


def sheet_open(
    file: IO[bytes],
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> Sheet:
    """Look at an uploaded file (seekable) and read its header; the rows are read by iterating the result.

    CSV in UTF-8 (with or without BOM), UTF-16 (with BOM) or Windows-1252, between commas, semicolons or tabs;
    or the first sheet of an XLSX. Names of columns are compared without case, spaces as underscores. Raises
    FileRefused for anything else, and for a required column that is missing.
    """
    _check_start(file, max_bytes)
    number, header, rows = _choose(_readings(file, max_rows), required)
    _check_header(header, required)
    asked = [*required, *optional]
    return Sheet(
        columns=tuple(name for name in asked if name in header),
        ignored=tuple(name for name in header if name and name not in asked),
        _header=header,
        _header_number=number,
        _rows=rows,
        _max_rows=max_rows,
    )


def _check_start(file: IO[bytes], max_bytes: int) -> None:
    size = file.seek(0, io.SEEK_END)
    if size > max_bytes:
        raise FileRefused(f"The file is larger than {max_bytes // (1024 * 1024)} MB.")
    file.seek(0)
    start = file.read(8)
    if not start:
        raise FileRefused("The file is empty.")
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise FileRefused(f"The file is {what}.")


def _readings(file: IO[bytes], max_rows: int) -> "list[Rows]":
    """The ways to read the file: one for an XLSX, one for each possible delimiter of a CSV."""
    file.seek(0)
    if file.read(4) == b"PK\x03\x04":
        check_archive(file)
        return [partial(xlsx_rows, file, max_rows)]
    encoding = encoding_of(file)
    return [partial(csv_rows, file, encoding, mark) for mark in delimiters(file, encoding)]


def _choose(readings: "list[Rows]", required: Sequence[str]) -> "tuple[int, tuple[str, ...], Rows]":
    """The reading whose header names the most of what is required, and of those the one with most columns."""
    found = []
    refusal = FileRefused("The file is empty.")
    for rows in readings:
        try:
            number, header = _header(rows)
        except FileRefused as error:
            refusal = error
        else:
            found.append((len(set(required) & set(header)), len(header), (number, header, rows)))
    if not found:
        raise refusal
    found.sort(key=lambda item: item[:2], reverse=True)
    if len(found) > 1 and found[0][:2] == found[1][:2]:
        raise FileRefused("The header does not tell what stands between the columns: use one delimiter.")
    return found[0][2]


def _header(rows: "Rows") -> tuple[int, tuple[str, ...]]:
    """The first row that is not blank: its number and the names in it."""
    for number, cells in rows():
        if any(cells):
            while not cells[-1]:
                cells.pop()
            return number, tuple("_".join(cell.lower().split()) for cell in cells)
    raise FileRefused("The file is empty.")


def _check_header(header: tuple[str, ...], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        found = ", ".join(name for name in header if name)[:200]
        raise FileRefused(f"The file has no column {' and no column '.join(missing)}. It has: {found}.")
    named = [name for name in header if name]
    if twice := next((name for name in named if named.count(name) > 1), None):
        raise FileRefused(f"The file has the column {twice} more than once.")
