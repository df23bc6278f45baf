"""What a fault's publisher sends, made from a seed: the same messages whoever receives them."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

DUPLICATES, INVALID, FLAKY = 0.10, 0.05, 0.02
"""Flaky ones meet an error that another try cures, so that some wait for it whenever a fault strikes."""
POISON = "poison-"
"""How the name of a session begins that no handler can take."""
SESSIONS = 0.25
"""Of all, what goes to the load service, whose handler does a day's arithmetic for each. The rest is counted, which is
what shows a message that had its effect twice."""
ATHLETES = 12
"""Per fault and kind of message, so that athletes get many sessions and replicas meet on the same athlete."""
DAYS = 27

Fate = Literal["effect", "rejected", "parked"]
"""What must become of a message: its effect once, a rejection that is told, or the parked queue."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the script. ``amount`` is what it adds to ``athlete``: repetitions, or nothing for a session."""

    id: str
    key: str
    athlete: str
    body: bytes
    fate: Fate
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """``profiles`` first; then ``sends``, in which a message may stand twice, side by side or far apart."""

    fault: str
    profiles: tuple[Sent, ...]
    sends: tuple[Sent, ...]

    @property
    def messages(self) -> dict[str, Sent]:
        return {one.id: one for one in self.sends}

    def mended(self) -> "Script":
        """The same, expecting that poison has its effect after all: its handler was mended and it was given back."""
        sends = (replace(one, fate="effect") if one.fate == "parked" else one for one in self.sends)
        return replace(self, sends=tuple(sends))


def make_script(
    fault: str, count: int, seed: int, today: datetime, poison: float = 0.01, killer: bool = False
) -> Script:
    """``count`` different messages, to the load service and to the counting one, and their duplicates.

    ``poison``: the share that no handler can take. ``killer``: one more, early among them, that kills its process.
    """
    source = random.Random(f"{seed} {fault}")
    made = [_message(source, fault, number, today, poison) for number in range(count)]
    sends: list[Sent] = list(made)
    for number, one in enumerate(source.sample(made, int(count * DUPLICATES))):
        # Every other one right behind its original, so that two replicas have the same message in hand at once.
        sends.insert(sends.index(one) + 1 if number % 2 else source.randrange(len(sends) + 1), one)
    if killer:
        athlete = f"{fault}.killer"
        data = {"athlete": athlete, "repetitions": 999}
        sends.insert(count // 4, Sent(f"{fault}.killer", "toy.add", athlete, _json(data), "parked", data))
    return Script(fault, tuple(_profiles(fault)), tuple(sends))


def _profiles(fault: str) -> Iterator[Sent]:
    for number in range(ATHLETES):
        athlete = f"{fault}.runner{number}"
        data = {"athlete": athlete, "timezone": "UTC"}
        yield Sent(f"{fault}.profile{number}", "athlete.put", athlete, _json(data), "effect", data)


def _message(source: random.Random, fault: str, number: int, today: datetime, poison: float) -> Sent:
    draw = source.random()
    fate: Fate = "parked" if draw < poison else "rejected" if draw < poison + INVALID else "effect"
    identity = f"{fault}.m{number}"
    if fate == "effect" and source.random() < FLAKY:
        data: dict[str, Any] = {"athlete": f"{fault}.flaky{number}", "repetitions": 777}
        return Sent(identity, "toy.add", data["athlete"], _json(data), fate, data)
    if source.random() < SESSIONS:
        key, athlete = "load.record-session", f"{fault}.runner{source.randrange(ATHLETES)}"
        data = _session(source, athlete, identity, today, poison=fate == "parked")
    else:
        key, athlete = "toy.add", f"{fault}.counter{source.randrange(ATHLETES)}"
        data = {"athlete": athlete, "repetitions": 666 if fate == "parked" else source.randint(1, 9)}
    body = _spoilt(source, data) if fate == "rejected" else _json(data)
    return Sent(identity, key, athlete, body, fate, data)


def _session(source: random.Random, athlete: str, session: str, today: datetime, poison: bool) -> dict[str, Any]:
    start = (today - timedelta(days=source.randint(1, DAYS))).replace(hour=source.randint(5, 20), minute=0, second=0)
    tags = source.choice(
        [
            {"kind": "run", "type": "easy"},
            {"kind": "run", "type": "tempo"},
            {"kind": "lift", "region": "lower", "effort": "heavy"},
            {"kind": "other", "mode": "bike"},
        ]
    )
    return {
        "athlete": athlete,
        "session": POISON + session if poison else session,
        "start": start.astimezone(UTC).isoformat(timespec="seconds"),
        "duration_min": source.randint(20, 90),
        "rpe": source.randint(2, 9),
        **tags,
    }


def _spoilt(source: random.Random, data: dict[str, Any]) -> bytes:
    spoilt: Sequence[bytes] = (
        _json({**data, "athlet": "a typing mistake"}),
        _json({name: value for name, value in data.items() if name != "athlete"}),
        _json(data)[:-4],
        b'{"athlete": NaN}',
        b"[" * 200,
        _json([data]),
    )
    return source.choice(spoilt)


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
