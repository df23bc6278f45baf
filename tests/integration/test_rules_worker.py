"""The engine's worker beside a real service process: under eventlet and without, and when its parent dies."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROLOGUE = """
import json, os, signal, sys, time
from shared.rules.evaluation.evaluators import ConditionSet, choose_evaluator
from shared.rules.model import Leaf
asked = ConditionSet.of("test", [Leaf("gap", "<", 24.0)], ["short"])
evaluator = choose_evaluator("durable-rules")
def ask(count=3):
    return [len(held) for held in evaluator.which_hold(asked, [{"gap": 23.0 + n} for n in range(count)])]
"""
GREEN = "import eventlet; eventlet.monkey_patch()\n"


def run(program: str) -> dict:
    """Run in a process of its own, as tests here may be patched or not; the program prints one JSON object."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def program(body: str, green: bool) -> str:
    return (GREEN if green else "") + PROLOGUE + textwrap.dedent(body)


@pytest.mark.parametrize("green", [True, False], ids=["eventlet", "plain"])
def test_the_worker_answers_and_survives_kill_and_stop(green):
    told = run(
        program(
            """
            answers = [ask()]
            for sent in (signal.SIGKILL, signal.SIGSTOP):
                os.kill(evaluator.worker.pid, sent)
                answers += [ask(), ask()]
            statistics = evaluator.statistics()
            evaluator.close()
            print(json.dumps([answers, statistics.restarts, statistics.fallbacks]))
            """,
            green,
        )
    )
    assert told == [[[1, 0, 0]] * 5, 2, 2]


def test_waiting_for_the_worker_does_not_stall_the_hub():
    """A stopped worker keeps its greenlet waiting for two seconds; all the others go on."""
    told = run(
        program(
            """
            import eventlet
            ask()
            beats = []
            def beat():
                while True:
                    beats.append(time.monotonic())
                    eventlet.sleep(0.01)
            eventlet.spawn(beat)
            os.kill(evaluator.worker.pid, signal.SIGSTOP)
            started = time.monotonic()
            asking = [eventlet.spawn(ask) for _ in range(4)]
            answers = [one.wait() for one in asking]
            took = time.monotonic() - started
            pauses = [later - earlier for earlier, later in zip(beats, beats[1:])]
            evaluator.close()
            print(json.dumps({"answers": answers, "took": took, "longest": max(pauses), "beats": len(beats)}))
            """,
            green=True,
        )
    )
    assert told["answers"] == [[1, 0, 0]] * 4
    assert told["took"] > 1.9
    assert told["longest"] < 1.0
    assert told["beats"] > 50


def test_greenlets_and_native_threads_share_one_worker():
    told = run(
        program(
            """
            import eventlet, eventlet.tpool
            expected = [1 if n < 1 else 0 for n in range(200)]
            pool = eventlet.GreenPool()
            green = [pool.spawn(ask, 200) for _ in range(10)]
            native = [pool.spawn(eventlet.tpool.execute, ask, 200) for _ in range(10)]
            right = sum(one.wait() == expected for one in green + native)
            statistics = evaluator.statistics()
            evaluator.close()
            print(json.dumps([right, evaluator.worker.starts, statistics.fallbacks, statistics.decisions]))
            """,
            green=True,
        )
    )
    assert told == [20, 1, 0, 4000]


def test_a_greenlet_killed_while_waiting_leaves_no_stale_answer():
    told = run(
        program(
            """
            import eventlet
            ask()
            os.kill(evaluator.worker.pid, signal.SIGSTOP)
            waiting = eventlet.spawn(ask, 7)
            eventlet.sleep(0.05)
            waiting.kill()
            answers = ask(3)
            statistics = evaluator.statistics()
            evaluator.close()
            print(json.dumps([answers, statistics.restarts, statistics.fallbacks]))
            """,
            green=True,
        )
    )
    assert told == [[1, 0, 0], 1, 0]


def test_a_fork_starts_a_worker_of_its_own():
    told = run(
        program(
            """
            ask()
            first = evaluator.worker.pid
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                answer = [ask(), evaluator.worker.pid not in (None, first)]
                os.write(writing, json.dumps(answer).encode())
                evaluator.close()
                os._exit(0)
            os.waitpid(child, 0)
            forked = json.loads(os.read(reading, 1000))
            here = [ask(), evaluator.worker.pid == first, evaluator.statistics().fallbacks]
            evaluator.close()
            print(json.dumps([forked, here]))
            """,
            green=False,
        )
    )
    assert told == [[[1, 0, 0], True], [[1, 0, 0], True, 0]]


