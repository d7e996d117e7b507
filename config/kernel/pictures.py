"""Uploaded pictures: judged by their content, never by their name, and made anew before anybody sees them."""

import hashlib
import io
import zipfile
from typing import BinaryIO, NamedTuple

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from PIL import Image, ImageOps, UnidentifiedImageError

from config.kernel.errors import PictureRefused

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
WIDTHS = (1200, 600, 300)
FORMATS = ("PNG", "JPEG", "WEBP")
_QUALITY = 82

# A picture that is also something else to another program is an attack, not a picture.
_MARKUP = (b"<script", b"<html", b"<!doctype", b"<?php")
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")


class Kept(NamedTuple):
    """A file of a kept picture: its name says what is in it."""

    name: str
    width: int
    height: int


class Made(NamedTuple):
    """A WebP file made from an upload, with its size in pixels."""

    content: bytes
    width: int
    height: int


def read_upload(file: BinaryIO) -> bytes:
    """The bytes of an upload. Raises PictureRefused for more than 10 MiB, having read no more than that."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PictureRefused(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    return content


def remake(content: bytes, widths: tuple[int, ...] = WIDTHS) -> list[Made]:
    """The picture in these widths (pixels), widest first, never larger than it was, as WebP.

    Nothing of the upload but its pixels stays. Raises PictureRefused.
    """
    _check_nothing_else(content)
    picture = _opened(content)
    wanted = sorted({min(width, picture.width) for width in widths}, reverse=True)
    return [_encoded(picture, width) for width in wanted]


def keep(folder: str, content: bytes, widths: tuple[int, ...] = WIDTHS) -> tuple[str, list[Kept]]:
    """Remake an upload and keep its files in a folder of the media; the digest that names them, and the files.

    Raises PictureRefused.
    """
    made = remake(content, widths)
    digest = hashlib.sha256(made[0].content).hexdigest()
    kept = [Kept(f"{digest}-{one.width}.webp", one.width, one.height) for one in made]
    for file, one in zip(kept, made, strict=True):
        _write(f"{folder}/{file.name}", one.content)
    return digest, kept


def answer(folder: str, name: str) -> FileResponse:
    """A file of a kept picture. Its name says what is in it, so it may be cached for ever. Http404."""
    try:
        file = default_storage.open(f"{folder}/{name}")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(file, content_type="image/webp")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _write(name: str, content: bytes) -> None:
    """A file under a name that says what is in it: one that is there already is the same."""
    if default_storage.exists(name):
        return
    written = default_storage.save(name, ContentFile(content))
    if written != name:
        # Somebody else wrote it first, so ours got another name.
        default_storage.delete(written)


def check(content: bytes) -> None:
    """Raises PictureRefused for what `remake` would refuse, without making anything."""
    _check_nothing_else(content)
    _opened(content)


def _check_nothing_else(content: bytes) -> None:
    if not content:
        raise PictureRefused("The file is empty.")
    if len(content) > MAX_BYTES:
        raise PictureRefused(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    head = content[:1024].lstrip().lower()
    if b"<svg" in head or head.startswith(b"<?xml"):
        raise PictureRefused("SVG is not accepted, because it can carry scripts: use PNG, JPEG or WebP.")
    lower = content.lower()
    is_other = (
        b"%PDF-" in content[:1024]
        or any(sign in lower for sign in _MARKUP)
        or any(sign in content for sign in _ARCHIVES)
        or zipfile.is_zipfile(io.BytesIO(content))
    )
    if is_other:
        raise PictureRefused("The file holds something else beside or instead of a picture.")


def _opened(content: bytes) -> Image.Image:
    """The picture, upright, in RGB or RGBA. The size is read before any pixel is."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as found:
            if found.width * found.height > MAX_PIXELS:
                raise PictureRefused(
                    f"{found.width} × {found.height} pixels are too many: at most {MAX_PIXELS // 10**6} million."
                )
            found.load()
            upright = ImageOps.exif_transpose(found)
            has_alpha = upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info
            return upright.convert("RGBA" if has_alpha else "RGB")
    except Image.DecompressionBombError:
        raise PictureRefused("The picture has too many pixels.") from None
    except UnidentifiedImageError:
        raise PictureRefused("The file is no picture: use PNG, JPEG or WebP.") from None
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError):
        raise PictureRefused("The picture is damaged.") from None


def _encoded(picture: Image.Image, width: int) -> Made:
    height = max(1, round(picture.height * width / picture.width))
    sized = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)
    if max(sized.size) > 16383:
        raise PictureRefused("The picture is too narrow for its height.")
    file = io.BytesIO()
    sized.save(file, "WEBP", quality=_QUALITY, method=3)
    return Made(file.getvalue(), sized.width, sized.height)
