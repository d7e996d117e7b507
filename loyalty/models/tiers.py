"""Tiers: the levels of a programme, what they ask for, and who stands where."""

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords
from uuid_utils.compat import uuid7


class Tier(models.Model):
    """A level of a programme. Its multiplier is part of the versioned terms.

    `threshold` is in qualifying points of the programme's period; without one only staff grant the tier.
    """

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="tiers")
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    labels = models.JSONField(default=dict, blank=True, help_text="Names for members, by language code.")
    rank = models.PositiveSmallIntegerField(help_text="Higher is better.")
    threshold = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Qualifying points that reach it. Empty: granted by staff only."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("rank",)
        constraints = [
            models.UniqueConstraint(fields=("programme", "code"), name="tier_code_unique"),
            models.UniqueConstraint(fields=("programme", "rank"), name="tier_rank_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class TierRules(models.Model):
    """How the tiers of a programme are reached and kept; without this row points move no tier.

    `is_changed` asks the next review to look at everybody again.
    """

    class Period(models.TextChoices):
        DAYS = "days", "The last days"
        MONTHS = "months", "The last months"
        YEAR = "year", "Calendar year"
        HALF_YEAR = "half_year", "Calendar half-year"
        QUARTER = "quarter", "Calendar quarter"

    programme = models.OneToOneField(
        "members.Programme", on_delete=models.PROTECT, primary_key=True, related_name="tier_rules"
    )
    period = models.CharField(max_length=9, choices=Period)
    length = models.PositiveSmallIntegerField(
        default=1, help_text="How many days or months, for the last days or months."
    )
    keeps_following = models.BooleanField(
        "kept for the following period", default=False, help_text="For calendar periods."
    )
    is_changed = models.BooleanField(default=True, editable=False)

    history = HistoricalRecords(excluded_fields=["is_changed"])

    class Meta:
        verbose_name = verbose_name_plural = "tier rules"
        constraints = [
            models.CheckConstraint(condition=Q(length__gte=1), name="tier_rules_length"),
        ]

    def __str__(self) -> str:
        return f"tier rules of {self.programme}"


class TierStanding(models.Model):
    """The tier a member earned and the one granted; a member without a row has none of either.

    Members.tier is the higher one. `due_at` is when it next has to be looked at.
    """

    member = models.OneToOneField(
        "members.Member",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="tier_standing",
        db_constraint=False,
    )
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    tier = models.CharField(max_length=64, blank=True)
    since = models.DateTimeField(null=True)
    confirmed_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    granted = models.CharField(max_length=64, blank=True)
    granted_at = models.DateTimeField(null=True)
    granted_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=("due_at",), condition=~Q(due_at=None), name="tier_standing_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(granted="", granted_at=None, granted_until=None)
                | (~Q(granted="") & Q(granted_until__isnull=False, granted_until__gt=F("granted_at"))),
                name="tier_grant_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.granted or self.tier


class TierChange(models.Model):
    """Another tier from `at` on, or a grant: append-only. `qualifying` are the points that were looked at."""

    class Why(models.TextChoices):
        EARNED = "earned"
        EXPIRED = "expired"
        GRANTED = "granted"
        GRANT_ENDED = "grant_ended", "Grant ended"

    id = models.UUIDField(primary_key=True, default=uuid7)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="tier_changes", db_index=False, db_constraint=False
    )  # fmt: skip
    before = models.CharField(max_length=64, blank=True)
    after = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    why = models.CharField(max_length=11, choices=Why)
    qualifying = models.BigIntegerField()
    until = models.DateTimeField(null=True, help_text="The end of a grant.")
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=100, blank=True, help_text="staff:<username>, for grants.")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=("member", "id"), name="tier_change_member")]

    def __str__(self) -> str:
        return f"{self.before or 'no tier'} to {self.after or 'no tier'}"
