from django.db import models


class Product(models.Model):
    """A SKU of a programme with the category and brand of lines that name none."""

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="products")
    sku = models.CharField("SKU", max_length=64)
    name = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=100, blank=True)
    brand = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("sku",)
        constraints = [models.UniqueConstraint(fields=("programme", "sku"), name="product_sku_unique")]

    def __str__(self) -> str:
        return self.sku
