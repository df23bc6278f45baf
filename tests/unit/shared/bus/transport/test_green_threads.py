"""One hub serves everything: what is long must leave it, and what fails must not end it."""

import socket
import time
from collections.abc import Callable

import eventlet
import pytest

from shared.bus.transport.hub import HUB
from shared.rules.lifecycle.polling import RulePoller


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
    assert HUB.off_hub(compute, 0.5) == "done"
    heart.kill()
    assert len(beats) >= 5


def test_what_is_not_done_in_time_ends_with_an_error_and_nobody_elses_time_is_up() -> None:
    with pytest.raises(TimeoutError, match=r"not done in 0\.05 s"), HUB.within(20), HUB.within(0.05):
        time.sleep(10)
    with pytest.raises(TimeoutError, match=r"not done in 0\.05 s"), HUB.within(0.05), HUB.within(20):
        time.sleep(10)
    with HUB.within(0.05):
        pass
    time.sleep(0.1)  # a time-out that were still set would end this


def test_a_socket_that_stays_silent_is_waited_for_no_longer_than_asked_and_one_that_speaks_only_until_then() -> None:
    ours, theirs = socket.socketpair()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        HUB.wait_for_socket(ours.fileno(), False, 0.05)
    HUB.hold_for_socket(ours.fileno(), 50)
    assert 0.1 <= time.monotonic() - began < 5
    HUB.wait_for_socket(ours.fileno(), True, 5.0)
    theirs.send(b"!")
    HUB.wait_for_socket(ours.fileno(), False, None)
    HUB.hold_for_socket(ours.fileno(), 100_000)
    assert time.monotonic() - began < 5
    ours.close()
    theirs.close()


class Book:
    """A rule book whose first look at its files fails, and that is behind with so many tenants."""

    settling = False

    def __init__(self, behind: int = 0, away: bool = False) -> None:
        self.looks = 0
        self.behind = behind
        self.away = away
        self.slices: list[float | None] = []
        self.looked = eventlet.event.Event()

    @property
    def unfinished(self) -> bool:
        return bool(self.behind)

    def look(self) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise OSError("the disk is away")
        if self.looks == 3:
            self.looked.send(None)
        return False

    def catch_up(self, seconds: float | None = None) -> int:
        self.slices.append(seconds)
        self.behind -= 0 if self.away else 1
        return self.behind


def watching(book: Book, until: eventlet.event.Event, seconds: float = 0.01, made: Callable[[], None] = int) -> None:
    watch = RulePoller(book, seconds, HUB.spawn, made)
    watch.start()
    with eventlet.Timeout(20):
        until.wait()
    watch.stop()


def test_a_failing_look_at_the_rule_files_is_not_the_last_one() -> None:
    book = Book()
    watching(book, book.looked)
    assert book.looks >= 3
    assert book.slices == []


def test_tenants_are_brought_up_to_date_in_slices_between_which_others_run() -> None:
    book, beats = Book(behind=5), [0]

    def beat() -> None:
        while True:
            beats[0] += 1
            eventlet.sleep(0)

    heart = eventlet.spawn(beat)
    all_made = eventlet.event.Event()
    watching(book, all_made, seconds=0.05, made=lambda: all_made.send(book.behind))
    heart.kill()
    assert all_made.wait() == 0
    assert len(book.slices) == 5
    assert all(seconds is not None and seconds <= 0.05 for seconds in book.slices)
    assert beats[0] > 5


def test_what_cannot_be_brought_up_to_date_is_tried_once_a_look() -> None:
    book = Book(behind=1, away=True)
    watching(book, book.looked, seconds=0.01)
    assert len(book.slices) <= 2 * book.looks
