"""Writes of pictures."""

from datetime import datetime

from config.kernel.pictures import keep
from members.models import Programme
from rewards.models import Picture

FOLDER = "gifts"


def picture_store(*, programme: Programme, content: bytes, now: datetime) -> Picture:
    """Make an uploaded picture anew in a few widths and keep it; the same picture is kept once.

    Raises PictureRefused.
    """
    digest, files = keep(FOLDER, content)
    picture, _ = Picture.objects.get_or_create(
        programme=programme,
        digest=digest,
        defaults={
            "width": files[0].width,
            "height": files[0].height,
            "files": [file._asdict() for file in files],
            "created_at": now,
        },
    )
    return picture
