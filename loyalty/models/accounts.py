"""The ledger's tables. Rows are written by `loyalty.ledger` and the one apply function, nowhere else."""

from django.db import models
from django.db.models import F, Q


class Account(models.Model):
    """A member's points: four figures, the head of the entry chain and when something next changes.

    `version` rises with every posting. Lots that activate after `settled_at` are the pending ones.
    """

    member = models.OneToOneField(
        "members.Member",
        on_delete=models.PROTECT,
        primary_key=True,
        db_column="id",
        related_name="account",
        db_constraint=False,
    )
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    version = models.PositiveBigIntegerField(default=0)
    seq = models.PositiveBigIntegerField(default=0, help_text="Number of the last entry.")
    draws = models.PositiveBigIntegerField(default=0, help_text="Number of the last draw.")
    available = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    debt = models.BigIntegerField(default=0)
    transactions = models.PositiveIntegerField(default=0, help_text="Posted and not fully reversed.")
    head = models.BinaryField(max_length=32, default=bytes(32), help_text="Hash of the last entry.")
    settled_at = models.DateTimeField()
    next_change_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=("next_change_at",), condition=~Q(next_change_at=None), name="account_next_change"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=("programme", "member"), name="account_tenant_unique"),
            models.CheckConstraint(
                condition=Q(available__gte=0, pending__gte=0, held__gte=0, debt__gte=0),
                name="account_figures_not_negative",
            ),
            models.CheckConstraint(condition=Q(debt=0) | Q(available=0), name="account_debt_or_available"),
        ]

    def __str__(self) -> str:
        return f"account {self.member_id}"


class Entry(models.Model):
    """One append-only row = one double entry between the member's account and a counterpart."""

    pk = models.CompositePrimaryKey("account", "seq")
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=24)
    counterpart = models.CharField(max_length=12)
    points = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    balance_after = models.BigIntegerField()
    available = models.BigIntegerField()
    pending = models.BigIntegerField()
    held = models.BigIntegerField()
    debt = models.BigIntegerField()
    source = models.UUIDField(null=True, help_text="The transaction, reversal or adjustment it books.")
    commitment = models.BinaryField(max_length=32)
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.CheckConstraint(condition=~Q(points=0), name="entry_points_not_zero"),
            models.CheckConstraint(
                condition=Q(balance_after=F("available") + F("pending") + F("held") - F("debt")),
                name="entry_figures_add_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.points:+d}"


class Lot(models.Model):
    """Points that arrived together and expire together; numbered by the entry that opened it."""

    pk = models.CompositePrimaryKey("account", "seq")
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="lots", db_index=False, db_constraint=False
    )
    seq = models.PositiveBigIntegerField()
    points = models.BigIntegerField()
    remaining = models.BigIntegerField()
    expired = models.BigIntegerField(default=0, help_text="Of the points, how many went to breakage.")
    activates_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=("account",), condition=Q(remaining__gt=0), name="lot_open")]
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("points")), name="lot_remaining_within_points"
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("activates_at")),
                name="lot_expires_after_activation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.points}"


class Draw(models.Model):
    """Points taken from a lot (positive) or given back to it (negative), append-only."""

    pk = models.CompositePrimaryKey("account", "number")
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="lot_draws", db_index=False, db_constraint=False
    )
    number = models.PositiveBigIntegerField()
    lot_seq = models.PositiveBigIntegerField()
    entry_seq = models.PositiveBigIntegerField(
        null=True, help_text="None when a payment of debt moves no balance."
    )
    points = models.BigIntegerField()
    reason = models.CharField(max_length=12)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="draw_points_not_zero")]

    def __str__(self) -> str:
        return f"{self.reason} {self.points:+d}"


class Hold(models.Model):
    """Points set aside for a gift order until `expires_at`; `parts` are (lot, points, expires_at) as drawn.

    It has the id of what it is held for. Settling the account ends one that is due (`lapsed`).
    """

    class Status(models.TextChoices):
        OPEN = "open"
        CONFIRMED = "confirmed"
        RELEASED = "released"
        LAPSED = "lapsed"

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="points_holds", db_index=False, db_constraint=False
    )
    reference = models.CharField(max_length=64)
    points = models.BigIntegerField()
    expires_at = models.DateTimeField()
    grace_until = models.DateTimeField(null=True)
    parts = models.JSONField()
    status = models.CharField(max_length=9, choices=Status)
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=("account",), condition=Q(status="open"), name="hold_open")]
        constraints = [
            models.UniqueConstraint(fields=("programme", "reference"), name="hold_reference_unique"),
            models.CheckConstraint(condition=Q(points__gt=0), name="hold_points_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.points} until {self.expires_at}"


class Adjustment(models.Model):
    """A correction with a reason; above the programme's limit it waits for a second person."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        POSTED = "posted"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account_id = models.BigIntegerField()
    reference = models.CharField(max_length=64)
    points = models.BigIntegerField()
    reason = models.TextField()
    actor = models.CharField(
        max_length=100, help_text="Who asked for it: partner:<client id> or staff:<username>."
    )
    approved_by = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=8, choices=Status)
    content = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=16)
    recorded_at = models.DateTimeField()
    posted_at = models.DateTimeField(null=True)
    activates_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    entry_seq = models.PositiveBigIntegerField(null=True)
    balance = models.JSONField(null=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("programme", "reference"), name="adjustment_reference_unique"),
            models.CheckConstraint(condition=~Q(points=0), name="adjustment_points_not_zero"),
        ]
        indexes = [models.Index(fields=("account_id",), name="adjustment_account")]

    def __str__(self) -> str:
        return self.reference

    def member_number(self) -> str:
        """The number of the member whose points it moves."""
        return Account.objects.values_list("member__number", flat=True).get(pk=self.account_id)
