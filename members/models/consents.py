"""What members are asked to agree to, in which words, and what was said of it."""

from django.db import models

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.models.members import Member
from members.models.programmes import Programme

WORDING_MAX_LENGTH = 2000


class ConsentPurpose(models.Model):
    """Something that members may agree to, under the `code` that `Member.consents` keeps it under.

    What it says is in its wordings. Members are asked while it `is_offered`; what they said stays.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="consent_purposes", db_index=False)
    code = models.CharField(max_length=CODE_MAX_LENGTH, validators=[code_validator])
    position = models.PositiveSmallIntegerField(default=0)
    is_offered = models.BooleanField("members are asked", default=True)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="consent_purpose_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="consent_purpose_of_programme"),
        ]

    def __str__(self) -> str:
        return self.code


class ConsentWording(models.Model):
    """What a purpose says from an instant on, name and text by language; append-only, numbered from 1."""

    # The tenant wall is the composite foreign key of the migration, which covers both columns.
    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    purpose = models.ForeignKey(
        ConsentPurpose, models.PROTECT, related_name="wordings", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    names = models.JSONField()
    texts = models.JSONField()
    since = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "number"], name="consent_wording_once"),
            models.UniqueConstraint(fields=["programme", "id"], name="consent_wording_of_programme"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose_id} in wording {self.number}"


class ConsentChange(models.Model):
    """A consent as it was said at an instant; append-only. What holds now stands in `Member.consents`.

    `value` is what was said (true, false, or what the partner keeps under that name), None when it was taken
    out; `wording` is what the purpose said then, if staff had set it up. `by` names the partner or the staff
    user; GDPR article 7(1) asks that a consent can be shown.
    """

    class Source(models.TextChoices):
        PARTNER = "partner", "partner"
        MEMBER = "member", "member"
        STAFF = "staff", "staff"

    # Tenant walls as above.
    programme = models.ForeignKey(
        Programme, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    member = models.ForeignKey(Member, models.PROTECT, related_name="consent_changes", db_constraint=False)
    purpose = models.TextField()
    wording = models.ForeignKey(
        ConsentWording, models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    value = models.JSONField(null=True)
    source = models.CharField(max_length=7, choices=Source)
    by = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.value}"
