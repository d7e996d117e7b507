"""CSV: which encoding, which delimiter, and the rows."""

import csv
import io
import re
from collections.abc import Iterator
from typing import IO, Any

from config.kernel.sheets.cells import MAX_CELL, MAX_COLUMNS, FileRefused, check_size, unmarked

_CHUNK = 64 * 1024  # characters
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def encoding_of(file: IO[bytes]) -> str:
    """UTF-16 and UTF-8 by their marks, else UTF-8 if all of it is, else Windows-1252."""
    file.seek(0)
    start = file.read(3)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            for _ in _decoded(file, encoding):
                pass
        except UnicodeDecodeError:
            if start == b"\xef\xbb\xbf":
                break
            continue
        return encoding
    raise FileRefused("The file is not text in UTF-8, UTF-16 or Windows-1252.")


def _decoded(file: IO[bytes], encoding: str) -> Iterator[str]:
    text = _text(file, encoding)
    while chunk := text.read(_CHUNK):
        yield chunk


def _text(file: IO[bytes], encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    return io.TextIOWrapper(io.BufferedReader(_Kept(file)), encoding, newline="")


class _Kept(io.RawIOBase):
    """Another's file to read from: closing this one leaves it open."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self.file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def delimiters(file: IO[bytes], encoding: str) -> list[str]:
    """Those that the first line holds; a comma when none does, for a file of one column."""
    try:
        start = next(_decoded(file, encoding), "")
    except UnicodeError:
        raise FileRefused("The file is not text in UTF-16, as its first bytes say.") from None
    first = next((line for line in start.splitlines() if line.strip()), "")
    return [mark for mark in ",;\t" if mark in first] or [","]


def _lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    text = _text(file, encoding)
    number = 0
    # A line without end is read in pieces, so that it cannot fill the memory.
    while line := text.readline(MAX_COLUMNS * MAX_CELL):
        number += 1
        if _CONTROL.search(line):
            raise FileRefused(f"Line {number}: has characters that no text has.")
        yield line


def csv_rows(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(_lines(file, encoding), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise FileRefused(f"Row {number}: {error}.") from None
        except UnicodeError:
            raise FileRefused(f"Row {number}: is not text in {encoding}.") from None
        if row is None:
            return
        check_size(number, row)
        yield number, [unmarked(cell.strip()) for cell in row]
