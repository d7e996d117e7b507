"""Which media type to answer with (RFC 9110, section 12.5.1), cheap for the usual headers."""

from collections.abc import Sequence

from config.kernel.errors import NotAcceptable


def negotiate(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type the caller likes best; ties go to the first offered. Raises NotAcceptable."""
    if not accept or accept == "*/*" or accept == offered[0]:
        return offered[0]
    ranges = [_parse(part) for part in accept.split(",")]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    if _quality(best, ranges) <= 0:
        raise NotAcceptable(f"This address answers with {', '.join(offered)}.")
    return best


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media_range, float(parameter[2:])
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that matches, 0 if none does."""
    for wanted in (media_type, media_type.split("/")[0] + "/*", "*/*"):
        for media_range, quality in ranges:
            if media_range == wanted:
                return quality
    return 0.0
