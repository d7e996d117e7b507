"""An uploaded ZIP of a sheet and pictures, judged by its directory before anything in it is read."""

import io
import posixpath
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO

from config.kernel.pictures import MAX_BYTES as MAX_PICTURE
from config.kernel.sheets import MAX_BYTES, FileRefused

MAX_ARCHIVE = 100 * 2**20
MAX_UNPACKED = 200 * 2**20
MAX_FILES = 1000
MAX_RATIO = 100
"""Pictures hardly shrink and a sheet does so by some ten times: what shrinks more was made to."""
_SMALL = 64 * 1024  # bytes: so little may shrink as it likes

_SHEETS = (".csv", ".txt", ".xlsx")
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".jar", ".xlsm", ".docx", ".zst")
_LITTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Opened:
    """The sheet of an upload and, from a ZIP, the entries that may be pictures, by file name in lower case."""

    sheet: IO[bytes]
    entries: Mapping[str, zipfile.ZipInfo] = field(default_factory=dict)
    _archive: zipfile.ZipFile | None = None

    def picture(self, name: str) -> bytes | None:
        """The bytes of the entry with this file name; None without one. Raises FileRefused for a damaged one."""
        entry = self.entries.get(name.lower())
        return None if entry is None or self._archive is None else _read(self._archive, entry, MAX_PICTURE)


def opened(file: IO[bytes]) -> Opened:
    """An upload: a sheet as it is, or the one in a ZIP with pictures. Raises FileRefused."""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        return Opened(file)
    archive = _archive(file)
    names = {entry.filename.lower() for entry in archive.infolist()}
    if "xl/workbook.xml" in names or "[content_types].xml" in names:
        return Opened(file)
    entries = _checked(archive, file.seek(0, io.SEEK_END))
    sheets = [entry for entry in entries if entry.filename.lower().endswith(_SHEETS)]
    if len(sheets) != 1:
        raise FileRefused(f"The ZIP holds {len(sheets)} sheets (.csv or .xlsx): put exactly one in it.")
    sheet = tempfile.SpooledTemporaryFile(max_size=MAX_BYTES)  # noqa: SIM115
    sheet.write(_read(archive, sheets[0], MAX_BYTES))
    return Opened(sheet, _by_name(entry for entry in entries if entry is not sheets[0]), archive)


def _archive(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise FileRefused("The file is damaged.") from None


def _checked(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """The entries, when all of them are what they may be."""
    entries = [entry for entry in archive.infolist() if not _is_litter(entry)]
    if size > MAX_ARCHIVE:
        raise FileRefused(f"The ZIP is larger than {MAX_ARCHIVE // 2**20} MB.")
    if len(archive.infolist()) > MAX_FILES:
        raise FileRefused(f"The ZIP holds more than {MAX_FILES:,} files.")
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
        raise FileRefused(f"The ZIP unpacks to more than {MAX_UNPACKED // 2**20} MB.")
    for entry in entries:
        _check(entry)
    return entries


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.lower()
    return entry.is_dir() or name.startswith(_LITTER[0]) or posixpath.basename(name) in _LITTER


def _check(entry: zipfile.ZipInfo) -> None:
    name, shown = entry.filename, entry.filename[:100]
    if name.startswith(("/", "\\")) or ":" in name or ".." in name.replace("\\", "/").split("/"):
        raise FileRefused(f"The ZIP holds a file that points out of it: {shown}.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise FileRefused(f"The ZIP holds a link instead of a file: {shown}.")
    if entry.flag_bits & 1:
        raise FileRefused("The ZIP is protected by a password.")
    if name.lower().endswith(_ARCHIVES):
        raise FileRefused(f"The ZIP holds another archive: {shown}. Put its files in directly.")
    if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
        raise FileRefused(f"The ZIP holds a file that unpacks to far more than it seems: {shown}.")
    is_sheet = name.lower().endswith(_SHEETS)
    if entry.file_size > (MAX_BYTES if is_sheet else MAX_PICTURE):
        limit = (MAX_BYTES if is_sheet else MAX_PICTURE) // 2**20
        raise FileRefused(f"The ZIP holds a file of more than {limit} MB: {shown}.")


def _by_name(entries: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    found = dict[str, zipfile.ZipInfo]()
    for entry in entries:
        name = posixpath.basename(entry.filename).lower()
        if len(name) > 255:
            raise FileRefused(f"The ZIP holds a file with too long a name: {name[:100]}.")
        if name in found:
            raise FileRefused(f"The ZIP holds two files named {name[:100]}.")
        found[name] = entry
    return found


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """The bytes of an entry; reading stops at the size the directory says, so lying gains nothing."""
    try:
        with archive.open(entry) as file:
            content = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        raise FileRefused(f"The ZIP is damaged at {entry.filename[:100]}.") from None
    if content.startswith(b"PK\x03\x04") and not entry.filename.lower().endswith(".xlsx"):
        raise FileRefused(f"The ZIP holds another archive: {entry.filename[:100]}.")
    return content
