"""Heavy work in other processes: bounded, killed and replaced, tenants in turn."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from shared.ops import metrics
from shared.ops.heavy_work import HeavyLimits, HeavyWork, WorkKills
from shared.rules.lifecycle.rule_worker import WorkStopped
from tests.ticking import Ticking


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def heavy(clock: Ticking) -> Iterator[HeavyWork]:
    made = HeavyWork(HeavyLimits(tenant_s=6.0), now=clock)
    yield made
    made.close()


def pid() -> int:
    return os.getpid()


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def die_once(marker: str) -> str:
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise LookupError("said there")


KEPT: list[bytearray] = []


def grow(megabytes: int) -> int:
    KEPT.append(bytearray(b"x" * megabytes * 2**20))
    return os.getpid()


def ended(reason: str) -> float:
    return metrics.planning_processes_ended.labels(reason)._value.get()


def test_it_runs_elsewhere_and_says_what_was_said_there(heavy: HeavyWork) -> None:
    assert heavy.run("acme", pid) == heavy.run("globex", pid) == heavy.pids[0] != os.getpid()
    with pytest.raises(LookupError, match="said there"):
        heavy.run("acme", refuse)


def test_a_process_that_was_killed_is_replaced_and_its_work_done_again(heavy: HeavyWork, tmp_path) -> None:
    before = ended("killed")
    assert heavy.run("acme", die_once, str(tmp_path / "died")) == "done"
    os.kill(heavy.pids[0], signal.SIGKILL)
    assert heavy.run("acme", pid) == heavy.pids[0]
    assert ended("killed") == before + 2


def test_work_that_kills_twice_is_given_up_and_not_begun_again(heavy: HeavyWork) -> None:
    before = ended("killed")
    for _ in range(2):
        with pytest.raises(WorkKills, match="ended twice"):
            heavy.run("acme", die)
    assert ended("killed") == before + 2
    assert heavy.run("acme", pid) == heavy.pids[0]


def test_work_that_takes_too_much_is_stopped(clock: Ticking) -> None:
    heavy = HeavyWork(HeavyLimits(budget_s=-0.9), now=clock)  # an outer guard of 0.4 s
    with pytest.raises(WorkStopped, match="processor time"):
        heavy.run("acme", burn, 60.0)
    heavy.close()


def test_a_process_that_grew_is_replaced(heavy: HeavyWork) -> None:
    first = heavy.run("acme", grow, 10)
    assert heavy.run("acme", grow, 260) == first
    assert heavy.run("acme", pid) != first


def test_who_uses_much_is_over_budget_and_comes_back(heavy: HeavyWork, clock: Ticking) -> None:
    heavy.run("acme", burn, 1.2)
    assert heavy.is_over_budget("acme") and not heavy.is_over_budget("globex")
    clock.seconds += 10.0  # a tenth of a second each
    assert not heavy.is_over_budget("acme")


def test_who_has_used_less_is_next(heavy: HeavyWork) -> None:
    heavy.run("acme", burn, 0.2)
    order: list[str] = []

    def work(tenant: str, seconds: float) -> None:
        heavy.run(tenant, burn, seconds)
        order.append(tenant)

    threads = [threading.Thread(target=work, args=("acme", 0.4))]
    threads[0].start()
    while heavy._idle:
        time.sleep(0.001)
    threads += [threading.Thread(target=work, args=(tenant, 0.0)) for tenant in ("acme", "acme", "globex")]
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(heavy._waiting) < number:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == ["acme", "globex", "acme", "acme"]
