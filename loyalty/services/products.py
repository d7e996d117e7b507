from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from loyalty.models import Product
from members.models import Programme


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A SKU with the category and brand of lines that name none ("" = none)."""

    sku: str
    name: str = ""
    category: str = ""
    brand: str = ""


def product_put(*, programme: Programme, product: ProductRow, now: datetime) -> tuple[Product, bool]:
    """Create or replace one product; whether it is new."""
    fields = {"name": product.name, "category": product.category, "brand": product.brand, "updated_at": now}
    return Product.objects.update_or_create(programme=programme, sku=product.sku, defaults=fields)


def products_put(*, programme: Programme, products: Iterable[ProductRow], now: datetime) -> int:
    """Create or replace many products in one statement a thousand; how many."""
    rows = [
        Product(
            programme=programme,
            sku=product.sku,
            name=product.name,
            category=product.category,
            brand=product.brand,
            updated_at=now,
        )
        for product in products
    ]
    Product.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["programme", "sku"],
        update_fields=["name", "category", "brand", "updated_at"],
    )
    return len(rows)
