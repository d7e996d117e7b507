"""Pictures of gifts, painted: the colours and the shape of their category, and light from another side each time."""

import io
import math
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

DRAWN, SIZE = (640, 480), (480, 360)
_MIDDLE = (320, 225)

Draw = ImageDraw.ImageDraw


def _box(draw: Draw) -> None:
    draw.rounded_rectangle((220, 190, 420, 320), 14, 255)
    draw.rounded_rectangle((205, 150, 435, 200), 12, 255)
    draw.rectangle((307, 150, 333, 320), 0)
    draw.ellipse((250, 90, 318, 152), outline=255, width=14)
    draw.ellipse((322, 90, 390, 152), outline=255, width=14)


def _cup(draw: Draw) -> None:
    draw.rounded_rectangle((220, 170, 390, 320), 40, 255)
    draw.rectangle((220, 165, 390, 210), 255)
    draw.ellipse((360, 190, 450, 280), outline=255, width=18)
    for x in (260, 305, 350):
        draw.arc((x - 18, 80, x + 18, 150), 270, 90, 255, 9)


def _house(draw: Draw) -> None:
    draw.polygon([(320, 90), (180, 215), (460, 215)], 255)
    draw.rectangle((220, 210, 420, 330), 255)
    draw.rounded_rectangle((295, 250, 345, 330), 8, 0)


def _pot(draw: Draw) -> None:
    draw.rounded_rectangle((210, 180, 430, 320), 34, 255)
    draw.rounded_rectangle((195, 150, 445, 176), 12, 255)
    draw.ellipse((300, 110, 340, 150), 255)
    draw.rounded_rectangle((150, 205, 212, 235), 12, 255)
    draw.rounded_rectangle((428, 205, 490, 235), 12, 255)


def _leaf(draw: Draw) -> None:
    steps = range(41)
    spine = [(215 + 5.5 * step, 330 - 6 * step) for step in steps]
    bulge = [78 * math.sin(math.pi * step / 40) for step in steps]
    sides = [[(x + way * b, y + way * b) for (x, y), b in zip(spine, bulge, strict=True)] for way in (1, -1)]
    draw.polygon([*sides[0], *reversed(sides[1])], 255)
    draw.line((190, 357, 385, 145), 0, 9)


def _ticket(draw: Draw) -> None:
    draw.rounded_rectangle((170, 145, 470, 305), 18, 255)
    for centre in (170, 470):
        draw.ellipse((centre - 26, 199, centre + 26, 251), 0)
    for y in range(160, 300, 24):
        draw.rectangle((378, y, 384, y + 12), 0)


def _drop(draw: Draw) -> None:
    draw.ellipse((235, 165, 405, 335), 255)
    draw.polygon([(320, 75), (246, 215), (394, 215)], 255)
    draw.arc((262, 195, 378, 308), 30, 100, 0, 12)


def _star(draw: Draw) -> None:
    x, y = _MIDDLE
    turns = [math.radians(-90 + 36 * step) for step in range(10)]
    radii = [140 if step % 2 == 0 else 60 for step in range(10)]
    draw.polygon([(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip(radii, turns, strict=True)], 255)


def _heart(draw: Draw) -> None:
    draw.ellipse((200, 115, 330, 245), 255)
    draw.ellipse((310, 115, 440, 245), 255)
    draw.polygon([(211, 217), (429, 217), (320, 345)], 255)


def _bottle(draw: Draw) -> None:
    draw.rounded_rectangle((265, 180, 375, 345), 26, 255)
    draw.rectangle((298, 90, 342, 200), 255)
    draw.rounded_rectangle((290, 72, 350, 104), 8, 255)
    draw.rectangle((265, 235, 375, 290), 0)


def _sun(draw: Draw) -> None:
    x, y = _MIDDLE
    draw.ellipse((x - 70, y - 70, x + 70, y + 70), 255)
    for step in range(12):
        turn = math.radians(30 * step)
        ends = [(x + r * math.cos(turn), y + r * math.sin(turn)) for r in (92, 132)]
        draw.line(ends, 255, 16)


def _coin(draw: Draw) -> None:
    x, y = _MIDDLE
    draw.ellipse((x - 120, y - 120, x + 120, y + 120), 255)
    draw.ellipse((x - 98, y - 98, x + 98, y + 98), outline=0, width=8)
    draw.rectangle((x - 12, y - 55, x + 12, y + 55), 0)
    draw.rectangle((x - 45, y - 12, x + 45, y + 12), 0)


STYLES: dict[str, tuple[str, str, Callable[[Draw], None]]] = {
    "chocolate": ("#3b1d12", "#a4633a", _box),
    "coffee-tea": ("#4a2c1d", "#d9a15b", _cup),
    "gourmet": ("#5b1a2e", "#d9774c", _bottle),
    "kitchen": ("#12404a", "#58b09c", _pot),
    "home": ("#2b2f63", "#8f86d8", _house),
    "garden": ("#134b2c", "#8cc152", _leaf),
    "outings": ("#5a1655", "#ee6f9a", _ticket),
    "wellness": ("#0d4f66", "#6fd3e0", _drop),
    "children": ("#9c4a00", "#ffc93c", _star),
    "leisure": ("#123a7a", "#4fa3f7", _sun),
    "vouchers": ("#14532d", "#35c486", _coin),
    "solidarity": ("#7a1230", "#ff7a7a", _heart),
}
"""Of each category: dark and light colour, and shape."""


def paint(category: str, number: int) -> bytes:
    """The picture of a gift as PNG; `number` turns its light, so that no two of a category are alike."""
    dark, light, shape = STYLES[category]
    picture = _light(dark, light, number)
    drawn = Image.new("L", DRAWN, 0)
    shape(ImageDraw.Draw(drawn))
    mask = drawn.resize(SIZE, Image.Resampling.BILINEAR)
    shadow = ImageChops.offset(mask, 8, 9).point(lambda value: value * 70 // 255)
    picture.paste("#000000", mask=shadow)
    picture.paste("#fffaf2", mask=mask.point(lambda value: value * 235 // 255))
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=0)
    return file.getvalue()


def _light(dark: str, light: str, number: int) -> Image.Image:
    """A gradient from one colour to the other, with two soft discs."""
    turned = Image.linear_gradient("L").rotate(15 + 40 * (number % 9), Image.Resampling.BILINEAR, expand=True)
    width, height = turned.size
    inner = turned.crop((width // 4, height // 4, width - width // 4, height - height // 4))
    picture = ImageOps.colorize(inner.resize(SIZE, Image.Resampling.BICUBIC), dark, light)
    for place in range(2):
        glow = Image.new("L", SIZE, 0)
        x, y = (97 * number + 310 * place) % SIZE[0], (70 * number + 220 * place) % SIZE[1]
        ImageDraw.Draw(glow).ellipse((x - 110, y - 110, x + 110, y + 110), 26)
        picture.paste("#ffffff", mask=glow)
    return picture


def logo(name: str, dark: str, light: str) -> bytes:
    """A programme's logo as PNG: a tablet of chocolate beside its name."""
    font = ImageFont.load_default(96)
    width = round(font.getlength(name)) + 200
    picture = Image.new("RGBA", (width, 160), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for row in range(2):
        for column in range(2):
            left, top = 20 + column * 64, 18 + row * 64
            draw.rounded_rectangle((left, top, left + 58, top + 58), 10, dark if row == column else light)
    draw.text((170, 80), name, dark, font, anchor="lm")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
