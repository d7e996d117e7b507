"""Members and, for each day, what they did."""

from django.db import models
from django.db.models import Q

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.models.programmes import Programme


class Member(models.Model):
    """Someone who takes part in one programme, under the number the partner gave.

    `tier` is the code of the tier held now ("" = none), written by loyalty. `birth_date_changes` keeps each
    earlier birth date with the instant it was replaced, so that a change re-arms no birthday bonus:
    `[{"at": "2026-11-23T09:00:00+00:00", "was": "1990-05-01" | null}]`.
    Of an erased one nothing is left but the row that the ledger hangs on, under a number that means nothing.
    """

    class Status(models.TextChoices):
        ACTIVE = "active"
        CLOSED = "closed"
        ERASED = "erased"

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="members", db_index=False)
    number = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(blank=True)
    birth_date = models.DateField(null=True, blank=True)
    birth_date_changes = models.JSONField(default=list, editable=False)
    language = models.CharField(max_length=35, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    consents = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    tier = models.CharField(max_length=CODE_MAX_LENGTH, blank=True, editable=False)
    enrolled_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, editable=False)
    identity_version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Rises when all sessions end."
    )

    class Meta:
        ordering = ["-id"]
        permissions = [("erase_member", "Can erase a person")]
        constraints = [
            # Whoever still holds the member from before writes nothing of the person back.
            models.CheckConstraint(
                condition=Q(status="erased", erased_at__isnull=False, birth_date=None, birth_date_changes=[])
                & Q(first_name="", last_name="", email="", language="", tier="")
                & Q(attributes={}, consents={}, metadata={})
                | (~Q(status="erased") & Q(erased_at=None)),
                name="member_erased_is_empty",
            ),
            models.UniqueConstraint(fields=["programme", "number"], name="member_number_once"),
            # What composite foreign keys point to: a row of another programme cannot be referenced.
            models.UniqueConstraint(fields=["programme", "id"], name="member_of_programme"),
        ]

    def __str__(self) -> str:
        return self.number


class Activity(models.Model):
    """One row per member and programme day, written with every posting: segments ask it about behaviour.

    `spend` is money in the programme's currency, `earned` and `burned` are points;
    `qualifying` points are what makes tiers, less what was returned of them.
    """

    pk = models.CompositePrimaryKey("member", "day")
    # The tenant wall is the composite foreign key of the migration, which covers both columns.
    programme = models.ForeignKey(Programme, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False, db_index=False)
    day = models.DateField()
    transactions = models.IntegerField(default=0, db_default=0)
    spend = models.DecimalField(max_digits=20, decimal_places=4, default=0, db_default=0)
    earned = models.BigIntegerField(default=0, db_default=0)
    burned = models.BigIntegerField(default=0, db_default=0)
    qualifying = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["programme", "day"], name="activity_day")]

    def __str__(self) -> str:
        return f"{self.member_id} on {self.day}"
