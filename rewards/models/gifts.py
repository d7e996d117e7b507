"""Rewards (gifts in the API), and their versions, which the client validates."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.models import Programme
from rewards.models.catalogue import Picture

_ACTOR_LENGTH = 160


class Reward(models.Model):
    """Something points are exchanged for. What may change without the client's validation is here.

    `stock` counts pieces, None = without limit. At most `limit_per_member` pieces to a member in all, and
    `limit_per_period` in each programme day, week (from Monday), month or year. `revision` is the catalogue
    number of the last change, `changed_at` its instant; a change of stock between none and some counts.
    """

    class Kind(models.TextChoices):
        DIGITAL_VOUCHER = "digital_voucher", "Digital voucher"
        POOL_VOUCHER = "pool_voucher", "Voucher from a pool of codes"
        PHYSICAL = "physical", "Physical gift"
        DONATION = "donation", "Donation"

    class State(models.TextChoices):
        """The switch of the whole gift: its live version shows while it is active."""

        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        RETIRED = "retired", "Retired"

    class Period(models.TextChoices):
        DAY = "day", "a day"
        WEEK = "week", "a week"
        MONTH = "month", "a month"
        YEAR = "year", "a year"

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="rewards", db_index=False)
    code = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    stock = models.PositiveIntegerField(null=True, blank=True)
    limit_per_member = models.PositiveIntegerField(null=True, blank=True)
    limit_per_period = models.PositiveIntegerField(null=True, blank=True)
    period = models.CharField(max_length=5, choices=Period, default=Period.MONTH)
    revision = models.PositiveBigIntegerField(default=0, editable=False)
    changed_at = models.DateTimeField(editable=False)
    created_at = models.DateTimeField(editable=False)

    history = HistoricalRecords(excluded_fields=["stock", "revision", "changed_at"])

    class Meta:
        verbose_name = "gift"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="reward_code_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="reward_of_programme"),
            models.CheckConstraint(
                condition=Q(stock=None) | Q(stock__gte=0), name="reward_stock_not_negative"
            ),
            models.CheckConstraint(
                condition=(Q(limit_per_member=None) | Q(limit_per_member__gt=0))
                & (Q(limit_per_period=None) | Q(limit_per_period__gt=0)),
                name="reward_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class RewardVersion(models.Model):
    """What a gift says and costs. It is written once submitted: another price, text or image is a new version.

    A version is shown while its state is LIVE, the reward is active and `shown_from` <= now < `shown_until`
    (None = no end): a start in the future is a scheduled version, an end in the past one that was replaced.
    `live_from` and `live_until` are the window the client validates. Texts are `{language: text}`, the
    description HTML that was cleaned. `points` and `cash_amount` (programme currency) are the price of one
    piece. Eligible are members in one of `segments` (if any) who have one of `tiers` (if any).
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        CHANGES_REQUESTED = "changes_requested", "Changes requested"
        VALIDATED = "validated", "Validated"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    EDITABLE = (State.DRAFT, State.CHANGES_REQUESTED)
    OPEN = (State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.VALIDATED)

    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="versions", db_constraint=False)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=17, choices=State, default=State.DRAFT)

    name = models.JSONField(default=dict)
    description = models.JSONField(default=dict, blank=True)
    delivery_terms = models.JSONField(default=dict, blank=True)
    brand = models.CharField(max_length=100, blank=True)
    supplier = models.CharField(max_length=100, blank=True)
    points = models.PositiveBigIntegerField(validators=[MinValueValidator(1), MaxValueValidator(2**53)])
    cash_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    face_value = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    face_currency = models.CharField(max_length=3, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    segments = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    tiers = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    categories = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    live_from = models.DateTimeField(null=True, blank=True)
    live_until = models.DateTimeField(null=True, blank=True)
    voucher_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days a voucher is valid; empty = without end."
    )
    has_balance = models.BooleanField(default=False, help_text="The voucher may be used in parts.")
    is_returnable = models.BooleanField(default=False)
    returns_points = models.BooleanField(default=True, help_text="A returned gift gives its points back.")
    returns_stock = models.BooleanField(default=True, help_text="A returned gift goes back into stock.")

    shown_from = models.DateTimeField(null=True, blank=True, editable=False)
    shown_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=_ACTOR_LENGTH)
    created_at = models.DateTimeField()
    submitted_by = models.CharField(max_length=_ACTOR_LENGTH, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    validated_by = models.CharField(max_length=_ACTOR_LENGTH, blank=True)
    validated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "versions to validate"
        ordering = ["reward", "number"]
        constraints = [
            models.UniqueConstraint(fields=["reward", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="version_of_programme"),
            models.UniqueConstraint(
                fields=["reward"],
                condition=Q(state__in=["draft", "submitted", "changes_requested", "validated"]),
                name="version_one_open",
            ),
            models.CheckConstraint(condition=Q(points__gt=0, points__lte=2**53), name="version_points"),
            models.CheckConstraint(
                condition=(Q(cash_amount=None) | Q(cash_amount__gt=0))
                & (Q(face_value=None) | Q(face_value__gt=0, face_currency__gt="")),
                name="version_amounts",
            ),
            models.CheckConstraint(
                condition=Q(live_from=None) | Q(live_until=None) | Q(live_until__gt=F("live_from")),
                name="version_window",
            ),
            models.CheckConstraint(
                condition=Q(shown_until=None) | Q(shown_until__gte=F("shown_from")), name="version_shown"
            ),
            # Four eyes, also for who writes around the services.
            models.CheckConstraint(
                condition=~Q(state__in=["validated", "live"])
                | (Q(validated_at__isnull=False) & ~Q(validated_by="") & ~Q(validated_by=F("submitted_by"))),
                name="version_validated_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(shown_from__isnull=False), name="version_live_is_dated"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class VersionPicture(models.Model):
    """An image of a version, in its order, with what it shows as `{language: text}`."""

    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    version = models.ForeignKey(RewardVersion, models.CASCADE, related_name="pictures", db_constraint=False)
    picture = models.ForeignKey(
        Picture, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    position = models.PositiveSmallIntegerField()
    alt = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="version_picture_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.position}"


class RewardStep(models.Model):
    """What somebody decided about a version, or (without one) the whole gift: append-only, with the comment."""

    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="steps", db_constraint=False)
    version = models.ForeignKey(
        RewardVersion, models.PROTECT, related_name="steps", null=True, db_constraint=False
    )
    action = models.CharField(max_length=20)
    state = models.CharField(max_length=17)
    actor = models.CharField(max_length=_ACTOR_LENGTH)
    at = models.DateTimeField()
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


class PromotionalPrice(models.Model):
    """What a gift costs members whom a promotion is for, while it runs."""

    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="promotional_prices", db_constraint=False, db_index=False
    )
    promotion = models.ForeignKey("loyalty.Promotion", models.PROTECT, related_name="+", db_constraint=False)
    points = models.PositiveBigIntegerField(validators=[MinValueValidator(1), MaxValueValidator(2**53)])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reward", "promotion"], name="promotional_price_once"),
            models.CheckConstraint(condition=Q(points__gt=0, points__lte=2**53), name="promotional_points"),
        ]

    def __str__(self) -> str:
        return f"{self.reward_id} for {self.points} by {self.promotion_id}"
