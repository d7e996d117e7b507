"""Rules with a draft put in: what would have been decided if a promotion had said something else.

Nothing is stored and no version made: the draft's parts exist in memory only, and a ruleset with a draft is
never named by a transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loyalty.engine import Links, Promotion, Ruleset
from loyalty.engine.ruleset import ProductSet
from loyalty.rules import PromotionRule
from loyalty.rulesets import part_hash


@dataclass(frozen=True, slots=True)
class Draft:
    """A promotion as it might be published under `code`, a known one or a new one.

    `links` are the segments it would be for, as a links part lists them: {"segment", "mode", "from", "until"},
    with instants in ISO 8601 and `until` null for no end.
    """

    code: str
    rule: PromotionRule
    links: tuple[Mapping[str, Any], ...] = ()

    def content(self) -> dict[str, Any]:
        """All it says as plain JSON: the parts that publishing would store. `from_content` reads it again."""
        products = self.rule.products.part() if self.rule.products else None
        return {
            "promotion": self.rule.part(self.code, part_hash(products) if products else None),
            "products": products,
            "links": [dict(link) for link in self.links],
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Draft":
        """The draft that `content` wrote."""
        rule = PromotionRule.from_part(content["promotion"], content["products"])
        return cls(content["promotion"]["code"], rule, tuple(content["links"]))

    def compiled(self) -> Promotion:
        """The promotion as the engine takes it; RuleRefused for a rule that could not be published."""
        self.rule.check()
        content = self.content()
        products = content["products"]
        return Promotion.compile(
            content["promotion"], ProductSet.compile(products) if products else None, Links.compile(content)
        )

    def throughout(self, now: datetime) -> "Draft":
        """The draft without start and end, its segments as it has them from `now` on: links that run or are to
        come hold at every time, ended ones at none."""
        links = ({**link, **(_NEVER if _is_over(link, now) else _ALWAYS)} for link in self.links)
        return replace(self, rule=replace(self.rule, starts_at=None, ends_at=None), links=tuple(links))


_BEGINNING = "0001-01-02T00:00:00+00:00"
_ALWAYS = {"from": _BEGINNING, "until": None}
_NEVER = {"from": _BEGINNING, "until": _BEGINNING}


def _is_over(link: Mapping[str, Any], now: datetime) -> bool:
    return link["until"] is not None and datetime.fromisoformat(link["until"]) <= now


def put_in(ruleset: Ruleset, promotion: Promotion) -> Ruleset:
    """The ruleset with `promotion` in the place of what it has under that code, or beside the others.

    It stands as a first version does: at every time, where its own window decides.
    """
    return ruleset_of(ruleset, [*(x for x in ruleset.promotions if x.code != promotion.code), promotion])


def ruleset_of(ruleset: Ruleset, promotions: Iterable[Promotion]) -> Ruleset:
    """Other promotions under the same terms; the hash says whose terms, and that it is none of its own."""
    name = f"draft:{ruleset.hash.removeprefix('draft:')}"
    return Ruleset.build(name, ruleset.engine, ruleset.terms, promotions)