def test_the_worker_ends_with_its_parent_and_not_with_ctrl_c():
    parent = subprocess.Popen(
        [sys.executable, "-c", program("ask(); print(evaluator.worker.pid, flush=True); time.sleep(60)", green=False)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.kill(worker, signal.SIGINT)
    assert Path(f"/proc/{worker}").exists()
    parent.kill()
    parent.wait()
    until = time.monotonic() + 10
    while _runs(worker) and time.monotonic() < until:
        os.sched_yield()
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    """Whether the process lives; one that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("name", ["900 cases", "200 rules", "5,000 unknown overrides", "one long list"])
def test_the_worst_packs_do_not_stall_the_hub(tmp_path, name):
    """Over the watched folder and as a pack that is sent; the shipped rules change meanwhile, too."""
    told = run(
        GREEN
        + f"""
import json, shutil, time
import eventlet.tpool
from datetime import date
from pathlib import Path
from services.periodization.rule_admin.tenant_packs import sound_pack
from shared.rules.errors import RuleFileErrors
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.lifecycle.rule_worker import WorkerLimits
from tests.worst_packs import worst_packs
rules = Path({str(tmp_path)!r}) / "rules"
shutil.copytree("rules", rules)
text = worst_packs()[{name!r}]
(rules / "tenants" / "acme").mkdir(parents=True)
book = RuleBook(rules, run_blocking=eventlet.tpool.execute, worker=WorkerLimits())
before = book.for_tenant("acme").pack("sequencing").hash
beats = []
def beat():
    while True:
        beats.append(time.monotonic())
        eventlet.sleep(0.005)
eventlet.spawn(beat)
(rules / "tenants" / "acme" / "sequencing.yaml").write_text(text)
started = time.monotonic()
book.poll()
watched = book.for_tenant("acme").pack("sequencing").hash != before or bool(book.errors())
try:
    sound_pack(text.replace("1.0.0", "1.0.1"), "acme", book.for_tenant("other"), {{}}, date(2026, 3, 1))
    sent = "sound"
except RuleFileErrors as errors:
    sent = [str(error) for error in errors.errors]
took = time.monotonic() - started
book.close()
pauses = [later - earlier for earlier, later in zip(beats, beats[1:])]
print(json.dumps([watched, sent, took, max(pauses)]))
"""
    )
    watched, sent, took, longest_pause = told
    assert watched
    assert str(tmp_path) not in json.dumps(sent)
    assert longest_pause < max(0.25, took / 5), f"of {took:.1f} s"


def test_a_reload_of_the_shipped_rules_does_not_stall_the_hub(tmp_path):
    told = run(
        GREEN
        + f"""
import json, shutil, time
import eventlet.tpool
from pathlib import Path
from shared.rules.lifecycle.rule_book import RuleBook
from shared.rules.lifecycle.rule_worker import WorkerLimits
rules = Path({str(tmp_path)!r}) / "rules"
shutil.copytree("rules", rules)
book = RuleBook(rules, run_blocking=eventlet.tpool.execute, worker=WorkerLimits())
hashes = [book.for_tenant(None).pack("sequencing").hash]
beats = []
def beat():
    while True:
        beats.append(time.monotonic())
        eventlet.sleep(0.005)
eventlet.spawn(beat)
path = rules / "base" / "sequencing.yaml"
path.write_text(path.read_text().replace("title: ", "title: Now ", 1))
started = time.monotonic()
book.poll()
took = time.monotonic() - started
hashes.append(book.for_tenant(None).pack("sequencing").hash)
errors = [str(error) for error in book.errors()]
book.close()
pauses = [later - earlier for earlier, later in zip(beats, beats[1:])]
print(json.dumps([hashes[0] != hashes[1], errors, took, max(pauses)]))
"""
    )
    changed, errors, took, longest_pause = told
    assert changed, errors
    assert longest_pause < 0.25, f"of {took:.1f} s"


def test_the_shipped_rules_are_decided_by_the_worker_within_a_moment():
    told = run(
        """
import json, time
from pathlib import Path
from shared.rules.lifecycle.rule_book import open_rules
with open_rules(Path("rules")) as rules:
    question = {"first_kind": "lift", "first_region": "lower", "first_effort": "heavy", "then_kind": "run",
                "then_type": "long", "gap_hours": 1.0, "same_day": True}
    fired = rules.decide("sequencing", [question])[0]
    statistics = rules.engine_statistics()
    print(json.dumps([len(fired) > 0, rules.evaluator(), statistics.decisions, statistics.worker_pid is not None]))
"""
    )
    assert told == [True, "durable-rules", 1, True]
