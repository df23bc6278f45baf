"""The parent's side of the engine: one child process, a deadline per batch; see ``kept_child``."""

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from shared.rules.evaluation.durable_compiler import Compiled
from shared.rules.evaluation.kept_child import ChildProcess, KeptChild, WorkerFailure

DEADLINE_S = 2.0
BATCH = 500
"""Questions per exchange: a fiftieth of the deadline for a pack of one handle."""
MAX_LOADED = 64
"""Packs kept loaded; the longest unused goes first and is loaded again when asked."""
MAX_LOADED_TEXT = 300_000
"""Characters of the rulesets kept loaded: 10,000 for a pack of 22 rules, which takes the engine 1.5 MB."""
_ENGINE = Path(__file__).with_name("durable_process.py")


Meanwhile = Callable[[int, int], object]


def nothing(_from: int, _to: int) -> None:
    """Waits for the engine and does nothing else."""


class EngineWorker(KeptChild):
    """Asks the child."""

    def __init__(self, deadline_s: float = DEADLINE_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("the engine process", deadline_s, clock)
        self._deadline_s = deadline_s

    def _arguments(self) -> Sequence[str]:
        # -P: the folder of engine.py must not come first on the child's path, where its neighbours would shadow.
        return ["-P", str(_ENGINE)]

    def ask(self, compiled: Compiled, bodies: Sequence[str], meanwhile: Meanwhile = nothing) -> list[list[int]]:
        """Per question the positions of the conditions that hold. Raises ``WorkerFailure``.

        ``meanwhile``: what to do with the questions of one exchange (from, to) while the engine answers them.
        """
        holds: list[list[int]] = []
        for start in range(0, len(bodies), BATCH):
            batch = bodies[start : start + BATCH]
            with self._my_turn():
                holds.extend(self._ask_batch(compiled, batch, partial(meanwhile, start, start + len(batch))))
        return holds

    def _ask_batch(self, compiled: Compiled, bodies: Sequence[str], meanwhile: Callable[[], object]) -> list[list[int]]:
        process = self._running()
        until = self._clock() + self._deadline_s
        try:
            self._ensure_loaded(process, compiled, until)
            head = json.dumps({"do": "ask", "key": compiled.key})
            reply = self._exchange(process, "\n".join((head, *bodies)), until, meanwhile)
            holds: list[list[int]] = reply["holds"]
            if len(holds) != len(bodies):
                raise WorkerFailure("died", f"the engine answered {len(holds)} of {len(bodies)} questions")
        except (OSError, ValueError, KeyError) as error:
            self._discard()
            raise WorkerFailure("died", f"the engine process failed: {error}") from error
        except BaseException:
            # Also when a greenlet is killed while waiting: what the pipe would bring next belongs to no question.
            self._discard()
            raise
        return holds

    def _ensure_loaded(self, process: ChildProcess, compiled: Compiled, until: float) -> None:
        if compiled.key in process.loaded:
            process.loaded.move_to_end(compiled.key)
            return
        size = sum(map(len, compiled.rulesets))
        while process.loaded and (
            len(process.loaded) >= MAX_LOADED or sum(process.loaded.values()) + size > MAX_LOADED_TEXT
        ):
            oldest, _ = process.loaded.popitem(last=False)
            self._exchange(process, json.dumps({"do": "drop", "key": oldest}), until)
        self._exchange(
            process, json.dumps({"do": "load", "key": compiled.key, "rulesets": list(compiled.rulesets)}), until
        )
        process.loaded[compiled.key] = size

    def _exchange(
        self, process: ChildProcess, text: str, until: float, meanwhile: Callable[[], object] | None = None
    ) -> dict[str, Any]:
        self._write(process, text.encode("ascii"), until)
        if meanwhile is not None:
            meanwhile()
        reply: dict[str, Any] = json.loads(self._read(process, until))
        if "error" in reply:
            raise WorkerFailure("died", f"the engine gave up: {reply['error']}")
        return reply
