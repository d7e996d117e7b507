from django.db import models
from django.db.models import F, Q

from loyalty.models.rules import Version


class Promotion(models.Model):
    """A rule that gives extra points. What it says is in its versions, what it is to say next in its draft."""

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="promotions")
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    labels = models.JSONField(default=dict, blank=True, help_text="Names for members, by language code.")
    draft = models.JSONField(null=True, help_text="A PromotionDraft: to be published next, without effect.")
    drafted_at = models.DateTimeField(null=True)
    drafted_by = models.CharField(max_length=150, blank=True, db_default="")
    ended_at = models.DateTimeField(null=True, help_text="Ended by staff, for good.")

    class Meta:
        ordering = ("code",)
        constraints = [
            models.UniqueConstraint(fields=("programme", "code"), name="promotion_code_unique"),
            models.UniqueConstraint(fields=("programme", "id"), name="promotion_tenant_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class PromotionVersion(Version):
    """A promotion's rule over a time; a live change ends one version and starts the next."""

    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="versions")

    class Meta:
        ordering = ("promotion", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("promotion",), condition=Q(valid_until=None), name="promotion_version_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.promotion.code} from {self.valid_from or 'the beginning'}"


class PromotionSegment(models.Model):
    """A dated link: the promotion includes or excludes a segment's members.

    The database refuses overlapping links of one promotion and segment, and rows that mix programmes.
    """

    class Mode(models.TextChoices):
        INCLUDE = "include"
        EXCLUDE = "exclude"

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="+")
    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, related_name="links", db_constraint=False
    )
    segment = models.ForeignKey(
        "segments.Segment", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    mode = models.CharField(max_length=7, choices=Mode, default=Mode.INCLUDE)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("promotion", "valid_from")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="promotion_link_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promotion.code} {self.mode}s {self.segment.code}"


class PromotionUsage(models.Model):
    """What a promotion gave one member on one programme day; the member caps are sums over it."""

    pk = models.CompositePrimaryKey("account", "promotion", "day")
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        "loyalty.Account", on_delete=models.PROTECT, related_name="usage", db_index=False, db_constraint=False
    )
    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, related_name="usage", db_constraint=False
    )
    day = models.DateField()
    points = models.DecimalField(max_digits=30, decimal_places=12)
    uses = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(points__gte=0, uses__gte=0), name="usage_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.promotion_id} {self.day}"


class PromotionBudget(models.Model):
    """The counter of a promotion's budget over all members, with the largest budget any version gave it."""

    promotion = models.OneToOneField(
        Promotion, on_delete=models.PROTECT, primary_key=True, related_name="budget"
    )
    points_used = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    uses_used = models.PositiveBigIntegerField(default=0)
    points_limit = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    uses_limit = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(points_used__gte=0)
                & (Q(points_limit=None) | Q(points_used__lte=F("points_limit"))),
                name="budget_points_within_limit",
            ),
            models.CheckConstraint(
                condition=Q(uses_limit=None) | Q(uses_used__lte=F("uses_limit")),
                name="budget_uses_within_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"budget of {self.promotion_id}"
