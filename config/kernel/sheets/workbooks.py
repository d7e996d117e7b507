"""XLSX: an archive that may be a trap, and the rows of its first sheet."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO

import openpyxl

from config.kernel.errors import RistourneError
from config.kernel.sheets.cells import MAX_COLUMNS, FileRefused, check_size, unmarked

_MAX_UNPACKED = 200 * 1024 * 1024
_MAX_PARTS = 1000
_EXACT_NUMBER = 10**15  # a spreadsheet keeps 15 digits of a number; more were lost before we saw them


def check_archive(file: IO[bytes]) -> None:
    """What the archive says it would unpack to; reading stops at the said sizes, so lying gains nothing."""
    file.seek(0)
    try:
        parts = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise FileRefused("The file is damaged.") from None
    names = {part.filename.lower() for part in parts}
    if "xl/workbook.xml" not in names:
        raise FileRefused("The file is an archive, not a spreadsheet in .xlsx.")
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names):
        raise FileRefused("The file holds macros: save it as .xlsx without them.")
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused("The file is protected by a password.")
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED:
        raise FileRefused("The file unpacks to far more than it seems: save it as CSV.")


def xlsx_rows(file: IO[bytes], max_rows: int) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the sheet says of its size may be wrong
        for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
            number += 1
            if number > 2 * max_rows + 100:
                raise FileRefused(f"The file has more than {max_rows:,} rows.")
            cells = [_cell_text(number, value) for value in row]
            check_size(number, cells)
            yield number, _without_end(cells)
    except RistourneError:
        raise
    except Exception as error:
        # The library meets broken XML with whatever its parts raise; none of it is ours to tell apart.
        raise FileRefused(f"Row {number + 1}: the spreadsheet is damaged.") from error


def _without_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _cell_text(number: int, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float):
        if abs(value) >= _EXACT_NUMBER:
            raise FileRefused(f"Row {number}: a number has lost its last digits: format the column as text.")
        return format(Decimal(str(value)).normalize(), "f")
    return unmarked(str(value).strip())
