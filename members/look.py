"""A programme's look on its members' pages: one colour chosen by staff, made readable, and a logo."""

import hashlib

from config.kernel.colours import BLACK, STRONG, WHITE, mixed, readable, text_on

LOGOS = "logos"
"""The folder of the media that keeps them."""
LOGO_WIDTHS = (480, 240)
LIGHT, DARK = ("#fbfaf7", "#ffffff"), ("#11191a", "#182324")
"""Paper and cards of static/css/site.css by day and by night."""


def stylesheet(colour: str) -> str:
    """The accents of the pages in shades of `#rrggbb`: text and what is pressed can be read on every paper."""
    colour = colour.lower()
    day = _accents(colour, LIGHT, soft=mixed(colour, WHITE, 0.9), towards=BLACK)
    night = _accents(colour, DARK, soft=mixed(colour, DARK[1], 0.8), towards=WHITE)
    return (
        f':root,[data-theme="light"]{{{day}}}\n'
        f"@media (prefers-color-scheme: dark){{:root:not([data-theme]){{{night}}}}}\n"
    )


def digest(colour: str) -> str:
    """What names a stylesheet in its address, so that it may be kept until it changes."""
    return hashlib.sha256(stylesheet(colour).encode()).hexdigest()[:16]


def _accents(colour: str, papers: tuple[str, ...], *, soft: str, towards: str) -> str:
    accent = readable(colour, [*papers, soft], towards)
    strong = readable(accent, [*papers, soft], towards, STRONG)
    said = {
        "brand": colour,
        "accent": accent,
        "accent-strong": strong,
        "accent-soft": soft,
        "on-accent": text_on(accent),
    }
    return "".join(f"--{name}:{value};" for name, value in said.items())
