"""durable-rules' Host given a hundred facts at once.

Without a rule that takes every fact, a batch loses answers; the rule's action costs time, which it must.
"""

from durable.lang import get_host

from benchmarks.rules.case import Round
from benchmarks.rules.cases.durable_host import FACTS_TO_A_SESSION, _sessions, collected, define
from benchmarks.rules.work import Work

NAME = "durable-rules Host, batches"
PACKAGE = "durable_rules"
SETTINGS = "assert_facts of 100, a rule per alternative and one that takes every fact"


def ready(work: Work) -> Round:
    name = f"{work.name}-batch"
    fired = define(work, name, catch_all=True)
    host = get_host()

    def answer() -> list[set[int]]:
        fired.clear()
        for start in range(0, len(work.questions), FACTS_TO_A_SESSION):
            session = f"{name}-{next(_sessions)}"
            batch = work.questions[start : start + FACTS_TO_A_SESSION]
            facts = [{**one, "id": n, "sid": session, "number": n} for n, one in enumerate(batch, start)]
            host.assert_facts(name, facts)
        return collected(fired, len(work.questions))

    return answer
