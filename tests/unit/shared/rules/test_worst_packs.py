"""What the worst packs cost: no length, depth or number of anything makes reading them cost its square."""

import time
from datetime import date
from pathlib import Path

import pytest

from shared.rules.authoring.difference import differences
from shared.rules.errors import MAX_MESSAGE, MAX_TOLD, RuleFileErrors
from shared.rules.evaluation.evaluators import Evaluator, choose_evaluator
from shared.rules.evaluation.prepared import prepare
from shared.rules.reading.loader import load_packs, load_texts
from shared.rules.reading.rule_files import base_texts
from shared.rules.rule_texts import RuleText
from tests.worst_packs import SOUND, worst_packs

RULES = Path(__file__).parents[4] / "rules"
CPU_S = 2.5
"""The dearest takes 1.1 s on the machine that this was written on, and took minutes before; most take 0.1 s."""
PACKS = worst_packs()


@pytest.fixture(scope="module")
def engine():
    with_engine = choose_evaluator("durable-rules")
    prepare(load_packs(RULES), with_engine)
    yield with_engine
    with_engine.close()


@pytest.mark.parametrize("name", PACKS)
def test_it_is_read_and_checked_or_refused_in_time(name: str, engine: Evaluator) -> None:
    base = base_texts(RULES)
    began = time.process_time()
    try:
        loaded = load_texts(base, (), date(2026, 1, 1), [RuleText("text", PACKS[name].encode())])
        prepare(loaded.packs, engine)
        differences(load_texts(base).packs["sequencing"], loaded.packs["sequencing"])
        told = []
    except RuleFileErrors as refused:
        told = list(refused.errors)
    assert time.process_time() - began < CPU_S
    assert (told == []) == (name in SOUND), told[:3]
    assert len(told) <= MAX_TOLD + 1
    assert all(error.file == "text" and len(error.message) <= MAX_MESSAGE + 40 for error in told)


def test_how_many_more_mistakes_there_are_is_told_last() -> None:
    with pytest.raises(RuleFileErrors) as refused:
        load_texts(base_texts(RULES), stored=[RuleText("text", PACKS["5,000 unknown overrides"].encode())])
    told = refused.value.errors
    assert len(told) == MAX_TOLD + 1
    assert told[0].message.startswith("the base has no rule 'no-rule-0' to override")
    assert told[-1].message == "and 4800 more mistakes; mend these first"
    assert str(refused.value).endswith("and 4800 more mistakes; mend these first")
