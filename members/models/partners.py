"""Who may act in a programme: partners (OAuth clients) and staff."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from oauth2_provider.models import AbstractApplication
from simple_history.models import HistoricalRecords

from members.models.programmes import Programme


class Partner(AbstractApplication):
    """A till, web shop or CRM: an OAuth client of one programme, client credentials only.

    `allowed_scopes` is what its tokens may carry. During a rotation two secrets live: `client_secret` and,
    until `previous_secret_expires_at`, `previous_client_secret`; both are stored hashed.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="partners")
    allowed_scopes = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    return_urls = ArrayField(
        models.URLField(max_length=500),
        default=list,
        blank=True,
        help_text="Where an identified member may be sent back to: these addresses and what lies beneath them.",
    )
    previous_client_secret = models.CharField(max_length=255, blank=True, editable=False)
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["client_secret", "previous_client_secret"])

    class Meta(AbstractApplication.Meta):
        ordering = ["name"]

    def is_usable(self, request: object) -> bool:
        """Whether it may get tokens: only while its programme is active."""
        return self.programme.status == Programme.Status.ACTIVE


class StaffMembership(models.Model):
    """A staff user works for a programme; superusers see all of them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="programme_memberships")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="staff_memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "programme"], name="staff_membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.programme}"
