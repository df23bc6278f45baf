"""JsonLogic in Python: one expression per rule; lists of words as ``in``."""

from typing import Any

from json_logic import jsonLogic

from benchmarks.rules.case import Round
from benchmarks.rules.work import Work
from shared.rules.model import AnyOf, Condition, Leaf, Not

NAME = "json-logic-qubit"
PACKAGE = "json-logic-qubit"
SETTINGS = "one expression per rule"


def written(condition: Condition) -> dict[str, Any]:
    if isinstance(condition, Leaf):
        return {condition.op: [{"var": condition.feature}, condition.value]}
    if isinstance(condition, Not):
        return {"!": [written(condition.of)]}
    if isinstance(condition, AnyOf):
        words = [part for part in condition.of if isinstance(part, Leaf) and isinstance(part.value, str)]
        if len(words) == len(condition.of) and len({part.feature for part in words}) == 1:
            return {"in": [{"var": words[0].feature}, [part.value for part in words]]}
        return {"or": [written(part) for part in condition.of]}
    return {"and": [written(part) for part in condition.of]}


def ready(work: Work) -> Round:
    rules = [written(condition) for condition in work.rules.values()]
    return lambda: [[at for at, rule in enumerate(rules) if jsonLogic(rule, facts)] for facts in work.questions]
