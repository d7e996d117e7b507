"""Files of rows that people upload and download: CSV and XLSX, read with distrust and written harmlessly.

Reading goes by the content, never by the file's name, and streams: nothing is kept but the row at hand. A
message says the row as a spreadsheet numbers it. Writing follows OWASP's advice on CSV injection: a text that
a spreadsheet would take for a formula gets an apostrophe in front; reading takes it off again.
"""

from config.kernel.sheets.cells import FileRefused, harmless
from config.kernel.sheets.reading import MAX_BYTES, MAX_ROWS, Sheet, SheetRow, sheet_open
from config.kernel.sheets.writing import csv_lines, xlsx_write

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "FileRefused",
    "Sheet",
    "SheetRow",
    "csv_lines",
    "harmless",
    "sheet_open",
    "xlsx_write",
]
