"""The parent's side of the engine: one child process, a deadline per batch, kill and start again when it fails.

Works under a monkey-patched eventlet hub and in a plain program alike, without knowing which: it waits in
``select`` before every read and write, which eventlet turns into a switch to other greenlets, and in ``time.sleep``
for its turn. It takes no lock, because a native one would stall a hub and a green one does not hold between threads.
"""

import contextlib
import json
import os
import posix
import select
import subprocess
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from shared.rules.evaluation.durable_compiler import Compiled
from shared.rules.evaluation.durable_process import FRAME_HEAD

DEADLINE_S = 2.0
START_DEADLINE_S = 10.0
"""A first start may have to read the interpreter from a cold disk; later ones took 30 ms."""
BATCH = 500
"""Questions per exchange: a fiftieth of the deadline for a pack of one handle."""
MAX_LOADED = 64
"""Packs kept loaded; the longest unused goes first and is loaded again when asked."""
MAX_LOADED_TEXT = 300_000
"""Characters of the rulesets kept loaded: 10,000 for a pack of 22 rules, which takes the engine 1.5 MB."""
MAX_PAUSE_S = 30.0
_ENGINE = Path(__file__).with_name("durable_process.py")


Reason = Literal["died", "deadline", "not started", "busy"]


Meanwhile = Callable[[int, int], object]


def nothing(_from: int, _to: int) -> None:
    """Waits for the engine and does nothing else."""


class WorkerFailure(Exception):
    """No answer: the engine is missing, crashed, refused, or did not answer in time. Says which."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Process:
    """One child with its two pipes."""

    def __init__(self) -> None:
        child_in, self.to_child = os.pipe()
        self.from_child, child_out = os.pipe()
        os.set_blocking(self.to_child, False)
        os.set_blocking(self.from_child, False)
        try:
            # -P: the folder of engine.py must not come first on the child's path, where its neighbours would shadow.
            self._popen = subprocess.Popen([sys.executable, "-P", str(_ENGINE)], stdin=child_in, stdout=child_out)
        except BaseException:
            os.close(self.to_child)
            os.close(self.from_child)
            raise
        finally:
            os.close(child_in)
            os.close(child_out)
        self.pid = self._popen.pid
        self.owner = os.getpid()
        self.loaded: OrderedDict[str, int] = OrderedDict()

    def end(self) -> None:
        os.close(self.to_child)
        os.close(self.from_child)
        if self.owner == os.getpid():
            self._popen.kill()
            self._popen.wait()


class EngineWorker:
    """Asks the child. ``starts`` counts processes started, the first included."""

    def __init__(self, deadline_s: float = DEADLINE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._deadline_s = deadline_s
        self._clock = clock
        self._process: _Process | None = None
        self._turn: deque[None] = deque((None,))
        self._pause_s = 0.0
        self._not_before = 0.0
        self._last_failure = ""
        self.starts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

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

    def close(self) -> None:
        if self._process:
            self._process.end()
            self._process = None

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

    def _ensure_loaded(self, process: _Process, compiled: Compiled, until: float) -> None:
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

    def _running(self) -> _Process:
        if self._process and self._process.owner != os.getpid():
            self._process.end()  # We are a fork: the child answers our parent.
            self._process = None
        if self._process:
            return self._process
        if self._clock() < self._not_before:
            raise WorkerFailure("not started", self._last_failure)
        self.starts += 1
        try:
            process = self._process = _Process()
            ready = self._read(process, self._clock() + START_DEADLINE_S)
            json.loads(ready)["ready"]
        except (OSError, ValueError, KeyError, WorkerFailure) as error:
            self._discard()
            self._pause_s = min(MAX_PAUSE_S, 2 * self._pause_s or 1.0)
            self._not_before = self._clock() + self._pause_s
            self._last_failure = f"the engine process did not start: {error}"
            raise WorkerFailure("not started", self._last_failure) from error
        except BaseException:
            self._discard()
            raise
        self._pause_s = 0.0
        return process

    def _discard(self) -> None:
        process, self._process = self._process, None
        if process:
            process.end()

    @contextlib.contextmanager
    def _my_turn(self) -> Iterator[None]:
        until = self._clock() + self._deadline_s
        while True:
            try:
                self._turn.popleft()  # Atomic between threads and between greenlets.
                break
            except IndexError:
                if self._clock() > until:
                    raise WorkerFailure("busy", "the engine is busy with other questions") from None
                time.sleep(0.0005)
        try:
            yield
        finally:
            self._turn.append(None)

    def _exchange(
        self, process: _Process, text: str, until: float, meanwhile: Callable[[], object] | None = None
    ) -> dict[str, Any]:
        payload = text.encode("ascii")
        self._write(process, FRAME_HEAD.pack(len(payload)) + payload, until)
        if meanwhile is not None:
            meanwhile()
        reply: dict[str, Any] = json.loads(self._read(process, until))
        if "error" in reply:
            raise WorkerFailure("died", f"the engine gave up: {reply['error']}")
        return reply

    def _write(self, process: _Process, data: bytes, until: float) -> None:
        view = memoryview(data)
        while view:
            self._await(process.to_child, until, writing=True)
            # Not os.write: eventlet's own tries again for ever when the reader is gone (EPIPE).
            with contextlib.suppress(BlockingIOError):
                view = view[posix.write(process.to_child, view[:65536]) :]

    def _read(self, process: _Process, until: float) -> str:
        length = FRAME_HEAD.unpack(self._read_exactly(process, FRAME_HEAD.size, until))[0]
        return self._read_exactly(process, length, until).decode("ascii")

    def _read_exactly(self, process: _Process, length: int, until: float) -> bytes:
        parts = []
        while length:
            self._await(process.from_child, until, writing=False)
            try:
                part = posix.read(process.from_child, min(length, 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise WorkerFailure("died", "the engine process ended")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _await(self, descriptor: int, until: float, *, writing: bool) -> None:
        left = max(0.0, until - self._clock())
        # eventlet takes `poll` away and makes `select` cooperative; plain `select` cannot wait for descriptors > 1023.
        if hasattr(select, "poll"):
            waiting = select.poll()
            waiting.register(descriptor, select.POLLOUT if writing else select.POLLIN)
            ready = bool(waiting.poll(left * 1000))
        else:
            reading, writable, _ = select.select(
                [] if writing else [descriptor], [descriptor] if writing else [], [], left
            )
            ready = bool(reading or writable)
        if not ready:
            raise WorkerFailure("deadline", f"no answer from the engine within {self._deadline_s:g} s")
