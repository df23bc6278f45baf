"""Keeps a rule book up with its files while services run."""

import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from shared.rules.lifecycle.intervals import BREATH_S, SETTLING_S, SLICE_S

_log = structlog.get_logger("tandem.rules")

REPORT_EVERY: Final = 25
"""Slices."""


class Watched(Protocol):
    @property
    def unfinished(self) -> bool: ...

    @property
    def settling(self) -> bool: ...

    def look(self) -> bool: ...

    def catch_up(self, seconds: float | None = None) -> int: ...


class Stoppable(Protocol):
    def kill(self) -> None: ...


class RulePoller:
    """Looks every ``seconds``, from ``start`` to ``stop``, and brings tenants up to date between two looks.

    ``spawn``: lets a function run beside everything else. ``made``: called after every few tenants and when all are up
    to date.
    """

    def __init__(
        self,
        book: Watched,
        seconds: float,
        spawn: Callable[[Callable[[], None]], Stoppable],
        made: Callable[[], None] | None = None,
    ) -> None:
        self._spawn = spawn
        self._made = made
        self._book = book
        self._seconds = seconds
        self._thread: Stoppable | None = None
        self._slices = 0

    def start(self) -> None:
        self._thread = self._spawn(self._run)

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    def _run(self) -> None:
        while True:
            next_look = time.monotonic() + self._seconds
            try:
                self._book.look()
                if self._book.settling:
                    next_look = min(next_look, time.monotonic() + SETTLING_S)
                self._catch_up(next_look)
            except Exception:  # noqa: BLE001 - logged; the packs in force stay, and the next look tries again
                _log.exception("looking at the rule files failed")
            time.sleep(max(BREATH_S, next_look - time.monotonic()))

    def _catch_up(self, until: float) -> None:
        before = None
        while self._book.unfinished and time.monotonic() < until:
            left = self._book.catch_up(SLICE_S)
            self._slices += 1
            if self._made is not None and (not left or self._slices % REPORT_EVERY == 0):
                self._made()
            if left == before:
                return  # The database is away: the next look tries again.
            before = left
            time.sleep(BREATH_S)
