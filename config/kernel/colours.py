"""Colours as `#rrggbb`, and whether people can read one on another (WCAG 2.2, relative luminance and contrast)."""

from collections.abc import Sequence

BLACK, WHITE = "#000000", "#ffffff"
READABLE, STRONG = 4.5, 7.0
"""Contrast of text: level AA, and AAA."""
_STEPS = 100


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever is easier to read on it: always readable, for one of them has 4.58 or more."""
    return max(BLACK, WHITE, key=lambda text: contrast(text, colour))


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share (0 to 1) of another."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable(colour: str, papers: Sequence[str], towards: str, least: float = READABLE) -> str:
    """The nearest shade of a colour, mixed with black or white, that can be read on all of the papers."""
    for step in range(_STEPS):
        shade = mixed(colour, towards, step / _STEPS)
        if all(contrast(shade, paper) >= least for paper in papers):
            return shade
    return towards


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
