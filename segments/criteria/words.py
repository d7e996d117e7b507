"""The tree as a sentence for people."""

from collections.abc import Sequence

from segments.criteria.fields import COMPARISONS
from segments.criteria.tree import Group, Leaf, Node, Not

_SUMS = {
    "spend": ("spent", ""),
    "transactions": ("made", " transactions"),
    "earned": ("earned", " points"),
    "burned": ("burned", " points"),
}


def summary(node: Node, *, currency: str = "") -> str:
    """What the tree says, e.g. "spent more than 200 EUR in the last 90 days and is at least 18 years old"."""
    return _text(node, currency, is_inside=False)


def _text(node: Node, currency: str, *, is_inside: bool) -> str:
    if isinstance(node, Not):
        return f"not ({_text(node.item, currency, is_inside=False)})"
    if isinstance(node, Group):
        joined = (" and " if node.is_all else " or ").join(
            _text(item, currency, is_inside=len(node.items) > 1) for item in node.items
        )
        return f"({joined})" if is_inside and len(node.items) > 1 else joined
    return _condition(node, currency)


def _condition(leaf: Leaf, currency: str) -> str:
    if leaf.field in _SUMS:
        verb, unit = _SUMS[leaf.field]
        unit = f" {currency}".rstrip() if leaf.field == "spend" else unit
        return f"{verb} {COMPARISONS[leaf.op]} {leaf.value}{unit}{_period(leaf)}"
    return {
        "last_transaction": _last_transaction,
        "tier": lambda leaf: "has no tier" if leaf.op == "none" else f"has tier {_or(leaf.value)}",
        "age": lambda leaf: f"is {COMPARISONS[leaf.op]} {leaf.value} years old",
        "language": lambda leaf: f"speaks {_or(leaf.value)}",
        "enrolled": _enrolled,
        "status": lambda leaf: f"is {_or(leaf.value)}",
        "attribute": _attribute,
    }[leaf.field](leaf)


def _period(leaf: Leaf) -> str:
    if leaf.days is not None:
        return " today" if leaf.days == 1 else f" in the last {leaf.days} days"
    if leaf.first_day is not None:
        return f" from {leaf.first_day} to {leaf.last_day}"
    return " ever"


def _last_transaction(leaf: Leaf) -> str:
    if leaf.op == "never":
        return "never made a transaction"
    if leaf.op == "within_days":
        return f"made a transaction at most {leaf.value} days ago"
    return f"made the last transaction more than {leaf.value} days ago"


def _enrolled(leaf: Leaf) -> str:
    if leaf.op == "within_days":
        return f"enrolled at most {leaf.value} days ago"
    return f"enrolled {'before' if leaf.op == 'before' else 'on or after'} {leaf.value}"


def _attribute(leaf: Leaf) -> str:
    if leaf.op == "exists":
        return f"has the attribute {leaf.name}"
    if leaf.op == "equals":
        return f"{leaf.name} is {leaf.value}"
    if leaf.op == "in":
        return f"{leaf.name} is {_or(leaf.value)}"
    return f"{leaf.name} is {COMPARISONS[leaf.op]} {leaf.value}"


def _or(values: Sequence[str]) -> str:
    return " or ".join(values)
