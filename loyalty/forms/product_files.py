"""SKUs from an uploaded file."""

import csv
import io
from typing import IO

from django import forms

LARGEST_FILE = 5 * 1024 * 1024
MOST_SKUS = 100_000


def skus_of_file(upload: "IO[bytes]") -> list[str]:
    """The column `sku` of a CSV file (commas, semicolons or tabs), or its first column where none has that name.

    ValidationError for a file that is too large, no text in UTF-8, or without a SKU.
    """
    data = upload.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise forms.ValidationError("The file is larger than 5 MB.", code="too_large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise forms.ValidationError(
            "The file is no text in UTF-8. Save it as CSV UTF-8.", code="encoding"
        ) from None
    if "\0" in text:
        raise forms.ValidationError("The file is no CSV text.", code="binary")
    skus = _skus(text)
    if not skus:
        raise forms.ValidationError("The file has no SKU.", code="empty")
    if len(skus) > MOST_SKUS:
        raise forms.ValidationError(f"The file has more than {MOST_SKUS:,} SKUs.", code="too_many")
    return skus


def _skus(text: str) -> list[str]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise forms.ValidationError(f"The file cannot be read: {error}.", code="unreadable") from error
    header = [word.strip().lower() for word in table[0]] if table else []
    column = header.index("sku") if "sku" in header else 0
    cells = (row[column].strip() for row in table["sku" in header :] if len(row) > column)
    return list(dict.fromkeys(cell for cell in cells if cell))
