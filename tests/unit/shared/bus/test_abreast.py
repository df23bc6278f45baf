"""Which batches wait for each other, with green threads that end when they are told to."""

import eventlet
from eventlet.event import Event

from shared.bus.abreast import Abreast, Athlete


class Batches:
    def __init__(self) -> None:
        self.abreast = Abreast()
        self.begun: list[str] = []
        self._ends: dict[str, Event] = {}
        self._threads: list[eventlet.greenthread.GreenThread] = []

    def begin(self, name: str, *about: Athlete) -> None:
        self._ends[name] = Event()

        def run() -> None:
            with self.abreast.turn(about):
                self.begun.append(name)
                self._ends[name].wait()

        self._threads.append(eventlet.spawn(run))
        eventlet.sleep(0)

    def end(self, name: str) -> None:
        self._ends[name].send(None)
        eventlet.sleep(0)
        eventlet.sleep(0)

    def kill(self, number: int) -> None:
        self._threads[number].kill()
        eventlet.sleep(0)


def test_different_athletes_do_not_wait() -> None:
    batches = Batches()
    batches.begin("one", ("acme", "a1"), ("acme", "a2"))
    batches.begin("two", ("acme", "a3"), ("other", "a1"))
    assert batches.begun == ["one", "two"]


def test_the_same_athlete_waits_and_keeps_the_order() -> None:
    batches = Batches()
    batches.begin("one", ("acme", "a1"))
    batches.begin("two", ("acme", "a2"), ("acme", "a1"))
    batches.begin("three", ("acme", "a2"))
    batches.begin("four", ("acme", "a4"))
    assert batches.begun == ["one", "four"]
    batches.end("one")
    assert batches.begun == ["one", "four", "two"]
    batches.end("two")
    assert batches.begun == ["one", "four", "two", "three"]


def test_a_message_about_a_whole_tenant_waits_for_its_athletes_and_they_for_it() -> None:
    batches = Batches()
    batches.begin("athlete", ("acme", "a1"))
    batches.begin("tenant", ("acme", None))
    batches.begin("another", ("acme", "a2"))
    batches.begin("elsewhere", ("other", None))
    assert batches.begun == ["athlete", "elsewhere"]
    batches.end("athlete")
    assert batches.begun == ["athlete", "elsewhere", "tenant"]
    batches.end("tenant")
    assert batches.begun[-1] == "another"


def test_who_is_killed_holds_nobody_up() -> None:
    batches = Batches()
    batches.begin("one", ("acme", "a1"))
    batches.begin("two", ("acme", "a1"))
    batches.begin("three", ("acme", "a1"))
    batches.kill(1)
    batches.end("one")
    assert batches.begun == ["one", "three"]
