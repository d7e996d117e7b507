"""Printed vouchers: one page of PDF with code and QR in the member's language, and who stands for it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import segno
from reportlab.lib.pagesizes import A5, landscape
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

MARGIN, QR = 36, 120
"""In points of 1/72 inch."""
WORDS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Bon cadeau",
        "value": "Valeur",
        "until": "Valable jusqu'au {day} inclus",
        "forever": "Sans date d'expiration",
        "code": "Code",
        "order": "Commande",
        "issuer": "Émetteur",
        "number": "Numéro d'entreprise",
        "conditions": "Conditions",
    },
    "nl": {
        "title": "Cadeaubon",
        "value": "Waarde",
        "until": "Geldig tot en met {day}",
        "forever": "Onbeperkt geldig",
        "code": "Code",
        "order": "Bestelling",
        "issuer": "Uitgever",
        "number": "Ondernemingsnummer",
        "conditions": "Voorwaarden",
    },
    "en": {
        "title": "Gift voucher",
        "value": "Value",
        "until": "Valid until {day} inclusive",
        "forever": "Without end",
        "code": "Code",
        "order": "Order",
        "issuer": "Issued by",
        "number": "Company number",
        "conditions": "Conditions",
    },
}


@dataclass(frozen=True, slots=True)
class Paper:
    """What a printed voucher says. `code` None: it is not shown (to staff). `valid_until` is exclusive."""

    language: str
    gift: str
    value: str
    code: str | None
    reference: str
    valid_until: datetime | None
    zone: ZoneInfo
    issuer: str
    address: str
    company_number: str
    conditions: str


def voucher_page(paper: Paper) -> bytes:
    """The voucher as a PDF of one A5 page."""
    words = WORDS.get(paper.language.split("-")[0].lower(), WORDS["en"])
    file = io.BytesIO()
    width, height = landscape(A5)
    canvas = Canvas(file, pagesize=(width, height), lang=paper.language or "en")
    canvas.setTitle(f"{words['title']} {paper.reference}")
    top = _write(canvas, words["title"], 20, MARGIN, height - MARGIN - 14, width - QR - 3 * MARGIN, bold=True)
    top = _write(canvas, paper.gift, 14, MARGIN, top - 8, width - QR - 3 * MARGIN)
    for line in _facts(paper, words):
        top = _write(canvas, line, 11, MARGIN, top - 4, width - QR - 3 * MARGIN)
    if paper.code:
        _qr(canvas, paper.code, width - MARGIN - QR, height - MARGIN - QR)
    foot = _write(canvas, f"{words['code']}: {paper.code or '•••• •••• •••• ••••'}", 18, MARGIN, top - 14,
                  width - 2 * MARGIN, bold=True)  # fmt: skip
    for line in _small_print(paper, words):
        foot = _write(canvas, line, 8, MARGIN, foot - 3, width - 2 * MARGIN)
    canvas.save()
    return file.getvalue()


def _facts(paper: Paper, words: Mapping[str, str]) -> list[str]:
    lines = [f"{words['value']}: {paper.value}"] if paper.value else []
    if paper.valid_until is None:
        lines.append(words["forever"])
    else:
        day = (paper.valid_until - timedelta(microseconds=1)).astimezone(paper.zone).date()
        lines.append(words["until"].format(day=f"{day:%d/%m/%Y}"))
    return [*lines, f"{words['order']}: {paper.reference}"]


def _small_print(paper: Paper, words: Mapping[str, str]) -> list[str]:
    lines = [f"{words['issuer']}: {paper.issuer}, {paper.address}"] if paper.issuer else []
    if paper.company_number:
        lines.append(f"{words['number']}: {paper.company_number}")
    return lines + ([f"{words['conditions']}: {paper.conditions}"] if paper.conditions else [])


def _write(
    canvas: Canvas, text: str, size: int, left: float, top: float, width: float, *, bold: bool = False
) -> float:
    """Text in lines no wider than `width`; where the next may begin."""
    font = "Helvetica-Bold" if bold else "Helvetica"
    canvas.setFont(font, size)
    for line in simpleSplit(text, font, size, width):
        canvas.drawString(left, top, line)
        top -= size * 1.3
    return top


def _qr(canvas: Canvas, text: str, left: float, bottom: float) -> None:
    rows = list(segno.make(text, error="m", micro=False).matrix_iter(border=2))
    side = QR / len(rows)
    for number, row in enumerate(rows):
        for column, is_dark in enumerate(row):
            if is_dark:
                canvas.rect(
                    left + column * side, bottom + QR - (number + 1) * side, side, side, stroke=0, fill=1
                )
