"""The worker process may crash, hang or be killed at any time: the answer stays right, and another one is started."""

import os
import random
import signal
import sys
import time

import pytest

from shared.rules.evaluation.durable_client import MAX_LOADED, MAX_LOADED_TEXT, EngineWorker, WorkerFailure
from shared.rules.evaluation.durable_compiler import compile_conditions
from shared.rules.evaluation.evaluators import ConditionSet, Evaluator, UnknownEvaluator, choose_evaluator
from shared.rules.model import Leaf
from shared.rules.observer import EngineMissing, Observer

SHORT = Leaf("gap", "<", 24.0)
ASKED = ConditionSet.of("test", [SHORT], ["short"])
QUESTIONS = [{"gap": 23.0}, {"gap": 24.0}, {"gap": None}]
ANSWERS = [(0,), (), ()]


class Seen(Observer):
    def __init__(self):
        self.failures = []
        self.mismatches = []

    def engine_failed(self, reason, message):
        self.failures.append((reason, message))

    def mismatched(self, pack, rules):
        self.mismatches.append((pack, list(rules)))


@pytest.fixture
def worker():
    made = EngineWorker(deadline_s=20.0)
    yield made
    made.close()


@pytest.fixture
def hasty():
    made = EngineWorker(deadline_s=0.5)
    yield made
    made.close()


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def evaluator(worker, seen):
    return Evaluator("durable-rules", "test", worker, observer=seen, rechecked_share=0.0)


def test_the_worker_decides_and_says_so(evaluator):
    assert evaluator.which_hold(ASKED, QUESTIONS) == ANSWERS
    statistics = evaluator.statistics()
    assert statistics.decisions == 3
    assert statistics.reference_decisions == statistics.fallbacks == statistics.restarts == 0
    assert statistics.worker_pid not in (None, os.getpid())


def test_a_killed_worker_costs_no_answer_and_is_started_again(evaluator, worker, seen):
    evaluator.which_hold(ASKED, QUESTIONS)
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    assert evaluator.which_hold(ASKED, QUESTIONS) == ANSWERS
    assert evaluator.which_hold(ASKED, QUESTIONS) == ANSWERS
    statistics = evaluator.statistics()
    assert worker.pid not in (None, first)
    assert (statistics.fallbacks, statistics.restarts, statistics.decisions, statistics.reference_decisions) == (
        1,
        1,
        6,
        3,
    )
    assert [reason for reason, _ in seen.failures] == ["died"]


def test_a_worker_that_is_dead_before_it_is_asked_costs_no_answer(evaluator, worker, seen):
    """Writing to it fails with EPIPE, which eventlet's os.write would try again for ever."""
    evaluator.which_hold(ASKED, QUESTIONS)
    os.kill(worker.pid, signal.SIGKILL)
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    assert evaluator.which_hold(ASKED, QUESTIONS) == ANSWERS
    assert [reason for reason, _ in seen.failures] == ["died"]


def test_a_worker_that_hangs_is_killed_at_the_deadline(hasty, seen):
    evaluator = Evaluator("durable-rules", "test", hasty, observer=seen, rechecked_share=0.0)
    hasty.ask(ASKED.compiled, [""])
    hanging = hasty.pid
    os.kill(hanging, signal.SIGSTOP)
    started = time.monotonic()
    assert evaluator.which_hold(ASKED, QUESTIONS) == ANSWERS
    assert 0.45 < time.monotonic() - started < 5.0
    assert seen.failures == [("deadline", "no answer from the engine process in time")]
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)
    assert evaluator.which_hold(ASKED, QUESTIONS) == ANSWERS
    assert evaluator.statistics().restarts == 1


def test_a_ruleset_that_the_engine_refuses_ends_the_process_not_the_service(worker):
    compiled = compile_conditions([SHORT])
    broken = type(compiled)("broken", ('{"r":{"all":',), compiled.aliases, compiled.words)
    with pytest.raises(WorkerFailure, match="gave up.*error code"):
        worker.ask(broken, [""])
    assert worker.ask(compiled, [compiled.body({"gap": 1.0})]) == [[0]]


