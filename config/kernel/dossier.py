"""What is held of one person, as a document of sections: each app offers its own, read page by page."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet

PAGE = 500
"""Rows read by one query and held in memory at once."""

Row = dict[str, Any]
Page = list[Row]


class Section(NamedTuple):
    """A section by its name in the document: one row (None: there is none), or pages of a list."""

    name: str
    content: Row | Iterator[Page] | None


def fields(model: type[Model], *without: str) -> list[str]:
    """The names of all columns of a model but those: what is added to a model later is held of a member too."""
    return [field.attname for field in model._meta.concrete_fields if field.name not in without]


def pages(rows: QuerySet[Any, Row], *key: str, shape: Callable[[Page], Page] | None = None) -> Iterator[Page]:
    """The rows of `values()` in the order of `key`, a query for each page, and those that `shape` sends.

    `key` is unique among the rows and one of their values, so that no row comes twice or is missed while
    others are written.
    """
    after = Q()
    while page := list(rows.filter(after).order_by(*key)[:PAGE]):
        is_last, after = len(page) < PAGE, _beyond(key, page[-1])
        yield shape(page) if shape else page
        if is_last:
            return


def _beyond(key: tuple[str, ...], row: Row) -> Q:
    first, *rest = key
    further = Q((f"{first}__gt", row[first]))
    if not rest:
        return further
    # The first condition is what an index on the first column is read by.
    return Q((f"{first}__gte", row[first])) & (further | _beyond(tuple(rest), row))


def grouped(rows: Iterable[Row], by: str) -> dict[Any, Page]:
    """Rows by one of their values, which they lose."""
    found: dict[Any, Page] = {}
    for row in rows:
        found.setdefault(row.pop(by), []).append(row)
    return found


def actor_kind(actor: str) -> str:
    """Who acted, "staff", "partner" or "member", without a name: that is data of somebody else."""
    return actor.partition(":")[0]
