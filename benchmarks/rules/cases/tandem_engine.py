"""Tandem with durable-rules in its worker process: questions written, sent, decided, read back, and 1 % rechecked."""

from benchmarks.rules.case import Round
from benchmarks.rules.work import Work
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator

NAME = "tandem, engine in its worker"
PACKAGE = None
SETTINGS = "durable-rules 2.0.28 in a child process, 1 % of answers checked by the reference as in service"

_evaluator = choose_evaluator("durable-rules")


def ready(work: Work) -> Round:
    asked = ConditionSet.of(work.name, list(work.rules.values()), list(work.rules))
    return lambda: _evaluator.which_hold(asked, work.questions)
