"""Events: what a member did besides buying, and the types that say what it is worth."""

from django.db import models
from django.db.models import Q

from config.kernel.codes import CODE_MAX_LENGTH, code_validator


class EventType(models.Model):
    """A kind of event of a programme. What it asks and gives is a part, stored under its hash.

    A change names another part; events keep the part they were decided with.
    """

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="event_types")
    code = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    name = models.CharField(max_length=200, help_text="What members and staff read, e.g. in the history.")
    labels = models.JSONField(default=dict, blank=True, help_text="Names by language code.")
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(
        default=1, help_text="Rises whenever what it asks or gives changes."
    )
    part = models.CharField(max_length=71, help_text="Hash of its part.")
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("code",)
        constraints = [
            models.UniqueConstraint(fields=("programme", "code"), name="event_type_code_unique"),
            models.UniqueConstraint(fields=("programme", "id"), name="event_type_tenant_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Event(models.Model):
    """An event with everything its points were decided from.

    `account_id` is the member's id. What it was decided from never changes; `status` and what a review or a
    booking fills in do. Events that are posted or in review are what caps count.
    """

    class Status(models.TextChoices):
        POSTED = "posted"
        IN_REVIEW = "in_review"
        REFUSED = "refused"
        LIMIT_REACHED = "limit_reached"
        REVERSED = "reversed"

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account_id = models.BigIntegerField()
    type = models.ForeignKey(
        EventType, on_delete=models.PROTECT, related_name="events", db_index=False, db_constraint=False
    )
    partner_id = models.BigIntegerField(null=True, help_text="None for one that staff posted.")
    reference = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    day = models.DateField(help_text="The programme's day of occurred_at.")
    attributes = models.JSONField(default=dict)
    device = models.BinaryField(
        max_length=32, null=True, help_text="HMAC of the device, if its type limits it."
    )
    content = models.BinaryField(max_length=32, help_text="SHA-256 of the normalised content.")
    metadata = models.JSONField(default=dict)
    part = models.CharField(max_length=71, help_text="What its type asked and gave, by hash.")
    ruleset = models.CharField(max_length=71, help_text="Whose terms say rounding, delay and lifetime.")
    wanted = models.BigIntegerField(help_text="Points without limits and review.")
    reached_limit = models.JSONField(null=True, help_text="The limit that left it without points.")
    status = models.CharField(max_length=13, choices=Status)
    points = models.BigIntegerField(default=0)
    qualifying = models.BigIntegerField(default=0)
    activates_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    entry_seq = models.PositiveBigIntegerField(null=True)
    salt = models.BinaryField(max_length=16)
    balance = models.JSONField(help_text="The figures after it was booked or recorded.")
    decided_by = models.CharField(max_length=100, blank=True, help_text="Who reviewed it: staff:<username>.")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-recorded_at",)
        constraints = [
            models.UniqueConstraint(fields=("programme", "reference"), name="event_reference_unique"),
            models.UniqueConstraint(fields=("programme", "id"), name="event_tenant_unique"),
            models.CheckConstraint(
                condition=Q(points__gte=0, wanted__gte=0, qualifying__gte=0),
                name="event_points_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(points=0) | Q(status__in=("posted", "reversed")), name="event_points_only_posted"
            ),
        ]
        indexes = [
            models.Index(fields=("account_id", "id"), name="event_of_member"),
            models.Index(
                fields=("account_id", "type", "day"),
                condition=Q(status__in=("posted", "in_review")),
                name="event_counted",
            ),
            models.Index(
                fields=("type", "device", "day"),
                condition=Q(status__in=("posted", "in_review"), device__isnull=False),
                name="event_device_counted",
            ),
            models.Index(
                fields=("programme", "recorded_at"),
                condition=Q(status="in_review"),
                name="event_review_queue",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class EventReversal(models.Model):
    """An event taken back, whole, with what it took and from where."""

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account_id = models.BigIntegerField()
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="reversals", db_index=False, db_constraint=False
    )
    partner_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100, blank=True, help_text="staff:<username>, if staff took it back.")
    reference = models.CharField(max_length=64)
    reason = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    content = models.BinaryField(max_length=32)
    points = models.BigIntegerField()
    taken_from = models.JSONField()
    freed = models.BooleanField(help_text="Whether the event had counted against limits.")
    entry_seq = models.PositiveBigIntegerField(null=True)
    salt = models.BinaryField(max_length=16)
    balance = models.JSONField()
    metadata = models.JSONField(default=dict)

    class Meta:
        ordering = ("-recorded_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("programme", "reference"), name="event_reversal_reference_unique"
            ),
            models.UniqueConstraint(fields=("event",), name="event_reversed_once"),
            models.CheckConstraint(condition=Q(points__lte=0), name="event_reversal_never_gives"),
        ]

    def __str__(self) -> str:
        return self.reference


class EventDevice(models.Model):
    """The guard of what one device may do with one event type: `version` rises with every event it counts.

    Limits of a device go over all members, so no account's version can hold them.
    """

    pk = models.CompositePrimaryKey("type_id", "device")
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    type = models.ForeignKey(
        EventType, on_delete=models.PROTECT, related_name="devices", db_index=False, db_constraint=False
    )
    device = models.BinaryField(max_length=32)
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.type_id} {bytes(self.device).hex()[:8]}"
