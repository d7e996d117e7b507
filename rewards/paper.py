"""Printed vouchers: one page of PDF with code and QR in the member's language, and who stands for it."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import segno
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import override
from reportlab.lib.pagesizes import A5, landscape
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from members.selectors import language_for
from rewards.letterhead import PLAIN, Letterhead, draw
from rewards.lettering import lines, printable

MARGIN, QR = 36, 142
"""In points of 1/72 inch: the QR code is 5 cm wide."""
WIDTH, HEIGHT = landscape(A5)
CODE = "Courier-Bold"
"""In which 0 and O, and 1 and I, are told apart."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a printed voucher says; `amount` is exact decimal text in `currency`, empty for one without a value.

    `code` None: it is not shown (to staff). `valid_until` is exclusive.
    """

    language: str
    gift: str
    amount: str
    currency: str
    code: str | None
    reference: str
    valid_until: datetime | None
    zone: ZoneInfo
    issuer: str
    address: str
    company_number: str
    conditions: str


def voucher_page(paper: Paper, letterhead: Letterhead = PLAIN) -> bytes:
    """The voucher as a PDF of one A5 page; conditions that do not fit go on behind it."""
    with override(language_for(paper.language)):
        return _drawn(paper, letterhead)


def _drawn(paper: Paper, letterhead: Letterhead) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), lang=paper.language or "en")
    canvas.setTitle(printable(f"{_('Gift voucher')} {paper.reference}"))
    beside = WIDTH - QR - 3 * MARGIN
    top = draw(canvas, letterhead, MARGIN) - 16
    top = _write(canvas, _("Gift voucher"), 20, top, beside, bold=True)
    top = _write(canvas, paper.gift, 14, top - 8, beside)
    for line in _facts(paper):
        top = _write(canvas, line, 11, top - 4, beside)
    if paper.code:
        _qr(canvas, paper.code, WIDTH - MARGIN - QR, HEIGHT - MARGIN - QR)
    foot = _code(canvas, _("Code"), paper.code or "•••• •••• •••• ••••", min(top, HEIGHT - MARGIN - QR) - 8)
    for line in _small_print(paper):
        foot = _write(canvas, line, 8, foot - 3, WIDTH - 2 * MARGIN)
    canvas.save()
    return file.getvalue()


def _facts(paper: Paper) -> list[str]:
    said = [_("Value: %(value)s") % {"value": _value(paper)}] if paper.amount else []
    if paper.valid_until is None:
        said.append(_("Without an end date"))
    else:
        day = (paper.valid_until - timedelta(microseconds=1)).astimezone(paper.zone).date()
        said.append(_("Valid until %(day)s inclusive") % {"day": date_format(day, "j F Y")})
    return [*said, _("Order %(reference)s") % {"reference": paper.reference}]


def _value(paper: Paper) -> str:
    return f"{number_format(paper.amount, use_l10n=True, force_grouping=True)} {paper.currency}"


def _small_print(paper: Paper) -> list[str]:
    said = [_("Issued by %(name)s") % {"name": f"{paper.issuer}, {paper.address}"}] if paper.issuer else []
    if paper.company_number:
        said.append(_("Company number: %(number)s") % {"number": paper.company_number})
    return said + ([_("Conditions: %(text)s") % {"text": paper.conditions}] if paper.conditions else [])


def _code(canvas: Canvas, word: str, code: str, top: float) -> float:
    """The code in a frame, in letters as large as fit; where the small print may begin."""
    text, inside = printable(code), WIDTH - 2 * MARGIN - 24
    size = next((size for size in (20, 16, 13, 11) if stringWidth(text, CODE, size) <= inside), 11)
    written = lines(text, CODE, size, inside)
    height = 24 + size * 1.3 * len(written)
    canvas.roundRect(MARGIN, top - height, WIDTH - 2 * MARGIN, height, 6)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(MARGIN + 12, top - 13, word)
    canvas.setFont(CODE, size)
    for number, line in enumerate(written, 1):
        canvas.drawString(MARGIN + 12, top - 11 - number * size * 1.3, line)
    return top - height - 14


def _write(canvas: Canvas, text: str, size: int, top: float, width: float, *, bold: bool = False) -> float:
    """Text in lines no wider than `width`, on a page of its own where this one is full; where the next may begin."""
    font = "Helvetica-Bold" if bold else "Helvetica"
    canvas.setFont(font, size)
    for line in lines(printable(text), font, size, width):
        if top < MARGIN / 2:
            canvas.showPage()
            canvas.setFont(font, size)
            top = HEIGHT - MARGIN - size
        canvas.drawString(MARGIN, top, line)
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
