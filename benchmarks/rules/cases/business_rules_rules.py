"""Venmo's business-rules: conditions as ``all``/``any`` trees, variables declared with their types."""

from typing import Any

from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.fields import FIELD_NUMERIC
from business_rules.variables import BaseVariables, boolean_rule_variable, numeric_rule_variable, string_rule_variable

from benchmarks.rules.case import Round, ways
from benchmarks.rules.work import Work
from shared.rules.evaluation.normal_form import Literal
from shared.rules.model import Scalar

NAME = "business-rules"
PACKAGE = "business-rules"
SETTINGS = "run_all per question; a list of words as any of equal_to"

_NUMERIC = {
    "==": "equal_to",
    "<": "less_than",
    "<=": "less_than_or_equal_to",
    ">": "greater_than",
    ">=": "greater_than_or_equal_to",
}


def _variables(example: dict[str, Scalar]) -> type[BaseVariables]:
    def getter(name: str, value: Scalar) -> Any:
        declare = numeric_rule_variable if isinstance(value, float) else string_rule_variable
        if isinstance(value, bool):
            declare = boolean_rule_variable

        def read(self: Any) -> Scalar:
            return self.facts[name]  # type: ignore[no-any-return]

        read.__name__ = name
        return declare()(read)

    def keep(self: Any, facts: dict[str, Scalar]) -> None:
        self.facts = facts

    members = {name: getter(name, value) for name, value in example.items()}
    return type("Variables", (BaseVariables,), {"__init__": keep, **members})


class Actions(BaseActions):  # type: ignore[misc]
    def __init__(self) -> None:
        self.fired: set[int] = set()

    @rule_action(params={"rule": FIELD_NUMERIC})  # type: ignore[untyped-decorator]
    def fire(self, rule: int) -> None:
        self.fired.add(rule)


def _test(it: Literal) -> dict[str, Any]:
    if it.channel == "truth":
        return {"name": it.feature, "operator": "is_true" if it.values[0] else "is_false", "value": ""}
    if it.channel == "number":
        return {"name": it.feature, "operator": _NUMERIC[it.op], "value": it.values[0]}
    if it.op == "!=":
        # It has no "not equal" for words.
        return {"name": it.feature, "operator": "matches_regex", "value": f"^(?!{it.values[0]}$)"}
    tests = [{"name": it.feature, "operator": "equal_to", "value": value} for value in it.values]
    return tests[0] if len(tests) == 1 else {"any": tests}


def ready(work: Work) -> Round:
    rules = []
    for at, condition in enumerate(work.rules.values()):
        alternatives = [{"all": [_test(it) for it in way]} for way in ways(condition)]
        conditions = alternatives[0] if len(alternatives) == 1 else {"any": alternatives}
        rules.append({"conditions": conditions, "actions": [{"name": "fire", "params": {"rule": at}}]})
    variables = _variables(dict(work.questions[0]))

    def answer() -> list[set[int]]:
        found = []
        for facts in work.questions:
            actions = Actions()
            run_all(rule_list=rules, defined_variables=variables(facts), defined_actions=actions)
            found.append(actions.fired)
        return found

    return answer
