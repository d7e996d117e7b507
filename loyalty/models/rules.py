"""What decides points: versioned terms, and the content-addressed parts and rulesets made of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Version(models.Model):
    """A part of the rules in force from (inclusive) until (exclusive); the first has no beginning."""

    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    is_voided = models.BooleanField(default=False, help_text="An error that no late receipt may still get.")
    part = models.CharField(max_length=71, help_text="Hash of its part.")

    class Meta:
        abstract = True


class TermsVersion(Version):
    """Earn rate, rounding, delay, lifetime and tier multipliers of a programme over a time."""

    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="terms_versions"
    )

    class Meta:
        ordering = ("programme", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("programme",), condition=Q(valid_until=None), name="terms_version_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"terms from {self.valid_from or 'the beginning'}"


class RulePart(models.Model):
    """A promotion version, product set, terms or links: stored once under its hash, never changed."""

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="+")
    hash = models.CharField(max_length=71)
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("programme", "hash"), name="rule_part_hash_unique")]

    def __str__(self) -> str:
        return self.hash


class Ruleset(models.Model):
    """A list of part hashes under the hash of that list; every transaction names the one it got."""

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="+")
    hash = models.CharField(max_length=71)
    engine = models.PositiveSmallIntegerField()
    parts = ArrayField(models.CharField(max_length=71))

    class Meta:
        constraints = [models.UniqueConstraint(fields=("programme", "hash"), name="ruleset_hash_unique")]

    def __str__(self) -> str:
        return self.hash


class RulesHead(models.Model):
    """The number that rises with every change of a programme's rules; keys the in-process rulesets."""

    programme = models.OneToOneField("members.Programme", on_delete=models.PROTECT, primary_key=True)
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.programme_id} at {self.version}"
