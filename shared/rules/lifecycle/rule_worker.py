"""The parent's side of the process that works on rule packs: a bound for each piece of work, a new one after a kill."""

import hashlib
import pickle
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.rules.errors import RuleFileErrors
from shared.rules.evaluation.evaluators import EvaluatorName
from shared.rules.evaluation.kept_child import KeptChild, WorkerFailure
from shared.rules.lifecycle.intervals import CPU_S, MEMORY_MB
from shared.rules.observer import Observer

WALL_FACTOR: Final = 6.0
"""How much longer than its processor time a piece of work may take on a machine that has other things to do."""
LOOK_AGAIN_S: Final = 0.005
MAX_REFUSED: Final = 200
"""Pieces of work remembered that took too much or were full of mistakes; the same again is refused at once."""


class WorkStopped(Exception):
    """A piece of work took more than it may; the text says of what, for who wrote the pack."""


class RuleWorkerAway(TimeoutError):
    """The process died, cannot be started or is busy: through nobody's pack, and another try may go well."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Of one piece of work."""

    cpu_seconds: float = CPU_S
    memory_mb: int = MEMORY_MB


class RuleWorker(KeptChild):
    """Runs functions in one child process, one at a time; whoever waits for it lets others run.

    ``run_blocking`` takes the packing and unpacking of what goes over the pipes off an eventlet hub.
    """

    def __init__(
        self,
        evaluator: EvaluatorName,
        limits: WorkerLimits,
        observer: Observer,
        run_blocking: Callable[..., Any],
    ) -> None:
        self._wall_s = WALL_FACTOR * limits.cpu_seconds + 5.0
        super().__init__("the process that reads rule packs", 4 * self._wall_s)
        self._evaluator = evaluator
        self._limits = limits
        self._observer = observer
        self._run_blocking = run_blocking
        self._refused: OrderedDict[bytes, Exception] = OrderedDict()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(evaluator, *arguments)``, both ways as pickles. Raises what it raises, ``WorkStopped`` and
        ``RuleWorkerAway``."""
        payload = self._run_blocking(pickle.dumps, (function, arguments), pickle.HIGHEST_PROTOCOL)
        work = hashlib.sha256(payload).digest()
        if work in self._refused:
            raise self._refused[work].with_traceback(None)
        try:
            with self._my_turn(LOOK_AGAIN_S):
                reply = self._asked(payload)
        except (WorkerFailure, OSError) as failure:
            raise RuleWorkerAway(str(failure)) from failure
        said, what, failures = self._run_blocking(pickle.loads, reply)
        for reason, message in failures:
            self._observer.engine_failed(reason, message)
        if said == "made":
            return what
        refusal = WorkStopped(what) if said == "stopped" else what
        if isinstance(refusal, WorkStopped | RuleFileErrors):
            self._refused[work] = refusal
            while len(self._refused) > MAX_REFUSED:
                self._refused.popitem(last=False)
        raise refusal

    def _arguments(self) -> Sequence[str]:
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; from shared.rules.lifecycle.worker_process import main; "
            f"main({self._evaluator!r}, {self._limits.cpu_seconds!r}, {self._limits.memory_mb!r})"
        )
        return ["-P", "-W", "ignore", "-c", program]

    def _asked(self, payload: bytes) -> bytes:
        if self._process is not None:
            try:
                return self._ask(payload)
            except ChildProcessError:
                pass  # Perhaps it was dead before; a new one tells whether it is this work that kills.
        try:
            return self._ask(payload)
        except ChildProcessError as died:
            raise WorkStopped(f"its process down with it ({died})") from None

    def _ask(self, payload: bytes) -> bytes:
        """Raises ``ChildProcessError`` when the process ends meanwhile, unless its time was up."""
        process = self._running()
        until = self._clock() + self._wall_s
        try:
            self._write(process, payload, until)
            return self._read(process, until)
        except (WorkerFailure, OSError) as failure:
            ended_by = self._discard()
            if ended_by == signal.SIGPROF:
                seconds = f"more than {self._limits.cpu_seconds:g} s of processor time"
                return pickle.dumps(["stopped", seconds, []])
            if isinstance(failure, WorkerFailure) and failure.reason == "deadline":
                raise
            raise ChildProcessError(f"signal {ended_by}" if ended_by else str(failure)) from None
        except BaseException:
            # Also when a greenlet is killed while waiting: what the pipe would bring next answers nobody.
            self._discard()
            raise
