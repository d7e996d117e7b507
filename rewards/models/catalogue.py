"""What gifts are arranged in and shown with: categories, pictures, and the number of the catalogue."""

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.models import Programme

MAX_LEVEL = 3


class Picture(models.Model):
    """An uploaded image as we made it anew: `digest` is the SHA-256 (hex) of its largest file.

    `files` lists what is stored, widest first: `{"name", "width", "height"}`, sizes in pixels.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    files = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "digest"], name="picture_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="picture_of_programme"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class Category(models.Model):
    """A place for gifts in a tree of up to three levels, in the client's order; `name` is `{language: text}`."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="categories", db_index=False)
    code = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    parent = models.ForeignKey(
        "self", models.PROTECT, related_name="children", null=True, blank=True, db_constraint=False
    )
    level = models.PositiveSmallIntegerField(default=1, editable=False)
    position = models.PositiveIntegerField(default=0)
    picture = models.ForeignKey(
        Picture, models.PROTECT, related_name="+", null=True, blank=True, db_constraint=False, db_index=False
    )
    is_active = models.BooleanField(default=True)
    name = models.JSONField(default=dict)

    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "code"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="category_code_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="category_of_programme"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=MAX_LEVEL), name="category_level"),
            models.CheckConstraint(
                condition=Q(parent=None, level=1) | Q(parent__isnull=False, level__gt=1),
                name="category_root_is_level_one",
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="category_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CatalogueHead(models.Model):
    """The number that rises with every change of what a programme's catalogue shows; keys the prebuilt feeds."""

    programme = models.OneToOneField(Programme, models.PROTECT, primary_key=True, related_name="+")
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.programme_id} at {self.number}"
