"""The child process in which rule packs are read, checked, compiled and tried: whatever they cost, no service waits.

Frames in both directions: four bytes of length (big-endian), then a pickle. A request is a function that can be
imported and its arguments; it is called with this process's evaluator first. The kernel ends the process when one
request takes more processor time than it may (SIGPROF), and refuses it more memory than it may have.
"""

import contextlib
import os
import pickle
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from shared.rules.evaluation.durable_process import FRAME_HEAD, read_exactly
from shared.rules.evaluation.evaluators import Evaluator, choose_evaluator
from shared.rules.observer import Observer

READY = b"ready"


class _Noted(Observer):
    """What there was to see, for the parent to tell."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []

    def engine_failed(self, reason: str, message: str) -> None:
        self.failures.append((reason, message))

    def engine_missing(self, message: str) -> None:
        """The parent has said so."""


def main(evaluator: str, cpu_seconds: float, memory_mb: int) -> None:
    """Answer until the parent closes its end. ``memory_mb``: beside what the process has when it is ready."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # goes to the whole terminal group; the parent ends us
    requests, replies = os.dup(sys.stdin.fileno()), os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints must not write into a reply
    noted = _Noted()
    chosen = choose_evaluator(evaluator, observer=noted)
    _limit_memory(memory_mb)
    with contextlib.suppress(BrokenPipeError):
        _write(replies, READY)
        while (head := read_exactly(requests, FRAME_HEAD.size)) is not None:
            payload = read_exactly(requests, FRAME_HEAD.unpack(head)[0])
            if payload is None:
                return
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
            reply = _answer(payload, chosen, noted)
            signal.setitimer(signal.ITIMER_PROF, 0)
            _write(replies, reply)


def _answer(payload: bytes, evaluator: Evaluator, noted: _Noted) -> bytes:
    noted.failures.clear()
    try:
        function, arguments = pickle.loads(payload)
        return _pickled("made", function(evaluator, *arguments), noted)
    except MemoryError:
        return _pickled("stopped", "more memory than it may have", noted)
    except RecursionError:
        return _pickled("stopped", "deeper nesting than can be followed", noted)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the parent's caller that has to know
        return _pickled("raised", error, noted)


def _pickled(said: str, what: Any, noted: _Noted) -> bytes:
    # A list: to eventlet a tuple of three with an exception in it is an exception raised in its thread.
    return pickle.dumps([said, what, noted.failures], pickle.HIGHEST_PROTOCOL)


def _limit_memory(megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _write(descriptor: int, payload: bytes) -> None:
    view = memoryview(FRAME_HEAD.pack(len(payload)) + payload)
    while view:
        view = view[os.write(descriptor, view) :]
