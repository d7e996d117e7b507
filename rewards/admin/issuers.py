"""Who stands for a programme's vouchers, as printed ones must say."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.kernel.admin import OwnFilter, found_or_404
from rewards.admin.programmes import CatalogueAdmin
from rewards.forms import issuer_form
from rewards.models import VoucherIssuer
from rewards.services import voucher_issuer_set


@admin.register(VoucherIssuer)
class VoucherIssuerAdmin(CatalogueAdmin):
    list_display = ["name", "company_number", "programme"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["programme"]
    search_fields = ["name", "company_number"]
    search_help_text = "Company or number"
    actions = None
    empty_says = "Printed vouchers must say who stands for them: add the company, its address and its number."

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = issuer_form(found_or_404(self.programme_of(request, obj)), obj)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        form = issuer_form(found_or_404(self.programme_of(request, obj)), obj)
        texts = [f"conditions_{language.code}" for language in form.languages]
        return [(None, {"fields": ["name", "address", "company_number", *texts]})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in ("name", "address", "company_number")}
        programme = found_or_404(self.programme_of(request, obj if change else None))
        voucher_issuer_set(programme=programme, conditions=form.conditions(), **said)
        obj.pk = programme.pk
        obj.refresh_from_db()
