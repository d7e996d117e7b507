"""Who belongs in a dynamic segment: a tree of conditions, strictly checked, as one SQL query and as words.

Pure: nothing here knows Django or a database. The wire format is JSON:

    {"all": [...]}  {"any": [...]}  {"not": {...}}
    {"field": "spend", "op": "more_than", "value": "200.00", "days": 90}

A condition on something that a member does not have (birth date, attribute, transaction) is false, and its
`not` is true. Without a condition on status only active members are meant.
"""

from segments.criteria.fields import FIELDS, Field, Kind
from segments.criteria.sql import Query, query
from segments.criteria.tree import CriteriaInvalid, Fault, Group, Leaf, Node, Not, parse
from segments.criteria.words import summary

__all__ = [
    "FIELDS",
    "CriteriaInvalid",
    "Fault",
    "Field",
    "Group",
    "Kind",
    "Leaf",
    "Node",
    "Not",
    "Query",
    "parse",
    "query",
    "summary",
]
