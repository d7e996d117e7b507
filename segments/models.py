"""Who is in which group, and since when."""

from datetime import datetime

from django.db import models
from simple_history.models import HistoricalRecords

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.models import Member, Programme


class Segment(models.Model):
    """A named group of a programme's members; `is_shown_to_members` lets a member see that they are in it."""

    class Kind(models.TextChoices):
        STATIC = "static", "by hand, API or file"

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="segments", db_index=False)
    code = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.STATIC)
    is_shown_to_members = models.BooleanField(default=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="segment_code_once"),
            # What composite foreign keys point to: a row of another programme cannot be referenced.
            models.UniqueConstraint(fields=["programme", "id"], name="segment_of_programme"),
        ]

    def __str__(self) -> str:
        return self.code


class Membership(models.Model):
    """A dated fact: the member is in the segment from `valid_from` (inclusive) to `valid_until` (exclusive).

    The database refuses overlapping facts for one segment and member, and rows that mix programmes.
    """

    class Source(models.TextChoices):
        STAFF = "staff"
        API = "api"
        IMPORT = "import"

    # The tenant walls are the composite foreign keys of the migration, which cover the three columns.
    programme = models.ForeignKey(Programme, models.PROTECT, db_constraint=False, db_index=False)
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="memberships", db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="memberships", db_constraint=False)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=16, choices=Source)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="membership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.segment_id}"

    def holds_at(self, at: datetime) -> bool:
        """Whether the member is in the segment at an instant."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)
