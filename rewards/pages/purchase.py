"""Why a purchase gave its points: line by line, rule by rule, what did not apply, and what came back."""

from typing import Any

from django.http import Http404

from config.kernel.errors import NotFound
from loyalty.selectors import product_names, purchase_shown
from rewards.labels import earn_label, written_in
from rewards.pages import words
from rewards.pages.page import PointsPage


class PurchasePage(PointsPage):
    """A purchase of the member's own; another's is not found."""

    template_name = "my/purchase.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self._found()
        names = self.names(list(_rules(found)), tiers=True)
        articles = self._articles(found)
        return super().get_context_data(
            purchase=found,
            lines=[self._line(line, names, articles, found["currency"]) for line in found["lines"]],
            steps=words.steps(found["trace"], names),
            refusals=words.refusals(found["not_applied"], names),
            nearly=words.nearly(found["nearly"], names, found["currency"]),
            status=words.STATUSES.get(found["status"], ""),
            returns=[_return(item, names, articles) for item in found["reversals"]],
            **kwargs,
        )

    def _found(self) -> dict[str, Any]:
        try:
            found = purchase_shown(self.programme.pk, self.kwargs["reference"])
        except NotFound:
            raise Http404 from None
        if found["member"] != self.member.number:
            raise Http404
        return found

    def _articles(self, found: dict[str, Any]) -> dict[str, str]:
        """How each line's article is called: its name, else its brand or category, else its SKU."""
        named = product_names(self.programme, [line["sku"] for line in found["lines"] if line["sku"]])
        return {
            line["line"]: named.get(line["sku"], "") or line["sku"] or line["brand"] or line["category"] or ""
            for line in found["lines"]
        }

    def _line(
        self, line: dict[str, Any], names: words.Names, articles: dict[str, str], currency: str
    ) -> dict[str, Any]:
        language = written_in([self.member.language])
        return line | {
            "name": articles[line["line"]],
            "offers": [
                {
                    "name": names.promotions.get(item["rule"], item["rule"]),
                    "effect": earn_label(item["effect"], currency, language),
                    "why": words.because(item["because"], names),
                }
                for item in line["promotions"]
            ],
        }


def _rules(found: dict[str, Any]) -> set[str]:
    traces = [
        found["trace"],
        found["not_applied"],
        found["nearly"],
        *(x["trace"] for x in found["reversals"]),
    ]
    return {step["rule"] for trace in traces for step in trace}


def _return(item: dict[str, Any], names: words.Names, articles: dict[str, str]) -> dict[str, Any]:
    returned = [line | {"name": articles[line["line"]]} for line in item["returned"]]
    return item | {"returned": returned, "steps": words.steps(item["trace"], names)}
