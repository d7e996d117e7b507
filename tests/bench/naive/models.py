# ruff: noqa: DJ008 (nobody looks at these in an admin)
"""Tables of the naive twin, as the ORM makes them; programmes, members and products are the product's."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Tier(models.Model):
    programme = models.ForeignKey("members.Programme", models.PROTECT, related_name="+")
    code = models.CharField(max_length=64)
    multiplier = models.DecimalField(max_digits=12, decimal_places=4)


class Promotion(models.Model):
    programme = models.ForeignKey("members.Programme", models.PROTECT, related_name="+")
    code = models.CharField(max_length=64)
    priority = models.IntegerField(default=100)
    is_active = models.BooleanField(default=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    effect = models.CharField(max_length=12)
    value = models.DecimalField(max_digits=20, decimal_places=4)
    weekdays = ArrayField(models.IntegerField(), default=list)
    skus = ArrayField(models.CharField(max_length=64), default=list)
    categories = ArrayField(models.CharField(max_length=100), default=list)
    brands = ArrayField(models.CharField(max_length=100), default=list)
    tier = models.CharField(max_length=64, blank=True)
    segment = models.ForeignKey("segments.Segment", models.PROTECT, null=True, related_name="+")
    minimum_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    day_points = models.DecimalField(max_digits=30, decimal_places=4, null=True)
    total_uses = models.BigIntegerField(null=True)
    budget = models.DecimalField(max_digits=30, decimal_places=4, null=True)
    budget_used = models.DecimalField(max_digits=30, decimal_places=4, default=Decimal(0))

    class Meta:
        ordering = ["priority", "code"]


class Account(models.Model):
    member = models.OneToOneField("members.Member", models.PROTECT, related_name="naive_account")
    available = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)


class Transaction(models.Model):
    programme = models.ForeignKey("members.Programme", models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="transactions")
    reference = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    channel = models.CharField(max_length=64, blank=True)
    store = models.CharField(max_length=64, blank=True)
    points = models.BigIntegerField(default=0)
    explanation = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "reference"], name="naive_reference_unique")
        ]


class Line(models.Model):
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="lines")
    line = models.CharField(max_length=64)
    sku = models.CharField(max_length=64, blank=True)
    category = models.CharField(max_length=100, blank=True)
    brand = models.CharField(max_length=100, blank=True)
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    amount = models.DecimalField(max_digits=20, decimal_places=4)


class Entry(models.Model):
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries")
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="entries")
    points = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    recorded_at = models.DateTimeField()


class Lot(models.Model):
    account = models.ForeignKey(Account, models.PROTECT, related_name="lots")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    points = models.BigIntegerField()
    remaining = models.BigIntegerField()
    activates_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)


class Usage(models.Model):
    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="usage")
    account = models.ForeignKey(Account, models.PROTECT, related_name="usage")
    day = models.DateField()
    points = models.DecimalField(max_digits=30, decimal_places=4)


class Activity(models.Model):
    account = models.ForeignKey(Account, models.PROTECT, related_name="activity")
    day = models.DateField()
    transactions = models.IntegerField(default=0)
    spend = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    earned = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="naive_activity_unique")]


class News(models.Model):
    account = models.ForeignKey(Account, models.PROTECT, related_name="news")
    type = models.TextField()
    body = models.JSONField()
    recorded_at = models.DateTimeField(db_index=True)


class IdempotencyKey(models.Model):
    partner = models.ForeignKey("members.Partner", models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    body = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "key"], name="naive_key_unique")]
