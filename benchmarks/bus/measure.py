"""The three measurements of a case: how fast, how late, and what a kill costs."""

import signal
import statistics
import time
from dataclasses import dataclass

from benchmarks.bus import work
from benchmarks.bus.feed import Feed
from benchmarks.bus.listener import Listener
from benchmarks.bus.nodes import Nodes
from benchmarks.bus.process import Case, Consumers

WARM_UP = 200
RUN_S = 5.0
MOST, LEAST = 16_000, 400
PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Throughput:
    """``rate`` in messages per second, ``cpu_us`` per message, ``peak_mb`` of all processes together."""

    rate: float
    cpu_us: float
    peak_mb: float
    messages: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Publish to event, in ms. ``seen``: share of the events that came."""

    p50: float
    p99: float
    seen: float


@dataclass(frozen=True, slots=True)
class Faults:
    """``lost``: valid messages with no event or no row. ``doubled``: messages told on under more than one event id."""

    lost: int
    doubled: int


class Bench:
    """Runs cases on one pair of nodes. Every run has an empty database and empty queues."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._runs = 0

    def throughput(self, case: Case, kind: str, seed: int, processes: int = 1) -> Throughput:
        feed, consumers, _ = self._begin(case, kind, processes)
        try:
            rate = self._drain(feed, consumers, case, WARM_UP, seed)[0]
            count = int(min(MOST, max(LEAST, rate * RUN_S)))
            rate, cpu_s = self._drain(feed, consumers, case, count, seed + 1)
            return Throughput(rate, cpu_s / count * 1e6, consumers.peak_mb(), count)
        finally:
            self._finish(feed, consumers)

    def latency(self, case: Case, kind: str, seed: int, per_second: int, seconds: float) -> Latency:
        feed, consumers, _ = self._begin(case, kind, 1)
        try:
            self._drain(feed, consumers, case, WARM_UP, seed)
            count = int(per_second * seconds)
            sent: dict[str, float] = {}
            with Listener(self._nodes.broker.uri) as listener:
                start = time.monotonic()
                for number, message in enumerate(self._messages(count, seed + 1)):
                    time.sleep(max(0.0, start + number / per_second - time.monotonic()))
                    if message.valid and not message.repeats:
                        sent[message.id] = time.monotonic()
                    feed.send_one(message)
                feed.settle()
                listener.until(len(sent), 10.0)
                late = [(seen - sent[name]) * 1000 for name, seen in listener.seen.items() if name in sent]
            cuts = statistics.quantiles(late, n=100)
            return Latency(statistics.median(late), cuts[98], len(late) / len(sent))
        finally:
            self._finish(feed, consumers)

    def faults(self, case: Case, kind: str, seed: int, number: int, count: int) -> Faults:
        """Signals the consumer in the middle of its work, starts it again, and compares."""
        feed, consumers, store = self._begin(case, kind, 1)
        try:
            messages = [one for one in self._messages(count, seed) if not one.repeats]
            for third in (0.2, 0.5):
                consumers.signal(signal.SIGSTOP)
                done = feed.depth(work.SINK)
                feed.send(messages[: len(messages) // 2] if third == 0.2 else messages[len(messages) // 2 :])
                consumers.signal(signal.SIGCONT)
                feed.until_depth(work.SINK, done + int(len(messages) * third / 2), PATIENCE_S)
                consumers.signal(number)
                consumers.wait()
                consumers.start()
            feed.until_quiet(2.5, PATIENCE_S)
            told: dict[str, set[str]] = {}
            for name, session, identity in feed.events():
                if name == "recorded":
                    told.setdefault(session, set()).add(identity)
            valid = {message.id for message in messages if message.valid}
            lost = max(len(valid - told.keys()), len(valid) - store.records())
            return Faults(lost, sum(len(told.get(session, ())) > 1 for session in valid))
        finally:
            self._finish(feed, consumers)

    def _begin(self, case: Case, kind: str, processes: int):  # type: ignore[no-untyped-def]
        feed = Feed(self._nodes.broker.uri)
        feed.fresh_queues()
        store = self._nodes.new_store(kind)
        consumers = Consumers(case, self._nodes.broker, store, self._nodes.folder, processes)
        consumers.start()
        deadline = time.monotonic() + 30
        while feed.consumers() < processes:
            consumers.check_alive()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{case.name} does not consume; see {consumers.log.read_text()[-3000:]}")
            time.sleep(0.05)
        return feed, consumers, store

    def _drain(self, feed: Feed, consumers: Consumers, case: Case, count: int, seed: int) -> tuple[float, float]:
        """Lets held consumers go on a full queue; messages per second and CPU seconds until all is told."""
        messages = self._messages(count, seed)
        consumers.signal(signal.SIGSTOP)
        before = feed.depth(work.SINK)
        feed.send(messages)
        expected = before + sum(_tells(message, case) for message in messages)
        cpu_before = consumers.cpu_s()
        start = time.monotonic()
        consumers.signal(signal.SIGCONT)
        if not feed.until_depth(work.SINK, expected, PATIENCE_S):
            consumers.check_alive()
            raise RuntimeError(f"{case.name}: {feed.depth(work.SINK)} of {expected} events after {PATIENCE_S} s")
        return count / (time.monotonic() - start), consumers.cpu_s() - cpu_before

    def _messages(self, count: int, seed: int) -> list[work.Message]:
        self._runs += 1
        return work.messages(count, seed, f"r{self._runs}")

    def _finish(self, feed: Feed, consumers: Consumers) -> None:
        consumers.end()
        feed.close()


def _tells(message: work.Message, case: Case) -> bool:
    """Whether one event comes of it: Tandem also tells what it refused, and tells a repetition no second time."""
    return not message.repeats if case.inbox else message.valid
