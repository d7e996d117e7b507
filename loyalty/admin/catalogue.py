"""Products."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import OwnFilter
from loyalty.admin.tenants import LoyaltyAdmin
from loyalty.forms import ProductForm
from loyalty.models import Product
from loyalty.services import product_put
from loyalty.services.products import ProductRow


@admin.register(Product)
class ProductAdmin(LoyaltyAdmin):
    """What lines are matched with; searched by SKU, name, category and brand."""

    form = ProductForm
    list_display = ["sku", "name", "category", "brand", "programme"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["programme"]
    search_fields = ["sku", "name", "category", "brand"]
    show_full_result_count = False
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        return ["programme", "sku", "updated_at"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        return ["programme", "sku", "name", "category", "brand", *(["updated_at"] if obj else [])]

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Product:
        programme = fields.pop("programme")
        product, _ = product_put(programme=programme, product=ProductRow(**fields), now=timezone.now())
        return product

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        product = ProductRow(row.sku, row.name, row.category, row.brand)
        product_put(programme=row.programme, product=product, now=timezone.now())
