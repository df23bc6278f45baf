"""A child process kept for many questions: one at a time, a deadline for each, killed and started again when it fails.

Works under a monkey-patched eventlet hub and in a plain program alike, without knowing which: it waits in ``select``
before every read and write, which eventlet turns into a switch to other greenlets, and in ``time.sleep`` for its turn.
It takes no lock, because a native one would stall a hub and a green one does not hold between threads.
"""

import contextlib
import os
import posix
import select
import subprocess
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from shared.rules.evaluation.durable_process import FRAME_HEAD

START_DEADLINE_S = 10.0
"""A first start may have to read the interpreter from a cold disk; later ones took 30 ms."""
MAX_PAUSE_S = 30.0

Reason = Literal["died", "deadline", "not started", "busy"]


class WorkerFailure(Exception):
    """No answer: the child is missing, crashed, refused, or did not answer in time. Says which.

    ``signal``: what ended it, where that is known.
    """

    def __init__(self, reason: Reason, message: str, signal: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.signal = signal


class ChildProcess:
    """One child with its two pipes."""

    def __init__(self, arguments: Sequence[str]) -> None:
        child_in, self.to_child = os.pipe()
        self.from_child, child_out = os.pipe()
        os.set_blocking(self.to_child, False)
        os.set_blocking(self.from_child, False)
        try:
            self._popen = subprocess.Popen([sys.executable, *arguments], stdin=child_in, stdout=child_out)
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
        """What it holds for later questions, with its size."""

    def end(self) -> int | None:
        """The signal that had ended it before, if one had."""
        os.close(self.to_child)
        os.close(self.from_child)
        if self.owner != os.getpid():
            return None
        # Its pipes close a moment before it can be waited for.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(0.05)
        ended = self._popen.poll()
        self._popen.kill()
        self._popen.wait()
        return -ended if ended is not None and ended < 0 else None


class KeptChild:
    """``named``: what the child is called where it fails. ``starts`` counts processes started, the first included."""

    def __init__(self, named: str, turn_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._named = named
        self._turn_s = turn_s
        self._clock = clock
        self._process: ChildProcess | None = None
        self._turn: deque[None] = deque((None,))
        self._pause_s = 0.0
        self._not_before = 0.0
        self._last_failure = ""
        self.starts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def close(self) -> None:
        if self._process:
            self._process.end()
            self._process = None

    def _arguments(self) -> Sequence[str]:
        """The command line after the interpreter; the child's first frame says that it is ready."""
        raise NotImplementedError

    def _running(self) -> ChildProcess:
        if self._process and self._process.owner != os.getpid():
            self._process.end()  # We are a fork: the child answers our parent.
            self._process = None
        if self._process:
            return self._process
        if self._clock() < self._not_before:
            raise WorkerFailure("not started", self._last_failure)
        self.starts += 1
        try:
            process = self._process = ChildProcess(self._arguments())
            self._read(process, self._clock() + START_DEADLINE_S)
        except (OSError, WorkerFailure) as error:
            self._discard()
            self._pause_s = min(MAX_PAUSE_S, 2 * self._pause_s or 1.0)
            self._not_before = self._clock() + self._pause_s
            self._last_failure = f"{self._named} did not start: {error}"
            raise WorkerFailure("not started", self._last_failure) from error
        except BaseException:
            self._discard()
            raise
        self._pause_s = 0.0
        return process

    def _discard(self) -> int | None:
        process, self._process = self._process, None
        return process.end() if process else None

    @contextlib.contextmanager
    def _my_turn(self, look_again_s: float = 0.0005) -> Iterator[None]:
        until = self._clock() + self._turn_s
        while True:
            try:
                self._turn.popleft()  # Atomic between threads and between greenlets.
                break
            except IndexError:
                if self._clock() > until:
                    raise WorkerFailure("busy", f"{self._named} is busy with other questions") from None
                time.sleep(look_again_s)
        try:
            yield
        finally:
            self._turn.append(None)

    def _write(self, process: ChildProcess, payload: bytes, until: float) -> None:
        view = memoryview(FRAME_HEAD.pack(len(payload)) + payload)
        while view:
            self._await(process.to_child, until, writing=True)
            # Not os.write: eventlet's own tries again for ever when the reader is gone (EPIPE).
            with contextlib.suppress(BlockingIOError):
                view = view[posix.write(process.to_child, view[:65536]) :]

    def _read(self, process: ChildProcess, until: float) -> bytes:
        length = FRAME_HEAD.unpack(self._read_exactly(process, FRAME_HEAD.size, until))[0]
        return self._read_exactly(process, length, until)

    def _read_exactly(self, process: ChildProcess, length: int, until: float) -> bytes:
        parts = []
        while length:
            self._await(process.from_child, until, writing=False)
            try:
                part = posix.read(process.from_child, min(length, 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise WorkerFailure("died", f"{self._named} ended")
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
            raise WorkerFailure("deadline", f"no answer from {self._named} in time")
