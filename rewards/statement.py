"""Printed statements: movements of points as a PDF of A4 pages, in words that are given."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from rewards.letterhead import Letterhead, draw
from rewards.lettering import lines as lines_of
from rewards.lettering import printable

MARGIN, LINE, GAP = 48, 12, 6
"""In points of 1/72 inch."""
_WIDTH, _HEIGHT = A4
_DAY, _WHAT, _POINTS, _BALANCE = MARGIN, MARGIN + 95, _WIDTH - MARGIN - 75, _WIDTH - MARGIN
_GREY, _BLACK = 0.45, 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A movement: its day, what it was and where it stands, points with their sign, the balance after it."""

    day: str
    what: str
    note: str
    points: str
    balance: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a statement says beside its lines; `columns` are day, what, points and balance, `page` "Page {}"."""

    language: str
    title: str
    head: Sequence[str]
    columns: tuple[str, str, str, str]
    totals: Sequence[tuple[str, str]]
    empty: str
    page: str


def statement_pages(sheet: Sheet, lines: Iterable[Line], letterhead: Letterhead) -> bytes:
    """The statement as a PDF, its lines in their order, the columns named on every page."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, lang=sheet.language)
    canvas.setTitle(printable(sheet.title))
    top = _columns(canvas, sheet, _head(canvas, sheet, draw(canvas, letterhead, MARGIN)))
    is_empty = True
    for line in lines:
        is_empty = False
        top = _line(canvas, sheet, line, top)
    if is_empty:
        canvas.drawString(_DAY, top - LINE, sheet.empty)
        top -= LINE + GAP
    _totals(canvas, sheet, top)
    _end_page(canvas, sheet)
    canvas.save()
    return file.getvalue()


def _head(canvas: Canvas, sheet: Sheet, top: float) -> float:
    top -= 18
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(MARGIN, top, sheet.title)
    canvas.setFont("Helvetica", 10)
    for text in sheet.head:
        for part in lines_of(printable(text), "Helvetica", 10, _WIDTH - 2 * MARGIN):
            top -= LINE + 3
            canvas.drawString(MARGIN, top, part)
    return top - 2 * GAP


def _columns(canvas: Canvas, sheet: Sheet, top: float) -> float:
    """The names of the columns; where the first line may begin."""
    day, what, points, balance = sheet.columns
    top -= LINE
    canvas.setFont("Helvetica-Bold", 9)
    canvas.drawString(_DAY, top, day)
    canvas.drawString(_WHAT, top, what)
    canvas.drawRightString(_POINTS, top, points)
    canvas.drawRightString(_BALANCE, top, balance)
    canvas.line(MARGIN, top - 4, _WIDTH - MARGIN, top - 4)
    canvas.setFont("Helvetica", 9)
    return top - GAP


def _line(canvas: Canvas, sheet: Sheet, line: Line, top: float) -> float:
    what = lines_of(printable(line.what), "Helvetica", 9, _POINTS - _WHAT - 70)
    if top - LINE * (len(what) + bool(line.note)) < MARGIN + 2 * LINE:
        top = _next_page(canvas, sheet)
    top -= LINE
    canvas.drawString(_DAY, top, line.day)
    canvas.drawRightString(_POINTS, top, line.points)
    canvas.drawRightString(_BALANCE, top, line.balance)
    for number, text in enumerate(what):
        top -= LINE if number else 0
        canvas.drawString(_WHAT, top, text)
    if line.note:
        top -= LINE
        canvas.setFillGray(_GREY)
        canvas.drawString(_WHAT, top, printable(line.note))
        canvas.setFillGray(_BLACK)
    return top - 3


def _totals(canvas: Canvas, sheet: Sheet, top: float) -> None:
    if top - LINE * (len(sheet.totals) + 1) < MARGIN + LINE:
        top = _next_page(canvas, sheet)
    canvas.line(MARGIN, top - GAP, _WIDTH - MARGIN, top - GAP)
    canvas.setFont("Helvetica-Bold", 9)
    for name, figure in sheet.totals:
        top -= LINE + GAP
        canvas.drawString(_WHAT, top, name)
        canvas.drawRightString(_BALANCE, top, figure)


def _next_page(canvas: Canvas, sheet: Sheet) -> float:
    _end_page(canvas, sheet)
    return _columns(canvas, sheet, _HEIGHT - MARGIN)


def _end_page(canvas: Canvas, sheet: Sheet) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.setFillGray(_GREY)
    canvas.drawRightString(_WIDTH - MARGIN, MARGIN / 2, sheet.page.format(canvas.getPageNumber()))
    canvas.setFillGray(_BLACK)
    canvas.showPage()
