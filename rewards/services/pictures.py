"""Writes of pictures."""

import hashlib
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from members.models import Programme
from rewards.models import Picture
from rewards.pictures import remake

FOLDER = "gifts"


def picture_store(*, programme: Programme, content: bytes, now: datetime) -> Picture:
    """Make an uploaded picture anew in a few widths and keep it; the same picture is kept once.

    Raises PictureRefused.
    """
    made = remake(content)
    digest = hashlib.sha256(made[0].content).hexdigest()
    files = [{"name": f"{digest}-{one.width}.webp", "width": one.width, "height": one.height} for one in made]
    for file, one in zip(files, made, strict=True):
        _keep(f"{FOLDER}/{file['name']}", one.content)
    picture, _ = Picture.objects.get_or_create(
        programme=programme,
        digest=digest,
        defaults={"width": made[0].width, "height": made[0].height, "files": files, "created_at": now},
    )
    return picture


def _keep(name: str, content: bytes) -> None:
    """Write a file under a name that says what is in it: one that is there already is the same."""
    if default_storage.exists(name):
        return
    written = default_storage.save(name, ContentFile(content))
    if written != name:
        # Somebody else wrote it first, so ours got another name.
        default_storage.delete(written)
