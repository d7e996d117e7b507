"""Event types by content: what a part asks and gives, ready to decide with."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from config.kernel.errors import FieldError
from loyalty.events.rules import EventRule
from loyalty.events.schema import attribute_errors, validator
from loyalty.models import RulePart


@dataclass(frozen=True, slots=True)
class TypeRule:
    """The rule of an event type with the checker of its attributes."""

    code: str
    rule: EventRule
    check: Draft202012Validator

    @classmethod
    def of(cls, code: str, rule: EventRule) -> "TypeRule":
        return cls(code, rule, validator(dict(rule.schema)))

    def attribute_errors(self, attributes: dict[str, Any]) -> list[FieldError]:
        """What is wrong with an event's attributes."""
        return attribute_errors(self.check, attributes, "/attributes")


@lru_cache(maxsize=1024)
def type_rule(programme_id: int, part: str) -> TypeRule:
    """The rule stored under a hash; it never changes, so it is kept."""
    body = RulePart.objects.values_list("body", flat=True).get(programme_id=programme_id, hash=part)
    return TypeRule.of(body["code"], EventRule.from_part(body))
