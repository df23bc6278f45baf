"""durable-rules as its manual shows it: rules in ``when_all``, one fact after the other into the Host.

A fact that no rule takes raises MessageNotHandledException, which is expected here. The fastest of the ways that
answer rightly: alternatives as rules of their own, a hundred facts to a session, sessions never deleted (deleting the
state of a session that has not fired ends the process; a session per fact ends in MemoryError).
"""

import operator
from collections.abc import Callable
from functools import reduce
from itertools import count
from typing import Any

from durable.engine import MessageNotHandledException
from durable.lang import get_host, m, ruleset, when_all

from benchmarks.rules.case import Round, ways
from benchmarks.rules.work import Work
from shared.rules.evaluation.normal_form import Literal

NAME = "durable-rules Host, a fact at a time"
PACKAGE = "durable_rules"
SETTINGS = "assert_fact, a rule per alternative, 100 facts to a session"
FACTS_TO_A_SESSION = 100

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_sessions = count()


def test(literal: Literal) -> Any:
    """``m.first_type == 'long'``, or several of them joined by ``|``."""
    alternatives = [_COMPARE[literal.op](getattr(m, literal.feature), value) for value in literal.values]
    return reduce(operator.or_, alternatives)


def recorder(fired: list[tuple[int, int]], rule: int) -> Callable[[Any], None]:
    return lambda c: fired.append((c.m.number, rule))


def define(work: Work, name: str, *, catch_all: bool) -> list[tuple[int, int]]:
    """Defines the ruleset; its actions append (question, rule) to the list returned."""
    fired: list[tuple[int, int]] = []
    with ruleset(name):
        if catch_all:
            when_all(+m.number)(lambda c: None)
        for at, condition in enumerate(work.rules.values()):
            for way in ways(condition):
                when_all(reduce(operator.and_, map(test, way)))(recorder(fired, at))
    return fired


def collected(fired: list[tuple[int, int]], questions: int) -> list[set[int]]:
    answers: list[set[int]] = [set() for _ in range(questions)]
    for question, rule in fired:
        answers[question].add(rule)
    return answers


def ready(work: Work) -> Round:
    fired = define(work, work.name, catch_all=False)
    host = get_host()

    def answer() -> list[set[int]]:
        fired.clear()
        for number, facts in enumerate(work.questions):
            if number % FACTS_TO_A_SESSION == 0:
                session = f"{work.name}-{next(_sessions)}"
            try:
                host.assert_fact(work.name, {**facts, "id": number, "sid": session, "number": number})
            except MessageNotHandledException:
                continue
        return collected(fired, len(work.questions))

    return answer
