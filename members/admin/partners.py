"""Partners and their secrets."""

from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import action

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from members.forms import PartnerForm
from members.models import (
    Partner,
)
from members.services import (
    partner_create,
    partner_revoke_tokens,
    partner_rotate_secret,
    partner_update,
)


@admin.register(Partner)
class PartnerAdmin(SimpleHistoryAdmin, TenantAdmin):
    """Partners; a generated secret is shown once, when it is made."""

    form = PartnerForm
    list_display = ["name", "programme", "client_id", "created"]
    list_filter = [("programme", OwnFilter)]
    search_fields = ["name", "client_id"]
    actions_detail = ["rotate_secret", "revoke_tokens"]

    def get_readonly_fields(self, request: HttpRequest, obj: Partner | None = None) -> list[str]:
        return ["programme", "client_id"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Partner | None = None) -> list[str]:
        return ["programme", "name", *(["client_id"] if obj else []), "allowed_scopes", "return_urls"]

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Partner:
        partner, secret = partner_create(
            programme=fields["programme"],
            name=fields["name"],
            scopes=fields["allowed_scopes"],
            return_urls=fields["return_urls"],
        )
        self._show_once(request, partner, secret)
        return partner

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        stored = Partner.objects.get(pk=row.pk)
        partner_update(
            partner=stored,
            name=fields.get("name", stored.name),
            scopes=fields.get("allowed_scopes", stored.allowed_scopes),
            return_urls=fields.get("return_urls"),
        )

    @action(description="New secret", dialog=asks("Make a new secret? The old one lives on for a week."))
    def rotate_secret(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Make a new secret; the one before lives on for a week."""
        partner = self.own_row(request, object_id)
        self._show_once(request, partner, partner_rotate_secret(partner=partner, now=timezone.now()))
        return go_to(request, "admin:members_partner_change", object_id)

    @action(description="Revoke all tokens", dialog=asks("Revoke every token this partner holds now?"))
    def revoke_tokens(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Revoke what the partner holds now; it can get new tokens with its secret."""
        count = partner_revoke_tokens(partner=self.own_row(request, object_id))
        self.message_user(request, f"{count} tokens revoked.")
        return go_to(request, "admin:members_partner_change", object_id)

    def _show_once(self, request: HttpRequest, partner: Partner, secret: str) -> None:
        text = f"Client {partner.client_id}, secret {secret}. Copy it now: it is never shown again."
        self.message_user(request, text, messages.WARNING)
