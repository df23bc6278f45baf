"""Tandem's reference evaluator, which decides alone where durable-rules cannot be installed."""

from benchmarks.rules.case import Round
from benchmarks.rules.work import Work
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator

NAME = "tandem, reference"
PACKAGE = None
SETTINGS = "conditions as Python functions, in process, single questions"

_evaluator = choose_evaluator("reference")


def ready(work: Work) -> Round:
    asked = ConditionSet.of(work.name, list(work.rules.values()), list(work.rules))
    return lambda: _evaluator.which_hold(asked, work.questions)
