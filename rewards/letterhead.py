"""What papers of a programme begin with: a band of its colour, and its logo."""

import io
from dataclasses import dataclass

from django.core.files.storage import default_storage
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from members.models import Programme

BAND, LOGO, GAP = 8, 26, 8
"""In points of 1/72 inch: height of the band of colour and of the logo, and what is left free below."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """A programme's colour ("" for none) and the file of its logo."""

    colour: str = ""
    logo: bytes | None = None


PLAIN = Letterhead()


def letterhead_of(programme: Programme) -> Letterhead:
    """The programme's, with the logo it has now."""
    logo = None
    if programme.logo:
        with default_storage.open(programme.logo_path) as file:
            logo = file.read()
    return Letterhead(programme.colour, logo)


def draw(canvas: Canvas, letterhead: Letterhead, margin: float) -> float:
    """Draw it at the top of the page; where the page's own text may begin."""
    width, height = canvas._pagesize
    top = height - margin
    if letterhead.colour:
        canvas.saveState()
        canvas.setFillColor(HexColor(letterhead.colour))
        canvas.rect(0, height - BAND, width, BAND, stroke=0, fill=1)
        canvas.restoreState()
    if letterhead.logo:
        top -= LOGO
        picture = ImageReader(io.BytesIO(letterhead.logo))
        canvas.drawImage(
            picture,
            margin,
            top,
            width=width / 3,
            height=LOGO,
            mask="auto",
            preserveAspectRatio=True,
            anchor="sw",
        )
        top -= GAP
    return top
