"""Pages of rewards."""

from django.http import FileResponse, HttpRequest

from config.kernel import pictures
from rewards.services.pictures import FOLDER


def picture(request: HttpRequest, name: str) -> FileResponse:
    """A file of a gift's picture."""
    return pictures.answer(FOLDER, name)
