"""Gift orders (redemptions): what was ordered, every step it took, and where it goes."""

from django.db import models
from django.db.models import Q

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.models import Member, Programme
from rewards.lifecycle import Status
from rewards.models.gifts import Reward, RewardVersion

ACTOR_LENGTH = 160


class Redemption(models.Model):
    """A gift order. `points` is what it costs in all, `unit_points` a piece of the version that was live.

    `parts` are the lots it drew: [lot, points, when the lot was to expire]. A reservation holds points until
    `reserved_until`; after that it has lapsed, whether or not somebody wrote that down. `balance` is the
    account after the order came in. Who gets it and where it goes is in `Delivery`.
    """

    class Status(models.TextChoices):
        RESERVED = Status.RESERVED.value, "Reserved"
        EXCHANGED = Status.EXCHANGED.value, "Exchanged"
        RELEASED = Status.RELEASED.value, "Released"
        LAPSED = Status.LAPSED.value, "Lapsed"
        IN_PREPARATION = Status.IN_PREPARATION.value, "In preparation"
        IN_DELIVERY = Status.IN_DELIVERY.value, "In delivery"
        DELIVERED = Status.DELIVERED.value, "Delivered"
        RETURN_REQUESTED = Status.RETURN_REQUESTED.value, "Return requested"
        RETURNED = Status.RETURNED.value, "Returned"
        CANCELLED = Status.CANCELLED.value, "Cancelled"

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="redemptions", db_constraint=False, db_index=False
    )
    partner_id = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    mode = models.CharField(max_length=6)
    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="redemptions", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        RewardVersion, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    quantity = models.PositiveIntegerField()
    unit_points = models.PositiveBigIntegerField()
    points = models.PositiveBigIntegerField()
    promotion = models.CharField(max_length=64, blank=True)
    is_digital = models.BooleanField()
    status = models.CharField(max_length=16, choices=Status)
    status_at = models.DateTimeField()
    reserved_until = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    language = models.CharField(max_length=35)
    tracking = models.CharField(max_length=100, blank=True)
    parts = models.JSONField()
    entry_seq = models.PositiveBigIntegerField(null=True)
    balance = models.JSONField()
    content = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=16)
    metadata = models.JSONField(default=dict)

    class Meta:
        verbose_name = "gift order"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "reference"], name="redemption_reference_unique"),
            models.UniqueConstraint(fields=["programme", "id"], name="redemption_of_programme"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, points__gt=0, unit_points__gt=0), name="redemption_positive"
            ),
            models.CheckConstraint(
                condition=~Q(status="reserved") | Q(reserved_until__isnull=False),
                name="redemption_reservation_ends",
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "status", "-id"], name="redemption_by_status"),
            models.Index(fields=["member", "reward"], name="redemption_of_member"),
            models.Index(
                fields=["reward", "reserved_until"],
                condition=Q(status="reserved"),
                name="redemption_reserved",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Move(models.Model):
    """A step of an order, append-only: the status it led to, who made it, when, and a note."""

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="moves", db_constraint=False)
    status = models.CharField(max_length=16, choices=Redemption.Status)
    actor = models.CharField(max_length=ACTOR_LENGTH)
    at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)
    tracking = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status} by {self.actor}"


class Delivery(models.Model):
    """Where an order goes: personal data, kept apart and deleted when it is no longer needed.

    `address` has name, street, postal_code, city, country and phone, each optional.
    """

    class Method(models.TextChoices):
        EMAIL = "email", "by e-mail"
        POST = "post", "by post"
        PICKUP = "pickup", "picked up"

    redemption = models.OneToOneField(
        Redemption, models.PROTECT, primary_key=True, related_name="delivery", db_constraint=False
    )
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    method = models.CharField(max_length=6, choices=Method)
    email = models.EmailField(blank=True)
    address = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.method} of {self.redemption_id}"

    @property
    def lines(self) -> list[str]:
        """The address as an envelope shows it; what is missing leaves no line."""
        place = " ".join(filter(None, (self.address.get(name) for name in ("postal_code", "city"))))
        said = self.address.get
        return [x for x in (said("name"), said("street"), place, said("country"), said("phone")) if x]
