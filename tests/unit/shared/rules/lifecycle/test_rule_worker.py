"""Packs made in a process of their own are the packs made here; what costs too much is stopped, and nothing else."""

import os
import pickle
import signal
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from shared.rules.errors import RuleFileErrors
from shared.rules.evaluation.evaluators import choose_evaluator
from shared.rules.evaluation.prepared import PreparedPack
from shared.rules.lifecycle.making import Maker, RulesTooCostly
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.lifecycle.rule_worker import RuleWorker, RuleWorkerAway, WorkerLimits, WorkStopped
from shared.rules.observer import Observer
from shared.rules.reading.rule_files import read_texts
from shared.rules.rule_texts import RuleText, RuleTexts
from tests.unit.shared.rules.rule_folder import TENANT, Files, forbids, threshold
from tests.worst_packs import SOUND, worst_packs

RULES = Path(__file__).parents[5] / "rules"


def at_once(function, *arguments):
    return function(*arguments)


@pytest.fixture
def worker():
    made = RuleWorker("durable-rules", WorkerLimits(1.0, 128), Observer(), at_once)
    yield made
    made.close()


def pid(_evaluator):
    return os.getpid()


def burn(_evaluator):
    while True:
        pass


def fill_memory(_evaluator):
    return len(bytearray(1024 * 1024 * 1024))


def nest(evaluator, depth=0):
    return nest(evaluator, depth + 1) + 1


def refuse(_evaluator, error):
    raise error


def test_packs_come_back_as_they_would_be_made_here(worker):
    override = "dialect: tandem-rules/1\nid: club.sequencing\nversion: 1.0.0\nextends: base.sequencing@1\n"
    override += "settings: {max_sessions_per_day: {value: 1}}\n"
    texts = replace(read_texts(RULES), own=(RuleText("tenants/club/sequencing.yaml", override.encode()),))
    with_engine = choose_evaluator("durable-rules")
    here, apart = (Maker(with_engine, one).make(texts, date(2026, 3, 1)) for one in (None, worker))
    assert apart.loaded == here.loaded
    for kind, made in here.prepared.items():
        assert apart.prepared[kind] == made
        shared = zip(apart.prepared[kind].condition_set.conditions, made.condition_set.conditions, strict=True)
        assert all(one is other for one, other in shared), "equal conditions are one object, wherever they were read"
        assert apart.prepared[kind].condition_set.compiled is made.condition_set.compiled
    again = Maker(with_engine, worker).make(texts, date(2026, 3, 1), [apart])
    assert all(again.prepared[kind] is made for kind, made in apart.prepared.items()), "nothing changed"
    assert again.loaded == apart.loaded
    with_engine.close()


def test_a_pack_survives_the_pipe_whole():
    evaluator = choose_evaluator("reference")
    for made in Maker(evaluator).make(read_texts(RULES), None).prepared.values():
        again = pickle.loads(pickle.dumps(made))
        assert isinstance(again, PreparedPack)
        assert again == made


def test_work_that_takes_too_much_time_is_stopped_and_refused_at_once_when_it_comes_again(worker):
    first = worker.run(pid)
    began = time.monotonic()
    with pytest.raises(WorkStopped, match="more than 1 s of processor time"):
        worker.run(burn)
    assert time.monotonic() - began > 0.9
    began = time.monotonic()
    with pytest.raises(WorkStopped, match="processor time"):
        worker.run(burn)
    assert time.monotonic() - began < 0.5
    assert worker.run(pid) != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.parametrize(("work", "why"), [(fill_memory, "more memory"), (nest, "deeper nesting")])
def test_work_that_takes_too_much_of_anything_else_is_stopped(worker, work, why):
    with pytest.raises(WorkStopped, match=why):
        worker.run(work)
    assert worker.run(pid) > 0


def test_what_the_work_raises_is_raised(worker):
    with pytest.raises(KeyError, match="no such thing"):
        worker.run(refuse, KeyError("no such thing"))


def die(_evaluator):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_was_dead_before_costs_no_answer(worker):
    worker.run(pid)
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.run(pid) == worker.pid
    assert worker.starts == 2


def test_work_that_kills_its_process_is_told_so(worker):
    with pytest.raises(WorkStopped, match=r"its process down with it \(signal 9\)"):
        worker.run(die)
    assert worker.run(pid) == worker.pid


def test_a_process_that_cannot_be_had_is_no_verdict_on_a_pack(worker, monkeypatch):
    monkeypatch.setattr(worker, "_arguments", lambda: ["-c", "raise SystemExit(3)"])
    with pytest.raises(RuleWorkerAway, match="did not start"):
        worker.run(pid)


def test_a_pack_that_costs_too_much_is_told_at_its_file_and_the_last_good_one_stays(tmp_path):
    files = Files(tmp_path / "rules")
    files.base()
    files.write("tenants/club/sequencing.yaml", TENANT.format(tenant="club", hours=40))
    book = RuleBook(files.folder, worker=WorkerLimits(0.5, 256))
    try:
        assert threshold(book.for_tenant("club")) == 40
        book._worker._limits = WorkerLimits(0.001, 256)  # a pack that takes 5 s would be a bug that is mended
        book._worker.close()
        files.write("tenants/club/sequencing.yaml", TENANT.format(tenant="club", hours=50))
        book.poll()
        assert threshold(book.for_tenant("club")) == 40
        (error,) = book.errors()
        assert error.file.endswith("tenants/club/sequencing.yaml")
        assert error.message.startswith("to read and check the pack takes more than 0.001 s of processor time")
        book._worker._limits = WorkerLimits(5.0, 256)
        book._worker.close()
        files.write("tenants/club/sequencing.yaml", TENANT.format(tenant="club", hours=60))
        book.poll()
        assert threshold(book.for_tenant("club")) == 60
        assert forbids(book.for_tenant("club"), 59.0)
    finally:
        book.close()


def test_the_worst_packs_stay_within_the_default_limits():
    kept = RuleWorker("durable-rules", WorkerLimits(), Observer(), at_once)
    evaluator = choose_evaluator("durable-rules")
    base = read_texts(RULES).base
    try:
        packs = worst_packs()
        for text in (packs[name] for name in (*SOUND, "words of words", "5,000 unknown overrides")):
            try:
                Maker(evaluator, kept).make(RuleTexts(base, (), (RuleText("stored/acme/x.yaml", text.encode()),)), None)
            except RulesTooCostly as stopped:
                raise AssertionError(text[:200]) from stopped
            except RuleFileErrors as refused:
                assert refused.code == "rule_file"
        assert kept.starts == 1
    finally:
        kept.close()
        evaluator.close()
