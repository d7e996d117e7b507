"""Vouchers, what was used of them, and pools of codes that others issued. No table holds a usable code."""

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from config.kernel.codes import CODE_MAX_LENGTH
from members.models import Programme
from rewards.models.gifts import Reward
from rewards.models.orders import Redemption

KEY_ID_LENGTH = 8


class VoucherIssuer(models.Model):
    """Who stands for a programme's vouchers, as a printed one must say; `conditions` is `{language: text}`.

    Belgium: name, address, legal form and enterprise number of who issues it, its amount, the end of its validity
    unless it has none, and in the conditions for what and where it is good (Code of Economic Law VI.31 to VI.33 on
    titles handed out with a purchase; VI.2 and VI.45, information on the seller).
    """

    programme = models.OneToOneField(
        Programme, models.PROTECT, primary_key=True, related_name="voucher_issuer"
    )
    name = models.CharField(max_length=200)
    address = models.TextField()
    company_number = models.CharField(max_length=40)
    conditions = models.JSONField(default=dict, blank=True)

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class CodePool(models.Model):
    """Codes of somebody else's vouchers, uploaded for a gift; below `low_stock` free ones staff are warned."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    reward = models.OneToOneField(Reward, models.PROTECT, related_name="pool", db_constraint=False)
    low_stock = models.PositiveIntegerField(default=20)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "pool of codes"
        verbose_name_plural = "pools of codes"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["programme", "id"], name="pool_of_programme")]

    def __str__(self) -> str:
        return f"codes of {self.reward}"


class PoolCode(models.Model):
    """One uploaded code: encrypted (AES-GCM) under the key `key_id`, found by an HMAC under another key."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    pool = models.ForeignKey(CodePool, models.PROTECT, related_name="codes", db_constraint=False)
    lookup = models.BinaryField(max_length=32)
    sealed = models.BinaryField(max_length=400)
    key_id = models.CharField(max_length=KEY_ID_LENGTH)
    valid_until = models.DateTimeField(null=True, blank=True)
    uploaded_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    redemption_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "lookup"], name="pool_code_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="pool_code_of_programme"),
            models.CheckConstraint(
                condition=Q(taken_at=None, redemption_id=None)
                | Q(taken_at__isnull=False, redemption_id__isnull=False),
                name="pool_code_taken_for_an_order",
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "id"], condition=Q(redemption_id=None), name="pool_code_free"),
            models.Index(
                F("pool"),
                F("valid_until").desc(nulls_first=True),
                condition=Q(redemption_id=None),
                name="pool_code_free_longest",
            ),
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"


class Voucher(models.Model):
    """What an order entitles to. Its code is derived of `id` under the key `key_id`, or is the pool's.

    `lookup` is an HMAC of the code. `value` is in `currency` (None: it stands for the gift itself), `balance`
    what is left of it. Valid before `valid_until` (None: without end).
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        USED = "used", "Used"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="vouchers", db_constraint=False)
    pool_code = models.OneToOneField(
        PoolCode, models.PROTECT, related_name="voucher", null=True, db_constraint=False
    )
    key_id = models.CharField(max_length=KEY_ID_LENGTH)
    lookup = models.BinaryField(max_length=32)
    status = models.CharField(max_length=9, choices=Status)
    value = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    balance = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    has_balance = models.BooleanField()
    valid_until = models.DateTimeField(null=True)
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "lookup"], name="voucher_lookup_unique"),
            models.UniqueConstraint(fields=["programme", "id"], name="voucher_of_programme"),
            models.UniqueConstraint(
                fields=["redemption"], condition=Q(status="active"), name="voucher_one_live_per_redemption"
            ),
            models.CheckConstraint(
                condition=Q(value=None, balance=None)
                | Q(value__gt=0, balance__gte=0, balance__lte=F("value"), currency__gt=""),
                name="voucher_balance_within_value",
            ),
        ]

    def __str__(self) -> str:
        return f"voucher of {self.redemption_id}"


class VoucherUse(models.Model):
    """A use of a voucher, append-only: by which partner, under which reference, how much."""

    id = models.UUIDField(primary_key=True)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="uses", db_constraint=False)
    partner_id = models.BigIntegerField()
    reference = models.CharField(max_length=CODE_MAX_LENGTH)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    balance = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    used_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "reference"], name="voucher_use_reference_unique"),
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gt=0), name="voucher_use_positive"),
        ]

    def __str__(self) -> str:
        return self.reference
