"""Rows for spreadsheets, as CSV or XLSX, one at a time."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import IO

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from config.kernel.sheets.cells import MAX_CELL, harmless


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A CSV file line by line (RFC 4180), for a streaming answer.

    It begins with a byte order mark: without it Excel takes UTF-8 for something else.
    """
    line = io.StringIO()
    writer = csv.writer(line)
    line.write("\ufeff")
    for row in chain([header], rows):
        writer.writerow([harmless(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def xlsx_write(
    file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "Rows"
) -> None:
    """Write an XLSX file row by row; numbers and dates stay what they are, texts become harmless."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", title)[:31])
    for row in chain([header], rows):
        sheet.append([_cell(value) for value in row])
    book.save(file)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()  # spreadsheets know no zones
    if isinstance(value, bool | int | float | Decimal | date):
        return value
    return ILLEGAL_CHARACTERS_RE.sub("", harmless(value))[:MAX_CELL]