def test_an_engine_that_cannot_be_started_is_not_tried_at_every_question(monkeypatch, tmp_path):
    monkeypatch.setattr("shared.rules.evaluation.durable_client._ENGINE", tmp_path / "missing.py")
    now = [100.0]
    worker = EngineWorker(clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(WorkerFailure, match="did not start"):
            worker.ask(ASKED.compiled, [""])
    assert worker.starts == 1
    now[0] += 1.5
    with pytest.raises(WorkerFailure):
        worker.ask(ASKED.compiled, [""])
    assert worker.starts == 2


def test_more_rulesets_than_are_kept_loaded(worker):
    sets = [compile_conditions([Leaf("gap", "<", float(n))]) for n in range(MAX_LOADED + 5)]
    for _ in range(2):
        for hours, compiled in enumerate(sets):
            assert worker.ask(compiled, [compiled.body({"gap": hours - 0.5}), compiled.body({"gap": hours})]) == [
                [0],
                [],
            ]
    assert worker.starts == 1


def test_large_rulesets_are_kept_loaded_only_to_a_bounded_size(worker):
    def large(hours: float):
        return compile_conditions([Leaf(f"gap{n}", "<", hours) for n in range(MAX_LOADED_TEXT // 300)])

    sets = [large(float(hours)) for hours in range(1, 6)]
    assert sum(len(text) for one in sets[:3] for text in one.rulesets) > MAX_LOADED_TEXT / 2
    for _ in range(2):
        for hours, compiled in enumerate(sets):
            ((*held,), none) = worker.ask(
                compiled, [compiled.body({"gap7": hours + 0.5}), compiled.body({"gap7": 9.0})]
            )
            assert (held, none) == ([7], [])
            loaded = worker._process.loaded
            assert compiled.key in loaded
            assert len(loaded) == 1 or sum(loaded.values()) <= MAX_LOADED_TEXT
    assert worker.starts == 1
    assert len(worker._process.loaded) < len(sets)


def test_more_questions_than_a_pipe_holds(worker):
    questions = [ASKED.compiled.body({"gap": float(n % 48)}) for n in range(5_000)]
    assert worker.ask(ASKED.compiled, questions) == [[0] if n % 48 < 24 else [] for n in range(5_000)]


def test_no_question_needs_no_worker(evaluator, worker):
    assert evaluator.which_hold(ASKED, []) == []
    assert worker.starts == 0


def test_a_worker_at_work_for_another_thread_is_waited_for_only_so_long(hasty):
    hasty.ask(ASKED.compiled, [""])
    with hasty._my_turn(), pytest.raises(WorkerFailure, match="busy"):
        hasty.ask(ASKED.compiled, [""])


def test_live_answers_are_checked_again_and_the_reference_is_served_on_a_mismatch(worker, seen):
    evaluator = Evaluator(
        "durable-rules", "test", worker, observer=seen, rechecks=random.Random(7), rechecked_share=0.25
    )
    misread = ConditionSet("test", (SHORT,), ("short",), compile_conditions([Leaf("gap", "<=", 24.0)]))
    answers = evaluator.which_hold(misread, [{"gap": 24.0}] * 400)
    statistics = evaluator.statistics()
    assert 60 < statistics.rechecked < 140
    assert statistics.mismatches == statistics.rechecked == answers.count(()) == len(seen.mismatches)
    assert seen.mismatches[0] == ("test", ["short"])


def test_the_environment_can_choose_the_reference():
    chosen = choose_evaluator(environment={"TANDEM_RULES_ENGINE": "reference"})
    assert chosen.which_hold(ASKED, QUESTIONS) == ANSWERS
    statistics = chosen.statistics()
    assert (statistics.evaluator, statistics.reason) == ("reference", "TANDEM_RULES_ENGINE=reference")
    assert statistics.worker_pid is None


@pytest.fixture
def broken_engine(monkeypatch, tmp_path):
    """A durable-rules that was compiled for another Python stands first on the path."""
    (tmp_path / "durable_rules_engine.py").write_text("raise ImportError('undefined symbol: PyEval_CallObject')")
    monkeypatch.delitem(sys.modules, "durable_rules_engine", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("broken_engine")
def test_without_durable_rules_the_reference_decides_and_says_why():
    why = "durable-rules cannot be imported: undefined symbol: PyEval_CallObject"
    with pytest.warns(EngineMissing, match=f"{why}; the reference evaluator decides alone; make setup compiles it"):
        chosen = choose_evaluator("durable-rules")
    assert chosen.which_hold(ASKED, QUESTIONS) == ANSWERS
    assert (chosen.name, chosen.statistics().reason) == ("reference", why)


@pytest.mark.usefixtures("broken_engine")
def test_who_asks_for_the_reference_is_told_of_no_missing_engine(recwarn):
    assert choose_evaluator("reference").which_hold(ASKED, QUESTIONS) == ANSWERS
    assert [one for one in recwarn if one.category is EngineMissing] == []


def test_an_unknown_engine_is_named():
    with pytest.raises(UnknownEvaluator, match="'drools' is no rules engine"):
        choose_evaluator(environment={"TANDEM_RULES_ENGINE": "drools"})


def test_the_process_ends_when_it_is_closed(worker):
    worker.ask(ASKED.compiled, [""])
    pid = worker.pid
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
