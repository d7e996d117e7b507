"""Pages of rewards."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest

from rewards.services.pictures import FOLDER


def picture(request: HttpRequest, name: str) -> FileResponse:
    """A file of a picture. Its name says what is in it, so it may be kept for ever."""
    try:
        file = default_storage.open(f"{FOLDER}/{name}")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(file, content_type="image/webp")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
