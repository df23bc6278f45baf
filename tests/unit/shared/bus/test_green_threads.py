"""One hub serves everything: what is long must leave it, and what fails must not end it."""

import time

import eventlet

from shared.bus.rule_watch import RuleWatch
from shared.bus.service import off_hub


def compute(seconds: float) -> str:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    return "done"


def test_heavy_work_off_the_hub_lets_the_others_run() -> None:
    beats: list[float] = []

    def beat() -> None:
        while True:
            beats.append(time.monotonic())
            eventlet.sleep(0.01)

    heart = eventlet.spawn(beat)
    assert off_hub(compute, 0.5) == "done"
    heart.kill()
    assert len(beats) >= 5


class FailingOnce:
    """A rule book whose first look at its files fails."""

    def __init__(self) -> None:
        self.looks = 0
        self.twice = eventlet.event.Event()

    def poll(self) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise OSError("the disk is away")
        if self.looks == 2:
            self.twice.send(None)
        return False


def test_a_failing_look_at_the_rule_files_is_not_the_last_one() -> None:
    book = FailingOnce()
    watch = RuleWatch(book, 0.01)
    watch.start()
    with eventlet.Timeout(5):
        book.twice.wait()
    watch.stop()
    assert book.looks >= 2
