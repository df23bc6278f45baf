"""Heavy computation in processes of its own: neither queries nor other tenants wait for it; its memory goes with it.

Tenants take turns, the one that has used least first. What each uses is counted in processor time, per minute.
"""

import hashlib
import resource
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import Any, Final

from shared.ops import metrics
from shared.rules.lifecycle.rule_worker import MAX_REFUSED, RuleWorker, WorkerLimits, WorkStopped
from shared.rules.observer import Observer

ADDRESS_SPACE_MB: Final = 1024
"""What a process may take on top of what it needs to start: far above what work costs, so that only leaks end here."""
_SAVED_MINUTES: Final = 1 / 6


class WorkKills(RuntimeError):
    """A piece of work ended its process twice; whoever asked for it has to look at it."""


@dataclass(frozen=True, slots=True)
class HeavyLimits:
    """``budget_s``: deterministic seconds of one piece of work; ``tenant_s``: processor seconds of one tenant in a
    minute; ``memory_mb``: above so much a process is replaced after its work; ``processes``: at a time."""

    budget_s: float = 4.0
    tenant_s: float = 10.0
    memory_mb: int = 250
    processes: int = 1

    @property
    def cpu_s(self) -> float:
        """The outer guard: a machine on which work takes four times as long as here still finishes."""
        return 4 * self.budget_s + 4


class HeavyWork:
    """``run_blocking``: see ``RuleWorker``."""

    def __init__(
        self,
        limits: HeavyLimits,
        run_blocking: Callable[..., Any] = lambda function, *arguments: function(*arguments),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget_s = limits.budget_s
        self._limits = limits
        self._now = now
        bounds = WorkerLimits(limits.cpu_s, ADDRESS_SPACE_MB)
        self._processes = [_Process(bounds, run_blocking) for _ in range(limits.processes)]
        self._idle = list(self._processes)
        self._turns = Condition()
        self._waiting: list[tuple[str, object]] = []
        self._used: dict[str, tuple[float, float]] = {}

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid is not None]

    def run(self, tenant: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(*arguments)``, both ways as pickles. Raises what it raises, ``WorkStopped`` when it took more than
        it may, ``WorkKills``, and ``RuleWorkerAway`` where another try may go well."""
        process = self._take_turn(tenant)
        try:
            result, seconds, megabytes = process.run(_measured, function, *arguments)
            self._charge(tenant, seconds)
            if megabytes > self._limits.memory_mb:
                process.close()
                metrics.planning_processes_ended.labels("memory").inc()
            return result
        except WorkStopped:
            self._charge(tenant, self._limits.cpu_s)
            metrics.planning_processes_ended.labels("stopped").inc()
            raise
        finally:
            with self._turns:
                self._idle.append(process)
                self._turns.notify_all()

    def is_over_budget(self, tenant: str) -> bool:
        """Whether the tenant has used what it may in a minute, and what it had saved up."""
        return self._used_by(tenant) > self._limits.tenant_s * _SAVED_MINUTES

    def close(self) -> None:
        for process in self._processes:
            process.close()

    def _take_turn(self, tenant: str) -> "_Process":
        mine = (tenant, object())
        with self._turns:
            self._waiting.append(mine)
            metrics.planning_waiting.set(len(self._waiting))
            try:
                self._turns.wait_for(lambda: self._idle and self._next() is mine)
                return self._idle.pop()
            finally:
                self._waiting.remove(mine)
                metrics.planning_waiting.set(len(self._waiting))
                self._turns.notify_all()

    def _next(self) -> tuple[str, object]:
        return min(self._waiting, key=lambda one: self._used_by(one[0]))

    def _used_by(self, tenant: str) -> float:
        seconds, since = self._used.get(tenant, (0.0, 0.0))
        return max(0.0, seconds - (self._now() - since) * self._limits.tenant_s / 60)

    def _charge(self, tenant: str, seconds: float) -> None:
        metrics.planning_cpu_seconds.inc(seconds)
        # Never deeper in debt than a minute's worth: who stops is soon an ordinary tenant again.
        self._used[tenant] = (min(self._used_by(tenant) + seconds, self._limits.tenant_s), self._now())


class _Process(RuleWorker):
    """One child process; ends and begins with what it is asked."""

    def __init__(self, limits: WorkerLimits, run_blocking: Callable[..., Any]) -> None:
        super().__init__("reference", limits, Observer(), run_blocking)
        self._named = "the process for heavy work"
        self._kills: OrderedDict[bytes, None] = OrderedDict()

    def _asked(self, payload: bytes) -> bytes:
        work = hashlib.sha256(payload).digest()
        died: ChildProcessError | None = None
        for _ in range(0 if work in self._kills else 2):
            try:
                return self._ask(payload)
            except ChildProcessError as error:
                metrics.planning_processes_ended.labels("killed").inc()
                died = error
        self._kills[work] = None
        while len(self._kills) > MAX_REFUSED:
            self._kills.popitem(last=False)
        raise WorkKills(f"the process that worked on it ended twice ({died or 'as before'})")


def _measured(_evaluator: object, function: Callable[..., Any], *arguments: Any) -> tuple[Any, float, int]:
    """Also the processor seconds that it took, and the megabytes that the process holds then."""
    began = time.process_time()
    result = function(*arguments)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return result, time.process_time() - began, pages * resource.getpagesize() // 2**20
