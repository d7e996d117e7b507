"""The programme's product list."""

from django.db.models import QuerySet

from config.kernel.errors import NotFound
from loyalty.models import Product
from members.models import Programme


def products_of(programme: Programme) -> QuerySet[Product]:
    """The programme's products by SKU."""
    return Product.objects.filter(programme=programme)


def product_of(programme: Programme, sku: str) -> Product:
    """A product by SKU. NotFound."""
    product = products_of(programme).filter(sku=sku).first()
    if product is None:
        raise NotFound
    return product
