"""The points engine: pure functions from a basket, facts and a ruleset to points and their explanation.

Nothing here reads a clock, a database or a setting. Behaviour under an engine number never changes.
"""

from loyalty.engine.evaluate import evaluate
from loyalty.engine.explain import explain
from loyalty.engine.model import Award, Basket, Evaluation, Facts, Line
from loyalty.engine.ruleset import ENGINE, Links, Promotion, Ruleset, Terms

__all__ = [
    "ENGINE",
    "Award",
    "Basket",
    "Evaluation",
    "Facts",
    "Line",
    "Links",
    "Promotion",
    "Ruleset",
    "Terms",
    "evaluate",
    "explain",
]
