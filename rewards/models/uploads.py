"""Files of gifts that staff upload: looked at, confirmed, then run by a job."""

from django.db import models

from config.kernel.uploads import FileUpload
from members.models import Programme


class CatalogueUpload(FileUpload):
    """A file of gifts, alone or in a ZIP with their pictures."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")

    class Meta(FileUpload.Meta):
        verbose_name = "catalogue file"


class CatalogueRow(models.Model):
    """A row of the file: its cells by column, what it would come to, and what became of it ("" = not run yet).

    `why` says what is wrong with a refused one.
    """

    pk = models.CompositePrimaryKey("upload", "number")
    upload = models.ForeignKey(CatalogueUpload, models.CASCADE, related_name="rows", db_index=False)
    number = models.IntegerField()
    cells = models.JSONField()
    plan = models.CharField(max_length=16)
    outcome = models.CharField(max_length=16, blank=True)
    why = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"row {self.number}"


class CataloguePicture(models.Model):
    """A picture of the ZIP that a row names, as it was uploaded; it goes once the job is done."""

    upload = models.ForeignKey(CatalogueUpload, models.CASCADE, related_name="pictures", db_index=False)
    name = models.CharField(max_length=255)
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "name"], name="catalogue_picture_name_once")]

    def __str__(self) -> str:
        return self.name
