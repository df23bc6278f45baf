"""CLIPS through clipspy: a fact per question, a rule per alternative, answers through a Python function."""

from collections.abc import Sequence

import clips

from benchmarks.rules.case import Round, ways
from benchmarks.rules.work import Work
from shared.rules.evaluation.normal_form import Literal
from shared.rules.model import Scalar

NAME = "clipspy"
PACKAGE = "clipspy"
SETTINGS = "reset, then 1,000 facts asserted and one run"


def _word(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slot(feature: str, tests: Sequence[Literal]) -> str:
    """A slot's constraint: ``(first_type long|race)`` or ``(gap_hours ?g&:(< ?g 24.0))``."""
    variable = f"?{feature}"
    written = []
    for it in tests:
        if it.channel == "number":
            written.append(f":({'=' if it.op == '==' else it.op} {variable} {float(it.values[0])!r})")
        else:
            written.append("|".join(map(_word, it.values)) if it.op == "==" else f"~{_word(it.values[0])}")
    if any(it.channel == "number" for it in tests):
        written.insert(0, variable)
    return f"({feature} {'&'.join(written)})"


def _pattern(way: Sequence[Literal]) -> str:
    features = dict.fromkeys(it.feature for it in way)
    return " ".join(_slot(name, [it for it in way if it.feature == name]) for name in features)


def ready(work: Work) -> Round:
    environment = clips.Environment()
    answers: list[set[int]] = []

    def fires(number: int, rule: int) -> None:
        answers[number].add(rule)

    environment.define_function(fires, name="fires")
    slots = " ".join(f"(slot {name})" for name in ("number", *work.questions[0]))
    environment.build(f"(deftemplate question {slots})")
    for at, condition in enumerate(work.rules.values()):
        for branch, way in enumerate(ways(condition)):
            environment.build(
                f"(defrule r{at}-{branch} (question (number ?number) {_pattern(way)}) => (fires ?number {at}))"
            )
    template = environment.find_template("question")
    questions = [
        {name: value if isinstance(value, float) else clips.Symbol(_word(value)) for name, value in facts.items()}
        for facts in work.questions
    ]

    def answer() -> list[set[int]]:
        environment.reset()
        answers[:] = [set() for _ in questions]
        for number, facts in enumerate(questions):
            template.assert_fact(number=number, **facts)
        environment.run()
        return list(answers)

    return answer
