"""Text for PDFs: what their standard fonts can show, in lines that fit."""

import unicodedata

from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth

_ENCODING = "cp1252"
_LETTERS = str.maketrans("łŁđĐıħĦŧŦ\u202f\u2009\u2011", "lLdDihHtT\xa0\xa0-")
"""Letters that are no letter with an accent, and narrow spaces."""


def printable(text: str) -> str:
    """The text in the letters of Western Europe, which every reader of PDFs has fonts for.

    Letters of elsewhere lose their accents, and what has none is a question mark: never a black box.
    """
    return "".join(_shown(letter) for letter in unicodedata.normalize("NFC", text.translate(_LETTERS)))


def _shown(letter: str) -> str:
    for form in (letter, unicodedata.normalize("NFKD", letter)):
        plain = "".join(part for part in form if not unicodedata.combining(part))
        for tried in (form, plain):
            if tried and (tried.isprintable() or tried == "\xa0") and _has(tried):
                return tried
    return " " if letter.isspace() else "?"


def _has(text: str) -> bool:
    try:
        text.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def lines(text: str, font: str, size: float, width: float) -> list[str]:
    """The text in lines no wider than `width` (points); a word that is wider goes on in the next line."""
    found = []
    for line in simpleSplit(text, font, size, width):
        while stringWidth(line, font, size) > width and len(line) > 1:
            most = next(
                n for n in range(len(line) - 1, 0, -1) if n == 1 or stringWidth(line[:n], font, size) <= width
            )
            found.append(line[:most])
            line = line[most:]
        found.append(line)
    return found
