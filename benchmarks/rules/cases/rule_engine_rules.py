"""rule-engine: one expression per rule, matched against each question."""

from rule_engine import Rule

from benchmarks.rules.case import Round
from benchmarks.rules.work import Work
from shared.rules.model import All, AnyOf, Condition, Leaf, Not

NAME = "rule-engine"
PACKAGE = "rule-engine"
SETTINGS = "one expression per rule, no type hints"


def written(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        if isinstance(condition.value, bool):
            value = "true" if condition.value else "false"
        else:
            value = f'"{condition.value}"' if isinstance(condition.value, str) else repr(condition.value)
        return f"{condition.feature} {condition.op} {value}"
    if isinstance(condition, Not):
        return f"not ({written(condition.of)})"
    assert isinstance(condition, All | AnyOf)
    return f"({(' or ' if isinstance(condition, AnyOf) else ' and ').join(map(written, condition.of))})"


def ready(work: Work) -> Round:
    rules = [Rule(written(condition)) for condition in work.rules.values()]
    return lambda: [[at for at, rule in enumerate(rules) if rule.matches(facts)] for facts in work.questions]
