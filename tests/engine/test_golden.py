"""What engine 1 answers, for ever: behaviour under an engine number never changes.

The file of a new engine number is written once, and never rewritten, by
`manage.py shell -c "from tests.engine.test_golden import write; write()"`.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from loyalty.engine import ENGINE, awards, evaluate, explain
from loyalty.engine.numbers import POINT, plain
from loyalty.records import facts_from
from tests.engine.generated import Case, Part, case_of, engine_basket, ruleset

FOLDER = Path(__file__).parent / "golden"
CASES = 60


def golden(engine: int) -> list[Part]:
    return json.loads((FOLDER / f"engine-{engine}.json").read_text())


def read(part: Part) -> Case:
    basket = {**part["basket"], "occurred_at": datetime.fromisoformat(part["basket"]["occurred_at"])}
    return Case(part["terms"], basket, part["promotions"], part["links"], part["facts"])


def answer(case: Case) -> dict[str, Any]:
    basket, facts, rules = engine_basket(case), facts_from(case.facts), ruleset(case)
    found = evaluate(basket, facts, rules)
    return {
        "points": found.points,
        "wanted": found.wanted,
        "qualifying": found.qualifying,
        "lines": list(found.line_points),
        "awards": [
            [x.promotion, plain(x.wanted, POINT), plain(x.awarded, POINT), x.capped_by] for x in found.awards
        ],
        **explain(basket, facts, rules, found),
    }


@pytest.mark.parametrize("engine", range(1, ENGINE + 1))
def test_every_engine_number_has_its_file(engine: int) -> None:
    assert len(golden(engine)) == CASES


@pytest.mark.parametrize("number", range(CASES))
def test_engine_1_answers_as_ever(number: int) -> None:
    part = golden(1)[number]
    assert answer(read(part["case"])) == part["answer"]


def test_another_behaviour_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awards, "losers", lambda candidates: set())
    assert any(answer(read(part["case"])) != part["answer"] for part in golden(1))


def write() -> None:
    """The file of the present engine number, from generated cases."""
    path = FOLDER / f"engine-{ENGINE}.json"
    parts = []
    for seed in range(CASES):
        case = case_of(seed)
        basket = {**case.basket, "occurred_at": case.basket["occurred_at"].isoformat()}
        parts.append({"case": case._replace(basket=basket)._asdict(), "answer": answer(case)})
    with path.open("x") as file:
        file.write("[\n" + ",\n".join(json.dumps(part, ensure_ascii=False) for part in parts) + "\n]\n")
