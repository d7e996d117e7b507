"""Files that staff upload to be run by a job: what all of them are and how somebody decides on one."""

from typing import TypeVar

from django.db import models

from config.kernel.errors import Family, RistourneError

Upload = TypeVar("Upload", bound="FileUpload")


class UploadDecided(RistourneError):
    """The upload was confirmed or dropped before."""

    code = "illegal_transition"
    family = Family.CONFLICT
    title = "This upload is decided already."


class FileUpload(models.Model):
    """A file that is looked at first, then run in pieces by a job.

    `done` counts the rows that were run; a job that dies goes on after them. `counts` are rows by outcome.
    """

    class Status(models.TextChoices):
        PREVIEW = "preview", "waits for a yes"
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        DROPPED = "dropped"

    status = models.CharField(max_length=16, choices=Status, default=Status.PREVIEW)
    file_name = models.CharField(max_length=200, blank=True)
    uploaded_by = models.CharField(max_length=150, blank=True)
    uploaded_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    total = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    counts = models.JSONField(default=dict)

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_pending(self) -> bool:
        """Whether a job has it."""
        return self.status in {self.Status.WAITING, self.Status.RUNNING}


def locked_upload(upload_class: type[Upload], pk: int) -> Upload:
    """The upload as it is, held until the transaction ends."""
    return upload_class._default_manager.select_for_update(of=("self",)).get(pk=pk)


def undecided(upload: Upload) -> Upload:
    """The upload, held, that waits for a yes. Raises UploadDecided."""
    locked = locked_upload(type(upload), upload.pk)
    if locked.status != locked.Status.PREVIEW:
        raise UploadDecided
    return locked
