"""zen-engine: one decision table that collects every row that fits, a row per alternative of a rule."""

import json
from typing import Any

import zen

from benchmarks.rules.case import Round, ways
from benchmarks.rules.work import Work
from shared.rules.evaluation.normal_form import Literal

NAME = "zen-engine, decision table"
PACKAGE = "zen-engine"
SETTINGS = "hit policy collect, one evaluate per question"


def cell(literals: list[Literal]) -> str:
    """A unary test such as ``"long", "race"`` or ``< 24``; several on one feature joined by ``and``."""
    return " and ".join(_test(literal) for literal in literals)


def _test(literal: Literal) -> str:
    values = [json.dumps(value) for value in literal.values]
    if literal.op == "!=":
        return f"$ != {values[0]}"
    return ", ".join(values) if literal.op == "==" else f"{literal.op} {values[0]}"


def table(work: Work) -> dict[str, Any]:
    features = sorted({it.feature for one in work.rules.values() for way in ways(one) for it in way})
    columns = [{"id": f"i-{name}", "name": name, "type": "expression", "field": name} for name in features]
    rows = []
    for at, condition in enumerate(work.rules.values()):
        for number, way in enumerate(ways(condition)):
            row = {f"i-{name}": cell([it for it in way if it.feature == name]) for name in features}
            rows.append({"_id": f"{at}-{number}", **row, "o-rule": str(at)})
    content = {
        "hitPolicy": "collect",
        "inputs": columns,
        "outputs": [{"id": "o-rule", "name": "rule", "type": "expression", "field": "rule"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": content},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return {"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges}


def ready(work: Work) -> Round:
    decision = zen.ZenEngine().create_decision(json.dumps(table(work)))

    def answer() -> list[set[int]]:
        evaluate = decision.evaluate
        return [{row["rule"] for row in evaluate(facts)["result"]} for facts in work.questions]

    return answer
