"""SKUs from an uploaded file."""

import codecs
import io
from typing import IO

from django import forms

from config.kernel.sheets import FileRefused, Sheet, sheet_open

LARGEST_FILE = 5 * 1024 * 1024
MOST_SKUS = 100_000


def skus_of_file(upload: "IO[bytes]") -> list[str]:
    """The column `sku` of a CSV or XLSX file, or a text file of one SKU per line.

    ValidationError for a file that is too large, cannot be read, or has no SKU.
    """
    try:
        skus = list(dict.fromkeys(row.cells["sku"] for row in _sheet(upload) if row.cells["sku"]))
    except FileRefused as error:
        raise forms.ValidationError(error.detail, code=error.code) from None
    if not skus:
        raise forms.ValidationError("The file has no SKU.", code="empty")
    return skus


def _sheet(upload: "IO[bytes]") -> Sheet:
    """The file, given the header that a bare list does without."""
    try:
        return sheet_open(upload, required=["sku"], max_bytes=LARGEST_FILE, max_rows=MOST_SKUS)
    except FileRefused:
        if not _is_list(upload):
            raise
    upload.seek(0)
    listed = io.BytesIO(b"sku\n" + upload.read().removeprefix(codecs.BOM_UTF8))
    return sheet_open(listed, required=["sku"], max_rows=MOST_SKUS)


def _is_list(upload: "IO[bytes]") -> bool:
    """Whether it reads as rows of one cell, without a column sku."""
    try:
        sheet = sheet_open(upload, required=[], max_bytes=LARGEST_FILE)
    except FileRefused:
        return False
    return len(sheet.ignored) == 1
