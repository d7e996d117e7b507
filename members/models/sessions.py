"""How a member is recognised: sessions, and the sign-in links asked for by e-mail."""

from django.db import models
from django.db.models import Q

from members.models.members import Member
from members.models.outbox import new_event_id
from members.models.partners import Partner
from members.models.programmes import Programme


class MemberSession(models.Model):
    """A member recognised on one device, because a partner said so or by a link sent by e-mail.

    Its tokens are signed, never stored; each names this row and the member's `identity_version`, so that
    one session or all of a member's can be revoked at once. `entered_at` is when its one-use login address
    was used. `device` is what the browser called itself, in words ("Firefox on Android"), never an address.
    """

    class Origin(models.TextChoices):
        PARTNER = "partner"
        EMAIL = "email"

    id = models.UUIDField(primary_key=True, default=new_event_id)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="sessions", db_constraint=False)
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+", db_index=False)
    origin = models.CharField(max_length=8, choices=Origin)
    device = models.CharField(max_length=80, blank=True)
    return_url = models.TextField(blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    entered_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(origin="email") ^ Q(partner__isnull=False), name="session_partner_or_email"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="session_expiry")]

    def __str__(self) -> str:
        return f"{self.origin} {self.id}"


class SignInRequest(models.Model):
    """Someone asked for a sign-in link to be sent to an address, known or not; kept for a day."""

    id = models.UUIDField(primary_key=True, default=new_event_id)
    programme = models.ForeignKey(Programme, models.CASCADE, related_name="+")
    email = models.EmailField()
    site = models.URLField(help_text="This installation, as the browser reached it.")
    device = models.CharField(max_length=80, blank=True)
    requested_at = models.DateTimeField(db_index=True)
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)
