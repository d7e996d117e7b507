"""The product list: parse, call once, answer."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter

from config.kernel import errors as kernel_errors
from config.kernel.api import (
    ApiRequest,
    ApiView,
    json_response,
    operation,
    paginate,
    read_body,
)
from config.kernel.errors import NotFound
from loyalty import selectors, services
from loyalty.api import examples, shapes
from loyalty.api.serializers import (
    ProductBody,
)
from loyalty.services.products import ProductRow
from members.selectors import programme_of


class ProductsView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",)}

    @operation(
        summary="Products",
        answers={200: (shapes.ProductList, "A page of products by SKU.")},
        failures=[kernel_errors.ValidationFailed],
        parameters=[
            OpenApiParameter("limit", int, description="1-250, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        answer_examples={200: {"items": [examples.PRODUCT_SHOWN], "next_cursor": None}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """The programme's product list."""
        products = selectors.products_of(programme_of(request.auth))
        return json_response(paginate(products, request, by="sku", render=show_product))


class ProductView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",), "PUT": ("catalogue:write",)}

    @operation(
        summary="Read a product",
        answers={200: (shapes.ProductShown, "The product.")},
        failures=[NotFound],
        answer_examples={200: examples.PRODUCT_SHOWN},
    )
    def get(self, request: ApiRequest, sku: str) -> HttpResponse:
        """The product with this SKU."""
        return json_response(show_product(selectors.product_of(programme_of(request.auth), sku)))

    @operation(
        summary="Create or replace a product",
        body=ProductBody,
        answers={201: (shapes.ProductShown, "New."), 200: (shapes.ProductShown, "Replaced or unchanged.")},
        example=examples.PRODUCT,
        answer_examples={201: examples.PRODUCT_SHOWN, 200: examples.PRODUCT_SHOWN},
    )
    def put(self, request: ApiRequest, sku: str) -> HttpResponse:
        """Category and brand for basket lines that name none. Booked transactions keep what they had."""
        body, _ = read_body(request, ProductBody)
        row = ProductRow(sku, body.name, body.category, body.brand)
        product, is_new = services.product_put(
            programme=programme_of(request.auth), product=row, now=timezone.now()
        )
        return json_response(show_product(product), 201 if is_new else 200)


def show_product(product: Any) -> shapes.ProductShown:
    """A product as partners see it."""
    return shapes.ProductShown(product.sku, product.name, product.category, product.brand)
