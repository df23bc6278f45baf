"""The child process in which durable-rules decides: started by path, imports nothing of Tandem, dies with its parent.

Frames in both directions: four bytes of length (big-endian), then ASCII. A request is a JSON line; ``ask`` is followed
by one line per question, the members of a JSON object. Whatever goes wrong in here ends the process: the parent then
decides without it and starts another, which is safer than going on with an engine in an unknown state.
"""

import contextlib
import importlib
import json
import os
import signal
import struct
import sys
from collections.abc import Sequence
from typing import Any

FRAME_HEAD = struct.Struct(">I")
FACTS_PER_STATE = 6
"""Facts asserted before their state is dropped: below it no pool of the engine grows, above it little is won."""
SESSION = "s"
"""One engine session, emptied after every use: the engine compares session names by a 32-bit hash only."""
_NAME_START = len('{"')
_AFTER_NAME = '":{"m":{"id":'


class EngineFailure(Exception):
    """The engine refused a ruleset or a fact, or answered what it cannot answer."""


class Engine:
    """Loaded rulesets by key. Answers which conditions hold, per question."""

    def __init__(self) -> None:
        self._native: Any = importlib.import_module("durable_rules_engine")
        self._handles: dict[str, list[int]] = {}
        self.refusal: type[Exception] = self._native.error

    def load(self, key: str, rulesets: Sequence[str]) -> None:
        self._handles[key] = [self._native.create_ruleset(f"{key[:16]}-{n}", text) for n, text in enumerate(rulesets)]

    def drop(self, key: str) -> None:
        for handle in self._handles.pop(key):
            self._native.delete_ruleset(handle)

    def ask(self, key: str, bodies: Sequence[str]) -> list[list[int]]:
        """For each question the positions of the conditions that hold, ascending."""
        answers: list[set[int]] = [set() for _ in bodies]
        for start in range(0, len(bodies), FACTS_PER_STATE):
            end = start + FACTS_PER_STATE
            for handle in self._handles[key]:
                self._fire(handle, bodies[start:end], answers[start:end])
        return [sorted(answer) for answer in answers]

    def _fire(self, handle: int, bodies: Sequence[str], answers: Sequence[set[int]]) -> None:
        native = self._native
        state = 0
        for number, body in enumerate(bodies):
            fact = f'{{"id":{number},"sid":"{SESSION}","_k":"q"{"," if body else ""}{body}}}'
            outcome, state = native.assert_fact(handle, fact)
            if outcome:
                raise EngineFailure(f"the engine did not take a fact (code {outcome})")
        started = native.start_action_for_state(handle, state)
        if not started:
            raise EngineFailure("the sentinel rule did not fire")
        greeted = 0
        try:
            message = started[1]
            while message:
                name_end = message.index('"', _NAME_START)
                number_at = name_end + len(_AFTER_NAME)
                if message[name_end:number_at] != _AFTER_NAME:
                    raise EngineFailure("the engine answered in an unknown form")
                name, number = message[_NAME_START:name_end], int(message[number_at])
                if name == "sentinel":
                    greeted += 1
                else:
                    answers[number].add(int(name[1 : name.index("_")]))
                message = native.complete_and_start_action(handle, state)
        finally:
            native.delete_state(handle, SESSION)
        if greeted != len(bodies):
            raise EngineFailure(f"the sentinel fired {greeted} times for {len(bodies)} facts")


def read_exactly(descriptor: int, length: int) -> bytes | None:
    """``length`` bytes, or None when the other side has closed."""
    parts = []
    while length:
        part = os.read(descriptor, min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def write_frame(descriptor: int, text: str) -> None:
    payload = text.encode("ascii")
    view = memoryview(FRAME_HEAD.pack(len(payload)) + payload)
    while view:
        view = view[os.write(descriptor, view) :]


def answer(engine: Engine, frame: str) -> str:
    head, *bodies = frame.split("\n")
    request = json.loads(head)
    if request["do"] == "load":
        engine.load(request["key"], request["rulesets"])
        return "{}"
    if request["do"] == "drop":
        engine.drop(request["key"])
        return "{}"
    return json.dumps({"holds": engine.ask(request["key"], bodies)}, separators=(",", ":"))


def serve(requests: int, replies: int) -> None:
    """Answer until the parent closes its end."""
    engine = Engine()
    write_frame(replies, json.dumps({"ready": os.getpid()}))
    while (head := read_exactly(requests, FRAME_HEAD.size)) is not None:
        payload = read_exactly(requests, FRAME_HEAD.unpack(head)[0])
        if payload is None:
            return
        try:
            reply = answer(engine, payload.decode("ascii"))
        except (EngineFailure, engine.refusal) as error:
            write_frame(replies, json.dumps({"error": str(error)}))
            return
        write_frame(replies, reply)


if __name__ == "__main__":
    # Ctrl-C goes to the whole terminal group; the parent ends us by closing the pipe, after its last decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.fileno(), sys.stdout.fileno())
