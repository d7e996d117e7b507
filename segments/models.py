"""Who is in which group, and since when: by hand, or by criteria."""

from datetime import datetime

from django.db import models
from simple_history.models import HistoricalRecords

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from config.kernel.uploads import FileUpload
from members.models import Member, Programme

REASON_MAX_LENGTH = 200
DESCRIPTION_MAX_LENGTH = 200


class Segment(models.Model):
    """A named group of a programme's members; `is_shown_to_members` lets a member see that they are in it, under
    the name of `labels` and with `descriptions` of why (`{language: text}`). The reasons of memberships are the
    staff's own.

    `criteria` say who is in a dynamic one (`segments.criteria`, JSON; None until they are set: then nobody
    but who is pinned in). The history keeps every version of them, with who changed it and when.
    """

    class Kind(models.TextChoices):
        STATIC = "static", "by hand, API or file"
        DYNAMIC = "dynamic", "by criteria"

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="segments", db_index=False)
    code = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    name = models.CharField(max_length=200)
    labels = models.JSONField(default=dict, blank=True, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.STATIC)
    is_shown_to_members = models.BooleanField(default=False)
    descriptions = models.JSONField(default=dict, blank=True, editable=False)
    criteria = models.JSONField(null=True, blank=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="segment_code_once"),
            # What composite foreign keys point to: a row of another programme cannot be referenced.
            models.UniqueConstraint(fields=["programme", "id"], name="segment_of_programme"),
            models.CheckConstraint(
                condition=models.Q(kind="dynamic") | models.Q(criteria__isnull=True),
                name="segment_static_has_no_criteria",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_dynamic(self) -> bool:
        """Whether criteria say who is in."""
        return self.kind == self.Kind.DYNAMIC


class Membership(models.Model):
    """A dated fact: the member is in the segment from `valid_from` (inclusive) to `valid_until` (exclusive).

    `reason` and `source` are those of the start, `end_reason` and `end_source` those of the end. The database
    refuses overlapping facts for one segment and member, and rows that mix programmes.
    """

    class Source(models.TextChoices):
        STAFF = "staff"
        API = "api"
        IMPORT = "import"
        CRITERIA = "criteria"

    # The tenant walls are the composite foreign keys of the migration, which cover the three columns.
    programme = models.ForeignKey(Programme, models.PROTECT, db_constraint=False, db_index=False)
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="memberships", db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="memberships", db_constraint=False)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=REASON_MAX_LENGTH, blank=True)
    source = models.CharField(max_length=16, choices=Source)
    end_reason = models.CharField(
        max_length=REASON_MAX_LENGTH, blank=True, default="", db_default="", editable=False
    )
    end_source = models.CharField(
        max_length=16, choices=Source, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="membership_ends_after_start",
            ),
        ]
        indexes = [
            # Who is in now, without the past: what a refresh compares with.
            models.Index(
                fields=["segment", "member"],
                condition=models.Q(valid_until__isnull=True),
                name="membership_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.segment_id}"

    def holds_at(self, at: datetime) -> bool:
        """Whether the member is in the segment at an instant."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


class Pin(models.Model):
    """Keeps a member in a dynamic segment (`is_in`) or out of it, whatever its criteria say, and why."""

    programme = models.ForeignKey(Programme, models.PROTECT, db_constraint=False, db_index=False)
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="pins", db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="pins", db_constraint=False)
    is_in = models.BooleanField("pinned in", default=True, help_text="Otherwise the member is kept out.")
    reason = models.CharField(max_length=REASON_MAX_LENGTH)
    source = models.CharField(max_length=16, choices=Membership.Source)
    pinned_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["segment", "member"], name="pin_once"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="pin_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {'in' if self.is_in else 'out of'} {self.segment_id}"


class Refresh(models.Model):
    """One evaluation of a dynamic segment: asked for, run, and what came of it.

    `size` counts its members after it, `entered` and `left` those that it moved.
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    programme = models.ForeignKey(Programme, models.PROTECT, db_constraint=False, db_index=False)
    segment = models.ForeignKey(
        Segment, models.PROTECT, related_name="refreshes", db_constraint=False, db_index=False
    )
    status = models.CharField(max_length=16, choices=Status)
    asked_by = models.CharField(max_length=150, blank=True)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    size = models.BigIntegerField(null=True)
    entered = models.BigIntegerField(null=True)
    left = models.BigIntegerField(null=True)

    class Meta:
        verbose_name_plural = "refreshes"
        ordering = ["-id"]
        indexes = [models.Index(fields=["segment", "id"], name="refresh_of_segment")]

    def __str__(self) -> str:
        return f"{self.segment_id} at {self.asked_at:%Y-%m-%d %H:%M}"


class Upload(FileUpload):
    """A file of members to put into a static segment."""

    programme = models.ForeignKey(Programme, models.PROTECT, db_constraint=False, db_index=False)
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="uploads", db_constraint=False)


class UploadRow(models.Model):
    """A row of an uploaded file: its number there, what it says, and what became of it ("" = not run yet)."""

    pk = models.CompositePrimaryKey("upload", "number")
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="rows", db_index=False)
    number = models.IntegerField()
    member = models.TextField()
    reason = models.TextField(blank=True)
    outcome = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"row {self.number}"
