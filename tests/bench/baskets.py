"""Baskets to pay for: real ones of the Complete Journey when the test data has them, else made up."""

import csv
import random
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

REAL = Path(__file__).parents[1] / "data" / "complete_journey"
COUNT = 16
LINES = 10

Line = dict[str, str]


class Product(NamedTuple):
    sku: str
    category: str
    brand: str


class Shop(NamedTuple):
    """What is sold, the lines of `COUNT` baskets, and where they come from."""

    products: list[Product]
    baskets: list[list[Line]]
    source: str

    def categories(self) -> Counter[str]:
        """In how many baskets each category is."""
        category = {product.sku: product.category for product in self.products}
        return Counter(c for lines in self.baskets for c in {category[line["sku"]] for line in lines})


def shop() -> Shop:
    """The same one every time."""
    if (REAL / "transactions.csv").exists() and (REAL / "products.csv").exists():
        return _real()
    return _made_up()


def _rows(name: str) -> Iterable[dict[str, Any]]:
    with (REAL / name).open(newline="") as file:
        yield from csv.DictReader(file)


def _real() -> Shop:
    products = [
        Product(row["product_id"], row["product_category"], row["brand"]) for row in _rows("products.csv")
    ]
    known = {product.sku for product in products}
    sold = (row for row in _rows("transactions.csv") if row["product_id"] in known)
    baskets = [
        [_line(n, row["product_id"], row["quantity"], row["sales_value"]) for n, row in enumerate(rows, 1)]
        for _, rows in groupby(sold, key=lambda row: row["basket_id"])
    ]
    worth = [lines for lines in baskets if sum(float(line["amount"]) for line in lines) > 1]
    return Shop(products, worth[:: len(worth) // COUNT][:COUNT], "Complete Journey")


def _made_up() -> Shop:
    chance = random.Random(7)
    products = [Product(f"{n}", f"category-{n % 40}", f"brand-{n % 7}") for n in range(10_000, 10_800)]
    baskets = [
        [
            _line(
                n, chance.choice(products).sku, f"{chance.randint(1, 3)}", f"{chance.randint(50, 1500) / 100}"
            )
            for n in range(1, LINES + 1)
        ]
        for _ in range(COUNT)
    ]
    return Shop(products, baskets, "made up")


def _line(number: int, sku: str, quantity: str, amount: str) -> Line:
    return {"line": f"{number}", "sku": sku, "quantity": quantity, "amount": amount}
