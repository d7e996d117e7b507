from django.db import models
from django.db.models import Q


class Transaction(models.Model):
    """A basket from a till or shop with everything its points were decided from, and what is left of it.

    `account_id` is the member's id. The columns up to `balance` never change; `status` and the
    `remaining_*` ones follow the returns.
    """

    class Status(models.TextChoices):
        POSTED = "posted"
        PARTIALLY_REVERSED = "partially_reversed"
        REVERSED = "reversed"

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(null=True, help_text="None for an import by staff.")
    reference = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    day = models.DateField(help_text="The programme's day of occurred_at.")
    channel = models.CharField(max_length=64, blank=True)
    store = models.CharField(max_length=64, blank=True)
    lines = models.JSONField(help_text="As sent, category and brand resolved.")
    content = models.BinaryField(max_length=32, help_text="SHA-256 of the normalised content.")
    metadata = models.JSONField(default=dict)
    ruleset = models.CharField(max_length=71)
    facts = models.JSONField()
    awards = models.JSONField(help_text="Exact points by promotion.")
    line_points = models.JSONField()
    points = models.BigIntegerField()
    wanted = models.BigIntegerField()
    qualifying = models.BigIntegerField()
    activates_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    entry_seq = models.PositiveBigIntegerField(null=True)
    salt = models.BinaryField(max_length=16)
    balance = models.JSONField()
    status = models.CharField(max_length=18, choices=Status, default=Status.POSTED)
    remaining_points = models.BigIntegerField()
    remaining_qualifying = models.BigIntegerField()
    remaining_lines = models.JSONField(null=True, help_text="[quantity, amount] by line; null = untouched.")
    remaining_awards = models.JSONField(null=True)

    class Meta:
        ordering = ("-recorded_at",)
        constraints = [
            models.UniqueConstraint(fields=("programme", "reference"), name="transaction_reference_unique"),
            models.UniqueConstraint(fields=("programme", "id"), name="transaction_tenant_unique"),
            models.CheckConstraint(
                condition=Q(points__gte=0, remaining_points__gte=0), name="transaction_points_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=("account_id", "occurred_at"), name="transaction_account"),
            models.Index(fields=("programme", "occurred_at"), name="transaction_occurred"),
        ]

    def __str__(self) -> str:
        return self.reference


class Reversal(models.Model):
    """A full or partial return of a transaction, with what it took and from where."""

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    account_id = models.BigIntegerField()
    transaction = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, related_name="reversals", db_constraint=False
    )
    partner_id = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=64)
    reason = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    lines = models.JSONField(null=True, help_text="As sent; null = all that was left.")
    content = models.BinaryField(max_length=32)
    points = models.BigIntegerField()
    taken_from = models.JSONField()
    caps_released = models.JSONField()
    remaining_lines = models.JSONField()
    remaining_points = models.BigIntegerField()
    transaction_status = models.CharField(max_length=18)
    entry_seq = models.PositiveBigIntegerField(null=True)
    salt = models.BinaryField(max_length=16)
    balance = models.JSONField()
    metadata = models.JSONField(default=dict)

    class Meta:
        ordering = ("-recorded_at",)
        constraints = [
            models.UniqueConstraint(fields=("programme", "reference"), name="reversal_reference_unique"),
            models.CheckConstraint(condition=Q(points__lte=0), name="reversal_never_gives"),
        ]

    def __str__(self) -> str:
        return self.reference
